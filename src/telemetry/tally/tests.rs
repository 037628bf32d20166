use std::time::Duration;

use super::*;
use crate::model::{Kind, Latencies, ObjectKey, PartKey, PartKind, Store};

fn key(at: usize) -> ArmKey {
    let part = |part, kind, section: &str| {
        let object = ObjectKey::new(Store::Cluster, kind, "shop", &format!("web-{at}"));
        PartKey::new(part, object, section)
    };
    ArmKey {
        rule: part(PartKind::Rule, Kind::HttpRoute, "0"),
        backend: part(PartKind::Backend, Kind::Service, "80"),
        dark: false,
    }
}

fn counts(requests: u64, in_flight: u64) -> Counts {
    let mut latencies = Latencies::default();
    (0..requests).for_each(|_| latencies.observe(Duration::from_millis(3)));
    Counts { requests, attempts: requests, in_flight, latencies, ..Counts::default() }
}

fn arm(at: usize, born: u64, counts: Counts) -> Arm {
    Arm { key: key(at), born, counts }
}

fn report(process: u64, born: u64, arms: &[Arm]) -> Report {
    Report { process, born, totals: Totals::default(), arms: arms.to_vec() }
}

fn name(text: &str) -> Name {
    text.into()
}

#[test]
fn what_was_there_before_is_not_counted_and_what_comes_is() {
    let mut tally = Tally::default();
    let (a, b) = (name("a"), name("b"));
    // It has long been running.
    tally.take(&a, report(1, 1, &[arm(0, 1, counts(1_000, 3))]));
    assert_eq!(tally.totals(&key(0)), counts(0, 3));
    tally.take(&a, report(1, 2, &[arm(0, 1, counts(1_005, 1)), arm(1, 2, counts(2, 0))]));
    assert_eq!((tally.totals(&key(0)), tally.totals(&key(1))), (counts(5, 1), counts(2, 0)));
    // It began under our eyes.
    tally.take(&b, report(2, 0, &[]));
    tally.take(&b, report(2, 1, &[arm(0, 1, counts(7, 1))]));
    assert_eq!(tally.totals(&key(0)), counts(12, 2));
    // The same again, and an older one.
    tally.take(&b, report(2, 1, &[arm(0, 1, counts(7, 1))]));
    tally.take(&b, report(2, 1, &[arm(0, 1, counts(6, 1))]));
    assert_eq!(tally.totals(&key(0)), counts(12, 2));
    // It has restarted, and counts from zero.
    tally.take(&b, report(3, 0, &[]));
    assert_eq!(tally.totals(&key(0)), counts(12, 1), "what was in flight is gone with it");
    tally.take(&b, report(3, 1, &[arm(0, 1, counts(4, 0))]));
    assert_eq!(tally.totals(&key(0)), counts(16, 1));
    tally.forget(&a);
    tally.forget(&b);
    assert_eq!(tally.totals(&key(0)), counts(16, 0));
    // The line was broken, not the process.
    tally.take(&b, report(3, 1, &[arm(0, 1, counts(5, 0))]));
    assert_eq!(tally.totals(&key(0)), counts(17, 0));
    assert_eq!(tally.arms().collect::<Vec<_>>(), [&key(0), &key(1)]);
}

#[test]
fn an_arm_that_was_forgotten_counts_from_zero() {
    let mut tally = Tally::default();
    let a = name("a");
    tally.take(&a, report(1, 0, &[]));
    tally.take(&a, report(1, 1, &[arm(0, 1, counts(9, 0))]));
    tally.take(&a, report(1, 5, &[arm(0, 5, counts(4, 0))]));
    assert_eq!(tally.totals(&key(0)), counts(13, 0));
    tally.take(&a, report(1, 1, &[arm(0, 1, counts(10, 0))]));
    assert_eq!(tally.totals(&key(0)), counts(13, 0), "of the former life: too late");
}

#[test]
fn there_are_bounds_and_beyond_them_nothing_is_counted_twice() {
    let bounds = Bounds { arms: 3, of_process: 2, gone: 1 };
    let mut tally = Tally::bounded(bounds);
    let a = name("a");
    tally.take(&a, report(1, 0, &[]));
    tally.take(&a, report(1, 2, &[arm(0, 1, counts(1, 0)), arm(1, 2, counts(1, 0))]));
    // The bases of the first two are lost with the third.
    tally.take(&a, report(1, 3, &[arm(2, 3, counts(1, 0))]));
    tally.take(&a, report(1, 3, &[arm(0, 1, counts(2, 0)), arm(2, 3, counts(3, 0))]));
    assert_eq!([0, 1].map(|at| tally.totals(&key(at)).requests), [1, 1]);
    assert!(tally.totals(&key(2)).requests <= 3);
    // Gone for too long: unknown, as if it were new.
    let (b, c) = (name("b"), name("c"));
    tally.take(&b, report(2, 0, &[]));
    tally.take(&b, report(2, 1, &[arm(0, 1, counts(5, 0))]));
    assert_eq!(tally.totals(&key(0)).requests, 6);
    tally.take(&c, report(3, 0, &[]));
    tally.forget(&b);
    tally.forget(&c);
    tally.take(&b, report(2, 1, &[arm(0, 1, counts(9, 0))]));
    assert_eq!(tally.totals(&key(0)).requests, 6);
}

#[test]
fn arms_of_long_ago_make_room_and_others_are_left_out() {
    let mut tally = Tally::bounded(Bounds { arms: 2, of_process: 8, gone: 0 });
    let (a, b) = (name("a"), name("b"));
    tally.take(&a, report(1, 0, &[]));
    tally.take(&a, report(1, 2, &[arm(0, 1, counts(1, 0)), arm(1, 2, counts(2, 0))]));
    tally.take(&a, report(1, 3, &[arm(1, 2, counts(3, 0)), arm(2, 3, counts(4, 0))]));
    assert_eq!([0, 1, 2].map(|at| tally.totals(&key(at)).requests), [1, 3, 0]);
    assert_eq!(tally.left_out(), 4);
    // No process that may come again knows the first two.
    tally.forget(&a);
    tally.take(&b, report(2, 0, &[]));
    tally.take(&b, report(2, 1, &[arm(3, 1, counts(5, 0))]));
    assert_eq!([0, 1, 3].map(|at| tally.totals(&key(at)).requests), [0, 0, 5]);
    assert_eq!(tally.left_out(), 4);
}

/// A proxy as it really is: what it did while somebody could know of it.
struct Real {
    name: Name,
    process: u64,
    born: u64,
    arms: BTreeMap<usize, (u64, u64)>,
    /// Reports that were made and may come, again and again.
    made: Vec<Report>,
}

impl Real {
    fn report(&self) -> Report {
        let arms = self.arms.iter();
        let arms = arms.map(|(at, (born, requests))| arm(*at, *born, counts(*requests, 1)));
        report(self.process, self.born, &arms.collect::<Vec<_>>())
    }
}

/// Restarts, repetitions, reports that come late or never, lines that break: totals never shrink,
/// are never more than what was done, and all of it once everything was heard from the beginning.
#[test]
fn totals_are_never_less_and_never_double() {
    for seed in 0..300 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut tally = Tally::default();
        let mut done = [0_u64; 4];
        let mut before = [0_u64; 4];
        let mut processes = 0;
        let mut start = |name: Name| {
            processes += 1;
            Real { name, process: processes, born: 0, arms: BTreeMap::new(), made: Vec::new() }
        };
        let mut proxies: Vec<Real> = ["a", "b", "c"].map(name).map(&mut start).into();
        proxies.iter().for_each(|proxy| tally.take(&proxy.name, proxy.report()));
        for _ in 0..200 {
            let at = rng.usize(0..proxies.len());
            let proxy = &mut proxies[at];
            match rng.u8(0..10) {
                0..5 => {
                    let which = rng.usize(0..4);
                    let born = &mut proxy.born;
                    let slot = proxy.arms.entry(which).or_insert_with(|| {
                        *born += 1;
                        (*born, 0)
                    });
                    let more = rng.u64(0..5);
                    slot.1 += more;
                    done[which] += more;
                    let made = proxy.report();
                    proxy.made.push(made);
                }
                5..8 if !proxy.made.is_empty() => {
                    let made = rng.choice(&proxy.made).unwrap().clone();
                    tally.take(&proxy.name, made);
                }
                8 => tally.forget(&proxy.name),
                9 if rng.u8(0..4) == 0 => {
                    // Its last words were heard, and the first of the next one.
                    tally.take(&proxy.name, proxy.report());
                    let next = start(Name::clone(&proxy.name));
                    tally.take(&next.name, next.report());
                    *proxy = next;
                }
                _ => {}
            }
            for which in 0..4 {
                let total = tally.totals(&key(which)).requests;
                assert!(before[which] <= total && total <= done[which], "seed {seed}");
                before[which] = total;
            }
        }
        proxies.iter().for_each(|proxy| tally.take(&proxy.name, proxy.report()));
        let totals = [0, 1, 2, 3].map(|which| tally.totals(&key(which)));
        assert_eq!(totals.each_ref().map(|counts| counts.requests), done, "seed {seed}");
        assert!(totals.iter().all(|counts| counts.latencies.count() == counts.requests));
        // Another tally that is told what this one knows, and then the rest.
        let mut second = Tally::default();
        for proxy in &mut proxies {
            second.take(&proxy.name, tally.report(&proxy.name).unwrap());
            proxy.arms.values_mut().for_each(|(_, requests)| *requests += 1);
            tally.take(&proxy.name, proxy.report());
            second.take(&proxy.name, tally.report(&proxy.name).unwrap());
        }
        for which in 0..4 {
            let new = proxies.iter().filter(|proxy| proxy.arms.contains_key(&which)).count();
            assert_eq!(second.totals(&key(which)).requests, new as u64, "seed {seed}");
        }
    }
}
