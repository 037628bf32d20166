#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;

fn step(asked: [u32; 2], answered: [u64; 2]) -> StepReport {
    let mut counts = StepCounts { answered, ..StepCounts::default() };
    (0..counts.measured()).for_each(|_| counts.latencies.add(Duration::from_millis(5)));
    StepReport { asked: Weights(asked), counts }
}

#[test]
fn a_share_may_be_as_far_off_as_chance_takes_it() {
    // n = 1000, p = 0.1: 4.5 standard deviations are 43, and more is likelier than less.
    for (at_v2, is_right) in [(100, true), (62, true), (143, true), (56, false), (149, false)] {
        let problems = step([90, 10], [1_000 - at_v2, at_v2]).problems(4);
        assert_eq!(problems.is_empty(), is_right, "{at_v2}: {problems:?}");
    }
}

#[test]
fn without_chance_not_one_request_may_go_astray() {
    assert_eq!(step([100, 0], [1_000, 0]).problems(1), Vec::<String>::new());
    assert_eq!(
        step([100, 0], [999_999, 1]).problems(1),
        ["step 1 asked for 100/0, and v2 got 1 of 1000000 requests where 0.0 % may be"]
    );
    assert_eq!(step([0, 100], [1, 999]).problems(5).len(), 1);
}

#[test]
fn a_gateway_that_draws_by_weight_is_right() {
    let mut random = fastrand::Rng::with_seed(7);
    for n in [20, 200, 2_000] {
        for asked in [[90, 10], [50, 50], [10, 90]] {
            for _ in 0..300 {
                let at_v2 = (0..n).filter(|_| random.u32(0..100) < asked[1]).count() as u64;
                let problems = step(asked, [n - at_v2, at_v2]).problems(1);
                assert_eq!(problems, Vec::<String>::new(), "{asked:?} of {n}");
            }
        }
    }
}

/// Asked for 90/10, it draws 84/16.
#[test]
fn a_gateway_that_draws_otherwise_is_found() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..100 {
        let at_v2 = (0..1_600).filter(|_| random.u32(0..100) < 16).count() as u64;
        assert_eq!(step([90, 10], [1_600 - at_v2, at_v2]).problems(1).len(), 1, "{at_v2}");
    }
}

#[test]
fn losses_are_told_by_reason_and_silence_is_no_success() {
    let mut lossy = step([50, 50], [500, 500]);
    lossy.counts.lost = BTreeMap::from([("refused".into(), 2), ("503".into(), 1)]);
    assert_eq!(lossy.problems(4), ["step 4 (50/50) lost 3 requests: 1 x 503, 2 x refused"]);
    assert_eq!(step([0, 100], [0, 0]).problems(5), ["step 5 (0/100) measured no request"]);
}

#[test]
fn a_row_says_what_was_asked_and_what_was_measured() {
    assert_eq!(
        rows(&[step([90, 10], [905, 95]), step([50, 50], [0, 0])]).concat().join("|"),
        "1|90/10|90.5 %|9.5 %|6.0 % - 14.5 %|1000|0|0|5.2 ms|5.5 ms|dark launch: half is \
         copied to v2|2|50/50|-|-|0.0 %|0|0|0|-|-|canary of a bad v2"
    );
}

#[test]
fn the_bad_version_fails_in_its_step_and_nowhere_else() {
    let mut failing = step([90, 10], [905, 95]);
    failing.counts.failed = [0, 95];
    assert_eq!(failing.problems(BAD + 1), Vec::<String>::new());
    assert_eq!(failing.problems(4), ["step 4 (90/10): v1 failed 0 times, v2 95 times"]);
    let well = step([90, 10], [905, 95]);
    assert_eq!(well.problems(BAD + 1), ["step 2: the bad v2 has not failed"]);
}
