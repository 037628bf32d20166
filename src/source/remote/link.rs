//! The task that talks to the controller, again and again.

use std::path::Path;
use std::sync::Arc;

use envoy_types::pb::envoy::service::discovery::v3::DeltaDiscoveryRequest;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, sleep_until};

use super::backoff::Backoff;
use super::dial::{self, Line};
use super::held::{self, Held};
use super::{Link, Options, RemoteUpdate, Word, saved};
use crate::clock::{self, Instant};
use crate::limits;
use crate::model::Report;
use crate::wire::hello;
use crate::wire::report::{self, Teller};
use crate::wire::transaction::{Incoming, Transaction};

/// This task's ends of the channels.
pub(super) struct Ends {
    pub(super) updates: mpsc::Sender<RemoteUpdate>,
    pub(super) words: watch::Receiver<Option<Word>>,
    pub(super) reports: watch::Receiver<Option<Report>>,
    pub(super) link: watch::Sender<Link>,
}

pub(super) async fn run(options: Options, held: Held, ends: Ends, rng: fastrand::Rng) {
    let mut backoff = Backoff::new(rng);
    let saver = options.state.clone().map(Saver::start);
    let mut talk = Talk { options, held, ends, saver, save_at: None, count: 0, open: None };
    loop {
        // Without an error it asked us to come back.
        if let Err(why) = talk.converse(&mut backoff).await {
            talk.tell_away(why);
        }
        if talk.ends.updates.is_closed() {
            return;
        }
        talk.save();
        sleep(backoff.next()).await;
    }
}

struct Talk {
    options: Options,
    held: Held,
    ends: Ends,
    saver: Option<Saver>,
    /// When to save what is held; none where all of it is saved.
    save_at: Option<Instant>,
    /// Transactions so far, over all conversations.
    count: u64,
    /// The last one of this conversation.
    open: Option<Open>,
}

/// A transaction that was handed on.
struct Open {
    transaction: u64,
    nonce: String,
    refused: Option<String>,
}

impl Talk {
    /// From hello to the end, which is `Ok` where the controller wants it.
    async fn converse(&mut self, backoff: &mut Backoff) -> Result<(), String> {
        self.open = None;
        self.held.forget_refused();
        let hello = hello::hello(&self.options.node, self.held.versions());
        let Line { mut messages, answers } = dial::dial(self.options.peer(), hello).await?;
        let mut incoming = Incoming::default();
        let mut teller = Teller::default();
        self.ends.reports.mark_changed();
        loop {
            tokio::select! {
                message = messages.message() => {
                    let message =
                        message.map_err(|status| dial::refused(&self.options.url, &status))?;
                    let Some(message) = message else { return Ok(()) };
                    if let Some(transaction) = incoming.take(message)? {
                        backoff.reset();
                        self.tell_connected();
                        self.take(transaction).await;
                    }
                }
                changed = self.ends.words.changed() => {
                    // Without anybody to serve there is nothing to say.
                    changed.map_err(|_| String::new())?;
                    if let Some(answer) = self.answer() {
                        // Where the line is broken, `messages` says it.
                        let _ = answers.send(answer).await;
                    }
                }
                changed = self.ends.reports.changed() => {
                    changed.map_err(|_| String::new())?;
                    self.report(&mut teller, &answers);
                }
                () = sleep_until(self.save_at.unwrap_or_else(clock::now)), if self.save_at.is_some() => {
                    self.save();
                }
            }
        }
    }

    /// Tells what is new, if the line has room: else it is new still when there is more to tell.
    fn report(&mut self, teller: &mut Teller, answers: &mpsc::Sender<DeltaDiscoveryRequest>) {
        let whole = self.ends.reports.borrow_and_update();
        if let Some(news) = whole.as_ref().and_then(|whole| teller.next(whole))
            && answers.try_send(report::write(&news)).is_ok()
        {
            teller.sent(news);
        }
    }

    async fn take(&mut self, transaction: Transaction) {
        let (generation, nonce) = (transaction.generation, transaction.nonce.clone());
        let changes = self.held.apply(transaction);
        let refused = self.held.refused();
        self.count += 1;
        self.save_at = self.save_at.or_else(|| Some(clock::now() + limits::SAVE_REST));
        let text = held::tell(&refused);
        let before = self.open.take().and_then(|open| open.refused);
        if let Some(text) = text.as_ref().filter(|text| before.as_ref() != Some(text)) {
            tracing::error!(generation, "parts can't be read and stay as they were: {text}");
        }
        self.open = Some(Open { transaction: self.count, nonce, refused: text });
        let generation = Some(generation);
        let update = RemoteUpdate { changes, generation, transaction: self.count, refused };
        // Whoever took them is gone only when the process ends.
        let _ = self.ends.updates.send(update).await;
    }

    /// Passes the word on about the transaction that is open.
    fn answer(&mut self) -> Option<DeltaDiscoveryRequest> {
        let Word { transaction, outcome } = self.ends.words.borrow_and_update().clone()?;
        let open = self.open.as_ref().filter(|open| open.transaction == transaction)?;
        let outcome = match (&open.refused, outcome) {
            (None, outcome) => outcome,
            (Some(refused), Ok(())) => Err(refused.clone()),
            (Some(refused), Err(why)) => Err(format!("{refused}; {why}")),
        };
        Some(hello::answer(&open.nonce, outcome))
    }

    /// Has what is new written, but only what is served: what ends this process must not end the
    /// next one.
    fn save(&mut self) {
        let Some(due) = &mut self.save_at else { return };
        let last = self.ends.words.borrow().as_ref().map(|word| word.transaction);
        if last != Some(self.count) {
            *due = clock::now() + limits::SAVE_REST;
            return;
        }
        if let Some(saver) = &self.saver {
            saver.save(&self.options.node.version, &self.held);
        }
        self.save_at = None;
    }

    fn tell_connected(&self) {
        self.ends.link.send_if_modified(|link| {
            let news = *link != Link::Connected;
            if news {
                tracing::info!(url = self.options.url, "connected to the controller");
                *link = Link::Connected;
            }
            news
        });
    }

    fn tell_away(&self, why: String) {
        self.ends.link.send_if_modified(|link| {
            let away = Link::Away(why.into());
            let news = *link != away;
            if let (true, Link::Away(why)) = (news, &away) {
                tracing::warn!("{why}; what is known is served on");
            }
            *link = away;
            news
        });
    }
}

/// Writes what was served to its file, the latest of what waits.
struct Saver(watch::Sender<Option<(Arc<str>, Held)>>);

impl Saver {
    fn start(directory: std::path::PathBuf) -> Self {
        let (send, receive) = watch::channel(None);
        tokio::spawn(write_on(directory, receive));
        Self(send)
    }

    fn save(&self, version: &Arc<str>, held: &Held) {
        self.0.send_replace(Some((Arc::clone(version), held.clone())));
    }
}

async fn write_on(
    directory: std::path::PathBuf,
    mut wanted: watch::Receiver<Option<(Arc<str>, Held)>>,
) {
    while wanted.changed().await.is_ok() {
        let Some((version, held)) = wanted.borrow_and_update().clone() else { continue };
        let to = directory.clone();
        let written = tokio::task::spawn_blocking(move || saved::store(&to, &version, &held)).await;
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tell_unsaved(&directory, &error),
            Err(error) => tell_unsaved(&directory, &error),
        }
    }
}

fn tell_unsaved(directory: &Path, error: &dyn std::fmt::Display) {
    let directory = directory.display();
    tracing::warn!(%directory, %error, "parts can't be saved: a restart waits for the controller");
}
