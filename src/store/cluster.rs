//! Objects of an API server: JSON patches, and who else has changed what.

use json_patch::{Patch, PatchOperation};
use serde_json::Value;

use super::inverse::inverse;
use super::{Applied, Change, Mode, Patched, StoreError, Stored, Undo, unified};
use crate::cluster::{Cluster, ClusterError, Resource, name_of, namespace_of, shown};
use crate::model::{Kind, ObjectKey, Store};
use crate::yaml::{self, Difference};

pub(super) async fn get(cluster: &Cluster, key: &ObjectKey) -> Result<Option<Stored>, StoreError> {
    let resource = resource(key)?;
    let found = cluster.get(&resource, namespace(key), &key.name).await?;
    Ok(found.map(|value| stored(cluster, key, value)))
}

pub(super) async fn list(
    cluster: &Cluster,
    kind: Kind,
    namespace: Option<&str>,
) -> Result<Vec<Stored>, StoreError> {
    let resource = resource(&ObjectKey::new(Store::Cluster, kind, "", ""))?;
    let found = cluster.list(&resource, namespace, None).await?;
    let one = |value: Value| {
        let key = key_of(kind, &value);
        stored(cluster, &key, value)
    };
    let mut found: Vec<Stored> = found.into_iter().map(one).collect();
    found.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(found)
}

/// Every change is tried before the first is made; one that fails all the same is followed by the
/// way back for those before it.
pub(super) async fn patch(
    cluster: &Cluster,
    changes: &[Change],
    mode: Mode,
) -> Result<Applied, StoreError> {
    let mut tried = Vec::new();
    if mode == Mode::DryRun || changes.len() > 1 {
        for change in changes {
            tried.push(patch_one(cluster, change, true).await?);
        }
    }
    if mode == Mode::DryRun {
        return applied(changes, tried);
    }
    let mut made = Vec::new();
    for change in changes {
        match patch_one(cluster, change, false).await {
            Ok(patched) => made.push(patched),
            Err(error) => return Err(take_back(cluster, changes, made, error).await),
        }
    }
    applied(changes, made)
}

async fn take_back(
    cluster: &Cluster,
    changes: &[Change],
    made: Vec<Patched>,
    why: StoreError,
) -> StoreError {
    let mut left = Vec::new();
    for (change, patched) in changes.iter().zip(made).rev() {
        let taken = match back(change, &patched) {
            Ok(undo) => patch_one(cluster, &undo, false).await.map(|_| ()),
            Err(error) => Err(error),
        };
        if taken.is_err() {
            left.push(change.key.to_string());
        }
    }
    if left.is_empty() { why } else { StoreError::Torn { why: Box::new(why), left } }
}

fn applied(changes: &[Change], objects: Vec<Patched>) -> Result<Applied, StoreError> {
    let undo = changes.iter().zip(&objects).rev().map(|(change, patched)| back(change, patched));
    let undo = Undo::Objects(undo.collect::<Result<_, _>>()?);
    let diff = objects.iter().map(|Patched { before, after }| {
        unified(&before.key.to_string(), &shown_text(&before.value), &shown_text(&after.value))
    });
    Ok(Applied { diff: diff.collect(), undo, objects })
}

fn back(change: &Change, Patched { before, after }: &Patched) -> Result<Change, StoreError> {
    let patch = inverse(&before.value, &after.value, &change.patch).map_err(|error| {
        let message = error.to_string();
        StoreError::Conflict { what: change.key.to_string(), difference: None, message }
    })?;
    Ok(Change { key: change.key.clone(), patch })
}

async fn patch_one(
    cluster: &Cluster,
    Change { key, patch }: &Change,
    dry_run: bool,
) -> Result<Patched, StoreError> {
    let resource = resource(key)?;
    let missing = || StoreError::NotFound { key: key.clone(), unread: Vec::new() };
    let before = get(cluster, key).await?.ok_or_else(missing)?;
    let asked = cluster.patch(&resource, namespace(key), &key.name, patch, dry_run).await;
    match asked {
        Ok(value) => Ok(Patched { before, after: stored(cluster, key, value) }),
        Err(ClusterError::NotFound { .. }) => Err(missing()),
        // The server says of a failed test only that something is wrong with the patch.
        Err(error @ ClusterError::Refused { .. }) => {
            let now = get(cluster, key).await?.ok_or_else(missing)?;
            Err(match differs(&now.value, patch) {
                Some(difference) => StoreError::Conflict {
                    what: key.to_string(),
                    difference: Some(Box::new(difference)),
                    message: error.to_string(),
                },
                None => error.into(),
            })
        }
        Err(error) => Err(error.into()),
    }
}

/// The first test of a patch that fails on a value.
fn differs(value: &Value, patch: &Patch) -> Option<Difference> {
    let mut value = value.clone();
    for operation in &patch.0 {
        if json_patch::patch(&mut value, std::slice::from_ref(operation)).is_ok() {
            continue;
        }
        let PatchOperation::Test(test) = operation else { return None };
        let pointer = test.path.to_string();
        let found = value.pointer(&pointer).cloned();
        return Some(Difference { pointer, expected: test.value.clone(), found });
    }
    None
}

pub(super) async fn create(cluster: &Cluster, value: &Value) -> Result<Undo, StoreError> {
    let unknown = || ClusterError::UnknownKind { what: shown(value) };
    let group = Resource::of(value).map(|resource| resource.group());
    let is = |kind: &&Kind| value["kind"] == kind.as_str() && group == Some(kind.group());
    let kind = *Kind::ALL.iter().find(is).ok_or_else(unknown)?;
    match cluster.create(value, false).await {
        Ok(created) => Ok(Undo::Created(key_of(kind, &created))),
        Err(ClusterError::Conflict { .. }) => Err(StoreError::Exists(shown(value))),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn delete(cluster: &Cluster, key: &ObjectKey) -> Result<bool, StoreError> {
    Ok(cluster.delete(&resource(key)?, namespace(key), &key.name).await?)
}

fn resource(key: &ObjectKey) -> Result<Resource, StoreError> {
    Resource::named(key.kind.as_str(), key.kind.group())
        .ok_or_else(|| StoreError::Unserved(key.clone()))
}

fn namespace(key: &ObjectKey) -> Option<&str> {
    Some(&*key.namespace).filter(|namespace| !namespace.is_empty())
}

fn key_of(kind: Kind, value: &Value) -> ObjectKey {
    let namespace = namespace_of(value).unwrap_or_default();
    ObjectKey::new(Store::Cluster, kind, namespace, name_of(value))
}

fn stored(cluster: &Cluster, key: &ObjectKey, value: Value) -> Stored {
    let version = value["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
    Stored { key: key.clone(), value, version, place: cluster.name.clone() }
}

/// What people write of an object; the rest changes with every change.
fn shown_text(value: &Value) -> String {
    let mut value = value.clone();
    if let Some(object) = value.as_object_mut() {
        object.remove("status");
    }
    if let Some(meta) = value["metadata"].as_object_mut() {
        for field in ["managedFields", "resourceVersion", "generation"] {
            meta.remove(field);
        }
    }
    yaml::write(&value)
}
