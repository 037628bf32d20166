//! What a backendRef means: a Service's port, or a Backend. A unit of its own, so that a Service
//! that changes elsewhere doesn't touch the routes that refer to it.

use super::unit::{BackendKey, Identity, Output, TargetError, TargetShape, UnitKey};
use super::view::View;
use super::{codes, grants, leave, policy, reference};
use crate::config::raw::{Object, Reference, Service, ServicePort, Spec};
use crate::config::status::{self, Refusal};
use crate::model::{Cause, Kind, ObjectKey};
use crate::names;

pub(super) fn target(view: &mut View<'_>, key: &ObjectKey, port: Option<u16>) -> Output {
    let Some(object) = view.object(key) else { return Output::Target(Err(TargetError::Missing)) };
    let forbidden = leave::forbidden(&view.lowering.options, &object.spec);
    Output::Target(match &object.spec {
        _ if forbidden.is_some() => Err(TargetError::Forbidden(forbidden.unwrap_or_default())),
        Spec::Backend(_) => Ok(TargetShape { protocol_open: false }),
        Spec::Service(service) => match port_of(service, port) {
            None => Err(TargetError::NoSuchPort),
            Some(port) if &*port.protocol != "TCP" => Err(TargetError::NotTcp),
            Some(port) => Ok(TargetShape { protocol_open: port.app_protocol.is_none() }),
        },
        _ => Err(TargetError::Missing),
    })
}

/// Whether TLS is spoken, without a client certificate of the backend's own settings.
pub(super) fn wears(view: &mut View<'_>, key: &ObjectKey, port: Option<u16>) -> Output {
    let object = view.object(key);
    Output::Wears(match object.as_ref().map(|object| &object.spec) {
        Some(Spec::Backend(backend)) => {
            let own = backend.tls.as_ref();
            let shown = own.is_some_and(|tls| tls.client_certificate_ref.is_some());
            !shown && (own.is_some() || policy::backend_tls_of(view, key, None).is_some())
        }
        Some(Spec::Service(service)) => {
            let name = port_of(service, port).and_then(|port| port.name.clone());
            policy::backend_tls_of(view, key, name.as_ref()).is_some()
        }
        _ => false,
    })
}

pub(super) fn port_of(service: &Service, port: Option<u16>) -> Option<&ServicePort> {
    service.ports.iter().find(|one| Some(one.port.value) == port)
}

/// The backend of a reference, as a Gateway with this identity talks to it.
pub(super) fn seen_by(view: &mut View<'_>, key: &BackendKey, identity: &Identity) -> BackendKey {
    // Asked only where there is an identity to wear: else a TLS policy would touch the routes.
    let wears = *identity != Identity::Nobody
        && view.output(UnitKey::Wears(key.object.clone(), key.port)) == Output::Wears(true);
    let identity = if wears { identity.clone() } else { Identity::Nobody };
    BackendKey { identity, ..key.clone() }
}

/// Why a reference leads nowhere: what its requests are answered with, and what the route's status
/// says.
pub(super) struct Unresolved {
    pub(super) cause: Cause,
    pub(super) why: Refusal,
}

impl Unresolved {
    fn new(cause: Cause, message: impl Into<String>) -> Self {
        let reason = match cause {
            Cause::BackendKindUnknown => status::INVALID_KIND,
            Cause::BackendNotPermitted => status::REF_NOT_PERMITTED,
            Cause::BackendAddressRefused => status::BACKEND_NOT_ALLOWED,
            _ => status::BACKEND_NOT_FOUND,
        };
        Self { cause, why: Refusal::new(reason, message) }
    }
}

/// Follows a reference of a route, before it is known which Gateway asks, and reports why it leads nowhere.
pub(super) fn resolve(
    view: &mut View<'_>,
    route: &Object,
    reference: &Reference,
) -> Result<BackendKey, Unresolved> {
    let (kind, port) = match (&*reference.group, &*reference.kind) {
        ("", "Service") => (Kind::Service, reference.port),
        (names::GROUP_MESHCTL, "Backend") => (Kind::Backend, None),
        (group, other) => {
            let group = if group.is_empty() { "core" } else { group };
            let message = format!("a {other} of group {group} can't be a backend");
            view.error(route, codes::REFERENCE_KIND, &reference.place, message.clone())
                .help("refer to a Service, or to a Backend of meshctl.dev");
            return Err(Unresolved::new(Cause::BackendKindUnknown, message));
        }
    };
    let key = reference::key_of(route, reference, kind);
    let before = view.findings.len();
    if !grants::check(view, route, reference, &key) {
        let message = view.said_since(before).unwrap_or_default();
        return Err(Unresolved::new(Cause::BackendNotPermitted, message));
    }
    let found = match view.output(UnitKey::Target(key.clone(), port)) {
        Output::Target(found) => found,
        _ => Err(TargetError::Missing),
    };
    match found {
        Ok(shape) => Ok(BackendKey {
            grpc: route.key.kind == Kind::GrpcRoute && shape.protocol_open,
            object: key,
            port,
            identity: Identity::Nobody,
        }),
        Err(TargetError::Forbidden(why)) => {
            let message = format!("{key} can't be sent to: {why}");
            view.error(route, codes::BAD_ENDPOINT, &reference.place, message.clone())
                .help("send to a Service with pods, or ask the cluster's administrator");
            Err(Unresolved::new(Cause::BackendAddressRefused, message))
        }
        Err(error) => {
            let message = tell(view, route, reference, &key, &error);
            let mut unresolved = Unresolved::new(Cause::BackendNotFound, message);
            if error == TargetError::NotTcp {
                unresolved.why.reason = status::UNSUPPORTED_PROTOCOL;
            }
            Err(unresolved)
        }
    }
}

/// Ports that a help line names.
const LISTED: usize = 5;

fn tell(
    view: &mut View<'_>,
    route: &Object,
    reference: &Reference,
    key: &ObjectKey,
    error: &TargetError,
) -> String {
    let (code, message) = match (error, reference.port) {
        (TargetError::Missing | TargetError::Forbidden(_), _) => {
            (codes::REFERENCE_MISSING, format!("{key} does not exist"))
        }
        (TargetError::NoSuchPort, Some(port)) => {
            (codes::BACKEND_PORT, format!("{key} has no port {port}"))
        }
        (TargetError::NotTcp, Some(port)) => {
            (codes::BACKEND_PORT, format!("port {port} of {key} does not speak TCP"))
        }
        (_, None) => (codes::BACKEND_PORT, format!("a reference to {key} needs a `port`")),
    };
    if *error == TargetError::Missing {
        view.error(route, code, &reference.place, message.clone()).seeks(key);
        return message;
    }
    let help = match view.object(key).as_deref().map(|object| &object.spec) {
        Some(Spec::Service(service)) if !service.ports.is_empty() => {
            let number = |port: &ServicePort| format!("`{}` ({})", port.port.value, port.protocol);
            let ports: Vec<_> = service.ports.iter().take(LISTED).map(number).collect();
            format!("its ports are {}; `targetPort` does not count here", ports.join(", "))
        }
        _ => codes::help(code).to_owned(),
    };
    view.error(route, code, &reference.place, message.clone()).help(help);
    message
}
