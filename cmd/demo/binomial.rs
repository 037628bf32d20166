//! How far chance alone may take a share: of n requests, each drawn with probability p, how many
//! does one get?

use std::ops::RangeInclusive;

/// How likely less, or more, may be and still be taken for chance: four and a half standard
/// deviations of a normal distribution. In a run three steps are left to chance on two sides, so
/// two runs of 100,000 fail for nothing.
const TAIL: f64 = 3e-6;
/// Terms smaller than this, relative to the largest, change nothing that is asked here.
const NEGLIGIBLE: f64 = 1e-15;

/// The counts that are to be expected: less, and more, are each less likely than [`TAIL`]. The
/// tails are summed and not taken from a normal distribution, which is too narrow where few
/// requests are expected. Where p is 0 or 1 there is no chance in it.
pub fn expected(n: u64, p: f64) -> RangeInclusive<u64> {
    if p <= 0.0 {
        return 0..=0;
    }
    if p >= 1.0 {
        return n..=n;
    }
    let mode = (((n + 1) as f64 * p) as u64).min(n);
    let odds = p / (1.0 - p);
    // Each term from its neighbour, beginning with 1 at the mode, so that nothing underflows.
    let below = terms(mode, |k| (k > 0).then(|| (k - 1, k as f64 / ((n - k + 1) as f64 * odds))));
    let above = terms(mode, |k| (k < n).then(|| (k + 1, (n - k) as f64 * odds / (k + 1) as f64)));
    // The mode is in both.
    let sum = |terms: &[(u64, f64)]| terms.iter().map(|(_, term)| term).sum::<f64>();
    let tail = TAIL * (sum(&below) + sum(&above) - 1.0);
    inner_end(&below, tail)..=inner_end(&above, tail)
}

/// Counts from the mode outwards with their probabilities, relative to the mode's.
fn terms(mode: u64, next: impl Fn(u64) -> Option<(u64, f64)>) -> Vec<(u64, f64)> {
    let mut terms = vec![(mode, 1.0)];
    let (mut count, mut term) = (mode, 1.0);
    while let Some((further, ratio)) = next(count) {
        (count, term) = (further, term * ratio);
        if term < NEGLIGIBLE {
            break;
        }
        terms.push((count, term));
    }
    terms
}

/// The outermost count that doesn't lie in the tail.
fn inner_end(terms: &[(u64, f64)], tail: f64) -> u64 {
    let mut sum = 0.0;
    let from_outside = terms.iter().rev().find(|(_, term)| {
        sum += term;
        sum > tail
    });
    from_outside.or(terms.first()).map_or(0, |(count, _)| *count)
}

#[cfg(test)]
mod tests;
