//! Where traffic comes in.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Cause, Hostname, Name, ObjectKey, PartKey};

/// Which fleet of proxies serves a listener. A directory has one, the default; in a cluster a
/// Gateway has its own, or shares the one of its class. Listeners of two fleets never meet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    pub namespace: Name,
    pub name: Name,
    /// A class's: a Gateway that is called like it has its own.
    pub shared: bool,
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// One listener of a Gateway or ListenerSet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Listener {
    /// Object: the Gateway or ListenerSet. Section: the listener's name.
    pub key: PartKey,
    /// The Gateway that the listener belongs to, also when a ListenerSet brought it.
    pub gateway: ObjectKey,
    pub scope: Scope,
    pub bind: BindAddress,
    /// The port as the API names it; differs from `bind.port` where `--port 80=8080` moved it.
    pub port: u16,
    pub hostname: Option<Hostname>,
    pub protocol: ListenerProtocol,
    pub settings: Arc<ListenerSettings>,
}

/// A socket address to listen on. `ip` is `None` for every address, IPv6 and IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BindAddress {
    pub ip: Option<IpAddr>,
    pub port: u16,
}

impl std::fmt::Display for BindAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.ip {
            Some(ip) => std::net::SocketAddr::new(ip, self.port).fmt(f),
            None => write!(f, "*:{}", self.port),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ListenerProtocol {
    Http,
    Https(ListenerTls),
}

/// TLS termination. An unusable certificate stays in the list as its cause; a listener without a
/// usable one refuses its handshakes instead of falling back to another listener's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListenerTls {
    pub certificates: Vec<Result<PartKey, Cause>>,
    pub client_auth: Option<ClientAuth>,
    pub min_version: TlsVersion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TlsVersion {
    V1_2,
    V1_3,
}

/// Client certificate validation (Gateway `spec.tls.frontend`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientAuth {
    /// DER certificates; empty when a reference is missing: then every client is refused.
    pub roots: Arc<[Vec<u8>]>,
    pub mode: ClientAuthMode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientAuthMode {
    AllowValidOnly,
    AllowInsecureFallback,
}

/// What MeshConfig says about the connections of a Gateway. Limits that nobody should change
/// stay in `limits.rs`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListenerSettings {
    /// How many proxies in front of this one are ours: that many entries at the end of
    /// `X-Forwarded-For` and `Forwarded` are believed, 0 means that clients' values are dropped.
    pub trusted_hops: u8,
    /// Sources (CIDR, as network address and prefix length) that must speak the PROXY protocol.
    pub proxy_protocol_from: Vec<(IpAddr, u8)>,
    pub idle_timeout: Duration,
    pub request_head_timeout: Duration,
    pub stream_idle_timeout: Duration,
    pub drain_timeout: Duration,
    pub max_header_bytes: u32,
    pub access_log: Option<AccessLogFormat>,
    /// The pseudonym in `Via`, and in `Forwarded` for our own side.
    pub via: Name,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessLogFormat {
    Json,
    Text,
}
