//! The PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt), without I/O.
//!
//! A connection from a listed source must start with a header; one from anywhere else is read as
//! it is, so a header in it is a malformed request. Nothing here decides who is listed, reads a
//! socket or keeps a byte.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::limits;
use crate::model::ProxyProtocolVersion;

mod crc32c;
mod sources;
mod v1;
mod v2;

pub use sources::Sources;

/// What the bytes at the start of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// Good so far: read more. It ends by itself: no more than `limits::PROXY_PROTOCOL_BYTES` are
    /// ever asked for.
    Partial,
    /// The connection's own bytes start at `consumed`.
    Complete {
        consumed: usize,
        header: Header,
    },
    Invalid(Invalid),
}

/// Whose connection it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// The addresses at the far side of the proxy that sent the header; IPv4 is never mapped.
    Proxied { source: SocketAddr, destination: SocketAddr },
    /// The sender's own connection (a health check), or one whose addresses are no Internet
    /// addresses: those of the socket hold.
    Local,
}

/// The rule that is broken; reads as a sentence without a full stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid(&'static str);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Reads the header at the start of a connection from a listed source. `buf` holds all that has
/// come so far.
pub fn parse(buf: &[u8]) -> Parsed {
    if v2::may_start(buf) {
        v2::parse(buf)
    } else if v1::may_start(buf) {
        v1::parse(buf)
    } else {
        Parsed::Invalid(Invalid("the connection does not start with a PROXY header"))
    }
}

/// Appends a header, to be sent before anything else.
pub fn write(version: ProxyProtocolVersion, header: Header, out: &mut Vec<u8>) {
    match version {
        ProxyProtocolVersion::V1 => v1::write(header, out),
        ProxyProtocolVersion::V2 => v2::write(header, out),
    }
}

/// Both addresses in one family, as both versions want them: IPv4 beside IPv6 is mapped.
enum Pair {
    V4(Ipv4Addr, Ipv4Addr),
    V6(Ipv6Addr, Ipv6Addr),
}

fn pair(source: IpAddr, destination: IpAddr) -> Pair {
    let mapped = |ip| match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    match (source.to_canonical(), destination.to_canonical()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => Pair::V4(source, destination),
        (source, destination) => Pair::V6(mapped(source), mapped(destination)),
    }
}

fn proxied(source: (IpAddr, u16), destination: (IpAddr, u16)) -> Header {
    let address = |(ip, port): (IpAddr, u16)| SocketAddr::new(ip.to_canonical(), port);
    Header::Proxied { source: address(source), destination: address(destination) }
}

const _: () = assert!(limits::PROXY_PROTOCOL_BYTES >= v1::LINE_BYTES);

#[cfg(test)]
mod tests;
