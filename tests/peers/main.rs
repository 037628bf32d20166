//! Hostile and demanding clients against a proxy process of its own. Each test prints its counts
//! (`cargo test --test peers -- --nocapture`). One runs at a time: they measure memory and time.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "a test binary has no outside")]
#![expect(clippy::print_stdout, reason = "what was measured is shown with --nocapture")]
mod attacks;
mod door;
mod frames;
mod input;
mod load;
mod losses;
mod manager;
mod names;
mod origin;
mod process;
mod reload;
mod slow;
mod upload;

#[path = "../support/authority.rs"]
#[expect(dead_code, reason = "other tests use what these don't")]
mod authority;

#[path = "../support/ports.rs"]
mod ports;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held by the test that runs.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    // The failure of one says nothing about the next.
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
