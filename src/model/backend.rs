//! Where requests go.

use std::net::SocketAddr;
use std::sync::Arc;

use super::{BackendPolicy, Cause, Name, PartKey, Reach};

/// One destination: a port of a Service, or a Backend.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Backend {
    /// Object: the Service or Backend. Section: the port, empty for a Backend.
    pub key: PartKey,
    pub endpoints: PartKey,
    pub protocol: BackendProtocol,
    /// `Err` when TLS is asked for and can't be had safely: every request is refused with it.
    pub tls: Result<Option<Arc<BackendTls>>, Cause>,
    pub policy: Arc<BackendPolicy>,
}

/// Service `appProtocol`, or a Backend's `protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BackendProtocol {
    /// HTTP/1.1, or HTTP/2 where TLS and ALPN offer it.
    Http,
    /// HTTP/2 with prior knowledge (`kubernetes.io/h2c`, and gRPC without TLS).
    H2c,
    /// `kubernetes.io/ws`, `kubernetes.io/wss`: HTTP/1.1 alone, so that Upgrade works.
    WebSocket,
}

/// How the backend's certificate is checked (BackendTLSPolicy), and what we show.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BackendTls {
    pub roots: TrustRoots,
    /// Server name to send and, where `subject_alt_names` is empty, to find in the certificate.
    pub server_name: Name,
    pub subject_alt_names: Vec<SubjectAltName>,
    /// The Gateway's client certificate (`spec.tls.backend`).
    pub identity: Option<ClientIdentity>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TrustRoots {
    /// `wellKnownCACertificates: System`.
    System,
    /// DER certificates.
    Bundle(Arc<[Vec<u8>]>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SubjectAltName {
    Dns(Name),
    Uri(Name),
}

/// Key of the Certificate part to present.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientIdentity(pub PartKey);

/// The addresses of a Backend, ready ones only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EndpointSet {
    pub key: PartKey,
    pub endpoints: Vec<Endpoint>,
    /// Why the set is empty, where lowering knows.
    pub empty: Option<Cause>,
    /// Where names among the addresses may lead; `None` is anywhere, or there are no names.
    pub reach: Option<Arc<Reach>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    pub address: Address,
    /// The same endpoint over the other IP family, for whoever can't reach `address`.
    pub alternate: Option<SocketAddr>,
    /// 1 where nothing else is said.
    pub weight: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    Socket(SocketAddr),
    /// A path, or a Linux abstract name that starts with `@`.
    Unix(Name),
    /// Resolved on the control runtime; a Snapshot holds its addresses as `Socket`.
    Dns {
        host: Name,
        port: u16,
    },
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{path}"),
            Self::Dns { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProxyProtocolVersion {
    V1,
    V2,
}
