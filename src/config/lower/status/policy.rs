//! BackendTLSPolicies and TrafficPolicies: an entry for each ancestor that is ours.
//!
//! A BackendTLSPolicy is any controller's, so its ancestors are the Gateways whose routes send to
//! what it names. A TrafficPolicy is ours alone: its ancestors are what it names.

use std::collections::BTreeMap;

use super::Says;
use super::route::object_ref;
use crate::config::index::policy_target;
use crate::config::lower::reference::{self, Unusable};
use crate::config::lower::view::{Query, View};
use crate::config::lower::{backend_tls, policy};
use crate::config::raw::{BackendTlsPolicy, Object, Spec, TrafficPolicy};
use crate::config::status::{self, ObjectRef, PolicyStatus, RefStatus, Refusal, Status};
use crate::limits;
use crate::model::ObjectKey;

pub(super) fn status(view: &mut View<'_>, object: &Object) -> Option<Status> {
    let mut ancestors = match &object.spec {
        Spec::BackendTlsPolicy(policy) => of_tls(view, object, policy),
        Spec::TrafficPolicy(policy) => of_traffic(view, object, policy),
        _ => return None,
    };
    ancestors.truncate(limits::POLICY_ANCESTORS);
    Some(Status::Policy(PolicyStatus { ancestors }))
}

fn of_tls(view: &mut View<'_>, object: &Object, policy: &BackendTlsPolicy) -> Vec<RefStatus> {
    let mut gateways: BTreeMap<ObjectKey, Option<Refusal>> = BTreeMap::new();
    for target in &policy.targets {
        let Some(key) = policy_target(&object.key, target) else { continue };
        view.reads.insert(Query::Users(key.clone()));
        let users: Vec<ObjectKey> = view.lowering.users.of(&key).cloned().collect();
        if users.is_empty() {
            continue;
        }
        let refused = match policy::check_target(view, object, target) {
            Ok((_, refused)) => refused,
            Err(refused) => Some(refused),
        };
        for gateway in users {
            let said = gateways.entry(gateway).or_default();
            *said = said.take().or(refused.clone());
        }
    }
    if gateways.is_empty() {
        return Vec::new();
    }
    let (invalid, unresolved) = authorities(view, object, policy);
    let one = |(gateway, refused): (ObjectKey, Option<Refusal>)| {
        let mut says = Says::about(object);
        let refused = refused.as_ref().or(invalid.as_ref());
        says.unless(status::ACCEPTED, status::ACCEPTED, refused);
        says.unless(status::RESOLVED_REFS, status::RESOLVED_REFS, unresolved.as_ref());
        RefStatus { reference: whole(&gateway), conditions: says.conditions }
    };
    gateways.into_iter().map(one).collect()
}

fn whole(key: &ObjectKey) -> ObjectRef {
    ObjectRef {
        group: key.kind.group().into(),
        kind: key.kind.as_str().into(),
        namespace: Some(key.namespace.clone()),
        name: key.name.clone(),
        section_name: None,
        port: None,
    }
}

/// Why the policy can't be used, and which reference of it leads nowhere.
fn authorities(
    view: &mut View<'_>,
    object: &Object,
    policy: &BackendTlsPolicy,
) -> (Option<Refusal>, Option<Refusal>) {
    let (mut unresolved, mut usable) = (None, 0);
    for reference in &policy.ca_certificate_refs {
        let before = view.findings.len();
        match reference::ca_of(view, object, reference) {
            Ok(_) => usable += 1,
            Err(why) => {
                let reason = match why {
                    Unusable::Kind => status::INVALID_KIND,
                    Unusable::NotPermitted => status::REF_NOT_PERMITTED,
                    Unusable::Missing | Unusable::Malformed => status::INVALID_CA_CERTIFICATE_REF,
                };
                let said = view.said_since(before).unwrap_or_default();
                unresolved.get_or_insert(Refusal::new(reason, said));
            }
        }
    }
    let before = view.findings.len();
    let invalid = backend_tls::of_policy(view, object, policy).is_err();
    let invalid = match &unresolved {
        Some(why) if usable == 0 => {
            Some(Refusal::new(status::NO_VALID_CA_CERTIFICATE, why.message.clone()))
        }
        // One of several: requests fail all the same, and ResolvedRefs says why.
        Some(_) => None,
        None if invalid => {
            let said = view.said_since(before).unwrap_or_default();
            Some(Refusal::new(status::INVALID, said))
        }
        None => None,
    };
    (invalid, unresolved)
}

fn of_traffic(view: &mut View<'_>, object: &Object, policy: &TrafficPolicy) -> Vec<RefStatus> {
    let before = view.findings.len();
    policy::traffic::shape(view, object, policy);
    let bad = view
        .said_since(before)
        .map(|why| Refusal::new(status::INVALID, format!("{why}; the default holds")));
    let mut found: Vec<RefStatus> = Vec::new();
    for target in &policy.targets {
        let refused = match policy::check_target(view, object, target) {
            Ok((_, refused)) => refused,
            Err(refused) => Some(refused),
        };
        let mut says = Says::about(object);
        says.unless(status::ACCEPTED, status::ACCEPTED, refused.as_ref().or(bad.as_ref()));
        let namespace = Some(object.key.namespace.clone());
        let reference = ObjectRef { namespace, ..object_ref(target) };
        if found.iter().all(|other| other.reference != reference) {
            found.push(RefStatus { reference, conditions: says.conditions });
        }
    }
    found
}
