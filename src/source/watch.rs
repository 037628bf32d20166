//! Directories under watch: the system's word that something changed, where it gives one.
//!
//! Directories are watched and never files: editors and ConfigMap mounts put new files under old
//! names. What can't be watched is seen by looking.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use super::noticed::{Interest, Noticed};
use super::read::{Inode, inode};
use super::walk::{Argument, Walk, about};
use crate::config::codes;
use crate::config::{Diagnostic, Severity};

pub(super) struct Watch {
    watcher: Option<RecommendedWatcher>,
    noticed: Arc<Noticed>,
    watched: BTreeMap<Inode, PathBuf>,
    /// Said once: the first directory that can't be watched.
    pub(super) trouble: Option<Diagnostic>,
}

impl Watch {
    pub(super) fn new(noticed: Arc<Noticed>) -> Self {
        let told = Arc::clone(&noticed);
        let watcher = notify::recommended_watcher(move |event| told.note(&event));
        let (watcher, trouble) = match watcher {
            Ok(watcher) => (Some(watcher), None),
            Err(error) => (None, Some(not_watched(".", &error))),
        };
        Self { watcher, noticed, watched: BTreeMap::new(), trouble }
    }

    /// Watches what the walk went through and no more. Says whether a directory is new, in which
    /// case something may have happened in it between the walk and the watch.
    pub(super) fn follow(
        &mut self,
        walk: &Walk,
        arguments: &[Argument],
        mentioned: &BTreeSet<PathBuf>,
    ) -> bool {
        let mut interest = Interest::default();
        interest.directories.extend(walk.directories.values().cloned());
        let linked = walk.files.values().filter(|entry| entry.linked);
        let targets = linked.filter_map(|entry| entry.path.canonicalize().ok());
        interest.paths.extend(targets);
        interest.paths.extend(mentioned.iter().cloned());
        interest.paths.extend(mentioned.iter().filter_map(|path| path.canonicalize().ok()));
        interest.paths.extend(arguments.iter().map(|argument| argument.path.clone()));
        interest.paths.extend(walk.files.values().map(|entry| entry.path.clone()));
        let mut wanted = walk.directories.clone();
        let parents: BTreeSet<&Path> =
            interest.paths.iter().filter_map(|path| path.parent()).collect();
        for parent in parents {
            if let Ok(metadata) = parent.metadata() {
                wanted.entry(inode(&metadata)).or_insert_with(|| parent.to_owned());
            }
        }
        interest.watched.extend(wanted.values().cloned());
        self.noticed.set_interest(with_mounts(interest, mentioned));
        self.set(wanted)
    }

    fn set(&mut self, wanted: BTreeMap<Inode, PathBuf>) -> bool {
        let lost = self.noticed.take_lost();
        self.watched.retain(|_, path| !lost.contains(path));
        let Some(watcher) = &mut self.watcher else { return false };
        let gone: Vec<Inode> =
            self.watched.keys().filter(|inode| !wanted.contains_key(*inode)).copied().collect();
        for inode in gone {
            if let Some(path) = self.watched.remove(&inode) {
                // It may have been removed already.
                let _ = watcher.unwatch(&path);
            }
        }
        let mut new = false;
        for (inode, path) in wanted {
            if self.watched.get(&inode) == Some(&path) {
                continue;
            }
            match watcher.watch(&path, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.watched.insert(inode, path);
                    new = true;
                }
                Err(error) if self.trouble.is_none() && path.exists() => {
                    self.trouble = Some(not_watched(&path.display().to_string(), &error));
                }
                Err(_) => {}
            }
        }
        new
    }
}

/// A file that is mentioned and lies in a mount changes by the mount's `..data`.
fn with_mounts(mut interest: Interest, mentioned: &BTreeSet<PathBuf>) -> Interest {
    let parents = mentioned.iter().filter_map(|path| path.parent());
    interest.paths.extend(parents.map(|parent| parent.join("..data")));
    interest
}

fn not_watched(file: &str, error: &notify::Error) -> Diagnostic {
    // The library's words without the paths that follow them.
    let text = error.to_string();
    let reason = text.split(" about [").next().unwrap_or_default().trim_end_matches('.');
    let message = format!("changes here are seen late: {reason}");
    let mut diagnostic = about(file, codes::NOT_WATCHED, message);
    diagnostic.severity = Severity::Warning;
    diagnostic
}

#[cfg(test)]
mod tests;
