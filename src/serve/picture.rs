//! The configuration as the proxy believes it, as data: what `meshctl proxy config` prints.
//!
//! Secrets never come here: of a certificate only what every client sees is shown.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::model::{BindAddress, Listener, ListenerProtocol, Part};
use crate::proxy::control::describe;
use crate::proxy::process::EndpointNow;
use crate::proxy::world::World;
use crate::snapshot::Snapshot;
use crate::telemetry::{EndpointCounts, backend_label};

/// What is served, by names that hold from everywhere.
pub(super) fn sources(files: &[PathBuf]) -> Vec<String> {
    let absolute = |file: &PathBuf| {
        let found = std::fs::canonicalize(file).unwrap_or_else(|_| file.clone());
        found.display().to_string()
    };
    files.iter().map(absolute).collect()
}

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

/// Counts with what balancing knows besides. An address that was spoken to in another way before is
/// told as the slower and the worse of both.
pub(super) fn endpoints(counts: Vec<EndpointCounts>, now: &[EndpointNow]) -> Vec<EndpointCounts> {
    let named = |one: &EndpointNow| (backend_label(&one.backend), one.address.to_string());
    let mut known: HashMap<(String, String), (bool, Option<u64>)> = HashMap::new();
    for one in now {
        let (out, latency) = known.entry(named(one)).or_default();
        *out |= one.is_out;
        *latency = (*latency).max(one.latency_micros.map(|micros| micros as u64));
    }
    let with = |counts: EndpointCounts| {
        let place = (counts.backend.clone(), counts.endpoint.clone());
        let (out, latency_micros) = known.remove(&place).unwrap_or_default();
        EndpointCounts { out, latency_micros, ..counts }
    };
    counts.into_iter().map(with).collect()
}

/// All parts, by kind and key.
pub(super) fn snapshot(snapshot: &Snapshot) -> Value {
    let mut parts: Vec<Part> = snapshot.parts().collect();
    parts.sort_by(|a, b| a.key().cmp(b.key()));
    let parts: Vec<Value> = parts.iter().map(describe).collect();
    json!({ "generation": snapshot.generation, "parts": parts })
}

fn protocol(listener: &Listener) -> &'static str {
    match listener.protocol {
        ListenerProtocol::Http => "HTTP",
        ListenerProtocol::Https(_) => "HTTPS",
    }
}

#[cfg(test)]
mod tests;
