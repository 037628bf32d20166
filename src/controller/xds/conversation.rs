//! One proxy, from its hello to its end: one transaction, one answer, and again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse,
};
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::time::{sleep_until, timeout};
use tonic::{Status, Streaming};

use super::distribution::{Distribution, Gone, News, Seat};
use crate::clock::{self, Instant};
use crate::limits;
use crate::model::{Name, Scope};
use crate::wire::hello::{self, Greeting};
use crate::wire::report;
use crate::wire::transaction::Outgoing;

/// What the proxy is sent. It ends with the proxy, or after `age` so that it comes back.
pub(super) fn open(
    requests: Streaming<DeltaDiscoveryRequest>,
    admitted: (Scope, Option<Name>),
    distribution: Arc<Distribution>,
    age: Duration,
) -> BoxStream<'static, Result<DeltaDiscoveryResponse, Status>> {
    let ends = clock::now() + age;
    let begun = Stage::Hello(Box::new(Hello { requests, admitted, distribution, ends }));
    let steps = stream::unfold(begun, |stage| async move {
        let mut talk = match stage {
            Stage::Hello(hello) => match hello.greet().await {
                Ok(talk) => talk,
                Err(status) => return Some((Err(status), Stage::Over)),
            },
            Stage::Talk(talk) => talk,
            Stage::Over => return None,
        };
        let message = talk.next().await?;
        Some((Ok(message), Stage::Talk(talk)))
    });
    steps.boxed()
}

enum Stage {
    Hello(Box<Hello>),
    Talk(Box<Talk>),
    Over,
}

struct Hello {
    requests: Streaming<DeltaDiscoveryRequest>,
    /// The fleet, and the name where the token tells it.
    admitted: (Scope, Option<Name>),
    distribution: Arc<Distribution>,
    ends: Instant,
}

impl Hello {
    async fn greet(mut self) -> Result<Box<Talk>, Status> {
        let mut greeting = Greeting::default();
        let hearing = async {
            loop {
                let message = self.requests.message().await?;
                let message = message.ok_or_else(|| Status::cancelled("the proxy left"))?;
                if greeting.take(message).map_err(Status::invalid_argument)? {
                    return Ok::<(), Status>(());
                }
            }
        };
        let heard = timeout(limits::PROXY_HELLO_TIMEOUT, hearing).await;
        heard.map_err(|_| Status::deadline_exceeded("the hello took too long"))??;
        let Greeting { name, version, held, .. } = greeting;
        let (scope, known) = self.admitted;
        let sole = known.is_some();
        let name = known.unwrap_or_else(|| name.into());
        tracing::info!(proxy = %name, fleet = %scope, parts = held.len(), "a proxy has come");
        Ok(Box::new(Talk {
            requests: self.requests,
            seat: self.distribution.subscribe(scope, name, version.into(), sole),
            has: held,
            sending: None,
            waiting: None,
            answered: None,
            ends: self.ends,
        }))
    }
}

struct Talk {
    requests: Streaming<DeltaDiscoveryRequest>,
    seat: Seat,
    /// Versions of what the proxy has, by name, once it has read all that it was sent.
    has: HashMap<Arc<str>, Arc<str>>,
    sending: Option<Outgoing>,
    /// What has no answer yet: nonce and generation.
    waiting: Option<(String, u64)>,
    /// What had its answer last: the proxy may have something to add.
    answered: Option<(String, u64)>,
    ends: Instant,
}

impl Talk {
    /// The next message; none when the conversation is over.
    async fn next(&mut self) -> Option<DeltaDiscoveryResponse> {
        loop {
            if let Some(message) = self.sending.as_mut().and_then(Iterator::next) {
                return Some(message);
            }
            self.sending = None;
            if self.waiting.is_none()
                && let Some(news) = self.seat.news()
                && let Some(outgoing) = self.compare(news)
            {
                self.waiting = Some((outgoing.nonce(), outgoing.generation()));
                self.sending = Some(outgoing);
                continue;
            }
            tokio::select! {
                message = self.requests.message() => match message {
                    Ok(Some(message)) => self.hear(message),
                    Ok(None) => return None,
                    Err(status) => {
                        tracing::debug!(%status, "a proxy is gone");
                        return None;
                    }
                },
                () = self.seat.rung() => {
                    if self.seat.is_lost() {
                        return None;
                    }
                }
                () = sleep_until(self.ends) => return None,
            }
        }
    }

    /// What the proxy hasn't got already. The first transaction is sent even when it is empty: it
    /// says that the proxy has everything.
    fn compare(&mut self, news: News) -> Option<Outgoing> {
        let News { generation, parcels, gone } = news;
        let first = matches!(gone, Gone::Others);
        let gone = match gone {
            Gone::Names(names) => names,
            Gone::Others => {
                let needed: HashSet<&Arc<str>> =
                    parcels.iter().map(|parcel| &parcel.name).collect();
                self.has.keys().filter(|name| !needed.contains(name)).cloned().collect()
            }
        };
        let new: Vec<_> = parcels
            .into_iter()
            .filter(|parcel| self.has.get(&parcel.name) != Some(&parcel.version))
            .collect();
        let gone: Vec<_> =
            gone.into_iter().filter(|name| self.has.remove(name).is_some()).collect();
        for parcel in &new {
            self.has.insert(Arc::clone(&parcel.name), Arc::clone(&parcel.version));
        }
        if !first && new.is_empty() && gone.is_empty() {
            // It changed back before the proxy heard of it: what it said last holds for this, too.
            self.seat.answered_before(generation);
            return None;
        }
        Some(Outgoing::new(generation, new, gone))
    }

    fn hear(&mut self, message: DeltaDiscoveryRequest) {
        if let Some(report) = report::read(&message) {
            self.seat.reported(report);
        }
        let Some((nonce, outcome)) = hello::read_answer(message) else { return };
        if let Some(waited) = self.waiting.take_if(|(waiting, _)| *waiting == nonce) {
            self.answered = Some(waited);
        }
        // Also when it was said before: a port may be free by now that wasn't then.
        if let Some((_, generation)) = self.answered.as_ref().filter(|(last, _)| *last == nonce) {
            self.seat.answered(*generation, outcome);
        }
    }
}
