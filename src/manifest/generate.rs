//! What `meshctl generate` prints: objects to begin with, from templates (`templates/generate/`)
//! that anyone may replace.
//!
//! This module must not know the command line, nor whether what it makes is valid: whoever prints
//! it reads it as `meshctl check` would.

mod arguments;
mod second;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::{Value, json};

pub use arguments::{Listen, Parent, Target, percent, steps};
pub use second::{Copied, SecondError, SecondVersion};

use super::template::{self, Slot, TemplateError, Values};
use crate::{names, yaml};

/// (kind, template, placeholders): what `--templates DIR` holds as `KIND.yaml`.
pub const TEMPLATES: &[(&str, &str, &[Slot])] = &[
    ("gateway", include_str!("../../templates/generate/gateway.yaml"), GATEWAY),
    ("route", include_str!("../../templates/generate/route.yaml"), ROUTE),
    ("backend", include_str!("../../templates/generate/backend.yaml"), BACKEND),
    ("ambassador", include_str!("../../templates/generate/ambassador.yaml"), AMBASSADOR),
    ("canary", include_str!("../../templates/generate/canary.yaml"), CANARY),
    ("dark-launch", include_str!("../../templates/generate/dark-launch.yaml"), DARK_LAUNCH),
];

const fn slot(name: &'static str, about: &'static str) -> Slot {
    Slot { name, about }
}

const NAME: Slot = slot("name", "the name");
const NAMESPACE: Slot = slot("namespace", "the namespace");
const CLASS: Slot = slot("class", "the class");
const ENDPOINTS: Slot = slot("endpoints", "the list of endpoints");
const TLS_MODE: Slot = slot("tls-mode", "whether TLS is spoken");
const ROUTE_KIND: Slot = slot("route-kind", "the kind of the route");
const ROUTE_NAME: Slot = slot("route", "the name of the route");

const GATEWAY: &[Slot] = &[NAME, NAMESPACE, CLASS, slot("listeners", "the list of listeners")];
const ROUTE: &[Slot] = &[
    slot("kind", "the kind of the route"),
    NAME,
    NAMESPACE,
    slot("parents", "the list of Gateways"),
    slot("hostnames", "the list of hostnames"),
    slot("matches", "the list of paths"),
    slot("backends", "the list of backends"),
];
const BACKEND: &[Slot] = &[NAME, NAMESPACE, ENDPOINTS, TLS_MODE];
const AMBASSADOR: &[Slot] = &[
    NAME,
    NAMESPACE,
    CLASS,
    slot("local-port", "the port of this machine"),
    slot("filters", "the name that the service outside is called by"),
    ENDPOINTS,
    TLS_MODE,
];
const CANARY: &[Slot] = &[
    NAME,
    NAMESPACE,
    ROUTE_KIND,
    ROUTE_NAME,
    slot("stable", "the backend that has all requests now"),
    slot("canary", "the backend that gets more and more of them"),
    slot("steps", "the list of weights"),
    slot("interval", "the time between two steps"),
    slot("error-rate", "how many requests may fail"),
    slot("p99", "how long the slowest of a hundred requests may take"),
    slot("min-requests", "how many requests a verdict needs"),
];
const DARK_LAUNCH: &[Slot] = &[
    NAME,
    NAMESPACE,
    ROUTE_KIND,
    ROUTE_NAME,
    slot("to", "the backend that gets the copies"),
    slot("percent", "how many requests are copied"),
];

/// The template and placeholders of a kind of ours.
pub fn template(kind: &str) -> Option<(&'static str, &'static [Slot])> {
    TEMPLATES.iter().find(|(name, ..)| *name == kind).map(|(_, text, slots)| (*text, *slots))
}

/// What is filled in, and into which template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub kind: &'static str,
    pub values: Values,
}

impl Plan {
    /// The objects, from our own template or from another one's text.
    pub fn objects(&self, template: Option<&str>) -> Result<Vec<Value>, TemplateError> {
        let (ours, slots) = self::template(self.kind).expect("plans are made for kinds of ours");
        template::fill(template.unwrap_or(ours), slots, &self.values)
    }
}

/// As a stream of documents.
pub fn render(objects: &[Value]) -> String {
    objects.iter().map(yaml::write).collect::<Vec<_>>().join("---\n")
}

/// Gathers what was given.
#[derive(Default)]
struct Given(Values);

impl Given {
    fn named(name: &str, namespace: Option<&str>) -> Self {
        Self::default().with("name", name).with("namespace", namespace)
    }

    /// `None` and empty lists stay away.
    fn with(mut self, slot: &'static str, value: impl Into<Value>) -> Self {
        let value = value.into();
        let nothing = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !nothing {
            self.0.insert(slot, value);
        }
        self
    }

    fn plan(self, kind: &'static str) -> Plan {
        Plan { kind, values: self.0 }
    }
}

#[derive(Clone, Debug)]
pub struct Gateway {
    pub name: String,
    pub namespace: Option<String>,
    pub class: String,
    pub listen: Vec<Listen>,
    pub hostnames: Vec<String>,
    /// Secrets of the listeners that end TLS.
    pub certificates: Vec<String>,
}

impl Gateway {
    /// A listener for each port and hostname.
    pub fn plan(&self) -> Plan {
        let hostnames: Vec<Option<&str>> = match self.hostnames.as_slice() {
            [] => vec![None],
            names => names.iter().map(|name| Some(name.as_str())).collect(),
        };
        let mut taken = BTreeSet::new();
        let mut listeners = Vec::new();
        for listen in &self.listen {
            for hostname in &hostnames {
                listeners.push(self.listener(*listen, *hostname, &mut taken));
            }
        }
        Given::named(&self.name, self.namespace.as_deref())
            .with("class", self.class.as_str())
            .with("listeners", listeners)
            .plan("gateway")
    }

    fn listener(
        &self,
        listen: Listen,
        hostname: Option<&str>,
        taken: &mut BTreeSet<String>,
    ) -> Value {
        let protocol = listen.protocol();
        let mut name = protocol.to_ascii_lowercase();
        if self.listen.iter().filter(|other| other.protocol() == protocol).count() > 1 {
            name = format!("{name}-{}", listen.port);
        }
        if let Some(hostname) = hostname.filter(|_| self.hostnames.len() > 1) {
            name = format!("{name}-{}", label(hostname));
        }
        let name = free(name, taken);
        let mut listener = json!({"name": name});
        if let Some(hostname) = hostname {
            listener["hostname"] = hostname.into();
        }
        listener["port"] = listen.port.into();
        listener["protocol"] = protocol.into();
        if listen.tls {
            let secret = |name: &String| json!({"name": name});
            let secrets: Vec<Value> = self.certificates.iter().map(secret).collect();
            listener["tls"] = json!({"certificateRefs": secrets});
        }
        listener
    }
}

/// A hostname as a piece of a name.
pub fn label(hostname: &str) -> String {
    let word = hostname.replace("*.", "any.");
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    word.chars().map(plain).collect::<String>().trim_matches('-').to_owned()
}

/// `name`, or the first of `name-2`, `name-3`… that nobody has.
pub fn free(name: String, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let found = std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name));
    let found = found.expect("there is always another number");
    taken.insert(found.clone());
    found
}

#[derive(Clone, Debug)]
pub struct Route {
    pub name: String,
    pub namespace: Option<String>,
    pub grpc: bool,
    pub gateways: Vec<Parent>,
    pub hostnames: Vec<String>,
    pub paths: Vec<String>,
    pub to: Vec<Target>,
}

impl Route {
    pub fn plan(&self) -> Plan {
        let kind = if self.grpc { "GRPCRoute" } else { "HTTPRoute" };
        let parents: Vec<Value> = self.gateways.iter().map(Parent::reference).collect();
        let path = |path: &String| json!({"path": {"type": "PathPrefix", "value": path}});
        Given::named(&self.name, self.namespace.as_deref())
            .with("kind", kind)
            .with("parents", parents)
            .with("hostnames", self.hostnames.clone())
            .with("matches", self.paths.iter().map(path).collect::<Vec<_>>())
            .with("backends", self.to.iter().map(Target::backend_ref).collect::<Vec<_>>())
            .plan("route")
    }
}

#[derive(Clone, Debug)]
pub struct Backend {
    pub name: String,
    pub namespace: Option<String>,
    pub endpoints: Vec<String>,
    pub tls: bool,
}

impl Backend {
    pub fn plan(&self) -> Plan {
        Given::named(&self.name, self.namespace.as_deref())
            .with("endpoints", self.endpoints.clone())
            .with("tls-mode", self.tls.then_some("ServerOnly"))
            .plan("backend")
    }
}

#[derive(Clone, Debug)]
pub struct Ambassador {
    pub backend: Backend,
    pub local_port: u16,
    /// What the service outside is called; none where it has but an address.
    pub hostname: Option<String>,
}

impl Ambassador {
    pub fn plan(&self) -> Plan {
        let rewrite = |hostname: &String| json!([{"type": "URLRewrite", "urlRewrite": {"hostname": hostname}}]);
        Given(self.backend.plan().values)
            .with("class", names::GATEWAY_CLASS)
            .with("local-port", self.local_port)
            .with("filters", self.hostname.as_ref().map(rewrite))
            .plan("ambassador")
    }
}

/// What a plan of a rollout is about.
#[derive(Clone, Debug)]
pub struct Subject {
    pub name: String,
    pub namespace: Option<String>,
    pub route: String,
    pub grpc: bool,
}

impl Subject {
    fn given(&self) -> Given {
        let kind = if self.grpc { "GRPCRoute" } else { "HTTPRoute" };
        Given::named(&self.name, self.namespace.as_deref())
            .with("route-kind", kind)
            .with("route", self.route.as_str())
    }
}

#[derive(Clone, Debug)]
pub struct Canary {
    pub subject: Subject,
    pub stable: Target,
    pub canary: Target,
    pub steps: Vec<u8>,
    /// As it was written: `5m`.
    pub interval: String,
    /// As it was written: `1%`.
    pub error_rate: Option<String>,
    pub p99: Option<String>,
    pub min_requests: Option<u32>,
}

impl Canary {
    pub fn plan(&self) -> Plan {
        let steps: Vec<Value> = self.steps.iter().map(|weight| json!({"weight": weight})).collect();
        self.subject
            .given()
            .with("stable", self.stable.arm())
            .with("canary", self.canary.arm())
            .with("steps", steps)
            .with("interval", self.interval.as_str())
            .with("error-rate", self.error_rate.as_deref())
            .with("p99", self.p99.as_deref())
            .with("min-requests", self.min_requests)
            .plan("canary")
    }
}

#[derive(Clone, Debug)]
pub struct DarkLaunch {
    pub subject: Subject,
    pub to: Target,
    pub percent: u8,
}

impl DarkLaunch {
    pub fn plan(&self) -> Plan {
        let given = self.subject.given();
        given.with("to", self.to.arm()).with("percent", self.percent).plan("dark-launch")
    }
}
