//! HTTPS listeners of one port whose hostnames have names in common: a client that reuses a
//! connection may come with the settings of the wrong one, which the API wants to be said.

use std::collections::{BTreeMap, HashMap};

use crate::config::lower::unit::ParentShape;
use crate::model::{BindAddress, Name, ObjectKey};

/// A listener, by its object and its name.
type Listener = (ObjectKey, Name);

pub(super) fn mark(shapes: &mut BTreeMap<ObjectKey, ParentShape>) {
    let mut ports: BTreeMap<BindAddress, HashMap<String, Vec<Listener>>> = BTreeMap::new();
    for (key, shape) in &*shapes {
        for listener in shape.listeners.iter().filter(|listener| listener.https) {
            let host = listener.hostname.as_ref().map_or("", |host| host.as_str());
            for (_, bind) in &listener.binds {
                let hosts = ports.entry(*bind).or_default();
                let named = hosts.entry(host.to_owned()).or_default();
                named.push((key.clone(), listener.name.clone()));
            }
        }
    }
    let mut found: BTreeMap<Listener, Name> = BTreeMap::new();
    for hosts in ports.values() {
        for (host, listeners) in hosts {
            for wider in wider(host) {
                let (Some(others), Some(first)) = (hosts.get(&wider), listeners.first()) else {
                    continue;
                };
                for one in listeners {
                    note(&mut found, one, &others[0].1);
                }
                for other in others {
                    note(&mut found, other, &first.1);
                }
            }
        }
    }
    for ((object, name), other) in found {
        if let Some(shape) = shapes.get_mut(&object) {
            shape.overlapping.insert(name, other);
        }
    }
}

/// The first by name is told, as a map has no order.
fn note(found: &mut BTreeMap<Listener, Name>, one: &Listener, other: &Name) {
    let told = found.entry(one.clone()).or_insert_with(|| other.clone());
    if other < told {
        *told = other.clone();
    }
}

/// `*.b.c`, `*.c` and every name for `a.b.c`.
fn wider(host: &str) -> impl Iterator<Item = String> {
    let own = host.strip_prefix('*').unwrap_or(host);
    let skip = usize::from(host.starts_with('*'));
    let wildcards = own.match_indices('.').skip(skip).map(|(at, _)| format!("*{}", &own[at..]));
    wildcards.chain((!host.is_empty()).then(String::new)).collect::<Vec<_>>().into_iter()
}
