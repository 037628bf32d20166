//! Version 1: one line of text.

use std::io::Write;
use std::net::IpAddr;

use super::{Header, Invalid, Pair, Parsed, pair, proxied};

const PREFIX: &[u8] = b"PROXY ";
/// The longest line that the specification allows, its end included.
pub(super) const LINE_BYTES: usize = 107;

pub(super) fn may_start(buf: &[u8]) -> bool {
    buf.iter().zip(PREFIX).all(|(a, b)| a == b)
}

pub(super) fn parse(buf: &[u8]) -> Parsed {
    let window = &buf[..buf.len().min(LINE_BYTES)];
    match memchr::memchr2(b'\r', b'\n', window) {
        Some(end) if window[end] == b'\r' => match window.get(end + 1) {
            Some(b'\n') => line(&window[..end]),
            None if buf.len() < LINE_BYTES => Parsed::Partial,
            _ => invalid("the line of the PROXY header does not end with CR LF"),
        },
        Some(_) => invalid("the line of the PROXY header does not end with CR LF"),
        None if buf.len() < LINE_BYTES => Parsed::Partial,
        None => invalid("the line of the PROXY header is longer than 107 bytes"),
    }
}

/// `line` is without its end.
fn line(line: &[u8]) -> Parsed {
    let complete = |header| Parsed::Complete { consumed: line.len() + 2, header };
    let Some(rest) = line.strip_prefix(PREFIX) else {
        return invalid("the connection does not start with a PROXY header");
    };
    // After UNKNOWN anything may follow, and counts for nothing.
    if rest == b"UNKNOWN" || rest.starts_with(b"UNKNOWN ") {
        return complete(Header::Local);
    }
    match std::str::from_utf8(rest).ok().and_then(addresses) {
        Some(header) => complete(header),
        None => invalid("the PROXY header does not name two TCP addresses of one family"),
    }
}

fn addresses(text: &str) -> Option<Header> {
    let mut words = text.split(' ');
    let family = words.next()?;
    let source = address(family, words.next()?)?;
    let destination = address(family, words.next()?)?;
    let source_port = port(words.next()?)?;
    let destination_port = port(words.next()?)?;
    if words.next().is_some() {
        return None;
    }
    Some(proxied((source, source_port), (destination, destination_port)))
}

fn address(family: &str, text: &str) -> Option<IpAddr> {
    match family {
        "TCP4" => text.parse().ok().map(IpAddr::V4),
        "TCP6" => text.parse().ok().map(IpAddr::V6),
        _ => None,
    }
}

/// Digits alone and no leading zero, as the specification has it; `u16` would take a sign.
fn port(text: &str) -> Option<u16> {
    let canonical = text == "0" || !text.starts_with('0');
    (canonical && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn invalid(sentence: &'static str) -> Parsed {
    Parsed::Invalid(Invalid(sentence))
}

pub(super) fn write(header: Header, out: &mut Vec<u8>) {
    let Header::Proxied { source, destination } = header else {
        out.extend_from_slice(b"PROXY UNKNOWN\r\n");
        return;
    };
    let (from, to) = (source.port(), destination.port());
    let written = match pair(source.ip(), destination.ip()) {
        Pair::V4(source, destination) => {
            write!(out, "PROXY TCP4 {source} {destination} {from} {to}\r\n")
        }
        Pair::V6(source, destination) => {
            write!(out, "PROXY TCP6 {source} {destination} {from} {to}\r\n")
        }
    };
    written.expect("a Vec takes every write");
}
