//! `host[:port]`, checked and in one spelling.
//!
//! Stricter than RFC 3986 §3.2.2: no userinfo, no escapes, no sub-delims, no zone, no IPvFuture.
//! None of them is a name that a listener could have, and each is read in two ways somewhere.

use std::fmt::Write;
use std::net::Ipv6Addr;

use crate::limits;

/// Appends the one spelling of `raw`: lower case, IPv6 as RFC 5952 writes it, no empty port.
/// The error says what is wrong.
pub fn write_authority(raw: &[u8], out: &mut String) -> Result<(), &'static str> {
    if raw.is_empty() {
        return Err("an empty host (RFC 9110 §4.2.1)");
    }
    if raw.len() > limits::AUTHORITY_BYTES {
        return Err("a host that is longer than any name (RFC 1035 §2.3.4)");
    }
    let port = if raw[0] == b'[' { write_ipv6(raw, out)? } else { write_name(raw, out)? };
    match port {
        Some(b"") | None => Ok(()),
        Some(port) => write_port(port, out),
    }
}

/// Gives back what follows the colon.
fn write_name<'a>(raw: &'a [u8], out: &mut String) -> Result<Option<&'a [u8]>, &'static str> {
    let (name, port) = match memchr::memchr(b':', raw) {
        Some(colon) => (&raw[..colon], Some(&raw[colon + 1..])),
        None => (raw, None),
    };
    let mut label = 0;
    for &byte in name {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => label += 1,
            b'.' if label > 0 => label = 0,
            b'.' => return Err("an empty label in the host (RFC 1035 §2.3.1)"),
            b'@' => return Err("userinfo in the host (RFC 9110 §4.2.4)"),
            _ => return Err(BAD_NAME),
        }
    }
    if name.is_empty() {
        return Err("an empty host (RFC 9110 §4.2.1)");
    }
    let start = out.len();
    out.push_str(std::str::from_utf8(name).map_err(|_| BAD_NAME)?);
    out[start..].make_ascii_lowercase();
    Ok(port)
}

const BAD_NAME: &str = "a character in the host that no name has (RFC 3986 §3.2.2)";

fn write_ipv6<'a>(raw: &'a [u8], out: &mut String) -> Result<Option<&'a [u8]>, &'static str> {
    const BAD: &str = "a host in brackets that is no IPv6 address (RFC 3986 §3.2.2)";
    let close = memchr::memchr(b']', raw).ok_or(BAD)?;
    let port = match &raw[close + 1..] {
        [] => None,
        [b':', port @ ..] => Some(port),
        _ => return Err(BAD),
    };
    let text = std::str::from_utf8(&raw[1..close]).map_err(|_| BAD)?;
    let address: Ipv6Addr = text.parse().map_err(|_| BAD)?;
    write!(out, "[{address}]").map_err(|_| BAD)?;
    Ok(port)
}

fn write_port(port: &[u8], out: &mut String) -> Result<(), &'static str> {
    const BAD: &str = "a port that is no number from 1 to 65535 (RFC 3986 §3.2.3)";
    let canonical = port.len() <= 5 && port[0] != b'0' && port.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(port).map_err(|_| BAD)?;
    if !canonical || text.parse::<u16>().is_err() {
        return Err(BAD);
    }
    out.push(':');
    out.push_str(text);
    Ok(())
}

#[cfg(test)]
mod tests;
