//! The messages of `meshctl.parts.v1`, field by field.
//!
//! Numbers of fields are never used again for something else. Enumerations are numbers from 1
//! (see `numbers`); durations are nanoseconds; addresses are text, as people write them.

use prost::{Message, Oneof};

#[derive(Clone, PartialEq, Message)]
pub(super) struct Part {
    #[prost(oneof = "OnePart", tags = "1, 2, 3, 4, 5")]
    pub(super) one: Option<OnePart>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum OnePart {
    #[prost(message, tag = "1")]
    Listener(Listener),
    #[prost(message, tag = "2")]
    Rule(Rule),
    #[prost(message, tag = "3")]
    Backend(Backend),
    #[prost(message, tag = "4")]
    EndpointSet(EndpointSet),
    #[prost(message, tag = "5")]
    Certificate(Certificate),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ObjectKey {
    #[prost(uint32, tag = "1")]
    pub(super) store: u32,
    #[prost(uint32, tag = "2")]
    pub(super) kind: u32,
    #[prost(string, tag = "3")]
    pub(super) namespace: String,
    #[prost(string, tag = "4")]
    pub(super) name: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct PartKey {
    #[prost(uint32, tag = "1")]
    pub(super) part: u32,
    #[prost(message, optional, tag = "2")]
    pub(super) object: Option<ObjectKey>,
    #[prost(string, tag = "3")]
    pub(super) section: String,
}

/// A part that is meant, or the cause that stands in its place.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Reference {
    #[prost(oneof = "Referred", tags = "1, 2")]
    pub(super) to: Option<Referred>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Referred {
    #[prost(message, tag = "1")]
    Part(PartKey),
    #[prost(string, tag = "2")]
    Cause(String),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Listener {
    #[prost(message, optional, tag = "1")]
    pub(super) key: Option<PartKey>,
    #[prost(message, optional, tag = "2")]
    pub(super) gateway: Option<ObjectKey>,
    #[prost(string, tag = "3")]
    pub(super) scope_namespace: String,
    #[prost(string, tag = "4")]
    pub(super) scope_name: String,
    /// Absent: every address.
    #[prost(string, optional, tag = "5")]
    pub(super) bind_ip: Option<String>,
    #[prost(uint32, tag = "6")]
    pub(super) bind_port: u32,
    #[prost(uint32, tag = "7")]
    pub(super) port: u32,
    #[prost(string, optional, tag = "8")]
    pub(super) hostname: Option<String>,
    #[prost(oneof = "ListenerProtocol", tags = "9, 10")]
    pub(super) protocol: Option<ListenerProtocol>,
    #[prost(message, optional, tag = "11")]
    pub(super) settings: Option<ListenerSettings>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum ListenerProtocol {
    #[prost(message, tag = "9")]
    Http(Empty),
    #[prost(message, tag = "10")]
    Https(ListenerTls),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Empty {}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ListenerTls {
    #[prost(message, repeated, tag = "1")]
    pub(super) certificates: Vec<Reference>,
    #[prost(message, optional, tag = "2")]
    pub(super) client_auth: Option<ClientAuth>,
    #[prost(uint32, tag = "3")]
    pub(super) min_version: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ClientAuth {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(super) roots: Vec<Vec<u8>>,
    #[prost(uint32, tag = "2")]
    pub(super) mode: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ListenerSettings {
    #[prost(uint32, tag = "1")]
    pub(super) trusted_hops: u32,
    #[prost(message, repeated, tag = "2")]
    pub(super) proxy_protocol_from: Vec<Network>,
    #[prost(uint64, tag = "3")]
    pub(super) idle_timeout: u64,
    #[prost(uint64, tag = "4")]
    pub(super) request_head_timeout: u64,
    #[prost(uint64, tag = "5")]
    pub(super) stream_idle_timeout: u64,
    #[prost(uint64, tag = "6")]
    pub(super) drain_timeout: u64,
    #[prost(uint32, tag = "7")]
    pub(super) max_header_bytes: u32,
    /// Absent: off.
    #[prost(uint32, optional, tag = "8")]
    pub(super) access_log: Option<u32>,
    #[prost(string, tag = "9")]
    pub(super) via: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Network {
    #[prost(string, tag = "1")]
    pub(super) ip: String,
    #[prost(uint32, tag = "2")]
    pub(super) prefix: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Rule {
    #[prost(message, optional, tag = "1")]
    pub(super) key: Option<PartKey>,
    #[prost(uint32, tag = "2")]
    pub(super) protocol: u32,
    #[prost(message, optional, tag = "3")]
    pub(super) order: Option<RuleOrder>,
    #[prost(message, repeated, tag = "4")]
    pub(super) attachments: Vec<Attachment>,
    #[prost(message, repeated, tag = "5")]
    pub(super) matches: Vec<Match>,
    #[prost(message, repeated, tag = "6")]
    pub(super) filters: Vec<Filter>,
    #[prost(message, repeated, tag = "7")]
    pub(super) backends: Vec<WeightedBackend>,
    #[prost(message, optional, tag = "8")]
    pub(super) timeouts: Option<Timeouts>,
    #[prost(message, optional, tag = "9")]
    pub(super) retry: Option<RetryPolicy>,
    #[prost(message, optional, tag = "10")]
    pub(super) session_persistence: Option<SessionPersistence>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct RuleOrder {
    #[prost(int64, tag = "1")]
    pub(super) created: i64,
    #[prost(string, tag = "2")]
    pub(super) namespace: String,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(uint32, tag = "4")]
    pub(super) rule: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Attachment {
    #[prost(message, optional, tag = "1")]
    pub(super) listener: Option<PartKey>,
    #[prost(string, optional, tag = "2")]
    pub(super) hostname: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Match {
    #[prost(oneof = "PathMatch", tags = "1, 2, 3")]
    pub(super) path: Option<PathMatch>,
    #[prost(string, optional, tag = "4")]
    pub(super) method: Option<String>,
    #[prost(message, repeated, tag = "5")]
    pub(super) headers: Vec<ValueMatch>,
    #[prost(message, repeated, tag = "6")]
    pub(super) query: Vec<ValueMatch>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum PathMatch {
    #[prost(string, tag = "1")]
    Exact(String),
    #[prost(string, tag = "2")]
    Prefix(String),
    #[prost(string, tag = "3")]
    Regex(String),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ValueMatch {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(oneof = "Value", tags = "2, 3")]
    pub(super) value: Option<Value>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Value {
    #[prost(string, tag = "2")]
    Exact(String),
    #[prost(string, tag = "3")]
    Regex(String),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Filter {
    #[prost(oneof = "OneFilter", tags = "1, 2, 3, 4, 5, 6, 7")]
    pub(super) one: Option<OneFilter>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum OneFilter {
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
pub(super) struct HeaderEdit {
    #[prost(message, repeated, tag = "1")]
    pub(super) set: Vec<Header>,
    #[prost(message, repeated, tag = "2")]
    pub(super) add: Vec<Header>,
    #[prost(string, repeated, tag = "3")]
    pub(super) remove: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Header {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Redirect {
    #[prost(string, optional, tag = "1")]
    pub(super) scheme: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(super) hostname: Option<String>,
    #[prost(message, optional, tag = "3")]
    pub(super) path: Option<PathRewrite>,
    #[prost(uint32, optional, tag = "4")]
    pub(super) port: Option<u32>,
    #[prost(uint32, tag = "5")]
    pub(super) status: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Rewrite {
    #[prost(string, optional, tag = "1")]
    pub(super) hostname: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub(super) path: Option<PathRewrite>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct PathRewrite {
    #[prost(oneof = "Rewritten", tags = "1, 2")]
    pub(super) to: Option<Rewritten>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Rewritten {
    #[prost(string, tag = "1")]
    Full(String),
    #[prost(string, tag = "2")]
    Prefix(String),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Mirror {
    #[prost(message, optional, tag = "1")]
    pub(super) backend: Option<Reference>,
    #[prost(uint32, tag = "2")]
    pub(super) numerator: u32,
    #[prost(uint32, tag = "3")]
    pub(super) denominator: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Cors {
    #[prost(message, repeated, tag = "1")]
    pub(super) allow_origins: Vec<CorsOrigin>,
    #[prost(bool, tag = "2")]
    pub(super) allow_credentials: bool,
    #[prost(string, repeated, tag = "3")]
    pub(super) allow_methods: Vec<String>,
    #[prost(string, repeated, tag = "4")]
    pub(super) allow_headers: Vec<String>,
    #[prost(string, repeated, tag = "5")]
    pub(super) expose_headers: Vec<String>,
    #[prost(uint64, tag = "6")]
    pub(super) max_age: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct CorsOrigin {
    #[prost(oneof = "Origin", tags = "1, 2, 3")]
    pub(super) one: Option<Origin>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Origin {
    #[prost(message, tag = "1")]
    Any(Empty),
    #[prost(string, tag = "2")]
    Exact(String),
    #[prost(message, tag = "3")]
    Wildcard(WildcardOrigin),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct WildcardOrigin {
    #[prost(string, tag = "1")]
    pub(super) scheme: String,
    #[prost(string, tag = "2")]
    pub(super) suffix: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct WeightedBackend {
    #[prost(uint32, tag = "1")]
    pub(super) weight: u32,
    #[prost(message, optional, tag = "2")]
    pub(super) backend: Option<Reference>,
    #[prost(message, repeated, tag = "3")]
    pub(super) filters: Vec<Filter>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Timeouts {
    #[prost(uint64, optional, tag = "1")]
    pub(super) request: Option<u64>,
    #[prost(uint64, optional, tag = "2")]
    pub(super) backend_request: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    pub(super) stream_idle: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct RetryPolicy {
    #[prost(uint32, tag = "1")]
    pub(super) attempts: u32,
    #[prost(uint64, optional, tag = "2")]
    pub(super) backoff: Option<u64>,
    #[prost(uint32, repeated, tag = "3")]
    pub(super) statuses: Vec<u32>,
    #[prost(bool, tag = "4")]
    pub(super) on_failure: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SessionPersistence {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    /// Absent: a header. Else whether the cookie is permanent.
    #[prost(bool, optional, tag = "2")]
    pub(super) permanent_cookie: Option<bool>,
    #[prost(uint64, optional, tag = "3")]
    pub(super) absolute_timeout: Option<u64>,
    #[prost(uint64, optional, tag = "4")]
    pub(super) idle_timeout: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Backend {
    #[prost(message, optional, tag = "1")]
    pub(super) key: Option<PartKey>,
    #[prost(message, optional, tag = "2")]
    pub(super) endpoints: Option<PartKey>,
    #[prost(uint32, tag = "3")]
    pub(super) protocol: u32,
    #[prost(oneof = "Encryption", tags = "4, 5, 6")]
    pub(super) tls: Option<Encryption>,
    #[prost(message, optional, tag = "7")]
    pub(super) policy: Option<BackendPolicy>,
}

/// Never absent: a reader that doesn't know the kind must not send in the clear.
#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Encryption {
    #[prost(message, tag = "4")]
    Plain(Empty),
    #[prost(message, tag = "5")]
    Tls(BackendTls),
    #[prost(string, tag = "6")]
    Refused(String),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct BackendTls {
    #[prost(oneof = "TrustRoots", tags = "1, 2")]
    pub(super) roots: Option<TrustRoots>,
    #[prost(string, tag = "3")]
    pub(super) server_name: String,
    #[prost(message, repeated, tag = "4")]
    pub(super) subject_alt_names: Vec<SubjectAltName>,
    #[prost(message, optional, tag = "5")]
    pub(super) identity: Option<PartKey>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum TrustRoots {
    #[prost(message, tag = "1")]
    System(Empty),
    #[prost(message, tag = "2")]
    Bundle(Bundle),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Bundle {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(super) certificates: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SubjectAltName {
    #[prost(oneof = "AltName", tags = "1, 2")]
    pub(super) one: Option<AltName>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum AltName {
    #[prost(string, tag = "1")]
    Dns(String),
    #[prost(string, tag = "2")]
    Uri(String),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct BackendPolicy {
    #[prost(oneof = "Balance", tags = "1, 2, 3, 4")]
    pub(super) balance: Option<Balance>,
    #[prost(uint64, tag = "5")]
    pub(super) connect_timeout: u64,
    #[prost(message, optional, tag = "6")]
    pub(super) retry_budget: Option<RetryBudget>,
    #[prost(message, optional, tag = "7")]
    pub(super) ejection: Option<Ejection>,
    #[prost(uint64, optional, tag = "8")]
    pub(super) slow_start_window: Option<u64>,
    #[prost(uint32, optional, tag = "9")]
    pub(super) proxy_protocol: Option<u32>,
    #[prost(uint32, tag = "10")]
    pub(super) max_idle_per_endpoint: u32,
    #[prost(uint32, tag = "11")]
    pub(super) max_requests: u32,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Balance {
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
pub(super) struct HashSource {
    #[prost(oneof = "Hashed", tags = "1, 2, 3, 4")]
    pub(super) one: Option<Hashed>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Hashed {
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
pub(super) struct RetryBudget {
    #[prost(uint32, tag = "1")]
    pub(super) percent: u32,
    #[prost(uint32, tag = "2")]
    pub(super) floor_per_second: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Ejection {
    #[prost(uint32, tag = "1")]
    pub(super) consecutive_failures: u32,
    #[prost(uint64, tag = "2")]
    pub(super) base: u64,
    #[prost(uint64, tag = "3")]
    pub(super) max: u64,
    #[prost(uint32, tag = "4")]
    pub(super) max_percent: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct EndpointSet {
    #[prost(message, optional, tag = "1")]
    pub(super) key: Option<PartKey>,
    #[prost(message, repeated, tag = "2")]
    pub(super) endpoints: Vec<Endpoint>,
    #[prost(string, optional, tag = "3")]
    pub(super) empty: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Endpoint {
    #[prost(oneof = "Address", tags = "1, 2, 3")]
    pub(super) address: Option<Address>,
    #[prost(string, optional, tag = "4")]
    pub(super) alternate: Option<String>,
    #[prost(uint32, tag = "5")]
    pub(super) weight: u32,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Address {
    #[prost(string, tag = "1")]
    Socket(String),
    #[prost(string, tag = "2")]
    Unix(String),
    #[prost(message, tag = "3")]
    Dns(DnsAddress),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct DnsAddress {
    #[prost(string, tag = "1")]
    pub(super) host: String,
    #[prost(uint32, tag = "2")]
    pub(super) port: u32,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct Certificate {
    #[prost(message, optional, tag = "1")]
    pub(super) key: Option<PartKey>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub(super) chain: Vec<Vec<u8>>,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) private_key: Vec<u8>,
}

/// The private key is never printed.
impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").field("key", &self.key).finish_non_exhaustive()
    }
}
