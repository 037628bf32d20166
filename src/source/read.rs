//! One file into bytes, within its bound, and the stamp by which a change is seen.
//!
//! This module must not know what the bytes mean.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// What differs when a file was written, replaced or given other permissions. The change time
/// counts because tools that copy keep the modification time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) inode: Inode,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// (device, inode)
pub(super) type Inode = (u64, u64);

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            inode: inode(metadata),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    pub(super) fn at(path: &Path) -> Option<Self> {
        path.metadata().ok().map(|metadata| Self::of(&metadata))
    }
}

pub(super) fn inode(metadata: &Metadata) -> Inode {
    (metadata.dev(), metadata.ino())
}

#[derive(Debug)]
pub(super) struct Reading {
    pub(super) bytes: Vec<u8>,
    /// Of before the reading: what is written during it is seen at the next look.
    pub(super) stamp: Stamp,
    /// Nobody wrote meanwhile.
    pub(super) steady: bool,
}

#[derive(Debug)]
pub(super) enum ReadError {
    Io(io::Error),
    /// More bytes than the bound.
    TooLarge(u64),
    NotAFile,
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => f.write_str(&reason(error)),
            Self::TooLarge(most) => write!(f, "it has more than {most} bytes"),
            Self::NotAFile => f.write_str("it is no regular file"),
        }
    }
}

/// The system's words without its number.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let end = text.find(" (os error").unwrap_or(text.len());
    let mut words = text[..end].to_owned();
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    words
}

/// Reads a regular file. A FIFO or a device that took its name doesn't hold the reader up.
pub(super) fn file(path: &Path, most: u64) -> Result<Reading, ReadError> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(flags).open(path).map_err(ReadError::Io)?;
    let before = file.metadata().map_err(ReadError::Io)?;
    if !before.is_file() {
        return Err(ReadError::NotAFile);
    }
    let stamp = Stamp::of(&before);
    let bytes = bounded(&file, most)?;
    let after = file.metadata().map_err(ReadError::Io)?;
    Ok(Reading { bytes, stamp, steady: Stamp::of(&after) == stamp })
}

/// Reads what has an end and no name that can be read twice: standard input, a pipe.
pub(super) fn stream(path: Option<&Path>, most: u64) -> Result<Vec<u8>, ReadError> {
    match path {
        None => bounded(io::stdin().lock(), most),
        Some(path) => bounded(File::open(path).map_err(ReadError::Io)?, most),
    }
}

fn bounded(source: impl Read, most: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    source.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(ReadError::Io)?;
    if bytes.len() as u64 > most {
        return Err(ReadError::TooLarge(most));
    }
    Ok(bytes)
}
