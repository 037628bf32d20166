//! Where Istio's destinations are: Services, subsets of them, and hosts outside.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::convert::ledger::Cursor;
use crate::convert::made::{Key, Made};
use crate::convert::services::Services;
use crate::names;

/// The end of a Service's full name.
const CLUSTER: &str = ".svc.cluster.local";

/// What a host means.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Host {
    Service(Option<String>, String),
    Outside(String),
}

impl Host {
    /// As seen from a namespace.
    pub(super) fn of(text: &str, namespace: Option<&str>) -> Self {
        let here = || namespace.map(str::to_owned);
        if !text.contains('.') {
            return Self::Service(here(), text.to_owned());
        }
        let inside = text.strip_suffix(CLUSTER).or_else(|| text.strip_suffix(".svc"));
        match inside.and_then(|inside| inside.split_once('.')) {
            Some((name, there)) if !there.contains('.') => {
                let same = there == namespace.unwrap_or(names::NAMESPACE_DEFAULT);
                let there = if same { here() } else { Some(there.to_owned()) };
                Self::Service(there, name.to_owned())
            }
            _ => Self::Outside(text.to_owned()),
        }
    }
}

/// All of them, and the Services that were made for subsets.
pub(super) struct Destinations<'a> {
    services: &'a Services,
    /// The labels of subsets.
    subsets: BTreeMap<Key, BTreeMap<String, Value>>,
    made: BTreeMap<(Key, String), String>,
}

impl<'a> Destinations<'a> {
    pub(super) fn new(services: &'a Services) -> Self {
        Self { services, subsets: BTreeMap::new(), made: BTreeMap::new() }
    }

    pub(super) fn learn(&mut self, service: Key, subset: &str, labels: Value) {
        self.subsets.entry(service).or_default().insert(subset.to_owned(), labels);
    }

    /// A backendRef of a route in `namespace`; `None` where it can't be said: reported.
    pub(super) fn reference(
        &mut self,
        destination: &Cursor<'_>,
        namespace: Option<&str>,
        made: &mut Made,
    ) -> Option<Value> {
        let subset = destination.text_of("subset");
        let port = destination.get("port").and_then(|port| port.port_of("number"));
        let host = destination.text_of("host")?;
        match Host::of(host, namespace) {
            Host::Outside(host) => {
                let Some(port) = port else {
                    destination.unreadable(format!("which port of {host}?"), "write `port.number`");
                    return None;
                };
                if subset.is_some() {
                    destination
                        .lost("a host outside has no subsets here", "make a Backend of each");
                    return None;
                }
                let name = made.backend(namespace, &format!("{host}:{port}"), false);
                Some(json!({"group": names::GROUP_MESHCTL, "kind": "Backend", "name": name}))
            }
            Host::Service(there, service) => {
                let Some(port) = port.or_else(|| self.services.only(there.as_deref(), &service))
                else {
                    let message = format!("which port of Service {service}?");
                    destination.unreadable(
                        message,
                        "write `port.number`, or convert it together with its Service",
                    );
                    return None;
                };
                let key = (there, service);
                let name = match subset {
                    None => key.1.clone(),
                    Some(subset) => self.subset(&key, subset, destination, made)?,
                };
                let mut reference = json!({"name": name, "port": port});
                if key.0.as_deref() != namespace {
                    reference["namespace"] =
                        key.0.as_deref().unwrap_or(names::NAMESPACE_DEFAULT).into();
                    made.grant(("HTTPRoute", namespace), ("Service", key.0.as_deref(), &name));
                }
                Some(reference)
            }
        }
    }

    /// The name of the Service of a subset, which is made where it isn't there.
    pub(super) fn subset(
        &mut self,
        key: &Key,
        subset: &str,
        cursor: &Cursor<'_>,
        made: &mut Made,
    ) -> Option<String> {
        let (namespace, service) = key;
        if let Some(name) = self.made.get(&(key.clone(), subset.to_owned())) {
            return Some(name.clone());
        }
        let Some(labels) = self.subsets.get(key).and_then(|subsets| subsets.get(subset)) else {
            let message = format!("no DestinationRule says what subset `{subset}` of {service} is");
            cursor.unreadable(message, "convert it together with the DestinationRule");
            return None;
        };
        let Some(known) = self.services.get(namespace.as_deref(), service) else {
            let message = format!("which pods has Service {service}?");
            cursor.unreadable(
                message,
                "convert it together with the Service: a subset becomes a Service of its own",
            );
            return None;
        };
        let mut selector = known.selector.clone();
        for (label, value) in labels.as_object().into_iter().flatten() {
            selector[label] = value.clone();
        }
        let mut ports = known.ports.clone();
        for port in ports.iter_mut().filter_map(Value::as_object_mut) {
            port.shift_remove("nodePort");
        }
        let spec = json!({"selector": selector, "ports": ports});
        let name = made.name("Service", namespace.as_deref(), &format!("{service}-{subset}"));
        made.add("Service", namespace.as_deref(), &name, spec);
        self.made.insert((key.clone(), subset.to_owned()), name.clone());
        Some(name)
    }
}
