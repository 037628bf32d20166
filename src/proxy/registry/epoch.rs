//! Times as integers, so that they fit into atomics.

use crate::clock::Instant;

/// The zero of a registry's times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Epoch(Instant);

impl Epoch {
    /// Real times start here, so that 0 can mean "never".
    const OFFSET: u64 = 1_000_000;

    pub(super) fn new(start: Instant) -> Self {
        Self(start)
    }

    /// Microseconds, never 0; a time before the start is the start.
    pub(super) fn micros(self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.0).as_micros();
        u64::try_from(elapsed).unwrap_or(u64::MAX).saturating_add(Self::OFFSET)
    }

    /// Whole seconds, never 0.
    pub(super) fn seconds(self, now: Instant) -> u32 {
        u32::try_from(self.micros(now) / 1_000_000).unwrap_or(u32::MAX)
    }
}
