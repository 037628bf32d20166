//! What a bug may end: the work that it is in.
//!
//! A worker serves thousands of connections on one thread. A panic in one of them ends that one,
//! is counted, and lets the thread go on. This module must not know what the work is.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use crate::telemetry::SharedCounter;

/// The outcome of `work`; `None` when it panicked, which `panics` counts. Everything that the work
/// held has been dropped by then.
pub async fn caught<T>(panics: &SharedCounter, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    // What a panic leaves half-changed belongs to the work and is dropped with it; what workers
    // share are atomics, and guards that count back.
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Some),
        Err(_) => {
            panics.inc();
            Poll::Ready(None)
        }
    })
    .await
}

#[cfg(test)]
mod tests;
