//! How long requests took: counts in buckets that are each a tenth wider than the one before, so
//! that a quantile is off by less than a tenth whatever its size, and two can be added.

use std::sync::LazyLock;
use std::time::Duration;

use meshctl::telemetry::reading;

/// From 0.1 ms in steps of 10 % to 17 s, which is past the longest wait for an answer.
const BUCKETS: usize = 128;
const FIRST_MS: f64 = 0.1;
const GROWTH: f64 = 1.1;

/// Upper bounds in milliseconds.
static BOUNDS: LazyLock<[f64; BUCKETS]> = LazyLock::new(|| {
    let mut bound = FIRST_MS / GROWTH;
    std::array::from_fn(|_| {
        bound *= GROWTH;
        bound
    })
});

#[derive(Clone, Debug)]
pub struct Latencies {
    counts: [u32; BUCKETS],
}

impl Default for Latencies {
    fn default() -> Self {
        Self { counts: [0; BUCKETS] }
    }
}

impl Latencies {
    pub fn add(&mut self, latency: Duration) {
        let ms = latency.as_secs_f64() * 1_000.0;
        let bucket = BOUNDS.partition_point(|bound| *bound < ms).min(BUCKETS - 1);
        self.counts[bucket] += 1;
    }

    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
    }

    /// In milliseconds; `None` where nothing was counted.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let mut sum = 0;
        let cumulative: Vec<(f64, f64)> = BOUNDS
            .iter()
            .zip(&self.counts)
            .map(|(bound, count)| {
                sum += u64::from(*count);
                (*bound, sum as f64)
            })
            .collect();
        reading::quantile(q, &cumulative)
    }
}

#[cfg(test)]
mod tests;
