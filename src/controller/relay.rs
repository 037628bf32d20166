//! Tells the replica that leads what the proxies of this one said, so that it knows all of them.
//!
//! Where the leader is stands in the Lease. It is spoken to as proxies speak to it: over TLS that
//! proves whose port it is, with the token of our own ServiceAccount. When another leads, this
//! goes there; while nobody can be reached, this replica's proxies are unknown to the leader.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{interval, sleep};

use super::xds::Distribution;
use crate::limits;
use crate::model::Name;
use crate::source::remote::dial::{self, Authority, Line, Peer};
use crate::wire::relay::{self, Place, Proxies, Relayed, Versions, Words};
use crate::wire::report::{self, Teller};

#[cfg(test)]
mod tests;

/// How the leader is known, and how this replica shows who it is.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    /// What the leader's certificate is for: the Service, whichever replica it is.
    pub(super) server_name: String,
    /// PEM; another one when it was renewed.
    pub(super) authority: watch::Receiver<String>,
    /// The token's file.
    pub(super) token: PathBuf,
}

/// Relays until it is dropped. `leader`: where another replica leads.
pub(super) async fn run(
    mut leader: watch::Receiver<Option<SocketAddr>>,
    credentials: Credentials,
    distribution: Arc<Distribution>,
) {
    loop {
        let at = *leader.borrow_and_update();
        let relaying = async {
            let Some(at) = at else { return std::future::pending().await };
            loop {
                match converse(at, &credentials, &distribution).await {
                    Ok(()) => {}
                    Err(why) => tracing::warn!("{why}; it doesn't know this replica's proxies"),
                }
                sleep(limits::RELAY_RETRY).await;
            }
        };
        tokio::select! {
            () = relaying => {}
            changed = leader.changed() => if changed.is_err() { return },
        }
    }
}

/// From the first word to the end, which is `Ok` where the leader wants it.
async fn converse(
    at: SocketAddr,
    credentials: &Credentials,
    distribution: &Distribution,
) -> Result<(), String> {
    let url = format!("https://{at}");
    let authority = credentials.authority.borrow().clone();
    let peer = Peer {
        url: &url,
        server_name: Some(&credentials.server_name),
        authority: Authority::Pem(&authority),
        token: &credentials.token,
    };
    let Line { mut messages, answers } = dial::dial(peer, vec![relay::hello()]).await?;
    tracing::info!(%url, "telling the leading replica of this one's proxies");
    let mut told = Told::default();
    let mut second = interval(limits::CONTROLLER_TICK);
    loop {
        tokio::select! {
            message = messages.message() => {
                let message = message.map_err(|status| dial::refused(&url, &status))?;
                if message.is_none() {
                    return Ok(());
                }
            }
            _ = second.tick() => {
                let (proxies, routes) = distribution.relay();
                for words in told.news(proxies, routes) {
                    // Where the line is broken, `messages` says it.
                    let _ = answers.send(relay::write(&words)).await;
                }
            }
        }
    }
}

/// What the leader has been told in this conversation.
#[derive(Default)]
struct Told {
    proxies: BTreeMap<Place, (Relayed, Teller)>,
    routes: Versions,
    opened: bool,
}

impl Told {
    /// What is new, in pieces of a bounded size. All of it counts as told: if it doesn't arrive,
    /// neither does this conversation go on.
    fn news(&mut self, now: Proxies, routes: Versions) -> Vec<Words> {
        let mut pieces = Pieces::default();
        let gone = self.proxies.extract_if(.., |place, _| !now.contains_key(place));
        gone.for_each(|(place, _)| pieces.next(PROXY_BYTES).gone.push(place));
        for (place, (relayed, report)) in now {
            let (known, teller) = match self.proxies.remove(&place) {
                Some((before, teller)) => (before == relayed, teller),
                None => (false, Teller::default()),
            };
            if !known {
                let trouble = relayed.trouble.as_ref().map_or(0, |why| why.len());
                pieces.next(PROXY_BYTES + trouble).here.push(relayed.clone());
            }
            let mut teller = teller;
            if let Some(news) = report.and_then(|report| teller.next(&report)) {
                let size = PROXY_BYTES + report::size(&news);
                pieces.next(size).reports.push((place.clone(), news.clone()));
                teller.sent(news);
            }
            self.proxies.insert(place, (relayed, teller));
        }
        // After the proxies: one that is behind is so before the version is told that it lacks.
        let gone = self.routes.extract_if(.., |course, _| !routes.contains_key(course));
        gone.for_each(|(course, _)| pieces.next(PROXY_BYTES).routes.push((course, None)));
        for (course, version) in routes {
            let known = self.routes.insert(course.clone(), Name::clone(&version));
            if known.as_ref() != Some(&version) {
                pieces.next(PROXY_BYTES).routes.push((course, Some(version)));
            }
        }
        if !std::mem::replace(&mut self.opened, true) {
            pieces.next(0).opened = true;
        }
        pieces.0.into_iter().map(|(words, _)| words).collect()
    }
}

/// A proxy's names and numbers, at the most.
const PROXY_BYTES: usize = 4 * limits::WIRE_NAME_CHARS + 64;

/// Words with their sizes.
#[derive(Default)]
struct Pieces(Vec<(Words, usize)>);

impl Pieces {
    /// Where so many bytes have room.
    fn next(&mut self, bytes: usize) -> &mut Words {
        let full = |(_, held): &(Words, usize)| held + bytes > limits::WIRE_MESSAGE_BYTES / 2;
        if self.0.last().is_none_or(full) {
            self.0.push((Words::default(), 0));
        }
        let last = self.0.len() - 1;
        let (words, held) = &mut self.0[last];
        *held += bytes;
        words
    }
}
