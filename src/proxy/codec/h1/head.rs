//! What request and response heads have in common: line ends, Connection and Content-Length.

use httparse::Header;

use super::name::{is_token, list};
use crate::limits;
use crate::proxy::message::Fields;

/// Whether every line of a head that httparse took ends in CRLF. It lets a bare LF end a line
/// (RFC 9112 §2.2 says that a recipient may), which is how two parsers come to see two heads;
/// it never lets a CR stand but before an LF, so counting the CRs tells.
pub(super) fn ends_lines_with_crlf(head: &[u8], fields: usize) -> bool {
    memchr::memchr_iter(b'\r', head).count() == fields + 2
}

/// What the framing fields say, each at most once. Requests and responses read them by the same
/// rules, so that no body has another end on one side of the proxy than on the other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FramingFields {
    pub(super) length: Option<u64>,
    pub(super) chunked: bool,
}

impl FramingFields {
    pub(super) fn read_length(&mut self, value: &[u8]) -> Result<(), &'static str> {
        match self.length.replace(content_length(value)?) {
            Some(_) => Err("two Content-Length fields (RFC 9112 §6.3)"),
            None => Ok(()),
        }
    }

    pub(super) fn read_transfer_encoding(&mut self, value: &[u8]) -> Result<(), &'static str> {
        if std::mem::replace(&mut self.chunked, true) {
            return Err("two Transfer-Encoding fields (RFC 9112 §6.1)");
        }
        if !value.eq_ignore_ascii_case(b"chunked") {
            return Err("a Transfer-Encoding other than `chunked` (RFC 9112 §6.1)");
        }
        Ok(())
    }
}

/// What the Connection fields say (RFC 9110 §7.6.1).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Options {
    pub(super) close: bool,
    pub(super) keep_alive: bool,
    pub(super) upgrade: bool,
    /// Fields are listed that end at this hop.
    pub(super) lists_fields: bool,
    count: usize,
}

impl Options {
    /// Reads one Connection field; `refuse` looks at each name that is listed.
    pub(super) fn read(
        &mut self,
        value: &[u8],
        refuse: impl Fn(&[u8]) -> bool,
    ) -> Result<(), &'static str> {
        for option in list(value) {
            self.count += 1;
            if self.count > limits::CONNECTION_OPTIONS {
                return Err("too many options in Connection");
            }
            match option.len() {
                5 if option.eq_ignore_ascii_case(b"close") => self.close = true,
                7 if option.eq_ignore_ascii_case(b"upgrade") => self.upgrade = true,
                10 if option.eq_ignore_ascii_case(b"keep-alive") => self.keep_alive = true,
                _ if !is_token(option) => {
                    return Err("an option in Connection that is no token (RFC 9110 §7.6.1)");
                }
                _ if refuse(option) => {
                    return Err(
                        "Connection lists a field that is meant for the backend (RFC 9110 §7.6.1)",
                    );
                }
                _ => self.lists_fields = true,
            }
        }
        Ok(())
    }

    /// RFC 9112 §9.3; `close` wins over `keep-alive`.
    pub(super) fn persists(self, is_http_11: bool) -> bool {
        !self.close && (is_http_11 || self.keep_alive)
    }
}

/// Takes the fields out that Connection lists, before any of ours is added.
pub(super) fn strip_listed(headers: &[Header<'_>], fields: &mut Fields) {
    let is_connection = |header: &&Header<'_>| header.name.eq_ignore_ascii_case("connection");
    for option in headers.iter().filter(is_connection).flat_map(|header| list(header.value)) {
        fields.retain(|name, _| !name.eq_ignore_ascii_case(option));
    }
}

/// A Content-Length as RFC 9110 §8.6 spells it: digits only. A list of equal numbers, which
/// RFC 9112 §6.3 lets a recipient collapse, is refused. Longer than 2^63 - 1 is refused too,
/// because a backend may count in signed numbers (CVE-2021-40346).
fn content_length(value: &[u8]) -> Result<u64, &'static str> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err("a Content-Length that is not one number (RFC 9112 §6.3)");
    }
    const TOO_LARGE: &str = "a Content-Length above 2^63 - 1 (RFC 9110 §8.6)";
    if value.len() > 19 {
        return Err(TOO_LARGE);
    }
    let length = value.iter().fold(0u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    if length > i64::MAX.unsigned_abs() { Err(TOO_LARGE) } else { Ok(length) }
}
