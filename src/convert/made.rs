//! What comes out: objects with names of their own, in the order in which one reads them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::manifest::generate::free;
use crate::names;

/// The Gateway API's bound on the rules of a route.
const RULES: usize = 16;
/// Its bound on the hostnames of a route.
const HOSTNAMES: usize = 16;
/// Its bound on what a grant lists.
const GRANTED: usize = 16;

/// In the order of the output.
const KINDS: [&str; 8] = [
    "Gateway",
    "HTTPRoute",
    "GRPCRoute",
    "Backend",
    "Service",
    "BackendTLSPolicy",
    "TrafficPolicy",
    "ReferenceGrant",
];

#[derive(Debug, Default)]
pub(super) struct Made {
    objects: Vec<Value>,
    /// By kind and namespace.
    names: BTreeMap<(&'static str, Option<String>), BTreeSet<String>>,
    /// (kind and namespace that refer, namespace, kind) to names.
    grants: BTreeMap<(&'static str, String, String, &'static str), BTreeSet<String>>,
    backends: BTreeMap<(Option<String>, String), String>,
}

/// A namespace and a name; `None` is where an object without a namespace lives.
pub(super) type Key = (Option<String>, String);

impl Made {
    /// A name that no other object of the kind has.
    pub(super) fn name(
        &mut self,
        kind: &'static str,
        namespace: Option<&str>,
        wanted: &str,
    ) -> String {
        let taken = self.names.entry((kind, namespace.map(str::to_owned))).or_default();
        free(wanted.to_owned(), taken)
    }

    pub(super) fn add(
        &mut self,
        kind: &'static str,
        namespace: Option<&str>,
        name: &str,
        spec: Value,
    ) -> &mut Value {
        let mut metadata = json!({"name": name});
        if let Some(namespace) = namespace {
            metadata["namespace"] = namespace.into();
        }
        let version = match kind {
            "Backend" | "TrafficPolicy" => names::API_VERSION_MESHCTL.to_owned(),
            "Service" => "v1".to_owned(),
            "ReferenceGrant" => format!("{}/v1beta1", names::GROUP_GATEWAY_API),
            _ => format!("{}/v1", names::GROUP_GATEWAY_API),
        };
        self.objects.push(json!({
            "apiVersion": version,
            "kind": kind,
            "metadata": metadata,
            "spec": spec,
        }));
        self.objects.last_mut().expect("it was just added")
    }

    /// Routes with these rules, as many as the Gateway API's bounds make of them; their names.
    pub(super) fn routes(&mut self, kind: &'static str, draft: &RouteDraft) -> Vec<String> {
        let RouteDraft { namespace, wanted, parents, hostnames, rules, metadata } = draft;
        let mut made = Vec::new();
        let hosts: Vec<&[String]> =
            if hostnames.is_empty() { vec![&[]] } else { hostnames.chunks(HOSTNAMES).collect() };
        for hosts in hosts {
            for rules in rules.chunks(RULES) {
                let name = self.name(kind, namespace.as_deref(), wanted);
                let mut spec = json!({"parentRefs": parents});
                if !hosts.is_empty() {
                    spec["hostnames"] = json!(hosts);
                }
                spec["rules"] = json!(rules);
                let object = self.add(kind, namespace.as_deref(), &name, spec);
                for (key, value) in metadata {
                    object["metadata"][key] = value.clone();
                }
                made.push(name);
            }
        }
        made
    }

    /// Lets objects of one namespace refer to one of another.
    pub(super) fn grant(
        &mut self,
        from: (&'static str, Option<&str>),
        to: (&'static str, Option<&str>, &str),
    ) {
        let of = |namespace: Option<&str>| namespace.unwrap_or(names::NAMESPACE_DEFAULT).to_owned();
        let (here, there) = (of(from.1), of(to.1));
        if here != there {
            self.grants.entry((from.0, here, there, to.0)).or_default().insert(to.2.to_owned());
        }
    }

    /// A Backend for an address that Kubernetes doesn't know, one for each.
    pub(super) fn backend(&mut self, namespace: Option<&str>, address: &str, tls: bool) -> String {
        let key = (namespace.map(str::to_owned), format!("{address} {tls}"));
        if let Some(name) = self.backends.get(&key) {
            return name.clone();
        }
        let name = self.name("Backend", namespace, &crate::manifest::generate::label(address));
        let mut spec = json!({"endpoints": [address]});
        if tls {
            spec["tls"] = json!({"mode": "ServerOnly"});
        }
        self.add("Backend", namespace, &name, spec);
        self.backends.insert(key, name.clone());
        name
    }

    /// Everything, in its order.
    pub(super) fn finish(mut self) -> Vec<Value> {
        for ((from, here, there, to), names) in std::mem::take(&mut self.grants) {
            let group =
                if from == "Service" || from == "Secret" { "" } else { names::GROUP_GATEWAY_API };
            let names: Vec<String> = names.into_iter().collect();
            for names in names.chunks(GRANTED) {
                let granted: Vec<Value> = names
                    .iter()
                    .map(|name| json!({"group": "", "kind": to, "name": name}))
                    .collect();
                let wanted = format!("{}s-of-{here}", from.to_ascii_lowercase());
                let name = self.name("ReferenceGrant", Some(&there), &wanted);
                let from = json!([{"group": group, "kind": from, "namespace": here}]);
                self.add(
                    "ReferenceGrant",
                    Some(&there),
                    &name,
                    json!({"from": from, "to": granted}),
                );
            }
        }
        let place = |object: &Value| KINDS.iter().position(|kind| object["kind"] == *kind);
        self.objects.sort_by_key(place);
        self.objects
    }
}

/// What a route is made of.
#[derive(Clone, Debug, Default)]
pub(super) struct RouteDraft {
    pub(super) namespace: Option<String>,
    pub(super) wanted: String,
    pub(super) parents: Vec<Value>,
    pub(super) hostnames: Vec<String>,
    pub(super) rules: Vec<Value>,
    /// `labels` and `annotations`.
    pub(super) metadata: Vec<(&'static str, Value)>,
}

/// A list with one more at its end; a list is made where there is none.
pub(super) fn push(object: &mut Value, field: &str, item: Value) {
    match &mut object[field] {
        Value::Array(items) => items.push(item),
        other => *other = json!([item]),
    }
}
