//! Endpoints as people write them: `HOST:PORT`, `[::1]:PORT`, `unix:/path`.

use std::net::{IpAddr, SocketAddr};

use crate::model::{Address, Hostname};

/// Why a text is no endpoint; reads as the end of "`x` is not an endpoint: …".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    NoPort,
    BadPort,
    BadHost,
    BadPath,
}

impl std::fmt::Display for AddressError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoPort => "it has no port, as in `HOST:PORT`",
            Self::BadPort => "its port is not a number from 1 to 65535",
            Self::BadHost => {
                "its host is neither a name nor an address (IPv6 in brackets: `[::1]:80`)"
            }
            Self::BadPath => "a Unix socket is `unix:/path` or `unix:@name`, of at most 107 bytes",
        })
    }
}

/// The kernel's `sun_path` holds 108 bytes with its end.
const UNIX_PATH_BYTES: usize = 107;

/// Reads an endpoint. Names stay names, to be resolved later.
pub fn parse_address(text: &str) -> Result<Address, AddressError> {
    if let Some(path) = text.strip_prefix("unix:") {
        let absolute = path.starts_with('/') || (path.starts_with('@') && path.len() > 1);
        if !absolute || path.len() > UNIX_PATH_BYTES || path.contains('\0') {
            return Err(AddressError::BadPath);
        }
        return Ok(Address::Unix(path.into()));
    }
    let (host, port) = text.rsplit_once(':').ok_or(AddressError::NoPort)?;
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let port =
        port.parse().ok().filter(|port| *port != 0 && digits).ok_or(AddressError::BadPort)?;
    if let Some(v6) = host.strip_prefix('[') {
        let v6 = v6.strip_suffix(']').and_then(|v6| v6.parse().ok());
        let ip = v6.ok_or(AddressError::BadHost)?;
        return Ok(Address::Socket(SocketAddr::new(IpAddr::V6(ip), port)));
    }
    named(host, port).ok_or(AddressError::BadHost)
}

/// An IPv4 address or a name; a bare IPv6 address can't be told from its port.
fn named(host: &str, port: u16) -> Option<Address> {
    if let Ok(ip) = host.parse::<std::net::Ipv4Addr>() {
        return Some(Address::Socket(SocketAddr::new(ip.into(), port)));
    }
    let name = Hostname::parse(dotless(host)).ok().filter(|name| !name.is_wildcard())?;
    // `1.2.3` and `0x7f.1` are addresses to some resolvers and names to others.
    let last = name.as_str().rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    (!numeric).then(|| Address::Dns { host: name.as_str().into(), port })
}

/// The name without the root's dot.
pub(super) fn dotless(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}
