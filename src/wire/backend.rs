//! Backends, how they are used, and their endpoints.

use std::sync::Arc;
use std::time::Duration;

use super::WireError;
use super::check::{
    all, cause, exact_hostname, header_name, hostname, invalid, ip, nanoseconds, plain, port,
    socket, some, token,
};
use super::key;
use super::messages::{self, AltName, Empty, Encryption, Hashed};
use super::numbers::Numbered;
use crate::model::{
    Address, Backend, BackendPolicy, BackendProtocol, BackendTls, Balance, ClientIdentity,
    Ejection, Endpoint, EndpointSet, HashSource, Name, PartKind, ProxyProtocolVersion, Reach,
    RetryBudget, SlowStart, SubjectAltName, TrustRoots,
};

pub(super) fn write(backend: &Backend) -> messages::Backend {
    let Backend { key, endpoints, protocol, tls, policy } = backend;
    messages::Backend {
        key: Some(key::write(key)),
        endpoints: Some(key::write(endpoints)),
        protocol: protocol.number(),
        tls: Some(match tls {
            Ok(None) => Encryption::Plain(Empty {}),
            Ok(Some(tls)) => Encryption::Tls(write_tls(tls)),
            Err(cause) => Encryption::Refused(cause.word().to_owned()),
        }),
        policy: Some(write_policy(policy)),
    }
}

pub(super) fn read(backend: messages::Backend) -> Result<Backend, WireError> {
    let messages::Backend { key, endpoints, protocol, tls, policy } = backend;
    Ok(Backend {
        key: key::read_of(key, PartKind::Backend)?,
        endpoints: key::read_of(endpoints, PartKind::EndpointSet)?,
        protocol: BackendProtocol::from_number(protocol)?,
        tls: match some("TLS", tls)? {
            Encryption::Plain(Empty {}) => Ok(None),
            Encryption::Tls(tls) => Ok(Some(Arc::new(read_tls(tls)?))),
            Encryption::Refused(word) => Err(cause(&word)?),
        },
        policy: Arc::new(read_policy(some("policy", policy)?)?),
    })
}

fn write_tls(tls: &BackendTls) -> messages::BackendTls {
    let BackendTls { roots, server_name, subject_alt_names, identity } = tls;
    let alt_name = |name: &SubjectAltName| messages::SubjectAltName {
        one: Some(match name {
            SubjectAltName::Dns(name) => AltName::Dns(name.to_string()),
            SubjectAltName::Uri(uri) => AltName::Uri(uri.to_string()),
        }),
    };
    messages::BackendTls {
        roots: Some(match roots {
            TrustRoots::System => messages::TrustRoots::System(Empty {}),
            TrustRoots::Bundle(bundle) => {
                messages::TrustRoots::Bundle(messages::Bundle { certificates: bundle.to_vec() })
            }
        }),
        server_name: server_name.to_string(),
        subject_alt_names: subject_alt_names.iter().map(alt_name).collect(),
        identity: identity.as_ref().map(|ClientIdentity(key)| key::write(key)),
    }
}

fn read_tls(tls: messages::BackendTls) -> Result<BackendTls, WireError> {
    let messages::BackendTls { roots, server_name, subject_alt_names, identity } = tls;
    let alt_name = |name: messages::SubjectAltName| match some("subject name", name.one)? {
        AltName::Dns(name) => Ok(SubjectAltName::Dns(hostname(&name)?.as_str().into())),
        AltName::Uri(uri) => Ok(SubjectAltName::Uri(plain("subject name", &uri)?)),
    };
    let identity = match identity {
        Some(key) => Some(ClientIdentity(key::read_of(Some(key), PartKind::Certificate)?)),
        None => None,
    };
    Ok(BackendTls {
        roots: match some("trust roots", roots)? {
            messages::TrustRoots::System(Empty {}) => TrustRoots::System,
            messages::TrustRoots::Bundle(messages::Bundle { certificates }) => {
                TrustRoots::Bundle(certificates.into())
            }
        },
        server_name: exact_hostname(&server_name)?.as_str().into(),
        subject_alt_names: all(subject_alt_names, alt_name)?,
        identity,
    })
}

fn write_policy(policy: &BackendPolicy) -> messages::BackendPolicy {
    let BackendPolicy {
        balance,
        connect_timeout,
        retry_budget: RetryBudget { percent, floor_per_second },
        ejection: Ejection { consecutive_failures, base, max, max_percent },
        slow_start,
        proxy_protocol,
        max_idle_per_endpoint,
        max_requests,
    } = policy;
    messages::BackendPolicy {
        balance: Some(write_balance(balance)),
        connect_timeout: nanoseconds(*connect_timeout),
        retry_budget: Some(messages::RetryBudget {
            percent: *percent,
            floor_per_second: *floor_per_second,
        }),
        ejection: Some(messages::Ejection {
            consecutive_failures: *consecutive_failures,
            base: nanoseconds(*base),
            max: nanoseconds(*max),
            max_percent: *max_percent,
        }),
        slow_start_window: slow_start.as_ref().map(|SlowStart { window }| nanoseconds(*window)),
        proxy_protocol: proxy_protocol.as_ref().map(Numbered::number),
        max_idle_per_endpoint: *max_idle_per_endpoint,
        max_requests: *max_requests,
    }
}

fn read_policy(policy: messages::BackendPolicy) -> Result<BackendPolicy, WireError> {
    let messages::BackendPolicy {
        balance,
        connect_timeout,
        retry_budget,
        ejection,
        slow_start_window,
        proxy_protocol,
        max_idle_per_endpoint,
        max_requests,
    } = policy;
    let messages::RetryBudget { percent, floor_per_second } = some("retry budget", retry_budget)?;
    Ok(BackendPolicy {
        balance: read_balance(some("balance", balance)?)?,
        connect_timeout: Duration::from_nanos(connect_timeout),
        retry_budget: RetryBudget { percent: percentage(percent)?, floor_per_second },
        ejection: read_ejection(some("ejection", ejection)?)?,
        slow_start: slow_start_window
            .map(|window| SlowStart { window: Duration::from_nanos(window) }),
        proxy_protocol: proxy_protocol.map(ProxyProtocolVersion::from_number).transpose()?,
        max_idle_per_endpoint,
        max_requests,
    })
}

fn read_ejection(ejection: messages::Ejection) -> Result<Ejection, WireError> {
    let messages::Ejection { consecutive_failures, base, max, max_percent } = ejection;
    if max < base {
        return Err(invalid("ejection", "the longest is shorter than the first"));
    }
    Ok(Ejection {
        consecutive_failures,
        base: Duration::from_nanos(base),
        max: Duration::from_nanos(max),
        max_percent: percentage(max_percent)?,
    })
}

fn percentage(percent: u32) -> Result<u32, WireError> {
    if percent <= 100 { Ok(percent) } else { Err(invalid("percentage", percent.to_string())) }
}

fn write_balance(balance: &Balance) -> messages::Balance {
    let source = |source: &HashSource| messages::HashSource {
        one: Some(match source {
            HashSource::ClientAddress => Hashed::ClientAddress(Empty {}),
            HashSource::Header(name) => Hashed::Header(name.to_string()),
            HashSource::Cookie(name) => Hashed::Cookie(name.to_string()),
            HashSource::Path => Hashed::Path(Empty {}),
        }),
    };
    match balance {
        Balance::LeastRequest => messages::Balance::LeastRequest(Empty {}),
        Balance::RoundRobin => messages::Balance::RoundRobin(Empty {}),
        Balance::Random => messages::Balance::Random(Empty {}),
        Balance::ConsistentHash(on) => messages::Balance::ConsistentHash(source(on)),
    }
}

fn read_balance(balance: messages::Balance) -> Result<Balance, WireError> {
    Ok(match balance {
        messages::Balance::LeastRequest(Empty {}) => Balance::LeastRequest,
        messages::Balance::RoundRobin(Empty {}) => Balance::RoundRobin,
        messages::Balance::Random(Empty {}) => Balance::Random,
        messages::Balance::ConsistentHash(source) => {
            Balance::ConsistentHash(match some("source of the hash", source.one)? {
                Hashed::ClientAddress(Empty {}) => HashSource::ClientAddress,
                Hashed::Header(name) => HashSource::Header(header_name(&name)?),
                Hashed::Cookie(name) => HashSource::Cookie(token("cookie's name", &name)?),
                Hashed::Path(Empty {}) => HashSource::Path,
            })
        }
    })
}

pub(super) fn write_endpoints(set: &EndpointSet) -> messages::EndpointSet {
    let EndpointSet { key, endpoints, empty, reach } = set;
    let endpoint = |endpoint: &Endpoint| {
        let Endpoint { address, alternate, weight } = endpoint;
        messages::Endpoint {
            address: Some(write_address(address)),
            alternate: alternate.map(|address| address.to_string()),
            weight: *weight,
        }
    };
    messages::EndpointSet {
        key: Some(key::write(key)),
        endpoints: endpoints.iter().map(endpoint).collect(),
        empty: empty.map(|cause| cause.word().to_owned()),
        reach: reach.as_deref().map(write_reach),
    }
}

pub(super) fn read_endpoints(set: messages::EndpointSet) -> Result<EndpointSet, WireError> {
    let messages::EndpointSet { key, endpoints, empty, reach } = set;
    let endpoint = |endpoint: messages::Endpoint| {
        let messages::Endpoint { address, alternate, weight } = endpoint;
        Ok(Endpoint {
            address: read_address(some("address", address)?)?,
            alternate: alternate.as_deref().map(socket).transpose()?,
            weight,
        })
    };
    Ok(EndpointSet {
        key: key::read_of(key, PartKind::EndpointSet)?,
        endpoints: all(endpoints, endpoint)?,
        empty: empty.as_deref().map(cause).transpose()?,
        reach: reach.map(read_reach).transpose()?.map(Arc::new),
    })
}

fn write_reach(Reach { local, closed }: &Reach) -> messages::Reach {
    messages::Reach { local: *local, closed: closed.iter().map(ToString::to_string).collect() }
}

fn read_reach(messages::Reach { local, closed }: messages::Reach) -> Result<Reach, WireError> {
    let closed: Result<_, _> = closed.iter().map(|text| ip(text)).collect();
    Ok(Reach { local, closed: closed? })
}

fn write_address(address: &Address) -> messages::Address {
    match address {
        Address::Socket(address) => messages::Address::Socket(address.to_string()),
        Address::Unix(path) => messages::Address::Unix(path.to_string()),
        Address::Dns { host, port } => messages::Address::Dns(messages::DnsAddress {
            host: host.to_string(),
            port: (*port).into(),
        }),
    }
}

fn read_address(address: messages::Address) -> Result<Address, WireError> {
    Ok(match address {
        messages::Address::Socket(text) => Address::Socket(socket(&text)?),
        messages::Address::Unix(path) => Address::Unix(unix(&path)?),
        messages::Address::Dns(messages::DnsAddress { host, port: number }) => {
            Address::Dns { host: dns_name(&host)?, port: port("address", number)? }
        }
    })
}

fn unix(path: &str) -> Result<Name, WireError> {
    if !path.starts_with(['/', '@']) || path.contains('\0') {
        return Err(invalid("path of a socket", format!("`{path}`")));
    }
    Ok(path.into())
}

/// What a resolver is asked for; containers' names have underscores.
fn dns_name(host: &str) -> Result<Name, WireError> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if host.is_empty() || !host.bytes().all(fine) {
        return Err(invalid("address", format!("`{host}` is no name")));
    }
    Ok(host.into())
}
