//! Files as texts, once: for whoever reads them in another way than the proxy does.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::files::{Files, News};
use crate::clock;
use crate::config::Diagnostic;

/// What is there, by the names that diagnostics have for it.
#[derive(Debug, Default)]
pub struct Texts {
    pub texts: BTreeMap<Arc<str>, Arc<str>>,
    /// Of what can't be read.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads files, directories and `-`, by the rules and within the bounds that hold for a
/// configuration. Fails only where the program has no working directory.
pub fn texts(files: &[PathBuf]) -> io::Result<Texts> {
    let batch = Files::new(files)?.load(clock::now());
    let mut found = Texts { diagnostics: batch.diagnostics, ..Texts::default() };
    for (name, news) in batch.files {
        match news {
            News::Is { text, .. } => drop(found.texts.insert(name, text)),
            News::Unreadable(diagnostics) => found.diagnostics.extend(diagnostics),
            News::Gone => {}
        }
    }
    Ok(found)
}
