//! Cross-origin requests (the Fetch standard's CORS protocol, Gateway API GEP-1767).

use std::time::Duration;

use http::{Method, StatusCode};

use super::{Answer, StageRequest};
use crate::model::{Cors, CorsOrigin};
use crate::proxy::message::{BodyLength, RequestHead, ResponseHead};

/// Answers a preflight; remembers the origin for the answer to anything else.
pub(super) fn request(cors: &Cors, request: &mut StageRequest<'_>) -> Result<(), Answer> {
    let Some(origin) = request.head.fields.get("origin") else { return Ok(()) };
    request.origin.clear();
    request.origin.extend_from_slice(origin);
    if is_preflight(request.head) {
        return Err(Answer::Respond(Box::new(preflight(cors, request.head))));
    }
    Ok(())
}

/// Says what the browser may show. The backend's own CORS headers give way: two voices are what
/// browsers refuse.
pub(super) fn response(cors: &Cors, origin: &[u8], response: &mut ResponseHead) {
    if origin.is_empty() || response.fields.contains("access-control-allow-methods") {
        return;
    }
    let Some(allowed) = allowed_origin(cors, origin) else { return };
    for name in [
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "access-control-expose-headers",
    ] {
        response.fields.remove(name);
    }
    allow(cors, allowed, response);
    if let Some(exposed) = list(&cors.expose_headers) {
        response.fields.push(b"access-control-expose-headers", exposed.as_bytes());
    }
}

fn is_preflight(head: &RequestHead) -> bool {
    head.method == Method::OPTIONS && head.fields.contains("access-control-request-method")
}

/// A preflight is answered here and never asks the backend; one that is not allowed gets the same
/// answer without the words that would allow it.
fn preflight(cors: &Cors, head: &RequestHead) -> ResponseHead {
    let mut response = ResponseHead {
        status: StatusCode::NO_CONTENT,
        body: BodyLength::Empty,
        keep_alive: true,
        ..ResponseHead::default()
    };
    let origin = head.fields.get("origin").unwrap_or_default();
    let Some(allowed) = allowed_origin(cors, origin) else { return response };
    allow(cors, allowed, &mut response);
    let asked_method = head.fields.get("access-control-request-method");
    if let Some(methods) = granted(&cors.allow_methods, asked_method, cors.allow_credentials) {
        response.fields.push(b"access-control-allow-methods", &methods);
    }
    let asked_headers = head.fields.get("access-control-request-headers");
    if let Some(headers) = granted(&cors.allow_headers, asked_headers, cors.allow_credentials) {
        response.fields.push(b"access-control-allow-headers", &headers);
    }
    if cors.max_age > Duration::ZERO {
        let mut digits = itoa::Buffer::new();
        let seconds = digits.format(cors.max_age.as_secs());
        response.fields.push(b"access-control-max-age", seconds.as_bytes());
    }
    response
}

fn allow(cors: &Cors, origin: &[u8], response: &mut ResponseHead) {
    response.fields.push(b"access-control-allow-origin", origin);
    if cors.allow_credentials {
        response.fields.push(b"access-control-allow-credentials", b"true");
    }
    if origin != b"*" {
        // A shared cache must not give one origin's answer to another.
        response.fields.push(b"vary", b"origin");
    }
}

/// What to say in `Access-Control-Allow-Origin`: the origin itself, because a list is not
/// allowed there, and `*` only where everybody is meant and no credentials go along.
fn allowed_origin<'a>(cors: &Cors, origin: &'a [u8]) -> Option<&'a [u8]> {
    let text = std::str::from_utf8(origin).ok()?.to_ascii_lowercase();
    let allowed = cors.allow_origins.iter().find(|allowed| match allowed {
        CorsOrigin::Any => true,
        CorsOrigin::Exact(exact) => **exact == *text,
        CorsOrigin::Wildcard { scheme, suffix } => text
            .strip_prefix(&**scheme)
            .and_then(|rest| rest.strip_suffix(&**suffix))
            .is_some_and(|label| !label.is_empty()),
    })?;
    let anybody = matches!(allowed, CorsOrigin::Any) && !cors.allow_credentials;
    Some(if anybody { b"*" } else { origin })
}

/// The configured list; for `*`, where credentials make a literal `*` mean nothing, what was
/// asked for.
fn granted<T: AsRef<str>>(
    allowed: &[T],
    asked: Option<&[u8]>,
    credentials: bool,
) -> Option<Vec<u8>> {
    if allowed.iter().any(|name| name.as_ref() == "*") {
        return if credentials { asked.map(<[u8]>::to_vec) } else { Some(b"*".to_vec()) };
    }
    list(allowed).map(String::into_bytes)
}

fn list<T: AsRef<str>>(names: &[T]) -> Option<String> {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    (!names.is_empty()).then(|| names.join(", "))
}
