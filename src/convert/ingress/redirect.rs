//! URLs of annotations: where a redirect leads, and which address a copy goes to.

use serde_json::{Value, json};

/// A `RequestRedirect` filter's own field, or why there is none.
pub(super) fn to(url: &str, code: u64) -> Result<Value, String> {
    let (url, keeps_path) = match url.strip_suffix("$request_uri") {
        Some(url) => (url, true),
        None => (url, false),
    };
    if url.contains('$') {
        return Err("variables of nginx have no value here".to_owned());
    }
    if ![301, 302, 303, 307, 308].contains(&code) {
        return Err(format!("a redirect can't have status {code}"));
    }
    let mut redirect = json!({"statusCode": code});
    let path = match url.split_once("://") {
        None if url.starts_with('/') => url,
        None if keeps_path && url.is_empty() => "",
        None => return Err(format!("`{url}` is neither a URL nor a path")),
        Some((scheme @ ("http" | "https"), rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            redirect["scheme"] = scheme.into();
            let (name, port) = host.split_once(':').unwrap_or((host, ""));
            redirect["hostname"] = name.to_ascii_lowercase().into();
            if let Ok(port) = port.parse::<u16>() {
                redirect["port"] = port.into();
            }
            path
        }
        Some((scheme, _)) => return Err(format!("there is no redirect to {scheme}")),
    };
    if path.contains(['?', '#']) {
        return Err("the query of a redirect can't be chosen".to_owned());
    }
    match (keeps_path, path) {
        (true, "" | "/") => {}
        (true, _) => {
            redirect["path"] = json!({"type": "ReplacePrefixMatch", "replacePrefixMatch": path});
        }
        (false, path) => {
            let path = if path.is_empty() { "/" } else { path };
            redirect["path"] = json!({"type": "ReplaceFullPath", "replaceFullPath": path});
        }
    }
    Ok(redirect)
}

/// Whether TLS is spoken, and `HOST:PORT`, of a URL without path.
pub(super) fn address(url: &str) -> Option<(bool, String)> {
    let (scheme, host) = url.split_once("://")?;
    let (tls, port) = match scheme {
        "http" => (false, 80),
        "https" => (true, 443),
        _ => return None,
    };
    let plain = !host.is_empty() && !host.contains(['/', '?', '#', '@']);
    let named = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    plain.then(|| (tls, if named { host.to_owned() } else { format!("{host}:{port}") }))
}
