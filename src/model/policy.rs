//! How a Backend is used: what TrafficPolicy sets and what holds without any.

use std::time::Duration;

use super::{Name, ProxyProtocolVersion};

/// Everything that TrafficPolicy may say about a Backend, with the defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BackendPolicy {
    pub balance: Balance,
    pub connect_timeout: Duration,
    pub retry_budget: RetryBudget,
    pub ejection: Ejection,
    pub slow_start: Option<SlowStart>,
    pub proxy_protocol: Option<ProxyProtocolVersion>,
    /// Idle connections to each endpoint that a worker keeps.
    pub max_idle_per_endpoint: u32,
    /// Requests in flight to the whole backend, in the whole process; 0 is no limit.
    pub max_requests: u32,
}

/// On without any policy: what DESIGN.md lists under "On without any policy".
impl BackendPolicy {
    pub fn standard() -> Self {
        Self {
            balance: Balance::LeastRequest,
            connect_timeout: Duration::from_secs(5),
            retry_budget: RetryBudget { percent: 20, floor_per_second: 10 },
            ejection: Ejection {
                consecutive_failures: 3,
                base: Duration::from_secs(10),
                max: Duration::from_secs(300),
                max_percent: 50,
            },
            slow_start: None,
            proxy_protocol: None,
            max_idle_per_endpoint: 64,
            max_requests: 0,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Balance {
    /// Power of two choices over in-flight requests and latency averages, shared by all workers.
    LeastRequest,
    RoundRobin,
    Random,
    /// Maglev over the hash of the source; requests without it are balanced at random.
    ConsistentHash(HashSource),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HashSource {
    ClientAddress,
    Header(Name),
    Cookie(Name),
    Path,
}

/// Retries may be this share of the requests of a backend, and always this many a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RetryBudget {
    pub percent: u32,
    pub floor_per_second: u32,
}

/// Passive: connect failures and resets eject, statuses never do. At most `max_percent` of the
/// endpoints are out at once, and never the last one. Each further ejection lasts one `base`
/// longer, up to `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ejection {
    /// 0 switches ejection off.
    pub consecutive_failures: u32,
    pub base: Duration,
    pub max: Duration,
    pub max_percent: u32,
}

/// A new or returned endpoint's share grows linearly over the window, from a tenth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SlowStart {
    pub window: Duration,
}

/// `None` is no limit of the rule's own; streams still have their idle limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Timeouts {
    pub request: Option<Duration>,
    /// Of each attempt.
    pub backend_request: Option<Duration>,
    /// Without a byte in either direction; `None` leaves it to the listener.
    pub stream_idle: Option<Duration>,
}

/// HTTPRoute `retry`, or what holds without it: one retry, on another endpoint, when nothing was
/// sent or the peer said that it did nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RetryPolicy {
    /// Retries after the first attempt.
    pub attempts: u32,
    /// At least this long between two attempts.
    pub backoff: Option<Duration>,
    /// Statuses that are tried again, and only where the method is idempotent; empty by default.
    pub statuses: Vec<u16>,
    /// Whether resets and timeouts of an attempt are tried again (idempotent methods only).
    pub on_failure: bool,
}

impl RetryPolicy {
    pub fn standard() -> Self {
        Self { attempts: 1, backoff: None, statuses: Vec::new(), on_failure: false }
    }
}
