//! Gateways with their listeners, those of ListenerSets among them.

use std::collections::BTreeSet;

use meshctl::config::raw::Spec;
use meshctl::model::{Listener, ListenerProtocol, ObjectKey, Part};
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

pub fn of(lowered: &Lowered) -> Vec<Row> {
    let gateways = lowered.index.objects().filter_map(|object| match &object.spec {
        Spec::Gateway(gateway) => Some((&object.key, &gateway.class)),
        _ => None,
    });
    gateways.map(|(key, class)| row(key, &class.value, lowered)).collect()
}

fn row(key: &ObjectKey, class: &str, lowered: &Lowered) -> Row {
    let listeners = lowered.parts.iter().filter_map(|part| match part {
        Part::Listener(listener) if listener.gateway == *key => Some(&**listener),
        _ => None,
    });
    let listeners: Vec<&Listener> = listeners.collect();
    let routes: BTreeSet<&ObjectKey> =
        listeners.iter().flat_map(|listener| routes(listener, lowered)).collect();
    Row {
        named: Named::new(key, lowered),
        class: class.to_owned(),
        routes: routes.len(),
        listeners: listeners.iter().map(|listener| one(listener, lowered)).collect(),
    }
}

fn one(listener: &Listener, lowered: &Lowered) -> One {
    One {
        name: listener.key.section.to_string(),
        port: listener.port,
        bind: listener.bind.to_string(),
        protocol: match listener.protocol {
            ListenerProtocol::Http => "HTTP",
            ListenerProtocol::Https(_) => "HTTPS",
        },
        hostname: listener.hostname.as_ref().map(ToString::to_string),
        routes: routes(listener, lowered).len(),
    }
}

fn routes<'l>(listener: &Listener, lowered: &'l Lowered) -> BTreeSet<&'l ObjectKey> {
    let rules = lowered.parts.iter().filter_map(|part| match part {
        Part::Rule(rule) => Some(rule),
        _ => None,
    });
    let here = rules.filter(|rule| rule.attachments.iter().any(|on| on.listener == listener.key));
    here.map(|rule| rule.route()).collect()
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
