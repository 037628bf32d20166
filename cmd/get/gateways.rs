//! Gateways with their listeners, those of ListenerSets among them.

use std::collections::{BTreeMap, BTreeSet};

use meshctl::config::raw::{At, Spec};
use meshctl::model::{Listener, ListenerProtocol, Name, ObjectKey, Part, PartKey};
use serde::Serialize;

use super::{Listed, Named, listed};
use crate::lowered::Lowered;

#[derive(Serialize)]
pub struct Row {
    #[serde(flatten)]
    named: Named,
    class: String,
    listeners: Vec<One>,
    /// How many routes are attached.
    routes: usize,
}

#[derive(Serialize)]
struct One {
    name: String,
    port: u16,
    /// Where it is opened here.
    bind: String,
    protocol: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hostname: Option<String>,
    routes: usize,
}

/// The routes of each listener.
type Attached<'l> = BTreeMap<&'l PartKey, BTreeSet<&'l ObjectKey>>;

pub fn of(lowered: &Lowered) -> Vec<Row> {
    let mut attached = Attached::new();
    let mut listeners: BTreeMap<&ObjectKey, Vec<&Listener>> = BTreeMap::new();
    for part in &lowered.parts {
        match part {
            Part::Listener(listener) => {
                listeners.entry(&listener.gateway).or_default().push(listener);
            }
            Part::Rule(rule) => {
                for on in &rule.attachments {
                    attached.entry(&on.listener).or_default().insert(rule.route());
                }
            }
            _ => {}
        }
    }
    let gateways = lowered.index.objects().filter_map(|object| match &object.spec {
        Spec::Gateway(gateway) => Some((&object.key, &gateway.class)),
        _ => None,
    });
    let row = |(key, class): (&ObjectKey, &At<Name>)| {
        let listeners = listeners.get(key).map_or(&[][..], Vec::as_slice);
        row(Named::new(key, lowered), &class.value, listeners, &attached)
    };
    gateways.map(row).collect()
}

fn row(named: Named, class: &str, listeners: &[&Listener], attached: &Attached<'_>) -> Row {
    let routes = |listener: &Listener| attached.get(&listener.key);
    let all: BTreeSet<&&ObjectKey> =
        listeners.iter().filter_map(|listener| routes(listener)).flatten().collect();
    let one = |listener: &&Listener| one(listener, routes(listener).map_or(0, BTreeSet::len));
    Row {
        named,
        class: class.to_owned(),
        routes: all.len(),
        listeners: listeners.iter().map(one).collect(),
    }
}

fn one(listener: &Listener, routes: usize) -> One {
    One {
        name: listener.key.section.to_string(),
        port: listener.port,
        bind: listener.bind.to_string(),
        protocol: match listener.protocol {
            ListenerProtocol::Http => "HTTP",
            ListenerProtocol::Https(_) => "HTTPS",
        },
        hostname: listener.hostname.as_ref().map(ToString::to_string),
        routes,
    }
}

impl Listed for Row {
    const HEADINGS: &'static [&'static str] = &["CLASS", "LISTENERS", "ROUTES"];
    const MORE: &'static [&'static str] = &["HOSTNAMES", "OPENED"];

    fn name(&self) -> &Named {
        &self.named
    }

    fn cells(&self) -> Vec<String> {
        let listeners =
            self.listeners.iter().map(|one| format!("{}:{} {}", one.name, one.port, one.protocol));
        vec![self.class.clone(), listed(listeners), self.routes.to_string()]
    }

    fn more(&self) -> Vec<String> {
        let hostnames = self.listeners.iter().map(|one| one.hostname.as_deref().unwrap_or("*"));
        vec![listed(hostnames), listed(self.listeners.iter().map(|one| &one.bind))]
    }
}
