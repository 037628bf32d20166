//! The query of a request target, read in place.
//!
//! Names and values are percent-decoded, `+` is a space (application/x-www-form-urlencoded, as
//! the WHATWG URL standard parses it: a `%` without two hexadecimal digits is itself). Nothing is
//! allocated unless the value that was asked for is written with escapes.

use std::borrow::Cow;

use memchr::memchr;

/// The first value of `name`. None where it is missing, and where the value isn't UTF-8: no
/// condition can mean such a value.
pub(super) fn first<'q>(query: &'q str, name: &str) -> Option<Cow<'q, str>> {
    let pair = query.split('&').find(|pair| {
        // A sequence without a name and a value ("a=1&&b=2") is no pair.
        !pair.is_empty() && decoded(split(pair).0).eq(name.bytes())
    })?;
    let value = split(pair).1;
    if !value.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Some(Cow::Borrowed(value));
    }
    String::from_utf8(decoded(value).collect()).ok().map(Cow::Owned)
}

fn split(pair: &str) -> (&str, &str) {
    match memchr(b'=', pair.as_bytes()) {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, ""),
    }
}

fn decoded(text: &str) -> impl Iterator<Item = u8> {
    let mut rest = text.as_bytes();
    std::iter::from_fn(move || {
        let (byte, skipped) = match *rest {
            [] => return None,
            [b'+', ..] => (b' ', 1),
            [b'%', high, low, ..] => match (digit(high), digit(low)) {
                (Some(high), Some(low)) => (high << 4 | low, 3),
                _ => (b'%', 1),
            },
            [byte, ..] => (byte, 1),
        };
        rest = &rest[skipped..];
        Some(byte)
    })
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
