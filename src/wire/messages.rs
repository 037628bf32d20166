//! The messages of `meshctl.parts.v1`, field by field.
//!
//! Numbers of fields are never used again for something else. Enumerations are numbers from 1
//! (see `numbers`); durations are nanoseconds; addresses are text, as people write them.

use prost::{Message, Oneof};

mod backend;
mod rule;

pub(super) use backend::*;
pub(super) use rule::*;

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
    #[prost(bool, tag = "12")]
    pub(super) scope_shared: bool,
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
