//! What a mesh is: keyed, hashed parts, already valid.
//!
//! A value of these types cannot be wrong: a dangling reference, an unknown filter or a missing
//! certificate is a [`Cause`] in the place where the good value would stand, so the proxy fails
//! that one thing closed and everything beside it goes on.
//!
//! This module must not know serde, tokio, kube, a file or the clock.

mod backend;
mod cause;
mod hostname;
mod key;
mod latencies;
mod listener;
mod part;
pub mod pattern;
mod policy;
mod reach;
mod report;
mod route;

pub use backend::{
    Address, Backend, BackendProtocol, BackendTls, ClientIdentity, Endpoint, EndpointSet,
    ProxyProtocolVersion, SubjectAltName, TrustRoots,
};
pub use cause::{Cause, Fault};
pub use hostname::{Hostname, HostnameError};
pub use key::{Kind, Name, ObjectKey, PartKey, PartKind, Store};
pub use latencies::{LATENCY_BUCKETS, Latencies, NoSuchBucket, latency_bucket};
pub use listener::{
    AccessLogFormat, BindAddress, ClientAuth, ClientAuthMode, Listener, ListenerProtocol,
    ListenerSettings, ListenerTls, Scope, TlsVersion,
};
pub use part::{Certificate, Part, PartHash, PrivateKey};
pub use pattern::Pattern;
pub use policy::{
    BackendPolicy, Balance, Ejection, HashSource, RetryBudget, RetryPolicy, SlowStart, Timeouts,
};
pub use reach::Reach;
pub use report::{Arm, ArmKey, Counts, Report, Totals};
pub use route::{
    Attachment, Cors, CorsOrigin, FRAMING, Filter, Fraction, HeaderEdit, HeaderMatch, HeaderName,
    Match, Method, Mirror, PathMatch, PathRewrite, QueryMatch, Redirect, Rewrite, RouteProtocol,
    Rule, RuleOrder, SessionCookie, SessionPersistence, WeightedBackend,
};

#[cfg(test)]
mod tests;
