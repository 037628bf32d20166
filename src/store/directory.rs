//! Resources in the files of a directory, changed byte by byte.
//!
//! A change reads the files under a lock, edits the text of the document, reads that again, and
//! puts the new file in the place of the old one at once. Who changes a file by other means at the
//! same time is never overwritten: the file is read again, and what the patch tests decides.

mod exchange;
mod find;
mod lock;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use json_patch::jsonptr::Pointer;
use json_patch::{Patch, PatchOperation, RemoveOperation};
use serde_json::Value;

pub use self::exchange::FileChange;
use self::exchange::{Exchange, Failed, Watcher};
use self::find::{About, Site};
use self::lock::Lock;
use super::{Applied, Change, Mode, Patched, StoreError, Stored, Undo, unified};
use crate::config::Diagnostic;
use crate::limits;
use crate::model::{Kind, ObjectKey, PartHash};
use crate::source::manifests::{self, Manifest, reason};
use crate::yaml::{self, EditError};

/// Files and directories of the command line, and where what is known about changes of them lies.
#[derive(Clone, Debug)]
pub struct Directory {
    arguments: Vec<PathBuf>,
    state: PathBuf,
    patience: Duration,
    watcher: Watcher,
}

/// A file with all that a question is about in it.
#[derive(Debug)]
struct Held {
    manifest: Manifest,
    text: String,
    sites: Vec<Site>,
}

impl Directory {
    /// `arguments` as `-f` takes them; `state` is the `.meshctl` of the directory, which is made
    /// when something is changed.
    pub fn new(arguments: &[PathBuf], state: &Path) -> Result<Self, StoreError> {
        for path in arguments {
            let changeable = |there: fs::Metadata| there.is_file() || there.is_dir();
            if path == Path::new("-") || path.metadata().is_ok_and(|there| !changeable(there)) {
                return Err(StoreError::Stream(path.clone()));
            }
        }
        Ok(Self {
            arguments: arguments.to_vec(),
            state: state.to_owned(),
            patience: limits::STORE_LOCK_WAIT,
            watcher: |_| {},
        })
    }

    pub fn get(&self, key: &ObjectKey) -> Result<Option<Stored>, StoreError> {
        match self.site(key) {
            Ok((held, at)) => Ok(Some(stored(&held, &held.sites[at]))),
            Err(StoreError::NotFound { unread, .. }) if unread.is_empty() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// By key; what is there twice or has errors is passed over, as it is by a proxy.
    pub fn list(&self, kind: Kind, namespace: Option<&str>) -> Result<Vec<Stored>, StoreError> {
        let (held, _) = self.look(&About::Kind(kind, namespace))?;
        let mut found = BTreeMap::new();
        for one in &held {
            for site in one.sites.iter().filter(|site| !site.broken) {
                found.entry(site.key.clone()).or_insert_with(|| stored(one, site));
            }
        }
        Ok(found.into_values().collect())
    }

    /// All of the changes, or none.
    pub fn patch(&self, changes: &[Change], mode: Mode) -> Result<Applied, StoreError> {
        if mode == Mode::DryRun {
            return self.plan(changes);
        }
        self.changing(|| {
            let applied = self.plan(changes)?;
            let files = match &applied.undo {
                Undo::Files(files) => files.iter().map(FileChange::reversed).collect(),
                Undo::Objects(_) | Undo::Created(_) => Vec::new(),
            };
            Ok((files, applied))
        })
    }

    /// A new file for a new object.
    pub fn create(&self, value: &Value, file: &Path) -> Result<Undo, StoreError> {
        let path = std::path::absolute(file).map_err(|error| failed("write", file, &error))?;
        self.changing(|| {
            if path.symlink_metadata().is_ok() {
                return Err(Failed::Error(StoreError::Exists(path.display().to_string())));
            }
            let change =
                FileChange { path: path.clone(), before: None, after: Some(yaml::write(value)) };
            Ok((vec![change.clone()], Undo::Files(vec![change.reversed()])))
        })
    }

    /// Whether there was one. Its file goes too, when nothing else is in it.
    pub fn delete(&self, key: &ObjectKey) -> Result<bool, StoreError> {
        self.changing(|| {
            let (held, at) = match self.site(key) {
                Err(StoreError::NotFound { unread, .. }) if unread.is_empty() => {
                    return Ok((Vec::new(), false));
                }
                found => found?,
            };
            let after = without(&held, &held.sites[at])?;
            let path = real(&held.manifest)?;
            Ok((vec![FileChange { path, before: Some(held.text), after }], true))
        })
    }

    /// Takes changes back, byte for byte, if every file still is as they left it.
    pub fn restore(&self, undo: &[FileChange]) -> Result<(), StoreError> {
        self.changing(|| {
            for FileChange { path, before, .. } in undo {
                let now = match path.symlink_metadata() {
                    Ok(_) => Some(read(path)?),
                    Err(_) => None,
                };
                if now != *before {
                    let what = path.display().to_string();
                    let message = "it isn't what the change left".into();
                    let conflict = StoreError::Conflict { what, difference: None, message };
                    return Err(Failed::Error(conflict));
                }
            }
            Ok((undo.to_vec(), ()))
        })
    }

    /// Makes the changes that `plan` finds to be made, under the lock; again from the start where a
    /// file was changed in between.
    fn changing<T>(
        &self,
        plan: impl Fn() -> Result<(Vec<FileChange>, T), Failed>,
    ) -> Result<T, StoreError> {
        let _lock = Lock::take(&self.state, self.patience)?;
        let exchange = Exchange { state: &self.state, watcher: self.watcher };
        exchange.recover()?;
        let mut tries = 0;
        loop {
            tries += 1;
            (self.watcher)("read");
            let made = plan().and_then(|(changes, done)| {
                let changes: Vec<_> =
                    changes.into_iter().filter(|change| change.before != change.after).collect();
                if !changes.is_empty() {
                    exchange.make(&changes)?;
                }
                Ok(done)
            });
            match made {
                Ok(done) => return Ok(done),
                Err(Failed::Changed(_)) if tries < limits::STORE_TRIES => {}
                Err(Failed::Changed(path)) => {
                    let why = "somebody writes it all the time".into();
                    return Err(StoreError::Refused { path, why });
                }
                Err(Failed::Error(error)) => return Err(error),
            }
        }
    }

    /// What the files would be.
    fn plan(&self, changes: &[Change]) -> Result<Applied, StoreError> {
        let mut files: BTreeMap<PathBuf, (Held, String)> = BTreeMap::new();
        let mut objects = Vec::new();
        for Change { key, patch } in changes {
            let (mut held, _) = self.site(key)?;
            let path = real(&held.manifest)?;
            // What an earlier change of the same call made of the file.
            if let Some((_, text)) = files.get(&path) {
                held.text.clone_from(text);
                held.sites = find::sites(text, &held.manifest.name, &About::Key(key));
            }
            let site = only(&held, key)?;
            let before = stored(&held, site);
            let text = edited(&held, site, patch)?;
            let mut after = Held { sites: Vec::new(), text, manifest: held.manifest.clone() };
            after.sites = find::sites(&after.text, &held.manifest.name, &About::Key(key));
            let unfaithful = || StoreError::Edit {
                file: held.manifest.name.to_string(),
                error: EditError::Unfaithful(key.to_string()),
            };
            let new = only(&after, key).map_err(|_| unfaithful())?;
            let new = stored(&after, new);
            let others = |text: &str| yaml::documents(text).count();
            if others(&held.text) != others(&after.text) {
                return Err(unfaithful());
            }
            objects.push(Patched { before, after: new });
            let text = after.text;
            files.entry(path).and_modify(|(_, now)| now.clone_from(&text)).or_insert((held, text));
        }
        let diff =
            files.values().map(|(held, after)| unified(&held.manifest.name, &held.text, after));
        let diff = diff.collect();
        let undo = files.into_iter().map(|(path, (held, after))| FileChange {
            path,
            before: Some(after),
            after: Some(held.text),
        });
        let undo = Undo::Files(undo.collect());
        Ok(Applied { objects, diff, undo })
    }

    /// The one good place of an object.
    fn site(&self, key: &ObjectKey) -> Result<(Held, usize), StoreError> {
        let (held, unread) = self.look(&About::Key(key))?;
        let mut places: Vec<String> = Vec::new();
        for one in &held {
            places.extend(one.sites.iter().map(|site| place(one, site)));
        }
        if places.len() > 1 {
            return Err(StoreError::Duplicate { key: key.clone(), places });
        }
        match held.into_iter().find(|one| !one.sites.is_empty()) {
            Some(held) => {
                only(&held, key)?;
                Ok((held, 0))
            }
            None => Err(StoreError::NotFound { key: key.clone(), unread }),
        }
    }

    /// The files that hold something of this, and what couldn't be read.
    fn look(&self, about: &About<'_>) -> Result<(Vec<Held>, Vec<String>), StoreError> {
        let listed = manifests::list(&self.arguments);
        let (files, diagnostics) = listed.map_err(|error| failed("read", &self.state, &error))?;
        let said = |one: &Diagnostic| format!("{}: {}", one.file, one.message);
        let mut unread: Vec<String> = diagnostics.iter().map(said).collect();
        let mut held = Vec::new();
        for manifest in files {
            match manifests::read(&manifest.path) {
                Ok(text) => {
                    let sites = find::sites(&text, &manifest.name, about);
                    if !sites.is_empty() {
                        held.push(Held { manifest, text, sites });
                    }
                }
                Err(why) => unread.push(format!("{}: {why}", manifest.name)),
            }
        }
        Ok((held, unread))
    }
}

fn only<'a>(held: &'a Held, key: &ObjectKey) -> Result<&'a Site, StoreError> {
    match held.sites.as_slice() {
        [site] if site.broken => {
            Err(StoreError::Broken { key: key.clone(), place: place(held, site) })
        }
        [site] => Ok(site),
        [] => Err(StoreError::NotFound { key: key.clone(), unread: Vec::new() }),
        sites => {
            let places = sites.iter().map(|site| place(held, site)).collect();
            Err(StoreError::Duplicate { key: key.clone(), places })
        }
    }
}

fn place(held: &Held, site: &Site) -> String {
    format!("{}:{}", held.manifest.name, site.line)
}

fn stored(held: &Held, site: &Site) -> Stored {
    Stored {
        key: site.key.clone(),
        value: site.value.clone(),
        version: format!("{:?}", PartHash::of(&site.value.to_string())),
        place: place(held, site),
    }
}

/// The file's text after a patch of one object in it.
fn edited(held: &Held, site: &Site, patch: &Patch) -> Result<String, StoreError> {
    let patch = below(&site.pointer, patch);
    let document = &held.text[site.document.clone()];
    let new = yaml::edit(document, &patch).map_err(|error| match error {
        EditError::Differs(difference) => StoreError::Conflict {
            what: format!("{} in {}", site.key, place(held, site)),
            difference: Some(difference),
            message: String::new(),
        },
        error => StoreError::Edit {
            file: held.manifest.name.to_string(),
            error: error.below(site.line_offset),
        },
    })?;
    let (before, after) = (&held.text[..site.document.start], &held.text[site.document.end..]);
    Ok([before, &new, after].concat())
}

/// The same patch for an item of a list.
fn below(pointer: &str, patch: &Patch) -> Patch {
    let mut patch = patch.clone();
    for operation in &mut patch.0 {
        let path = match operation {
            PatchOperation::Add(one) => &mut one.path,
            PatchOperation::Remove(one) => &mut one.path,
            PatchOperation::Replace(one) => &mut one.path,
            PatchOperation::Move(one) => &mut one.path,
            PatchOperation::Copy(one) => &mut one.path,
            PatchOperation::Test(one) => &mut one.path,
        };
        let whole = format!("{pointer}{path}");
        *path = Pointer::parse(&whole).expect("two pointers in a row are one").to_buf();
    }
    patch
}

/// The file's text without an object; `None` when nothing is left.
fn without(held: &Held, site: &Site) -> Result<Option<String>, StoreError> {
    if !site.pointer.is_empty() {
        let path = Pointer::parse(&site.pointer).expect("it was made of numbers").to_buf();
        let item = Patch(vec![PatchOperation::Remove(RemoveOperation { path })]);
        let document = &held.text[site.document.clone()];
        let new = yaml::edit(document, &item).map_err(|error| StoreError::Edit {
            file: held.manifest.name.to_string(),
            error: error.below(site.line_offset),
        })?;
        let (before, after) = (&held.text[..site.document.start], &held.text[site.document.end..]);
        return Ok(Some([before, &new, after].concat()));
    }
    let rest = [&held.text[..site.document.start], &held.text[site.document.end..]].concat();
    Ok((yaml::documents(&rest).count() > 0).then_some(rest))
}

fn read(path: &Path) -> Result<String, StoreError> {
    let refused = |why| StoreError::Io { path: path.to_owned(), doing: "read", why };
    manifests::read(path).map_err(refused)
}

/// Through symbolic links: a link stays one.
fn real(manifest: &Manifest) -> Result<PathBuf, StoreError> {
    fs::canonicalize(&manifest.path).map_err(|error| failed("read", &manifest.path, &error))
}

fn failed(doing: &'static str, path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Io { path: path.to_owned(), doing, why: reason(error) }
}

/// Names the state by its arguments, for messages.
impl std::fmt::Display for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.arguments.iter().map(|path| path.display().to_string()).collect();
        f.write_str(&names.join(", "))
    }
}

/// Shared by every clone of a store.
impl From<Directory> for super::Store {
    fn from(directory: Directory) -> Self {
        Self::Directory(Arc::new(directory))
    }
}
