#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;

fn of(micros: impl IntoIterator<Item = u64>) -> Latencies {
    let mut latencies = Latencies::default();
    micros.into_iter().for_each(|micros| latencies.add(Duration::from_micros(micros)));
    latencies
}

#[test]
fn a_quantile_is_off_by_less_than_a_tenth() {
    for scale in [1, 30, 1_000] {
        let latencies = of((1..=1_000).map(|n| 200 + n * scale));
        for q in [0.01, 0.5, 0.9, 0.99] {
            let exact = (200.0 + q * 1_000.0 * scale as f64) / 1_000.0;
            let read = latencies.quantile(q).unwrap();
            assert!((read / exact - 1.0).abs() < 0.1, "p{q} of {scale}: {read} for {exact}");
        }
    }
}

#[test]
fn nothing_has_no_quantile_and_the_extremes_have_a_bucket() {
    assert_eq!(Latencies::default().quantile(0.5), None);
    assert!(of([0]).quantile(0.5).unwrap() <= 0.1);
    assert!(of([u64::MAX / 2]).quantile(0.5).unwrap() > 15_000.0);
}

#[test]
fn two_are_added() {
    let mut sum = of([1_000; 99]);
    sum.merge(&of([100_000]));
    assert!(sum.quantile(0.5).unwrap() < 1.1);
    assert!(sum.quantile(0.999).unwrap() > 90.0);
}
