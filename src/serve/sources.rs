//! Where the configuration comes from: files on this machine, or a controller.

use std::io;
use std::sync::Arc;

use tokio::sync::watch;

use super::picture;
use crate::model::Report;
use crate::source::remote::{self, Link, Remote, RemoteUpdate};
use crate::source::{Feed, Inputs, Update};

/// What is to be served.
#[derive(Debug)]
pub enum Input {
    Files(Inputs),
    Controller(remote::Options),
}

impl Input {
    /// By names that hold from everywhere.
    pub(super) fn names(&self) -> Vec<String> {
        match self {
            Self::Files(inputs) => picture::sources(&inputs.files),
            Self::Controller(options) => vec![options.url.clone()],
        }
    }
}

/// What is served changes through this.
pub(super) enum Source {
    Files(Box<Feed>),
    Controller(Remote),
}

pub(super) enum News {
    Files(Update),
    Controller(RemoteUpdate),
}

impl Source {
    /// With what is there at once: all files, or what an earlier process saved.
    pub(super) fn open(input: Input) -> io::Result<(Self, Option<News>)> {
        match input {
            Input::Files(inputs) => {
                let (feed, first) = Feed::load(inputs)?;
                tracing::info!("{}", first.summary);
                Ok((Self::Files(feed.into()), Some(News::Files(first))))
            }
            Input::Controller(options) => {
                let mut remote = Remote::start(options, fastrand::Rng::new());
                let saved = remote.saved();
                match &saved {
                    Some(saved) => {
                        let parts = saved.changes.upserted.len();
                        tracing::info!(
                            parts,
                            "serving what was saved until the controller answers"
                        );
                    }
                    None => tracing::info!("nothing is served before the controller answers"),
                }
                Ok((Self::Controller(remote), saved.map(News::Controller)))
            }
        }
    }

    /// May be dropped and called again.
    pub(super) async fn next(&mut self) -> io::Result<News> {
        match self {
            Self::Files(feed) => feed.next().await.map(News::Files),
            Self::Controller(remote) => Ok(News::Controller(remote.next().await)),
        }
    }

    pub(super) fn is_files(&self) -> bool {
        matches!(self, Self::Files(_))
    }

    /// A controller tells what changes by itself.
    pub(super) fn rescan(&self) -> Option<u64> {
        match self {
            Self::Files(feed) => feed.rescan(),
            Self::Controller(_) => None,
        }
    }

    pub(super) fn text(&self, file: &str) -> Option<Arc<str>> {
        match self {
            Self::Files(feed) => feed.text(file),
            Self::Controller(_) => None,
        }
    }

    /// For the controller, where there is one.
    pub(super) fn report(&self, report: impl FnOnce() -> Report) {
        if let Self::Controller(remote) = self {
            remote.report(report());
        }
    }

    pub(super) fn link(&self) -> Option<watch::Receiver<Link>> {
        match self {
            Self::Files(_) => None,
            Self::Controller(remote) => Some(remote.link()),
        }
    }
}

/// The word about the last transaction.
#[derive(Debug, Default)]
pub(super) struct Owed {
    /// The controller's transaction, and the generation of the Snapshot that has it.
    last: Option<(u64, u64)>,
    due: bool,
}

impl Owed {
    pub(super) fn new(transaction: u64, generation: u64) -> Self {
        Self { last: Some((transaction, generation)), due: true }
    }

    pub(super) fn is_due(&self) -> bool {
        self.due
    }

    /// It is to be said again: something of it has changed.
    pub(super) fn renew(&mut self) {
        self.due = self.last.is_some();
    }

    /// Says it, if every worker serves the transaction.
    pub(super) fn pay(&mut self, source: &Source, served: u64, not_bound: &[String]) {
        let (Source::Controller(remote), Some((transaction, generation))) = (source, self.last)
        else {
            self.due = false;
            return;
        };
        if served < generation {
            return;
        }
        let outcome = if not_bound.is_empty() { Ok(()) } else { Err(not_bound.join("; ")) };
        remote.acknowledge(transaction, outcome);
        self.due = false;
    }
}
