//! What each arm has done: cells by rule and backend, for reports.
//!
//! They stand beside the metrics, whose labels name a route and not its rules. A worker has cells
//! of its own for each arm that it serves, written by its thread alone and without a lock; they
//! are added up when a report is made. This module must not know when to count.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Instant;
use crate::limits;
use crate::model::{
    Arm, ArmKey, Cause, Counts, Fault, LATENCY_BUCKETS, Latencies, Report, Totals, latency_bucket,
};

/// All arms of the process.
pub(super) struct Arms {
    kept: Mutex<Kept>,
    bound: usize,
}

#[derive(Default)]
struct Kept {
    arms: BTreeMap<ArmKey, Entry>,
    /// Those that came after the bound was reached, all in one.
    others: Entry,
    /// Arms made so far.
    born: u64,
    told: bool,
}

#[derive(Default)]
struct Entry {
    born: u64,
    /// What cells counted whose worker has dropped them.
    past: Counts,
    cells: Vec<Arc<Cells>>,
    unused_since: Option<Instant>,
}

/// One worker's share of one arm. 128 bytes: the prefetcher pulls cache lines in pairs.
#[repr(align(128))]
struct Cells {
    requests: AtomicU64,
    attempts: AtomicU64,
    errors: AtomicU64,
    server_errors: AtomicU64,
    cancelled: AtomicU64,
    in_flight: AtomicU64,
    latencies: [AtomicU64; LATENCY_BUCKETS],
}

/// A worker's way to its cells of one arm; it stays on its thread.
pub(super) struct ArmSeries {
    cells: Arc<Cells>,
    one_thread: PhantomData<*const ()>,
}

/// How a request ended, as an arm counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Answered,
    /// By the backend, with a status from 500.
    ServerError,
    /// The backend gave no whole answer.
    Failed,
    /// What the client got wrong, or the product itself.
    NotTheBackend,
    Cancelled,
}

impl Ending {
    pub(super) fn of(status: u16, cause: Option<Cause>) -> Self {
        match cause.map(Cause::fault) {
            None if status >= 500 => Self::ServerError,
            None => Self::Answered,
            Some(Fault::Backend) => Self::Failed,
            Some(Fault::Client | Fault::Own) => Self::NotTheBackend,
            Some(Fault::Cancelled) => Self::Cancelled,
        }
    }
}

impl ArmSeries {
    pub(super) fn begin(&self) {
        add(&self.cells.in_flight, 1);
    }

    pub(super) fn end(&self) {
        add(&self.cells.in_flight, 1_u64.wrapping_neg());
    }

    /// Counts one that is over.
    pub(super) fn count(&self, ending: Ending, attempts: u64, took: Duration) {
        let cells = &*self.cells;
        add(&cells.requests, 1);
        add(&cells.attempts, attempts);
        match ending {
            Ending::Answered | Ending::NotTheBackend => {}
            Ending::ServerError => {
                add(&cells.errors, 1);
                add(&cells.server_errors, 1);
            }
            Ending::Failed => add(&cells.errors, 1),
            Ending::Cancelled => return add(&cells.cancelled, 1),
        }
        add(&cells.latencies[latency_bucket(took)], 1);
    }
}

/// Only right while one thread writes the cell.
fn add(cell: &AtomicU64, n: u64) {
    cell.store(cell.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
}

impl Arms {
    /// `bound`: how many before new ones are left out.
    pub(super) fn new(bound: usize) -> Self {
        Self { kept: Mutex::default(), bound }
    }

    /// New cells for the calling thread.
    pub(super) fn series(&self, key: &ArmKey) -> ArmSeries {
        let mut kept = self.kept();
        let Kept { arms, others, born, told } = &mut *kept;
        let room = arms.len() < self.bound;
        let entry = match arms.get_mut(key) {
            Some(entry) => entry,
            None if room => {
                *born += 1;
                arms.entry(key.clone()).or_insert(Entry { born: *born, ..Entry::default() })
            }
            None => {
                if !std::mem::replace(told, true) {
                    let bound = self.bound;
                    tracing::warn!(bound, "too many pairs of rule and backend: reports leave out");
                }
                others
            }
        };
        entry.fold();
        entry.unused_since = None;
        let cells = Arc::new(Cells::new());
        entry.cells.push(Arc::clone(&cells));
        ArmSeries { cells, one_thread: PhantomData }
    }

    /// All of them, with what the process knows of itself left at zero.
    pub(super) fn report(&self) -> Report {
        let kept = self.kept();
        let arm = |(key, entry): (&ArmKey, &Entry)| Arm {
            key: key.clone(),
            born: entry.born,
            counts: entry.sum(),
        };
        Report {
            born: kept.born,
            totals: Totals { left_out: kept.others.sum().requests, ..Totals::default() },
            arms: kept.arms.iter().map(arm).collect(),
            ..Report::default()
        }
    }

    /// Takes in what dropped handles left behind and forgets arms that have long been unused.
    pub(super) fn sweep(&self, now: Instant) {
        let mut kept = self.kept();
        kept.others.fold();
        kept.arms.retain(|_, entry| {
            entry.fold();
            if !entry.cells.is_empty() {
                entry.unused_since = None;
                return true;
            }
            let since = *entry.unused_since.get_or_insert(now);
            now.duration_since(since) < limits::METRIC_SERIES_REST
        });
    }

    /// Nothing that is held under it panics; if it did, what was counted still was.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn fold(&mut self) {
        let past = &mut self.past;
        self.cells.retain_mut(|cells| {
            // Nobody but this list has them: the last writes can be seen.
            let Some(cells) = Arc::get_mut(cells) else { return true };
            past.add(&cells.read());
            false
        });
        // What is begun is held by a handle.
        past.in_flight = 0;
    }

    fn sum(&self) -> Counts {
        let mut sum = self.past.clone();
        self.cells.iter().for_each(|cells| sum.add(&cells.read()));
        sum
    }
}

impl Cells {
    fn new() -> Self {
        Self {
            requests: AtomicU64::new(0),
            attempts: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            server_errors: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            latencies: [const { AtomicU64::new(0) }; LATENCY_BUCKETS],
        }
    }

    fn read(&self) -> Counts {
        let value = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        let mut latencies = Latencies::default();
        for (bucket, cell) in self.latencies.iter().enumerate() {
            latencies.add_to(bucket as u8, value(cell));
        }
        Counts {
            requests: value(&self.requests),
            attempts: value(&self.attempts),
            errors: value(&self.errors),
            server_errors: value(&self.server_errors),
            cancelled: value(&self.cancelled),
            in_flight: value(&self.in_flight),
            latencies,
        }
    }
}

#[cfg(test)]
mod tests;
