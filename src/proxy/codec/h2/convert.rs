//! Between the http crate's messages and ours, with the checks that the h2 crate leaves to its
//! user.

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Response, Uri, Version, request, response};

use crate::limits;
use crate::model::Cause;
use crate::names;
use crate::proxy::codec::Fault;
use crate::proxy::codec::h1::authority::write_authority;
use crate::proxy::codec::h1::name::{self, Meaning, meaning};
use crate::proxy::codec::h1::request::RequestError;
use crate::proxy::message::{BodyLength, Fields, RequestHead, ResponseHead};
use crate::proxy::path;

/// Fields with another value in each message, to be sent as literals that are never indexed (RFC
/// 7541 §6.2.3). Indexed, they push out of the table what does repeat, and the h2 crate compares
/// a value with every other one of its name that is still there.
const NEVER_TWICE: [&str; 2] = [names::HEADER_REQUEST_ID, names::HEADER_TRACE_PARENT];

/// What is added to every request and is unknown to the http crate, which would allocate for it.
static ADDED: [HeaderName; 6] = [
    HeaderName::from_static(names::HEADER_FORWARDED_FOR),
    HeaderName::from_static(names::HEADER_FORWARDED_PROTO),
    HeaderName::from_static(names::HEADER_FORWARDED_HOST),
    HeaderName::from_static(names::HEADER_FORWARDED_PORT),
    HeaderName::from_static(names::HEADER_REQUEST_ID),
    HeaderName::from_static(names::HEADER_TRACE_PARENT),
];

fn bad(reason: &'static str) -> RequestError {
    RequestError { cause: Cause::BadRequest, reason }
}

/// A request's head, with everything checked that an HTTP/1 one is checked for: whatever came
/// by HTTP/2 may leave by HTTP/1.
pub(super) fn request_head(
    parts: &request::Parts,
    ended: bool,
    head: &mut RequestHead,
) -> Result<(), RequestError> {
    head.clear();
    head.method = parts.method.clone();
    head.version = Version::HTTP_2;
    if head.method == Method::CONNECT || head.method == Method::TRACE {
        return Err(RequestError {
            cause: Cause::MethodNotAllowed,
            reason: "the method is never proxied",
        });
    }
    read_target(&parts.uri, head)?;
    head.body = if ended { BodyLength::Empty } else { BodyLength::Streamed };
    read_fields(&parts.headers, head)?;
    if head.authority.is_empty() {
        return Err(bad("neither :authority nor Host (RFC 9113 §8.3.1)"));
    }
    Ok(())
}

fn read_target(uri: &Uri, head: &mut RequestHead) -> Result<(), RequestError> {
    if let Some(authority) = uri.authority() {
        write_authority(authority.as_str().as_bytes(), &mut head.authority).map_err(bad)?;
    }
    let target = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    if target.len() > limits::TARGET_BYTES {
        return Err(RequestError {
            cause: Cause::TargetTooLong,
            reason: "a request target above the limit (RFC 9110 §15.5.15)",
        });
    }
    if target == "*" && head.method == Method::OPTIONS {
        head.target.set("*", None);
        return Ok(());
    }
    let (raw, query) = match target.split_once('?') {
        Some((raw, query)) => (raw, Some(query)),
        None => (target, None),
    };
    if let Some(query) = query {
        path::check_query(query.as_bytes())?;
    }
    Ok(head.target.try_set(query, |out| path::normalise(raw.as_bytes(), out))?)
}

fn read_fields(map: &HeaderMap, head: &mut RequestHead) -> Result<(), RequestError> {
    if map.len() > limits::HEADERS {
        return Err(RequestError { cause: Cause::HeadTooLarge, reason: "too many header fields" });
    }
    // As much as it takes, so that a long head isn't held in twice the memory.
    head.fields.reserve(map.iter().map(|(field, value)| field.as_str().len() + value.len()).sum());
    let mut cookies: Vec<u8> = Vec::new();
    for (field, value) in map {
        let (field, value) = (field.as_str().as_bytes(), value.as_bytes());
        if name::trim(value).len() != value.len() {
            return Err(bad("space around a field value (RFC 9113 §8.2.1)"));
        }
        match meaning(field) {
            Meaning::EndToEnd if field == b"cookie" => {
                // RFC 9113 §8.2.3: crumbs become one field again.
                if !cookies.is_empty() {
                    cookies.extend_from_slice(b"; ");
                }
                cookies.extend_from_slice(value);
            }
            Meaning::EndToEnd if name::is_alias(field) => {}
            Meaning::EndToEnd | Meaning::Trailer => head.fields.push(field, value),
            Meaning::Host => read_host(value, map, head)?,
            Meaning::ContentLength => read_length(value, map, head)?,
            Meaning::Expect => {
                if !value.eq_ignore_ascii_case(b"100-continue") {
                    return Err(RequestError {
                        cause: Cause::ExpectationFailed,
                        reason: "an expectation other than 100-continue (RFC 9110 §10.1.1)",
                    });
                }
                head.expect_continue = !head.body.is_empty();
            }
            Meaning::Te if value.eq_ignore_ascii_case(b"trailers") => {
                head.fields.push(b"te", b"trailers");
            }
            // RFC 9113 §8.2.2: whoever speaks of connections here is up to something.
            Meaning::Te | Meaning::TransferEncoding | Meaning::Connection | Meaning::Upgrade => {
                return Err(bad("a connection-specific field (RFC 9113 §8.2.2)"));
            }
            Meaning::Dropped => {}
        }
    }
    if !cookies.is_empty() {
        head.fields.push(b"cookie", &cookies);
    }
    Ok(())
}

/// RFC 9113 §8.3.1: Host must not differ from `:authority`; it stands in for a missing one.
fn read_host(value: &[u8], map: &HeaderMap, head: &mut RequestHead) -> Result<(), RequestError> {
    if map.get_all(http::header::HOST).iter().count() > 1 {
        return Err(bad("two Host fields (RFC 9112 §3.2)"));
    }
    let mut host = String::new();
    write_authority(value, &mut host).map_err(bad)?;
    if head.authority.is_empty() {
        head.authority = host;
    } else if head.authority != host {
        return Err(bad("a Host that is not the :authority (RFC 9113 §8.3.1)"));
    }
    Ok(())
}

/// The h2 crate holds the body to it.
fn read_length(value: &[u8], map: &HeaderMap, head: &mut RequestHead) -> Result<(), RequestError> {
    if map.get_all(http::header::CONTENT_LENGTH).iter().count() > 1 {
        return Err(bad("two Content-Length fields (RFC 9112 §6.3)"));
    }
    let length = number(value).ok_or_else(|| bad("a Content-Length that is no number"))?;
    match head.body {
        BodyLength::Empty if length > 0 => Err(bad("a Content-Length without a body")),
        BodyLength::Empty => {
            head.body = BodyLength::Sized(0);
            Ok(())
        }
        _ => {
            head.body = BodyLength::Sized(length);
            Ok(())
        }
    }
}

fn number(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// A request for an endpoint.
pub(super) fn request(head: &RequestHead, scheme: &Scheme) -> Result<Request<()>, Fault> {
    let mut uri = http::uri::Parts::default();
    uri.scheme = Some(scheme.clone());
    let authority = Bytes::copy_from_slice(head.authority.as_bytes());
    uri.authority = Some(Authority::from_maybe_shared(authority).map_err(unwritable)?);
    let target = Bytes::copy_from_slice(head.target.as_str().as_bytes());
    uri.path_and_query = Some(PathAndQuery::from_maybe_shared(target).map_err(unwritable)?);
    let mut request = Request::new(());
    *request.method_mut() = head.method.clone();
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = Uri::from_parts(uri).map_err(unwritable)?;
    let headers = request.headers_mut();
    fill(&head.fields, headers)?;
    if let BodyLength::Sized(length) = head.body {
        headers.insert(http::header::CONTENT_LENGTH, length.into());
    }
    if head.expect_continue {
        headers.insert(http::header::EXPECT, HeaderValue::from_static("100-continue"));
    }
    Ok(request)
}

/// A response for a client.
pub(super) fn response(head: &ResponseHead, to_head: bool) -> Result<Response<()>, Fault> {
    let mut response = Response::new(());
    *response.status_mut() = head.status;
    let headers = response.headers_mut();
    fill(&head.fields, headers)?;
    if !head.fields.contains("date") {
        let date = super::super::date::with(HeaderValue::from_str).map_err(unwritable)?;
        headers.append(http::header::DATE, date);
    }
    match head.body {
        BodyLength::Sized(length) => {
            headers.insert(http::header::CONTENT_LENGTH, length.into());
        }
        _ if to_head || head.status == http::StatusCode::NOT_MODIFIED => {}
        _ if head.fields.contains("content-length") => {
            headers.remove(http::header::CONTENT_LENGTH);
        }
        _ => {}
    }
    Ok(response)
}

pub(super) fn informational(head: &ResponseHead) -> Result<Response<()>, Fault> {
    let mut response = Response::new(());
    *response.status_mut() = head.status;
    fill(&head.fields, response.headers_mut())?;
    Ok(response)
}

pub(super) fn response_head(parts: &response::Parts, ended: bool, head: &mut ResponseHead) {
    head.clear();
    head.status = parts.status;
    head.version = Version::HTTP_2;
    head.keep_alive = true;
    head.body = if ended { BodyLength::Empty } else { BodyLength::Streamed };
    for (field, value) in &parts.headers {
        let (field, value) = (field.as_str().as_bytes(), value.as_bytes());
        match meaning(field) {
            Meaning::ContentLength => match (number(value), ended) {
                (Some(length), false) => head.body = BodyLength::Sized(length),
                // Data, of an answer to HEAD or a 304.
                _ => head.fields.push(field, value),
            },
            Meaning::EndToEnd | Meaning::Trailer => head.fields.push(field, value),
            _ => {}
        }
    }
}

pub(super) fn trailers(map: &HeaderMap) -> Fields {
    let mut fields = Fields::new();
    for (field, value) in map {
        let field = field.as_str().as_bytes();
        if name::may_trail(field) {
            fields.push(field, value.as_bytes());
        }
    }
    fields
}

pub(super) fn header_map(fields: &Fields) -> Result<HeaderMap, Fault> {
    let mut map = HeaderMap::with_capacity(fields.len());
    fill(fields, &mut map)?;
    Ok(map)
}

fn fill(fields: &Fields, map: &mut HeaderMap) -> Result<(), Fault> {
    map.reserve(fields.len() + 2);
    for (field, value) in fields.share() {
        let never_twice = NEVER_TWICE.iter().any(|name| name.as_bytes() == field);
        let field = header_name(field)?;
        let mut value = HeaderValue::from_maybe_shared(value).map_err(unwritable)?;
        value.set_sensitive(never_twice);
        map.append(field, value);
    }
    Ok(())
}

fn header_name(field: &[u8]) -> Result<HeaderName, Fault> {
    match ADDED.iter().find(|name| name.as_str().as_bytes() == field) {
        Some(name) => Ok(name.clone()),
        None => HeaderName::from_bytes(field).map_err(unwritable),
    }
}

fn unwritable(error: impl std::fmt::Display) -> Fault {
    Fault::Protocol(format!("a head that HTTP/2 can't carry: {error}"))
}
