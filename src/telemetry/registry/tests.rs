use std::sync::atomic::AtomicBool;
use std::thread;

use super::*;

const NOW_AND_THEN: Duration = Duration::from_secs(60);

fn value(
    registry: &Registry,
    family: Family,
    labels: &[&str],
    now: Instant,
) -> Option<SampleValue> {
    let key = label::render(family, labels);
    let families = registry.collect(now);
    let samples = families.into_iter().find(|of| of.family == family)?.samples;
    samples.into_iter().find(|sample| *sample.labels == *key).map(|sample| sample.value)
}

fn count(registry: &Registry, family: Family, labels: &[&str]) -> u64 {
    match value(registry, family, labels, clock::now()) {
        Some(SampleValue::Count(count)) => count,
        other => panic!("{family:?}{labels:?} is no count: {other:?}"),
    }
}

#[test]
fn a_total_is_over_the_series_that_are_meant() {
    let registry = Registry::new();
    let worker = registry.worker();
    let one = |code: &str, count: u64| {
        worker.counter(Family::Requests, &["g", "l", "r", "b", code, ""]).add(count);
    };
    one("200", 5);
    one("503", 2);
    one("500", 1);
    worker.counter(Family::Reloads, &["ok"]).add(9);
    assert_eq!(registry.total(Family::Requests, ""), 8);
    assert_eq!(registry.total(Family::Requests, "code=\"5"), 3);
    assert_eq!(registry.total(Family::Retries, ""), 0);
}

#[test]
fn four_writers_and_a_scraper_lose_nothing() {
    const BUMPS: u64 = 200_000;
    let registry = Registry::new();
    let stop = AtomicBool::new(false);
    let write = || {
        let worker = registry.worker();
        let counter = worker.counter(Family::Reloads, &["ok"]);
        let gauge = worker.gauge(Family::ConnectionsActive, &["*:80"]);
        let histogram = worker.histogram(Family::UpstreamConnectDuration, &["shop/cart:80"]);
        for n in 0..BUMPS {
            counter.inc();
            gauge.inc();
            histogram.observe(Duration::from_millis(n % 20));
            gauge.dec();
            // Views come and go while others scrape.
            if n % 1_000 == 0 {
                worker.counter(Family::Reloads, &["error"]).add(2);
            }
        }
    };
    let scrapes = thread::scope(|scope| {
        let scraper = scope.spawn(|| {
            let mut last = 0;
            let mut scrapes = 0;
            while !stop.load(Ordering::Relaxed) {
                registry.collect(clock::now());
                if let Some(SampleValue::Count(now)) =
                    value(&registry, Family::Reloads, &["error"], clock::now())
                {
                    assert!(now >= last, "a counter went back from {last} to {now}");
                    last = now;
                }
                scrapes += 1;
            }
            scrapes
        });
        let writers: Vec<_> = (0..4).map(|_| scope.spawn(write)).collect();
        for writer in writers {
            writer.join().expect("the writer ends");
        }
        stop.store(true, Ordering::Relaxed);
        scraper.join().expect("the scraper ends")
    });
    assert!(scrapes > 0);
    assert_eq!(count(&registry, Family::Reloads, &["ok"]), 4 * BUMPS);
    assert_eq!(count(&registry, Family::Reloads, &["error"]), 4 * 2 * BUMPS / 1_000);
    let histogram =
        value(&registry, Family::UpstreamConnectDuration, &["shop/cart:80"], clock::now());
    let Some(SampleValue::Histogram { buckets, sum }) = histogram else {
        panic!("no histogram: {histogram:?}");
    };
    // 0 to 5 ms, 6 to 10 ms, 11 to 19 ms.
    let tenth = 4 * BUMPS / 20;
    assert_eq!(buckets[..4], [6 * tenth, 5 * tenth, 9 * tenth, 0]);
    let expected = (0..20).sum::<u64>() as f64 / 1e3 * tenth as f64;
    assert!((sum - expected).abs() < 1e-6 * expected, "{sum} is not {expected}");
}

#[test]
fn the_same_labels_are_the_same_cell_and_other_labels_another() {
    let registry = Registry::new();
    let worker = registry.worker();
    let first = worker.counter(Family::Reloads, &["ok"]);
    let second = worker.counter(Family::Reloads, &["ok"]);
    let clone = worker.clone().counter(Family::Reloads, &["ok"]);
    worker.counter(Family::Reloads, &["error"]).add(7);
    first.inc();
    second.inc();
    clone.inc();
    registry.counter(Family::Reloads, &["ok"]).inc();
    assert_eq!(count(&registry, Family::Reloads, &["ok"]), 4);
    assert_eq!(count(&registry, Family::Reloads, &["error"]), 7);
}

#[test]
fn a_slot_that_was_given_back_starts_at_zero() {
    let registry = Registry::new();
    let worker = registry.worker();
    for round in 1..=3 {
        for n in 0..CHUNKS_WORTH {
            worker.counter(Family::Reloads, &[&n.to_string()]).add(5);
        }
        registry.sweep(clock::now());
        assert_eq!(count(&registry, Family::Reloads, &["0"]), 5 * round);
        worker.histogram(Family::UpstreamConnectDuration, &["a"]).observe(Duration::MAX);
        registry.sweep(clock::now());
        let fresh = format!("fresh {round}");
        let untouched = worker.histogram(Family::UpstreamConnectDuration, &[&fresh]);
        let found = value(&registry, Family::UpstreamConnectDuration, &[&fresh], clock::now());
        assert_eq!(found, Some(SampleValue::Histogram { buckets: [0; 15], sum: 0.0 }));
        drop(untouched);
    }
}

/// More cells than a chunk has.
const CHUNKS_WORTH: usize = 600;

#[test]
fn what_a_worker_counted_outlives_it() {
    let registry = Registry::new();
    for _ in 0..3 {
        let worker = registry.worker();
        let counter = worker.counter(Family::Reloads, &["ok"]);
        counter.add(5);
        drop(worker);
        counter.inc();
    }
    assert_eq!(count(&registry, Family::Reloads, &["ok"]), 18);
}

#[test]
fn a_gauge_goes_with_its_last_handle_and_comes_back_at_zero() {
    let registry = Registry::new();
    let worker = registry.worker();
    let held = || value(&registry, Family::ConnectionsActive, &["*:80"], clock::now());
    let gauge = worker.gauge(Family::ConnectionsActive, &["*:80"]);
    let clone = gauge.clone();
    gauge.add(3);
    drop(gauge);
    assert_eq!(held(), Some(SampleValue::Level(3)));
    clone.dec();
    assert_eq!(held(), Some(SampleValue::Level(2)));
    drop(clone);
    let again = worker.gauge(Family::ConnectionsActive, &["*:80"]);
    assert_eq!(held(), Some(SampleValue::Level(0)), "asked for before anyone swept");
    drop(again);
    assert_eq!(held(), None);
    let shared = registry.gauge(Family::ConfigGeneration, &[]);
    shared.set(9);
    let generation = || value(&registry, Family::ConfigGeneration, &[], clock::now());
    assert_eq!(generation(), Some(SampleValue::Level(9)));
    drop(shared);
    assert_eq!(generation(), None);
}

#[test]
fn shares_of_a_gauge_may_be_below_zero() {
    let registry = Registry::new();
    let (one, two) = (registry.worker(), registry.worker());
    let (up, down) = (
        one.gauge(Family::ConnectionsActive, &["*:80"]),
        two.gauge(Family::ConnectionsActive, &["*:80"]),
    );
    up.add(5);
    down.add(-2);
    let sum = value(&registry, Family::ConnectionsActive, &["*:80"], clock::now());
    assert_eq!(sum, Some(SampleValue::Level(3)));
}

#[test]
fn past_the_bound_label_sets_are_counted_under_other() {
    let registry = Registry::bounded(3);
    assert!(!registry.has_begun_to_fold());
    let worker = registry.worker();
    let held: Vec<_> =
        (0..10).map(|n| worker.counter(Family::Reloads, &[&format!("result {n}")])).collect();
    held.iter().for_each(Counter::inc);
    assert_eq!(count(&registry, Family::Reloads, &["result 2"]), 1);
    assert_eq!(value(&registry, Family::Reloads, &["result 3"], clock::now()), None);
    assert_eq!(count(&registry, Family::Reloads, &["other"]), 7);
    assert_eq!(count(&registry, Family::MetricSeriesFolded, &[]), 7);
    assert!(registry.has_begun_to_fold() && !registry.has_begun_to_fold(), "it is said once");
    // A family without labels has one series, and it is always there.
    worker.counter(Family::Panics, &[]).inc();
    assert_eq!(count(&registry, Family::Panics, &[]), 1);
    // A histogram makes 17 lines, and 0 are left.
    worker.histogram(Family::UpstreamConnectDuration, &["a"]).observe(Duration::ZERO);
    assert!(value(&registry, Family::UpstreamConnectDuration, &["other"], clock::now()).is_some());
}

#[test]
fn an_unused_counter_stays_for_an_hour_and_then_makes_room() {
    let registry = Registry::bounded(1);
    let worker = registry.worker();
    worker.counter(Family::Reloads, &["ok"]).inc();
    let begun = clock::now();
    registry.sweep(begun);
    let almost = begun + limits::METRIC_SERIES_REST - NOW_AND_THEN;
    assert_eq!(
        value(&registry, Family::Reloads, &["ok"], almost),
        Some(SampleValue::Count(1)),
        "scrapers that come by once in a while have seen the last increment"
    );
    // Used again, its hour begins again, and nothing is forgotten.
    worker.counter(Family::Reloads, &["ok"]).inc();
    registry.sweep(almost);
    let later = begun + limits::METRIC_SERIES_REST + NOW_AND_THEN;
    assert_eq!(value(&registry, Family::Reloads, &["ok"], later), Some(SampleValue::Count(2)));
    let end = almost + limits::METRIC_SERIES_REST;
    assert_eq!(value(&registry, Family::Reloads, &["ok"], end), None);
    worker.counter(Family::Reloads, &["error"]).inc();
    assert_eq!(count(&registry, Family::Reloads, &["error"]), 1, "there is room again");
    assert_eq!(count(&registry, Family::MetricSeriesFolded, &[]), 0);
}

#[test]
fn a_bound_of_a_bucket_belongs_to_it() {
    let registry = Registry::new();
    let histogram = registry.worker().histogram(Family::UpstreamConnectDuration, &["a"]);
    let just_above = Duration::from_millis(5) + Duration::from_nanos(1);
    for duration in [Duration::ZERO, Duration::from_millis(5), just_above] {
        histogram.observe(duration);
    }
    histogram.observe(Duration::from_secs(10));
    histogram.observe(Duration::from_secs(11));
    let found = value(&registry, Family::UpstreamConnectDuration, &["a"], clock::now());
    let Some(SampleValue::Histogram { buckets, sum }) = found else { panic!("{found:?}") };
    let mut expected = [0; 15];
    (expected[0], expected[1], expected[13], expected[14]) = (2, 1, 1, 1);
    assert_eq!(buckets, expected);
    assert!((sum - 21.010_000_001).abs() < 1e-9);
}
