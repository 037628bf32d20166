//! Gateways and ListenerSets, each by itself: is it ours, and which listeners does it write?

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use super::unit::{
    Fleet, GatewayShape, ListenerShape, Listeners, Output, RefusedListener, SetShape, UnitKey,
};
use super::view::View;
use super::{codes, namespaces};
use crate::config::address::dotless;
use crate::config::raw::{self, At, Object, Spec};
use crate::config::status::{self, Refusal};
use crate::config::suggest;
use crate::model::{BindAddress, Hostname, Kind, Name, ObjectKey, PartKey, PartKind, Scope};
use crate::names;

pub(super) fn gateway(view: &mut View<'_>, key: &ObjectKey) -> Output {
    let object = view.object(key);
    let Some((object, gateway)) = object.as_ref().and_then(|object| match &object.spec {
        Spec::Gateway(gateway) => Some((object, gateway)),
        _ => None,
    }) else {
        return Output::Nothing;
    };
    let Some(fleet) = fleet(view, object, &gateway.class) else {
        // In a cluster other controllers' Gateways are nobody's mistake.
        if !view.lowering.options.cluster {
            let class = &gateway.class;
            let message =
                format!("class `{}` is not ours: the Gateway is passed over", class.value);
            let help = format!("`--class {}` serves it", class.value);
            view.warning(object, codes::CLASS_NOT_OURS, class, message).help(help);
        }
        return Output::Gateway(Arc::new(GatewayShape {
            fleet: None,
            binds: Vec::new(),
            listeners: Listeners::default(),
        }));
    };
    namespaces::check(view, object, &gateway.allowed_listeners);
    let binds = binds(view, object, gateway);
    let home = Home { gateway: key, scope: fleet.scope(), binds: &binds };
    let listeners = listeners(view, object, &gateway.listeners, &home);
    view.demand(UnitKey::Ports(fleet.clone()));
    Output::Gateway(Arc::new(GatewayShape { fleet: Some(fleet), binds, listeners }))
}

/// Whose sockets a Gateway's listeners share, when it is ours. The class `meshctl` exists unwritten
/// in a directory; a GatewayClass object says itself whose it is.
fn fleet(view: &mut View<'_>, object: &Object, class: &Name) -> Option<Fleet> {
    let cluster = view.lowering.options.cluster;
    let ours = view.lowering.options.classes.contains(class)
        || match class_object(view, object, class).as_deref().map(|class| &class.spec) {
            Some(Spec::GatewayClass(class)) => *class.controller_name.value == *names::CONTROLLER,
            _ => !cluster && **class == *names::GATEWAY_CLASS,
        };
    ours.then(|| match (cluster, &**class) {
        (false, _) => Fleet::Everything,
        (true, names::GATEWAY_CLASS_SHARED) => Fleet::Shared,
        (true, _) => Fleet::Of(object.key.clone()),
    })
}

pub(super) fn class_object(
    view: &mut View<'_>,
    gateway: &Object,
    class: &Name,
) -> Option<Arc<Object>> {
    view.object(&ObjectKey::new(gateway.key.store, Kind::GatewayClass, "", class))
}

/// The addresses to listen on; `None` is all of them. Empty when what was asked for can't be had.
fn binds(view: &mut View<'_>, object: &Object, gateway: &raw::Gateway) -> Vec<Option<IpAddr>> {
    // There they are the addresses of the Service in front of the proxies.
    if view.lowering.options.cluster {
        return vec![None];
    }
    let mut binds = BTreeSet::new();
    for address in &gateway.addresses {
        if &*address.kind.value != "IPAddress" {
            let message = format!("addresses of the type `{}` are not served", address.kind.value);
            view.error(object, codes::ADDRESS_UNUSABLE, &address.kind, message)
                .help("use IPAddress");
        } else if address.value.value.is_empty() {
            binds.insert(None);
        } else {
            match address.value.value.parse::<IpAddr>() {
                // `::` takes IPv4 too: it is the socket of "all addresses".
                Ok(IpAddr::V6(Ipv6Addr::UNSPECIFIED)) => {
                    binds.insert(None);
                }
                Ok(ip) => {
                    binds.insert(Some(ip.to_canonical()));
                }
                Err(_) => {
                    let message = format!("`{}` is not an IP address", address.value.value);
                    view.error(object, codes::ADDRESS_UNUSABLE, &address.value, message);
                }
            }
        }
    }
    if gateway.addresses.is_empty() || binds.contains(&None) {
        return vec![None];
    }
    binds.into_iter().collect()
}

pub(super) fn listener_set(view: &mut View<'_>, key: &ObjectKey) -> Output {
    let object = view.object(key);
    let Some((object, set)) = object.as_ref().and_then(|object| match &object.spec {
        Spec::ListenerSet(set) => Some((object, set)),
        _ => None,
    }) else {
        return Output::Nothing;
    };
    let mut shape = SetShape { gateway: Err(None), listeners: Listeners::default() };
    match parent_of(view, object, set) {
        Ok((parent, gateway, fleet)) => {
            let home = Home { gateway: &parent, scope: fleet.scope(), binds: &gateway.binds };
            shape.listeners = listeners(view, object, &set.listeners, &home);
            shape.gateway = Ok((parent, fleet));
        }
        Err(refused) => shape.gateway = Err(refused),
    }
    Output::ListenerSet(Arc::new(shape))
}

/// The Gateway that takes the set. One that isn't ours says nothing.
fn parent_of(
    view: &mut View<'_>,
    object: &Object,
    set: &raw::ListenerSet,
) -> Result<(ObjectKey, Arc<GatewayShape>, Fleet), Option<Refusal>> {
    let reference = &set.parent;
    if *reference.group != *names::GROUP_GATEWAY_API || &*reference.kind != "Gateway" {
        let message = format!("a ListenerSet can't belong to a {}", reference.kind);
        view.error(object, codes::LISTENER_SET_REFUSED, &reference.place, message);
        return Err(None);
    }
    let parent = super::reference::key_of(object, reference, Kind::Gateway);
    let Output::Gateway(shape) = view.output(UnitKey::Gateway(parent.clone())) else {
        let message = format!("{parent} does not exist");
        view.error(object, codes::LISTENER_SET_REFUSED, &reference.place, message).seeks(&parent);
        return Err(None);
    };
    let fleet = shape.fleet.clone().ok_or(None)?;
    let gateway = view.object(&parent).ok_or(None)?;
    let Spec::Gateway(spec) = &gateway.spec else { return Err(None) };
    if !namespaces::lets_in(view, &spec.allowed_listeners, &parent, &object.key.namespace) {
        let message =
            format!("{parent} allows no ListenerSets from namespace `{}`", object.key.namespace);
        view.error(object, codes::LISTENER_SET_REFUSED, &reference.place, message.clone())
            .help("set `spec.allowedListeners.namespaces.from` of the Gateway to Same or All");
        return Err(Some(Refusal::new(status::NOT_ALLOWED, message)));
    }
    Ok((parent, shape, fleet))
}

/// Where listeners stand.
struct Home<'a> {
    gateway: &'a ObjectKey,
    scope: Scope,
    binds: &'a [Option<IpAddr>],
}

fn listeners(
    view: &mut View<'_>,
    object: &Object,
    written: &[raw::Listener],
    home: &Home<'_>,
) -> Listeners {
    let mut names = BTreeSet::new();
    let mut found = Listeners::default();
    for listener in written {
        // The decoder refuses a name that is there twice; two parts can't have one key.
        if !names.insert(&listener.name.value) {
            continue;
        }
        let before = view.findings.len();
        let (protocol, hostname) =
            (protocol(view, object, listener), hostname(view, object, listener));
        let binds = bound(view, object, listener, home.binds);
        let (https, hostname) = match (protocol, hostname) {
            (Ok(https), Some(hostname)) => (https, hostname),
            (protocol, _) => {
                let reason = protocol.err().unwrap_or(status::UNSUPPORTED_VALUE);
                let why = view.said_since(before).unwrap_or_default().to_owned();
                found.refused.push(Arc::new(RefusedListener {
                    name: listener.name.value.clone(),
                    binds: binds.into_iter().map(|(_, bind)| bind).collect(),
                    datagrams: &*listener.protocol.value == "UDP",
                    why: Refusal::new(reason, why),
                }));
                continue;
            }
        };
        namespaces::check(view, object, &listener.allowed_namespaces);
        let (takes_http, takes_grpc, other_kinds) = kinds(view, object, listener);
        found.served.push(Arc::new(ListenerShape {
            name: listener.name.value.clone(),
            gateway: home.gateway.clone(),
            scope: home.scope.clone(),
            binds,
            port: listener.port.value,
            https,
            hostname,
            namespaces: listener.allowed_namespaces.clone(),
            takes_http,
            takes_grpc,
            other_kinds,
        }));
    }
    found
}

/// One part per address: the first carries the listener's name, the others `NAME@ADDRESS`.
fn bound(
    view: &View<'_>,
    object: &Object,
    listener: &raw::Listener,
    binds: &[Option<IpAddr>],
) -> Vec<(PartKey, BindAddress)> {
    let port = listener.port.value;
    let port = *view.lowering.options.port_moves.get(&port).unwrap_or(&port);
    let bind = |(position, ip): (usize, &Option<IpAddr>)| {
        let section = match ip {
            Some(ip) if position > 0 => format!("{}@{ip}", listener.name.value),
            _ => listener.name.value.to_string(),
        };
        let key = PartKey::new(PartKind::Listener, object.key.clone(), &section);
        (key, BindAddress { ip: *ip, port })
    };
    binds.iter().enumerate().map(bind).collect()
}

/// The Gateway API's own.
const PROTOCOLS: [&str; 5] = ["HTTP", "HTTPS", "TLS", "TCP", "UDP"];

/// Whether TLS is terminated, or the API's reason why the listener can't be served.
fn protocol(
    view: &mut View<'_>,
    object: &Object,
    listener: &raw::Listener,
) -> Result<bool, &'static str> {
    let protocol = &listener.protocol;
    match (&*protocol.value, &listener.tls) {
        ("HTTP", None) => Ok(false),
        ("HTTP", Some(tls)) => {
            view.error(
                object,
                codes::BAD_LISTENER_TLS,
                &tls.place,
                "an HTTP listener takes no tls",
            )
            .help("set `protocol: HTTPS`");
            Err(status::INVALID)
        }
        ("HTTPS", Some(tls)) if &*tls.mode.value != "Terminate" => {
            let message = format!("mode `{}` does not fit HTTPS", tls.mode.value);
            view.error(object, codes::BAD_LISTENER_TLS, &tls.mode, message)
                .help("use `mode: Terminate`");
            Err(status::INVALID)
        }
        ("HTTPS", _) => Ok(true),
        (other, _) => {
            let message = format!("protocol {other} is not served: the listener is passed over");
            match suggest::nearest(other, PROTOCOLS).filter(|_| !PROTOCOLS.contains(&other)) {
                Some(meant) => view
                    .error(object, codes::PROTOCOL_NOT_SERVED, protocol, message)
                    .help(format!("did you mean `{meant}`?")),
                None => view
                    .warning(object, codes::PROTOCOL_NOT_SERVED, protocol, message)
                    .help("HTTP and HTTPS are served"),
            }
            Err(status::UNSUPPORTED_PROTOCOL)
        }
    }
}

/// `None` when it is written and wrong.
#[expect(clippy::option_option, reason = "no hostname is a hostname: all of them")]
fn hostname(
    view: &mut View<'_>,
    object: &Object,
    listener: &raw::Listener,
) -> Option<Option<Hostname>> {
    match &listener.hostname {
        Some(text) if !text.value.is_empty() => parse_hostname(view, object, text).map(Some),
        _ => Some(None),
    }
}

pub(super) fn parse_hostname(
    view: &mut View<'_>,
    object: &Object,
    text: &At<Name>,
) -> Option<Hostname> {
    Hostname::parse(dotless(&text.value))
        .map_err(|why| {
            let message = format!("`{}` is not a hostname: {why}", text.value);
            view.error(object, codes::HOSTNAME_UNUSABLE, text, message);
        })
        .ok()
}

/// Whether HTTPRoutes and GRPCRoutes are taken: both, unless something else is written; and why
/// other kinds aren't.
fn kinds(
    view: &mut View<'_>,
    object: &Object,
    listener: &raw::Listener,
) -> (bool, bool, Option<Refusal>) {
    if listener.allowed_kinds.is_empty() {
        return (true, true, None);
    }
    let (mut http, mut grpc) = (false, false);
    let before = view.findings.len();
    for kind in &listener.allowed_kinds {
        match (&*kind.value.0, &*kind.value.1) {
            (names::GROUP_GATEWAY_API, "HTTPRoute") => http = true,
            (names::GROUP_GATEWAY_API, "GRPCRoute") => grpc = true,
            (group, name) => {
                let message =
                    format!("routes of the kind {name} of `{group}` can't be served here");
                let help = match suggest::nearest(name, ["HTTPRoute", "GRPCRoute"]) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "use HTTPRoute or GRPCRoute".to_owned(),
                };
                view.error(object, codes::ROUTE_KIND, &kind.place, message).help(help);
            }
        }
    }
    let other = view.said_since(before).map(|why| Refusal::new(status::INVALID_ROUTE_KINDS, why));
    (http, grpc, other)
}
