use std::sync::Barrier;

use super::*;
use crate::clock::Instant;
use crate::model::{BackendPolicy, Balance};
use crate::proxy::balance::EndpointGroup;
use crate::proxy::registry::Returned;
use crate::proxy::registry::fixture::{Process, address, fail_in_a_row, key, policy};

/// Three failures; 10 s, 20 s, … up to 45 s; at most half.
fn standard() -> BackendPolicy {
    let mut policy = policy(Balance::LeastRequest);
    policy.ejection.max = Duration::from_secs(45);
    policy
}

fn fail(group: &EndpointGroup, index: usize, now: Instant) -> Option<EjectionEvent> {
    group.on_failure(index, Failure::Connect, now)
}

fn ejected(seconds: u64) -> Option<EjectionEvent> {
    let lasts = Duration::from_secs(seconds);
    Some(EjectionEvent::Ejected { failure: Failure::Connect, lasts })
}

#[test]
fn failures_in_a_row_eject_for_a_while() {
    let process = Process::start();
    let group = process.worker(standard(), &[1, 1]);
    assert_eq!(fail(&group, 0, process.seconds(1)), None);
    assert_eq!(fail(&group, 0, process.seconds(2)), None);
    assert_eq!(group.on_success(0, process.seconds(3)), None, "starts the count again");
    assert_eq!(fail(&group, 0, process.seconds(4)), None);
    assert_eq!(fail(&group, 0, process.seconds(5)), None);
    assert!(!group.is_out(0, process.seconds(5)));
    assert_eq!(fail(&group, 0, process.seconds(6)), ejected(10));
    assert!(group.is_out(0, process.seconds(6)) && group.is_out(0, process.seconds(15)));
    assert!(!group.is_out(0, process.seconds(16)), "10 s later");
    assert!(!group.is_out(1, process.seconds(6)), "the other one has done nothing");
}

#[test]
fn each_return_is_told_once() {
    let process = Process::start();
    let group = process.worker(standard(), &[1, 1]);
    let eject = |from: u64| fail_in_a_row(&group, 0, process.seconds(from));
    eject(0);
    assert_eq!(group.on_success(0, process.seconds(5)), None, "an answer from before");
    assert!(group.is_out(0, process.seconds(5)), "which proves nothing about new connections");
    assert_eq!(process.registry.sweep(process.seconds(9)), []);
    assert_eq!(group.on_success(0, process.seconds(10)), Some(EjectionEvent::Returned));
    assert_eq!(group.on_success(0, process.seconds(10)), None);
    assert_eq!(process.registry.sweep(process.seconds(11)), []);

    eject(1_000);
    let backend = key(crate::model::PartKind::Backend, "cart");
    let returned = [Returned { backend, address: address(0) }];
    assert_eq!(process.registry.sweep(process.seconds(1_010)), returned, "without a request");
    assert_eq!(process.registry.sweep(process.seconds(1_011)), []);
    assert_eq!(group.on_success(0, process.seconds(1_012)), None);
}

#[test]
fn ejections_grow_up_to_the_maximum_and_good_conduct_takes_off() {
    let process = Process::start();
    let group = process.worker(standard(), &[1, 1]);
    let mut now = 0;
    fail(&group, 0, process.seconds(now));
    fail(&group, 0, process.seconds(now));
    for lasts in [10, 20, 30, 40, 45, 45] {
        // On probation: the first failure after each return is enough.
        assert_eq!(fail(&group, 0, process.seconds(now)), ejected(lasts));
        now += lasts;
    }
    assert_eq!(group.on_success(0, process.seconds(now)), Some(EjectionEvent::Returned));
    now += 40;
    assert_eq!(fail(&group, 0, process.seconds(now)), None, "no longer on probation");
    assert_eq!(fail(&group, 0, process.seconds(now)), None);
    assert_eq!(fail(&group, 0, process.seconds(now)), ejected(30), "six, less four, and one");
    now += 1_000;
    assert_eq!(fail(&group, 0, process.seconds(now)), ejected(10), "all is forgiven");
}

#[test]
fn failures_of_requests_from_before_the_ejection_mean_nothing() {
    let process = Process::start();
    let group = process.worker(standard(), &[1, 1]);
    fail_in_a_row(&group, 0, process.seconds(0));
    (0..50).for_each(|_| assert_eq!(fail(&group, 0, process.seconds(1)), None));
    assert!(!group.is_out(0, process.seconds(10)), "not longer than said");
}

#[test]
fn never_the_last_and_never_more_than_the_percentage() {
    let check = |weights: &[u32], max_percent: u32, most: usize| {
        let mut policy = standard();
        policy.ejection.max_percent = max_percent;
        let process = Process::start();
        let group = process.worker(policy, weights);
        let now = process.seconds(0);
        for _ in 0..10 {
            (0..weights.len()).for_each(|index| fail_in_a_row(&group, index, now));
        }
        let out = (0..weights.len()).filter(|&index| group.is_out(index, now)).count();
        assert_eq!(out, most, "{max_percent} % of {weights:?}");
    };
    check(&[1], 100, 0);
    check(&[1, 1], 50, 1);
    check(&[1, 1], 100, 1);
    check(&[1, 1, 1], 50, 1);
    check(&[1; 4], 50, 2);
    check(&[1; 5], 50, 2);
    check(&[1; 10], 10, 1);
    check(&[1; 9], 10, 0);
    check(&[1; 10], 100, 9);
    check(&[1; 10], 0, 0);
    // The one that takes no requests is no reserve.
    check(&[0, 1], 100, 0);
}

#[test]
fn a_place_that_becomes_free_is_taken_by_the_next_failure() {
    let process = Process::start();
    let group = process.worker(standard(), &[1, 1]);
    fail_in_a_row(&group, 0, process.seconds(0));
    (0..5).for_each(|_| assert_eq!(fail(&group, 1, process.seconds(1)), None));
    assert_eq!(fail(&group, 1, process.seconds(10)), ejected(10));
}

#[test]
fn switched_off_ejects_nobody_and_brings_everyone_back() {
    let process = Process::start();
    let group = process.worker(standard(), &[1, 1]);
    fail_in_a_row(&group, 0, process.seconds(0));
    let mut off = standard();
    off.ejection.consecutive_failures = 0;
    let group = process.worker(off, &[1, 1]);
    assert!(!group.is_out(0, process.seconds(1)));
    (0..50).for_each(|_| assert_eq!(fail(&group, 1, process.seconds(1)), None));
    assert!(!group.is_out(1, process.seconds(1)));
}

/// One request a second, each on the next worker's thread: no worker alone ever sees enough.
#[test]
fn failures_count_for_the_process() {
    for workers in [1, 4] {
        let process = Process::start();
        let groups: Vec<_> = (0..workers).map(|_| process.worker(standard(), &[1, 1])).collect();
        let on_worker = |second: u64| {
            let group = &groups[second as usize % workers];
            std::thread::scope(|scope| {
                scope.spawn(|| fail(group, 0, process.seconds(second))).join().expect("no panic")
            })
        };
        assert_eq!(on_worker(0), None);
        assert_eq!(on_worker(1), None);
        assert_eq!(on_worker(2), ejected(10), "{workers} workers");
        for group in &groups {
            assert!(group.is_out(0, process.seconds(11)) && !group.is_out(0, process.seconds(12)));
        }
        let mut rng = fastrand::Rng::with_seed(1);
        for second in 2..12 {
            let picked = groups[second as usize % workers]
                .pick(&mut rng, None, &[], process.seconds(second))
                .expect("the other one is in");
            assert_eq!(picked, 1, "{workers} workers, second {second}");
        }
    }
}

#[test]
fn threads_that_eject_at_once_leave_the_asked_half() {
    for round in 0..20 {
        let process = Process::start();
        let groups: Vec<_> = (0..4).map(|_| process.worker(standard(), &[1; 64])).collect();
        let barrier = Barrier::new(4);
        let now = process.seconds(round);
        let events = std::thread::scope(|scope| {
            // Each worker sees its quarter of the endpoints fail.
            let report = |(worker, group)| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    let failures = (0..48).map(|nth| 4 * (nth / 3) + worker);
                    failures.filter_map(|index| fail(group, index, now)).count()
                })
            };
            let threads: Vec<_> = groups.iter().enumerate().map(report).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum::<usize>()
        });
        assert_eq!((groups[0].out_count(now), events), (32, 32), "round {round}");
    }
}

#[test]
fn only_connect_failures_and_resets_count() {
    let counted: Vec<_> = Cause::all().filter(|&cause| Failure::of(cause).is_some()).collect();
    assert_eq!(
        counted,
        [
            Cause::UpstreamConnectRefused,
            Cause::UpstreamConnectTimeout,
            Cause::UpstreamConnectFailed,
            Cause::UpstreamTlsFailed,
            Cause::UpstreamReset,
            Cause::UpstreamClosed,
        ]
    );
}
