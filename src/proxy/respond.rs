//! Answers that the product makes itself.

use std::future::poll_fn;

use bytes::Bytes;
use http::StatusCode;

use super::codec::{Body, Downstream, Fault};
use super::forwarded::RequestId;
use super::message::{BodyLength, RequestHead, ResponseHead};
use crate::model::Cause;

/// Head and body of a failure: status and words for a browser, a gRPC status for gRPC.
pub fn failure(
    request: &RequestHead,
    cause: Cause,
    reason: &str,
    id: &RequestId,
) -> (ResponseHead, String) {
    if is_grpc(request) {
        return (grpc_failure(cause, reason), String::new());
    }
    let body = format!("{}: {reason}\nrequest {id}\n", cause.word());
    let mut head = own_head(cause.status(), BodyLength::Sized(body.len() as u64));
    head.fields.push(b"content-type", b"text/plain; charset=utf-8");
    (head, body)
}

/// A gRPC client reads the trailers alone, and an HTTP status only by a table of its own
/// (gRPC over HTTP/2, "Responses").
fn grpc_failure(cause: Cause, reason: &str) -> ResponseHead {
    let mut head = own_head(200, BodyLength::Empty);
    head.fields.push(b"content-type", b"application/grpc");
    head.fields.push(b"grpc-status", grpc_status(cause).as_bytes());
    let message: String = reason.chars().filter(|c| (' '..='~').contains(c) && *c != '%').collect();
    head.fields.push(b"grpc-message", format!("{}: {message}", cause.word()).as_bytes());
    head
}

/// The codes that gRPC's own proxies give (grpc/doc/http-grpc-status-mapping), but for what the
/// Gateway API says itself: what an invalid backendRef would have been sent is UNAVAILABLE.
fn grpc_status(cause: Cause) -> &'static str {
    match cause {
        Cause::RequestTimeout | Cause::BackendRequestTimeout | Cause::StreamIdleTimeout => "4",
        Cause::ClientCertificateRefused => "7",
        Cause::NoBackend
        | Cause::BackendNotFound
        | Cause::BackendNotPermitted
        | Cause::BackendKindUnknown
        | Cause::BackendAddressRefused => "14",
        _ => match cause.status() {
            404 => "12",
            431 | 413 => "8",
            400..=500 => "13",
            _ => "14",
        },
    }
}

/// gRPC over HTTP/2, "Requests": `application/grpc`, with a message format behind a `+`. gRPC-Web
/// is another protocol, whose clients find no status in a head that says `application/grpc`.
pub fn is_grpc(request: &RequestHead) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    let Some(kind) = request.fields.get("content-type") else { return false };
    let (Some(start), rest) = (kind.get(..GRPC.len()), kind.get(GRPC.len())) else { return false };
    start.eq_ignore_ascii_case(GRPC) && matches!(rest, None | Some(b'+' | b';' | b' ' | b'\t'))
}

fn own_head(status: u16, body: BodyLength) -> ResponseHead {
    ResponseHead {
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        body,
        keep_alive: true,
        ..ResponseHead::default()
    }
}

/// Writes a whole answer; says how long its body was.
pub async fn write(
    down: &mut Downstream<'_>,
    head: &ResponseHead,
    body: &[u8],
) -> Result<u64, Fault> {
    poll_fn(|cx| down.poll_room(cx)).await?;
    down.send_head(head)?;
    if body.is_empty() {
        down.write_end(None)?;
    } else {
        down.write_data(Bytes::copy_from_slice(body), true)?;
    }
    poll_fn(|cx| down.poll_flush(cx)).await?;
    Ok(body.len() as u64)
}

#[cfg(test)]
mod tests;
