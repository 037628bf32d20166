//! TrafficPolicy and BackendTLSPolicy: what they say, whom they name, and which one counts where.

pub(super) mod traffic;

use std::sync::Arc;

use super::unit::{Output, TrafficShape, UnitKey};
use super::view::View;
use super::{backend_tls, codes};
use crate::config::index::{Tag, policy_target};
use crate::config::raw::{Object, Reference, Spec};
use crate::config::status::{self, Refusal};
use crate::config::suggest;
use crate::model::{Kind, Name, ObjectKey};

pub(super) fn policy(view: &mut View<'_>, key: &ObjectKey) -> Output {
    let Some(object) = view.object(key) else { return Output::Nothing };
    match &object.spec {
        Spec::TrafficPolicy(policy) => {
            for target in &policy.targets {
                if let Ok((kind, _)) = check_target(view, &object, target) {
                    traffic::tell_unused(view, &object, policy, kind);
                }
            }
            Output::Traffic(Arc::new(traffic::shape(view, &object, policy)))
        }
        Spec::BackendTlsPolicy(policy) => {
            for target in &policy.targets {
                let _ = check_target(view, &object, target);
            }
            Output::BackendTls(backend_tls::of_policy(view, &object, policy))
        }
        _ => Output::Nothing,
    }
}

const TAKES_TRAFFIC: &[Kind] =
    &[Kind::Service, Kind::Backend, Kind::HttpRoute, Kind::GrpcRoute, Kind::Gateway];
const TAKES_TLS: &[Kind] = &[Kind::Service, Kind::Backend];

/// Reports a target that isn't there, takes no such policy, or has an older one. The kind of the
/// target where it can take the policy, and why it doesn't; else why it never will.
pub(super) fn check_target(
    view: &mut View<'_>,
    object: &Object,
    target: &Reference,
) -> Result<(Kind, Option<Refusal>), Refusal> {
    let takes = if object.key.kind == Kind::BackendTlsPolicy { TAKES_TLS } else { TAKES_TRAFFIC };
    let known = policy_target(&object.key, target).filter(|key| takes.contains(&key.kind));
    let Some(key) = known else {
        let message = format!("a {} takes no {}", target.kind, object.key.kind);
        let kinds: Vec<&str> = takes.iter().map(|kind| kind.as_str()).collect();
        view.error(object, codes::POLICY_TARGET, &target.place, message.clone())
            .help(format!("name {}", suggest::one_of(&kinds)));
        return Err(Refusal::new(status::INVALID, message));
    };
    if target.section_name.is_some() && matches!(key.kind, Kind::Gateway | Kind::Backend) {
        let message =
            format!("a {} takes policies as a whole alone: this one is passed over", key.kind);
        view.warning(object, codes::POLICY_TARGET, &target.place, message.clone())
            .help("leave `sectionName` out");
        return Err(Refusal::new(status::INVALID, message));
    }
    let absent = check_presence(view, object, target, &key);
    let rivals = rivals(view, &key, object.key.kind);
    let first = rivals.iter().find(|rival| names(rival, &key, target.section_name.as_ref()));
    let mut conflict = None;
    if let Some(first) = first.filter(|first| first.key != object.key) {
        let message = format!("{} has the same target and is older", first.key);
        let message = if first.meta.created == object.meta.created {
            format!("{} has the same target and comes first by name", first.key)
        } else {
            message
        };
        view.warning(object, codes::POLICY_CONFLICT, &target.place, message.clone())
            .help("this policy is passed over there: merge the two");
        conflict = Some(Refusal::new(status::CONFLICTED, message));
    }
    Ok((key.kind, absent.or(conflict)))
}

fn check_presence(
    view: &mut View<'_>,
    object: &Object,
    target: &Reference,
    key: &ObjectKey,
) -> Option<Refusal> {
    let message = match (view.object(key), &target.section_name) {
        (None, _) => {
            let message = format!("{key} does not exist: the policy has no effect there");
            view.warning(object, codes::POLICY_TARGET, &target.place, message.clone()).seeks(key);
            message
        }
        (Some(found), Some(name)) if !has_section(&found, name) => {
            let message =
                format!("{key} has no port or rule named `{name}`: the policy has no effect there");
            view.warning(object, codes::POLICY_TARGET, &target.place, message.clone())
                .help("correct `sectionName`, or leave it out to mean the whole");
            message
        }
        (Some(_), _) => return None,
    };
    Some(Refusal::new(status::TARGET_NOT_FOUND, message))
}

/// Sections are a Service's ports and a route's rules, by name.
fn has_section(target: &Object, name: &Name) -> bool {
    let is = |section: Option<&Name>| section == Some(name);
    match &target.spec {
        Spec::Service(service) => service.ports.iter().any(|port| is(port.name.as_ref())),
        Spec::HttpRoute(route) => {
            route.rules.iter().any(|rule| is(rule.name.as_ref().map(|name| &name.value)))
        }
        Spec::GrpcRoute(route) => {
            route.rules.iter().any(|rule| is(rule.name.as_ref().map(|name| &name.value)))
        }
        _ => false,
    }
}

/// The policies of a kind that name a target, the one that counts first.
fn rivals(view: &mut View<'_>, target: &ObjectKey, kind: Kind) -> Vec<Arc<Object>> {
    let mut rivals = view.tagged(Tag::Policies(target.clone()));
    rivals.retain(|object| object.key.kind == kind);
    rivals.sort_by_key(|object| (object.meta.created, object.key.clone()));
    rivals
}

/// Whether a policy names exactly this section of the target (`None`: the whole).
fn names(policy: &Object, target: &ObjectKey, section: Option<&Name>) -> bool {
    let targets = match &policy.spec {
        Spec::TrafficPolicy(policy) => &policy.targets,
        Spec::BackendTlsPolicy(policy) => &policy.targets,
        _ => return false,
    };
    targets.iter().any(|reference| {
        reference.section_name.as_ref() == section
            && policy_target(&policy.key, reference).as_ref() == Some(target)
    })
}

/// The policy that counts for a section of the target: its own before the whole's.
fn policy_of(
    view: &mut View<'_>,
    target: &ObjectKey,
    section: Option<&Name>,
    kind: Kind,
) -> Option<ObjectKey> {
    let rivals = rivals(view, target, kind);
    let own = section.and_then(|name| rivals.iter().find(|one| names(one, target, Some(name))));
    own.or_else(|| rivals.iter().find(|one| names(one, target, None))).map(|one| one.key.clone())
}

pub(super) fn traffic_of(
    view: &mut View<'_>,
    target: &ObjectKey,
    section: Option<&Name>,
) -> Option<Arc<TrafficShape>> {
    let key = policy_of(view, target, section, Kind::TrafficPolicy)?;
    match view.output(UnitKey::Policy(key)) {
        Output::Traffic(shape) => Some(shape),
        _ => None,
    }
}

/// The BackendTLSPolicy of a Service's port or a Backend.
pub(super) fn backend_tls_of(
    view: &mut View<'_>,
    target: &ObjectKey,
    port_name: Option<&Name>,
) -> Option<ObjectKey> {
    policy_of(view, target, port_name, Kind::BackendTlsPolicy)
}
