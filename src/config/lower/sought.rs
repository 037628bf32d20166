//! What can be said of an object that a reference does not find: that it was told about already,
//! or what else there is that may have been meant.
//!
//! This is asked of the index when diagnostics are handed out, and not by units: a route that
//! leads nowhere would else be lowered again with every object that comes or goes.

use std::ops::Bound;

use crate::config::index::Index;
use crate::config::suggest;
use crate::limits;
use crate::model::{Kind, ObjectKey};
use crate::names;

/// The object was written, with errors in it, and those are reported.
pub(super) fn is_told(index: &Index, key: &ObjectKey) -> bool {
    index.get(key).is_none() && index.is_broken(key)
}

/// What may have been meant.
pub(super) fn hint(index: &Index, key: &ObjectKey) -> Option<String> {
    let name = &key.name;
    if let Some(kind) = sibling(key.kind)
        && index.get(&ObjectKey { kind, ..key.clone() }).is_some()
    {
        let how = match kind {
            Kind::Backend => format!("write `group: {}` and `kind: Backend`", names::GROUP_MESHCTL),
            Kind::Service => "leave out `group` and `kind`, and write its `port`".to_owned(),
            other => format!("write `kind: {other}`"),
        };
        return Some(format!("there is a {kind} named `{name}`: {how}"));
    }
    let first = ObjectKey { namespace: "".into(), name: "".into(), ..key.clone() };
    let alike = index
        .from(Bound::Included(&first))
        .take_while(|other| (other.store, other.kind) == (key.store, key.kind))
        .take(limits::HINT_CANDIDATES);
    let mut near = Vec::new();
    for other in alike {
        if other.name == *name {
            let (kind, namespace) = (key.kind, &other.namespace);
            return Some(format!(
                "there is a {kind} of this name in namespace `{namespace}`: write `namespace: {namespace}`"
            ));
        }
        if other.namespace == key.namespace {
            near.push(&*other.name);
        }
    }
    let near = suggest::nearest(name, near)?;
    Some(format!("did you mean `{near}`?"))
}

/// The kind that stands in the same places.
fn sibling(kind: Kind) -> Option<Kind> {
    match kind {
        Kind::Service => Some(Kind::Backend),
        Kind::Backend => Some(Kind::Service),
        Kind::Gateway => Some(Kind::ListenerSet),
        Kind::ListenerSet => Some(Kind::Gateway),
        Kind::Secret => Some(Kind::ConfigMap),
        Kind::ConfigMap => Some(Kind::Secret),
        Kind::HttpRoute => Some(Kind::GrpcRoute),
        Kind::GrpcRoute => Some(Kind::HttpRoute),
        _ => None,
    }
}
