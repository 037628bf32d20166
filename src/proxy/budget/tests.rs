use std::sync::Barrier;

use super::*;

const STANDARD: RetryBudget = RetryBudget { percent: 20, floor_per_second: 10 };
const NO_FLOOR: RetryBudget = RetryBudget { percent: 20, floor_per_second: 0 };

fn deposit(budget: &Budget, second: u32, requests: u32) {
    (0..requests).for_each(|_| budget.deposit(second));
}

/// How many of many attempts are granted.
fn spend(budget: &Budget, settings: RetryBudget, second: u32) -> u32 {
    (0..1_500).map(|_| u32::from(budget.try_spend(settings, second))).sum()
}

#[test]
fn without_requests_the_floor_holds_in_every_second() {
    let budget = Budget::default();
    for second in 1..40 {
        assert_eq!(spend(&budget, STANDARD, second), 10, "second {second}");
        assert_eq!(spend(&budget, STANDARD, second), 0, "second {second} is used up");
    }
    assert_eq!(spend(&budget, NO_FLOOR, 40), 0);
}

#[test]
fn a_share_of_the_requests_of_the_window() {
    let budget = Budget::default();
    deposit(&budget, 1, 1_000);
    assert_eq!(spend(&budget, NO_FLOOR, 1), 200);
    deposit(&budget, 5, 1_000);
    assert_eq!(spend(&budget, NO_FLOOR, 10), 200, "both seconds are in the window");
    assert_eq!(spend(&budget, NO_FLOOR, 11), 0, "1,000 requests and 200 retries are left");
    deposit(&budget, 12, 500);
    assert_eq!(spend(&budget, NO_FLOOR, 12), 100);
    assert_eq!(spend(&budget, NO_FLOOR, 100), 0, "all is past");
    deposit(&budget, 101, 4);
    assert_eq!(spend(&budget, NO_FLOOR, 101), 0, "no part of a retry");
    deposit(&budget, 101, 1);
    assert_eq!(spend(&budget, NO_FLOOR, 101), 1);
}

#[test]
fn the_greater_of_share_and_floor_not_their_sum() {
    let budget = Budget::default();
    deposit(&budget, 1, 1_000);
    assert_eq!(spend(&budget, STANDARD, 1), 200);
    let budget = Budget::default();
    deposit(&budget, 1, 10);
    assert_eq!(spend(&budget, STANDARD, 1), 10);
}

#[test]
fn retries_that_fall_silent_are_counted_all_the_same() {
    // Nobody asks between the second of the retries and this one, so nobody puts them away.
    let budget = Budget::default();
    deposit(&budget, 1, 1_000);
    assert_eq!(spend(&budget, NO_FLOOR, 3), 200);
    assert_eq!(spend(&budget, NO_FLOOR, 9), 0);
    deposit(&budget, 12, 1_000);
    assert_eq!(spend(&budget, NO_FLOOR, 12), 0, "those of second 3 are in the window");
    assert_eq!(spend(&budget, NO_FLOOR, 13), 200, "and now they aren't");
}

#[test]
fn changed_settings_hold_at_once_over_what_was_counted() {
    let budget = Budget::default();
    deposit(&budget, 1, 1_000);
    assert_eq!(spend(&budget, NO_FLOOR, 1), 200);
    assert_eq!(spend(&budget, RetryBudget { percent: 30, ..NO_FLOOR }, 1), 100);
    assert_eq!(spend(&budget, RetryBudget { percent: 100, ..NO_FLOOR }, 1), 700);
    assert_eq!(spend(&budget, RetryBudget { percent: 0, ..NO_FLOOR }, 1), 0);
}

#[test]
fn a_worker_whose_second_is_over_spends_from_the_running_one() {
    let budget = Budget::default();
    assert_eq!(spend(&budget, STANDARD, 7), 10);
    assert_eq!(spend(&budget, STANDARD, 6), 0, "no second purse");
    deposit(&budget, 7, 1);
    deposit(&budget, 6, 999);
    assert_eq!(spend(&budget, NO_FLOOR, 7), 190, "a late request still counts");
}

#[test]
fn a_worker_that_is_ahead_and_gets_nothing_takes_nothing() {
    let budget = Budget::default();
    deposit(&budget, 7, 75);
    assert_eq!(spend(&budget, STANDARD, 7), 15);
    deposit(&budget, 7, 25);
    assert!(!budget.try_spend(RetryBudget { percent: 1, ..NO_FLOOR }, 8), "looks at second 7");
    assert_eq!(spend(&budget, NO_FLOOR, 7), 5, "whose retries are counted once");
}

#[test]
fn putting_a_second_away_late_takes_nothing_back() {
    let budget = Budget::default();
    budget.roll(Bucket { second: 7, count: 5 }, 8);
    budget.roll(Bucket { second: 7, count: 3 }, 8);
    assert_eq!(sum(&budget.retries, 7..8), 5);
}

#[test]
fn exact_for_the_process() {
    for threads in [1, 4] {
        for round in 0..10 {
            let budget = Budget::default();
            let barrier = Barrier::new(threads);
            // Each thread deposits its part of 4,000 requests, and then all ask at once, across
            // the end of a second: 20 % in all, and the floor of the later second is used up by it.
            let granted = std::thread::scope(|scope| {
                let ask = |_| {
                    scope.spawn(|| {
                        deposit(&budget, 20, 4_000 / threads as u32);
                        barrier.wait();
                        let ask = |ask: u32| budget.try_spend(STANDARD, 20 + ask / 1_000);
                        (0..2_000).map(|nth| u32::from(ask(nth))).sum::<u32>()
                    })
                };
                let asking: Vec<_> = (0..threads).map(ask).collect();
                asking.into_iter().map(|thread| thread.join().expect("no panic")).sum::<u32>()
            });
            // 800 by share, whichever second takes them; the floor grants up to 10 more in the
            // second that finds the share used up.
            let expected = 800..=810;
            assert!(expected.contains(&granted), "{threads} threads, round {round}: {granted}");
        }
    }
}

#[test]
fn within_one_second_exact_to_the_last_retry() {
    for round in 0..50 {
        let budget = Budget::default();
        deposit(&budget, 1, 100);
        let barrier = Barrier::new(4);
        let granted = std::thread::scope(|scope| {
            let ask = |_| {
                scope.spawn(|| {
                    barrier.wait();
                    spend(&budget, STANDARD, 1)
                })
            };
            let asking: Vec<_> = (0..4).map(ask).collect();
            asking.into_iter().map(|thread| thread.join().expect("no panic")).sum::<u32>()
        });
        assert_eq!(granted, 20, "round {round}");
    }
}
