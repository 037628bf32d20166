//! Listeners and their settings.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::check::{all, hostname, invalid, ip, nanoseconds, port, some, token};
use super::key;
use super::messages;
use super::numbers::Numbered;
use super::{WireError, messages::ListenerProtocol as Protocol};
use crate::limits;
use crate::model::{
    AccessLogFormat, BindAddress, ClientAuth, ClientAuthMode, Listener, ListenerProtocol,
    ListenerSettings, ListenerTls, PartKind, Scope, TlsVersion,
};

pub(super) fn write(listener: &Listener) -> messages::Listener {
    let Listener {
        key,
        gateway,
        scope: Scope { namespace, name, shared },
        bind: BindAddress { ip, port: bind_port },
        port,
        hostname,
        protocol,
        settings,
    } = listener;
    messages::Listener {
        key: Some(key::write(key)),
        gateway: Some(key::write_object(gateway)),
        scope_namespace: namespace.to_string(),
        scope_name: name.to_string(),
        scope_shared: *shared,
        bind_ip: ip.map(|ip| ip.to_string()),
        bind_port: (*bind_port).into(),
        port: (*port).into(),
        hostname: hostname.as_ref().map(ToString::to_string),
        protocol: Some(match protocol {
            ListenerProtocol::Http => Protocol::Http(messages::Empty {}),
            ListenerProtocol::Https(tls) => Protocol::Https(write_tls(tls)),
        }),
        settings: Some(write_settings(settings)),
    }
}

pub(super) fn read(listener: messages::Listener) -> Result<Listener, WireError> {
    let messages::Listener {
        key,
        gateway,
        scope_namespace,
        scope_name,
        scope_shared: shared,
        bind_ip,
        bind_port,
        port: named_port,
        hostname: host,
        protocol,
        settings,
    } = listener;
    Ok(Listener {
        key: key::read_of(key, PartKind::Listener)?,
        gateway: key::read_object(some("gateway", gateway)?)?,
        scope: Scope { namespace: scope_namespace.into(), name: scope_name.into(), shared },
        bind: BindAddress {
            ip: bind_ip.as_deref().map(ip).transpose()?,
            port: port("bind address", bind_port)?,
        },
        port: port("port", named_port)?,
        hostname: host.as_deref().map(hostname).transpose()?,
        protocol: match some("protocol", protocol)? {
            Protocol::Http(messages::Empty {}) => ListenerProtocol::Http,
            Protocol::Https(tls) => ListenerProtocol::Https(read_tls(tls)?),
        },
        settings: Arc::new(read_settings(some("settings", settings)?)?),
    })
}

fn write_tls(tls: &ListenerTls) -> messages::ListenerTls {
    let ListenerTls { certificates, client_auth, min_version } = tls;
    messages::ListenerTls {
        certificates: certificates.iter().map(key::write_reference).collect(),
        client_auth: client_auth.as_ref().map(|ClientAuth { roots, mode }| messages::ClientAuth {
            roots: roots.to_vec(),
            mode: mode.number(),
        }),
        min_version: min_version.number(),
    }
}

fn read_tls(tls: messages::ListenerTls) -> Result<ListenerTls, WireError> {
    let messages::ListenerTls { certificates, client_auth, min_version } = tls;
    let client_auth = match client_auth {
        Some(messages::ClientAuth { roots, mode }) => {
            Some(ClientAuth { roots: roots.into(), mode: ClientAuthMode::from_number(mode)? })
        }
        None => None,
    };
    Ok(ListenerTls {
        certificates: all(certificates, |one| key::read_reference(one, PartKind::Certificate))?,
        client_auth,
        min_version: TlsVersion::from_number(min_version)?,
    })
}

fn write_settings(settings: &ListenerSettings) -> messages::ListenerSettings {
    let ListenerSettings {
        trusted_hops,
        proxy_protocol_from,
        idle_timeout,
        request_head_timeout,
        stream_idle_timeout,
        drain_timeout,
        max_header_bytes,
        access_log,
        via,
    } = settings;
    let network = |(ip, prefix): &(IpAddr, u8)| messages::Network {
        ip: ip.to_string(),
        prefix: (*prefix).into(),
    };
    messages::ListenerSettings {
        trusted_hops: (*trusted_hops).into(),
        proxy_protocol_from: proxy_protocol_from.iter().map(network).collect(),
        idle_timeout: nanoseconds(*idle_timeout),
        request_head_timeout: nanoseconds(*request_head_timeout),
        stream_idle_timeout: nanoseconds(*stream_idle_timeout),
        drain_timeout: nanoseconds(*drain_timeout),
        max_header_bytes: *max_header_bytes,
        access_log: access_log.as_ref().map(Numbered::number),
        via: via.to_string(),
    }
}

fn read_settings(settings: messages::ListenerSettings) -> Result<ListenerSettings, WireError> {
    let messages::ListenerSettings {
        trusted_hops,
        proxy_protocol_from,
        idle_timeout,
        request_head_timeout,
        stream_idle_timeout,
        drain_timeout,
        max_header_bytes,
        access_log,
        via,
    } = settings;
    let hops = u8::try_from(trusted_hops);
    if max_header_bytes as usize > limits::HEAD_BYTES {
        let why = format!("{max_header_bytes} is above {}", limits::HEAD_BYTES);
        return Err(invalid("largest header", why));
    }
    Ok(ListenerSettings {
        trusted_hops: hops.map_err(|_| invalid("trusted hops", trusted_hops.to_string()))?,
        proxy_protocol_from: all(proxy_protocol_from, network)?,
        idle_timeout: Duration::from_nanos(idle_timeout),
        request_head_timeout: Duration::from_nanos(request_head_timeout),
        stream_idle_timeout: Duration::from_nanos(stream_idle_timeout),
        drain_timeout: Duration::from_nanos(drain_timeout),
        max_header_bytes,
        access_log: access_log.map(AccessLogFormat::from_number).transpose()?,
        via: token("name in Via", &via)?,
    })
}

fn network(written: messages::Network) -> Result<(IpAddr, u8), WireError> {
    let messages::Network { ip: text, prefix } = written;
    let ip = ip(&text)?;
    let most = if ip.is_ipv4() { 32 } else { 128 };
    let prefix = u8::try_from(prefix).ok().filter(|prefix| *prefix <= most);
    Ok((ip, prefix.ok_or_else(|| invalid("network", format!("the prefix of {text}")))?))
}
