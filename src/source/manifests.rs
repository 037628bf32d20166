//! The files of `-f` once, for whoever wants to change one of them: the same files that a
//! [`Feed`](super::Feed) reads, found and read by the same rules.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::read;
use super::walk::{self, Argument, Bounds};
use crate::config::Diagnostic;
use crate::limits;

/// A file that counts.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// As diagnostics call it.
    pub name: Arc<str>,
    /// Absolute; maybe a symbolic link.
    pub path: PathBuf,
}

/// The files that count, in their order, and what couldn't be looked at.
pub fn list(arguments: &[PathBuf]) -> std::io::Result<(Vec<Manifest>, Vec<Diagnostic>)> {
    let absolute = |typed: &PathBuf| {
        let path = std::path::absolute(typed)?;
        Ok(Argument { typed: typed.clone(), path })
    };
    let arguments = arguments.iter().map(absolute).collect::<std::io::Result<Vec<_>>>()?;
    let walk = walk::walk(&arguments, Bounds::LIMITS);
    let manifest = |(name, entry): (Arc<str>, walk::Entry)| Manifest { name, path: entry.path };
    Ok((walk.files.into_iter().map(manifest).collect(), walk.diagnostics))
}

/// The text of a regular file, or why there is none.
pub fn read(path: &Path) -> Result<String, String> {
    let reading = read::file(path, limits::CONFIG_FILE_BYTES).map_err(|error| error.to_string())?;
    String::from_utf8(reading.bytes).map_err(|_| "this is not UTF-8 text".to_owned())
}

/// The system's words without its number.
pub fn reason(error: &std::io::Error) -> String {
    read::reason(error)
}
