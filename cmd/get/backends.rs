//! Backends: every destination that a rule leads to.

use std::collections::{BTreeMap, BTreeSet};

use meshctl::model::{
    Backend, BackendProtocol, Cause, EndpointSet, Filter, ObjectKey, Part, PartKey, Rule,
};
use serde::Serialize;

use super::{Listed, Named, listed};
use crate::lowered::Lowered;

#[derive(Serialize)]
pub struct Row {
    #[serde(flatten)]
    named: Named,
    /// Of a Service.
    #[serde(skip_serializing_if = "String::is_empty")]
    port: String,
    protocol: &'static str,
    tls: bool,
    endpoints: Vec<String>,
    /// Why nothing can be sent there.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    /// The routes that lead there.
    routes: BTreeSet<String>,
}

/// What stands beside the backends, found once for all of them.
#[derive(Default)]
struct Beside<'l> {
    backends: BTreeMap<&'l PartKey, &'l Backend>,
    sets: BTreeMap<&'l PartKey, &'l EndpointSet>,
    /// Routes with a rule that sends or copies requests to a backend.
    routes: BTreeMap<&'l PartKey, BTreeSet<&'l ObjectKey>>,
}

impl<'l> Beside<'l> {
    fn of(lowered: &'l Lowered) -> Self {
        let mut beside = Self::default();
        for part in &lowered.parts {
            match part {
                Part::Backend(backend) => {
                    beside.backends.insert(&backend.key, backend);
                }
                Part::EndpointSet(set) => {
                    beside.sets.insert(&set.key, set);
                }
                Part::Rule(rule) => beside.lead(rule),
                Part::Listener(_) | Part::Certificate(_) => {}
            }
        }
        beside
    }

    fn lead(&mut self, rule: &'l Rule) {
        let copies = rule.filters.iter().filter_map(|filter| match filter {
            Filter::Mirror(mirror) => Some(&mirror.backend),
            _ => None,
        });
        let backends = rule.backends.iter().map(|weighted| &weighted.backend);
        for key in backends.chain(copies).filter_map(|to| to.as_ref().ok()) {
            self.routes.entry(key).or_default().insert(rule.route());
        }
    }
}

pub fn of(lowered: &Lowered) -> Vec<Row> {
    let beside = Beside::of(lowered);
    beside.backends.values().map(|backend| row(backend, &beside, lowered)).collect()
}

fn row(backend: &Backend, beside: &Beside<'_>, lowered: &Lowered) -> Row {
    let set = beside.sets.get(&backend.endpoints).copied();
    let routes = beside.routes.get(&backend.key);
    Row {
        named: Named::new(&backend.key.object, lowered),
        port: backend.key.section.to_string(),
        protocol: match backend.protocol {
            BackendProtocol::Http => "HTTP",
            BackendProtocol::H2c => "HTTP/2",
            BackendProtocol::WebSocket => "WebSocket",
        },
        tls: !matches!(backend.tls, Ok(None)),
        endpoints: set
            .into_iter()
            .flat_map(|set| &set.endpoints)
            .map(|endpoint| endpoint.address.to_string())
            .collect(),
        cause: trouble(backend, set).map(Cause::word),
        routes: routes.into_iter().flatten().map(|route| short(route)).collect(),
    }
}

fn trouble(backend: &Backend, set: Option<&EndpointSet>) -> Option<Cause> {
    let empty = match set {
        None => Some(Cause::NoEndpoint),
        Some(set) if set.endpoints.is_empty() => Some(set.empty.unwrap_or(Cause::NoEndpoint)),
        Some(_) => None,
    };
    backend.tls.as_ref().err().copied().or(empty)
}

fn short(key: &ObjectKey) -> String {
    format!("{}/{}", key.namespace, key.name)
}

impl Listed for Row {
    const HEADINGS: &'static [&'static str] = &["KIND", "PORT", "PROTOCOL", "ENDPOINTS", "ROUTES"];
    const MORE: &'static [&'static str] = &["TLS", "ADDRESSES", "USED BY"];

    fn name(&self) -> &Named {
        &self.named
    }

    fn cells(&self) -> Vec<String> {
        let endpoints = match self.cause {
            Some(cause) => cause.to_owned(),
            None => self.endpoints.len().to_string(),
        };
        let port = if self.port.is_empty() { "-" } else { &self.port };
        vec![
            self.named.kind.to_owned(),
            port.to_owned(),
            self.protocol.to_owned(),
            endpoints,
            self.routes.len().to_string(),
        ]
    }

    fn more(&self) -> Vec<String> {
        let tls = if self.tls { "yes" } else { "no" };
        vec![tls.to_owned(), listed(&self.endpoints), listed(&self.routes)]
    }
}
