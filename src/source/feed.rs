//! Files into changes: the index, the lowering and the files behind them, as one.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::bell::Bell;
use super::files::{Batch, Counters, Files, News, Summary};
use super::look::Looking;
use crate::clock::{self, Instant};
use crate::config::flags::Options;
use crate::config::index::Index;
use crate::config::lower::{self, Lowering};
use crate::config::raw::Object;
use crate::config::{Diagnostic, unmatched};
use crate::limits;
use crate::snapshot::Changes;

#[cfg(test)]
mod tests;

/// Where objects come from.
#[derive(Debug, Default)]
pub struct Inputs {
    /// `-f`: files, directories, `-` for standard input.
    pub files: Vec<PathBuf>,
    /// `--listen` and `--to`.
    pub objects: Vec<Object>,
    pub options: Options,
}

/// What one change of the world changes here.
#[derive(Debug)]
pub struct Update {
    /// Addresses may still be names: [`super::Resolver`] comes next.
    pub changes: Changes,
    /// All that is wrong now, by file and place.
    pub diagnostics: Vec<Diagnostic>,
    pub read: Counters,
    pub lowered: lower::Counters,
    pub summary: Summary,
    /// How many rescans have been made by now.
    pub rescans: u64,
}

/// The configuration over time.
#[derive(Debug)]
pub struct Feed {
    index: Index,
    lowering: Lowering,
    /// For what it says about flags that match nothing.
    options: Options,
    texts: BTreeMap<Arc<str>, Arc<str>>,
    files: Reader,
    /// About directories and arguments.
    said: Vec<Diagnostic>,
    diagnostics: Vec<Diagnostic>,
    summary: Summary,
    rescans: u64,
    date_check: Instant,
}

/// Who reads the files.
#[derive(Debug)]
enum Reader {
    /// Read once, not watched yet.
    Once(Option<Files>),
    Watching(Looking),
}

impl Feed {
    /// Reads everything there is. Nothing is watched before [`Self::next`]. Fails only where the
    /// program has no working directory.
    pub fn load(inputs: Inputs) -> io::Result<(Self, Update)> {
        let Inputs { files, objects, options } = inputs;
        let mut files = Files::new(&files)?;
        let batch = files.load(clock::now());
        let mut feed = Self {
            index: Index::new(),
            lowering: Lowering::new(options.clone()),
            options,
            texts: BTreeMap::new(),
            files: Reader::Once(Some(files)),
            said: Vec::new(),
            diagnostics: Vec::new(),
            summary: Summary::default(),
            rescans: 0,
            date_check: clock::now() + limits::DATE_CHECK,
        };
        for object in objects {
            feed.index.apply(object);
        }
        let update = feed.take(batch);
        Ok((feed, update))
    }

    /// Waits for the next change. What changed on disk since [`Self::load`] is the first of
    /// them. May be dropped and called again. Fails only where the system gives no thread or no
    /// descriptor.
    pub async fn next(&mut self) -> io::Result<Update> {
        if let Reader::Once(once) = &mut self.files {
            // First, so that nothing is lost where it fails.
            let bell = Bell::new()?;
            if let Some(files) = once.take() {
                self.files = Reader::Watching(Looking::start(files, bell)?);
            }
        }
        loop {
            let Reader::Watching(looking) = &mut self.files else {
                return std::future::pending().await;
            };
            let batch = tokio::select! {
                batch = looking.next() => Some(batch),
                () = tokio::time::sleep_until(self.date_check) => None,
            };
            match batch {
                Some(Some(batch)) => return Ok(self.take(batch)),
                // The thread is gone: what is known is served on.
                Some(None) => return std::future::pending().await,
                None => {
                    if let Some(update) = self.check_dates() {
                        return Ok(update);
                    }
                }
            }
        }
    }

    /// Reads all files again (SIGHUP), also those that look as they did. The number of this
    /// rescan: the first Update with as many says what came of it, if only that nothing changed.
    /// `None` where nobody reads files: not before [`Self::next`].
    pub fn rescan(&self) -> Option<u64> {
        match &self.files {
            Reader::Watching(looking) => Some(looking.rescan()),
            Reader::Once(_) => None,
        }
    }

    /// The text of a file by the name that diagnostics have for it.
    pub fn text(&self, file: &str) -> Option<Arc<str>> {
        self.texts.get(file).cloned()
    }

    /// The objects as they are in force.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Where nothing is to be read again.
    pub fn into_index(self) -> Index {
        self.index
    }

    fn take(&mut self, batch: Batch) -> Update {
        let Batch { files, diagnostics, summary, counters, rescans } = batch;
        for (name, news) in files {
            match news {
                News::Is { text, contents, diagnostics } => {
                    self.index.replace(&name, contents, diagnostics);
                    self.texts.insert(name, text);
                }
                News::Unreadable(diagnostics) => self.index.broken(&name, diagnostics),
                News::Gone => {
                    self.index.remove(&name);
                    self.texts.remove(&name);
                }
            }
        }
        self.said = diagnostics;
        self.summary = summary;
        self.rescans = rescans;
        self.commit(counters)
    }

    /// An Update when the date alone changed something.
    fn check_dates(&mut self) -> Option<Update> {
        let before = self.diagnostics.clone();
        let update = self.commit(Counters::default());
        let Changes { upserted, removed } = &update.changes;
        let same = upserted.is_empty() && removed.is_empty() && update.diagnostics == before;
        (!same).then_some(update)
    }

    fn commit(&mut self, read: Counters) -> Update {
        let now = i64::try_from(clock::since_epoch().as_secs()).unwrap_or(i64::MAX);
        let lowered = self.lowering.commit(&mut self.index, now);
        let until = self.lowering.next_date().and_then(|date| u64::try_from(date - now).ok());
        let until = until.map_or(limits::DATE_CHECK, Duration::from_secs);
        self.date_check = clock::now() + until.min(limits::DATE_CHECK);
        let mut diagnostics = lowered.diagnostics;
        diagnostics.extend(self.said.iter().cloned());
        diagnostics.extend(unmatched::warnings(&self.options, &self.index));
        diagnostics.sort_by(|a, b| (&a.file, a.place, a.code).cmp(&(&b.file, b.place, b.code)));
        self.diagnostics.clone_from(&diagnostics);
        Update {
            changes: lowered.changes,
            diagnostics,
            read,
            lowered: lowered.counters,
            summary: self.summary,
            rescans: self.rescans,
        }
    }
}
