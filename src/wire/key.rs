//! Keys, and the references that may have failed.

use super::WireError;
use super::check::{cause, some};
use super::messages;
use super::messages::Referred;
use super::numbers::Numbered;
use crate::model::{Cause, Kind, ObjectKey, PartKey, PartKind, Store};

/// What a part is called in a transaction: `rule/cluster/HTTPRoute/shop/web/0`. No two parts have
/// the same.
pub fn name(key: &PartKey) -> String {
    let PartKey { part, object, section } = key;
    let ObjectKey { store, kind, namespace, name } = object;
    let store = store.as_str();
    let escaped = |text: &str| text.replace('%', "%25").replace('/', "%2F");
    let (namespace, name, section) = (escaped(namespace), escaped(name), escaped(section));
    format!("{}/{store}/{kind}/{namespace}/{name}/{section}", part.as_str())
}

pub(super) fn write_object(key: &ObjectKey) -> messages::ObjectKey {
    let ObjectKey { store, kind, namespace, name } = key;
    messages::ObjectKey {
        store: store.number(),
        kind: kind.number(),
        namespace: namespace.to_string(),
        name: name.to_string(),
    }
}

pub(super) fn read_object(key: messages::ObjectKey) -> Result<ObjectKey, WireError> {
    let messages::ObjectKey { store, kind, namespace, name } = key;
    Ok(ObjectKey {
        store: Store::from_number(store)?,
        kind: Kind::from_number(kind)?,
        namespace: namespace.into(),
        name: name.into(),
    })
}

pub(super) fn write(key: &PartKey) -> messages::PartKey {
    let PartKey { part, object, section } = key;
    messages::PartKey {
        part: part.number(),
        object: Some(write_object(object)),
        section: section.to_string(),
    }
}

pub(super) fn read(key: messages::PartKey) -> Result<PartKey, WireError> {
    let messages::PartKey { part, object, section } = key;
    Ok(PartKey {
        part: PartKind::from_number(part)?,
        object: read_object(some("object", object)?)?,
        section: section.into(),
    })
}

/// A key of the kind that belongs in the place.
pub(super) fn read_of(
    key: Option<messages::PartKey>,
    kind: PartKind,
) -> Result<PartKey, WireError> {
    super::of_kind(read(some("key", key)?)?, kind)
}

pub(super) fn write_reference(to: &Result<PartKey, Cause>) -> messages::Reference {
    let to = match to {
        Ok(key) => Referred::Part(write(key)),
        Err(cause) => Referred::Cause(cause.word().to_owned()),
    };
    messages::Reference { to: Some(to) }
}

pub(super) fn read_reference(
    reference: messages::Reference,
    kind: PartKind,
) -> Result<Result<PartKey, Cause>, WireError> {
    Ok(match some("reference", reference.to)? {
        Referred::Part(key) => Ok(read_of(Some(key), kind)?),
        Referred::Cause(word) => Err(cause(&word)?),
    })
}
