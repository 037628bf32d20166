//! Parts as JSON: the configuration as the proxy believes it, with secrets masked.
//!
//! For people and for `meshctl proxy config`; no part is ever read back from it. Every field is
//! taken apart by name, so that a new one can't be forgotten here. Masked are private keys, and
//! the values of headers whose names say that they carry a credential.

use std::fmt::Display;
use std::time::Duration;

use serde_json::{Value, json};

use crate::model::{
    Attachment, Backend, BackendPolicy, BackendProtocol, BackendTls, Balance, Cause, Certificate,
    ClientAuth, ClientAuthMode, ClientIdentity, Cors, CorsOrigin, Ejection, Endpoint, EndpointSet,
    Filter, Fraction, HashSource, HeaderEdit, HeaderMatch, Listener, ListenerProtocol,
    ListenerSettings, ListenerTls, Match, Mirror, Part, PathMatch, PathRewrite, QueryMatch,
    Redirect, RetryBudget, RetryPolicy, Rewrite, Rule, RuleOrder, SessionCookie,
    SessionPersistence, SubjectAltName, Timeouts, TrustRoots, WeightedBackend,
};

const MASK: &str = "(masked)";

/// One part, with its kind, key and hash.
pub fn describe(part: &Part) -> Value {
    let (object, spec) = match part {
        Part::Listener(part) => (&part.key, listener(part)),
        Part::Rule(part) => (&part.key, rule(part)),
        Part::Backend(part) => (&part.key, backend(part)),
        Part::EndpointSet(part) => (&part.key, endpoints(part)),
        Part::Certificate(part) => (&part.key, certificate(part)),
    };
    json!({
        "part": object.part.as_str(),
        "key": object.to_string(),
        "hash": part.hash().to_string(),
        "spec": spec,
    })
}

fn listener(listener: &Listener) -> Value {
    let Listener { key: _, gateway, scope: _, bind, port, hostname, protocol, settings } = listener;
    json!({
        "gateway": gateway.to_string(),
        "bind": bind.to_string(),
        "port": port,
        "hostname": text(hostname.as_ref()),
        "tls": match protocol {
            ListenerProtocol::Http => Value::Null,
            ListenerProtocol::Https(tls) => listener_tls(tls),
        },
        "settings": listener_settings(settings),
    })
}

fn listener_tls(tls: &ListenerTls) -> Value {
    let ListenerTls { certificates, client_auth, min_version } = tls;
    json!({
        "certificates": list(certificates, found),
        "clientAuth": client_auth.as_ref().map(|ClientAuth { roots, mode }| json!({
            "roots": roots.len(),
            "mode": match mode {
                ClientAuthMode::AllowValidOnly => "AllowValidOnly",
                ClientAuthMode::AllowInsecureFallback => "AllowInsecureFallback",
            },
        })),
        "minVersion": format!("{min_version:?}"),
    })
}

fn listener_settings(settings: &ListenerSettings) -> Value {
    let ListenerSettings {
        trusted_hops,
        proxy_protocol_from,
        idle_timeout,
        request_head_timeout,
        stream_idle_timeout,
        drain_timeout,
        max_header_bytes,
        access_log,
        via,
    } = settings;
    json!({
        "trustedHops": trusted_hops,
        "proxyProtocolFrom": list(proxy_protocol_from, |(ip, bits)| json!(format!("{ip}/{bits}"))),
        "idleTimeout": time(*idle_timeout),
        "requestHeadTimeout": time(*request_head_timeout),
        "streamIdleTimeout": time(*stream_idle_timeout),
        "drainTimeout": time(*drain_timeout),
        "maxHeaderBytes": max_header_bytes,
        "accessLog": access_log.map(|format| format!("{format:?}")),
        "via": &**via,
    })
}

fn rule(rule: &Rule) -> Value {
    let Rule {
        key: _,
        protocol,
        order,
        attachments,
        matches,
        filters,
        backends,
        timeouts,
        retry,
        session_persistence,
    } = rule;
    let RuleOrder { created, namespace: _, name: _, rule: position } = order;
    json!({
        "protocol": format!("{protocol:?}"),
        "created": created,
        "position": position,
        "attachments": list(attachments, |Attachment { listener, hostname }| json!({
            "listener": listener.to_string(),
            "hostname": text(hostname.as_ref()),
        })),
        "matches": list(matches, one_match),
        "filters": list(filters, filter),
        "backends": list(backends, |WeightedBackend { weight, backend, filters }| json!({
            "weight": weight,
            "backend": found(backend),
            "filters": list(filters, filter),
        })),
        "timeouts": timeouts_of(timeouts),
        "retry": retry_of(retry),
        "sessionPersistence": session_persistence.as_ref().map(session),
    })
}

fn timeouts_of(Timeouts { request, backend_request, stream_idle }: &Timeouts) -> Value {
    json!({
        "request": request.map(time),
        "backendRequest": backend_request.map(time),
        "streamIdle": stream_idle.map(time),
    })
}

fn retry_of(retry: &RetryPolicy) -> Value {
    let RetryPolicy { attempts, backoff, statuses, on_failure } = retry;
    json!({
        "attempts": attempts,
        "backoff": backoff.map(time),
        "statuses": statuses,
        "onFailure": on_failure,
    })
}

fn session(session: &SessionPersistence) -> Value {
    let SessionPersistence { name, cookie, absolute_timeout, idle_timeout } = session;
    json!({
        "name": &**name,
        "by": match cookie {
            None => "header",
            Some(SessionCookie { permanent: true }) => "permanent cookie",
            Some(SessionCookie { permanent: false }) => "session cookie",
        },
        "absoluteTimeout": absolute_timeout.map(time),
        "idleTimeout": idle_timeout.map(time),
    })
}

fn one_match(of: &Match) -> Value {
    let Match { path, method, headers, query } = of;
    json!({
        "path": match path {
            PathMatch::Exact(path) => json!({ "exact": &**path }),
            PathMatch::Prefix(path) if path.is_empty() => json!({ "prefix": "/" }),
            PathMatch::Prefix(path) => json!({ "prefix": &**path }),
            PathMatch::Regex(pattern) => json!({ "regex": pattern.as_str() }),
        },
        "method": method.as_deref(),
        "headers": list(headers, |of| match of {
            HeaderMatch::Exact { name, value } => {
                json!({ "name": &**name, "exact": unless_secret(name, value) })
            }
            HeaderMatch::Regex { name, pattern } => {
                json!({ "name": &**name, "regex": unless_secret(name, pattern.as_str()) })
            }
        }),
        "query": list(query, |of| match of {
            QueryMatch::Exact { name, value } => {
                json!({ "name": &**name, "exact": unless_secret(name, value) })
            }
            QueryMatch::Regex { name, pattern } => {
                json!({ "name": &**name, "regex": unless_secret(name, pattern.as_str()) })
            }
        }),
    })
}

fn filter(filter: &Filter) -> Value {
    match filter {
        Filter::RequestHeaders(edit) => json!({ "requestHeaders": header_edit(edit) }),
        Filter::ResponseHeaders(edit) => json!({ "responseHeaders": header_edit(edit) }),
        Filter::Redirect(Redirect { scheme, hostname, path, port, status }) => json!({
            "redirect": {
                "scheme": scheme.as_deref(),
                "hostname": text(hostname.as_ref()),
                "path": path.as_ref().map(path_rewrite),
                "port": port,
                "status": status,
            }
        }),
        Filter::Rewrite(Rewrite { hostname, path }) => json!({
            "rewrite": {
                "hostname": text(hostname.as_ref()),
                "path": path.as_ref().map(path_rewrite),
            }
        }),
        Filter::Mirror(Mirror { backend, fraction: Fraction { numerator, denominator } }) => {
            json!({
                "mirror": {
                    "backend": found(backend),
                    "fraction": format!("{numerator}/{denominator}"),
                }
            })
        }
        Filter::Cors(cors) => json!({ "cors": cors_of(cors) }),
        Filter::Refuse(cause) => json!({ "refuse": cause.word() }),
    }
}

fn header_edit(HeaderEdit { set, add, remove }: &HeaderEdit) -> Value {
    json!({
        "set": list(set, |(name, value)| json!([&**name, unless_secret(name, value)])),
        "add": list(add, |(name, value)| json!([&**name, unless_secret(name, value)])),
        "remove": list(remove, |name| json!(&**name)),
    })
}

fn path_rewrite(rewrite: &PathRewrite) -> Value {
    match rewrite {
        PathRewrite::Full(path) => json!({ "full": &**path }),
        PathRewrite::Prefix(path) => json!({ "prefix": &**path }),
    }
}

fn cors_of(cors: &Cors) -> Value {
    let Cors {
        allow_origins,
        allow_credentials,
        allow_methods,
        allow_headers,
        expose_headers,
        max_age,
    } = cors;
    let name = |name: &std::sync::Arc<str>| json!(&**name);
    json!({
        "allowOrigins": list(allow_origins, |origin| match origin {
            CorsOrigin::Any => json!("*"),
            CorsOrigin::Exact(origin) => json!(&**origin),
            CorsOrigin::Wildcard { scheme, suffix } => json!(format!("{scheme}*{suffix}")),
        }),
        "allowCredentials": allow_credentials,
        "allowMethods": list(allow_methods, name),
        "allowHeaders": list(allow_headers, name),
        "exposeHeaders": list(expose_headers, name),
        "maxAge": time(*max_age),
    })
}

fn backend(backend: &Backend) -> Value {
    let Backend { key: _, endpoints, protocol, tls, policy } = backend;
    json!({
        "endpoints": endpoints.to_string(),
        "protocol": match protocol {
            BackendProtocol::Http => "http",
            BackendProtocol::H2c => "h2c",
            BackendProtocol::WebSocket => "websocket",
        },
        "tls": match tls {
            Ok(None) => Value::Null,
            Ok(Some(tls)) => backend_tls(tls),
            Err(cause) => refusal(*cause),
        },
        "policy": backend_policy(policy),
    })
}

fn backend_tls(tls: &BackendTls) -> Value {
    let BackendTls { roots, server_name, subject_alt_names, identity } = tls;
    json!({
        "roots": match roots {
            TrustRoots::System => json!("system"),
            TrustRoots::Bundle(certificates) => json!(certificates.len()),
        },
        "serverName": &**server_name,
        "subjectAltNames": list(subject_alt_names, |name| match name {
            SubjectAltName::Dns(name) => json!({ "dns": &**name }),
            SubjectAltName::Uri(name) => json!({ "uri": &**name }),
        }),
        "identity": identity.as_ref().map(|ClientIdentity(key)| key.to_string()),
    })
}

fn backend_policy(policy: &BackendPolicy) -> Value {
    let BackendPolicy {
        balance,
        connect_timeout,
        retry_budget: RetryBudget { percent, floor_per_second },
        ejection: Ejection { consecutive_failures, base, max, max_percent },
        slow_start,
        proxy_protocol,
        max_idle_per_endpoint,
        max_requests,
    } = policy;
    json!({
        "balance": match balance {
            Balance::LeastRequest => json!("least request"),
            Balance::RoundRobin => json!("round robin"),
            Balance::Random => json!("random"),
            Balance::ConsistentHash(source) => json!({ "hash": match source {
                HashSource::ClientAddress => "client address".to_owned(),
                HashSource::Header(name) => format!("header {name}"),
                HashSource::Cookie(name) => format!("cookie {name}"),
                HashSource::Path => "path".to_owned(),
            }}),
        },
        "connectTimeout": time(*connect_timeout),
        "retryBudget": { "percent": percent, "floorPerSecond": floor_per_second },
        "ejection": {
            "consecutiveFailures": consecutive_failures,
            "base": time(*base),
            "max": time(*max),
            "maxPercent": max_percent,
        },
        "slowStart": slow_start.map(|slow_start| time(slow_start.window)),
        "proxyProtocol": proxy_protocol.map(|version| format!("{version:?}")),
        "maxIdlePerEndpoint": max_idle_per_endpoint,
        "maxRequests": max_requests,
    })
}

fn endpoints(EndpointSet { key: _, endpoints, empty, reach: _ }: &EndpointSet) -> Value {
    json!({
        "endpoints": list(endpoints, |Endpoint { address, alternate, weight }| json!({
            "address": address.to_string(),
            "alternate": alternate.map(|alternate| alternate.to_string()),
            "weight": weight,
        })),
        "empty": empty.map(Cause::word),
    })
}

fn certificate(Certificate { key: _, chain, private_key: _ }: &Certificate) -> Value {
    json!({ "chain": chain.len(), "privateKey": MASK })
}

fn list<T>(items: &[T], describe: impl Fn(&T) -> Value) -> Value {
    items.iter().map(describe).collect()
}

/// What a reference leads to, or why it leads nowhere.
fn found(reference: &Result<impl Display, Cause>) -> Value {
    match reference {
        Ok(key) => json!(key.to_string()),
        Err(cause) => refusal(*cause),
    }
}

fn refusal(cause: Cause) -> Value {
    json!({ "cause": cause.word() })
}

fn text(value: Option<&impl Display>) -> Value {
    value.map(ToString::to_string).into()
}

/// `5s`, `1.5s`, `300ms`.
fn time(duration: Duration) -> String {
    format!("{duration:?}")
}

/// A filter that adds a credential, or a match on one, is common, and the name gives it away.
pub(in crate::proxy) fn unless_secret<'a>(name: &str, value: &'a str) -> &'a str {
    const MARKS: [&str; 7] = ["auth", "cookie", "token", "secret", "key", "password", "session"];
    let name = name.to_ascii_lowercase();
    if MARKS.iter().any(|mark| name.contains(mark)) { MASK } else { value }
}

#[cfg(test)]
mod tests;
