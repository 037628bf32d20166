//! Cross-origin requests (the Fetch standard's CORS protocol, Gateway API GEP-1767).

use std::time::Duration;

use http::{Method, StatusCode};

use super::{Answer, StageRequest};
use crate::model::{Cors, CorsOrigin};
use crate::proxy::message::{BodyLength, RequestHead, ResponseHead};

/// What a browser is told about any answer. A backend's own words give way: two voices are what
/// browsers refuse, and a route's policy must not be widened behind its back.
const ANY_ANSWER: [&str; 3] = [
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-expose-headers",
];

/// Answers a preflight; remembers the origin for the response half.
pub(super) fn request(cors: &Cors, request: &mut StageRequest<'_>) -> Result<(), Answer> {
    let Some(origin) = request.head.fields.get("origin") else { return Ok(()) };
    request.origin.clear();
    request.origin.extend_from_slice(origin);
    if is_preflight(request.head) {
        return Err(Answer::Respond(Box::new(preflight(cors, request.head))));
    }
    Ok(())
}

/// Says who may read the answer, a preflight's included.
pub(super) fn response(cors: &Cors, origin: &[u8], response: &mut ResponseHead) {
    for name in ANY_ANSWER {
        response.fields.remove(name);
    }
    if !is_for_anybody(cors) {
        // Also where nobody asked from elsewhere: a shared cache must not give one origin's
        // answer, or nobody's, to another.
        response.fields.push(b"vary", b"origin");
    }
    if origin.is_empty() {
        return;
    }
    let Some(allowed) = allowed_origin(cors, origin) else { return };
    response.fields.push(b"access-control-allow-origin", allowed);
    if cors.allow_credentials {
        response.fields.push(b"access-control-allow-credentials", b"true");
    }
    // With credentials a `*` would be the name of a field.
    let wild = cors.allow_credentials && cors.expose_headers.iter().any(|name| &**name == "*");
    if let Some(exposed) = list(&cors.expose_headers).filter(|_| !wild) {
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
    if allowed_origin(cors, origin).is_none() {
        return response;
    }
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

/// What to say in `Access-Control-Allow-Origin`: the origin itself, because a list is not
/// allowed there, and `*` only where everybody is meant and no credentials go along.
fn allowed_origin<'a>(cors: &Cors, origin: &'a [u8]) -> Option<&'a [u8]> {
    let text = std::str::from_utf8(origin).ok()?.to_ascii_lowercase();
    let text = CorsOrigin::without_default_port(&text);
    let allowed = cors.allow_origins.iter().find(|allowed| match allowed {
        CorsOrigin::Any => true,
        CorsOrigin::Exact(exact) => **exact == *text,
        CorsOrigin::Wildcard { scheme, suffix } => text
            .strip_prefix(&**scheme)
            .and_then(|rest| rest.strip_suffix(&**suffix))
            .is_some_and(|labels| !labels.is_empty() && !has_port(labels)),
    })?;
    let anybody = matches!(allowed, CorsOrigin::Any) && !cors.allow_credentials;
    Some(if anybody { b"*" } else { origin })
}

/// Whether a port stands behind the host; an IPv6 address has colons within its brackets.
fn has_port(host: &str) -> bool {
    host.rfind(':').is_some_and(|colon| !host[colon..].contains(']'))
}

/// Whether every origin gets the same answer.
fn is_for_anybody(cors: &Cors) -> bool {
    !cors.allow_credentials && matches!(cors.allow_origins[..], [CorsOrigin::Any])
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
