use super::*;

#[test]
fn without_chance_there_is_one_count() {
    assert_eq!(expected(1_000, 0.0), 0..=0);
    assert_eq!(expected(1_000, 1.0), 1_000..=1_000);
    assert_eq!(expected(0, 0.5), 0..=0);
}

/// Small enough to be summed term by term, in the order in which they are written.
#[test]
fn the_tails_are_as_unlikely_as_they_are_said_to_be() {
    for (n, p) in [(20, 0.1), (60, 0.5), (150, 0.9), (1, 0.5), (900, 0.1)] {
        let range = expected(n, p);
        let ln_choose =
            |k: u64| -> f64 { (1..=k).map(|i| ((n - k + i) as f64).ln() - (i as f64).ln()).sum() };
        let probability = |k: u64| -> f64 {
            (ln_choose(k) + k as f64 * p.ln() + (n - k) as f64 * (1.0 - p).ln()).exp()
        };
        let below = |end: u64| (0..end).map(probability).sum::<f64>();
        let above = |start: u64| (start + 1..=n).map(probability).sum::<f64>();
        let (low, high) = (*range.start(), *range.end());
        assert!(below(low) <= TAIL && below(low + 1) > TAIL, "{n} {p}: {range:?}");
        assert!(above(high) <= TAIL && above(high.saturating_sub(1)) > TAIL, "{n} {p}: {range:?}");
    }
}

/// Where many are expected, it is four and a half standard deviations.
#[test]
fn large_counts_are_nearly_normal() {
    for (n, p) in [(100_000_u64, 0.1_f64), (1_000_000, 0.5), (40_000, 0.9)] {
        let (mean, deviation) = (n as f64 * p, (n as f64 * p * (1.0 - p)).sqrt());
        let range = expected(n, p);
        let low = (mean - *range.start() as f64) / deviation;
        let high = (*range.end() as f64 - mean) / deviation;
        assert!((low - 4.53).abs() < 0.1 && (high - 4.53).abs() < 0.1, "{n} {p}: {low} {high}");
    }
}
