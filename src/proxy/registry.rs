//! What the workers of one process share about backends and endpoints, and what outlives a
//! Snapshot.
//!
//! What decides (requests in flight, latency averages, ejections, retry budgets) is one set of
//! atomics for the whole process, each on its own cache line, so a policy means the same with one
//! worker and with sixteen. Settings are not kept here: they are the part's, and come along as
//! arguments. So a changed weight, policy or endpoint list resets nothing, and there is nothing to
//! migrate: a new view asks for the same keys and gets the same atomics.
//!
//! The locks here guard the maps. They are taken when a worker makes its view of a backend, by
//! the sweep, and at an ejection; never by a request.
//!
//! This module must not know Snapshots, sockets or which algorithm reads its counters.

mod backend;
mod cache_line;
mod endpoint;
mod epoch;
mod latency;
mod remembered;

use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Instant;
use crate::limits;
use crate::model::{Address, PartKey};

pub use backend::{BackendInFlight, BackendShared};
pub use cache_line::CacheLine;
pub use endpoint::{Channel, EndpointId, EndpointShared, InFlight};

use epoch::Epoch;
use latency::Latency;
use remembered::Remembered;

/// All backends of the process, in use or remembered.
#[derive(Debug)]
pub struct Registry {
    epoch: Epoch,
    seed: u64,
    backends: Mutex<Remembered<PartKey, BackendShared>>,
}

/// An endpoint whose ejection ended without a request having noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    pub backend: PartKey,
    pub address: Address,
}

impl Registry {
    /// `seed` makes round robin of several processes start at different endpoints.
    pub fn new(now: Instant, seed: u64) -> Self {
        let backends = Mutex::new(Remembered::new(limits::REMEMBERED));
        Self { epoch: Epoch::new(now), seed, backends }
    }

    /// The one shared state of the backend with this key.
    pub fn backend(&self, key: &PartKey) -> Arc<BackendShared> {
        self.backends
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(key, || BackendShared::new(key.clone(), self.epoch, self.seed))
    }

    /// Forgets what has had no holder for [`limits::REMEMBER_UNUSED`] and reports the ejections
    /// that have ended. For the control thread, about once a second.
    pub fn sweep(&self, now: Instant) -> Vec<Returned> {
        let mut returned = Vec::new();
        let mut backends = self.backends.lock().unwrap_or_else(PoisonError::into_inner);
        backends.sweep(now, |key, backend| {
            backend.sweep(now, |address| {
                returned.push(Returned { backend: key.clone(), address: address.clone() });
            });
            // An endpoint of it may still carry a request: its count must be found again.
            backend.endpoint_count() == 0
        });
        returned
    }

    /// Every backend, for the doors.
    pub fn backends(&self) -> Vec<Arc<BackendShared>> {
        self.backends.lock().unwrap_or_else(PoisonError::into_inner).values()
    }
}

#[cfg(test)]
pub(in crate::proxy) mod fixture;

#[cfg(test)]
mod tests;
