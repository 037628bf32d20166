//! How many retries a backend may be asked for: a share of its requests and a floor per second.
//!
//! Retries multiply load just when a backend has least room for it. The budget is exact for the
//! process: of any number of workers that ask at once, no more than it allows get a yes, and no
//! fewer. No locks; one atomic write per request.
//!
//! This module must not know which requests may be retried at all.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::limits;
use crate::model::RetryBudget;

const WINDOW: u32 = limits::RETRY_WINDOW_SECONDS;

/// Requests and retries of the last seconds. The settings are arguments: a changed percentage
/// holds at once, over what has been counted already.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Budget {
    requests: [AtomicU64; WINDOW as usize],
    /// Retries of seconds that are over.
    retries: [AtomicU64; WINDOW as usize],
    /// Retries of the running second: the one word by which a retry is granted.
    running: AtomicU64,
}

/// A count and the second that it belongs to, packed into one atomic word that only grows.
#[derive(Clone, Copy)]
struct Bucket {
    second: u32,
    count: u32,
}

impl Bucket {
    fn unpack(word: u64) -> Self {
        Self { second: (word >> 32) as u32, count: word as u32 }
    }

    fn pack(self) -> u64 {
        u64::from(self.second) << 32 | u64::from(self.count)
    }

    fn slot(self) -> usize {
        (self.second % WINDOW) as usize
    }
}

impl Budget {
    /// Counts one request.
    pub(in crate::proxy) fn deposit(&self, second: u32) {
        let slot = &self.requests[Bucket { second, count: 0 }.slot()];
        // The only refusal is a second that has left the window: nothing is lost with it.
        let _late = slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
            let bucket = Bucket::unpack(word);
            let count = if bucket.second == second { bucket.count.saturating_add(1) } else { 1 };
            (bucket.second <= second).then_some(Bucket { second, count }.pack())
        });
    }

    /// Whether one more retry may be made now; it is counted when it may.
    pub(in crate::proxy) fn try_spend(&self, budget: RetryBudget, second: u32) -> bool {
        let mut word = self.running.load(Ordering::Acquire);
        loop {
            let running = self.roll(Bucket::unpack(word), second);
            if !self.allows(budget, running) {
                return false;
            }
            let next = Bucket { count: running.count.saturating_add(1), ..running }.pack();
            // Success means that no retry was granted and no second ended since `word` was read,
            // so the sums over the seconds before are still what they were.
            match self.running.compare_exchange_weak(
                word,
                next,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return true,
                Err(current) => word = current,
            }
        }
    }

    /// The running second's bucket; a bucket that is over is put away first. A worker that comes
    /// late with an older count changes nothing, because the greatest word of a slot stays.
    fn roll(&self, running: Bucket, second: u32) -> Bucket {
        if running.second >= second {
            return running;
        }
        self.retries[running.slot()].fetch_max(running.pack(), Ordering::AcqRel);
        Bucket { second, count: 0 }
    }

    fn allows(&self, budget: RetryBudget, running: Bucket) -> bool {
        if running.count < budget.floor_per_second {
            return true;
        }
        let oldest = (running.second + 1).saturating_sub(WINDOW);
        let requests = sum(&self.requests, oldest..running.second + 1);
        let retries = sum(&self.retries, oldest..running.second) + u64::from(running.count);
        (retries + 1) * 100 <= requests * u64::from(budget.percent)
    }
}

fn sum(buckets: &[AtomicU64], seconds: Range<u32>) -> u64 {
    buckets
        .iter()
        .map(|word| Bucket::unpack(word.load(Ordering::Acquire)))
        .filter(|bucket| seconds.contains(&bucket.second))
        .map(|bucket| u64::from(bucket.count))
        .sum()
}

#[cfg(test)]
mod tests;
