//! What a proxy serves of one route: what a rollout waits for after it has written the route.
//!
//! ```json
//! {
//!   "sources": ["/etc/shop"],
//!   "rules": [{
//!     "position": 0,
//!     "backends": [{
//!       "weight": 90, "kind": "Service", "namespace": "shop", "name": "web-v1", "port": 80,
//!       "endpoints": ["127.0.0.1:3000"]
//!     }],
//!     "copies": [{"kind": "Backend", "namespace": "shop", "name": "web-v2", "percent": 20.0}]
//!   }]
//! }
//! ```
//!
//! A backend that can't be used has no name. One rule stands there as often as Gateways see it
//! differently.

use serde::{Deserialize, Serialize};

use crate::model::{Filter, Fraction, ObjectKey, Part, PartKey, PartKind, WeightedBackend};
use crate::snapshot::Snapshot;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServedRoute {
    /// What the proxy was told to serve: absolute paths.
    pub sources: Vec<String>,
    pub rules: Vec<ServedRule>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServedRule {
    /// Of the route's rules, from 0.
    pub position: u32,
    pub backends: Vec<ServedBackend>,
    pub copies: Vec<ServedCopy>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServedBackend {
    pub weight: u32,
    #[serde(flatten)]
    pub to: ServedTarget,
    pub endpoints: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServedCopy {
    #[serde(flatten)]
    pub to: ServedTarget,
    pub percent: f64,
    pub endpoints: Vec<String>,
}

/// Empty where the reference leads nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServedTarget {
    pub kind: String,
    pub namespace: String,
    pub name: String,
    /// A Service's.
    pub port: Option<u16>,
}

/// The rules of a route, in its order.
pub fn rules(snapshot: &Snapshot, route: &ObjectKey) -> Vec<ServedRule> {
    let parts = snapshot.parts().filter(|part| part.key().part == PartKind::Rule);
    let of_route = parts.filter_map(|part| match part {
        Part::Rule(rule) if rule.key.object == *route && !rule.attachments.is_empty() => Some(rule),
        _ => None,
    });
    let mut rules: Vec<ServedRule> = of_route
        .map(|rule| ServedRule {
            position: rule.order.rule,
            backends: rule.backends.iter().map(|one| backend(snapshot, one)).collect(),
            copies: rule.filters.iter().filter_map(|filter| copy(snapshot, filter)).collect(),
        })
        .collect();
    rules.sort_by_key(|rule| rule.position);
    rules
}

fn backend(snapshot: &Snapshot, one: &WeightedBackend) -> ServedBackend {
    let key = one.backend.as_ref().ok();
    ServedBackend {
        weight: one.weight,
        to: key.map(target).unwrap_or_default(),
        endpoints: key.map(|key| endpoints(snapshot, key)).unwrap_or_default(),
    }
}

fn copy(snapshot: &Snapshot, filter: &Filter) -> Option<ServedCopy> {
    let Filter::Mirror(mirror) = filter else { return None };
    let Fraction { numerator, denominator } = mirror.fraction;
    let key = mirror.backend.as_ref().ok();
    Some(ServedCopy {
        to: key.map(target).unwrap_or_default(),
        percent: f64::from(numerator) * 100.0 / f64::from(denominator.max(1)),
        endpoints: key.map(|key| endpoints(snapshot, key)).unwrap_or_default(),
    })
}

fn target(key: &PartKey) -> ServedTarget {
    let ObjectKey { kind, namespace, name, .. } = &key.object;
    // The section is the port, and how it is spoken to: `8080/grpc`.
    let digits = key.section.bytes().take_while(u8::is_ascii_digit).count();
    ServedTarget {
        kind: kind.as_str().to_owned(),
        namespace: namespace.to_string(),
        name: name.to_string(),
        port: key.section[..digits].parse().ok(),
    }
}

fn endpoints(snapshot: &Snapshot, backend: &PartKey) -> Vec<String> {
    let entry = snapshot.backend_slot(backend).and_then(|slot| snapshot.backend(slot));
    let set = entry.and_then(|entry| entry.endpoints.as_ref());
    let endpoints = set.into_iter().flat_map(|set| &set.endpoints);
    endpoints.map(|endpoint| endpoint.address.to_string()).collect()
}
