//! Where a route would be attached if it were alone: its parents' listeners that let it in, and
//! the hosts that both mean.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::gateway::parse_hostname;
use super::unit::{Attached, Claim, ListenerShape, Output, ParentShape, ParentState};
use super::view::View;
use super::{codes, namespaces, reference};
use crate::config::raw::{At, Object, Reference, Spec};
use crate::config::status::{self, Refusal};
use crate::model::{Hostname, Kind, Name, ObjectKey, PartKey};
use crate::names;

/// Listeners that a help line names.
const LISTED: usize = 5;

type Hosts = BTreeSet<Option<Hostname>>;

pub(super) fn attach(view: &mut View<'_>, key: &ObjectKey) -> Output {
    let Some(object) = view.object(key) else { return Output::Nothing };
    let (parents, hostnames) = match &object.spec {
        Spec::HttpRoute(route) => (&route.parents, &route.hostnames),
        Spec::GrpcRoute(route) => (&route.parents, &route.hostnames),
        _ => return Output::Nothing,
    };
    if parents.is_empty() {
        let message = "the route has no parentRefs: it is attached nowhere";
        view.warning(&object, codes::PARENT_MISSING, &object.meta.place, message)
            .help("name a Gateway in `spec.parentRefs`");
    }
    let wanted = wanted(view, &object, hostnames);
    let mut claims: BTreeMap<PartKey, Claim> = BTreeMap::new();
    let mut said = Vec::new();
    for reference in parents {
        let admitted = parent_key(view, &object, reference)
            .and_then(|parent| admitted(view, &object, reference, &parent, &wanted));
        let Some(Ok(admitted)) = admitted else {
            said.push(admitted.map(|refused| refused.map(|_| Vec::new())));
            continue;
        };
        let mut taken = Vec::new();
        for (listener, hosts) in admitted {
            for (part, _) in &listener.binds {
                let claim = claims.entry(part.clone()).or_insert_with(|| Claim {
                    listener: part.clone(),
                    gateway: listener.gateway.clone(),
                    created: object.meta.created,
                    hosts: Hosts::new(),
                });
                claim.hosts.extend(hosts.iter().cloned());
                taken.push(part.clone());
            }
        }
        said.push(Some(Ok(taken)));
    }
    Output::Attach(Arc::new(Attached { claims: claims.into_values().collect(), parents: said }))
}

/// The hosts that the route names; only `None` when it names none. Empty when none is valid: a
/// mistake must not make a route of every host.
fn wanted(view: &mut View<'_>, object: &Object, hostnames: &[At<Name>]) -> Hosts {
    if hostnames.is_empty() {
        return Hosts::from([None]);
    }
    hostnames.iter().filter_map(|text| parse_hostname(view, object, text)).map(Some).collect()
}

fn parent_key(view: &mut View<'_>, object: &Object, reference: &Reference) -> Option<ObjectKey> {
    let kind = match (&*reference.group, &*reference.kind) {
        (names::GROUP_GATEWAY_API, "Gateway") => Kind::Gateway,
        (names::GROUP_GATEWAY_API, "ListenerSet") => Kind::ListenerSet,
        ("", "Service") => {
            let message = "routes of a Service are not served yet: this parent is passed over";
            view.warning(object, codes::PARENT_NOT_SERVED, &reference.place, message);
            return None;
        }
        (_, other) => {
            let message = format!("a {other} can't be a route's parent");
            view.error(object, codes::REFERENCE_KIND, &reference.place, message)
                .help("refer to a Gateway or ListenerSet");
            return None;
        }
    };
    Some(reference::key_of(object, reference, kind))
}

/// The parent's listeners that take the route, each with the hosts; never none. When there is none,
/// the furthest that any listener came is reported. `None` for a parent that isn't ours.
fn admitted(
    view: &mut View<'_>,
    object: &Object,
    reference: &Reference,
    parent: &ObjectKey,
    wanted: &Hosts,
) -> Option<Result<Admitted, Refusal>> {
    let shape = view.parent(parent);
    match shape.state {
        ParentState::Served => {}
        ParentState::PassedOver => return None,
        ParentState::NotAttached => {
            let why = format!("{parent} is not attached to its Gateway");
            return Some(Err(Refusal::new(status::NO_MATCHING_PARENT, why)));
        }
        ParentState::Missing => {
            let message = format!("{parent} does not exist");
            view.error(object, codes::PARENT_MISSING, &reference.place, message).seeks(parent);
            return None;
        }
    }
    Some(by_served(view, object, reference, parent, &shape, wanted))
}

type Admitted = Vec<(Arc<ListenerShape>, Hosts)>;

fn by_served(
    view: &mut View<'_>,
    object: &Object,
    reference: &Reference,
    parent: &ObjectKey,
    shape: &ParentShape,
    wanted: &Hosts,
) -> Result<Admitted, Refusal> {
    let chosen = |listener: &&Arc<ListenerShape>| {
        reference.section_name.as_ref().is_none_or(|name| *name == listener.name)
            && reference.port.is_none_or(|port| port == listener.port)
    };
    let sections: Vec<_> = shape.listeners.iter().filter(chosen).cloned().collect();
    if sections.is_empty() {
        // A listener that was refused, or a Gateway left without any, is reported there.
        let refused = match &reference.section_name {
            Some(name) => shape.refused.get(name),
            None => shape.refused.values().next(),
        };
        let message = match refused {
            Some(why) => format!("the listener is not served: {}", why.message),
            None => tell_section(view, object, reference, parent, shape),
        };
        return Err(Refusal::new(status::NO_MATCHING_PARENT, message));
    }
    let allowing: Vec<_> = sections
        .into_iter()
        .filter(|listener| takes_kind(listener, object.key.kind))
        .filter(|listener| {
            let home = &listener.binds.first().map_or(parent, |(part, _)| &part.object).clone();
            namespaces::lets_in(view, &listener.namespaces, home, &object.key.namespace)
        })
        .collect();
    if allowing.is_empty() {
        let message = format!("no listener of {parent} takes this route");
        view.error(object, codes::ROUTE_NOT_ALLOWED, &reference.place, message.clone()).help(
            format!(
                "let `allowedRoutes` of a listener take {}s from namespace `{}`",
                object.key.kind, object.key.namespace
            ),
        );
        return Err(Refusal::new(status::NOT_ALLOWED_BY_LISTENERS, message));
    }
    let met: Vec<_> = allowing
        .into_iter()
        .map(|listener| (meet(listener.hostname.as_ref(), wanted), listener))
        .filter(|(hosts, _)| !hosts.is_empty())
        .map(|(hosts, listener)| (listener, hosts))
        .collect();
    if !met.is_empty() {
        return Ok(met);
    }
    let message = format!("no hostname of the route fits a listener of {parent}");
    // Without a valid hostname of its own there is a diagnostic already.
    if !wanted.is_empty() {
        view.error(object, codes::HOSTNAMES_DISJOINT, &reference.place, message.clone()).help(
            "add a hostname that the listener takes; a wildcard stands for one label or more",
        );
    }
    Err(Refusal::new(status::NO_MATCHING_LISTENER_HOSTNAME, message))
}

fn takes_kind(listener: &ListenerShape, kind: Kind) -> bool {
    match kind {
        Kind::GrpcRoute => listener.takes_grpc,
        _ => listener.takes_http,
    }
}

fn tell_section(
    view: &mut View<'_>,
    object: &Object,
    reference: &Reference,
    parent: &ObjectKey,
    shape: &ParentShape,
) -> String {
    let message = match (&reference.section_name, reference.port) {
        (Some(name), None) => format!("{parent} has no listener `{name}`"),
        (Some(name), Some(port)) => format!("{parent} has no listener `{name}` on port {port}"),
        (None, Some(port)) => format!("{parent} has no listener on port {port}"),
        (None, None) => format!("{parent} has no listener"),
    };
    let listeners: Vec<String> = shape
        .listeners
        .iter()
        .take(LISTED)
        .map(|listener| format!("`{}` on port {}", listener.name, listener.port))
        .collect();
    let finding = view.error(object, codes::SECTION_MISSING, &reference.place, message.clone());
    if !listeners.is_empty() {
        finding.help(format!("it has {}", listeners.join(", ")));
    }
    message
}

/// The hosts that listener and route both mean.
fn meet(listener: Option<&Hostname>, wanted: &Hosts) -> Hosts {
    wanted
        .iter()
        .filter_map(|host| match (listener, host) {
            (None, host) => Some(host.clone()),
            (Some(listener), None) => Some(Some(listener.clone())),
            (Some(listener), Some(host)) => listener.intersect(host).map(Some),
        })
        .collect()
}
