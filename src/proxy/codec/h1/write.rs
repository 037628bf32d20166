//! Heads as bytes, each thing in one spelling.
//!
//! Framing, Connection, Upgrade and Host are written from the head's own members. Fields of these
//! names are skipped wherever they came from (a filter, HTTP/2), so no message can have two.

use crate::proxy::message::{
    BodyLength, Fields, Method, RequestHead, ResponseHead, StatusCode, Version,
};

const TRAILER: &str = "trailer";

/// What we tell a backend about the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    KeepAlive,
    Close,
}

/// Appends the head; always HTTP/1.1. `expect: 100-continue` is written where
/// `head.expect_continue` is still set. Says how the body goes out: what `BodyEncoder::new` wants.
///
/// Trailers need chunks (RFC 9112 §7.1.2). Where they are announced beside a length, as HTTP/2
/// alone can, the length gives way; where none can follow, nothing is announced.
pub fn write_request(
    head: &RequestHead,
    persistence: Persistence,
    out: &mut Vec<u8>,
) -> BodyLength {
    debug_assert!(head.body != BodyLength::UntilClose, "no request ends with its connection");
    out.reserve(head.fields.wire_len() + head.target.as_str().len() + head.authority.len() + 160);
    let start = out.len();
    let body = match head.body {
        BodyLength::Sized(1..) if head.fields.contains(TRAILER) => BodyLength::Streamed,
        body => body,
    };
    let announces = body == BodyLength::Streamed;
    out.extend_from_slice(head.method.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(head.target.as_str().as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\nhost: ");
    out.extend_from_slice(head.authority.as_bytes());
    out.extend_from_slice(b"\r\n");
    let keep = |name: &[u8]| name != b"host" && (announces || name != TRAILER.as_bytes());
    let mut lines = 2 + write_fields(&head.fields, keep, out);
    lines += write_request_framing(head, body, out);
    lines += write_connection(head, persistence, out);
    if head.expect_continue {
        out.extend_from_slice(b"expect: 100-continue\r\n");
        lines += 1;
    }
    out.extend_from_slice(b"\r\n");
    debug_assert!(has_lines(&out[start..], lines + 1), "a field brought its own line end");
    body
}

fn write_request_framing(head: &RequestHead, body: BodyLength, out: &mut Vec<u8>) -> usize {
    match body {
        BodyLength::Sized(length) => write_length(length, out),
        BodyLength::Streamed => write_chunked(out),
        // RFC 9110 §8.6: where a body could be expected, its absence is said.
        BodyLength::Empty if anticipates_content(&head.method) && head.upgrade.is_empty() => {
            write_length(0, out)
        }
        BodyLength::Empty | BodyLength::UntilClose => 0,
    }
}

fn anticipates_content(method: &Method) -> bool {
    *method == Method::POST || *method == Method::PUT || *method == Method::PATCH
}

/// RFC 9110 §7.8 and §10.1.4: Upgrade and TE have to be listed.
fn write_connection(head: &RequestHead, persistence: Persistence, out: &mut Vec<u8>) -> usize {
    let upgrades = !head.upgrade.is_empty();
    let options = [
        (persistence == Persistence::Close, &b"close"[..]),
        (upgrades, b"upgrade"),
        (head.fields.contains("te"), b"te"),
    ];
    let mut lines = 0;
    for (_, option) in options.iter().filter(|(wanted, _)| *wanted) {
        out.extend_from_slice(if lines == 0 { b"connection: " } else { b", " });
        out.extend_from_slice(option);
        lines = 1;
    }
    if lines == 1 {
        out.extend_from_slice(b"\r\n");
    }
    lines + write_upgrade(&head.upgrade, out)
}

#[derive(Clone, Copy, Debug)]
pub struct ResponseOptions<'a> {
    /// We would take another request on this connection.
    pub keep_alive: bool,
    /// What the client spoke: `HTTP/1.0` never gets chunks.
    pub client_version: Version,
    /// The request was HEAD.
    pub to_head: bool,
    /// The client said `TE: trailers`: announced ones are worth more to it than a length.
    pub takes_trailers: bool,
    /// Written where the response has no Date of its own.
    pub date: Option<&'a str>,
}

/// What was promised to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    /// How the body goes out: what `BodyEncoder::new` wants. `Empty` to a HEAD.
    pub body: BodyLength,
    /// Whether the connection stays open after the body.
    pub keep_alive: bool,
}

/// Appends the head of an answer or of a 1xx. A body of unknown length goes out in chunks, to an
/// HTTP/1.0 client until the connection closes.
pub fn write_response(
    head: &ResponseHead,
    options: ResponseOptions<'_>,
    out: &mut Vec<u8>,
) -> Sending {
    out.reserve(head.fields.wire_len() + 192);
    let start = out.len();
    write_status_line(head.status, out);
    let bodiless = options.to_head || has_no_body(head.status);
    // A Content-Length among the fields is data only where there is no body to frame.
    let keeps_length = bodiless && head.body == BodyLength::Empty && !forbids_length(head.status);
    let body = response_body(head, options, bodiless);
    let announces = body == BodyLength::Streamed;
    let keep = |name: &[u8]| {
        (keeps_length || name != b"content-length") && (announces || name != TRAILER.as_bytes())
    };
    let mut lines = 1 + write_fields_keeping(&head.fields, keep, out);
    let sending = write_framing(head, options, body, bodiless, &mut lines, out);
    if let Some(date) = options.date
        && !head.status.is_informational()
        && !head.fields.contains("date")
    {
        out.extend_from_slice(b"date: ");
        out.extend_from_slice(date.as_bytes());
        out.extend_from_slice(b"\r\n");
        lines += 1;
    }
    out.extend_from_slice(b"\r\n");
    debug_assert!(has_lines(&out[start..], lines + 1), "a field brought its own line end");
    sending
}

/// RFC 9112 §6.3, rule 1, but for HEAD.
fn has_no_body(status: StatusCode) -> bool {
    forbids_length(status) || status == StatusCode::NOT_MODIFIED
}

/// RFC 9110 §8.6.
fn forbids_length(status: StatusCode) -> bool {
    status.is_informational() || status == StatusCode::NO_CONTENT
}

/// What the framing fields say of the body, whether it follows or not.
fn response_body(head: &ResponseHead, options: ResponseOptions<'_>, bodiless: bool) -> BodyLength {
    let is_http_11 = options.client_version != Version::HTTP_10;
    match head.body {
        _ if forbids_length(head.status) => BodyLength::Empty,
        BodyLength::Empty if bodiless => BodyLength::Empty,
        // A 304's length is that of the 200 it stands for, which nobody knows here.
        BodyLength::Sized(0) if head.status == StatusCode::NOT_MODIFIED => BodyLength::Empty,
        BodyLength::Empty => BodyLength::Sized(0),
        BodyLength::Streamed | BodyLength::UntilClose if is_http_11 => BodyLength::Streamed,
        BodyLength::Streamed | BodyLength::UntilClose => BodyLength::UntilClose,
        // As in requests.
        BodyLength::Sized(1..)
            if is_http_11 && options.takes_trailers && head.fields.contains(TRAILER) =>
        {
            BodyLength::Streamed
        }
        sized @ BodyLength::Sized(_) => sized,
    }
}

fn write_framing(
    head: &ResponseHead,
    options: ResponseOptions<'_>,
    body: BodyLength,
    bodiless: bool,
    lines: &mut usize,
    out: &mut Vec<u8>,
) -> Sending {
    let is_http_11 = options.client_version != Version::HTTP_10;
    if head.status.is_informational() {
        if !head.upgrade.is_empty() {
            out.extend_from_slice(b"connection: upgrade\r\n");
            *lines += 1 + write_upgrade(&head.upgrade, out);
        }
        return Sending { body: BodyLength::Empty, keep_alive: options.keep_alive };
    }
    let mut keep_alive = options.keep_alive;
    match body {
        BodyLength::Sized(length) => *lines += write_length(length, out),
        BodyLength::Streamed => *lines += write_chunked(out),
        BodyLength::UntilClose => keep_alive &= bodiless,
        BodyLength::Empty => {}
    }
    *lines += write_persistence(keep_alive, is_http_11, out);
    Sending { body: if bodiless { BodyLength::Empty } else { body }, keep_alive }
}

/// RFC 9112 §9.3: said only where it isn't what the client's version implies.
fn write_persistence(keep_alive: bool, is_http_11: bool, out: &mut Vec<u8>) -> usize {
    match (keep_alive, is_http_11) {
        (true, true) => return 0,
        (true, false) => out.extend_from_slice(b"connection: keep-alive\r\n"),
        (false, _) => out.extend_from_slice(b"connection: close\r\n"),
    }
    1
}

fn write_status_line(status: StatusCode, out: &mut Vec<u8>) {
    if status == StatusCode::OK {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        return;
    }
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    // RFC 9112 §4: the space stands even without a phrase.
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn write_fields(fields: &Fields, keep: impl Fn(&[u8]) -> bool, out: &mut Vec<u8>) -> usize {
    write_fields_keeping(fields, |name| name != b"content-length" && keep(name), out)
}

/// Writes the fields that `keep` wants and that no member of the head stands for; says how many.
fn write_fields_keeping(fields: &Fields, keep: impl Fn(&[u8]) -> bool, out: &mut Vec<u8>) -> usize {
    let mut lines = 0;
    for (name, value) in fields.iter() {
        debug_assert!(super::name::is_token(name), "a field's name was not checked");
        let of_this_hop = match name.len() {
            7 => name == b"upgrade",
            10 => name == b"connection" || name == b"keep-alive",
            16 => name == b"proxy-connection",
            17 => name == b"transfer-encoding",
            _ => false,
        };
        if of_this_hop || !keep(name) {
            continue;
        }
        out.extend_from_slice(name);
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
        lines += 1;
    }
    lines
}

fn write_length(length: u64, out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(b"content-length: ");
    out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
    out.extend_from_slice(b"\r\n");
    1
}

fn write_chunked(out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(b"transfer-encoding: chunked\r\n");
    1
}

fn write_upgrade(protocol: &str, out: &mut Vec<u8>) -> usize {
    if protocol.is_empty() {
        return 0;
    }
    out.extend_from_slice(b"upgrade: ");
    out.extend_from_slice(protocol.as_bytes());
    out.extend_from_slice(b"\r\n");
    1
}

/// Whether the head has this many lines for a reader who takes CR, LF or both for a line's end.
fn has_lines(head: &[u8], lines: usize) -> bool {
    let count = |wanted| memchr::memchr_iter(wanted, head).count();
    count(b'\r') == lines && count(b'\n') == lines
}

#[cfg(test)]
mod tests;
