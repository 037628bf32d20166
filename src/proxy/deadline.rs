//! Deadlines of one connection or stream, kept as plain times.
//!
//! Setting one costs a store. A single timer stands behind all of them and is armed again only
//! when an earlier time than its own comes up, so the common request touches no timer at all.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::Sleep;

use super::spare::Spare;
use crate::clock::{self, Instant};
use crate::model::Cause;

/// What a time is the end of. The order is the one in which a tie is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Phase {
    /// The first byte of a connection, or the next request of an idle one.
    Idle,
    /// A whole request head, or a handshake; the cause is given with it.
    Head,
    /// HTTPRoute `timeouts.request`.
    Request,
    /// HTTPRoute `timeouts.backendRequest`.
    Attempt,
    /// The client's next bytes of a request body.
    Upload,
    /// No byte in either direction.
    Stream,
}

const PHASES: usize = 6;

/// All the times after which something is given up.
#[derive(Default)]
pub struct Deadlines {
    times: [Cell<Option<(Instant, Cause)>>; PHASES],
    timer: RefCell<Option<Pin<Box<Sleep>>>>,
    armed: Cell<Option<Instant>>,
}

impl Deadlines {
    pub fn set(&self, phase: Phase, at: Instant, cause: Cause) {
        self.times[phase as usize].set(Some((at, cause)));
    }

    pub fn clear(&self, phase: Phase) {
        self.times[phase as usize].set(None);
    }

    pub fn is_set(&self, phase: Phase) -> bool {
        self.times[phase as usize].get().is_some()
    }

    pub fn clear_all(&self) {
        for time in &self.times {
            time.set(None);
        }
    }

    /// The cause of a deadline that has passed.
    pub fn passed(&self, now: Instant) -> Option<Cause> {
        self.earliest().filter(|(at, _)| *at <= now).map(|(_, cause)| cause)
    }

    /// Runs `work` until it ends or a deadline passes. Deadlines may be set and cleared by
    /// `work` itself while it runs. It stays with the caller: a future that takes another one by
    /// value holds it twice.
    pub async fn guard<F: Future>(&self, mut work: Pin<&mut F>) -> Result<F::Output, Cause> {
        poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => self.poll_passed(cx).map(Err),
        })
        .await
    }

    fn earliest(&self) -> Option<(Instant, Cause)> {
        let mut earliest: Option<(Instant, Cause)> = None;
        for time in &self.times {
            if let Some((at, cause)) = time.get()
                && earliest.is_none_or(|(first, _)| at < first)
            {
                earliest = Some((at, cause));
            }
        }
        earliest
    }

    fn poll_passed(&self, cx: &mut Context<'_>) -> Poll<Cause> {
        loop {
            let Some((at, cause)) = self.earliest() else { return Poll::Pending };
            let mut timer = self.timer.borrow_mut();
            let timer = match &mut *timer {
                Some(timer) => {
                    // A timer that fires too early only looks again; one that would fire too
                    // late is set anew.
                    if self.armed.get().is_none_or(|armed| at < armed) {
                        timer.as_mut().reset(at);
                        self.armed.set(Some(at));
                    }
                    timer
                }
                None => {
                    self.armed.set(Some(at));
                    timer.insert(Box::pin(tokio::time::sleep_until(at)))
                }
            };
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.armed.set(None);
            if at <= clock::now() {
                return Poll::Ready(cause);
            }
        }
    }
}

impl Spare for Deadlines {
    /// The timer stays armed: when it is early it only makes its next user look.
    fn renew(&mut self) -> bool {
        self.clear_all();
        true
    }
}

#[cfg(test)]
mod tests;
