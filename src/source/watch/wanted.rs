//! Which directories are to be under watch, and for what.
//!
//! Directories are watched and never files: editors and ConfigMap mounts put new files under old
//! names.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{ReadFlags, WatchFlags};

use super::super::read::{Inode, inode};
use super::super::walk::{self, Argument, Walk};

/// How a mounted ConfigMap or Secret changes: the kubelet puts another link in its place.
const MOUNT: &str = "..data";

/// What a directory is watched for; the later ones hear all that the earlier ones do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// Directories that come and go in it under certain names: a `-f` directory's parent.
    Names,
    /// Certain files in it, which are read.
    Files,
    /// All of it: the walk went through.
    Tree,
}

/// A directory to be watched.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) path: PathBuf,
    pub(super) purpose: Purpose,
    names: Names,
}

/// What is looked for under a name: the paths by which a look knows the file that is there.
/// None for what is no file.
type Names = BTreeMap<OsString, BTreeSet<PathBuf>>;

/// A name leads to something else, or to nothing, or to what may be read now and might not before.
/// A watched directory that was deleted or unmounted needs no bit: its watch ends, which is told.
const NAMES: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::MOVE_SELF);

/// A file has other contents. CLOSE_WRITE says that its writer has finished; MODIFY that one is
/// at work, without which a slow look could meet half a file, and what is never closed would be
/// seen by slow looks alone. A log beside a file that is read is told of too then: the system
/// folds its events into one, and they are read a few times a second.
const CONTENTS: WatchFlags = WatchFlags::CLOSE_WRITE.union(WatchFlags::MODIFY);

/// A path that is no directory any more isn't what was walked, and what has been unlinked
/// has no name here: whoever still writes to it means another file than we do.
const ONLY: WatchFlags = WatchFlags::ONLYDIR.union(WatchFlags::EXCL_UNLINK);

impl Purpose {
    /// Never OPEN, ACCESS or CLOSE_NOWRITE: reading, ours above all, changes nothing. The parent
    /// of a directory hears nothing of contents: whoever keeps a log there wakes nobody.
    pub(super) fn mask(self) -> WatchFlags {
        match self {
            Self::Names => NAMES | ONLY,
            Self::Files | Self::Tree => NAMES | CONTENTS | ONLY,
        }
    }
}

impl Directory {
    /// Whether a look could find something new where this happened.
    pub(super) fn heeds(&self, name: &OsStr, events: ReadFlags) -> bool {
        if self.names.contains_key(name) {
            return true;
        }
        let bytes = name.as_encoded_bytes();
        // What the walk passes over, but for the link by which a mount changes.
        let hidden = bytes.starts_with(b".") && !bytes.starts_with(b"..");
        if self.purpose != Purpose::Tree || hidden {
            return false;
        }
        // What came or went may be a directory or a link to one, whatever its name.
        let same = ReadFlags::CLOSE_WRITE | ReadFlags::MODIFY | ReadFlags::ATTRIB;
        let elsewhere = events.intersects(same) && !events.contains(ReadFlags::ISDIR);
        !elsewhere || walk::is_configuration(Path::new(name))
    }

    /// The paths by which a look knows what has this name.
    pub(super) fn paths(&self, name: &OsStr) -> impl Iterator<Item = PathBuf> {
        let own = (self.purpose == Purpose::Tree).then(|| self.path.join(name));
        self.names.get(name).into_iter().flatten().cloned().chain(own)
    }
}

/// What the walk went through, and the directories of everything that lies elsewhere.
pub(super) fn wanted(
    walk: &Walk,
    arguments: &[Argument],
    mentioned: &BTreeSet<PathBuf>,
) -> BTreeMap<Inode, Directory> {
    let mut parents = Parents::default();
    for Argument { path, .. } in arguments {
        let walked = walk.directories.values().any(|directory| directory == path);
        parents.add(path, path, if walked { Purpose::Names } else { Purpose::Files });
        parents.mount(path);
    }
    let linked = walk.files.values().filter(|entry| entry.linked).map(|entry| &entry.path);
    for path in linked.chain(mentioned) {
        if let Ok(target) = path.canonicalize() {
            parents.add(&target, path, Purpose::Files);
        }
    }
    for path in mentioned {
        parents.add(path, path, Purpose::Files);
        parents.mount(path);
    }
    let tree = |path: &PathBuf| Directory {
        path: path.clone(),
        purpose: Purpose::Tree,
        names: Names::new(),
    };
    let mut wanted: BTreeMap<Inode, Directory> =
        walk.directories.iter().map(|(inode, path)| (*inode, tree(path))).collect();
    for (path, (purpose, names)) in parents.0 {
        // Where it is missing, the slow looks find what comes.
        let Ok(metadata) = path.metadata() else { continue };
        let new = || Directory { path, purpose, names: Names::new() };
        let directory = wanted.entry(inode(&metadata)).or_insert_with(new);
        directory.purpose = directory.purpose.max(purpose);
        for (name, paths) in names {
            directory.names.entry(name).or_default().extend(paths);
        }
    }
    wanted
}

/// Directories by path, which are looked up once however many files lie in them.
#[derive(Default)]
struct Parents(BTreeMap<PathBuf, (Purpose, Names)>);

impl Parents {
    fn add(&mut self, path: &Path, known_as: &Path, purpose: Purpose) {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return };
        self.names(parent, name, purpose).insert(known_as.to_owned());
    }

    /// A file that lies in a mount changes by the mount's link.
    fn mount(&mut self, path: &Path) {
        if let Some(parent) = path.parent() {
            self.names(parent, OsStr::new(MOUNT), Purpose::Names);
        }
    }

    fn names(&mut self, parent: &Path, name: &OsStr, purpose: Purpose) -> &mut BTreeSet<PathBuf> {
        let new = || (purpose, Names::new());
        let (known, names) = self.0.entry(parent.to_owned()).or_insert_with(new);
        *known = (*known).max(purpose);
        names.entry(name.to_owned()).or_default()
    }
}
