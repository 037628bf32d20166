//! A first configuration: what `--listen --to` means, as YAML, and examples to begin with.

use serde_json::{Value, json};

use crate::model::{Address, BindAddress};
use crate::names;

use super::to_yaml;

/// A configuration that is worth starting from, and runs unedited.
#[derive(Debug)]
pub struct Example {
    pub name: &'static str,
    pub about: &'static str,
    pub text: &'static str,
}

impl Example {
    pub const ALL: &[Self] = &[
        Self {
            name: "canary",
            about: "10 % of the requests go to a second version",
            text: include_str!("../../templates/examples/canary.yaml"),
        },
        Self {
            name: "hosts",
            about: "two hosts and a path, a redirect, a header for the backend",
            text: include_str!("../../templates/examples/hosts.yaml"),
        },
        Self {
            name: "mirror",
            about: "a second version sees copies of requests, and its answers are thrown away",
            text: include_str!("../../templates/examples/mirror.yaml"),
        },
    ];

    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|example| example.name == name)
    }
}

/// What is served where nothing else was said: a port that needs no privilege, and the port that
/// most development servers take.
const PORT_DEFAULT: u16 = 8080;
const TARGET_DEFAULT: (&str, u16) = ("localhost", 3000);

/// One listener in front of `targets`, requests shared by weight.
pub fn starter(listen: Option<BindAddress>, targets: &[(Address, u32)]) -> String {
    let port = listen.map_or(PORT_DEFAULT, |bind| bind.port);
    let (host, target_port) = TARGET_DEFAULT;
    let only = [(Address::Dns { host: host.into(), port: target_port }, 1)];
    let targets = if targets.is_empty() { &only } else { targets };

    let mut text =
        "# Written by `meshctl init`; serve it with `meshctl proxy run -f .`\n".to_owned();
    let objects = [gateway(listen, port), route(targets)];
    let backends = targets
        .iter()
        .enumerate()
        .map(|(index, (address, _))| backend(&backend_name(index, targets.len()), address));
    for (index, object) in objects.into_iter().chain(backends).enumerate() {
        if index > 0 {
            text.push_str("---\n");
        }
        text.push_str(&to_yaml(&object));
    }
    text
}

fn gateway(listen: Option<BindAddress>, port: u16) -> Value {
    let mut spec = json!({ "gatewayClassName": names::GATEWAY_CLASS });
    if let Some(ip) = listen.and_then(|bind| bind.ip) {
        spec["addresses"] = json!([{ "type": "IPAddress", "value": ip.to_string() }]);
    }
    spec["listeners"] = json!([{ "name": "http", "port": port, "protocol": "HTTP" }]);
    json!({
        "apiVersion": format!("{}/v1", names::GROUP_GATEWAY_API),
        "kind": "Gateway",
        "metadata": { "name": "gateway" },
        "spec": spec,
    })
}

fn route(targets: &[(Address, u32)]) -> Value {
    let backend_ref = |(index, (_, weight)): (usize, &(Address, u32))| {
        let name = backend_name(index, targets.len());
        let reference = json!({ "group": names::GROUP_MESHCTL, "kind": "Backend", "name": name });
        if targets.len() == 1 {
            return reference;
        }
        let mut weighted = reference;
        weighted["weight"] = json!(weight);
        weighted
    };
    let backend_refs: Vec<Value> = targets.iter().enumerate().map(backend_ref).collect();
    json!({
        "apiVersion": format!("{}/v1", names::GROUP_GATEWAY_API),
        "kind": "HTTPRoute",
        "metadata": { "name": "app" },
        "spec": {
            "parentRefs": [{ "name": "gateway" }],
            "rules": [{ "backendRefs": backend_refs }],
        },
    })
}

fn backend(name: &str, address: &Address) -> Value {
    json!({
        "apiVersion": names::API_VERSION_MESHCTL,
        "kind": "Backend",
        "metadata": { "name": name },
        "spec": { "endpoints": [address.to_string()] },
    })
}

/// Several targets are versions of one thing.
fn backend_name(index: usize, targets: usize) -> String {
    if targets == 1 { "app".to_owned() } else { format!("app-v{}", index + 1) }
}
