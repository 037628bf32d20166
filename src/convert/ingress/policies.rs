//! What Services and routes are used with, gathered from all Ingresses.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::convert::ledger::Cursor;
use crate::convert::made::Made;
use crate::names;

/// What Services and routes are used with.
#[derive(Default)]
pub(super) struct Policies {
    services: BTreeMap<(Option<String>, String), BTreeMap<&'static str, Value>>,
    tls: BTreeMap<(Option<String>, String), String>,
}

impl Policies {
    pub(super) fn of_service(
        &mut self,
        namespace: Option<&str>,
        service: &str,
        field: &'static str,
        value: Value,
        cursor: &Cursor<'_>,
    ) {
        let key = (namespace.map(str::to_owned), service.to_owned());
        let fields = self.services.entry(key).or_default();
        match fields.get(field) {
            Some(other) if *other != value => {
                let message =
                    format!("another Ingress says something else about Service {service}");
                cursor.lost(message, "a Service has one TrafficPolicy: make them say the same");
            }
            _ => drop(fields.insert(field, value)),
        }
    }

    /// Whether this is news.
    pub(super) fn tls(&mut self, namespace: Option<&str>, service: &str, host: &str) -> bool {
        let key = (namespace.map(str::to_owned), service.to_owned());
        self.tls.insert(key, host.to_owned()).is_none()
    }

    pub(super) fn of_route(
        &mut self,
        kind: &'static str,
        namespace: Option<&str>,
        route: &str,
        timeouts: &Value,
        made: &mut Made,
    ) {
        let target = json!({"group": names::GROUP_GATEWAY_API, "kind": kind, "name": route});
        let name = made.name("TrafficPolicy", namespace, route);
        let spec = json!({"targetRefs": [target], "timeouts": timeouts});
        made.add("TrafficPolicy", namespace, &name, spec);
    }

    pub(super) fn write(self, made: &mut Made) {
        let target = |name: &str| json!([{"group": "", "kind": "Service", "name": name}]);
        for ((namespace, service), fields) in self.services {
            let mut spec = json!({"targetRefs": target(&service)});
            for (field, value) in fields {
                spec[field] = value;
            }
            let name = made.name("TrafficPolicy", namespace.as_deref(), &service);
            made.add("TrafficPolicy", namespace.as_deref(), &name, spec);
        }
        for ((namespace, service), host) in self.tls {
            let validation = json!({"wellKnownCACertificates": "System", "hostname": host});
            let spec = json!({"targetRefs": target(&service), "validation": validation});
            let name = made.name("BackendTLSPolicy", namespace.as_deref(), &service);
            made.add("BackendTLSPolicy", namespace.as_deref(), &name, spec);
        }
    }
}
