//! What texts and numbers have to be before they are believed.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use super::WireError;
use crate::model::{Cause, FRAMING, Hostname, Name, Pattern, pattern};

pub(super) fn invalid(what: &'static str, why: impl Into<String>) -> WireError {
    WireError::Invalid { what, why: why.into() }
}

pub(super) fn some<T>(what: &'static str, value: Option<T>) -> Result<T, WireError> {
    value.ok_or(WireError::Missing(what))
}

pub(super) fn all<T, U>(
    written: Vec<T>,
    read: impl Fn(T) -> Result<U, WireError>,
) -> Result<Vec<U>, WireError> {
    written.into_iter().map(read).collect()
}

pub(super) fn nanoseconds(time: Duration) -> u64 {
    // Nobody waits for 584 years.
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

pub(super) fn port(what: &'static str, number: u32) -> Result<u16, WireError> {
    let port = u16::try_from(number).ok().filter(|port| *port != 0);
    port.ok_or_else(|| invalid(what, format!("{number} is no port")))
}

pub(super) fn hostname(text: &str) -> Result<Hostname, WireError> {
    Hostname::parse(text).map_err(|why| invalid("hostname", format!("`{text}`: {why}")))
}

/// A hostname without a wildcard.
pub(super) fn exact_hostname(text: &str) -> Result<Hostname, WireError> {
    let host = hostname(text)?;
    match host.is_wildcard() {
        true => Err(invalid("hostname", format!("`{text}`: a wildcard can't stand here"))),
        false => Ok(host),
    }
}

pub(super) fn cause(word: &str) -> Result<Cause, WireError> {
    let known = Cause::from_word(word);
    known.ok_or_else(|| WireError::Unknown { what: "cause", value: word.to_owned() })
}

pub(super) fn regex(text: &str) -> Result<Pattern, WireError> {
    pattern::read(text).map_err(|why| invalid("regular expression", why))?;
    Ok(Pattern::checked(text))
}

/// A token of RFC 9110 §5.6.2.
pub(super) fn token(what: &'static str, text: &str) -> Result<Name, WireError> {
    let is_token = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    if is_token { Ok(text.into()) } else { Err(invalid(what, format!("`{text}` is no token"))) }
}

pub(super) fn header_name(text: &str) -> Result<Name, WireError> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(invalid("header name", format!("`{text}` is not in lower case")));
    }
    token("header name", text)
}

/// One that a route may change.
pub(super) fn editable_header(text: &str) -> Result<Name, WireError> {
    if FRAMING.contains(&text) {
        return Err(invalid("header name", format!("`{text}` belongs to the connection")));
    }
    header_name(text)
}

/// A field value of RFC 9110 §5.5.
pub(super) fn header_value(text: &str) -> Result<Name, WireError> {
    if text.chars().any(|c| c != '\t' && c.is_control()) {
        return Err(invalid("header value", "it holds control characters"));
    }
    Ok(text.into())
}

pub(super) fn plain(what: &'static str, text: &str) -> Result<Name, WireError> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(invalid(what, "it is empty or holds control characters"));
    }
    Ok(text.into())
}

/// What stands in a request target as it is.
pub(super) fn path(text: &str) -> Result<Name, WireError> {
    let fine = |byte: u8| byte.is_ascii_graphic() && !b"\\?#".contains(&byte);
    if text.starts_with('/') && text.bytes().all(fine) {
        return Ok(text.into());
    }
    Err(invalid("path", format!("`{text}`")))
}

/// In the one spelling that we write: another is damage, or a sender that means something else by it.
pub(super) fn ip(text: &str) -> Result<IpAddr, WireError> {
    spelled(text).ok_or_else(|| invalid("address", format!("`{text}`")))
}

/// With a port that can be asked.
pub(super) fn socket(text: &str) -> Result<SocketAddr, WireError> {
    let address = spelled(text).filter(|address: &SocketAddr| address.port() != 0);
    address.ok_or_else(|| invalid("address", format!("`{text}`")))
}

fn spelled<T: FromStr + ToString>(text: &str) -> Option<T> {
    text.parse().ok().filter(|value: &T| value.to_string() == text)
}
