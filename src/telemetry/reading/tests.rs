use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::clock;
use crate::telemetry::exposition::{Format, render};
use crate::telemetry::{Family, Registry};

#[test]
fn lines_are_read_and_others_passed_over() {
    let text = "# HELP a b\n# TYPE a counter\na_total{x=\"1\",y=\"q\\\"\\\\\\n\"} 3\nb 1.5 1700000000\nc{} -2\n\
        broken\nbroken{x=\"1} 3\nbroken{x} 3\nbroken x\n\n d 1\n";
    let readings: Vec<_> = read(text).collect();
    assert_eq!(readings[0].name, "a_total");
    assert_eq!(readings[0].label("y"), "q\"\\\n");
    assert_eq!(readings[0].label("z"), "");
    assert_eq!((readings[1].name.as_str(), readings[1].value), ("b", 1.5));
    assert_eq!((readings[2].name.as_str(), readings[2].value), ("c", -2.0));
    assert_eq!(readings.len(), 3, "{readings:?}");
}

#[test]
fn a_median_is_between_its_bounds() {
    let inf = f64::INFINITY;
    let check = |q, buckets: &[(f64, f64)], expected| {
        assert_eq!(quantile(q, buckets), expected, "{q} of {buckets:?}");
    };
    check(0.5, &[], None);
    check(0.5, &[(1.0, 0.0), (inf, 0.0)], None);
    check(0.5, &[(1.0, 10.0), (inf, 10.0)], Some(0.5));
    check(0.5, &[(1.0, 0.0), (2.0, 10.0), (inf, 10.0)], Some(1.5));
    check(0.99, &[(1.0, 90.0), (2.0, 90.0), (inf, 100.0)], Some(2.0));
    check(1.0, &[(1.0, 1.0), (2.0, 4.0), (inf, 4.0)], Some(2.0));
    check(0.0, &[(1.0, 4.0), (inf, 4.0)], Some(0.0));
}

proptest! {
    #[test]
    fn what_was_written_is_read_back(
        counts in proptest::collection::btree_map("\\PC{0,12}", 1_u64..1_000_000, 1..8),
        millis in proptest::collection::vec(0_u64..20_000, 1..20),
    ) {
        let registry = Registry::new();
        let worker = registry.worker();
        for (result, count) in &counts {
            worker.counter(Family::Reloads, &[result]).add(*count);
        }
        let histogram = worker.histogram(Family::UpstreamConnectDuration, &["shop/cart:80"]);
        millis.iter().for_each(|millis| histogram.observe(Duration::from_millis(*millis)));
        for format in [Format::Prometheus, Format::OpenMetrics] {
            let text = render(&registry.collect(clock::now()), format);
            let read_back: std::collections::BTreeMap<_, _> = read(&text)
                .filter(|reading| reading.name == "meshctl_reloads_total")
                .map(|reading| (reading.label("result").to_owned(), reading.value as u64))
                .collect();
            prop_assert_eq!(&read_back, &counts);
            let buckets: Vec<_> = read(&text)
                .filter(|line| line.name == "meshctl_upstream_connect_duration_seconds_bucket")
                .map(|line| (line.label("le").parse().expect("a bound"), line.value))
                .collect();
            prop_assert_eq!(buckets.len(), 15);
            prop_assert_eq!(buckets[14], (f64::INFINITY, millis.len() as f64));
            prop_assert!(quantile(0.5, &buckets).is_some_and(|median| (0.0..=10.0).contains(&median)));
        }
    }

    #[test]
    fn no_text_breaks_the_reader(text in "(\\PC|[{}=\",\\\\\n ])*") {
        read(&text).for_each(drop);
    }
}
