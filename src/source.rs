//! The world over time into changes: files first.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::clock;
use crate::config::Diagnostic;
use crate::config::decode::{self, Decoded};
use crate::config::flags::Options;
use crate::config::index::{Content, Index};
use crate::config::lower::Lowering;
use crate::config::raw::Object;
use crate::model::Store;
use crate::snapshot::Changes;
use crate::yaml;

/// What one change of the world brought.
#[derive(Debug, Default)]
pub struct Update {
    pub changes: Changes,
    pub diagnostics: Vec<Diagnostic>,
    pub counters: Counters,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    pub documents_parsed: u64,
    pub parts_lowered: u64,
}

/// Files and flags, lowered.
#[derive(Debug)]
pub struct Feed {
    paths: Vec<PathBuf>,
    index: Index,
    lowering: Lowering,
    texts: BTreeMap<Arc<str>, Arc<str>>,
}

impl Feed {
    pub fn new(paths: Vec<PathBuf>, objects: Vec<Object>, options: Options) -> Self {
        let mut index = Index::new();
        for object in objects {
            index.apply(object);
        }
        Self { paths, index, lowering: Lowering::new(options), texts: BTreeMap::new() }
    }

    pub fn text(&self, file: &str) -> Option<Arc<str>> {
        self.texts.get(file).cloned()
    }

    pub fn rescan(&mut self) {}

    pub async fn load(&mut self) -> Update {
        self.read()
    }

    pub async fn next(&mut self) -> Update {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let now = self.files();
            if now != self.texts {
                return self.read();
            }
        }
    }

    fn files(&self) -> BTreeMap<Arc<str>, Arc<str>> {
        let mut found = BTreeMap::new();
        for path in &self.paths {
            walk(path, &mut found);
        }
        found
    }

    fn read(&mut self) -> Update {
        let now = self.files();
        let mut parsed = 0;
        for gone in self.texts.keys().filter(|file| !now.contains_key(*file)) {
            self.index.remove(gone);
        }
        for (file, text) in &now {
            if self.texts.get(file) == Some(text) {
                continue;
            }
            let mut diagnostics = Vec::new();
            let mut contents = Vec::new();
            for document in yaml::documents(text) {
                parsed += 1;
                let decoded = decode::read(&document, file, Store::Files, &mut diagnostics);
                for decoded in decoded.flatten() {
                    match decoded {
                        Decoded::Object(object) => contents.push(Content::Good((*object).into())),
                        Decoded::Broken(Some(key)) => contents.push(Content::Broken(key)),
                        _ => {}
                    }
                }
            }
            self.index.replace(file, contents, diagnostics);
        }
        self.texts = now;
        let seconds = i64::try_from(clock::since_epoch().as_secs()).unwrap_or(i64::MAX);
        let lowered = self.lowering.commit(&mut self.index, seconds);
        Update {
            changes: lowered.changes,
            diagnostics: lowered.diagnostics,
            counters: Counters {
                documents_parsed: parsed,
                parts_lowered: lowered.counters.parts_lowered as u64,
            },
        }
    }
}

fn walk(path: &Path, found: &mut BTreeMap<Arc<str>, Arc<str>>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if !name.to_string_lossy().starts_with('.') {
                walk(&entry.path(), found);
            }
        }
    } else if let Ok(text) = std::fs::read_to_string(path) {
        found.insert(path.display().to_string().into(), text.into());
    }
}
