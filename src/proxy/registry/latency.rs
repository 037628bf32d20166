//! How long an endpoint takes to answer, as one lock-free average.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::limits;

/// A peak-sensitive, exponentially decaying average: it follows a rise at once, and a fall with
/// [`limits::LATENCY_DECAY`] or with the number of samples, whichever is faster (after Finagle's
/// Peak EWMA, which knows the time alone: at a thousand requests a second that remembers nothing
/// but the worst of them, and the endpoint that met one hiccup more is left to the other).
///
/// One sample at most doubles the average, where Finagle's jumps to the sample: else a single
/// garbage collection of a second empties an endpoint that answers in a millisecond for half a
/// minute, and with two endpoints the other gets everything. An endpoint that stays slow is known
/// as such after a few requests all the same.
///
/// Average (f32, microseconds) and time of the last sample (u32, milliseconds, wrapping after 49
/// days) share one word, so a reader never sees one without the other. 0 is "no sample yet".
#[derive(Debug, Default)]
pub(super) struct Latency(AtomicU64);

impl Latency {
    /// The average in microseconds; `None` before the first sample.
    pub(super) fn average(&self) -> Option<f32> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            word => Some(unpack(word).average),
        }
    }

    /// `at` is in microseconds of the registry's epoch.
    pub(super) fn observe(&self, sample: Duration, at: u64) {
        let sample = (sample.as_secs_f32() * 1e6).max(1.0);
        let stamp = (at / 1_000) as u32;
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let average = if word == 0 { sample } else { unpack(word).with(sample, stamp) };
            let next = Sampled { average, stamp }.pack();
            match self.0.compare_exchange_weak(word, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(current) => word = current,
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Sampled {
    average: f32,
    stamp: u32,
}

impl Sampled {
    fn with(self, sample: f32, stamp: u32) -> f32 {
        if sample >= self.average {
            return sample.min(self.average * 2.0);
        }
        // Workers race, so a stamp may lie a little before the last one: that is no time at all.
        let elapsed_ms = stamp.wrapping_sub(self.stamp).cast_signed().max(0);
        let by_time = (-(elapsed_ms as f32) / limits::LATENCY_DECAY.as_millis() as f32).exp();
        sample + (self.average - sample) * by_time.min(limits::LATENCY_KEPT)
    }

    fn pack(self) -> u64 {
        u64::from(self.stamp) << 32 | u64::from(self.average.to_bits())
    }
}

fn unpack(word: u64) -> Sampled {
    Sampled { average: f32::from_bits(word as u32), stamp: (word >> 32) as u32 }
}
