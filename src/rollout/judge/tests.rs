use std::time::Duration;

use super::{Failure, Percent, Verdict, judge};
use crate::config::raw::Gates;
use crate::model::Counts;

fn counts(requests: u64, errors: u64, took: Duration) -> Counts {
    let mut counts = Counts { requests, errors, ..Counts::default() };
    (0..requests).for_each(|_| counts.latencies.observe(took));
    counts
}

const GATES: Gates = Gates {
    max_errors_ppm: Some(10_000),
    max_p99: Some(Duration::from_millis(100)),
    min_requests: 100,
};
const FAST: Duration = Duration::from_millis(5);

#[test]
fn too_little_says_how_much_more() {
    assert_eq!(judge(&GATES, &counts(0, 0, FAST)), Verdict::TooLittle { more: 100 });
    assert_eq!(judge(&GATES, &counts(99, 1, FAST)), Verdict::TooLittle { more: 1 });
    let said = judge(&GATES, &counts(60, 0, FAST)).to_string();
    assert_eq!(said, "too little traffic: about 40 more requests");
}

#[test]
fn at_the_threshold_is_good_enough() {
    assert_eq!(judge(&GATES, &counts(100, 1, FAST)), Verdict::Pass);
    assert_eq!(judge(&GATES, &counts(1_000, 10, FAST)), Verdict::Pass);
    let failure = Failure::Errors { errors: 11, requests: 1_000, max_ppm: 10_000 };
    assert_eq!(judge(&GATES, &counts(1_000, 11, FAST)), Verdict::Fail(failure.clone()));
    assert_eq!(failure.to_string(), "11 of 1000 requests failed, more than 1%");
}

#[test]
fn errors_that_no_success_can_mend_fail_at_once() {
    let failure = Failure::Errors { errors: 2, requests: 5, max_ppm: 10_000 };
    assert_eq!(judge(&GATES, &counts(5, 2, FAST)), Verdict::Fail(failure));
}

#[test]
fn slow_answers_fail_once_there_are_enough() {
    let slow = Duration::from_millis(300);
    assert_eq!(judge(&GATES, &counts(50, 0, slow)), Verdict::TooLittle { more: 50 });
    let Verdict::Fail(Failure::P99 { p99, requests: 100, .. }) =
        judge(&GATES, &counts(100, 0, slow))
    else {
        panic!("it is slow")
    };
    assert!(p99 >= slow.mul_f64(0.9) && p99 <= slow.mul_f64(1.1), "{p99:?}");
}

#[test]
fn what_clients_gave_up_says_nothing() {
    let hangs = Counts { requests: 500, cancelled: 500, ..Counts::default() };
    assert_eq!(judge(&GATES, &hangs), Verdict::TooLittle { more: 100 });
    let mut some = counts(100, 2, FAST);
    (some.requests, some.cancelled) = (500, 400);
    let failure = Failure::Errors { errors: 2, requests: 100, max_ppm: 10_000 };
    assert_eq!(judge(&GATES, &some), Verdict::Fail(failure));
}

#[test]
fn without_thresholds_time_alone_decides() {
    let none = Gates { min_requests: 100, ..Gates::default() };
    assert_eq!(judge(&none, &counts(0, 0, FAST)), Verdict::Pass);
}

#[test]
fn percentages_as_people_write_them() {
    let said = [10_000, 500, 12_500, 1, 0, 1_000_000].map(|ppm| Percent(ppm).to_string());
    assert_eq!(said, ["1%", "0.05%", "1.25%", "0.0001%", "0%", "100%"]);
}
