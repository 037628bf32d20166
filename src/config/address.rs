//! Addresses as people write them, in files and on the command line: endpoints (`HOST:PORT`,
//! `[::1]:PORT`, `unix:/path`) and where to listen (`:8080`, `127.0.0.1:8080`, `[::1]:8080`).
//!
//! This module must not know who asks: an error names the mistake and its remedy, not its place.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::model::{Address, BindAddress};

#[cfg(test)]
mod tests;

/// Why a text is no address, and what to write; reads as the end of "`x` is not an endpoint: …".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// `http://shop:80/x`, with the address that is in it.
    Scheme(String),
    NoPort,
    NoHost,
    BadPort(String),
    /// An IPv6 address, which can't be told from its port.
    Brackets,
    BadHost(String),
    BadPath,
    LongPath,
    /// Where to listen is told by a number alone.
    BarePort(String),
    /// Where to listen is told by a name, which may stand for several addresses.
    Name {
        host: String,
        port: u16,
    },
}

impl std::fmt::Display for AddressError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scheme(rest) => {
                write!(f, "an address has neither scheme nor path: write `{rest}`")
            }
            Self::NoPort => f.write_str("it has no port, as in `HOST:PORT`"),
            Self::NoHost => f.write_str("it has no host, as in `localhost:3000`"),
            Self::BadPort(port) => {
                write!(f, "its port `{port}` is not a number from 1 to 65535")
            }
            Self::Brackets => f.write_str("an IPv6 address stands in brackets, as in `[::1]:80`"),
            Self::BadHost(host) => {
                write!(f, "`{host}` is neither a host name nor an IP address")
            }
            Self::BadPath => {
                f.write_str("a Unix socket is `unix:/path`, or `unix:@name` without a file")
            }
            Self::LongPath => {
                write!(f, "the path of a Unix socket has at most {UNIX_PATH_BYTES} bytes")
            }
            Self::BarePort(port) => write!(
                f,
                "a port has a colon in front: `:{port}`, or `127.0.0.1:{port}` for this machine alone"
            ),
            Self::Name { host, port } => {
                write!(
                    f,
                    "`{host}` is not an IP address, as in `127.0.0.1:{port}` or `[::1]:{port}`"
                )
            }
        }
    }
}

impl std::error::Error for AddressError {}

/// The kernel's `sun_path` holds 108 bytes with its end.
const UNIX_PATH_BYTES: usize = 107;
/// The longest name of DNS (RFC 1035 §2.3.4), in text.
const DNS_NAME_BYTES: usize = 253;
/// What of a wrong text is repeated to its author.
const SHOWN: usize = 64;

/// Reads an endpoint. Names stay names, to be resolved later.
pub fn endpoint(text: &str) -> Result<Address, AddressError> {
    no_scheme(text)?;
    if let Some(path) = text.strip_prefix("unix:") {
        return unix(path);
    }
    let (host, port) = host_and_port(text)?;
    match ip(host) {
        Some(ip) => Ok(Address::Socket(SocketAddr::new(ip, port))),
        None => Ok(Address::Dns { host: dns_name(host)?.into(), port }),
    }
}

/// Reads where to listen; `:8080` and `*:8080` are every address of the machine.
pub fn bind(text: &str) -> Result<BindAddress, AddressError> {
    no_scheme(text)?;
    if port(text).is_ok() {
        return Err(AddressError::BarePort(text.to_owned()));
    }
    let (host, port) = match text.strip_prefix(':') {
        Some(digits) if !digits.contains(':') => ("*", port(digits)?),
        _ => host_and_port(text)?,
    };
    if host == "*" {
        return Ok(BindAddress { ip: None, port });
    }
    match ip(host) {
        Some(ip) => Ok(BindAddress { ip: Some(ip), port }),
        None => Err(AddressError::Name { host: shown(host), port }),
    }
}

/// Reads a port that can be named: 1 to 65535, digits alone.
pub fn port(text: &str) -> Result<u16, AddressError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|port| digits && *port != 0);
    port.ok_or_else(|| AddressError::BadPort(shown(text)))
}

fn no_scheme(text: &str) -> Result<(), AddressError> {
    match text.split_once("://") {
        Some((_, rest)) => Err(AddressError::Scheme(shown(rest.split('/').next().unwrap_or(rest)))),
        None => Ok(()),
    }
}

fn unix(path: &str) -> Result<Address, AddressError> {
    if !path.starts_with(['/', '@']) || path.len() == 1 || path.contains('\0') {
        return Err(AddressError::BadPath);
    }
    if path.len() > UNIX_PATH_BYTES {
        return Err(AddressError::LongPath);
    }
    Ok(Address::Unix(path.into()))
}

fn host_and_port(text: &str) -> Result<(&str, u16), AddressError> {
    if text.parse::<Ipv6Addr>().is_ok() {
        return Err(AddressError::Brackets);
    }
    let (host, digits) = text.rsplit_once(':').ok_or(AddressError::NoPort)?;
    if text.ends_with([':', ']']) {
        return Err(AddressError::NoPort);
    }
    if host.is_empty() {
        return Err(AddressError::NoHost);
    }
    if host.parse::<Ipv6Addr>().is_ok() {
        return Err(AddressError::Brackets);
    }
    Ok((host, port(digits)?))
}

/// An IPv4 address, or an IPv6 address in brackets.
fn ip(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

/// A name that a resolver can be asked for, in lower case and without the root's dot. Underscores
/// are allowed, because containers have them.
fn dns_name(host: &str) -> Result<String, AddressError> {
    let name = dotless(host).to_ascii_lowercase();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    // `256.1.1.1`, `127.1` and `0x7f.1` are addresses to some resolvers and names to others; a
    // last label that is a number makes them addresses (WHATWG URL).
    let last = name.rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    let valid = name.len() <= DNS_NAME_BYTES && name.split('.').all(label) && !numeric;
    if valid { Ok(name) } else { Err(AddressError::BadHost(shown(host))) }
}

/// The name without the root's dot.
pub(super) fn dotless(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
