//! The listeners of a Gateway or ListenerSet, one by one.

use super::Says;
use crate::config::lower::unit::{ListenerShape, ListenerState, Output, ParentShape, UnitKey};
use crate::config::lower::view::View;
use crate::config::raw::{Listener, Object, Spec};
use crate::config::status::{self, ListenerStatus, Refusal};
use crate::model::Kind;

/// What is wrong with a listener, and what of it shows all the same.
pub(super) struct Told {
    pub(super) status: ListenerStatus,
    /// It is served, or would be if its proxies were ready.
    pub(super) valid: bool,
    /// What its Accepted condition says against it.
    pub(super) refused: Option<Refusal>,
    pub(super) unresolved: Option<Refusal>,
}

/// `pending` is why proxies don't serve anything yet.
pub(super) fn all(view: &mut View<'_>, object: &Object, pending: Option<&Refusal>) -> Vec<Told> {
    let shape = view.parent(&object.key);
    let told = |written: &Listener| {
        let name = &written.name.value;
        let served = shape.listeners.iter().find(|listener| listener.name == *name);
        match served {
            Some(listener) => served_one(view, object, &shape, listener, pending),
            None => refused_one(object, &shape, written),
        }
    };
    listeners(object).iter().map(told).collect()
}

fn listeners(object: &Object) -> &[Listener] {
    match &object.spec {
        Spec::Gateway(gateway) => &gateway.listeners,
        Spec::ListenerSet(set) => &set.listeners,
        _ => &[],
    }
}

/// Whether any listener of an object can be served: else a ListenerSet isn't accepted.
pub(super) fn any_valid(view: &mut View<'_>, object: &Object) -> bool {
    let shape = view.parent(&object.key);
    shape.listeners.iter().any(|listener| is_valid(&state_of(view, listener)))
}

fn is_valid(state: &ListenerState) -> bool {
    !state.without_certificate && !state.without_authority
}

fn state_of(view: &mut View<'_>, listener: &ListenerShape) -> std::sync::Arc<ListenerState> {
    let Some((part, _)) = listener.binds.first() else { return Default::default() };
    match view.output(UnitKey::Listener(part.clone())) {
        Output::Listener(state) => state,
        _ => Default::default(),
    }
}

fn served_one(
    view: &mut View<'_>,
    object: &Object,
    shape: &ParentShape,
    listener: &ListenerShape,
    pending: Option<&Refusal>,
) -> Told {
    let state = state_of(view, listener);
    let valid = is_valid(&state);
    let refused = state.without_authority.then(|| {
        let why = state.authorities.as_ref().map_or("", |why| &why.message);
        Refusal::new(status::NO_VALID_CA_CERTIFICATE, format!("clients can't be checked: {why}"))
    });
    let unresolved =
        state.certificates.clone().or(state.authorities.clone()).or(listener.other_kinds.clone());
    let mut says = Says::about(object);
    says.unless(status::ACCEPTED, status::ACCEPTED, refused.as_ref());
    match (&unresolved, valid) {
        (Some(why), false) => {
            says.say(status::PROGRAMMED, false, status::INVALID, why.message.clone())
        }
        _ => says.unless(status::PROGRAMMED, status::PROGRAMMED, pending),
    }
    says.unless(status::RESOLVED_REFS, status::RESOLVED_REFS, unresolved.as_ref());
    says.say(status::CONFLICTED, false, status::NO_CONFLICTS, "");
    if let Some(other) = shape.overlapping.get(&listener.name) {
        let message = format!("listener `{other}` on this port takes some of the same hostnames");
        says.say(status::OVERLAPPING_TLS_CONFIG, true, status::OVERLAPPING_HOSTNAMES, message);
    }
    let status = ListenerStatus {
        name: listener.name.clone(),
        supported_kinds: kinds(listener),
        attached_routes: attached(view, listener),
        conditions: says.conditions,
    };
    Told { status, valid, refused, unresolved }
}

fn kinds(listener: &ListenerShape) -> Vec<&'static str> {
    let http = listener.takes_http.then_some(Kind::HttpRoute.as_str());
    let grpc = listener.takes_grpc.then_some(Kind::GrpcRoute.as_str());
    http.into_iter().chain(grpc).collect()
}

fn attached(view: &mut View<'_>, listener: &ListenerShape) -> u32 {
    let Some((part, _)) = listener.binds.first() else { return 0 };
    match view.output(UnitKey::Arbiter(part.clone())) {
        Output::Arbiter(routes) => routes,
        _ => 0,
    }
}

fn refused_one(object: &Object, shape: &ParentShape, written: &Listener) -> Told {
    let unknown = || Refusal::new(status::INVALID, "the listener can't be served");
    let why = shape.refused.get(&written.name.value).cloned().unwrap_or_else(unknown);
    let conflicted = matches!(why.reason, status::HOSTNAME_CONFLICT | status::PROTOCOL_CONFLICT);
    let mut says = Says::about(object);
    says.unless(status::ACCEPTED, status::ACCEPTED, Some(&why));
    let reason = if conflicted { why.reason } else { status::INVALID };
    says.say(status::PROGRAMMED, false, reason, why.message.clone());
    says.say(status::RESOLVED_REFS, true, status::RESOLVED_REFS, "");
    if conflicted {
        says.say(status::CONFLICTED, true, why.reason, why.message.clone());
    } else {
        says.say(status::CONFLICTED, false, status::NO_CONFLICTS, "");
    }
    let status = ListenerStatus {
        name: written.name.value.clone(),
        supported_kinds: Vec::new(),
        attached_routes: 0,
        conditions: says.conditions,
    };
    Told { status, valid: false, refused: Some(why), unresolved: None }
}
