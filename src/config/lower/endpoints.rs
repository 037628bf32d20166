//! The addresses of a Service's port or a Backend.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::target::port_of;
use super::unit::{Made, Output, section_of};
use super::view::View;
use super::{codes, leave};
use crate::config::address::dotless;
use crate::config::index::Tag;
use crate::config::raw::{
    self, EndpointSlice, Object, Service, ServicePort, SliceEndpoint, Spec, TargetPort,
};
use crate::model::{
    Address, Cause, Endpoint, EndpointSet, Hostname, ObjectKey, Part, PartKey, PartKind, Store,
};

pub(super) fn endpoints_key(object: &ObjectKey, port: Option<u16>) -> PartKey {
    PartKey::new(PartKind::EndpointSet, object.clone(), &section_of(port))
}

pub(super) fn endpoints(view: &mut View<'_>, key: &ObjectKey, port: Option<u16>) -> Made {
    let Some(object) = view.object(key) else { return Made::default() };
    let found = match &object.spec {
        Spec::Backend(backend) => of_backend(backend),
        Spec::Service(service) => {
            let Some(port) = port_of(service, port) else { return Made::default() };
            of_service(view, &object, service, port)
        }
        _ => return Made::default(),
    };
    let (endpoints, empty): (Vec<_>, _) = match found {
        Ok(weights) => {
            let one = |(address, weight)| Endpoint { address, alternate: None, weight };
            (weights.into_iter().map(one).collect(), None)
        }
        Err(cause) => (Vec::new(), Some(cause)),
    };
    let named = endpoints.iter().any(|one| matches!(one.address, Address::Dns { .. }));
    let reach = leave::reach(&view.lowering.options).filter(|_| named);
    let part = EndpointSet { key: endpoints_key(key, port), endpoints, empty, reach };
    Made { output: Output::Nothing, parts: vec![Part::EndpointSet(Arc::new(part))] }
}

/// Sorted and without doubles; never empty.
type Weights = BTreeMap<Address, u32>;

fn of_backend(backend: &raw::Backend) -> Result<Weights, Cause> {
    let mut weights = Weights::new();
    for (address, weight) in &backend.endpoints {
        let sum = weights.entry(address.value.clone()).or_default();
        *sum = sum.saturating_add(*weight);
    }
    if weights.is_empty() { Err(Cause::NoEndpoint) } else { Ok(weights) }
}

fn of_service(
    view: &mut View<'_>,
    object: &Object,
    service: &Service,
    port: &ServicePort,
) -> Result<Weights, Cause> {
    let key = &object.key;
    let given = (key.namespace.clone(), key.name.clone());
    if let Some(addresses) = view.lowering.options.endpoints.get(&given) {
        let weights: Weights = addresses.iter().map(|address| (address.clone(), 1)).collect();
        if !weights.is_empty() {
            return Ok(weights);
        }
    }
    if &*service.kind.value == "ExternalName" {
        return external(view, object, service, port);
    }
    let slices = view.tagged(Tag::Slices(key.clone()));
    if slices.is_empty() && key.store != Store::Cluster {
        let message = format!("{key} has no endpoints: its requests are answered with 503");
        let name = if &*key.namespace == crate::names::NAMESPACE_DEFAULT {
            key.name.to_string()
        } else {
            format!("{}/{}", key.namespace, key.name)
        };
        view.warning(object, codes::NO_ENDPOINT, &object.meta.place, message)
            .help(format!("`--endpoint {name}=HOST:PORT` names the local ones"));
    }
    // A cluster writes slices without ports for a Service without pods.
    let filled = |slice: &Arc<Object>| match &slice.spec {
        Spec::EndpointSlice(slice) => !slice.endpoints.is_empty(),
        _ => false,
    };
    let unnamed = |slice: &Arc<Object>| slice_port_of(slice, port).is_none();
    if slices.iter().any(filled) && slices.iter().all(unnamed) {
        let name = port.name.as_deref().unwrap_or_default();
        let message = format!("no EndpointSlice of {key} has a port named `{name}`");
        view.warning(object, codes::NO_ENDPOINT, &object.meta.place, message)
            .help("the ports of a slice have the names that the ports of the Service have");
    }
    of_slices(view, &slices, port)
}

fn external(
    view: &mut View<'_>,
    object: &Object,
    service: &Service,
    port: &ServicePort,
) -> Result<Weights, Cause> {
    let target = match port.target_port {
        Some(TargetPort::Number(number)) => number,
        Some(TargetPort::Name(_)) | None => port.port.value,
    };
    let named = service.external_name.as_ref();
    let host = named.and_then(|name| Hostname::parse(dotless(&name.value)).ok());
    match host.filter(|host| !host.is_wildcard()) {
        Some(host) => {
            let host = host.as_str().into();
            Ok(Weights::from([(Address::Dns { host, port: target }, 1)]))
        }
        None => {
            let place = named.map_or(service.kind.place, |name| name.place);
            let message = "an ExternalName Service needs a hostname in `externalName`";
            view.error(object, codes::BAD_ENDPOINT, &place, message);
            Err(Cause::NoEndpoint)
        }
    }
}

/// Ready endpoints, or serving ones that aren't terminating; when there are none of these, the
/// terminating ones that still serve.
fn of_slices(
    view: &mut View<'_>,
    slices: &[Arc<Object>],
    port: &ServicePort,
) -> Result<Weights, Cause> {
    let (mut usable, mut leaving, mut any) = (Weights::new(), Weights::new(), false);
    for object in slices {
        let Spec::EndpointSlice(slice) = &object.spec else { continue };
        let Some(number) = slice_port_of(object, port) else { continue };
        for endpoint in &slice.endpoints {
            any = true;
            let into = match readiness(endpoint) {
                Readiness::Usable => &mut usable,
                Readiness::Leaving => &mut leaving,
                Readiness::Down => continue,
            };
            into.extend(addresses(view, object, slice, endpoint, number).map(|one| (one, 1)));
        }
    }
    match (usable.is_empty(), leaving.is_empty(), any) {
        (false, _, _) => Ok(usable),
        (true, false, _) => Ok(leaving),
        (true, true, true) => Err(Cause::NoHealthyEndpoint),
        (true, true, false) => Err(Cause::NoEndpoint),
    }
}

/// Whether what takes a Service's requests now ends in a moment: there are terminating pods alone.
pub(super) fn all_leave(view: &mut View<'_>, service: &ObjectKey) -> bool {
    let slices = view.tagged(Tag::Slices(service.clone()));
    let endpoints = slices.iter().flat_map(|slice| match &slice.spec {
        Spec::EndpointSlice(slice) => slice.endpoints.as_slice(),
        _ => &[],
    });
    let mut any = false;
    for endpoint in endpoints {
        match readiness(endpoint) {
            Readiness::Usable => return false,
            Readiness::Leaving => any = true,
            Readiness::Down => {}
        }
    }
    any
}

enum Readiness {
    Usable,
    /// Terminating and still serving.
    Leaving,
    Down,
}

/// What is not said counts as ready, serving and not terminating (EndpointSlice `conditions`).
fn readiness(endpoint: &SliceEndpoint) -> Readiness {
    let ready = endpoint.ready.unwrap_or(true);
    let serving = endpoint.serving.unwrap_or(ready);
    match (endpoint.terminating.unwrap_or(false), ready || serving) {
        (false, true) => Readiness::Usable,
        (true, true) => Readiness::Leaving,
        (_, false) => Readiness::Down,
    }
}

/// Slices name ports as the Service does; their numbers are the containers' own. Where a slice
/// leaves the number open, the Service says it.
fn slice_port_of(slice: &Object, port: &ServicePort) -> Option<u16> {
    let Spec::EndpointSlice(slice) = &slice.spec else { return None };
    let text = |name: &Option<Arc<str>>| name.as_deref().unwrap_or_default().to_owned();
    let (_, number) = slice.ports.iter().find(|(name, _)| text(name) == text(&port.name))?;
    let open = match port.target_port {
        Some(TargetPort::Number(number)) => number,
        Some(TargetPort::Name(_)) | None => port.port.value,
    };
    Some(number.unwrap_or(open)).filter(|number| *number != 0)
}

fn addresses(
    view: &mut View<'_>,
    object: &Object,
    slice: &EndpointSlice,
    endpoint: &SliceEndpoint,
    port: u16,
) -> impl Iterator<Item = Address> + use<> {
    let mut found = Vec::new();
    for text in &endpoint.addresses {
        let ip = text.value.parse::<IpAddr>().ok();
        let address = match (&*slice.address_type.value, ip) {
            ("IPv4", Some(IpAddr::V4(_))) | ("IPv6", Some(IpAddr::V6(_))) => {
                ip.map(|ip| Address::Socket(SocketAddr::new(ip, port)))
            }
            ("FQDN", None) => Hostname::parse(dotless(&text.value))
                .ok()
                .filter(|host| !host.is_wildcard())
                .map(|host| Address::Dns { host: host.as_str().into(), port }),
            _ => None,
        };
        if address.is_none() {
            let message = format!("`{}` is no {} address", text.value, slice.address_type.value);
            view.error(object, codes::BAD_ENDPOINT, text, message);
        }
        let refused =
            address.as_ref().and_then(|one| leave::forbidden_endpoint(&view.lowering.options, one));
        if let Some(why) = refused {
            let message = format!("the endpoint can't be sent to: {why}");
            view.error(object, codes::BAD_ENDPOINT, text, message)
                .help("ask the cluster's administrator");
            continue;
        }
        found.extend(address);
    }
    found.into_iter()
}
