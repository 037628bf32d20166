//! A small mesh for tests: objects are told apart by one word.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::model::{
    Address, Attachment, Backend, BackendPolicy, BackendProtocol, BackendTls, BindAddress, Cause,
    Certificate, ClientIdentity, Endpoint, EndpointSet, Filter, Fraction, Kind, Listener,
    ListenerProtocol, ListenerSettings, ListenerTls, Match, Mirror, Name, ObjectKey, Part, PartKey,
    PartKind, PathMatch, PrivateKey, RetryPolicy, RouteProtocol, Rule, RuleOrder, Scope, Store,
    Timeouts, TlsVersion, TrustRoots, WeightedBackend,
};

pub(crate) fn scope(name: &str) -> Scope {
    Scope { namespace: "edge".into(), name: name.into(), shared: false }
}

pub(crate) fn key(part: PartKind, name: &str) -> PartKey {
    let kind = match part {
        PartKind::Listener => Kind::Gateway,
        PartKind::Rule => Kind::HttpRoute,
        PartKind::Backend | PartKind::EndpointSet => Kind::Service,
        PartKind::Certificate => Kind::Secret,
    };
    PartKey::new(part, ObjectKey::new(Store::Cluster, kind, "shop", name), "")
}

/// With these certificates it speaks TLS.
pub(crate) fn listener(name: &str, of: &str, certificates: &[&str]) -> Part {
    let keys = certificates.iter().map(|name| Ok(key(PartKind::Certificate, name)));
    let tls = ListenerTls {
        certificates: keys.collect(),
        client_auth: None,
        min_version: TlsVersion::V1_2,
    };
    let own = key(PartKind::Listener, name);
    Part::Listener(Arc::new(Listener {
        gateway: own.object.clone(),
        key: own,
        scope: scope(of),
        bind: BindAddress { ip: Some(Ipv4Addr::LOCALHOST.into()), port: 8080 },
        port: 8080,
        hostname: None,
        protocol: match certificates {
            [] => ListenerProtocol::Http,
            _ => ListenerProtocol::Https(tls),
        },
        settings: Arc::new(ListenerSettings {
            trusted_hops: 0,
            proxy_protocol_from: Vec::new(),
            idle_timeout: Duration::from_secs(60),
            request_head_timeout: Duration::from_secs(10),
            stream_idle_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(1),
            max_header_bytes: 16_384,
            access_log: None,
            via: "test".into(),
        }),
    }))
}

pub(crate) fn rule(name: &str, on: &[&str], to: &[&str], mirror: Option<&str>) -> Part {
    let attachment =
        |name: &&str| Attachment { listener: key(PartKind::Listener, name), hostname: None };
    let backend = |name: &&str| WeightedBackend {
        weight: 1,
        backend: Ok(key(PartKind::Backend, name)),
        filters: Vec::new(),
    };
    let copies = mirror.map(|name| {
        Filter::Mirror(Mirror {
            backend: Ok(key(PartKind::Backend, name)),
            fraction: Fraction { numerator: 1, denominator: 2 },
        })
    });
    let everything = Match {
        path: PathMatch::Prefix("".into()),
        method: None,
        headers: Vec::new(),
        query: Vec::new(),
    };
    Part::Rule(Arc::new(Rule {
        key: key(PartKind::Rule, name),
        protocol: RouteProtocol::Http,
        order: RuleOrder { created: 0, namespace: "shop".into(), name: name.into(), rule: 0 },
        attachments: on.iter().map(attachment).collect(),
        matches: vec![everything],
        filters: copies.into_iter().collect(),
        backends: to.iter().map(backend).collect(),
        timeouts: Timeouts::default(),
        retry: RetryPolicy::standard(),
        session_persistence: None,
    }))
}

/// With a certificate it is shown to the backend.
pub(crate) fn backend(name: &str, endpoints: &str, identity: Option<&str>) -> Part {
    let tls = identity.map(|name| {
        Arc::new(BackendTls {
            roots: TrustRoots::System,
            server_name: "backend.example".into(),
            subject_alt_names: Vec::new(),
            identity: Some(ClientIdentity(key(PartKind::Certificate, name))),
        })
    });
    Part::Backend(Arc::new(Backend {
        key: key(PartKind::Backend, name),
        endpoints: key(PartKind::EndpointSet, endpoints),
        protocol: BackendProtocol::Http,
        tls: Ok(tls),
        policy: Arc::new(BackendPolicy::standard()),
    }))
}

/// So many of them; none says why.
pub(crate) fn endpoints(name: &str, count: u16) -> Part {
    let endpoint = |port: u16| Endpoint {
        address: Address::Socket(SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        alternate: None,
        weight: 1,
    };
    Part::EndpointSet(Arc::new(EndpointSet {
        key: key(PartKind::EndpointSet, name),
        endpoints: (1..=count).map(endpoint).collect(),
        empty: (count == 0).then_some(Cause::NoEndpoint),
        reach: None,
    }))
}

/// `content` stands for chain and key.
pub(crate) fn certificate(name: &str, content: &str) -> Part {
    Part::Certificate(Arc::new(Certificate {
        key: key(PartKind::Certificate, name),
        chain: vec![content.as_bytes().to_vec()],
        private_key: PrivateKey(content.as_bytes().into()),
    }))
}

pub(crate) fn named(part: &Part) -> Name {
    format!("{} {}", part.key().part.as_str(), part.key().object.name).into()
}
