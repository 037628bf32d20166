use std::time::Duration;

use super::*;

#[test]
fn numbers_are_those_that_people_read() {
    let mut counts = Counts { requests: 30, errors: 1, ..Counts::default() };
    (0..30).for_each(|_| counts.latencies.observe(Duration::from_millis(100)));
    let quiet = Counts { requests: 60, ..Counts::default() };
    let pair = Pair { stable: quiet, canary: counts };
    let recent = Pair { stable: Counts::default(), canary: pair.canary.clone() };
    let view = View::of(Timestamp::UNIX_EPOCH, &pair, &recent, 4.0, Some(&Verdict::Pass), false);
    assert_eq!(view.measured, Some(33.3));
    let canary = &view.canary;
    assert_eq!((canary.requests, canary.errors, canary.per_second), (30, 1, Some(7.5)));
    assert!(canary.p99_ms.is_some_and(|p99| (93.0..=107.0).contains(&p99)), "{canary:?}");
    let stable = view.stable.clone().unwrap_or_default();
    assert_eq!((stable.requests, stable.per_second, stable.p50_ms), (60, Some(0.0), None));
    let json = serde_json::to_value(&view).unwrap_or_default();
    assert_eq!(json["verdict"], "pass");
    assert!(json.get("behind").is_none() && json.get("error").is_none(), "{json}");
    assert_eq!(serde_json::from_value::<View>(json).ok(), Some(view));
}

#[test]
fn copies_answer_nobody() {
    let counts = Pair { canary: Counts { requests: 9, ..Counts::default() }, ..Pair::default() };
    let view = View::of(Timestamp::UNIX_EPOCH, &counts, &counts, 0.0, None, true);
    assert_eq!((view.stable, view.measured, view.canary.per_second), (None, None, None));
}
