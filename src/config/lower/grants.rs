//! ReferenceGrants: who may refer into another namespace.

use super::codes;
use super::view::View;
use crate::config::index::Tag;
use crate::config::raw::{Object, Reference, Spec};
use crate::model::{Kind, Name, ObjectKey};

/// Whether `from` may refer to `to`: in its own namespace always, else when a grant there says so.
pub(super) fn permits(view: &mut View<'_>, from: &ObjectKey, to: &ObjectKey) -> bool {
    if from.namespace == to.namespace {
        return true;
    }
    let is = |kind: Kind, group: &Name, name: &Name| {
        **group == *kind.group() && **name == *kind.as_str()
    };
    view.tagged(Tag::Grants(to.store, to.namespace.clone())).iter().any(|object| {
        let Spec::ReferenceGrant(grant) = &object.spec else { return false };
        let from_listed = grant.from.iter().any(|(group, kind, namespace)| {
            is(from.kind, group, kind) && *namespace == from.namespace
        });
        let to_listed = grant.to.iter().any(|(group, kind, name)| {
            is(to.kind, group, kind) && name.as_ref().is_none_or(|name| *name == to.name)
        });
        from_listed && to_listed
    })
}

/// As [`permits`], and reports a refusal at the reference.
pub(super) fn check(
    view: &mut View<'_>,
    object: &Object,
    reference: &Reference,
    to: &ObjectKey,
) -> bool {
    let permitted = permits(view, &object.key, to);
    if !permitted {
        let message = format!("no ReferenceGrant permits the reference to {to}");
        let help = format!(
            "create a ReferenceGrant in namespace `{}` from {} in `{}` to {}",
            to.namespace, object.key.kind, object.key.namespace, to.kind
        );
        view.error(object, codes::REFERENCE_NOT_PERMITTED, &reference.place, message).help(help);
    }
    permitted
}
