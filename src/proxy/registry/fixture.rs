//! Backends and endpoint lists for the tests of `proxy`.

use std::sync::Arc;
use std::time::Duration;

use super::Registry;
use crate::clock::{self, Instant};
use crate::model::{
    Address, Backend, BackendPolicy, BackendProtocol, Balance, Endpoint, EndpointSet, Kind,
    ObjectKey, PartKey, PartKind, Store,
};
use crate::proxy::balance::EndpointGroup;
use crate::proxy::ejection::Failure;

pub(in crate::proxy) fn key(part: PartKind, name: &str) -> PartKey {
    PartKey::new(part, ObjectKey::new(Store::Files, Kind::Service, "shop", name), "80")
}

pub(in crate::proxy) fn address(number: usize) -> Address {
    Address::Socket(([10, 0, (number / 200) as u8, (number % 200) as u8], 8080).into())
}

pub(in crate::proxy) fn endpoint_set(
    endpoints: impl IntoIterator<Item = (usize, u32)>,
) -> EndpointSet {
    let endpoints = endpoints
        .into_iter()
        .map(|(number, weight)| Endpoint { address: address(number), alternate: None, weight })
        .collect();
    EndpointSet { key: key(PartKind::EndpointSet, "cart"), endpoints, empty: None, reach: None }
}

pub(in crate::proxy) fn backend(policy: BackendPolicy) -> Backend {
    Backend {
        key: key(PartKind::Backend, "cart"),
        endpoints: key(PartKind::EndpointSet, "cart"),
        protocol: BackendProtocol::Http,
        tls: Ok(None),
        policy: Arc::new(policy),
    }
}

pub(in crate::proxy) fn policy(balance: Balance) -> BackendPolicy {
    BackendPolicy { balance, ..BackendPolicy::standard() }
}

/// One process under a clock that only `after` moves.
pub(in crate::proxy) struct Process {
    pub(in crate::proxy) registry: Registry,
    start: Instant,
}

impl Process {
    pub(in crate::proxy) fn start() -> Self {
        let start = clock::now();
        Self { registry: Registry::new(start, 7), start }
    }

    pub(in crate::proxy) fn after(&self, elapsed: Duration) -> Instant {
        self.start + elapsed
    }

    pub(in crate::proxy) fn seconds(&self, seconds: u64) -> Instant {
        self.after(Duration::from_secs(seconds))
    }

    /// What one worker makes for the backend `cart`; endpoint `i` has `weights[i]`.
    pub(in crate::proxy) fn worker(&self, policy: BackendPolicy, weights: &[u32]) -> EndpointGroup {
        let endpoints = endpoint_set(weights.iter().copied().enumerate());
        self.worker_of(&backend(policy), &endpoints, self.start)
    }

    pub(in crate::proxy) fn worker_of(
        &self,
        backend: &Backend,
        endpoints: &EndpointSet,
        now: Instant,
    ) -> EndpointGroup {
        EndpointGroup::new(backend, endpoints, self.registry.backend(&backend.key), now)
    }
}

/// As many failures in a row as eject, where an ejection is allowed.
pub(in crate::proxy) fn fail_in_a_row(group: &EndpointGroup, index: usize, now: Instant) {
    for _ in 0..group.policy().ejection.consecutive_failures {
        group.on_failure(index, Failure::Connect, now);
    }
}
