//! Gateways, and the ListenerSets that they take.

use super::Says;
use super::listener::{self, Told};
use crate::config::index::Tag;
use crate::config::lower::reference::{self, Unusable};
use crate::config::lower::settings;
use crate::config::lower::unit::{Output, UnitKey};
use crate::config::lower::view::{Query, View};
use crate::config::raw::{FrontendValidation, Gateway, Object, Spec};
use crate::config::status::{
    self, Facts, GatewayStatus, ListenerSetStatus, ListenerStatus, Refusal, Status,
};
use crate::model::ObjectKey;

pub(super) fn status(view: &mut View<'_>, object: &Object) -> Option<Status> {
    let Spec::Gateway(gateway) = &object.spec else { return None };
    if !is_ours(view, &object.key) {
        return None;
    }
    let facts = facts(view, &object.key);
    let listeners = listener::all(view, object, pending(facts.as_ref()).as_ref());
    let mut says = Says::about(object);
    let refused = refused(view, object, gateway).or_else(|| none_valid(&listeners));
    let invalid = listeners.iter().find_map(|told| told.refused.as_ref());
    match (&refused, invalid) {
        (None, Some(why)) => {
            let message = format!("some listeners can't be served: {}", why.message);
            says.say(status::ACCEPTED, true, status::LISTENERS_NOT_VALID, message);
        }
        (refused, _) => says.unless(status::ACCEPTED, status::ACCEPTED, refused.as_ref()),
    }
    let unprogrammed = match &refused {
        Some(why) => Some(Refusal::new(status::INVALID, why.message.clone())),
        None => unprogrammed(facts.as_ref()),
    };
    says.unless(status::PROGRAMMED, status::PROGRAMMED, unprogrammed.as_ref());
    let unresolved = client_certificate(view, object, gateway).or_else(|| unresolved(&listeners));
    says.unless(status::RESOLVED_REFS, status::RESOLVED_REFS, unresolved.as_ref());
    if let Some(where_) = insecure(gateway) {
        let message = format!("clients without a valid certificate are let in {where_}");
        let kind = status::INSECURE_FRONTEND_VALIDATION_MODE;
        says.say(kind, true, status::CONFIGURATION_CHANGED, message);
    }
    Some(Status::Gateway(GatewayStatus {
        conditions: says.conditions,
        listeners: statuses(listeners),
        attached_listener_sets: attached_sets(view, &object.key),
        addresses: facts.map(|facts| facts.addresses).unwrap_or_default(),
    }))
}

fn statuses(listeners: Vec<Told>) -> Vec<ListenerStatus> {
    listeners.into_iter().map(|told| told.status).collect()
}

fn is_ours(view: &mut View<'_>, gateway: &ObjectKey) -> bool {
    match view.output(UnitKey::Gateway(gateway.clone())) {
        Output::Gateway(shape) => shape.fleet.is_some(),
        _ => false,
    }
}

fn facts(view: &mut View<'_>, gateway: &ObjectKey) -> Option<Facts> {
    view.reads.insert(Query::Facts(gateway.clone()));
    view.lowering.facts.get(gateway).cloned()
}

/// Why proxies serve nothing of the Gateway yet.
fn pending(facts: Option<&Facts>) -> Option<Refusal> {
    let wait = |why: &str| Some(Refusal::new(status::PENDING, why));
    match facts {
        None => wait("the Gateway's proxies are being made"),
        Some(Facts { nacked: Some(why), .. }) => {
            wait(&format!("a proxy refused the configuration: {why}"))
        }
        // Which address it has is the Gateway's affair: its proxies serve all the same.
        Some(Facts { ready: Err(why), .. }) if !is_about_address(why) => wait(&why.message),
        Some(_) => None,
    }
}

fn is_about_address(why: &Refusal) -> bool {
    matches!(why.reason, status::ADDRESS_NOT_ASSIGNED | status::ADDRESS_NOT_USABLE)
}

/// Why the Gateway as a whole isn't reachable yet.
fn unprogrammed(facts: Option<&Facts>) -> Option<Refusal> {
    match facts {
        Some(Facts { nacked: None, ready: Err(why), .. }) => Some(why.clone()),
        Some(Facts { nacked: None, ready: Ok(()), addresses }) if addresses.is_empty() => {
            let why = "nothing has given the Gateway an address yet";
            Some(Refusal::new(status::ADDRESS_NOT_ASSIGNED, why))
        }
        Some(Facts { nacked: Some(why), .. }) => {
            let message = format!("a proxy refused the configuration: {why}");
            Some(Refusal::new(status::INVALID, message))
        }
        facts => pending(facts),
    }
}

/// What keeps the Gateway from being served as it was asked for, its listeners aside.
fn refused(view: &mut View<'_>, object: &Object, gateway: &Gateway) -> Option<Refusal> {
    let strange = gateway.addresses.iter().find(|address| &*address.kind.value != "IPAddress");
    if let Some(address) = strange {
        let message = format!("addresses of the type `{}` are not served", address.kind.value);
        return Some(Refusal::new(status::UNSUPPORTED_ADDRESS, message));
    }
    let parameters = gateway.infrastructure.parameters_ref.as_ref()?;
    let why = settings::refused(view, object, parameters)?;
    Some(Refusal::new(status::INVALID_PARAMETERS, why))
}

fn none_valid(listeners: &[Told]) -> Option<Refusal> {
    if listeners.is_empty() || listeners.iter().any(|told| told.refused.is_none()) {
        return None;
    }
    let first = listeners.iter().find_map(|told| told.refused.as_ref())?;
    let message = format!("no listener can be served: {}", first.message);
    Some(Refusal::new(status::LISTENERS_NOT_VALID, message))
}

fn unresolved(listeners: &[Told]) -> Option<Refusal> {
    let first = listeners.iter().find_map(|told| told.unresolved.as_ref())?;
    Some(Refusal::new(status::LISTENERS_NOT_RESOLVED, first.message.clone()))
}

/// What is wrong with the certificate that backends are to be shown.
fn client_certificate(view: &mut View<'_>, object: &Object, gateway: &Gateway) -> Option<Refusal> {
    let reference = gateway.backend_client_certificate.as_ref()?;
    let before = view.findings.len();
    let why = reference::certificate_of(view, object, reference).err()?;
    let reason = match why {
        Unusable::NotPermitted => status::REF_NOT_PERMITTED,
        Unusable::Kind | Unusable::Missing | Unusable::Malformed => {
            status::INVALID_CLIENT_CERTIFICATE_REF
        }
    };
    let message = match view.said_since(before) {
        Some(said) => said.to_owned(),
        None => format!("Secret {} holds no usable pair", reference.name),
    };
    Some(Refusal::new(reason, message))
}

/// Where clients whose certificate isn't valid are let in.
fn insecure(gateway: &Gateway) -> Option<String> {
    let is = |validation: &Option<FrontendValidation>| {
        validation.as_ref().is_some_and(|one| &*one.mode.value == "AllowInsecureFallback")
    };
    if is(&gateway.frontend_default) {
        return Some("by default".to_owned());
    }
    let port = gateway.frontend_per_port.iter().find(|(_, validation)| is(validation));
    port.map(|(port, _)| format!("on port {}", port.value))
}

fn attached_sets(view: &mut View<'_>, gateway: &ObjectKey) -> u32 {
    let sets = view.tagged(Tag::ListenerSets(gateway.clone()));
    let counts = sets
        .iter()
        .filter(|set| is_taken(view, &set.key).is_ok() && listener::any_valid(view, set));
    u32::try_from(counts.count()).unwrap_or(u32::MAX)
}

/// The Gateway that takes the set.
fn is_taken(view: &mut View<'_>, set: &ObjectKey) -> Result<ObjectKey, Option<Refusal>> {
    match view.output(UnitKey::ListenerSet(set.clone())) {
        Output::ListenerSet(shape) => shape.gateway.clone().map(|(gateway, _)| gateway),
        _ => Err(None),
    }
}

pub(super) fn set_status(view: &mut View<'_>, object: &Object) -> Option<Status> {
    let mut says = Says::about(object);
    let parent = match is_taken(view, &object.key) {
        Ok(parent) => parent,
        Err(None) => return None,
        Err(Some(why)) => {
            says.unless(status::ACCEPTED, status::ACCEPTED, Some(&why));
            says.unless(status::PROGRAMMED, status::PROGRAMMED, Some(&why));
            let (conditions, listeners) = (says.conditions, Vec::new());
            return Some(Status::ListenerSet(ListenerSetStatus { conditions, listeners }));
        }
    };
    let pending = pending(facts(view, &parent).as_ref());
    let listeners = listener::all(view, object, pending.as_ref());
    let gateway = view.object(&parent)?;
    let by_parent = match &gateway.spec {
        Spec::Gateway(spec) => refused(view, &gateway, spec),
        _ => None,
    };
    let first = listeners.iter().filter(|told| !told.valid);
    let first = first.filter_map(|told| told.refused.as_ref().or(told.unresolved.as_ref())).next();
    let any = listeners.iter().any(|told| told.valid);
    let because = |what: &str| format!("{what}: {}", first.map_or("", |why| &why.message));
    if let Some(why) = by_parent {
        let message = format!("{parent} is not accepted: {}", why.message);
        says.say(status::ACCEPTED, false, status::PARENT_NOT_ACCEPTED, message.clone());
        says.say(status::PROGRAMMED, false, status::PARENT_NOT_PROGRAMMED, message);
    } else if !any {
        let message = because("no listener can be served");
        says.say(status::ACCEPTED, false, status::LISTENERS_NOT_VALID, message.clone());
        says.say(status::PROGRAMMED, false, status::LISTENERS_NOT_VALID, message);
    } else {
        if first.is_some() {
            let message = because("some listeners can't be served");
            says.say(status::ACCEPTED, true, status::LISTENERS_NOT_VALID, message);
        } else {
            says.say(status::ACCEPTED, true, status::ACCEPTED, "");
        }
        says.unless(status::PROGRAMMED, status::PROGRAMMED, pending.as_ref());
    }
    let conditions = says.conditions;
    Some(Status::ListenerSet(ListenerSetStatus { conditions, listeners: statuses(listeners) }))
}
