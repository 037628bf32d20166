//! Backends: every destination that a rule leads to.

use std::collections::BTreeSet;

use meshctl::model::{
    Backend, BackendProtocol, Cause, EndpointSet, Filter, ObjectKey, Part, PartKey,
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

pub fn of(lowered: &Lowered) -> Vec<Row> {
    let mut backends: Vec<&Backend> = lowered
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Backend(backend) => Some(&**backend),
            _ => None,
        })
        .collect();
    backends.sort_by(|one, other| one.key.cmp(&other.key));
    backends.into_iter().map(|backend| row(backend, lowered)).collect()
}

fn row(backend: &Backend, lowered: &Lowered) -> Row {
    let set = lowered.parts.iter().find_map(|part| match part {
        Part::EndpointSet(set) if set.key == backend.endpoints => Some(&**set),
        _ => None,
    });
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
        routes: routes(&backend.key, lowered).into_iter().map(short).collect(),
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

/// Those with a rule that sends or copies requests there.
fn routes<'l>(backend: &PartKey, lowered: &'l Lowered) -> BTreeSet<&'l ObjectKey> {
    let leads = |to: &Result<PartKey, Cause>| to.as_ref().is_ok_and(|key| key == backend);
    let rules = lowered.parts.iter().filter_map(|part| match part {
        Part::Rule(rule) => Some(rule),
        _ => None,
    });
    let leading = rules.filter(|rule| {
        let copies = rule.filters.iter().any(|filter| match filter {
            Filter::Mirror(mirror) => leads(&mirror.backend),
            _ => false,
        });
        copies || rule.backends.iter().any(|weighted| leads(&weighted.backend))
    });
    leading.map(|rule| rule.route()).collect()
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
