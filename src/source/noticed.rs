//! What the system told about files since somebody looked, and how long each has been at rest.
//!
//! This module must not know who tells it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::clock::Instant;
use crate::limits;

/// What was told of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Somebody wrote and has not closed the file yet.
    Written,
    /// It was closed, or came, or went.
    Settled,
    /// Its permissions are others, which says nothing about who has it open.
    Attributes,
}

#[derive(Clone, Copy, Debug)]
struct Activity {
    last: Instant,
    open: bool,
}

#[derive(Debug, Default)]
pub(super) struct Noticed {
    activities: HashMap<PathBuf, Activity>,
    news: bool,
}

impl Noticed {
    /// Something happened that is worth a look.
    pub(super) fn news(&mut self) {
        self.news = true;
    }

    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    pub(super) fn mark(&mut self, path: PathBuf, told: Told, now: Instant) {
        let known = self.activities.get(&path).map(|activity| activity.open);
        let open = match told {
            Told::Written => true,
            Told::Settled => false,
            Told::Attributes => known.unwrap_or(false),
        };
        if self.activities.len() < limits::FILE_EVENTS || known.is_some() {
            self.activities.insert(path, Activity { last: now, open });
        }
    }

    /// When the path will have rested; `None` when nothing was told of it.
    pub(super) fn rests_at(&self, path: &Path) -> Option<Instant> {
        self.activities.get(path).map(Activity::rests_at)
    }

    /// Forgets what has rested by `now`.
    pub(super) fn forget_rested(&mut self, now: Instant) {
        self.activities.retain(|_, activity| activity.rests_at() > now);
    }
}

impl Activity {
    fn rests_at(&self) -> Instant {
        self.last + if self.open { limits::FILE_OPEN_REST } else { limits::FILE_REST }
    }
}
