use std::thread;

use super::*;
use crate::clock;
use crate::model::{Kind, ObjectKey, PartKey, PartKind, Store};

fn key(at: usize) -> ArmKey {
    let part = |part, kind| {
        let object = ObjectKey::new(Store::Files, kind, "shop", &format!("web-{at}"));
        PartKey::new(part, object, "0")
    };
    let (rule, backend) =
        (part(PartKind::Rule, Kind::HttpRoute), part(PartKind::Backend, Kind::Service));
    ArmKey { rule, backend, dark: false }
}

fn counts(arms: &Arms) -> Counts {
    let report = arms.report();
    let [arm] = report.arms.as_slice() else { panic!("{report:?}") };
    arm.counts.clone()
}

#[test]
fn endings_are_laid_to_whom_they_belong() {
    let check = |status, cause, expected| assert_eq!(Ending::of(status, cause), expected);
    check(200, None, Ending::Answered);
    check(404, None, Ending::Answered);
    check(503, None, Ending::ServerError);
    check(502, Some(Cause::UpstreamConnectRefused), Ending::Failed);
    check(200, Some(Cause::UpstreamClosed), Ending::Failed);
    check(504, Some(Cause::BackendRequestTimeout), Ending::Failed);
    check(408, Some(Cause::RequestBodyTimeout), Ending::NotTheBackend);
    check(503, Some(Cause::Draining), Ending::NotTheBackend);
    check(499, Some(Cause::ClientDisconnected), Ending::Cancelled);
}

#[test]
fn workers_are_added_up_and_outlived() {
    let arms = Arms::new(8);
    let took = Duration::from_millis(5);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let series = arms.series(&key(0));
                for _ in 0..1_000 {
                    series.begin();
                    series.count(Ending::Answered, 1, took);
                    series.end();
                }
                series.count(Ending::ServerError, 2, took);
                series.count(Ending::Failed, 3, took);
                series.count(Ending::NotTheBackend, 0, took);
                series.count(Ending::Cancelled, 1, took);
            });
        }
    });
    // Another listener of the same rule, on the same thread.
    let (one, other) = (arms.series(&key(0)), arms.series(&key(0)));
    one.begin();
    other.begin();
    let found = counts(&arms);
    assert_eq!((found.requests, found.attempts), (2_008, 2_012));
    assert_eq!((found.errors, found.server_errors, found.cancelled), (4, 2, 2));
    assert_eq!((found.in_flight, found.latencies.count()), (2, 2_006));
    one.end();
    drop((one, other));
    arms.sweep(clock::now());
    let expected = Counts { in_flight: 0, ..found };
    assert_eq!(counts(&arms), expected, "what was begun and dropped is in flight no more");
}

#[test]
fn an_arm_that_comes_again_is_another() {
    let arms = Arms::new(8);
    let count = || arms.series(&key(0)).count(Ending::Answered, 1, Duration::ZERO);
    count();
    let now = clock::now();
    arms.sweep(now);
    arms.sweep(now + limits::METRIC_SERIES_REST / 2);
    count();
    let report = arms.report();
    assert_eq!((report.arms[0].born, report.arms[0].counts.requests), (1, 2));
    arms.sweep(now);
    arms.sweep(now + limits::METRIC_SERIES_REST);
    assert_eq!(arms.report().arms, []);
    count();
    let report = arms.report();
    assert_eq!((report.born, report.arms[0].born, report.arms[0].counts.requests), (2, 2, 1));
}

#[test]
fn what_has_no_room_is_counted_in_one() {
    let arms = Arms::new(2);
    for at in 0..5 {
        arms.series(&key(at)).count(Ending::Answered, 1, Duration::ZERO);
    }
    let report = arms.report();
    assert_eq!((report.arms.len(), report.born, report.totals.left_out), (2, 2, 3));
    arms.series(&key(1)).count(Ending::Answered, 1, Duration::ZERO);
    assert_eq!(arms.report().arms[1].counts.requests, 2, "known ones go on");
}
