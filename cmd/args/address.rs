//! Addresses on the command line, and the mistakes that people make with them.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use meshctl::model::{Address, BindAddress};

use super::port;

/// The largest weight of the Gateway API (`HTTPBackendRef.weight`).
const WEIGHT_MAX: u32 = 1_000_000;
/// `sun_path` of Linux without its closing NUL.
const UNIX_PATH_BYTES: usize = 107;
/// The longest name of DNS (RFC 1035 §2.3.4), in text.
const DNS_NAME_BYTES: usize = 253;

/// `--to localhost:3000=90`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub address: Address,
    /// 1 where none is given.
    pub weight: u32,
}

/// Reads `HOST:PORT`, `[::1]:PORT` or `unix:/path`, and `=WEIGHT` after it. The last `=` counts,
/// so a path may hold one when a weight follows.
pub fn target(text: &str) -> Result<Target, String> {
    let Some((address_text, weight)) = text.rsplit_once('=') else {
        return Ok(Target { address: address(text)?, weight: 1 });
    };
    let weight =
        weight.parse().ok().filter(|weight| *weight <= WEIGHT_MAX).ok_or_else(|| {
            format!("`{weight}` is not a weight: a number from 0 to {WEIGHT_MAX}")
        })?;
    Ok(Target { address: address(address_text)?, weight })
}

/// Reads where a backend is.
pub fn address(text: &str) -> Result<Address, String> {
    if let Some((scheme, rest)) = text.split_once("://") {
        let rest = rest.split('/').next().unwrap_or(rest);
        return Err(format!("an address has no scheme and no path: {rest}, without {scheme}://"));
    }
    if let Some(path) = text.strip_prefix("unix:") {
        return unix(path);
    }
    let (host, port) = host_and_port(text)?;
    match parse_ip(host) {
        Some(ip) => Ok(Address::Socket(SocketAddr::new(ip, port))),
        None => Ok(Address::Dns { host: dns_name(host)?.into(), port }),
    }
}

/// Reads where to listen: `:8080` and `*:8080` are every address of the machine.
pub fn bind_address(text: &str) -> Result<BindAddress, String> {
    if let Some((scheme, rest)) = text.split_once("://") {
        return Err(format!("an address has no scheme: {rest}, without {scheme}://"));
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!(
            "a port has a colon in front: :{text}, or 127.0.0.1:{text} for this machine alone"
        ));
    }
    let (host, port) = match text.strip_prefix(':') {
        Some(digits) if !digits.contains(':') => ("", port(digits)?.get()),
        _ => host_and_port(text)?,
    };
    let ip = match host {
        "" | "*" => None,
        "localhost" => {
            return Err(format!("listen on an IP address: 127.0.0.1:{port} or [::1]:{port}"));
        }
        host => Some(parse_ip(host).ok_or_else(|| format!("`{host}` is not an IP address"))?),
    };
    Ok(BindAddress { ip, port })
}

fn unix(path: &str) -> Result<Address, String> {
    if !path.starts_with(['/', '@']) || path.len() == 1 {
        return Err("unix: takes an absolute path, or @NAME in Linux' abstract space".to_owned());
    }
    if path.len() > UNIX_PATH_BYTES {
        return Err(format!("the path of a Unix socket has at most {UNIX_PATH_BYTES} bytes"));
    }
    Ok(Address::Unix(path.into()))
}

fn host_and_port(text: &str) -> Result<(&str, u16), String> {
    if text.parse::<Ipv6Addr>().is_ok() {
        return Err(format!("an IPv6 address stands in brackets: [{text}]:PORT"));
    }
    let Some((host, digits)) = text.rsplit_once(':') else {
        return Err(format!("`{text}` has no port: HOST:PORT"));
    };
    if host.is_empty() {
        return Err(format!("`{text}` has no host: localhost{text}"));
    }
    Ok((host, port(digits)?.get()))
}

/// An IPv4 address, or an IPv6 address in brackets.
fn parse_ip(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse::<std::net::Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

/// A name that a resolver can be asked for. Underscores are allowed: containers have them.
fn dns_name(host: &str) -> Result<String, String> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let all_digits = |last: &str| last.bytes().all(|byte| byte.is_ascii_digit());
    let name = host.strip_suffix('.').unwrap_or(host);
    let valid = name.len() <= DNS_NAME_BYTES
        && name.split('.').all(label)
        // `256.1.1.1` and `127.1` are no names: a last label of digits is an address (WHATWG URL).
        && !name.rsplit('.').next().is_some_and(all_digits);
    if valid {
        Ok(host.to_ascii_lowercase())
    } else {
        Err(format!("`{host}` is neither a host name nor an IP address"))
    }
}
