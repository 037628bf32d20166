//! What the system told about files since somebody looked, and how long each has been at rest.
//!
//! Written by the watcher's thread, read by the thread that looks.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use notify::EventKind;
use notify::event::{AccessKind, AccessMode, ModifyKind};

use crate::clock::{self, Instant};
use crate::limits;

/// The last that was told of a path.
#[derive(Clone, Copy, Debug)]
struct Activity {
    last: Instant,
    /// Somebody wrote and has not closed the file yet.
    open: bool,
}

/// What an event must be about to count.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Interest {
    /// Everything in these but dot-files.
    pub(super) directories: BTreeSet<PathBuf>,
    pub(super) paths: BTreeSet<PathBuf>,
    /// Every directory under watch, to hear when one is taken away.
    pub(super) watched: BTreeSet<PathBuf>,
}

#[derive(Debug, Default)]
struct State {
    activities: HashMap<PathBuf, Activity>,
    /// Watches that are gone: their directory was removed or renamed.
    lost: HashSet<PathBuf>,
    interest: Interest,
    /// Something happened since the last wait ended.
    news: bool,
    rescan: bool,
    /// How often one was asked for.
    rescans: u64,
    stopped: bool,
}

/// Why a wait ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Woken {
    pub(super) rescan: bool,
    /// How many had been asked for by then.
    pub(super) rescans: u64,
    pub(super) stopped: bool,
}

#[derive(Debug, Default)]
pub(super) struct Noticed {
    state: Mutex<State>,
    changed: Condvar,
}

impl Noticed {
    pub(super) fn note(&self, event: &notify::Result<notify::Event>) {
        let mut state = self.lock();
        let Ok(event) = event else {
            // The queue overflowed, say: something may have changed anywhere.
            state.news = true;
            self.changed.notify_one();
            return;
        };
        let Some(change) = Change::of(&event.kind) else { return };
        let now = clock::now();
        for path in event.paths.iter().filter(|_| !event.need_rescan()) {
            if change.takes_away && state.interest.watched.contains(path) {
                state.news = true;
                state.lost.insert(path.clone());
            }
            if state.interest.holds(path) {
                state.news = true;
                state.mark(path, Activity { last: now, open: change.opens });
            }
        }
        state.news |= event.need_rescan();
        if state.news {
            self.changed.notify_one();
        }
    }

    /// All files are to be read again. Says how often that was asked for, this time included.
    pub(super) fn rescan(&self) -> u64 {
        let mut state = self.lock();
        state.rescan = true;
        state.rescans += 1;
        self.changed.notify_one();
        state.rescans
    }

    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_one();
    }

    /// Waits for something to happen, or for `timeout`.
    pub(super) fn wait(&self, timeout: Duration) -> Woken {
        let quiet = |state: &mut State| !(state.news || state.rescan || state.stopped);
        let waited = self.changed.wait_timeout_while(self.lock(), timeout, quiet);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.news = false;
        Woken {
            rescan: std::mem::take(&mut state.rescan),
            rescans: state.rescans,
            stopped: state.stopped,
        }
    }

    /// When the path will have rested; `None` when nothing was told of it.
    pub(super) fn rests_at(&self, path: &Path) -> Option<Instant> {
        self.lock().activities.get(path).map(|activity| activity.rests_at())
    }

    /// Forgets what has rested by `now`.
    pub(super) fn forget_rested(&self, now: Instant) {
        self.lock().activities.retain(|_, activity| activity.rests_at() > now);
    }

    pub(super) fn set_interest(&self, interest: Interest) {
        self.lock().interest = interest;
    }

    pub(super) fn take_lost(&self) -> HashSet<PathBuf> {
        std::mem::take(&mut self.lock().lost)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn mark(&mut self, path: &Path, activity: Activity) {
        if self.activities.len() < limits::FILE_EVENTS || self.activities.contains_key(path) {
            self.activities.insert(path.to_owned(), activity);
        }
    }
}

impl Activity {
    fn rests_at(&self) -> Instant {
        self.last + if self.open { limits::FILE_OPEN_REST } else { limits::FILE_REST }
    }
}

impl Interest {
    fn holds(&self, path: &Path) -> bool {
        if self.paths.contains(path) {
            return true;
        }
        let Some(name) = path.file_name() else { return false };
        let name = name.as_encoded_bytes();
        // `..data` is how a mounted ConfigMap changes.
        let hidden = name.starts_with(b".") && !name.starts_with(b"..");
        !hidden && path.parent().is_some_and(|parent| self.directories.contains(parent))
    }
}

struct Change {
    opens: bool,
    takes_away: bool,
}

impl Change {
    /// `None` for reading, which we do ourselves.
    fn of(kind: &EventKind) -> Option<Self> {
        let opens = match kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
            EventKind::Access(_) => return None,
            EventKind::Modify(ModifyKind::Data(_)) => true,
            _ => false,
        };
        let takes_away =
            matches!(kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)));
        Some(Self { opens, takes_away })
    }
}
