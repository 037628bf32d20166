//! Request heads.
//!
//! httparse finds the lines and checks the bytes; what it lets through and what fields mean
//! together is checked here. Where RFC 9112 lets a recipient repair a head, it is refused: a
//! repair is a second reading.

use std::mem::MaybeUninit;

use httparse::{Header, Status};

use super::authority::write_authority;
use super::head::{FramingFields, Options, ends_lines_with_crlf, strip_listed};
use super::name::{self, Meaning, meaning};
use super::{HeadLimits, Parsed};
use crate::limits;
use crate::model::Cause;
use crate::proxy::message::{BodyLength, Method, RequestHead, Version};
use crate::proxy::path::{self, PathError};

/// Why a request was refused. The connection always closes after it: where the next request
/// would start is no longer certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestError {
    pub cause: Cause,
    /// The rule that was broken: "two Host fields (RFC 9112 §3.2)".
    pub reason: &'static str,
}

impl RequestError {
    pub fn status(&self) -> u16 {
        self.cause.status()
    }
}

impl From<PathError> for RequestError {
    fn from(error: PathError) -> Self {
        Self { cause: Cause::BadPath, reason: error.reason() }
    }
}

fn bad(reason: &'static str) -> RequestError {
    RequestError { cause: Cause::BadRequest, reason }
}

/// `head` is cleared first; after `Partial` or an error its content means nothing.
///
/// The verdict on a head doesn't depend on the pieces in which it came: a prefix is `Partial` or
/// gets the error that the whole gets.
pub fn parse_request(
    buf: &[u8],
    limits: &HeadLimits,
    head: &mut RequestHead,
) -> Result<Parsed, RequestError> {
    head.clear();
    let Some(skipped) = leading_line(buf)? else { return Ok(Parsed::Partial) };
    // The empty line counts, so that a buffer of `head_bytes` always gets its verdict.
    let is_full = buf.len() >= limits.head_bytes;
    let window = &buf[skipped..buf.len().min(limits.head_bytes.max(skipped))];
    refuse_long_line(window, limits)?;
    let mut slots = [MaybeUninit::uninit(); limits::HEADERS];
    let slots = &mut slots[..limits.fields.min(limits::HEADERS)];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(window, slots) {
        Ok(Status::Complete(consumed)) => {
            if !ends_lines_with_crlf(&window[..consumed], request.headers.len()) {
                return Err(bad("a line that ends in a bare LF (RFC 9112 §2.2)"));
            }
            read(&request, consumed, head)?;
            Ok(Parsed::Complete { consumed: skipped + consumed })
        }
        Ok(Status::Partial) if is_full => {
            Err(RequestError { cause: Cause::HeadTooLarge, reason: "a head above the limit" })
        }
        Ok(Status::Partial) => Ok(Parsed::Partial),
        Err(error) => Err(refused_by_httparse(error, window)),
    }
}

/// RFC 9112 §2.2: one empty line before a request is ignored, as old clients send it behind a
/// body. httparse would ignore any number and bare LFs. `None`: too early to say.
fn leading_line(buf: &[u8]) -> Result<Option<usize>, RequestError> {
    let skipped = match buf {
        [] | [b'\r'] | [b'\r', b'\n'] => return Ok(None),
        [b'\r', b'\n', ..] => 2,
        _ => 0,
    };
    match buf[skipped] {
        b'\r' | b'\n' => Err(bad("more than one empty line before the request (RFC 9112 §2.2)")),
        _ => Ok(Some(skipped)),
    }
}

/// A target or method above its limit is refused by its length alone, before its end has come.
fn refuse_long_line(window: &[u8], limits: &HeadLimits) -> Result<(), RequestError> {
    if window.len() <= limits.target_bytes.min(limits::METHOD_BYTES) {
        return Ok(());
    }
    let start = &window[..window.len().min(limits::METHOD_BYTES + 1)];
    let Some(end) = start.iter().position(|&byte| byte == b' ') else {
        return if name::is_token(start) && start.len() > limits::METHOD_BYTES {
            Err(bad("a method that is longer than any (RFC 9110 §9.1)"))
        } else {
            Ok(())
        };
    };
    if !name::is_token(&start[..end]) {
        return Ok(());
    }
    let target = &window[end + 1..];
    // Bytes above 0x7F are refused in a target, but a long one of them is still too long.
    let in_target = |byte: u8| byte > b' ' && byte != 0x7f;
    match target.get(..=limits.target_bytes) {
        Some(start) if start.iter().all(|&byte| in_target(byte)) => Err(RequestError {
            cause: Cause::TargetTooLong,
            reason: "a request target above the limit (RFC 9110 §15.5.15)",
        }),
        _ => Ok(()),
    }
}

#[cold]
fn refused_by_httparse(error: httparse::Error, window: &[u8]) -> RequestError {
    use httparse::Error;
    match error {
        Error::TooManyHeaders => {
            RequestError { cause: Cause::HeadTooLarge, reason: "too many header fields" }
        }
        Error::Version if names_http(window) => RequestError {
            cause: Cause::UnsupportedVersion,
            reason: "a version other than HTTP/1.1 and HTTP/1.0 (RFC 9110 §15.6.6)",
        },
        Error::Version => bad("a request line without HTTP/1.1 or HTTP/1.0 (RFC 9112 §2.3)"),
        Error::HeaderName => bad(
            "a field name that is no token, a space before its colon, or a folded line (RFC 9112 §5)",
        ),
        Error::HeaderValue => bad("a control byte or a bare CR in a field value (RFC 9110 §5.5)"),
        Error::NewLine => {
            bad("a CR without its LF, or more behind the version (RFC 9112 §2.2, §3)")
        }
        Error::Token | Error::Status => {
            bad("a request line that is not `method SP target SP version` (RFC 9112 §3)")
        }
    }
}

/// Whether the third word of the request line is an HTTP version, of whatever number.
fn names_http(window: &[u8]) -> bool {
    window
        .splitn(3, |&byte| byte == b' ')
        .nth(2)
        .and_then(|version| version.strip_prefix(b"HTTP/"))
        .is_some_and(|number| number.first().is_some_and(u8::is_ascii_digit))
}

/// What the fields say that decides how the request is read, gathered in one pass.
#[derive(Default)]
struct Seen<'b> {
    host: Option<&'b [u8]>,
    framing: FramingFields,
    options: Options,
    upgrade: Option<&'b [u8]>,
    upgrades: usize,
    expects: bool,
    takes_trailers: bool,
    has_trailer: bool,
}

fn read<'b>(
    request: &httparse::Request<'_, 'b>,
    consumed: usize,
    head: &mut RequestHead,
) -> Result<(), RequestError> {
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version)
    else {
        return Err(bad("a request line that is not `method SP target SP version` (RFC 9112 §3)"));
    };
    head.method = read_method(method)?;
    head.version = if minor == 1 { Version::HTTP_11 } else { Version::HTTP_10 };
    head.fields.reserve(consumed);
    let seen = read_fields(request.headers, head)?;
    head.body = body_length(&seen, head.version)?;
    head.keep_alive = seen.options.persists(minor == 1);
    read_target(target, seen.host, head)?;
    read_expectation(&seen, head);
    read_upgrade(&seen, head);
    if seen.options.lists_fields {
        strip_listed(request.headers, &mut head.fields);
    }
    if seen.has_trailer && head.body != BodyLength::Streamed {
        head.fields.remove("trailer");
    }
    if seen.takes_trailers {
        head.fields.push(b"te", b"trailers");
    }
    Ok(())
}

fn read_method(method: &str) -> Result<Method, RequestError> {
    let method = Method::from_bytes(method.as_bytes())
        .map_err(|_| bad("a method that is no token (RFC 9110 §9.1)"))?;
    if method == Method::CONNECT || method == Method::TRACE {
        // RFC 9110 §9.3.6 and §9.3.8: a tunnel to anywhere, and an echo of secrets.
        return Err(RequestError {
            cause: Cause::MethodNotAllowed,
            reason: "the method is never proxied",
        });
    }
    Ok(method)
}

fn read_fields<'b>(
    headers: &[Header<'b>],
    head: &mut RequestHead,
) -> Result<Seen<'b>, RequestError> {
    let mut seen = Seen::default();
    for &Header { name, value } in headers {
        let name = name.as_bytes();
        match meaning(name) {
            Meaning::EndToEnd if name::is_alias(name) => {}
            Meaning::EndToEnd => head.fields.push(name, value),
            Meaning::Dropped => {}
            Meaning::Host => {
                if seen.host.replace(value).is_some() {
                    return Err(bad("two Host fields (RFC 9112 §3.2)"));
                }
            }
            Meaning::ContentLength => seen.framing.read_length(value).map_err(bad)?,
            Meaning::TransferEncoding => {
                seen.framing.read_transfer_encoding(value).map_err(bad)?;
            }
            Meaning::Connection => seen.options.read(value, name::is_protected).map_err(bad)?,
            Meaning::Upgrade => {
                seen.upgrade = Some(value);
                seen.upgrades += 1;
            }
            Meaning::Expect => {
                if std::mem::replace(&mut seen.expects, true)
                    || !value.eq_ignore_ascii_case(b"100-continue")
                {
                    return Err(RequestError {
                        cause: Cause::ExpectationFailed,
                        reason: "an expectation other than 100-continue (RFC 9110 §10.1.1)",
                    });
                }
            }
            Meaning::Te => {
                seen.takes_trailers |=
                    name::list(value).any(|coding| coding.eq_ignore_ascii_case(b"trailers"));
            }
            Meaning::Trailer => {
                seen.has_trailer = true;
                head.fields.push(name, value);
            }
        }
    }
    Ok(seen)
}

fn body_length(seen: &Seen<'_>, version: Version) -> Result<BodyLength, RequestError> {
    match (seen.framing.chunked, seen.framing.length) {
        (true, Some(_)) => {
            Err(bad("Transfer-Encoding together with Content-Length (RFC 9112 §6.1)"))
        }
        (true, None) if version == Version::HTTP_10 => {
            Err(bad("Transfer-Encoding in an HTTP/1.0 request (RFC 9112 §6.1)"))
        }
        (true, None) => Ok(BodyLength::Streamed),
        (false, Some(length)) => Ok(BodyLength::Sized(length)),
        (false, None) => Ok(BodyLength::Empty),
    }
}

/// RFC 9112 §3.2.
fn read_target(
    target: &str,
    host: Option<&[u8]>,
    head: &mut RequestHead,
) -> Result<(), RequestError> {
    if host.is_none() && head.version == Version::HTTP_11 {
        return Err(bad("no Host field (RFC 9112 §3.2)"));
    }
    let rest = match target {
        "*" if head.method == Method::OPTIONS => {
            head.target.set("*", None);
            return read_host(host, head);
        }
        "*" => return Err(bad("the target * with a method other than OPTIONS (RFC 9112 §3.2.4)")),
        _ if target.starts_with('/') => {
            read_host(host, head)?;
            target
        }
        _ => read_absolute(target, host, head)?,
    };
    read_path(rest, head)
}

fn read_host(host: Option<&[u8]>, head: &mut RequestHead) -> Result<(), RequestError> {
    match host {
        Some(host) => write_authority(host, &mut head.authority).map_err(bad),
        None => Ok(()),
    }
}

/// RFC 9112 §3.2.2: the authority is the target's. A client must send the same in Host, so
/// another one there is an attempt to have two. Gives back what follows the authority.
fn read_absolute<'t>(
    target: &'t str,
    host: Option<&[u8]>,
    head: &mut RequestHead,
) -> Result<&'t str, RequestError> {
    let after = |scheme: &str| match target.get(..scheme.len()) {
        Some(start) if start.eq_ignore_ascii_case(scheme) => target.get(scheme.len()..),
        _ => None,
    };
    let rest = after("http://")
        .or_else(|| after("https://"))
        .ok_or_else(|| bad("a target that is no path and no http URL (RFC 9112 §3.2)"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    write_authority(authority.as_bytes(), &mut head.authority).map_err(bad)?;
    if host.is_some_and(|host| !host.eq_ignore_ascii_case(authority.as_bytes())) {
        return Err(bad("a Host that is not the target's authority (RFC 9112 §3.2.2)"));
    }
    Ok(rest)
}

fn read_path(target: &str, head: &mut RequestHead) -> Result<(), RequestError> {
    let (raw, query) = match target.split_once('?') {
        Some((raw, query)) => (raw, Some(query)),
        None => (target, None),
    };
    if let Some(query) = query {
        path::check_query(query.as_bytes())?;
    }
    match raw {
        // RFC 9112 §3.2.4: what an absolute form without a path becomes.
        "" if query.is_none() && head.method == Method::OPTIONS => head.target.set("*", None),
        // RFC 9112 §3.2.1.
        "" => head.target.set("/", query),
        _ => head.target.try_set(query, |out| path::normalise(raw.as_bytes(), out))?,
    }
    Ok(())
}

/// RFC 9110 §10.1.1: meaningless without a body, and to be ignored in HTTP/1.0.
fn read_expectation(seen: &Seen<'_>, head: &mut RequestHead) {
    head.expect_continue =
        seen.expects && !head.body.is_empty() && head.version == Version::HTTP_11;
}

/// RFC 9110 §7.8: only in HTTP/1.1 and only where Connection lists it. With a body, where it
/// ends and the other protocol starts is a matter of opinion (CVE-2026-58055), so such an
/// Upgrade is ignored, as a server always may. So is every protocol but WebSocket, which begins
/// with a GET (RFC 6455 §4.1): a tunnel goes past all that looks at requests.
fn read_upgrade(seen: &Seen<'_>, head: &mut RequestHead) {
    if seen.upgrade.is_some_and(|protocol| protocol.eq_ignore_ascii_case(WEBSOCKET.as_bytes()))
        && seen.upgrades == 1
        && seen.options.upgrade
        && head.version == Version::HTTP_11
        && head.method == Method::GET
        && head.body.is_empty()
    {
        head.body = BodyLength::Empty;
        head.upgrade.push_str(WEBSOCKET);
    }
}

const WEBSOCKET: &str = "websocket";

#[cfg(test)]
mod tests;
