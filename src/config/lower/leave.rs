//! Where routes of a cluster may not lead without the administrator's leave: their authors are not
//! the proxy's owners, and what listens beside the proxy trusts whoever can reach it.
//!
//! Names that only resolve to such an address are not seen here.

use std::net::{IpAddr, Ipv6Addr};

use crate::config::address::dotless;
use crate::config::flags::Options;
use crate::config::raw::Spec;
use crate::model::Address;

/// Why a Service or Backend may not be sent to, as a sentence's end.
pub(super) fn forbidden(options: &Options, spec: &Spec) -> Option<String> {
    if !options.cluster {
        return None;
    }
    match spec {
        Spec::Backend(backend) => {
            backend.endpoints.iter().find_map(|(address, _)| refused(options, &address.value))
        }
        Spec::Service(service) if !options.allow_external_names => {
            let named = &*service.kind.value == "ExternalName";
            named.then(|| "ExternalName Services are not allowed in this cluster".to_owned())
        }
        _ => None,
    }
}

/// The same of one address of an EndpointSlice: who writes Services without a selector writes
/// these too.
pub(super) fn forbidden_endpoint(options: &Options, address: &Address) -> Option<String> {
    if !options.cluster {
        return None;
    }
    match address {
        Address::Dns { .. } if !options.allow_external_names => {
            Some(format!("`{address}` is a name, and those are not allowed in this cluster"))
        }
        _ => refused(options, address),
    }
}

fn refused(options: &Options, address: &Address) -> Option<String> {
    let what = match address {
        Address::Unix(_) => Some("a Unix socket"),
        Address::Dns { host, .. } => of_name(host),
        Address::Socket(socket) => {
            let ip = socket.ip().to_canonical();
            // No leave opens the API server.
            if options.forbidden.contains(&ip) {
                return Some(format!("`{address}` is the API server"));
            }
            of_ip(ip)
        }
    };
    let what = what.filter(|_| !options.allow_local_backends)?;
    Some(format!("`{address}` is {what}"))
}

fn of_ip(ip: IpAddr) -> Option<&'static str> {
    /// Instance metadata where a cloud has only IPv6.
    const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    let link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip == METADATA,
    };
    match ip {
        _ if ip.is_loopback() => Some("the proxy itself"),
        _ if ip.is_unspecified() => Some("the proxy itself"),
        _ if link_local => Some("on the node's own link"),
        _ if ip.is_multicast() => Some("a multicast address"),
        _ => None,
    }
}

fn of_name(host: &str) -> Option<&'static str> {
    let host = dotless(host).to_ascii_lowercase();
    if host == "localhost" || host.ends_with(".localhost") {
        return Some("the proxy itself");
    }
    let is_api = host == "kubernetes.default" || host.starts_with("kubernetes.default.");
    is_api.then_some("the API server")
}
