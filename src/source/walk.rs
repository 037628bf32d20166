//! Which files a `-f` argument means.
//!
//! A file is what was named. A directory is every `*.yaml`, `*.yml` and `*.json` below it, in a
//! fixed order; symbolic links are followed, each file is found once and each directory walked
//! once, whatever names lead to it. What begins with a dot is passed over: so is the `..data` of
//! a mounted ConfigMap, whose files are links beside it.
//!
//! Where something can't be looked at, absence means nothing: the walk says where.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::read::{Inode, Stamp, inode, reason};
use crate::config::Diagnostic;
use crate::config::codes;
use crate::config::raw::{Origin, Place};
use crate::limits;

#[cfg(test)]
mod tests;

const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];
/// The mark of a mesh directory is ours: nobody needs to hear that it was passed over.
const MARK: &str = ".meshctl";

/// A path of the command line.
#[derive(Clone, Debug)]
pub(super) struct Argument {
    /// As it was typed: names in diagnostics begin with it.
    pub(super) typed: PathBuf,
    /// Absolute, because that is how changes are told.
    pub(super) path: PathBuf,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) files: usize,
    pub(super) entries: usize,
}

impl Bounds {
    pub(super) const LIMITS: Self =
        Self { files: limits::CONFIG_FILES, entries: limits::CONFIG_ENTRIES };
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) path: PathBuf,
    pub(super) stamp: Stamp,
    /// Reached through a symbolic link, so its directory isn't where it is written.
    pub(super) linked: bool,
}

#[derive(Debug, Default)]
pub(super) struct Walk {
    /// By name.
    pub(super) files: BTreeMap<Arc<str>, Entry>,
    pub(super) directories: BTreeMap<Inode, PathBuf>,
    /// What is below these may be there all the same.
    pub(super) unread: Vec<PathBuf>,
    /// Files and directories whose name begins with a dot.
    pub(super) hidden: usize,
    pub(super) diagnostics: Vec<Diagnostic>,
    inodes: BTreeSet<Inode>,
    entries: usize,
    full: bool,
}

pub(super) fn walk(arguments: &[Argument], bounds: Bounds) -> Walk {
    let mut walk = Walk::default();
    for argument in arguments {
        match argument.path.metadata() {
            Ok(metadata) if metadata.is_dir() => walk.tree(argument, &metadata, bounds),
            Ok(metadata) => {
                let linked = argument.path.is_symlink();
                walk.file(&argument.typed, argument.path.clone(), &metadata, linked);
            }
            Err(error) => walk.failed(&argument.typed, argument.path.clone(), &error),
        }
    }
    walk
}

impl Walk {
    /// Whether a path that wasn't found may be there.
    pub(super) fn may_hold(&self, path: &Path) -> bool {
        self.unread.iter().any(|unread| path.starts_with(unread))
    }

    fn tree(&mut self, argument: &Argument, metadata: &Metadata, bounds: Bounds) {
        let mut waiting = vec![(argument.path.clone(), argument.typed.clone(), inode(metadata))];
        while let Some((path, name, inode)) = waiting.pop() {
            if self.directories.contains_key(&inode) {
                continue;
            }
            self.directories.insert(inode, path.clone());
            let mut below = self.directory(&path, &name, bounds);
            below.reverse();
            waiting.append(&mut below);
            if self.full {
                self.unread.push(argument.path.clone());
                return;
            }
        }
    }

    /// Takes the files of a directory and returns the directories in it.
    fn directory(
        &mut self,
        path: &Path,
        name: &Path,
        bounds: Bounds,
    ) -> Vec<(PathBuf, PathBuf, Inode)> {
        let mut below = Vec::new();
        for entry in self.entries(path, name, bounds) {
            let (path, name) = (path.join(&entry), name.join(&entry));
            let configuration = is_configuration(&path);
            let metadata = match path.metadata() {
                Ok(metadata) => metadata,
                Err(error) if configuration && path.symlink_metadata().is_ok() => {
                    self.failed(&name, path, &error);
                    continue;
                }
                Err(_) => continue,
            };
            if metadata.is_dir() {
                below.push((path, name, inode(&metadata)));
            } else if configuration && metadata.is_file() {
                if self.files.len() >= bounds.files {
                    self.too_many(&name, format!("there are more than {} files", bounds.files));
                    break;
                }
                let linked = path.is_symlink();
                self.file(&name, path, &metadata, linked);
            }
        }
        below
    }

    /// The names in a directory that count, in their order.
    fn entries(&mut self, path: &Path, name: &Path, bounds: Bounds) -> Vec<std::ffi::OsString> {
        let mut names = Vec::new();
        let list = match fs::read_dir(path) {
            Ok(list) => list,
            // It was removed since its own directory was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return names,
            Err(error) => {
                self.failed(name, path.to_owned(), &error);
                return names;
            }
        };
        for entry in list {
            let entry = match entry {
                Ok(entry) => entry.file_name(),
                Err(error) => {
                    self.failed(name, path.to_owned(), &error);
                    break;
                }
            };
            self.entries += 1;
            if self.entries > bounds.entries {
                self.too_many(name, format!("there are more than {} entries", bounds.entries));
                break;
            }
            let bytes = entry.as_encoded_bytes();
            if !bytes.starts_with(b".") {
                names.push(entry);
            } else if !bytes.starts_with(b"..") && entry != MARK {
                self.hidden += 1;
            }
        }
        names.sort();
        names
    }

    fn file(&mut self, name: &Path, path: PathBuf, metadata: &Metadata, linked: bool) {
        if !self.inodes.insert(inode(metadata)) {
            return;
        }
        let mut shown = shown(name);
        if self.files.contains_key(&*shown) {
            // Two names that aren't text may look the same.
            shown = format!("{path:?}");
        }
        let entry = Entry { path, stamp: Stamp::of(metadata), linked };
        self.files.insert(shown.into(), entry);
    }

    fn failed(&mut self, name: &Path, path: PathBuf, error: &io::Error) {
        let message = format!("this can't be read: {}", reason(error));
        self.diagnostics.push(about(&shown(name), codes::FILE_UNREADABLE, message));
        self.unread.push(path);
    }

    fn too_many(&mut self, name: &Path, message: String) {
        if !self.full {
            self.diagnostics.push(about(&shown(name), codes::TOO_MANY_FILES, message));
        }
        self.full = true;
    }
}

/// Whether a file of this name is read where its directory is.
pub(super) fn is_configuration(path: &Path) -> bool {
    path.extension().is_some_and(|e| EXTENSIONS.iter().any(|x| e == *x))
}

/// `mesh.yaml` for `./mesh.yaml`, as people say it and editors find it. `./-` is a file and `-` is
/// standard input.
fn shown(name: &Path) -> String {
    let short = name.strip_prefix(".").unwrap_or(name);
    let clear =
        !short.as_os_str().is_empty() && !short.as_os_str().as_encoded_bytes().starts_with(b"-");
    if clear { short } else { name }.display().to_string()
}

/// An error that belongs to a file as a whole.
pub(super) fn about(file: &str, code: crate::config::Code, message: String) -> Diagnostic {
    let origin = Origin { file: file.into(), line_offset: 0 };
    Diagnostic::error(code, &origin, Place::default(), message)
}
