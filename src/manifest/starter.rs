//! A first configuration: what `--listen --to` means, as YAML, and examples to begin with.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

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
const LISTEN_DEFAULT: BindAddress = BindAddress { ip: None, port: 8080 };
const TARGET_DEFAULT: (&str, u16) = ("localhost", 3000);

/// Listeners in front of `targets`, requests shared by weight.
pub fn starter(listen: &[BindAddress], targets: &[(Address, u32)]) -> String {
    let documents: Vec<String> = documents(listen, targets).iter().map(to_yaml).collect();
    format!("{HEADER}{}", documents.join("---\n"))
}

/// The documents of [`starter`]: Gateways, the route, a Backend for each target.
pub fn documents(listen: &[BindAddress], targets: &[(Address, u32)]) -> Vec<Value> {
    let listen = if listen.is_empty() { &[LISTEN_DEFAULT] } else { listen };
    let (host, port) = TARGET_DEFAULT;
    let only = [(Address::Dns { host: host.into(), port }, 1)];
    let targets = if targets.is_empty() { &only } else { targets };

    let mut documents = gateways(listen);
    let names: Vec<&Value> = documents.iter().map(|one| &one["metadata"]["name"]).collect();
    let route = route(&names, targets);
    let backends = targets
        .iter()
        .enumerate()
        .map(|(index, (address, _))| backend(&backend_name(index, targets.len()), address));
    documents.push(route);
    documents.extend(backends);
    documents
}

const HEADER: &str = "# Written by `meshctl init`; serve it with `meshctl proxy run -f .`\n";

/// The addresses of a Gateway hold for all of its listeners: one Gateway for each address.
fn gateways(listen: &[BindAddress]) -> Vec<Value> {
    let mut ports: BTreeMap<Option<IpAddr>, BTreeSet<u16>> = BTreeMap::new();
    for bind in listen {
        ports.entry(bind.ip).or_default().insert(bind.port);
    }
    let name =
        |index| if index == 0 { "gateway".to_owned() } else { format!("gateway-{}", index + 1) };
    let numbered = ports.into_iter().enumerate();
    numbered.map(|(index, (ip, ports))| gateway(&name(index), ip, &ports)).collect()
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
        "kind": "Gateway",
        "metadata": { "name": name },
        "spec": spec,
    })
}

fn route(gateways: &[&Value], targets: &[(Address, u32)]) -> Value {
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
    let parents: Vec<Value> = gateways.iter().map(|name| json!({ "name": name })).collect();
    let backend_refs: Vec<Value> = targets.iter().enumerate().map(backend_ref).collect();
    json!({
        "apiVersion": format!("{}/v1", names::GROUP_GATEWAY_API),
        "kind": "HTTPRoute",
        "metadata": { "name": "app" },
        "spec": {
            "parentRefs": parents,
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
