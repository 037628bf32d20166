//! Response heads of an upstream that isn't trusted.
//!
//! A response is framed in one way or refused; what a sloppy server adds where no body can be
//! (a Content-Length in a 204) costs it the connection, so that nothing behind the head can ever
//! be taken for the next client's answer.

use std::mem::MaybeUninit;

use httparse::{Header, Status};

use super::head::{FramingFields, Options, ends_lines_with_crlf, strip_listed};
use super::name::{Meaning, meaning};
use super::{HeadLimits, Parsed};
use crate::limits;
use crate::model::Cause;
use crate::proxy::message::{BodyLength, Method, ResponseHead, StatusCode, Version};

/// Why a response can't be passed on; its connection is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseError {
    /// `UpstreamProtocolError` or `UpstreamHeadTooLarge`.
    pub cause: Cause,
    pub reason: &'static str,
}

/// What the response answers.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    pub method: &'a Method,
    /// The protocol of the `Upgrade` that was sent, else empty: a 101 must name the same.
    pub upgrade: &'a str,
}

fn bad(reason: &'static str) -> ResponseError {
    ResponseError { cause: Cause::UpstreamProtocolError, reason }
}

/// `head` is cleared first; after `Partial` or an error its content means nothing. A 1xx comes
/// as a head of its own with `BodyLength::Empty`. Of answers without a body (HEAD, 304) the
/// `content-length` stays in `fields`, because it is data there.
pub fn parse_response(
    buf: &[u8],
    sent: Sent<'_>,
    limits: &HeadLimits,
    head: &mut ResponseHead,
) -> Result<Parsed, ResponseError> {
    head.clear();
    if let [b'\r' | b'\n', ..] = buf {
        // httparse would skip it; what was left of the response before must not become this one.
        return Err(bad("an empty line before the status line (RFC 9112 §4)"));
    }
    let window = &buf[..buf.len().min(limits.head_bytes)];
    let mut slots = [MaybeUninit::uninit(); limits::HEADERS];
    let slots = &mut slots[..limits.fields.min(limits::HEADERS)];
    let mut response = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        window,
        slots,
    );
    match parsed {
        Ok(Status::Complete(consumed)) => {
            if !ends_lines_with_crlf(&window[..consumed], response.headers.len()) {
                return Err(bad("a line that ends in a bare LF (RFC 9112 §2.2)"));
            }
            read(&response, consumed, sent, head)?;
            Ok(Parsed::Complete { consumed })
        }
        Ok(Status::Partial) if window.len() >= limits.head_bytes => {
            Err(too_large("a head above the limit"))
        }
        Ok(Status::Partial) => Ok(Parsed::Partial),
        Err(error) => Err(refused_by_httparse(error)),
    }
}

fn too_large(reason: &'static str) -> ResponseError {
    ResponseError { cause: Cause::UpstreamHeadTooLarge, reason }
}

#[cold]
fn refused_by_httparse(error: httparse::Error) -> ResponseError {
    use httparse::Error;
    match error {
        Error::TooManyHeaders => too_large("too many header fields"),
        Error::Version => bad("a status line without HTTP/1.1 or HTTP/1.0 (RFC 9112 §4)"),
        Error::HeaderName => bad(
            "a field name that is no token, a space before its colon, or a folded line (RFC 9112 §5)",
        ),
        Error::HeaderValue => bad("a control byte or a bare CR in a field value (RFC 9110 §5.5)"),
        Error::NewLine => bad("a CR without its LF (RFC 9112 §2.2)"),
        Error::Status | Error::Token => bad("a status line without a status code (RFC 9112 §4)"),
    }
}

#[derive(Default)]
struct Seen<'b> {
    framing: FramingFields,
    options: Options,
    upgrade: Option<&'b [u8]>,
    has_trailer: bool,
}

fn read(
    response: &httparse::Response<'_, '_>,
    consumed: usize,
    sent: Sent<'_>,
    head: &mut ResponseHead,
) -> Result<(), ResponseError> {
    let (Some(code), Some(minor)) = (response.code, response.version) else {
        return Err(bad("a status line without a status code (RFC 9112 §4)"));
    };
    if !(100..=599).contains(&code) {
        return Err(bad("a status code outside 100 to 599 (RFC 9110 §15)"));
    }
    head.status = StatusCode::from_u16(code).map_err(|_| bad("a status code (RFC 9110 §15)"))?;
    head.version = if minor == 1 { Version::HTTP_11 } else { Version::HTTP_10 };
    head.fields.reserve(consumed);
    let seen = read_fields(response.headers, head)?;
    head.keep_alive = seen.options.persists(minor == 1);
    read_length(&seen, sent, head)?;
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        read_switch(&seen, sent, head)?;
    }
    if seen.options.lists_fields {
        strip_listed(response.headers, &mut head.fields);
    }
    if seen.has_trailer && head.body != BodyLength::Streamed {
        head.fields.remove("trailer");
    }
    Ok(())
}

fn read_fields<'b>(
    headers: &[Header<'b>],
    head: &mut ResponseHead,
) -> Result<Seen<'b>, ResponseError> {
    let mut seen = Seen::default();
    for &Header { name, value } in headers {
        let name = name.as_bytes();
        match meaning(name) {
            Meaning::EndToEnd | Meaning::Expect | Meaning::Host => head.fields.push(name, value),
            Meaning::Dropped | Meaning::Te => {}
            Meaning::ContentLength => seen.framing.read_length(value).map_err(bad)?,
            Meaning::TransferEncoding => {
                seen.framing.read_transfer_encoding(value).map_err(bad)?;
            }
            // An upstream that takes its own fields back harms nobody, so nothing is refused.
            Meaning::Connection => seen.options.read(value, |_| false).map_err(bad)?,
            Meaning::Upgrade => {
                if seen.upgrade.replace(value).is_some() {
                    seen.upgrade = Some(b"");
                }
            }
            Meaning::Trailer => {
                seen.has_trailer = true;
                head.fields.push(name, value);
            }
        }
    }
    Ok(seen)
}

/// RFC 9112 §6.3.
fn read_length(
    seen: &Seen<'_>,
    sent: Sent<'_>,
    head: &mut ResponseHead,
) -> Result<(), ResponseError> {
    if seen.framing.chunked && seen.framing.length.is_some() {
        return Err(bad("Transfer-Encoding together with Content-Length (RFC 9112 §6.3)"));
    }
    if seen.framing.chunked && head.version == Version::HTTP_10 {
        return Err(bad("Transfer-Encoding in an HTTP/1.0 response (RFC 9112 §6.1)"));
    }
    let bare = head.status.is_informational() || head.status == StatusCode::NO_CONTENT;
    if bare {
        // RFC 9110 §8.6 and RFC 9112 §6.1: neither field may stand here, so there may be a body.
        let promises_body =
            seen.framing.chunked || seen.framing.length.is_some_and(|length| length > 0);
        if promises_body && head.status.is_informational() {
            return Err(bad("an informational response with a body (RFC 9112 §6.3)"));
        }
        head.keep_alive &= !promises_body;
        head.body = BodyLength::Empty;
    } else if *sent.method == Method::HEAD || head.status == StatusCode::NOT_MODIFIED {
        if let Some(length) = seen.framing.length {
            let mut digits = itoa::Buffer::new();
            head.fields.push(b"content-length", digits.format(length).as_bytes());
        }
        head.body = BodyLength::Empty;
    } else if seen.framing.chunked {
        head.body = BodyLength::Streamed;
    } else if let Some(length) = seen.framing.length {
        head.body = BodyLength::Sized(length);
    } else {
        head.body = BodyLength::UntilClose;
        head.keep_alive = false;
    }
    Ok(())
}

/// RFC 9110 §7.8 and §15.2.2: only to what was asked for, or the bytes that follow would be
/// nobody's.
fn read_switch(
    seen: &Seen<'_>,
    sent: Sent<'_>,
    head: &mut ResponseHead,
) -> Result<(), ResponseError> {
    let protocol = seen.upgrade.unwrap_or_default();
    if sent.upgrade.is_empty() || head.version != Version::HTTP_11 {
        return Err(bad("a 101 that was not asked for (RFC 9110 §15.2.2)"));
    }
    if !seen.options.upgrade || !protocol.eq_ignore_ascii_case(sent.upgrade.as_bytes()) {
        return Err(bad("a 101 to another protocol than was asked for (RFC 9110 §7.8)"));
    }
    head.upgrade.push_str(sent.upgrade);
    Ok(())
}

#[cfg(test)]
mod tests;
