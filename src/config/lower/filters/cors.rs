//! CORS.

use std::time::Duration;

use crate::config::codes;
use crate::config::lower::matches::is_token;
use crate::config::lower::view::View;
use crate::config::raw::{self, At, Object};
use crate::model::{Cors, CorsOrigin, Hostname, Name};

/// What browsers may keep of a preflight's answer when nothing is written (the API's default).
const MAX_AGE: Duration = Duration::from_secs(5);

pub(super) fn cors(view: &mut View<'_>, object: &Object, written: &raw::Cors) -> Option<Cors> {
    let origins: Vec<_> =
        written.allow_origins.iter().map(|text| origin(view, object, text)).collect();
    let methods = tokens(view, object, &written.allow_methods, false);
    let headers = tokens(view, object, &written.allow_headers, true);
    let exposed = tokens(view, object, &written.expose_headers, true);
    let max_age = written.max_age.as_ref().map(|age| Duration::from_secs(age.value.into()));
    Some(Cors {
        allow_origins: origins.into_iter().collect::<Option<_>>()?,
        allow_credentials: written.allow_credentials,
        allow_methods: methods?,
        allow_headers: headers?,
        expose_headers: exposed?,
        max_age: max_age.unwrap_or(MAX_AGE),
    })
}

/// Methods as they are, header names in lower case, `*` for all.
fn tokens(
    view: &mut View<'_>,
    object: &Object,
    written: &[At<Name>],
    fold: bool,
) -> Option<Vec<Name>> {
    let mut tokens = Some(Vec::new());
    for text in written {
        if !is_token(&text.value) {
            let message = format!("`{}` can't stand in a CORS header", text.value);
            view.error(object, codes::FILTER_INVALID, text, message);
            tokens = None;
        } else if let Some(list) = &mut tokens {
            list.push(if fold {
                text.value.to_ascii_lowercase().into()
            } else {
                text.value.clone()
            });
        }
    }
    tokens
}

fn origin(view: &mut View<'_>, object: &Object, text: &At<Name>) -> Option<CorsOrigin> {
    let parsed = parse(&text.value);
    if parsed.is_none() {
        let message = format!("`{}` is not an origin", text.value);
        view.error(object, codes::FILTER_INVALID, text, message)
            .help("write it as `https://shop.example`, `https://*.shop.example:8443` or `*`");
    }
    parsed
}

/// `*`, or scheme, host and perhaps port. A `*` stands first in the host.
fn parse(text: &str) -> Option<CorsOrigin> {
    if text == "*" {
        return Some(CorsOrigin::Any);
    }
    let lower = text.to_ascii_lowercase();
    let (scheme, authority) = lower.split_once("://")?;
    if !matches!(scheme, "http" | "https") {
        return None;
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if port.is_some_and(|port| !is_port(port)) {
        return None;
    }
    if let Some(suffix) = host.strip_prefix('*') {
        let whole = suffix.is_empty() || Hostname::parse(host).is_ok();
        let scheme = format!("{scheme}://");
        let suffix = CorsOrigin::without_default_port(&lower).strip_prefix(&*scheme)?;
        let suffix = suffix.strip_prefix('*')?.into();
        return whole.then(|| CorsOrigin::Wildcard { scheme: scheme.into(), suffix });
    }
    is_host(host).then(|| CorsOrigin::Exact(CorsOrigin::without_default_port(&lower).into()))
}

/// As browsers spell it: `0443` would never match.
fn is_port(text: &str) -> bool {
    text.starts_with(|first: char| matches!(first, '1'..='9')) && text.parse::<u16>().is_ok()
}

fn is_host(host: &str) -> bool {
    let v6 = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    v6.is_some_and(|ip| ip.parse::<std::net::Ipv6Addr>().is_ok())
        || host.parse::<std::net::Ipv4Addr>().is_ok()
        || Hostname::parse(host).is_ok()
}
