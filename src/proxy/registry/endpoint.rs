//! What is shared about one endpoint.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use super::{CacheLine, Epoch, Latency};
use crate::clock::Instant;
use crate::model::{Address, Backend, PartHash};
use crate::proxy::ejection::Health;

/// How a backend's endpoints are spoken to: what a connection is made of. An address that is
/// spoken to in another way is another endpoint: its connections can't be used, and its failures
/// may have been the old way's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Channel(PartHash);

impl Channel {
    pub fn of(backend: &Backend) -> Self {
        let policy = &backend.policy;
        Self(PartHash::of(&(&backend.protocol, &backend.tls, &policy.proxy_protocol)))
    }
}

/// Names one [`EndpointShared`] within the process, never reused: the key of a worker's pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(u64);

impl EndpointId {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

#[derive(Debug)]
pub struct EndpointShared {
    pub id: EndpointId,
    pub address: Address,
    epoch: Epoch,
    /// Written by every request.
    load: CacheLine<Load>,
    /// Read by every pick, written when something fails: kept off the line above.
    health: CacheLine<Health>,
}

#[derive(Debug, Default)]
struct Load {
    in_flight: AtomicU32,
    latency: Latency,
}

impl EndpointShared {
    pub(super) fn new(address: Address, epoch: Epoch, now: Instant) -> Self {
        Self {
            id: EndpointId::next(),
            address,
            epoch,
            load: CacheLine::default(),
            health: CacheLine(Health::new(epoch.micros(now))),
        }
    }

    /// Counts a request until the guard is dropped.
    pub fn begin(self: &Arc<Self>) -> InFlight {
        self.load.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight { endpoint: Arc::clone(self) }
    }

    pub fn in_flight(&self) -> u32 {
        self.load.in_flight.load(Ordering::Relaxed)
    }

    /// The average time to a response head in microseconds; `None` before the first one.
    pub fn latency(&self) -> Option<f32> {
        self.load.latency.average()
    }

    /// Takes the time from the request's start to the response head into the average, without what
    /// it took to connect: who was given a new connection is no slower for it. For answers
    /// below 500 and for attempts that timed out; not for errors, because an endpoint that fails
    /// fast would look like a fast one and draw the traffic.
    pub fn observe(&self, latency: Duration, now: Instant) {
        self.load.latency.observe(latency, self.epoch.micros(now));
    }

    /// Whether it is ejected at the moment, for the doors. A group that has ejection switched off
    /// says otherwise.
    pub fn is_out(&self, now: Instant) -> bool {
        self.health.is_out(self.epoch.micros(now))
    }

    pub(in crate::proxy) fn health(&self) -> &Health {
        &self.health
    }
}

/// One request on its way to an endpoint.
#[derive(Debug)]
pub struct InFlight {
    endpoint: Arc<EndpointShared>,
}

impl InFlight {
    pub fn endpoint(&self) -> &Arc<EndpointShared> {
        &self.endpoint
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let before = self.endpoint.load.in_flight.fetch_sub(1, Ordering::Relaxed);
        debug_assert!(before > 0, "each guard counted itself once");
    }
}
