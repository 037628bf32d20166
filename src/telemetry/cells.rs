//! Cells that count, and the handles to them.
//!
//! A cell is an `AtomicU64` in a chunk that belongs to one worker, so a bump is a load, an add
//! and a store without a lock prefix, and no two workers share a cache line. That only one
//! thread writes is held by the types: the handles of a worker can't leave their thread. This
//! module must not know labels, families or how values are summed.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use super::metrics::DURATION_BUCKETS;

/// Cells of one chunk: a `u8` can't point outside, so that a bump needs no bounds check.
pub(super) const CHUNK_CELLS: usize = 256;
/// Buckets, `+Inf` and the sum.
pub(super) const HISTOGRAM_CELLS: usize = DURATION_BUCKETS.len() + 2;
/// Where a histogram keeps its sum, as the bits of an `f64` in seconds.
pub(super) const HISTOGRAM_SUM: usize = HISTOGRAM_CELLS - 1;

/// 128 bytes: the prefetcher pulls cache lines in pairs.
#[repr(align(128))]
pub(super) struct Chunk {
    values: [AtomicU64; CHUNK_CELLS],
    /// How many handles hold the cell. At 0 nobody can write it any more.
    holders: [AtomicU32; CHUNK_CELLS],
}

impl Chunk {
    pub(super) fn new() -> Self {
        Self {
            values: [const { AtomicU64::new(0) }; CHUNK_CELLS],
            holders: [const { AtomicU32::new(0) }; CHUNK_CELLS],
        }
    }
}

/// Where a cell, or a histogram's first cell, stands.
#[derive(Clone)]
pub(super) struct Slot {
    chunk: Arc<Chunk>,
    index: u8,
}

impl Slot {
    pub(super) fn new(chunk: Arc<Chunk>, index: u8) -> Self {
        Self { chunk, index }
    }

    pub(super) fn hold(&self) -> Cell {
        self.chunk.holders[usize::from(self.index)].fetch_add(1, Ordering::Relaxed);
        Cell { slot: self.clone() }
    }

    /// Nobody writes the cell any more, and what was written last can be seen.
    pub(super) fn is_free(&self) -> bool {
        self.chunk.holders[usize::from(self.index)].load(Ordering::Acquire) == 0
    }

    pub(super) fn read(&self, offset: usize) -> u64 {
        self.value(offset).load(Ordering::Relaxed)
    }

    pub(super) fn clear(&self, cells: usize) {
        for offset in 0..cells {
            self.value(offset).store(0, Ordering::Relaxed);
        }
    }

    fn value(&self, offset: usize) -> &AtomicU64 {
        // Histograms start at multiples of their size, so `|` adds, and the mask is for the
        // compiler, which then knows that no index is out of bounds.
        &self.chunk.values[(usize::from(self.index) | offset) & (CHUNK_CELLS - 1)]
    }
}

/// A held slot.
pub(super) struct Cell {
    slot: Slot,
}

impl Cell {
    /// Only right while one thread writes the cell.
    fn add_alone(&self, offset: usize, n: u64) {
        let value = self.slot.value(offset);
        value.store(value.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    }

    fn value(&self) -> &AtomicU64 {
        self.slot.value(0)
    }
}

impl Clone for Cell {
    fn clone(&self) -> Self {
        self.slot.hold()
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        self.slot.chunk.holders[usize::from(self.slot.index)].fetch_sub(1, Ordering::Release);
    }
}

/// Keeps a handle on the thread that made it.
type OneThread = PhantomData<*const ()>;

/// A worker's counter.
#[derive(Clone)]
pub struct Counter {
    cell: Cell,
    one_thread: OneThread,
}

impl Counter {
    pub(super) fn new(cell: Cell) -> Self {
        Self { cell, one_thread: PhantomData }
    }

    #[inline]
    pub fn inc(&self) {
        self.add(1);
    }

    #[inline]
    pub fn add(&self, n: u64) {
        self.cell.add_alone(0, n);
    }
}

/// A worker's share of a gauge; the shares of all workers are summed, so one may be below zero.
#[derive(Clone)]
pub struct Gauge {
    cell: Cell,
    one_thread: OneThread,
}

impl Gauge {
    pub(super) fn new(cell: Cell) -> Self {
        Self { cell, one_thread: PhantomData }
    }

    #[inline]
    pub fn inc(&self) {
        self.add(1);
    }

    #[inline]
    pub fn dec(&self) {
        self.add(-1);
    }

    #[inline]
    pub fn add(&self, n: i64) {
        self.cell.add_alone(0, n.cast_unsigned());
    }
}

/// A worker's histogram of durations.
#[derive(Clone)]
pub struct Histogram {
    cell: Cell,
    one_thread: OneThread,
}

impl Histogram {
    pub(super) fn new(cell: Cell) -> Self {
        Self { cell, one_thread: PhantomData }
    }

    #[inline]
    pub fn observe(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = DURATION_BUCKETS.partition_point(|(_, bound)| nanos > *bound);
        self.cell.add_alone(bucket, 1);
        let sum = self.cell.slot.value(HISTOGRAM_SUM);
        let seconds = f64::from_bits(sum.load(Ordering::Relaxed)) + duration.as_secs_f64();
        sum.store(seconds.to_bits(), Ordering::Relaxed);
    }
}

/// A counter of the process, for what happens rarely and on any thread.
#[derive(Clone)]
pub struct SharedCounter {
    cell: Cell,
}

impl SharedCounter {
    pub(super) fn new(cell: Cell) -> Self {
        Self { cell }
    }

    pub fn inc(&self) {
        self.add(1);
    }

    pub fn add(&self, n: u64) {
        self.cell.value().fetch_add(n, Ordering::Relaxed);
    }
}

/// A gauge of the process. Its series goes when its last handle does.
#[derive(Clone)]
pub struct SharedGauge {
    cell: Cell,
}

impl SharedGauge {
    pub(super) fn new(cell: Cell) -> Self {
        Self { cell }
    }

    pub fn set(&self, value: i64) {
        self.cell.value().store(value.cast_unsigned(), Ordering::Relaxed);
    }

    pub fn add(&self, n: i64) {
        self.cell.value().fetch_add(n.cast_unsigned(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
