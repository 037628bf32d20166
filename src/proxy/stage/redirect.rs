//! Answering with another place.

use http::StatusCode;

use super::StageRequest;
use super::rewrite::rewritten;
use crate::model::Redirect;
use crate::proxy::message::{BodyLength, ResponseHead};

/// The redirect's head.
pub(super) fn redirect(redirect: &Redirect, request: &StageRequest<'_>) -> ResponseHead {
    let mut head = ResponseHead {
        status: StatusCode::from_u16(redirect.status).unwrap_or(StatusCode::FOUND),
        body: BodyLength::Sized(0),
        keep_alive: true,
        ..ResponseHead::default()
    };
    head.fields.push(b"location", location(redirect, request).as_bytes());
    head
}

/// Port, as the Gateway API says: the redirect's own; else the well-known one of its scheme; else
/// the listener's. One that the scheme implies is not written.
fn location(redirect: &Redirect, request: &StageRequest<'_>) -> String {
    let own_scheme = if request.https { "https" } else { "http" };
    let scheme = redirect.scheme.as_deref().unwrap_or(own_scheme);
    let host = match &redirect.hostname {
        Some(hostname) => hostname.as_str(),
        None => request.head.host(),
    };
    let implied = if scheme == "https" { 443 } else { 80 };
    let port = match (redirect.port, &redirect.scheme) {
        (Some(port), _) => port,
        (None, Some(_)) => implied,
        (None, None) => request.port,
    };
    let target = &request.head.target;
    let path = match &redirect.path {
        Some(path) => rewritten(path, request.matched, target),
        None => target.path().to_owned(),
    };
    let mut location = format!("{scheme}://{host}");
    if port != implied {
        location.push_str(&format!(":{port}"));
    }
    location.push_str(&path);
    if let Some(query) = target.query() {
        location.push('?');
        location.push_str(query);
    }
    location
}
