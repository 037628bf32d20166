//! Where resources live, and the only way in which a rollout changes the world: by JSON patches
//! that test the old value, on the files of a directory or on a cluster.
//!
//! A change that can't be made in full isn't made. What comes back is enough to take it back: the
//! bytes that a file had, or the patches that undo the patches.
//!
//! This module must not know why something changes, nor what an object means.

mod cluster;
pub mod directory;
mod error;
mod inverse;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use json_patch::Patch;
use serde_json::Value;

pub use self::directory::{Directory, FileChange};
pub use self::error::StoreError;
use crate::cluster::Cluster;
use crate::model::{Kind, ObjectKey};

/// A directory of files, or an API server. Cheap to clone.
#[derive(Clone)]
pub enum Store {
    Directory(Arc<Directory>),
    Cluster(Cluster),
}

/// An object as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub key: ObjectKey,
    pub value: Value,
    /// Another one as soon as anything of the object is: a `resourceVersion`, or a hash.
    pub version: String,
    /// `shop/route.yaml:12`, or the cluster's name.
    pub place: String,
}

/// What is to be done to one object. Operations are `test`, `replace`, `add` and `remove`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub key: ObjectKey,
    pub patch: Patch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Apply,
    /// Everything but the change: who would refuse it does.
    DryRun,
}

/// What was changed, or would be.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// One for each change, in their order.
    pub objects: Vec<Patched>,
    /// A unified diff of all of it; empty where nothing changes.
    pub diff: String,
    pub undo: Undo,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Patched {
    pub before: Stored,
    pub after: Stored,
}

/// What takes a change back, as long as nobody has changed the same since.
#[derive(Clone, Debug, PartialEq)]
pub enum Undo {
    /// Byte for byte.
    Files(Vec<FileChange>),
    Objects(Vec<Change>),
    /// It wasn't there before.
    Created(ObjectKey),
}

impl Store {
    /// `None` where there is no such object.
    pub async fn get(&self, key: &ObjectKey) -> Result<Option<Stored>, StoreError> {
        match self {
            Self::Directory(directory) => {
                let key = key.clone();
                blocking(directory, move |directory| directory.get(&key)).await
            }
            Self::Cluster(cluster) => cluster::get(cluster, key).await,
        }
    }

    /// By key; of one namespace or of all.
    pub async fn list(
        &self,
        kind: Kind,
        namespace: Option<&str>,
    ) -> Result<Vec<Stored>, StoreError> {
        match self {
            Self::Directory(directory) => {
                let namespace = namespace.map(str::to_owned);
                blocking(directory, move |directory| directory.list(kind, namespace.as_deref()))
                    .await
            }
            Self::Cluster(cluster) => cluster::list(cluster, kind, namespace).await,
        }
    }

    /// All of the changes, or none.
    pub async fn patch(&self, changes: &[Change], mode: Mode) -> Result<Applied, StoreError> {
        match self {
            Self::Directory(directory) => {
                let changes = changes.to_vec();
                blocking(directory, move |directory| directory.patch(&changes, mode)).await
            }
            Self::Cluster(cluster) => cluster::patch(cluster, changes, mode).await,
        }
    }

    /// A new object. A directory keeps it in `file`, which must not be there yet.
    pub async fn create(&self, value: &Value, file: &Path) -> Result<Undo, StoreError> {
        match self {
            Self::Directory(directory) => {
                let (value, file) = (value.clone(), file.to_owned());
                blocking(directory, move |directory| directory.create(&value, &file)).await
            }
            Self::Cluster(cluster) => cluster::create(cluster, value).await,
        }
    }

    /// Whether there was one to delete.
    pub async fn delete(&self, key: &ObjectKey) -> Result<bool, StoreError> {
        match self {
            Self::Directory(directory) => {
                let key = key.clone();
                blocking(directory, move |directory| directory.delete(&key)).await
            }
            Self::Cluster(cluster) => cluster::delete(cluster, key).await,
        }
    }

    /// Takes a change back; refused where something of it has been changed since.
    pub async fn undo(&self, undo: &Undo) -> Result<(), StoreError> {
        match (self, undo) {
            (Self::Directory(directory), Undo::Files(files)) => {
                let files = files.clone();
                blocking(directory, move |directory| directory.restore(&files)).await
            }
            (_, Undo::Objects(changes)) => self.patch(changes, Mode::Apply).await.map(|_| ()),
            (_, Undo::Created(key)) => self.delete(key).await.map(|_| ()),
            (Self::Cluster(_), Undo::Files(files)) => {
                let path = files.first().map(|file| file.path.clone()).unwrap_or_default();
                Err(StoreError::Refused { path, why: "it is no object of a cluster".into() })
            }
        }
    }
}

/// Files are read and written by a thread that may wait.
async fn blocking<T: Send + 'static>(
    directory: &Arc<Directory>,
    work: impl FnOnce(&Directory) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let directory = Arc::clone(directory);
    match tokio::task::spawn_blocking(move || work(&directory)).await {
        Ok(done) => done,
        Err(error) => Err(StoreError::Interrupted(error.to_string())),
    }
}

fn unified(name: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let name = name.trim_start_matches('/');
    let diff = similar::TextDiff::from_lines(before, after);
    diff.unified_diff().header(&format!("a/{name}"), &format!("b/{name}")).to_string()
}
