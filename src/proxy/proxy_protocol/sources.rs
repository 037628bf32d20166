//! Who must speak the PROXY protocol.

use std::net::IpAddr;

/// A set of networks. Listeners list a handful, so a scan beats a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    networks: Vec<Network>,
}

/// IPv4 as its mapped IPv6 network, so that a peer on a dual-stack socket is found either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    bits: u128,
    mask: u128,
}

impl Sources {
    /// From (network address, prefix length); bits behind the prefix don't count, and a prefix
    /// that is too long for its family stands for the one address.
    pub fn new(networks: &[(IpAddr, u8)]) -> Self {
        Self { networks: networks.iter().map(|(ip, prefix)| Network::new(*ip, *prefix)).collect() }
    }

    /// Nobody speaks it: connections need no look at their first bytes.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// A connection from `peer` must start with a header.
    pub fn contains(&self, peer: IpAddr) -> bool {
        let bits = bits(peer);
        self.networks.iter().any(|network| bits & network.mask == network.bits)
    }
}

impl Network {
    fn new(ip: IpAddr, prefix: u8) -> Self {
        let longest = if ip.is_ipv4() { 32 } else { 128 };
        let host_bits = u32::from(longest - prefix.min(longest));
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        Self { bits: bits(ip) & mask, mask }
    }
}

fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}
