//! One change of a directory's files at a time.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use crate::clock;
use crate::limits;
use crate::source::manifests::reason;
use crate::store::StoreError;

const NAME: &str = "lock";

/// Held until it is dropped, or its process is gone.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for others, but not for ever.
    pub(super) fn take(state: &Path, patience: Duration) -> Result<Self, StoreError> {
        let path = state.join(NAME);
        let failed = |doing, path: &Path, error: &std::io::Error| StoreError::Io {
            path: path.to_owned(),
            doing,
            why: reason(error),
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(state)
            .map_err(|error| failed("make", state, &error))?;
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = file.open(&path).map_err(|error| failed("lock", &path, &error))?;
        let until = clock::now() + patience;
        while let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            if error != rustix::io::Errno::WOULDBLOCK && error != rustix::io::Errno::INTR {
                return Err(failed("lock", &path, &error.into()));
            }
            if clock::now() >= until {
                return Err(locked(path, &mut file));
            }
            std::thread::sleep(limits::STORE_LOCK_LOOK);
        }
        // Only for the words of those who wait.
        let named = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
        named.map_err(|error| failed("lock", &path, &error))?;
        Ok(Self { _file: file })
    }
}

fn locked(path: PathBuf, file: &mut File) -> StoreError {
    let mut holder = String::new();
    let read = file.rewind().and_then(|()| file.take(32).read_to_string(&mut holder));
    let known = read.is_ok() && holder.bytes().all(|byte| byte.is_ascii_digit());
    let by = match holder.as_str() {
        holder if known && !holder.is_empty() => format!("process {holder}"),
        _ => "another process".to_owned(),
    };
    StoreError::Locked { path, by }
}
