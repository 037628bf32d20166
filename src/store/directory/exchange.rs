//! New bytes in the place of old ones: all or nothing, for every file of a change.
//!
//! What is to be done is written down first (the journal), then each file is written beside its
//! place, and the two change places at once. What came out is compared with what was read: a file
//! that somebody replaced in that very moment is put back. A process that dies leaves the journal,
//! and whoever takes the lock next clears up: a change of which all files are in place has
//! happened, of any other nothing has.
//!
//! This module must not know what the bytes mean. Its callers hold the lock.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::limits;
use crate::source::manifests::reason;
use crate::store::StoreError;

const JOURNAL: &str = "journal";
const FRESH_JOURNAL: &str = "journal.new";
/// How the names of what is written beside a file end.
const PART: &str = ".meshctl-part";
const WHOLE: &str = ".meshctl";

/// A file before and after; `None` where there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Absolute, no symbolic link.
    pub path: PathBuf,
    pub before: Option<String>,
    pub after: Option<String>,
}

impl FileChange {
    #[must_use]
    pub fn reversed(&self) -> Self {
        let Self { path, before, after } = self.clone();
        Self { path, before: after, after: before }
    }
}

/// Told before each step; a test ends the process there.
pub(super) type Watcher = fn(&str);

pub(super) struct Exchange<'a> {
    /// Where the journal is.
    pub(super) state: &'a Path,
    pub(super) watcher: Watcher,
}

/// Why a change of files wasn't made.
#[derive(Debug)]
pub(super) enum Failed {
    /// Somebody has changed this one since it was read.
    Changed(PathBuf),
    Error(StoreError),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Error(error)
    }
}

impl Exchange<'_> {
    /// Makes all changes or none.
    pub(super) fn make(&self, changes: &[FileChange]) -> Result<(), Failed> {
        for change in changes {
            may_be_replaced(change)?;
        }
        self.note(changes)?;
        let mut made = Vec::new();
        for change in changes {
            match self.one(change) {
                Ok(()) => made.push(change.reversed()),
                Err(failed) => return Err(self.take_back(&made, failed)),
            }
        }
        (self.watcher)("forget");
        self.forget()?;
        Ok(())
    }

    fn take_back(&self, made: &[FileChange], why: Failed) -> Failed {
        let mut left = Vec::new();
        for change in made.iter().rev() {
            if self.one(change).is_err() {
                left.push(change.path.display().to_string());
            }
        }
        match (self.forget(), why) {
            (Ok(()), why) if left.is_empty() => why,
            (Err(error), _) if left.is_empty() => Failed::Error(error),
            (_, Failed::Changed(path)) => {
                let why = StoreError::Refused { path, why: "it was changed meanwhile".into() };
                Failed::Error(StoreError::Torn { why: Box::new(why), left })
            }
            (_, Failed::Error(why)) => Failed::Error(StoreError::Torn { why: Box::new(why), left }),
        }
    }

    /// Clears up after a process that died: see the module's words.
    pub(super) fn recover(&self) -> Result<(), StoreError> {
        // Of a process that died before it was the journal: then nothing else has happened.
        remove(&self.state.join(FRESH_JOURNAL))?;
        let path = self.state.join(JOURNAL);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed("read", &path, &error)),
        };
        let changes: Vec<FileChange> = serde_json::from_str(&text).map_err(|error| {
            let why = format!("it can't be understood ({error}): look at it and remove it");
            StoreError::Refused { path: path.clone(), why }
        })?;
        for change in &changes {
            self.recover_one(change)?;
        }
        let happened = |change: &FileChange| now(&change.path).is_ok_and(|now| now == change.after);
        let nothing = |change: &FileChange| now(&change.path).is_ok_and(|now| now == change.before);
        if !changes.iter().all(happened) && !changes.iter().all(nothing) {
            for change in changes.iter().filter(|change| happened(change)) {
                self.one(&change.reversed()).map_err(|failed| match failed {
                    Failed::Error(error) => error,
                    Failed::Changed(path) => {
                        StoreError::Refused { path, why: "it is being changed".into() }
                    }
                })?;
            }
        }
        self.forget()
    }

    /// What stands beside a file is either ours, or what somebody put in its place in the moment
    /// of the exchange; then it goes back there.
    fn recover_one(&self, change: &FileChange) -> Result<(), StoreError> {
        let beside = beside(&change.path, WHOLE);
        remove(&self::beside(&change.path, PART))?;
        let Some(held) = now(&beside)? else { return Ok(()) };
        let is_ours = |text: &Option<String>| *text == change.before || *text == change.after;
        if !is_ours(&Some(held)) && is_ours(&now(&change.path)?) {
            exchange(&beside, &change.path)?;
        }
        remove(&beside)
    }

    fn note(&self, changes: &[FileChange]) -> Result<(), StoreError> {
        let text = serde_json::to_string(changes).expect("paths were text when they were read");
        let (fresh, path) = (self.state.join(FRESH_JOURNAL), self.state.join(JOURNAL));
        (self.watcher)("note");
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(&fresh);
        let written = file.and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        (self.watcher)("journal");
        let renamed = written.and_then(|()| fs::rename(&fresh, &path));
        renamed.and_then(|()| sync(self.state)).map_err(|error| failed("write", &path, &error))
    }

    fn forget(&self) -> Result<(), StoreError> {
        remove(&self.state.join(JOURNAL))
    }

    fn one(&self, change: &FileChange) -> Result<(), Failed> {
        let FileChange { path, before, after } = change;
        match (before, after) {
            (_, None) => {
                if now(path)? != *before {
                    return Err(Failed::Changed(path.clone()));
                }
                (self.watcher)("remove");
                Ok(remove(path)?)
            }
            (None, Some(after)) => {
                let fresh = self.fresh(path, after, None)?;
                (self.watcher)("place");
                // A link is made only where nothing is, on every file system.
                let placed = fs::hard_link(&fresh, path);
                remove(&fresh)?;
                placed.map_err(|error| match error.kind() {
                    io::ErrorKind::AlreadyExists => Failed::Changed(path.clone()),
                    _ => Failed::Error(failed("write", path, &error)),
                })
            }
            (Some(before), Some(after)) => self.replace(path, before, after),
        }
    }

    fn replace(&self, path: &Path, before: &str, after: &str) -> Result<(), Failed> {
        let there = fs::metadata(path).map_err(|error| failed("read", path, &error))?;
        let fresh = self.fresh(path, after, Some(&there))?;
        (self.watcher)("exchange");
        match exchange(&fresh, path) {
            Ok(true) => {}
            Ok(false) if now(path)?.as_deref() == Some(before) => {
                let renamed = fs::rename(&fresh, path).and_then(|()| sync(folder(path)));
                return Ok(renamed.map_err(|error| failed("write", path, &error))?);
            }
            Ok(false) => {
                remove(&fresh)?;
                return Err(Failed::Changed(path.to_owned()));
            }
            Err(error) => {
                remove(&fresh)?;
                return Err(error.into());
            }
        }
        (self.watcher)("compare");
        if now(&fresh)?.as_deref() != Some(before) {
            exchange(&fresh, path)?;
            remove(&fresh)?;
            return Err(Failed::Changed(path.to_owned()));
        }
        (self.watcher)("clear");
        Ok(remove(&fresh)?)
    }

    /// A file with these bytes beside `path`, with the mode and owner of what is there. Under its
    /// name it is whole.
    fn fresh(&self, path: &Path, text: &str, like: Option<&Metadata>) -> Result<PathBuf, Failed> {
        let (part, whole) = (beside(path, PART), beside(path, WHOLE));
        (self.watcher)("write");
        // Of a process that was killed; what it was for has been cleared up.
        remove(&part)?;
        let written = write(&part, text, like).and_then(|()| {
            (self.watcher)("written");
            fs::rename(&part, &whole)
        });
        if let Err(error) = written {
            // A full disk: the half that was written goes, and why is told.
            let _ = fs::remove_file(&part);
            return Err(failed("write", path, &error).into());
        }
        Ok(whole)
    }
}

fn write(path: &Path, text: &str, like: Option<&Metadata>) -> io::Result<()> {
    let mode = if like.is_some() { 0o600 } else { 0o666 };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())?;
    if let Some(like) = like {
        let made = file.metadata()?;
        if (made.uid(), made.gid()) != (like.uid(), like.gid()) {
            fchown(&file, Some(like.uid()), Some(like.gid()))?;
        }
        file.set_permissions(Permissions::from_mode(like.mode() & 0o7777))?;
    }
    file.sync_all()
}

/// Whether a new file may take the place of this one without anybody losing something.
fn may_be_replaced(change: &FileChange) -> Result<(), StoreError> {
    let path = &change.path;
    let refused = |why: &str| StoreError::Refused { path: path.clone(), why: why.to_owned() };
    if path.to_str().is_none() {
        return Err(refused("its name is no text"));
    }
    let longest = change.after.as_ref().map_or(0, String::len) as u64;
    if longest > limits::CONFIG_FILE_BYTES {
        return Err(refused("it would be too large to be read"));
    }
    if change.before.is_none() {
        return Ok(());
    }
    let there = fs::symlink_metadata(path).map_err(|error| failed("read", path, &error))?;
    if there.nlink() > 1 {
        return Err(refused("it has other names (hard links), under which it would not change"));
    }
    let mine = rustix::process::geteuid();
    if !mine.is_root() && there.uid() != mine.as_raw() {
        return Err(refused("it belongs to another user, and would belong to this one"));
    }
    if there.mode() & 0o222 == 0 {
        return Err(refused("it is read-only"));
    }
    Ok(())
}

/// In the same directory, so that it is on the same file system; a dot-file, so that nobody reads
/// it.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(end);
    path.with_file_name(name)
}

/// Both change places at once. `false`: the file system can't do that.
fn exchange(fresh: &Path, path: &Path) -> Result<bool, StoreError> {
    match renameat_with(CWD, fresh, CWD, path, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Ok(false),
        Err(error) => Err(failed("write", path, &error.into())),
    }
}

fn now(path: &Path) -> Result<Option<String>, StoreError> {
    match fs::read(path) {
        // What isn't text isn't what anybody read here.
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path, &error)),
    }
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Ok(()) => sync(folder(path)).map_err(|error| failed("write", path, &error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed("remove", path, &error)),
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn failed(doing: &'static str, path: &Path, error: &io::Error) -> StoreError {
    StoreError::Io { path: path.to_owned(), doing, why: reason(error) }
}
