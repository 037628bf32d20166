//! HTTPRoutes and GRPCRoutes: an entry for each parentRef that leads to a Gateway of ours.

use super::Says;
use crate::config::lower::unit::{Output, RouteShape, UnitKey};
use crate::config::lower::view::{Query, View};
use crate::config::raw::{Object, Reference, Spec};
use crate::config::status::{self, ObjectRef, RefStatus, Refusal, RouteStatus, Status};
use crate::limits;
use crate::model::PartKey;

pub(super) fn status(view: &mut View<'_>, object: &Object) -> Option<Status> {
    let parents = match &object.spec {
        Spec::HttpRoute(route) => &route.parents,
        Spec::GrpcRoute(route) => &route.parents,
        _ => return None,
    };
    let Output::Attach(attached) = view.output(UnitKey::Attach(object.key.clone())) else {
        return None;
    };
    let Output::Route(shape) = view.output(UnitKey::Route(object.key.clone())) else {
        return None;
    };
    let mut found: Vec<RefStatus> = Vec::new();
    for (reference, said) in parents.iter().zip(&attached.parents) {
        let Some(said) = said else { continue };
        let reference = object_ref(reference);
        if found.iter().any(|other| other.reference == reference) {
            continue;
        }
        let refused = match said {
            Err(why) => Some(why.clone()),
            Ok(listeners) => lost(view, object, listeners),
        };
        let mut conditions = conditions(object, refused, &shape);
        unsent(view, object, &mut conditions);
        found.push(RefStatus { reference, conditions });
    }
    Some(Status::Route(RouteStatus { parents: found }))
}

pub(super) fn object_ref(reference: &Reference) -> ObjectRef {
    let Reference { place: _, group, kind, namespace, name, section_name, port } = reference;
    ObjectRef {
        group: group.clone(),
        kind: kind.clone(),
        namespace: namespace.clone(),
        name: name.clone(),
        section_name: section_name.clone(),
        port: *port,
    }
}

fn conditions(
    object: &Object,
    refused: Option<Refusal>,
    shape: &RouteShape,
) -> Vec<status::Condition> {
    let mut says = Says::about(object);
    let invalid = shape.invalid.as_ref();
    let refused = refused.as_ref().or(invalid.filter(|_| shape.wholly_invalid));
    says.unless(status::ACCEPTED, status::ACCEPTED, refused);
    says.unless(status::RESOLVED_REFS, status::RESOLVED_REFS, shape.refs.as_ref());
    // The API forbids it on a route that isn't accepted.
    if let (None, Some(why)) = (refused, invalid) {
        let message =
            format!("Dropped Rule: its requests are answered with an error: {}", why.message);
        says.say(status::PARTIALLY_INVALID, true, why.reason, message);
    }
    says.conditions
}

/// Says that proxies go on with what they had.
fn unsent(view: &mut View<'_>, object: &Object, conditions: &mut Vec<status::Condition>) {
    view.reads.insert(Query::Facts(object.key.clone()));
    let accepted =
        |one: &status::Condition| one.kind == status::ACCEPTED && one.status == status::Truth::True;
    if !view.lowering.unsent.contains(&object.key) || !conditions.iter().any(accepted) {
        return;
    }
    let most = limits::WIRE_PART_BYTES / (1024 * 1024);
    let message = format!(
        "Fall Back: a rule, or the endpoints of a backend, are larger than the {most} MiB that \
         proxies can be sent: they go on with what they had"
    );
    conditions.retain(|one| one.kind != status::PARTIALLY_INVALID);
    let mut says = Says::about(object);
    says.say(status::PARTIALLY_INVALID, true, status::UNSUPPORTED_VALUE, message);
    conditions.extend(says.conditions);
}

/// Why no listener of a parent has the route, where routes of the other kind took them all.
fn lost(view: &mut View<'_>, object: &Object, listeners: &[PartKey]) -> Option<Refusal> {
    let mut lost = None;
    for listener in listeners {
        view.reads.insert(Query::Verdict(listener.clone(), object.key.clone()));
        let winner = view.lowering.claims.winner(listener, &object.key)?;
        let why = format!("{winner} has hosts in common and goes first");
        lost.get_or_insert(Refusal::new(status::HOSTNAME_CONFLICT, why));
    }
    lost
}
