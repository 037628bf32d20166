//! All listeners against each other: which of them can be told apart on their sockets.
//!
//! Within one object every listener that can't be told from another is refused, as the Gateway
//! API demands. Between objects, which one data plane merges, the first wins: Gateways before
//! ListenerSets, older before younger, then by namespace and name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::codes;
use super::unit::{ListenerShape, Output, ParentShape, ParentState, UnitKey};
use super::view::View;
use crate::config::index::Tag;
use crate::config::raw::{Object, Place, Spec};
use crate::model::{BindAddress, Hostname, Kind, Name, ObjectKey};

pub(super) fn ports(view: &mut View<'_>) -> Output {
    let mut shapes = BTreeMap::new();
    let mut sockets = Sockets::default();
    for kind in [Kind::Gateway, Kind::ListenerSet] {
        let mut objects = view.tagged(Tag::All(kind));
        objects.sort_by_key(|object| {
            let key = &object.key;
            (object.meta.created, key.namespace.clone(), key.name.clone(), key.store)
        });
        for object in objects {
            let (state, listeners) = written(view, &object.key);
            let listeners = distinct(view, &object, listeners);
            let listeners: Vec<_> =
                listeners.into_iter().filter(|one| sockets.take(view, &object, one)).collect();
            for (part, _) in listeners.iter().flat_map(|listener| &listener.binds) {
                view.demand(UnitKey::Listener(part.clone()));
            }
            let left: BTreeSet<&Name> = listeners.iter().map(|listener| &listener.name).collect();
            let names = raw_listeners(&object).map(|(name, _)| name.clone());
            let refused = names.filter(|name| !left.contains(name)).collect();
            let shape = ParentShape { state, listeners, refused };
            shapes.insert(object.key.clone(), Arc::new(shape));
        }
    }
    Output::Ports(Arc::new(shapes))
}

/// A cut of the whole for one Gateway or ListenerSet.
pub(super) fn parent(view: &mut View<'_>, key: &ObjectKey) -> Output {
    let shape = match view.output(UnitKey::Ports) {
        Output::Ports(shapes) => shapes.get(key).cloned(),
        _ => None,
    };
    Output::Parent(shape.unwrap_or_default())
}

fn written(view: &mut View<'_>, key: &ObjectKey) -> (ParentState, Vec<Arc<ListenerShape>>) {
    let unit = match key.kind {
        Kind::Gateway => UnitKey::Gateway(key.clone()),
        _ => UnitKey::ListenerSet(key.clone()),
    };
    match view.output(unit) {
        Output::Gateway(shape) if shape.ours => (ParentState::Served, shape.listeners.clone()),
        Output::ListenerSet(shape) if shape.gateway.is_some() => {
            (ParentState::Served, shape.listeners.clone())
        }
        _ => (ParentState::PassedOver, Vec::new()),
    }
}

/// The listeners of one object without those that can't be told apart.
fn distinct(
    view: &mut View<'_>,
    object: &Object,
    listeners: Vec<Arc<ListenerShape>>,
) -> Vec<Arc<ListenerShape>> {
    // Moved ports may bring two listeners to one socket, so sockets are compared, not ports.
    let meets = |a: &ListenerShape, b: &ListenerShape| {
        let shared = a.binds.iter().any(|(_, bind)| b.binds.iter().any(|(_, other)| bind == other));
        (shared && (a.https != b.https || a.hostname == b.hostname)).then_some(a.https == b.https)
    };
    let mut left = Vec::new();
    for (position, one) in listeners.iter().enumerate() {
        let others = listeners.iter().enumerate().filter(|(other, _)| *other != position);
        let clash = others.filter_map(|(_, other)| meets(one, other).map(|same| (other, same)));
        match clash.min_by_key(|(other, same)| (!*same, other.name.clone())) {
            Some((other, same_protocol)) => {
                let why = if same_protocol { "hostname" } else { "port with another protocol" };
                let other = format!("listener `{}`", other.name);
                conflict(view, object, one, why, &other);
            }
            None => left.push(one.clone()),
        }
    }
    left
}

fn conflict(view: &mut View<'_>, object: &Object, one: &ListenerShape, why: &str, other: &str) {
    let place = raw_listeners(object)
        .find(|(name, _)| **name == one.name)
        .map_or(object.meta.place, |(_, place)| place);
    let message = format!("listener `{}` has the same {why} as {other}", one.name);
    view.error(object, codes::LISTENER_CONFLICT, &place, message)
        .help("give it a hostname or a port of its own");
}

fn raw_listeners(object: &Object) -> impl Iterator<Item = (&Name, Place)> {
    let listeners = match &object.spec {
        Spec::Gateway(gateway) => &gateway.listeners[..],
        Spec::ListenerSet(set) => &set.listeners[..],
        _ => &[],
    };
    listeners.iter().map(|listener| (&listener.name.value, listener.name.place))
}

/// What is taken on each socket, and by whom.
#[derive(Default)]
struct Sockets {
    sockets: HashMap<BindAddress, Socket>,
}

struct Socket {
    https: bool,
    first: ObjectKey,
    hosts: HashMap<Option<Hostname>, ObjectKey>,
}

impl Sockets {
    /// Takes the listener's sockets, or reports why not.
    fn take(&mut self, view: &mut View<'_>, object: &Object, one: &Arc<ListenerShape>) -> bool {
        for (_, bind) in &one.binds {
            let Some(socket) = self.sockets.get(bind) else { continue };
            if socket.https != one.https {
                let other = socket.first.to_string();
                conflict(view, object, one, "port with another protocol", &other);
                return false;
            }
            if let Some(other) = socket.hosts.get(&one.hostname)
                && *other != object.key
            {
                let other = format!("a listener of {other}");
                conflict(view, object, one, "port and hostname", &other);
                return false;
            }
        }
        for (_, bind) in &one.binds {
            let socket = self.sockets.entry(*bind).or_insert_with(|| Socket {
                https: one.https,
                first: object.key.clone(),
                hosts: HashMap::new(),
            });
            socket.hosts.insert(one.hostname.clone(), object.key.clone());
        }
        true
    }
}
