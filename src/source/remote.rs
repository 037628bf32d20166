//! Parts from a controller: the other side of the conversation that `controller::xds` holds.
//!
//! One task talks: it connects with the token of the moment, says what it has, takes whole
//! transactions, and comes back when the line breaks. What it has is served on meanwhile, and is
//! saved, so that a restarted process serves before anybody answers. A part that can't be read
//! keeps its last good state, and the controller is told.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::model::Report;
use crate::snapshot::Changes;
pub use crate::wire::hello::Node;

mod backoff;
pub(crate) mod dial;
mod held;
mod link;
mod saved;
#[cfg(test)]
mod tests;

use dial::{Authority, Peer};

/// Where parts come from, and who asks for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// `https://HOST:PORT`.
    pub url: String,
    /// PEM certificates of whom the controller's is to be signed by; read at each connection.
    pub ca: PathBuf,
    /// The token's file; read at each connection.
    pub token: PathBuf,
    pub node: Node,
    /// The directory where parts are saved; made if it isn't there.
    pub state: Option<PathBuf>,
}

impl Options {
    pub(crate) fn peer(&self) -> Peer<'_> {
        Peer {
            url: &self.url,
            server_name: None,
            authority: Authority::File(&self.ca),
            token: &self.token,
        }
    }
}

/// One transaction, or what was saved.
#[derive(Debug)]
pub struct RemoteUpdate {
    /// Addresses may still be names: [`super::Resolver`] comes next.
    pub changes: Changes,
    /// The controller's number; `None` for what was saved.
    pub generation: Option<u64>,
    /// Ours, for [`Remote::acknowledge`].
    pub transaction: u64,
    /// What could not be read, now or before, each with its reason: the last good state stays.
    pub refused: Vec<String>,
}

/// How the process and the controller stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    Connected,
    /// With the reason, as a sentence.
    Away(Arc<str>),
}

/// A controller over time.
#[derive(Debug)]
pub struct Remote {
    updates: mpsc::Receiver<RemoteUpdate>,
    words: watch::Sender<Option<Word>>,
    reports: watch::Sender<Option<Report>>,
    link: watch::Receiver<Link>,
    task: JoinHandle<()>,
}

/// What became of a transaction.
#[derive(Clone, Debug)]
struct Word {
    transaction: u64,
    outcome: Result<(), String>,
}

impl Remote {
    /// Begins to talk. What was saved is the first update, and there without anybody's answer.
    pub fn start(options: Options, rng: fastrand::Rng) -> Self {
        let saved = options.state.as_deref().and_then(saved::load);
        let held = saved.map(|saved| saved.held(&options.node.version)).unwrap_or_default();
        // One: the controller sends no transaction before the last was acknowledged.
        let (give, updates) = mpsc::channel(1);
        if let Some(changes) = held.all() {
            let update =
                RemoteUpdate { changes, generation: None, transaction: 0, refused: Vec::new() };
            // The channel is new and holds one.
            let _ = give.try_send(update);
        }
        let (words, heard) = watch::channel(None);
        let away = format!("the controller at {} has not answered yet", options.url);
        let (show, link) = watch::channel(Link::Away(away.into()));
        let (reports, told) = watch::channel(None);
        let ends = link::Ends { updates: give, words: heard, reports: told, link: show };
        let task = tokio::spawn(link::run(options, held, ends, rng));
        Self { updates, words, reports, link, task }
    }

    /// Waits for the next transaction. May be dropped and called again.
    pub async fn next(&mut self) -> RemoteUpdate {
        match self.updates.recv().await {
            Some(update) => update,
            // The task never ends by itself: what is known is served on.
            None => std::future::pending().await,
        }
    }

    /// What was saved, if this is the beginning.
    pub fn saved(&mut self) -> Option<RemoteUpdate> {
        self.updates.try_recv().ok()
    }

    /// Says what became of a transaction: it is served, or what of it is not. May be said again,
    /// when that has changed.
    pub fn acknowledge(&self, transaction: u64, outcome: Result<(), String>) {
        self.words.send_replace(Some(Word { transaction, outcome }));
    }

    /// Tells how much was done so far: all of it, of which the controller is told what is new.
    pub fn report(&self, report: Report) {
        self.reports.send_replace(Some(report));
    }

    pub fn link(&self) -> watch::Receiver<Link> {
        self.link.clone()
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.task.abort();
    }
}
