//! One process drives the rollouts of a directory.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::{HomeError, failed};
use crate::limits;

const NAME: &str = "runner";

/// Held until it is dropped, or its process is gone.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Another process drives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// `None` where it hasn't said yet.
    pub process: Option<u32>,
}

impl Lock {
    pub(super) fn take(state: &Path) -> Result<Result<Self, Locked>, HomeError> {
        let path = state.join(NAME);
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = file.open(&path).map_err(|error| failed("lock", &path, &error))?;
        // Who only looks holds it for a moment, too.
        let mut looks = limits::ROLLOUT_LOCK_LOOKS;
        while let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            match error {
                Errno::WOULDBLOCK | Errno::INTR if looks > 0 => looks -= 1,
                Errno::WOULDBLOCK => return Ok(Err(named(&mut file))),
                error => return Err(failed("lock", &path, &error.into())),
            }
            std::thread::sleep(limits::STORE_LOCK_LOOK);
        }
        // Only for the words of those who find it locked.
        let named = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
        named.map_err(|error| failed("lock", &path, &error))?;
        Ok(Ok(Self { _file: file }))
    }
}

/// Who holds it at the moment.
pub(super) fn holder(state: &Path) -> Option<Locked> {
    let mut file = File::open(state.join(NAME)).ok()?;
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Err(Errno::WOULDBLOCK) => Some(named(&mut file)),
        _ => None,
    }
}

fn named(file: &mut File) -> Locked {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(32).read_to_string(&mut text));
    Locked { process: read.ok().and_then(|_| text.parse().ok()) }
}
