//! Our own kinds, of the group `meshctl.dev`, as their authors write them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{At, Place, Reference};
use crate::model::{Address, Name};

/// A service that Kubernetes doesn't know.
#[derive(Clone, Debug, PartialEq)]
pub struct Backend {
    /// `HOST:PORT`, `[::1]:PORT`, `unix:/path`, each with a weight.
    pub endpoints: Vec<(At<Address>, u32)>,
    /// `HTTP`, `H2C`, `WebSocket`.
    pub protocol: At<Name>,
    pub tls: Option<BackendTls>,
}

/// The shape of XBackend's `tls`, which is BackendTLSPolicy's `validation`.
#[derive(Clone, Debug, PartialEq)]
pub struct BackendTls {
    pub place: Place,
    pub hostname: Option<At<Name>>,
    pub ca_certificate_refs: Vec<Reference>,
    pub well_known_ca: Option<At<Name>>,
    pub subject_alt_names: Vec<(At<Name>, At<Name>)>,
    pub client_certificate_ref: Option<Reference>,
}

/// How a Service, Backend, route or Gateway is used. `None` leaves the default, or
/// what a policy on a wider target says.
#[derive(Clone, Debug, PartialEq)]
pub struct TrafficPolicy {
    pub targets: Vec<Reference>,
    pub balance: Option<Balance>,
    pub connect_timeout: Option<At<Duration>>,
    pub request_timeout: Option<At<Duration>>,
    pub backend_request_timeout: Option<At<Duration>>,
    pub stream_idle_timeout: Option<At<Duration>>,
    pub retry_budget: Option<RetryBudget>,
    pub ejection: Option<Ejection>,
    pub slow_start: Option<At<Duration>>,
    /// `v1` or `v2`.
    pub proxy_protocol: Option<At<Name>>,
    pub max_requests: Option<At<u32>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Balance {
    /// `LeastRequest`, `RoundRobin`, `Random`, `ConsistentHash`.
    pub kind: At<Name>,
    /// `hashOn`: (`ClientAddress` | `Header` | `Cookie` | `Path`, name)
    pub hash_on: Option<(At<Name>, Option<At<Name>>)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct RetryBudget {
    pub percent: Option<At<u32>>,
    pub min_per_second: Option<At<u32>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ejection {
    pub enabled: Option<At<bool>>,
    pub consecutive_failures: Option<At<u32>>,
    pub base: Option<At<Duration>>,
    pub max: Option<At<Duration>>,
    pub max_percent: Option<At<u32>>,
}

/// Settings of Gateways. The one called `default` in namespace `meshctl-system`, or
/// the only one of a directory, holds for every Gateway that names none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeshConfig {
    pub trusted_hops: Option<At<u32>>,
    /// CIDRs.
    pub proxy_protocol_from: Vec<At<Name>>,
    pub idle_timeout: Option<At<Duration>>,
    pub request_head_timeout: Option<At<Duration>>,
    pub stream_idle_timeout: Option<At<Duration>>,
    pub drain_timeout: Option<At<Duration>>,
    pub max_header_bytes: Option<At<u32>>,
    /// `json`, `text` or `off`.
    pub access_log: Option<At<Name>>,
    pub deployment: Deployment,
    /// Who is told of changes of rollouts. Only the cluster's default MeshConfig says.
    pub webhook: Option<Webhook>,
}

/// Where changes are posted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    pub url: Option<At<Name>>,
    /// A Secret of the same namespace with `url`, `token` or `ca.crt`.
    pub secret_ref: Option<At<Name>>,
}

/// How the proxies of a Gateway run in a cluster. In a directory it means nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployment {
    pub replicas: Option<At<u32>>,
    /// `LoadBalancer`, `ClusterIP` or `NodePort`.
    pub service_type: Option<At<Name>>,
    /// What a PodDisruptionBudget keeps: a number or a percentage, as text: `1`, `50%`.
    pub min_available: Option<At<Name>>,
    /// `resources.requests` and `resources.limits`: `cpu` to `100m`.
    pub requests: BTreeMap<Name, At<Name>>,
    pub limits: BTreeMap<Name, At<Name>>,
}

/// A canary or a dark launch, and how far somebody wants it to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrafficRollout {
    /// An HTTPRoute or GRPCRoute; `sectionName` is one of its rules.
    pub target: Reference,
    pub release: Release,
    /// `Running`, `Paused`, `Promoted` or `Aborted`.
    pub state: At<Name>,
    /// Percent, set by hand. Steps rest where it is.
    pub weight: Option<At<u32>>,
    /// Until when that holds, in seconds since the epoch; then the weights of before hold again.
    pub until: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Release {
    Canary(Canary),
    DarkLaunch(DarkLaunch),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    pub stable: Reference,
    pub canary: Reference,
    /// Percent, each more than the one before; what follows the last is the whole.
    pub steps: Vec<At<u32>>,
    /// How long each step is looked at.
    pub interval: Duration,
    pub gates: Gates,
}

/// What a step has to hold before the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gates {
    /// Parts per million of the canary's requests that may fail.
    pub max_errors_ppm: Option<u32>,
    pub max_p99: Option<Duration>,
    /// Fewer than these say nothing.
    pub min_requests: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DarkLaunch {
    pub to: Reference,
    pub percent: At<u32>,
}
