//! How long requests took, counted in buckets that are the same everywhere, so that merging two
//! loses nothing.
//!
//! The scheme is that of HdrHistogram: below 128 µs a bucket is 16 µs wide, above it each doubling
//! is cut into 8 of the same width, up to 134 s; one more takes what is longer. A quantile is the
//! middle of its bucket, so it is off by at most 1/16 (6.25 %) of what was measured, where that
//! lies between 128 µs and 134 s.

use std::time::Duration;

/// Buckets, the one for what is longer among them.
pub const LATENCY_BUCKETS: usize = 169;

/// The narrowest bucket.
const UNIT_MICROS: u64 = 16;
/// Buckets of one doubling, as a power of two.
const STEP_BITS: u32 = 3;
const STEPS: u64 = 1 << STEP_BITS;
const LAST: usize = LATENCY_BUCKETS - 1;

/// Observations by bucket, those alone that have any, in the order of buckets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latencies(Vec<(u8, u64)>);

/// The bucket that a duration falls into.
pub fn latency_bucket(took: Duration) -> usize {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let units = micros / UNIT_MICROS;
    if units < STEPS {
        return units as usize;
    }
    let octave = units.ilog2() - STEP_BITS;
    let step = (units >> octave) & (STEPS - 1);
    let bucket = (u64::from(octave) + 1) * STEPS + step;
    usize::try_from(bucket).map_or(LAST, |bucket| bucket.min(LAST))
}

/// Where a bucket begins. The next one begins where it ends; the last has no end.
fn begin(bucket: usize) -> Duration {
    let (octave, step) = (bucket as u64 / STEPS, bucket as u64 % STEPS);
    let units = match octave.checked_sub(1) {
        None => step,
        Some(octave) => (STEPS + step) << octave,
    };
    Duration::from_micros(units * UNIT_MICROS)
}

impl Latencies {
    /// From pairs of bucket and count, in any order. A bucket that there is none of is an error.
    pub fn new(counts: impl IntoIterator<Item = (usize, u64)>) -> Result<Self, NoSuchBucket> {
        let mut latencies = Self::default();
        for (bucket, count) in counts {
            if bucket > LAST {
                return Err(NoSuchBucket(bucket));
            }
            latencies.add_to(bucket as u8, count);
        }
        Ok(latencies)
    }

    pub fn observe(&mut self, took: Duration) {
        self.add_to(latency_bucket(took) as u8, 1);
    }

    /// Pairs of bucket and count.
    pub fn buckets(&self) -> impl Iterator<Item = (usize, u64)> {
        self.0.iter().map(|(bucket, count)| (usize::from(*bucket), *count))
    }

    pub fn count(&self) -> u64 {
        self.0.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    pub fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(bucket, count)| self.add_to(*bucket, *count));
    }

    /// What came since `earlier`, bucket by bucket; never below zero.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |bucket: u8| match earlier.0.binary_search_by_key(&bucket, |(at, _)| *at) {
            Ok(at) => earlier.0[at].1,
            Err(_) => 0,
        };
        let left = self.0.iter().map(|(at, count)| (*at, count.saturating_sub(before(*at))));
        Self(left.filter(|(_, count)| *count > 0).collect())
    }

    /// The `q`-quantile (0 to 1): the middle of the bucket that it lies in, for the last one its
    /// beginning. `None` without observations.
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        let total = self.count();
        // The first observation is the least that a quantile can be.
        let rank = ((q.clamp(0.0, 1.0) * total as f64).ceil() as u64).clamp(1, total.max(1));
        let mut seen = 0_u64;
        let (bucket, _) = self.buckets().find(|(_, count)| {
            seen = seen.saturating_add(*count);
            seen >= rank
        })?;
        Some(if bucket == LAST { begin(LAST) } else { (begin(bucket) + begin(bucket + 1)) / 2 })
    }

    /// `bucket` is one of [`LATENCY_BUCKETS`].
    pub(crate) fn add_to(&mut self, bucket: u8, count: u64) {
        if count == 0 {
            return;
        }
        match self.0.binary_search_by_key(&bucket, |(at, _)| *at) {
            Ok(at) => self.0[at].1 = self.0[at].1.saturating_add(count),
            Err(at) => self.0.insert(at, (bucket, count)),
        }
    }
}

/// A bucket that the scheme doesn't have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchBucket(pub usize);

impl std::fmt::Display for NoSuchBucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "there is no bucket {}: the last is {LAST}", self.0)
    }
}

impl std::error::Error for NoSuchBucket {}

#[cfg(test)]
mod tests;
