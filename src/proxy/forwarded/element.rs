//! `Forwarded` (RFC 7239), read strictly: a list that breaks the grammar anywhere says nothing.

use std::net::IpAddr;

use smallvec::SmallVec;

use super::Inbound;
use super::hops::{address, scheme, write_ip};
use crate::limits;
use crate::names;
use crate::proxy::message::Fields;

/// What the believed elements say.
pub(super) struct Chain {
    /// Nearest first, up to the first element that names no address.
    pub(super) addresses: SmallVec<[IpAddr; 4]>,
    /// The farthest believed element's `proto`.
    pub(super) secure: Option<bool>,
    /// They themselves, as they were written, with `, ` after each.
    pub(super) text: SmallVec<[u8; 256]>,
}

#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub(super) text: &'a [u8],
    /// `None` for `unknown`, an obfuscated name, or none at all.
    pub(super) address: Option<IpAddr>,
    pub(super) secure: Option<bool>,
}

/// The last `hops` elements; `None` where there is no field, no element, or a broken one.
pub(super) fn chain(fields: &Fields, hops: usize) -> Option<Chain> {
    let mut elements = SmallVec::<[Element<'_>; 8]>::new();
    for line in fields.get_all(names::HEADER_FORWARDED) {
        elements.extend(parse(line)?);
        if elements.len() > limits::FORWARDED_ELEMENTS {
            return None;
        }
    }
    let believed = &elements[elements.len().saturating_sub(hops)..];
    let secure = believed.first()?.secure;
    let addresses = believed.iter().rev().map_while(|element| element.address).collect();
    let mut text = SmallVec::new();
    for element in believed {
        text.extend_from_slice(element.text);
        text.extend_from_slice(b", ");
    }
    Some(Chain { addresses, secure, text })
}

/// One field line. A quoted string can't go on in the next line.
pub(super) fn parse(line: &[u8]) -> Option<SmallVec<[Element<'_>; 8]>> {
    let mut elements = SmallVec::new();
    let mut rest = line.trim_ascii_start();
    while !rest.is_empty() {
        // RFC 9110 §5.6.1: empty members of a list are passed over.
        if let Some(after) = rest.strip_prefix(b",") {
            rest = after.trim_ascii_start();
            continue;
        }
        let (element, after) = element(rest)?;
        elements.push(element);
        if elements.len() > limits::FORWARDED_ELEMENTS {
            return None;
        }
        rest = after.trim_ascii_start();
        if !rest.is_empty() && rest[0] != b',' {
            return None;
        }
    }
    Some(elements)
}

/// Pairs with `;` between them, without spaces around it, as the grammar has it.
fn element(text: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let mut element = Element::default();
    let mut seen = SmallVec::<[&[u8]; 4]>::new();
    let mut rest = text;
    loop {
        let (name, after) = token(rest)?;
        let (value, after) = value(after.strip_prefix(b"=")?)?;
        if seen.iter().any(|other| other.eq_ignore_ascii_case(name)) || seen.len() == 8 {
            return None;
        }
        seen.push(name);
        if name.eq_ignore_ascii_case(b"for") {
            element.address = node(&value)?;
        } else if name.eq_ignore_ascii_case(b"proto") {
            element.secure = scheme(&value);
        }
        match after.strip_prefix(b";") {
            Some(after) => rest = after,
            None => {
                element.text = &text[..text.len() - after.len()];
                return Some((element, after));
            }
        }
    }
}

/// Outer `None`: no node at all. Inner `None`: one that hides its address.
fn node(value: &[u8]) -> Option<Option<IpAddr>> {
    if let Some(ip) = address(value) {
        // RFC 7239 §6: IPv6 stands in brackets.
        let bare_v6 = ip.is_ipv6() && value[0] != b'[';
        return (!bare_v6).then_some(Some(ip));
    }
    let (name, port) = match memchr::memchr(b':', value) {
        Some(colon) => (&value[..colon], Some(&value[colon + 1..])),
        None => (value, None),
    };
    let known = name.eq_ignore_ascii_case(b"unknown") || is_obfuscated(name) || is_v4(name);
    let port = port.is_none_or(|port| is_obfuscated(port) || is_port(port));
    // With an obfuscated port the address counts all the same.
    (known && port).then(|| address(name))
}

fn is_v4(name: &[u8]) -> bool {
    address(name).is_some_and(|ip| ip.is_ipv4())
}

fn is_port(text: &[u8]) -> bool {
    (1..=5).contains(&text.len()) && text.iter().all(u8::is_ascii_digit)
}

fn is_obfuscated(text: &[u8]) -> bool {
    text.strip_prefix(b"_").is_some_and(|rest| {
        !rest.is_empty()
            && rest.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    })
}

fn token(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|b| !is_token_byte(*b)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// A token or a quoted string, without its quotes and escapes.
fn value(text: &[u8]) -> Option<(SmallVec<[u8; 64]>, &[u8])> {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        return token(text).map(|(value, rest)| (SmallVec::from_slice(value), rest));
    };
    let mut value = SmallVec::new();
    let mut bytes = quoted.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some((value, &quoted[at + 1..])),
            b'\\' => value.push(*bytes.next()?.1),
            b' '..=b'~' => value.push(*byte),
            _ => return None,
        }
    }
    None
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Appends our own element: `for=192.0.2.1;host="shop.example";proto=https;by=_meshctl`.
pub(super) fn append(value: &mut SmallVec<[u8; 256]>, authority: &str, inbound: &Inbound<'_>) {
    match inbound.peer.ip().to_canonical() {
        ip @ IpAddr::V4(_) => {
            value.extend_from_slice(b"for=");
            write_ip(ip, value);
        }
        ip @ IpAddr::V6(_) => {
            value.extend_from_slice(b"for=\"[");
            write_ip(ip, value);
            value.extend_from_slice(b"]\"");
        }
    }
    if !authority.is_empty() {
        // An authority holds neither quotes nor backslashes: the codec has checked it.
        value.extend_from_slice(b";host=\"");
        value.extend_from_slice(authority.as_bytes());
        value.push(b'"');
    }
    value.extend_from_slice(if inbound.secure { b";proto=https" } else { b";proto=http" });
    value.extend_from_slice(b";by=_");
    let plain = |b: u8| if is_obfuscated(&[b'_', b]) { b } else { b'-' };
    value.extend(inbound.via.bytes().map(plain));
}
