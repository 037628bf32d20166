//! All listeners of a fleet against each other: which of them can be told apart on their sockets.
//!
//! Within one object every listener that can't be told from another is refused, as the Gateway
//! API demands. Between objects, which one data plane merges, the first wins: Gateways before
//! ListenerSets, older before younger, then by namespace and name.

mod overlap;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::codes;
use super::unit::{
    Fleet, ListenerShape, Listeners, Output, ParentShape, ParentState, RefusedListener, UnitKey,
};
use super::view::View;
use crate::config::index::Tag;
use crate::config::raw::{Object, Place, Spec};
use crate::config::status::{self, Refusal};
use crate::model::{BindAddress, Hostname, Kind, Name, ObjectKey};

pub(super) fn ports(view: &mut View<'_>, fleet: &Fleet) -> Output {
    let mut shapes = BTreeMap::new();
    let mut sockets = Sockets::default();
    for object in members(view, fleet) {
        let Some(written) = written(view, &object.key, fleet) else { continue };
        let mut refused = BTreeMap::new();
        let served = distinct(view, &object, written.served, &mut refused);
        let take = |one: &Arc<ListenerShape>| match sockets.take(view, &object, one) {
            Ok(()) => true,
            Err(why) => {
                refused.insert(one.name.clone(), why);
                false
            }
        };
        let listeners: Vec<_> = served.into_iter().filter(take).collect();
        for (part, _) in listeners.iter().flat_map(|listener| &listener.binds) {
            view.demand(UnitKey::Listener(part.clone()));
        }
        for one in &written.refused {
            let why = sockets.conflict(one).unwrap_or_else(|| one.why.clone());
            refused.insert(one.name.clone(), why);
        }
        let state = ParentState::Served;
        let overlapping = BTreeMap::new();
        shapes.insert(object.key.clone(), ParentShape { state, listeners, refused, overlapping });
    }
    overlap::mark(&mut shapes);
    Output::Ports(Arc::new(shapes.into_iter().map(|(key, shape)| (key, Arc::new(shape))).collect()))
}

/// Who may be in the fleet, the first ones first.
fn members(view: &mut View<'_>, fleet: &Fleet) -> Vec<Arc<Object>> {
    let (mut gateways, mut sets) = match fleet {
        Fleet::Of(gateway) => {
            let sets = view.tagged(Tag::ListenerSets(gateway.clone()));
            (view.object(gateway).into_iter().collect(), sets)
        }
        Fleet::Everything | Fleet::Shared => {
            (view.tagged(Tag::All(Kind::Gateway)), view.tagged(Tag::All(Kind::ListenerSet)))
        }
    };
    for objects in [&mut gateways, &mut sets] {
        objects.sort_by_key(|object| {
            let key = &object.key;
            (object.meta.created, key.namespace.clone(), key.name.clone(), key.store)
        });
    }
    gateways.append(&mut sets);
    gateways
}

/// A cut of the whole for one Gateway or ListenerSet.
pub(super) fn parent(view: &mut View<'_>, key: &ObjectKey) -> Output {
    let alone = |state| Arc::new(ParentShape { state, ..ParentShape::default() });
    let fleet = match (key.kind, view.output(unit_of(key))) {
        (_, Output::Gateway(shape)) => shape.fleet.clone().ok_or(ParentState::PassedOver),
        (_, Output::ListenerSet(shape)) => match &shape.gateway {
            Ok((_, fleet)) => Ok(fleet.clone()),
            Err(Some(_)) => Err(ParentState::NotAttached),
            Err(None) => Err(ParentState::PassedOver),
        },
        _ => Err(ParentState::Missing),
    };
    Output::Parent(match fleet {
        Err(state) => alone(state),
        Ok(fleet) => match view.output(UnitKey::Ports(fleet)) {
            Output::Ports(shapes) => shapes.get(key).cloned().unwrap_or_default(),
            _ => Arc::default(),
        },
    })
}

fn unit_of(key: &ObjectKey) -> UnitKey {
    match key.kind {
        Kind::Gateway => UnitKey::Gateway(key.clone()),
        _ => UnitKey::ListenerSet(key.clone()),
    }
}

/// What an object of the fleet writes; `None` for one that is of no fleet or of another.
fn written(view: &mut View<'_>, key: &ObjectKey, fleet: &Fleet) -> Option<Listeners> {
    let (of, listeners) = match view.output(unit_of(key)) {
        Output::Gateway(shape) => (shape.fleet.clone()?, shape.listeners.clone()),
        Output::ListenerSet(shape) => {
            let (_, of) = shape.gateway.as_ref().ok()?;
            (of.clone(), shape.listeners.clone())
        }
        _ => return None,
    };
    (of == *fleet).then_some(listeners)
}

/// The listeners of one object without those that can't be told apart.
fn distinct(
    view: &mut View<'_>,
    object: &Object,
    listeners: Vec<Arc<ListenerShape>>,
    refused: &mut BTreeMap<Name, Refusal>,
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
                let clash = if same_protocol { Clash::Hostname } else { Clash::Protocol };
                let other = format!("listener `{}`", other.name);
                let why = conflict(view, object, one, clash, &other);
                refused.insert(one.name.clone(), why);
            }
            None => left.push(one.clone()),
        }
    }
    left
}

#[derive(Clone, Copy)]
enum Clash {
    Hostname,
    Protocol,
}

impl Clash {
    fn refusal(self, name: &Name, other: &str) -> Refusal {
        let (reason, what) = match self {
            Self::Hostname => (status::HOSTNAME_CONFLICT, "port and hostname"),
            Self::Protocol => (status::PROTOCOL_CONFLICT, "port with another protocol"),
        };
        Refusal::new(reason, format!("listener `{name}` has the same {what} as {other}"))
    }
}

fn conflict(
    view: &mut View<'_>,
    object: &Object,
    one: &ListenerShape,
    clash: Clash,
    other: &str,
) -> Refusal {
    let place = raw_listeners(object)
        .find(|(name, _)| **name == one.name)
        .map_or(object.meta.place, |(_, place)| place);
    let refusal = clash.refusal(&one.name, other);
    view.error(object, codes::LISTENER_CONFLICT, &place, refusal.message.clone())
        .help("give it a hostname or a port of its own");
    refusal
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
    fn take(
        &mut self,
        view: &mut View<'_>,
        object: &Object,
        one: &Arc<ListenerShape>,
    ) -> Result<(), Refusal> {
        for (_, bind) in &one.binds {
            let Some(socket) = self.sockets.get(bind) else { continue };
            if socket.https != one.https {
                let other = socket.first.to_string();
                return Err(conflict(view, object, one, Clash::Protocol, &other));
            }
            if let Some(other) = socket.hosts.get(&one.hostname)
                && *other != object.key
            {
                let other = format!("a listener of {other}");
                return Err(conflict(view, object, one, Clash::Hostname, &other));
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
        Ok(())
    }

    /// Whether a listener that can't be served stands in the way of one that is, too: then that is
    /// what is wrong with it.
    fn conflict(&self, one: &RefusedListener) -> Option<Refusal> {
        let taken = one.binds.iter().find_map(|bind| self.sockets.get(bind));
        let socket = taken.filter(|_| !one.datagrams)?;
        Some(Clash::Protocol.refusal(&one.name, &socket.first.to_string()))
    }
}
