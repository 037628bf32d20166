//! Padding against false sharing.

use std::ops::Deref;

/// A value with its cache lines to itself: 128 bytes, because x86 fetches lines in pairs and some
/// arm64 lines are that long.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct CacheLine<T>(pub(super) T);

impl<T> Deref for CacheLine<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
