//! What a backendRef means: a Service's port, or a Backend. A unit of its own, so that a Service
//! that changes elsewhere doesn't touch the routes that refer to it.

use super::unit::{BackendKey, Identity, Output, TargetError, TargetShape, UnitKey};
use super::view::View;
use super::{codes, grants, policy, reference};
use crate::config::raw::{Object, Reference, Service, ServicePort, Spec};
use crate::model::{Cause, Kind, ObjectKey};
use crate::names;

pub(super) fn target(view: &mut View<'_>, key: &ObjectKey, port: Option<u16>) -> Output {
    let Some(object) = view.object(key) else { return Output::Target(Err(TargetError::Missing)) };
    Output::Target(match &object.spec {
        Spec::Backend(backend) => {
            let own = backend.tls.as_ref();
            let by_policy = policy::backend_tls_of(view, key, None).is_some();
            let shown = own.is_some_and(|tls| tls.client_certificate_ref.is_some());
            Ok(TargetShape {
                protocol_open: false,
                wears_identity: (own.is_some() || by_policy) && !shown,
            })
        }
        Spec::Service(service) => match port_of(service, port) {
            None => Err(TargetError::NoSuchPort),
            Some(port) if &*port.protocol != "TCP" => Err(TargetError::NotTcp),
            Some(port) => Ok(TargetShape {
                protocol_open: port.app_protocol.is_none(),
                wears_identity: policy::backend_tls_of(view, key, port.name.as_ref()).is_some(),
            }),
        },
        _ => Err(TargetError::Missing),
    })
}

pub(super) fn port_of(service: &Service, port: Option<u16>) -> Option<&ServicePort> {
    service.ports.iter().find(|one| Some(one.port.value) == port)
}

/// A backendRef that leads somewhere, before it is known which Gateway asks.
#[derive(Clone, Debug)]
pub(super) struct Resolved {
    key: BackendKey,
    wears_identity: bool,
}

impl Resolved {
    /// The backend as a Gateway with this identity talks to it.
    pub(super) fn seen_by(&self, identity: &Identity) -> BackendKey {
        let identity = if self.wears_identity { identity.clone() } else { Identity::Nobody };
        BackendKey { identity, ..self.key.clone() }
    }
}

/// Follows a reference of a route, and reports why it leads nowhere.
pub(super) fn resolve(
    view: &mut View<'_>,
    route: &Object,
    reference: &Reference,
) -> Result<Resolved, Cause> {
    let (kind, port) = match (&*reference.group, &*reference.kind) {
        ("", "Service") => (Kind::Service, reference.port),
        (names::GROUP_MESHCTL, "Backend") => (Kind::Backend, None),
        (group, other) => {
            let group = if group.is_empty() { "core" } else { group };
            let message = format!("a {other} of group {group} can't be a backend");
            view.error(route, codes::REFERENCE_KIND, &reference.place, message)
                .help("refer to a Service, or to a Backend of meshctl.dev");
            return Err(Cause::BackendKindUnknown);
        }
    };
    let key = reference::key_of(route, reference, kind);
    if !grants::check(view, route, reference, &key) {
        return Err(Cause::BackendNotPermitted);
    }
    let Output::Target(found) = view.output(UnitKey::Target(key.clone(), port)) else {
        return Err(Cause::BackendNotFound);
    };
    match found {
        Ok(shape) => Ok(Resolved {
            key: BackendKey {
                grpc: route.key.kind == Kind::GrpcRoute && shape.protocol_open,
                object: key,
                port,
                identity: Identity::Nobody,
            },
            wears_identity: shape.wears_identity,
        }),
        Err(error) => {
            tell(view, route, reference, &key, error);
            Err(Cause::BackendNotFound)
        }
    }
}

fn tell(
    view: &mut View<'_>,
    route: &Object,
    reference: &Reference,
    key: &ObjectKey,
    error: TargetError,
) {
    let (code, message) = match (error, reference.port) {
        (TargetError::Missing, _) => (codes::REFERENCE_MISSING, format!("{key} does not exist")),
        (TargetError::NoSuchPort, Some(port)) => {
            (codes::BACKEND_PORT, format!("{key} has no port {port}"))
        }
        (TargetError::NotTcp, Some(port)) => {
            (codes::BACKEND_PORT, format!("port {port} of {key} does not speak TCP"))
        }
        (_, None) => (codes::BACKEND_PORT, format!("a reference to {key} needs a `port`")),
    };
    view.error(route, code, &reference.place, message);
}
