//! Why a change isn't made: whose word stands against it, and what to do.

use std::fmt;
use std::path::PathBuf;

use crate::cluster::ClusterError;
use crate::model::ObjectKey;
use crate::yaml::{Difference, EditError};

#[derive(Clone, Debug, PartialEq)]
pub enum StoreError {
    /// There is no such object; `unread` are files that may hold it.
    NotFound {
        key: ObjectKey,
        unread: Vec<String>,
    },
    /// It stands in more than one place.
    Duplicate {
        key: ObjectKey,
        places: Vec<String>,
    },
    /// What is written isn't a good object.
    Broken {
        key: ObjectKey,
        place: String,
    },
    /// Somebody else has changed it. Of a cluster's word only the message is known.
    Conflict {
        what: String,
        difference: Option<Box<Difference>>,
        message: String,
    },
    /// The text of a file can't be changed like this.
    Edit {
        file: String,
        error: EditError,
    },
    /// What was created is there already.
    Exists(String),
    /// A file can't be read or written as it has to be.
    Refused {
        path: PathBuf,
        why: String,
    },
    /// The system's word on a file; nothing was changed.
    Io {
        path: PathBuf,
        doing: &'static str,
        why: String,
    },
    /// Another process changes files of the same directory.
    Locked {
        path: PathBuf,
        by: String,
    },
    /// A change failed half way, and what it had done couldn't be taken back either.
    Torn {
        why: Box<Self>,
        left: Vec<String>,
    },
    /// Standard input and pipes.
    Stream(PathBuf),
    /// A kind that the API server's table has no row for.
    Unserved(ObjectKey),
    Cluster(ClusterError),
    /// The thread that worked on files is gone.
    Interrupted(String),
}

impl StoreError {
    /// What whoever asked can do.
    pub fn advice(&self) -> Option<String> {
        Some(match self {
            Self::NotFound { unread, .. } if !unread.is_empty() => {
                format!("it may be in what can't be read: {}", unread.join("; "))
            }
            Self::Duplicate { .. } => "keep one of them".into(),
            Self::Broken { .. } => "`meshctl check` says what is wrong with it".into(),
            Self::Conflict { .. } => "look at what it is now, and try again".into(),
            Self::Edit { error, .. } => return error.advice(),
            Self::Locked { .. } => "try again when it is done".into(),
            Self::Torn { left, .. } => format!("look at {}", left.join(", ")),
            Self::Stream(_) => "name a file or a directory: -f DIR".into(),
            Self::Cluster(error) => return error.advice(),
            _ => return None,
        })
    }

    /// Whether the same change may succeed a little later.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Locked { .. } => true,
            Self::Cluster(error) => error.may_pass(),
            _ => false,
        }
    }
}

impl From<ClusterError> for StoreError {
    fn from(error: ClusterError) -> Self {
        match error {
            ClusterError::Conflict { what, message } => {
                Self::Conflict { what, difference: None, message }
            }
            other => Self::Cluster(other),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { key, .. } => write!(f, "there is no {key}"),
            Self::Duplicate { key, places } => {
                write!(f, "{key} is there more than once: {}", places.join(", "))
            }
            Self::Broken { key, place } => write!(f, "{key} in {place} has errors"),
            Self::Conflict { what, difference: Some(difference), .. } => {
                write!(f, "{what} was changed meanwhile: {difference}")
            }
            Self::Conflict { what, message, .. } => {
                write!(f, "{what} was changed meanwhile: {message}")
            }
            Self::Edit { file, error } => match error.place() {
                Some(_) => write!(f, "{file}, {error}"),
                None => write!(f, "{file}: {error}"),
            },
            Self::Exists(what) => write!(f, "{what} is there already"),
            Self::Refused { path, why } => write!(f, "{} stays: {why}", path.display()),
            Self::Io { path, doing, why } => write!(f, "can't {doing} {}: {why}", path.display()),
            Self::Locked { path, by } => {
                write!(f, "another change is on its way ({by} holds {})", path.display())
            }
            Self::Torn { why, left } => {
                write!(f, "{why}; and a part of the change is left in {}", left.join(", "))
            }
            Self::Stream(path) if path.as_os_str() == "-" => {
                f.write_str("what came from standard input can't be changed")
            }
            Self::Stream(path) => write!(f, "{} is no file that can be changed", path.display()),
            Self::Unserved(key) => write!(f, "{key} is of a kind that no API server is asked for"),
            Self::Cluster(error) => error.fmt(f),
            Self::Interrupted(why) => write!(f, "the change was interrupted: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}
