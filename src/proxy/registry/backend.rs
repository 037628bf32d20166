//! What is shared about one backend.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::{CacheLine, Channel, EndpointShared, Epoch, Remembered};
use crate::clock::Instant;
use crate::limits;
use crate::model::{Address, Cause, PartKey, RetryBudget};
use crate::proxy::balance::Maglev;
use crate::proxy::budget::Budget;

#[derive(Debug)]
pub struct BackendShared {
    pub key: PartKey,
    epoch: Epoch,
    in_flight: CacheLine<AtomicU32>,
    /// Whose turn it is in round robin.
    turn: CacheLine<AtomicU64>,
    budget: CacheLine<Budget>,
    endpoints: Mutex<Remembered<(Channel, Address), EndpointShared>>,
    ejecting: Mutex<()>,
    maglev: Mutex<Weak<Maglev>>,
}

impl BackendShared {
    pub(super) fn new(key: PartKey, epoch: Epoch, seed: u64) -> Self {
        Self {
            key,
            epoch,
            in_flight: CacheLine::default(),
            turn: CacheLine(AtomicU64::new(seed)),
            budget: CacheLine::default(),
            endpoints: Mutex::new(Remembered::new(limits::REMEMBERED)),
            ejecting: Mutex::default(),
            maglev: Mutex::default(),
        }
    }

    /// The one shared state of an address that is spoken to in this way.
    pub fn endpoint(
        &self,
        channel: Channel,
        address: &Address,
        now: Instant,
    ) -> Arc<EndpointShared> {
        self.endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(&(channel, address.clone()), || {
                EndpointShared::new(address.clone(), self.epoch, now)
            })
    }

    /// Counts a request until the guard is dropped, or refuses it with
    /// [`Cause::UpstreamOverloaded`] when `max_requests` are in flight; 0 is no limit.
    pub fn begin(self: &Arc<Self>, max_requests: u32) -> Result<BackendInFlight, Cause> {
        if max_requests == 0 {
            self.in_flight.fetch_add(1, Ordering::Relaxed);
        } else {
            self.in_flight
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
                    (count < max_requests).then_some(count + 1)
                })
                .map_err(|_full| Cause::UpstreamOverloaded)?;
        }
        Ok(BackendInFlight { backend: Arc::clone(self) })
    }

    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Counts one request (not its retries) towards the retry budget.
    pub fn deposit(&self, now: Instant) {
        self.budget.deposit(self.epoch.seconds(now));
    }

    /// Takes one retry out of the budget, or says that there is none left.
    pub fn try_spend(&self, budget: RetryBudget, now: Instant) -> bool {
        self.budget.try_spend(budget, self.epoch.seconds(now))
    }

    /// Every endpoint, in use or remembered, for the doors.
    pub fn endpoints(&self) -> Vec<Arc<EndpointShared>> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner).values()
    }

    pub(super) fn endpoint_count(&self) -> usize {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(super) fn sweep(&self, now: Instant, mut returned: impl FnMut(&Address)) {
        let at = self.epoch.micros(now);
        let mut endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        endpoints.sweep(now, |(_, address), endpoint| {
            if endpoint.health().take_return(at) {
                returned(address);
            }
            true
        });
    }

    pub(in crate::proxy) fn micros(&self, now: Instant) -> u64 {
        self.epoch.micros(now)
    }

    pub(in crate::proxy) fn next_turn(&self) -> u64 {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// Held while one endpoint is ejected, so that two can't both take the last place.
    pub(in crate::proxy) fn ejecting(&self) -> MutexGuard<'_, ()> {
        self.ejecting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The workers' groups of one endpoint list share one table.
    pub(in crate::proxy) fn maglev(
        &self,
        is_current: impl Fn(&Maglev) -> bool,
        make: impl FnOnce() -> Maglev,
    ) -> Arc<Maglev> {
        let mut latest = self.maglev.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = latest.upgrade().filter(|table| is_current(table)) {
            return table;
        }
        let table = Arc::new(make());
        *latest = Arc::downgrade(&table);
        table
    }
}

/// One request on its way to a backend.
#[derive(Debug)]
pub struct BackendInFlight {
    backend: Arc<BackendShared>,
}

impl Drop for BackendInFlight {
    fn drop(&mut self) {
        let before = self.backend.in_flight.fetch_sub(1, Ordering::Relaxed);
        debug_assert!(before > 0, "each guard counted itself once");
    }
}
