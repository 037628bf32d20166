//! Rollouts of a directory: where they are written, how far they are, and who drives them.
//!
//! ```text
//! shop/.meshctl/rollouts/NAME.yaml                       what is asked: a TrafficRollout
//! shop/.meshctl/state/rollouts/NAMESPACE.NAME.json       how far it is: outlives the runner
//!                              NAMESPACE.NAME.view       the numbers of the last turn
//!                              audit.jsonl               who asked and changed what, a line each
//!                              runner                    locked by the one process that drives
//! ```
//!
//! Proxies are asked at their control doors. This module must not know the command line.

mod endpoints;
mod lock;
mod proxies;
mod record;
mod runner;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

pub use self::lock::Locked;
pub use self::proxies::{Look, Proxies};
pub use self::record::Record;
pub use self::runner::{Runner, Turned};
use super::turn::TurnError;
use super::view::View;
use crate::model::ObjectKey;
use crate::source::manifests::reason;
use crate::store::{Directory, Store, StoreError};

/// Where they are written, in the `.meshctl` of a directory.
pub const DIRECTORY: &str = "rollouts";
const STATE: &str = "state/rollouts";
const AUDIT: &str = "audit.jsonl";

/// A directory with its rollouts. Cheap to clone.
#[derive(Clone)]
pub struct Home {
    mark: PathBuf,
    /// Routes, and whatever else is served.
    files: Store,
    plans: Store,
}

/// What goes wrong around a turn.
#[derive(Debug)]
pub enum HomeError {
    Store(StoreError),
    Turn(TurnError),
    /// Another rollout has the route: which one, as a sentence.
    Held(String),
    Io {
        path: PathBuf,
        doing: &'static str,
        why: String,
    },
}

/// A line of the audit.
#[derive(Debug, Serialize)]
pub struct Audit<'a> {
    pub at: Timestamp,
    pub who: &'a str,
    pub rollout: String,
    pub what: &'a str,
    pub from: String,
    pub to: String,
}

impl Home {
    /// `arguments` are what is served, as `-f` takes it; `mark` is the `.meshctl` of the directory.
    /// The place for rollouts is made when there is something to put there.
    pub fn new(arguments: &[PathBuf], mark: &Path) -> Result<Self, StoreError> {
        let rollouts = mark.join(DIRECTORY);
        let plans = if rollouts.is_dir() { vec![rollouts] } else { Vec::new() };
        Ok(Self {
            mark: mark.to_owned(),
            files: Directory::new(arguments, mark)?.into(),
            plans: Directory::new(&plans, mark)?.into(),
        })
    }

    /// With a place for rollouts.
    pub fn made(mut self) -> Result<Self, HomeError> {
        let rollouts = self.mark.join(DIRECTORY);
        make(&rollouts)?;
        self.plans = Directory::new(&[rollouts], &self.mark)?.into();
        Ok(self)
    }

    pub fn files(&self) -> &Store {
        &self.files
    }

    pub fn plans(&self) -> &Store {
        &self.plans
    }

    /// Where a new rollout is written.
    pub fn plan_file(&self, name: &str) -> PathBuf {
        self.mark.join(DIRECTORY).join(format!("{name}.yaml"))
    }

    /// How far a rollout is; at its beginning where nothing is known.
    pub fn record(&self, rollout: &ObjectKey) -> Result<Record, HomeError> {
        let path = self.state_file(rollout, "json");
        match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| HomeError::Io {
                path,
                doing: "understand",
                why: error.to_string(),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Record::default()),
            Err(error) => Err(failed("read", &path, &error)),
        }
    }

    fn keep(&self, rollout: &ObjectKey, record: &Record) -> Result<(), HomeError> {
        let text = serde_json::to_string_pretty(record).expect("its keys are strings");
        self.write(&self.state_file(rollout, "json"), &text, true)
    }

    /// The numbers of the last turn, where somebody has taken one.
    pub fn view(&self, rollout: &ObjectKey) -> Option<View> {
        let text = fs::read_to_string(self.state_file(rollout, "view")).ok()?;
        serde_json::from_str(&text).ok()
    }

    fn show(&self, rollout: &ObjectKey, view: &View) -> Result<(), HomeError> {
        let text = serde_json::to_string(view).expect("its keys are strings");
        self.write(&self.state_file(rollout, "view"), &text, false)
    }

    /// Nothing is known of a rollout any more; the audit stays.
    pub fn forget(&self, rollout: &ObjectKey) -> Result<(), HomeError> {
        for end in ["json", "view"] {
            let path = self.state_file(rollout, end);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed("remove", &path, &error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub fn audit(&self, line: &Audit<'_>) -> Result<(), HomeError> {
        let path = self.state()?.join(AUDIT);
        let text = serde_json::to_string(line).expect("its keys are strings") + "\n";
        let mut options = OpenOptions::new();
        let file = options.append(true).create(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| failed("write", &path, &error))
    }

    /// The lines about a rollout, the oldest first.
    pub fn audited(&self, rollout: &ObjectKey) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(self.mark.join(STATE).join(AUDIT)).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str(line).ok());
        let name = rollout.to_string();
        lines.filter(|line: &serde_json::Value| line["rollout"] == name.as_str()).collect()
    }

    /// Who drives the rollouts now.
    pub fn driver(&self) -> Option<Locked> {
        lock::holder(&self.mark.join(STATE))
    }

    fn state(&self) -> Result<PathBuf, HomeError> {
        let state = self.mark.join(STATE);
        make(&state)?;
        Ok(state)
    }

    /// A name may hold dots, and end as any file does: no two ends are each other's end.
    fn state_file(&self, rollout: &ObjectKey, end: &str) -> PathBuf {
        let ObjectKey { namespace, name, .. } = rollout;
        self.mark.join(STATE).join(format!("{namespace}.{name}.{end}"))
    }

    /// The whole file or none of it.
    fn write(&self, path: &Path, text: &str, lasts: bool) -> Result<(), HomeError> {
        let state = self.state()?;
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside);
        let written = file.and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            if lasts { file.sync_all() } else { Ok(()) }
        });
        let placed = written
            .and_then(|()| fs::rename(&beside, path))
            .and_then(|()| if lasts { fs::File::open(&state)?.sync_all() } else { Ok(()) });
        placed.map_err(|error| failed("write", path, &error))
    }
}

fn make(path: &Path) -> Result<(), HomeError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| failed("make", path, &error))
}

fn failed(doing: &'static str, path: &Path, error: &io::Error) -> HomeError {
    HomeError::Io { path: path.to_owned(), doing, why: reason(error) }
}

impl From<StoreError> for HomeError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for HomeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Turn(error) => error.fmt(f),
            Self::Held(why) => f.write_str(why),
            Self::Io { path, doing, why } => write!(f, "can't {doing} {}: {why}", path.display()),
        }
    }
}

impl std::error::Error for HomeError {}
