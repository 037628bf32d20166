//! The messages of backends and their endpoints.

use prost::{Message, Oneof};

use super::{Empty, PartKey};

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct Backend {
    #[prost(message, optional, tag = "1")]
    pub(in crate::wire) key: Option<PartKey>,
    #[prost(message, optional, tag = "2")]
    pub(in crate::wire) endpoints: Option<PartKey>,
    #[prost(uint32, tag = "3")]
    pub(in crate::wire) protocol: u32,
    #[prost(oneof = "Encryption", tags = "4, 5, 6")]
    pub(in crate::wire) tls: Option<Encryption>,
    #[prost(message, optional, tag = "7")]
    pub(in crate::wire) policy: Option<BackendPolicy>,
}

/// Never absent: a reader that doesn't know the kind must not send in the clear.
#[derive(Clone, PartialEq, Oneof)]
pub(in crate::wire) enum Encryption {
    #[prost(message, tag = "4")]
    Plain(Empty),
    #[prost(message, tag = "5")]
    Tls(BackendTls),
    #[prost(string, tag = "6")]
    Refused(String),
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct BackendTls {
    #[prost(oneof = "TrustRoots", tags = "1, 2")]
    pub(in crate::wire) roots: Option<TrustRoots>,
    #[prost(string, tag = "3")]
    pub(in crate::wire) server_name: String,
    #[prost(message, repeated, tag = "4")]
    pub(in crate::wire) subject_alt_names: Vec<SubjectAltName>,
    #[prost(message, optional, tag = "5")]
    pub(in crate::wire) identity: Option<PartKey>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(in crate::wire) enum TrustRoots {
    #[prost(message, tag = "1")]
    System(Empty),
    #[prost(message, tag = "2")]
    Bundle(Bundle),
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct Bundle {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(in crate::wire) certificates: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct SubjectAltName {
    #[prost(oneof = "AltName", tags = "1, 2")]
    pub(in crate::wire) one: Option<AltName>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(in crate::wire) enum AltName {
    #[prost(string, tag = "1")]
    Dns(String),
    #[prost(string, tag = "2")]
    Uri(String),
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct BackendPolicy {
    #[prost(oneof = "Balance", tags = "1, 2, 3, 4")]
    pub(in crate::wire) balance: Option<Balance>,
    #[prost(uint64, tag = "5")]
    pub(in crate::wire) connect_timeout: u64,
    #[prost(message, optional, tag = "6")]
    pub(in crate::wire) retry_budget: Option<RetryBudget>,
    #[prost(message, optional, tag = "7")]
    pub(in crate::wire) ejection: Option<Ejection>,
    #[prost(uint64, optional, tag = "8")]
    pub(in crate::wire) slow_start_window: Option<u64>,
    #[prost(uint32, optional, tag = "9")]
    pub(in crate::wire) proxy_protocol: Option<u32>,
    #[prost(uint32, tag = "10")]
    pub(in crate::wire) max_idle_per_endpoint: u32,
    #[prost(uint32, tag = "11")]
    pub(in crate::wire) max_requests: u32,
}

#[derive(Clone, PartialEq, Oneof)]
pub(in crate::wire) enum Balance {
    #[prost(message, tag = "1")]
    LeastRequest(Empty),
    #[prost(message, tag = "2")]
    RoundRobin(Empty),
    #[prost(message, tag = "3")]
    Random(Empty),
    #[prost(message, tag = "4")]
    ConsistentHash(HashSource),
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct HashSource {
    #[prost(oneof = "Hashed", tags = "1, 2, 3, 4")]
    pub(in crate::wire) one: Option<Hashed>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(in crate::wire) enum Hashed {
    #[prost(message, tag = "1")]
    ClientAddress(Empty),
    #[prost(string, tag = "2")]
    Header(String),
    #[prost(string, tag = "3")]
    Cookie(String),
    #[prost(message, tag = "4")]
    Path(Empty),
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct RetryBudget {
    #[prost(uint32, tag = "1")]
    pub(in crate::wire) percent: u32,
    #[prost(uint32, tag = "2")]
    pub(in crate::wire) floor_per_second: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct Ejection {
    #[prost(uint32, tag = "1")]
    pub(in crate::wire) consecutive_failures: u32,
    #[prost(uint64, tag = "2")]
    pub(in crate::wire) base: u64,
    #[prost(uint64, tag = "3")]
    pub(in crate::wire) max: u64,
    #[prost(uint32, tag = "4")]
    pub(in crate::wire) max_percent: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct EndpointSet {
    #[prost(message, optional, tag = "1")]
    pub(in crate::wire) key: Option<PartKey>,
    #[prost(message, repeated, tag = "2")]
    pub(in crate::wire) endpoints: Vec<Endpoint>,
    #[prost(string, optional, tag = "3")]
    pub(in crate::wire) empty: Option<String>,
    #[prost(message, optional, tag = "4")]
    pub(in crate::wire) reach: Option<Reach>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct Reach {
    #[prost(bool, tag = "1")]
    pub(in crate::wire) local: bool,
    #[prost(string, repeated, tag = "2")]
    pub(in crate::wire) closed: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct Endpoint {
    #[prost(oneof = "Address", tags = "1, 2, 3")]
    pub(in crate::wire) address: Option<Address>,
    #[prost(string, optional, tag = "4")]
    pub(in crate::wire) alternate: Option<String>,
    #[prost(uint32, tag = "5")]
    pub(in crate::wire) weight: u32,
}

#[derive(Clone, PartialEq, Oneof)]
pub(in crate::wire) enum Address {
    #[prost(string, tag = "1")]
    Socket(String),
    #[prost(string, tag = "2")]
    Unix(String),
    #[prost(message, tag = "3")]
    Dns(DnsAddress),
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct DnsAddress {
    #[prost(string, tag = "1")]
    pub(in crate::wire) host: String,
    #[prost(uint32, tag = "2")]
    pub(in crate::wire) port: u32,
}
