//! Services that stand beside what is converted: what their ports are called, and which pods they
//! select.

use std::collections::BTreeMap;

use serde_json::Value;

/// By namespace and name.
#[derive(Debug, Default)]
pub(super) struct Services(BTreeMap<(Option<String>, String), Service>);

#[derive(Debug)]
pub(super) struct Service {
    pub(super) ports: Vec<Value>,
    pub(super) selector: Value,
}

impl Services {
    pub(super) fn learn(&mut self, object: &Value) {
        let text = |key: &str| object["metadata"][key].as_str().map(str::to_owned);
        let Some(name) = text("name") else { return };
        let ports = object["spec"]["ports"].as_array().cloned().unwrap_or_default();
        let service = Service { ports, selector: object["spec"]["selector"].clone() };
        self.0.insert((text("namespace"), name), service);
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &(Option<String>, String)> {
        self.0.keys()
    }

    pub(super) fn get(&self, namespace: Option<&str>, name: &str) -> Option<&Service> {
        self.0.get(&(namespace.map(str::to_owned), name.to_owned()))
    }

    /// The number of a port that is named.
    pub(super) fn named(&self, namespace: Option<&str>, name: &str, port: &str) -> Option<u16> {
        let ports = &self.get(namespace, name)?.ports;
        ports.iter().find(|one| one["name"] == port).and_then(number)
    }

    /// The number of the only port.
    pub(super) fn only(&self, namespace: Option<&str>, name: &str) -> Option<u16> {
        match self.get(namespace, name)?.ports.as_slice() {
            [only] => number(only),
            _ => None,
        }
    }
}

fn number(port: &Value) -> Option<u16> {
    port["port"].as_u64().and_then(|number| number.try_into().ok())
}
