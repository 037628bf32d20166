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
fn a_share_may_be_four_standard_deviations_off_and_no_more() {
    // n = 1000, p = 0.1: the deviation is 9.49 requests, so 38.4 with half a request.
    for (at_v2, is_right) in [(100, true), (62, true), (138, true), (61, false), (139, false)] {
        let problems = step([90, 10], [1_000 - at_v2, at_v2]).problems(2);
        assert_eq!(problems.is_empty(), is_right, "{at_v2}: {problems:?}");
    }
}

#[test]
fn without_chance_not_one_request_may_go_astray() {
    assert_eq!(step([100, 0], [1_000, 0]).problems(1), Vec::<String>::new());
    assert_eq!(
        step([100, 0], [999_999, 1]).problems(1),
        ["step 1 asked for 100/0 and measured 0.0 % of 1000000 requests at v2, which is not \
          within 0.0 % ± 0.0 %"]
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

#[test]
fn losses_are_told_by_reason_and_silence_is_no_success() {
    let mut lossy = step([50, 50], [500, 500]);
    lossy.counts.lost = BTreeMap::from([("was refused".into(), 2), ("got 503".into(), 1)]);
    assert_eq!(
        problems(&[step([100, 0], [1, 0]), lossy]),
        ["step 2 (50/50) lost 3 requests: 1 got 503, 2 was refused"]
    );
    assert_eq!(step([0, 100], [0, 0]).problems(5), ["step 5 (0/100) measured no request"]);
}

#[test]
fn a_row_says_what_was_asked_and_what_was_measured() {
    assert_eq!(
        rows(&[step([90, 10], [905, 95]), step([50, 50], [0, 0])]).concat().join("|"),
        "1|90/10|90.5 %|9.5 %|±3.7 %|1000|0|5.2 ms|5.4 ms|2|50/50|-|-|±0.0 %|0|0|-|-"
    );
}
