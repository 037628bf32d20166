//! The configuration as the proxy believes it, as data: what `meshctl proxy config` prints.
//!
//! Secrets never come here: of a certificate only what every client sees is shown.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::model::{BindAddress, Listener, ListenerProtocol, Part};
use crate::proxy::control::describe;
use crate::proxy::world::World;
use crate::snapshot::Snapshot;

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
