//! Whether the proxy is on its way out, for everything that has to know.
//!
//! Asking is one atomic load, waiting is a watch. This module must not know what draining does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use crate::clock::Instant;

/// The way of a process goes one way: running, then draining.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    #[default]
    Running,
    /// What still runs at the deadline is cut.
    Draining { deadline: Instant },
}

/// Cloning shares.
#[derive(Clone)]
pub struct Drain {
    inner: Arc<Inner>,
}

struct Inner {
    draining: AtomicBool,
    phase: watch::Sender<Phase>,
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}

impl Drain {
    pub fn new() -> Self {
        let phase = watch::Sender::new(Phase::Running);
        Self { inner: Arc::new(Inner { draining: AtomicBool::new(false), phase }) }
    }

    /// Starts draining. Told twice, the earlier deadline holds: a second SIGTERM may only hurry.
    pub fn start(&self, deadline: Instant) {
        self.inner.draining.store(true, Ordering::Release);
        self.inner.phase.send_if_modified(|phase| {
            let sooner = match *phase {
                Phase::Running => true,
                Phase::Draining { deadline: held } => deadline < held,
            };
            if sooner {
                *phase = Phase::Draining { deadline };
            }
            sooner
        });
    }

    #[inline]
    pub fn is_draining(&self) -> bool {
        self.inner.draining.load(Ordering::Acquire)
    }

    pub fn phase(&self) -> Phase {
        *self.inner.phase.borrow()
    }

    /// Until draining has started; says by when it must be over. At once where it has.
    pub async fn wait(&self) -> Instant {
        let mut phase = self.inner.phase.subscribe();
        loop {
            if let Phase::Draining { deadline } = *phase.borrow_and_update() {
                return deadline;
            }
            phase.changed().await.expect("the sender lives as long as self");
        }
    }

    /// Until the deadline of draining is there, also where it is moved forward meanwhile.
    pub async fn expired(&self) {
        let mut phase = self.inner.phase.subscribe();
        let mut deadline = self.wait().await;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(deadline) => return,
                _ = phase.changed() => {
                    if let Phase::Draining { deadline: sooner } = *phase.borrow_and_update() {
                        deadline = sooner;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
