//! Statuses as the API spells them, without the times of their conditions.

use serde_json::{Map, Value, json};

use super::{Condition, ListenerStatus, ObjectRef, RefStatus, Status};
use crate::model::Name;
use crate::names;

impl Status {
    /// The object's `status`, as far as it is ours: entries of other controllers, and
    /// `lastTransitionTime` of the conditions, are whoever's who writes it.
    pub fn to_json(&self) -> Value {
        match self {
            Self::GatewayClass(status) => {
                let feature = |name: &&str| json!({ "name": name });
                let features: Vec<Value> = status.supported_features.iter().map(feature).collect();
                json!({
                    "conditions": conditions(&status.conditions),
                    "supportedFeatures": features,
                })
            }
            Self::Gateway(status) => {
                let address =
                    |(kind, value): &(Name, Name)| json!({"type": &**kind, "value": &**value});
                let addresses: Vec<Value> = status.addresses.iter().map(address).collect();
                json!({
                    "addresses": addresses,
                    "attachedListenerSets": status.attached_listener_sets,
                    "conditions": conditions(&status.conditions),
                    "listeners": listeners(&status.listeners),
                })
            }
            Self::ListenerSet(status) => json!({
                "conditions": conditions(&status.conditions),
                "listeners": listeners(&status.listeners),
            }),
            Self::Route(status) => json!({ "parents": entries("parentRef", &status.parents) }),
            Self::Policy(status) => {
                json!({ "ancestors": entries("ancestorRef", &status.ancestors) })
            }
        }
    }
}

fn conditions(conditions: &[Condition]) -> Vec<Value> {
    let one = |condition: &Condition| {
        let Condition { kind, status, reason, message, observed_generation } = condition;
        json!({
            "type": kind,
            "status": status.as_str(),
            "reason": reason,
            "message": message,
            "observedGeneration": observed_generation,
        })
    };
    conditions.iter().map(one).collect()
}

fn listeners(listeners: &[ListenerStatus]) -> Vec<Value> {
    let kind = |kind: &&str| json!({ "group": names::GROUP_GATEWAY_API, "kind": kind });
    let one = |listener: &ListenerStatus| {
        let ListenerStatus { name, supported_kinds, attached_routes, conditions: said } = listener;
        json!({
            "name": &**name,
            "supportedKinds": supported_kinds.iter().map(kind).collect::<Vec<_>>(),
            "attachedRoutes": attached_routes,
            "conditions": conditions(said),
        })
    };
    listeners.iter().map(one).collect()
}

fn entries(name: &str, entries: &[RefStatus]) -> Vec<Value> {
    let one = |RefStatus { reference, conditions: said }: &RefStatus| {
        json!({
            name: object_ref(reference),
            "controllerName": names::CONTROLLER,
            "conditions": conditions(said),
        })
    };
    entries.iter().map(one).collect()
}

fn object_ref(reference: &ObjectRef) -> Value {
    let ObjectRef { group, kind, namespace, name, section_name, port } = reference;
    let mut map = Map::new();
    let mut put = |field: &str, value: Value| {
        map.insert(field.to_owned(), value);
    };
    put("group", (&**group).into());
    put("kind", (&**kind).into());
    if let Some(namespace) = namespace {
        put("namespace", (&**namespace).into());
    }
    put("name", (&**name).into());
    if let Some(section) = section_name {
        put("sectionName", (&**section).into());
    }
    if let Some(port) = port {
        put("port", (*port).into());
    }
    Value::Object(map)
}
