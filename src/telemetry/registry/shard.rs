//! Where one thread's cells stand in memory.

use std::sync::{Arc, Mutex, PoisonError};

use crate::telemetry::cells::{CHUNK_CELLS, Chunk, HISTOGRAM_CELLS, Slot};

// A histogram's cells are found by `first | offset`.
const _: () =
    assert!(HISTOGRAM_CELLS.is_power_of_two() && CHUNK_CELLS.is_multiple_of(HISTOGRAM_CELLS));

/// The chunks of one thread. Their order is the order in which cells are taken, so what a view
/// takes at once shares cache lines.
pub(super) struct Shard {
    space: Mutex<Space>,
}

struct Space {
    singles: Row,
    histograms: Row,
}

/// Slots of one size.
struct Row {
    size: usize,
    chunk: Arc<Chunk>,
    next: usize,
    free: Vec<Slot>,
}

impl Shard {
    pub(super) fn new() -> Self {
        let space = Space { singles: Row::new(1), histograms: Row::new(HISTOGRAM_CELLS) };
        Self { space: Mutex::new(space) }
    }

    /// A slot of `size` cells, all 0.
    pub(super) fn take(&self, size: usize) -> Slot {
        self.with_row(size, Row::take)
    }

    pub(super) fn give_back(&self, slot: Slot, size: usize) {
        slot.clear(size);
        self.with_row(size, |row| row.free.push(slot));
    }

    fn with_row<T>(&self, size: usize, act: impl FnOnce(&mut Row) -> T) -> T {
        let mut space = self.space.lock().unwrap_or_else(PoisonError::into_inner);
        act(if size == 1 { &mut space.singles } else { &mut space.histograms })
    }
}

impl Row {
    fn new(size: usize) -> Self {
        Self { size, chunk: Arc::new(Chunk::new()), next: 0, free: Vec::new() }
    }

    fn take(&mut self) -> Slot {
        if let Some(slot) = self.free.pop() {
            return slot;
        }
        let index = u8::try_from(self.next).unwrap_or_else(|_| {
            self.chunk = Arc::new(Chunk::new());
            self.next = 0;
            0
        });
        self.next += self.size;
        Slot::new(self.chunk.clone(), index)
    }
}
