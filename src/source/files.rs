//! The files of the command line as they were last read, and what a look at them changes.
//!
//! A look is a walk, and the reading of what is new and at rest. Files that change together are
//! applied together: while one of them still moves, the others wait a moment for it.
//!
//! This module must not know who wakes it.

mod assembly;
mod summary;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::assembly::Assembly;
pub use self::summary::{Counters, Summary};
use super::contents::{self, Placed};
use super::mentioned::Mentioned;
use super::noticed::Noticed;
use super::read::{self, ReadError, Stamp};
use super::walk::{self, Argument, Bounds, Walk, about};
use crate::clock::Instant;
use crate::config::codes;
use crate::config::index::Content;
use crate::config::raw::{Object, Origin, Place};
use crate::config::{Diagnostic, Severity};
use crate::limits;
use crate::model::ObjectKey;

/// What is to be done about one file.
#[derive(Debug)]
pub(super) enum News {
    Is {
        text: Arc<str>,
        contents: Vec<Content>,
        diagnostics: Vec<Diagnostic>,
    },
    /// What it held stays.
    Unreadable(Vec<Diagnostic>),
    Gone,
}

/// Changes that are applied at once.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) files: Vec<(Arc<str>, News)>,
    /// About what isn't one file: a directory, an argument.
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) summary: Summary,
    pub(super) counters: Counters,
    /// How many rescans have been made by now.
    pub(super) rescans: u64,
}

/// What came of a look.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) walk: Walk,
    pub(super) batch: Option<Batch>,
    /// When something will have rested.
    pub(super) again: Option<Instant>,
}

#[derive(Debug, Default)]
struct File {
    path: PathBuf,
    stamp: Option<Stamp>,
    text: Arc<str>,
    documents: Vec<Placed>,
    /// What the index holds of it: good or kept.
    held: BTreeSet<ObjectKey>,
    /// Objects with the bytes of their files, to be the same as long as these are.
    attached: HashMap<ObjectKey, Arc<Object>>,
    mentions: BTreeSet<PathBuf>,
    /// Why it could not be read the last time.
    trouble: Vec<Diagnostic>,
}

/// A path that differs from what was read.
#[derive(Clone, Copy, Debug)]
struct Pending {
    stamp: Option<Stamp>,
    since: Instant,
    first: Instant,
}

#[derive(Debug)]
pub(super) struct Files {
    arguments: Vec<Argument>,
    /// Standard input and pipes, which are read once.
    streams: Vec<Argument>,
    files: BTreeMap<Arc<str>, File>,
    mentioned: Mentioned,
    pending: BTreeMap<PathBuf, Pending>,
    bytes: u64,
    said: Vec<Diagnostic>,
    /// What the walk says now, where that is something else, and since when.
    news: Option<(Vec<Diagnostic>, Instant)>,
    hidden: usize,
    counters: Counters,
}

impl Files {
    pub(super) fn new(arguments: &[PathBuf]) -> io::Result<Self> {
        let mut files = Self {
            arguments: Vec::new(),
            streams: Vec::new(),
            files: BTreeMap::new(),
            mentioned: Mentioned::default(),
            pending: BTreeMap::new(),
            bytes: 0,
            said: Vec::new(),
            news: None,
            hidden: 0,
            counters: Counters::default(),
        };
        for typed in arguments {
            let path = std::path::absolute(typed)?;
            let argument = Argument { typed: typed.clone(), path };
            let is_stream = || {
                let metadata = argument.path.metadata();
                metadata.is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
            };
            if is_standard_input(typed) || is_stream() {
                files.streams.push(argument);
            } else {
                files.arguments.push(argument);
            }
        }
        Ok(files)
    }

    pub(super) fn arguments(&self) -> &[Argument] {
        &self.arguments
    }

    /// Every file that an annotation names.
    pub(super) fn mentions(&self) -> BTreeSet<PathBuf> {
        self.files.values().flat_map(|file| file.mentions.iter().cloned()).collect()
    }

    /// The first reading: everything at once, at rest or not, streams to their end.
    pub(super) fn load(&mut self, now: Instant) -> Batch {
        let mut batch = Batch::default();
        for argument in std::mem::take(&mut self.streams) {
            self.stream(&argument, &mut batch);
        }
        self.look(now, None, batch).batch.unwrap_or_default()
    }

    /// All files are read again at the next look; what they say is compared, as always.
    pub(super) fn distrust(&mut self) {
        for file in self.files.values_mut() {
            file.stamp = None;
        }
        for path in self.mentions() {
            self.mentioned.forget(&path);
        }
    }

    /// Compares what is there with what was read. Without `noticed` nothing waits for rest.
    pub(super) fn look(&mut self, now: Instant, noticed: Option<&Noticed>, batch: Batch) -> Look {
        let walk = walk::walk(&self.arguments, Bounds::LIMITS);
        let changed = self.changed(&walk, now);
        let rests_at = |path: &Path, pending: &Pending| match noticed {
            None => now,
            Some(noticed) => noticed.rests_at(path).unwrap_or(pending.since + limits::FILE_REST),
        };
        let times = changed.iter().map(|path| (path, self.pending[path]));
        let (mut rested, mut again, mut first) = (BTreeSet::new(), None::<Instant>, now);
        for (path, pending) in times {
            let at = rests_at(path, &pending);
            first = first.min(pending.first);
            if at <= now {
                rested.insert(path.clone());
            } else {
                again = Some(again.map_or(at, |again| again.min(at)));
            }
        }
        if let Some(since) = self.news_since(&walk, now) {
            let at = if noticed.is_none() { now } else { since + limits::FILE_REST };
            if at > now {
                again = Some(again.map_or(at, |again| again.min(at)));
            }
        }
        let waits = again.is_some() && first + limits::FILE_BATCH > now;
        let news = !waits && self.said != walk.diagnostics;
        self.hidden = walk.hidden;
        let mut batch = batch;
        if !waits {
            self.apply(&walk, &rested, noticed.is_some(), &mut batch);
        }
        if news {
            self.said.clone_from(&walk.diagnostics);
        }
        let worth = noticed.is_none() || news || !batch.files.is_empty();
        let batch = worth.then(|| Batch { files: batch.files, ..self.nothing() });
        Look { walk, batch, again }
    }

    /// A batch that changes no file.
    pub(super) fn nothing(&mut self) -> Batch {
        Batch {
            files: Vec::new(),
            diagnostics: self.said.clone(),
            summary: self.summary(),
            counters: std::mem::take(&mut self.counters),
            rescans: 0,
        }
    }

    /// Since when the walk says something else than what was told; editors take files away for
    /// a moment.
    fn news_since(&mut self, walk: &Walk, now: Instant) -> Option<Instant> {
        if self.said == walk.diagnostics {
            self.news = None;
            return None;
        }
        let new = || (walk.diagnostics.clone(), now);
        let news = self.news.take().filter(|(said, _)| *said == walk.diagnostics);
        Some(self.news.insert(news.unwrap_or_else(new)).1)
    }

    /// The paths that differ from what was read, each with since when.
    fn changed(&mut self, walk: &Walk, now: Instant) -> BTreeSet<PathBuf> {
        let mut differs: BTreeMap<PathBuf, Option<Stamp>> = BTreeMap::new();
        for (name, entry) in &walk.files {
            let known = self.files.get(name).and_then(|file| file.stamp);
            if known != Some(entry.stamp) {
                differs.insert(entry.path.clone(), Some(entry.stamp));
            }
        }
        for (name, file) in &self.files {
            let watched = !file.path.as_os_str().is_empty();
            if watched && !walk.files.contains_key(name) && !walk.may_hold(&file.path) {
                differs.insert(file.path.clone(), None);
            }
        }
        for path in self.mentions() {
            let stamp = Stamp::at(&path);
            if self.mentioned.has_changed(&path, stamp) {
                differs.insert(path, stamp);
            }
        }
        self.pending.retain(|path, _| differs.contains_key(path));
        for (path, stamp) in &differs {
            let new = Pending { stamp: *stamp, since: now, first: now };
            let pending = self.pending.entry(path.clone()).or_insert(new);
            if pending.stamp != *stamp {
                *pending = Pending { first: pending.first, ..new };
            }
        }
        differs.into_keys().collect()
    }

    fn apply(&mut self, walk: &Walk, rested: &BTreeSet<PathBuf>, patient: bool, batch: &mut Batch) {
        let mut stale: BTreeSet<Arc<str>> = BTreeSet::new();
        for path in self.mentions().intersection(rested) {
            self.mentioned.read(path);
            self.pending.remove(path);
            let users = self.files.iter().filter(|(_, file)| file.mentions.contains(path));
            stale.extend(users.map(|(name, _)| name.clone()));
        }
        let gone: Vec<Arc<str>> = self
            .files
            .iter()
            .filter(|(name, file)| rested.contains(&file.path) && !walk.files.contains_key(*name))
            .map(|(name, _)| name.clone())
            .collect();
        for name in gone {
            stale.remove(&name);
            if let Some(file) = self.files.remove(&name) {
                self.pending.remove(&file.path);
                self.bytes -= file.text.len() as u64;
                batch.files.push((name, News::Gone));
            }
        }
        for (name, entry) in walk.files.iter().filter(|(_, entry)| rested.contains(&entry.path)) {
            let known = self.files.get(name).and_then(|file| file.stamp);
            if known == Some(entry.stamp) {
                continue;
            }
            stale.remove(name);
            self.read(name, entry, patient, batch);
        }
        for name in stale {
            let news = self.assemble(&name);
            batch.files.push((name, news));
        }
        let mentions = self.mentions();
        self.mentioned.keep(&mentions);
    }

    /// The patient leave a file for later that was written while it was read.
    fn read(&mut self, name: &Arc<str>, entry: &walk::Entry, patient: bool, batch: &mut Batch) {
        let reading = read::file(&entry.path, limits::CONFIG_FILE_BYTES);
        if patient && reading.as_ref().is_ok_and(|reading| !reading.steady) {
            return;
        }
        let file = self.files.entry(name.clone()).or_default();
        file.path = entry.path.clone();
        // What failed is tried again at the next look.
        file.stamp = reading.as_ref().ok().map(|reading| reading.stamp);
        self.counters.files_read += usize::from(reading.is_ok());
        self.pending.remove(&entry.path);
        let news = self.take(name, reading.map(|reading| reading.bytes));
        let file = self.files.entry(name.clone()).or_default();
        let trouble = match &news {
            News::Unreadable(diagnostics) => diagnostics.clone(),
            News::Is { .. } | News::Gone => Vec::new(),
        };
        let known = !trouble.is_empty() && file.trouble == trouble;
        file.trouble = trouble;
        if !known {
            batch.files.push((name.clone(), news));
        }
    }

    fn stream(&mut self, argument: &Argument, batch: &mut Batch) {
        let name: Arc<str> = argument.typed.display().to_string().into();
        let path = (!is_standard_input(&argument.typed)).then_some(&*argument.path);
        let result = read::stream(path, limits::CONFIG_FILE_BYTES);
        self.files.entry(name.clone()).or_default();
        self.counters.files_read += 1;
        let news = self.take(&name, result);
        batch.files.push((name, news));
    }

    /// New bytes of a file, or why there are none.
    fn take(&mut self, name: &Arc<str>, result: Result<Vec<u8>, ReadError>) -> News {
        let others = self.bytes - self.files.get(name).map_or(0, |file| file.text.len() as u64);
        let text = match text(name, result) {
            Ok(text) => text,
            Err(diagnostic) => return News::Unreadable(vec![*diagnostic]),
        };
        if others + text.len() as u64 > limits::CONFIG_BYTES {
            let most = limits::CONFIG_BYTES >> 20;
            let message = format!("with this file, all files together exceed {most} MiB");
            return News::Unreadable(vec![about(name, codes::FILE_TOO_LARGE, message)]);
        }
        let file = self.files.entry(name.clone()).or_default();
        if text.trim_ascii().is_empty() && !file.held.is_empty() {
            let mut empty =
                about(name, codes::FILE_EMPTY, "the file is empty: what it held stays".into());
            empty.severity = Severity::Warning;
            return News::Unreadable(vec![empty.help("remove the file to remove its objects")]);
        }
        let (documents, parsed) = contents::documents(&text, name, &file.documents);
        self.counters.documents_parsed += parsed;
        self.bytes = others + text.len() as u64;
        file.text = text.into();
        file.documents = documents;
        self.assemble(name)
    }

    /// What a file holds, its objects with the bytes of the files that they mention.
    fn assemble(&mut self, name: &Arc<str>) -> News {
        let Some(file) = self.files.get_mut(name) else { return News::Gone };
        let mut assembly = Assembly::default();
        // What was typed as a relative path is relative to where the program runs.
        let manifest = if file.path.as_os_str().is_empty() {
            std::path::absolute("-").unwrap_or_default()
        } else {
            file.path.clone()
        };
        for placed in &file.documents {
            assembly.diagnostics.extend(placed.diagnostics());
            for item in &placed.document.items {
                let origin = Origin { file: name.clone(), line_offset: placed.line_offset };
                assembly.add(item, &origin, &manifest, &file.attached, &mut self.mentioned);
            }
        }
        let Assembly { mut contents, diagnostics, mentions, attached, mut held } = assembly;
        if file.documents.iter().any(|placed| placed.document.nameless) {
            // It may be any of those that are missing now.
            let missing: Vec<ObjectKey> = file.held.difference(&held).cloned().collect();
            contents.extend(missing.iter().cloned().map(Content::Broken));
            held.extend(missing);
        }
        (file.held, file.mentions, file.attached) = (held, mentions, attached);
        News::Is { text: file.text.clone(), contents, diagnostics }
    }

    fn summary(&self) -> Summary {
        let documents = || self.files.values().flat_map(|file| &file.documents);
        Summary {
            files: self.files.len(),
            objects: self.files.values().map(|file| file.held.len()).sum(),
            foreign: documents().map(|placed| placed.document.foreign).sum(),
            not_objects: documents().map(|placed| placed.document.not_objects).sum(),
            hidden: self.hidden,
        }
    }
}

fn text(name: &str, result: Result<Vec<u8>, ReadError>) -> Result<String, Box<Diagnostic>> {
    let bytes = result.map_err(|error| {
        let code = match error {
            ReadError::TooLarge(_) => codes::FILE_TOO_LARGE,
            ReadError::Io(_) | ReadError::NotAFile => codes::FILE_UNREADABLE,
        };
        Box::new(about(name, code, format!("this can't be read: {error}")))
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..valid]);
        let line = u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX - 1) + 1;
        let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count());
        let place = Place { line, column: u32::try_from(column).unwrap_or(0) + 1 };
        let origin = Origin { file: name.into(), line_offset: 0 };
        let wrong = Diagnostic::error(codes::NOT_UTF8, &origin, place, "this is not UTF-8 text");
        Box::new(wrong.help("save the file as UTF-8"))
    })
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}
