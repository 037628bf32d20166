//! No file at all: what `--listen :8080 --to localhost:3000=90` means. Its objects are read from
//! the very text that `meshctl init` writes, so that the two can't drift apart.
//!
//! This module must not know how arguments are split from a command line.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Value, json};

use super::decode::{self, Decoded};
use super::flags::Target;
use super::raw::Object;
use crate::model::{Address, BindAddress, Kind, Store};
use crate::{limits, names, yaml};

#[cfg(test)]
mod tests;

/// Where to listen and where requests go: never empty, never more than the Gateway API allows in
/// one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quick {
    gateways: BTreeMap<Option<IpAddr>, BTreeSet<u16>>,
    targets: Vec<Target>,
}

/// Why there is nothing to serve; a sentence without a full stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuickError {
    NoWeight,
    TooManyTargets,
    TooManyAddresses,
    TooManyPorts,
}

impl std::fmt::Display for QuickError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoWeight => {
                f.write_str("every --to has the weight 0, so no request could be answered")
            }
            Self::TooManyTargets => write!(
                f,
                "--to can be given {} times, the backends that a rule of the Gateway API has",
                limits::BACKEND_REFS
            ),
            Self::TooManyAddresses => write!(
                f,
                "--listen can name {} addresses, the parents that a route of the Gateway API has",
                limits::PARENT_REFS
            ),
            Self::TooManyPorts => write!(
                f,
                "--listen can name {} ports of an address, the listeners that a Gateway has",
                limits::LISTENERS
            ),
        }
    }
}

impl std::error::Error for QuickError {}

/// What is served where nothing else was said: a port that needs no privilege, and the port that
/// most development servers take.
const LISTEN_DEFAULT: BindAddress = BindAddress { ip: None, port: 8080 };
const TARGET_DEFAULT: (&str, u16) = ("localhost", 3000);

const HEADER: &str = "# Written by `meshctl init`; serve it with `meshctl proxy run -f .`\n";

impl Quick {
    /// Listeners in front of `targets`, requests shared by weight. Nothing to listen on is port
    /// 8080, no target is port 3000 of this machine.
    pub fn new(listen: &[BindAddress], targets: &[Target]) -> Result<Self, QuickError> {
        let listen = if listen.is_empty() { &[LISTEN_DEFAULT] } else { listen };
        let (host, port) = TARGET_DEFAULT;
        let only = [Target { address: Address::Dns { host: host.into(), port }, weight: 1 }];
        let targets = if targets.is_empty() { &only } else { targets };
        let mut gateways: BTreeMap<Option<IpAddr>, BTreeSet<u16>> = BTreeMap::new();
        for bind in listen {
            gateways.entry(bind.ip).or_default().insert(bind.port);
        }
        if targets.iter().all(|target| target.weight == 0) {
            return Err(QuickError::NoWeight);
        }
        if targets.len() > limits::BACKEND_REFS {
            return Err(QuickError::TooManyTargets);
        }
        if gateways.len() > limits::PARENT_REFS {
            return Err(QuickError::TooManyAddresses);
        }
        if gateways.values().any(|ports| ports.len() > limits::LISTENERS) {
            return Err(QuickError::TooManyPorts);
        }
        Ok(Self { gateways, targets: targets.to_vec() })
    }

    /// As a file, to be edited.
    pub fn yaml(&self) -> String {
        let documents: Vec<String> = self.documents().iter().map(yaml::write).collect();
        format!("{HEADER}{}", documents.join("---\n"))
    }

    /// Gateways with a listener per port, one HTTPRoute on all of them, a Backend per target.
    pub fn objects(&self) -> Vec<Object> {
        let text = self.yaml();
        let (file, mut diagnostics) = (Arc::from(""), Vec::new());
        yaml::documents(&text)
            .map(|document| match decode::read(&document, &file, Store::Flags, &mut diagnostics) {
                Decoded::Object(object) => *object,
                other => unreachable!("{other:?} was written, {diagnostics:?}: {text}"),
            })
            .collect()
    }

    /// The same, one by one.
    pub fn documents(&self) -> Vec<Value> {
        let gateways: Vec<Value> = self
            .gateways
            .iter()
            .enumerate()
            .map(|(position, (ip, ports))| gateway(&gateway_name(position), *ip, ports))
            .collect();
        let backends = self.targets.iter().enumerate();
        let backends = backends.map(|(position, target)| self.backend(position, target));
        let route = self.route();
        gateways.into_iter().chain([route]).chain(backends).collect()
    }

    fn route(&self) -> Value {
        let parents: Vec<Value> = (0..self.gateways.len())
            .map(|position| json!({ "name": gateway_name(position) }))
            .collect();
        let targets = self.targets.iter().enumerate();
        let references: Vec<Value> =
            targets.map(|(position, target)| self.reference(position, target)).collect();
        json!({
            "apiVersion": format!("{}/v1", names::GROUP_GATEWAY_API),
            "kind": Kind::HttpRoute.as_str(),
            "metadata": { "name": "app" },
            "spec": {
                "parentRefs": parents,
                "rules": [{ "backendRefs": references }],
            },
        })
    }

    fn reference(&self, position: usize, target: &Target) -> Value {
        let mut reference = json!({
            "group": names::GROUP_MESHCTL,
            "kind": Kind::Backend.as_str(),
            "name": self.backend_name(position),
        });
        if self.targets.len() > 1 {
            reference["weight"] = target.weight.into();
        }
        reference
    }

    fn backend(&self, position: usize, target: &Target) -> Value {
        json!({
            "apiVersion": names::API_VERSION_MESHCTL,
            "kind": Kind::Backend.as_str(),
            "metadata": { "name": self.backend_name(position) },
            "spec": { "endpoints": [target.address.to_string()] },
        })
    }

    /// Several targets are versions of one thing.
    fn backend_name(&self, position: usize) -> String {
        if self.targets.len() == 1 { "app".to_owned() } else { format!("app-v{}", position + 1) }
    }
}

/// The addresses of a Gateway hold for all of its listeners: one Gateway for each address.
fn gateway_name(position: usize) -> String {
    if position == 0 { "gateway".to_owned() } else { format!("gateway-{}", position + 1) }
}

fn gateway(name: &str, ip: Option<IpAddr>, ports: &BTreeSet<u16>) -> Value {
    let mut spec = json!({ "gatewayClassName": names::GATEWAY_CLASS });
    if let Some(ip) = ip {
        spec["addresses"] = json!([{ "type": "IPAddress", "value": ip.to_string() }]);
    }
    let listener = |port: &u16| {
        let name = if ports.len() == 1 { "http".to_owned() } else { format!("http-{port}") };
        json!({ "name": name, "port": port, "protocol": "HTTP" })
    };
    spec["listeners"] = ports.iter().map(listener).collect();
    json!({
        "apiVersion": format!("{}/v1", names::GROUP_GATEWAY_API),
        "kind": Kind::Gateway.as_str(),
        "metadata": { "name": name },
        "spec": spec,
    })
}
