//! Where routes of a cluster may not lead: their authors are not the proxy's owners, and what
//! listens beside the proxy trusts whoever can reach it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};

/// What the cluster's administrator leaves open. One rule for addresses as they are written and
/// for those that names resolve to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reach {
    /// The proxy itself and the node's own link are open as well.
    pub local: bool,
    /// The API server's addresses: nothing opens these.
    pub closed: BTreeSet<IpAddr>,
}

impl Reach {
    /// What the address is that may not be reached, as a sentence's end.
    pub fn refuses(&self, ip: IpAddr) -> Option<&'static str> {
        let ip = ip.to_canonical();
        if self.closed.contains(&ip) {
            return Some("the API server");
        }
        local(ip).filter(|_| !self.local)
    }
}

fn local(ip: IpAddr) -> Option<&'static str> {
    /// Instance metadata where a cloud has only IPv6.
    const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    let link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip == METADATA,
    };
    match ip {
        _ if ip.is_loopback() || ip.is_unspecified() => Some("the proxy itself"),
        _ if link_local => Some("on the node's own link"),
        _ if ip.is_multicast() => Some("a multicast address"),
        _ => None,
    }
}
