//! The messages of rules and their filters.

use prost::{Message, Oneof};

use super::{Empty, PartKey, Reference};

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct Rule {
    #[prost(message, optional, tag = "1")]
    pub(in crate::wire) key: Option<PartKey>,
    #[prost(uint32, tag = "2")]
    pub(in crate::wire) protocol: u32,
    #[prost(message, optional, tag = "3")]
    pub(in crate::wire) order: Option<RuleOrder>,
    #[prost(message, repeated, tag = "4")]
    pub(in crate::wire) attachments: Vec<Attachment>,
    #[prost(message, repeated, tag = "5")]
    pub(in crate::wire) matches: Vec<Match>,
    #[prost(message, repeated, tag = "6")]
    pub(in crate::wire) filters: Vec<Filter>,
    #[prost(message, repeated, tag = "7")]
    pub(in crate::wire) backends: Vec<WeightedBackend>,
    #[prost(message, optional, tag = "8")]
    pub(in crate::wire) timeouts: Option<Timeouts>,
    #[prost(message, optional, tag = "9")]
    pub(in crate::wire) retry: Option<RetryPolicy>,
    #[prost(message, optional, tag = "10")]
    pub(in crate::wire) session_persistence: Option<SessionPersistence>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct RuleOrder {
    #[prost(int64, tag = "1")]
    pub(in crate::wire) created: i64,
    #[prost(string, tag = "2")]
    pub(in crate::wire) namespace: String,
    #[prost(string, tag = "3")]
    pub(in crate::wire) name: String,
    #[prost(uint32, tag = "4")]
    pub(in crate::wire) rule: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct Attachment {
    #[prost(message, optional, tag = "1")]
    pub(in crate::wire) listener: Option<PartKey>,
    #[prost(string, optional, tag = "2")]
    pub(in crate::wire) hostname: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct Match {
    #[prost(oneof = "PathMatch", tags = "1, 2, 3")]
    pub(in crate::wire) path: Option<PathMatch>,
    #[prost(string, optional, tag = "4")]
    pub(in crate::wire) method: Option<String>,
    #[prost(message, repeated, tag = "5")]
    pub(in crate::wire) headers: Vec<ValueMatch>,
    #[prost(message, repeated, tag = "6")]
    pub(in crate::wire) query: Vec<ValueMatch>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(in crate::wire) enum PathMatch {
    #[prost(string, tag = "1")]
    Exact(String),
    #[prost(string, tag = "2")]
    Prefix(String),
    #[prost(string, tag = "3")]
    Regex(String),
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct ValueMatch {
    #[prost(string, tag = "1")]
    pub(in crate::wire) name: String,
    #[prost(oneof = "Value", tags = "2, 3")]
    pub(in crate::wire) value: Option<Value>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(in crate::wire) enum Value {
    #[prost(string, tag = "2")]
    Exact(String),
    #[prost(string, tag = "3")]
    Regex(String),
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct Filter {
    #[prost(oneof = "OneFilter", tags = "1, 2, 3, 4, 5, 6, 7")]
    pub(in crate::wire) one: Option<OneFilter>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(in crate::wire) enum OneFilter {
    #[prost(message, tag = "1")]
    RequestHeaders(HeaderEdit),
    #[prost(message, tag = "2")]
    ResponseHeaders(HeaderEdit),
    #[prost(message, tag = "3")]
    Redirect(Redirect),
    #[prost(message, tag = "4")]
    Rewrite(Rewrite),
    #[prost(message, tag = "5")]
    Mirror(Mirror),
    #[prost(message, tag = "6")]
    Cors(Cors),
    #[prost(string, tag = "7")]
    Refuse(String),
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct HeaderEdit {
    #[prost(message, repeated, tag = "1")]
    pub(in crate::wire) set: Vec<Header>,
    #[prost(message, repeated, tag = "2")]
    pub(in crate::wire) add: Vec<Header>,
    #[prost(string, repeated, tag = "3")]
    pub(in crate::wire) remove: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct Header {
    #[prost(string, tag = "1")]
    pub(in crate::wire) name: String,
    #[prost(string, tag = "2")]
    pub(in crate::wire) value: String,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct Redirect {
    #[prost(string, optional, tag = "1")]
    pub(in crate::wire) scheme: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(in crate::wire) hostname: Option<String>,
    #[prost(message, optional, tag = "3")]
    pub(in crate::wire) path: Option<PathRewrite>,
    #[prost(uint32, optional, tag = "4")]
    pub(in crate::wire) port: Option<u32>,
    #[prost(uint32, tag = "5")]
    pub(in crate::wire) status: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct Rewrite {
    #[prost(string, optional, tag = "1")]
    pub(in crate::wire) hostname: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub(in crate::wire) path: Option<PathRewrite>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct PathRewrite {
    #[prost(oneof = "Rewritten", tags = "1, 2")]
    pub(in crate::wire) to: Option<Rewritten>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(in crate::wire) enum Rewritten {
    #[prost(string, tag = "1")]
    Full(String),
    #[prost(string, tag = "2")]
    Prefix(String),
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct Mirror {
    #[prost(message, optional, tag = "1")]
    pub(in crate::wire) backend: Option<Reference>,
    #[prost(uint32, tag = "2")]
    pub(in crate::wire) numerator: u32,
    #[prost(uint32, tag = "3")]
    pub(in crate::wire) denominator: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct Cors {
    #[prost(message, repeated, tag = "1")]
    pub(in crate::wire) allow_origins: Vec<CorsOrigin>,
    #[prost(bool, tag = "2")]
    pub(in crate::wire) allow_credentials: bool,
    #[prost(string, repeated, tag = "3")]
    pub(in crate::wire) allow_methods: Vec<String>,
    #[prost(string, repeated, tag = "4")]
    pub(in crate::wire) allow_headers: Vec<String>,
    #[prost(string, repeated, tag = "5")]
    pub(in crate::wire) expose_headers: Vec<String>,
    #[prost(uint64, tag = "6")]
    pub(in crate::wire) max_age: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct CorsOrigin {
    #[prost(oneof = "Origin", tags = "1, 2, 3")]
    pub(in crate::wire) one: Option<Origin>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(in crate::wire) enum Origin {
    #[prost(message, tag = "1")]
    Any(Empty),
    #[prost(string, tag = "2")]
    Exact(String),
    #[prost(message, tag = "3")]
    Wildcard(WildcardOrigin),
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct WildcardOrigin {
    #[prost(string, tag = "1")]
    pub(in crate::wire) scheme: String,
    #[prost(string, tag = "2")]
    pub(in crate::wire) suffix: String,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct WeightedBackend {
    #[prost(uint32, tag = "1")]
    pub(in crate::wire) weight: u32,
    #[prost(message, optional, tag = "2")]
    pub(in crate::wire) backend: Option<Reference>,
    #[prost(message, repeated, tag = "3")]
    pub(in crate::wire) filters: Vec<Filter>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct Timeouts {
    #[prost(uint64, optional, tag = "1")]
    pub(in crate::wire) request: Option<u64>,
    #[prost(uint64, optional, tag = "2")]
    pub(in crate::wire) backend_request: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    pub(in crate::wire) stream_idle: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct RetryPolicy {
    #[prost(uint32, tag = "1")]
    pub(in crate::wire) attempts: u32,
    #[prost(uint64, optional, tag = "2")]
    pub(in crate::wire) backoff: Option<u64>,
    #[prost(uint32, repeated, tag = "3")]
    pub(in crate::wire) statuses: Vec<u32>,
    #[prost(bool, tag = "4")]
    pub(in crate::wire) on_failure: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::wire) struct SessionPersistence {
    #[prost(string, tag = "1")]
    pub(in crate::wire) name: String,
    /// Absent: a header. Else whether the cookie is permanent.
    #[prost(bool, optional, tag = "2")]
    pub(in crate::wire) permanent_cookie: Option<bool>,
    #[prost(uint64, optional, tag = "3")]
    pub(in crate::wire) absolute_timeout: Option<u64>,
    #[prost(uint64, optional, tag = "4")]
    pub(in crate::wire) idle_timeout: Option<u64>,
}
