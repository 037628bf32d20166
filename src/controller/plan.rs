//! Which fleets of proxies there are to be, worked out from Gateways, their classes and MeshConfigs.
//!
//! This module is pure: it reads the index and what lowering made of it.

use std::collections::{BTreeMap, BTreeSet};

use super::infrastructure::{Fleet, Owner, Settings};
use crate::config::index::{Index, Tag};
use crate::config::lower::Lowering;
use crate::config::raw::{self, At, Gateway, MeshConfig, Object, Reference, Spec};
use crate::manifest::install::ServiceType;
use crate::model::{Kind, Name, ObjectKey, Scope, Store};
use crate::names;

/// A fleet, and the Gateways that it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) fleet: Fleet,
    pub(super) gateways: BTreeSet<ObjectKey>,
}

/// Whether an object of this kind can change a fleet.
pub(super) fn depends_on(kind: Kind) -> bool {
    matches!(kind, Kind::Gateway | Kind::GatewayClass | Kind::ListenerSet | Kind::MeshConfig)
}

pub(super) fn fleets(index: &Index, lowering: &Lowering) -> BTreeMap<Scope, Planned> {
    let mut fleets: BTreeMap<Scope, Planned> = BTreeMap::new();
    for (key, served) in lowering.gateways() {
        let Some(object) = index.get(&key) else { continue };
        let Spec::Gateway(gateway) = &object.spec else { continue };
        let planned = fleets.entry(served.scope.clone()).or_insert_with(|| {
            let fleet = if served.scope.shared {
                shared(index, &served.scope, &gateway.class.value)
            } else {
                dedicated(index, &served.scope, object, gateway)
            };
            Planned { fleet, gateways: BTreeSet::new() }
        });
        planned.fleet.ports.extend(&served.ports);
        planned.gateways.insert(key);
    }
    fleets
}

fn dedicated(index: &Index, scope: &Scope, object: &Object, gateway: &Gateway) -> Fleet {
    let raw::Infrastructure { labels, annotations, parameters_ref: _ } = &gateway.infrastructure;
    let asked = gateway.addresses.iter().filter(|address| &*address.kind.value == "IPAddress");
    Fleet {
        scope: scope.clone(),
        owner: Some(Owner {
            kind: "Gateway",
            name: object.key.name.clone(),
            uid: object.meta.uid.clone(),
        }),
        labels: labels.clone(),
        annotations: annotations.clone(),
        addresses: asked.map(|address| address.value.value.clone()).collect(),
        ports: BTreeSet::new(),
        settings: settings(index, Some((object, gateway)), &gateway.class.value),
    }
}

/// What one of its Gateways asks for can't be done to all of them, so the class alone counts.
fn shared(index: &Index, scope: &Scope, class: &Name) -> Fleet {
    let class_object = class_of(index, class);
    Fleet {
        scope: scope.clone(),
        owner: class_object.map(|object| Owner {
            kind: "GatewayClass",
            name: object.key.name.clone(),
            uid: object.meta.uid.clone(),
        }),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        addresses: Vec::new(),
        ports: BTreeSet::new(),
        settings: settings(index, None, class),
    }
}

fn class_of<'a>(index: &'a Index, class: &str) -> Option<&'a Object> {
    let key = ObjectKey::new(Store::Cluster, Kind::GatewayClass, "", class);
    index.get(&key).map(|object| &**object)
}

fn settings(index: &Index, gateway: Option<(&Object, &Gateway)>, class: &str) -> Settings {
    let config = mesh_config(index, gateway, class);
    let Some(MeshConfig { deployment, drain_timeout, .. }) = config else {
        return Settings::default();
    };
    let raw::Deployment { replicas, service_type, min_available, requests, limits } = deployment;
    let texts = |map: &BTreeMap<Name, At<Name>>| {
        map.iter().map(|(name, text)| (name.clone(), text.value.clone())).collect()
    };
    Settings {
        replicas: replicas.as_ref().map(|replicas| replicas.value),
        service_type: service_type
            .as_ref()
            .and_then(|name| ServiceType::named(&name.value))
            .unwrap_or_default(),
        min_available: min_available.as_ref().map(|text| text.value.clone()),
        requests: texts(requests),
        limits: texts(limits),
        drain_timeout: drain_timeout.as_ref().map(|time| time.value),
    }
}

/// The one that holds, as lowering chooses it: the Gateway's own, its class's, the default, the
/// only one.
fn mesh_config<'a>(
    index: &'a Index,
    gateway: Option<(&Object, &Gateway)>,
    class: &str,
) -> Option<&'a MeshConfig> {
    let get = |namespace: &str, name: &str| {
        let key = ObjectKey::new(Store::Cluster, Kind::MeshConfig, namespace, name);
        index.get(&key)
    };
    let named = |reference: &Reference, namespace: &str| {
        let is_ours = *reference.group == *names::GROUP_MESHCTL && &*reference.kind == "MeshConfig";
        let namespace = reference.namespace.as_deref().unwrap_or(namespace);
        get(namespace, &reference.name).filter(|_| is_ours)
    };
    let own = gateway.and_then(|(object, gateway)| {
        Some((gateway.infrastructure.parameters_ref.as_ref()?, &*object.key.namespace))
    });
    let of_class = class_of(index, class).and_then(|object| match &object.spec {
        Spec::GatewayClass(class) => Some((class.parameters_ref.as_ref()?, "")),
        _ => None,
    });
    let found = match own.or(of_class) {
        Some((reference, namespace)) => named(reference, namespace),
        None => get(names::NAMESPACE_SYSTEM, names::MESH_CONFIG_DEFAULT).or_else(|| {
            let mut all = index.tagged(&Tag::All(Kind::MeshConfig));
            all.next().filter(|_| all.next().is_none())
        }),
    };
    match &found?.spec {
        Spec::MeshConfig(config) => Some(config),
        _ => None,
    }
}
