//! What a cluster is told: objects in, conditions out, as a line each.

mod gateways;
mod policies;
mod routes;

use super::build::*;
use super::*;
use crate::config::status::{Condition, ListenerStatus, RefStatus};

/// A cluster with our class.
fn cluster(objects: impl IntoIterator<Item = Object>) -> World {
    let options = Options { cluster: true, ..Options::default() };
    let ours = class("meshctl", crate::names::CONTROLLER, None);
    let mut world = World::new(options);
    world.apply([ours].into_iter().chain(objects));
    world
}

/// The Gateway's proxies run and have an address.
fn programmed(world: &mut World, gateway: &str) {
    let address = ("IPAddress".into(), "192.0.2.1".into());
    let facts = Facts { addresses: vec![address], ready: Ok(()), nacked: None };
    know(world, gateway, Some(facts));
}

fn know(world: &mut World, gateway: &str, facts: Option<Facts>) {
    let (namespace, name) = gateway.split_once('/').unwrap_or(("default", gateway));
    let key = ObjectKey::new(crate::model::Store::Files, Kind::Gateway, namespace, name);
    world.lowering.set_facts(&key, facts);
    world.commit();
}

/// `Accepted=True Accepted`, a line each.
fn lines(conditions: &[Condition]) -> Vec<String> {
    let line = |one: &Condition| format!("{}={} {}", one.kind, one.status.as_str(), one.reason);
    conditions.iter().map(line).collect()
}

impl World {
    #[track_caller]
    fn status(&self, kind: Kind, name: &str) -> &Status {
        let (namespace, name) = match name.split_once('/') {
            Some(both) => both,
            None if kind.is_cluster_scoped() => ("", name),
            None => ("default", name),
        };
        let key = ObjectKey::new(crate::model::Store::Files, kind, namespace, name);
        let status = self.statuses.get(&key);
        status.unwrap_or_else(|| panic!("{key} has no status: {:#?}", self.statuses))
    }

    /// The conditions of a Gateway, ListenerSet or GatewayClass.
    #[track_caller]
    fn conditions(&self, kind: Kind, name: &str) -> Vec<String> {
        lines(match self.status(kind, name) {
            Status::GatewayClass(status) => &status.conditions,
            Status::Gateway(status) => &status.conditions,
            Status::ListenerSet(status) => &status.conditions,
            other => panic!("no conditions of its own: {other:?}"),
        })
    }

    #[track_caller]
    fn told(&self, kind: Kind, name: &str, listener: &str) -> &ListenerStatus {
        let listeners = match self.status(kind, name) {
            Status::Gateway(status) => &status.listeners,
            Status::ListenerSet(status) => &status.listeners,
            other => panic!("no listeners: {other:?}"),
        };
        let found = listeners.iter().find(|one| &*one.name == listener);
        found.unwrap_or_else(|| panic!("no listener {listener}: {listeners:#?}"))
    }

    /// `NAME routes=N kinds: conditions…`, without what is as it should be.
    #[track_caller]
    fn listener_line(&self, kind: Kind, name: &str, listener: &str) -> String {
        let told = self.told(kind, name, listener);
        const FINE: [&str; 4] = [
            "Accepted=True Accepted",
            "Programmed=True Programmed",
            "ResolvedRefs=True ResolvedRefs",
            "Conflicted=False NoConflicts",
        ];
        let said = lines(&told.conditions);
        let odd: Vec<&str> =
            said.iter().map(String::as_str).filter(|line| !FINE.contains(line)).collect();
        let kinds = told.supported_kinds.join("+");
        format!("{listener} {} {kinds} {}", told.attached_routes, odd.join(", "))
            .trim_end()
            .to_owned()
    }

    /// The entries of a route or policy: `NAME[#SECTION]: conditions…`
    #[track_caller]
    fn entries(&self, kind: Kind, name: &str) -> Vec<String> {
        let entries = match self.status(kind, name) {
            Status::Route(status) => &status.parents,
            Status::Policy(status) => &status.ancestors,
            other => panic!("no entries: {other:?}"),
        };
        let line = |RefStatus { reference, conditions }: &RefStatus| {
            let section = reference.section_name.as_ref().map(|name| format!("#{name}"));
            let section = section.unwrap_or_default();
            format!("{}{section}: {}", reference.name, lines(conditions).join(", "))
        };
        entries.iter().map(line).collect()
    }
}
