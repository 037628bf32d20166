//! The configuration as the proxy believes it, as data: what `meshctl proxy config` prints.
//!
//! Secrets never come here: of a certificate only what every client sees is shown.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::model::{
    Backend, BindAddress, Cause, EndpointSet, HeaderMatch, Listener, ListenerProtocol, Match, Part,
    PartKey, PathMatch, QueryMatch, Rule,
};
use crate::proxy::world::World;
use crate::snapshot::Snapshot;

/// One listening address.
pub(super) fn port(world: Option<&World>, bind: BindAddress, address: SocketAddr) -> Value {
    let table = world.and_then(|world| world.snapshot.port(bind));
    let listeners: Vec<Value> = table
        .into_iter()
        .flat_map(|port| port.listeners())
        .map(|table| {
            json!({
                "gateway": table.listener.gateway.to_string(),
                "name": &*table.listener.key.section,
                "hostname": table.listener.hostname.as_ref().map(ToString::to_string),
                "protocol": protocol(&table.listener),
            })
        })
        .collect();
    json!({ "address": address.to_string(), "listeners": listeners })
}

/// All parts, by kind and key.
pub(super) fn snapshot(snapshot: &Snapshot) -> Value {
    let mut parts: Vec<Part> = snapshot.parts().collect();
    parts.sort_by(|a, b| a.key().cmp(b.key()));
    let parts: Vec<Value> = parts.iter().map(part).collect();
    json!({ "generation": snapshot.generation, "parts": parts })
}

fn part(part: &Part) -> Value {
    let mut value = match part {
        Part::Listener(part) => listener(part),
        Part::Rule(part) => rule(part),
        Part::Backend(part) => backend(part),
        Part::EndpointSet(part) => endpoints(part),
        Part::Certificate(part) => {
            json!({ "certificates": part.chain.len(), "privateKey": "(masked)" })
        }
    };
    if let Value::Object(map) = &mut value {
        map.shift_insert(0, "part".to_owned(), part.key().part.as_str().into());
        map.shift_insert(1, "of".to_owned(), part.key().to_string().into());
        map.shift_insert(2, "hash".to_owned(), part.hash().to_string().into());
    }
    value
}

fn protocol(listener: &Listener) -> &'static str {
    match listener.protocol {
        ListenerProtocol::Http => "HTTP",
        ListenerProtocol::Https(_) => "HTTPS",
    }
}

fn listener(listener: &Listener) -> Value {
    let settings = &listener.settings;
    let tls = match &listener.protocol {
        ListenerProtocol::Http => Value::Null,
        ListenerProtocol::Https(tls) => json!({
            "certificates": tls.certificates.iter().map(reference).collect::<Vec<_>>(),
            "clientCertificates": tls.client_auth.as_ref().map(|auth| format!("{:?}", auth.mode)),
        }),
    };
    json!({
        "gateway": listener.gateway.to_string(),
        "bind": listener.bind.to_string(),
        "port": listener.port,
        "hostname": listener.hostname.as_ref().map(ToString::to_string),
        "protocol": protocol(listener),
        "tls": tls,
        "trustedHops": settings.trusted_hops,
        "idleTimeout": seconds(settings.idle_timeout),
        "requestHeadTimeout": seconds(settings.request_head_timeout),
        "streamIdleTimeout": seconds(settings.stream_idle_timeout),
        "drainTimeout": seconds(settings.drain_timeout),
    })
}

fn rule(rule: &Rule) -> Value {
    let attachments: Vec<Value> = rule
        .attachments
        .iter()
        .map(|attachment| {
            json!({
                "listener": attachment.listener.to_string(),
                "hostname": attachment.hostname.as_ref().map(ToString::to_string),
            })
        })
        .collect();
    let backends: Vec<Value> = rule
        .backends
        .iter()
        .map(|way| {
            json!({
                "backend": reference(&way.backend),
                "weight": way.weight,
                "filters": way.filters.len(),
            })
        })
        .collect();
    json!({
        "attachments": attachments,
        "matches": rule.matches.iter().map(condition).collect::<Vec<_>>(),
        "filters": rule.filters.iter().map(|filter| format!("{filter:?}")).collect::<Vec<_>>(),
        "backends": backends,
        "requestTimeout": rule.timeouts.request.map(seconds),
        "backendRequestTimeout": rule.timeouts.backend_request.map(seconds),
        "retries": rule.retry.attempts,
    })
}

fn condition(condition: &Match) -> Value {
    let (kind, path) = match &condition.path {
        PathMatch::Exact(path) => ("exact", &**path),
        PathMatch::Prefix(path) if path.is_empty() => ("prefix", "/"),
        PathMatch::Prefix(path) => ("prefix", &**path),
        PathMatch::Regex(pattern) => ("regex", pattern.as_str()),
    };
    let headers = condition.headers.iter().map(|header| match header {
        HeaderMatch::Exact { name, value } => json!({ "name": **name, "exact": **value }),
        HeaderMatch::Regex { name, pattern } => {
            json!({ "name": **name, "regex": pattern.as_str() })
        }
    });
    let query = condition.query.iter().map(|parameter| match parameter {
        QueryMatch::Exact { name, value } => json!({ "name": **name, "exact": **value }),
        QueryMatch::Regex { name, pattern } => json!({ "name": **name, "regex": pattern.as_str() }),
    });
    json!({
        "path": { kind: path },
        "method": condition.method.as_deref(),
        "headers": headers.collect::<Vec<_>>(),
        "query": query.collect::<Vec<_>>(),
    })
}

fn backend(backend: &Backend) -> Value {
    let tls = match &backend.tls {
        Ok(None) => Value::Null,
        Ok(Some(tls)) => json!({ "serverName": *tls.server_name }),
        Err(cause) => json!({ "refused": cause.word() }),
    };
    let policy = &backend.policy;
    json!({
        "protocol": format!("{:?}", backend.protocol),
        "tls": tls,
        "balance": format!("{:?}", policy.balance),
        "connectTimeout": seconds(policy.connect_timeout),
        "retryBudgetPercent": policy.retry_budget.percent,
        "ejectionAfterFailures": policy.ejection.consecutive_failures,
    })
}

fn endpoints(set: &EndpointSet) -> Value {
    let endpoints: Vec<Value> = set
        .endpoints
        .iter()
        .map(|endpoint| {
            json!({ "address": endpoint.address.to_string(), "weight": endpoint.weight })
        })
        .collect();
    json!({ "endpoints": endpoints, "empty": set.empty.map(Cause::word) })
}

fn reference(reference: &Result<PartKey, Cause>) -> Value {
    match reference {
        Ok(key) => key.to_string().into(),
        Err(cause) => json!({ "refused": cause.word() }),
    }
}

fn seconds(duration: std::time::Duration) -> f64 {
    duration.as_secs_f64()
}
