//! Which of the replicas writes: whoever holds the Lease.
//!
//! The Lease spares the API server double work and nothing depends on it: every write is tested
//! against the version that it was worked out from, so that two that both believe to hold it
//! can't undo each other's work. When another's Lease has run out is judged by this machine's own
//! clock from when the Lease was seen to change, as clocks differ.

use std::net::SocketAddr;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client, Error as KubeError};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::{self, Instant};
use crate::limits;
use crate::names;

#[cfg(test)]
mod tests;

/// Who leads, from now on.
pub(super) struct Lead {
    /// Whether this replica does.
    pub(super) leading: watch::Receiver<bool>,
    /// Where another does, as far as it says.
    pub(super) leader: watch::Receiver<Option<SocketAddr>>,
    pub(super) candidate: JoinHandle<()>,
}

/// `address`: where other replicas reach this one.
pub(super) fn start(
    client: &Client,
    namespace: &str,
    identity: &str,
    address: Option<SocketAddr>,
) -> Lead {
    let (leads, leading) = watch::channel(false);
    let (other, leader) = watch::channel(None);
    let leases = Api::namespaced(client.clone(), namespace);
    let candidate = Candidate { leases, view: View::new(identity), address };
    Lead { leading, leader, candidate: tokio::spawn(candidate.run(leads, other)) }
}

/// Lets another replica lead at once.
pub(super) async fn release(client: &Client, namespace: &str, identity: &str) {
    let leases: Api<Lease> = Api::namespaced(client.clone(), namespace);
    let released = async {
        let Some(mut lease) = leases.get_opt(names::CONTROLLER_NAME).await? else { return Ok(()) };
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() != Some(identity) {
            return Ok(());
        }
        spec.holder_identity = Some(String::new());
        leases.replace(names::CONTROLLER_NAME, &PostParams::default(), &lease).await?;
        Ok::<(), KubeError>(())
    };
    match tokio::time::timeout(limits::LEASE_RENEW, released).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::info!(%error, "the Lease runs out by itself"),
        Err(_) => tracing::info!("the Lease runs out by itself: the API server doesn't answer"),
    }
}

struct Candidate {
    leases: Api<Lease>,
    view: View,
    address: Option<SocketAddr>,
}

/// What this replica knows of the Lease.
struct View {
    identity: String,
    /// The version last seen, and since when.
    seen: Option<(String, Instant)>,
    /// Until when what this replica wrote itself holds.
    held_until: Option<Instant>,
}

#[derive(Debug, PartialEq)]
enum Move {
    /// Nobody has one.
    Create,
    Renew,
    Take,
    Wait,
}

enum Holder {
    Us,
    /// Where it is, if it is known who it is.
    Other(Option<SocketAddr>),
}

/// Where its holder is.
fn address(lease: &Lease) -> Option<SocketAddr> {
    lease.metadata.annotations.as_ref()?.get(names::ANNOTATION_ADDRESS)?.parse().ok()
}

impl View {
    fn new(identity: &str) -> Self {
        Self { identity: identity.to_owned(), seen: None, held_until: None }
    }

    fn next(&mut self, lease: Option<&Lease>, now: Instant) -> Move {
        let Some(lease) = lease else { return Move::Create };
        let version = lease.metadata.resource_version.clone().unwrap_or_default();
        let since = match &self.seen {
            Some((seen, since)) if *seen == version => *since,
            _ => now,
        };
        self.seen = Some((version, since));
        let spec = lease.spec.as_ref();
        match spec.and_then(|spec| spec.holder_identity.as_deref()) {
            Some(holder) if holder == self.identity => Move::Renew,
            None | Some("") => Move::Take,
            Some(_) => {
                let seconds = spec.and_then(|spec| spec.lease_duration_seconds).unwrap_or(0);
                let lasts = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
                if now.duration_since(since) >= lasts { Move::Take } else { Move::Wait }
            }
        }
    }

    fn holds(&self, now: Instant) -> bool {
        self.held_until.is_some_and(|until| now < until)
    }
}

impl Candidate {
    async fn run(
        mut self,
        leading: watch::Sender<bool>,
        leader: watch::Sender<Option<SocketAddr>>,
    ) {
        while !leading.is_closed() {
            match self.look().await {
                Ok(holder) => {
                    let (held_until, at) = match holder {
                        Holder::Us => (Some(clock::now() + limits::LEASE), None),
                        Holder::Other(at) => (None, at),
                    };
                    self.view.held_until = held_until;
                    leader.send_if_modified(|known| std::mem::replace(known, at) != at);
                }
                // Whoever can't ask leads on for as long as what it wrote says.
                Err(error) => tracing::debug!(%error, "the Lease can't be renewed"),
            }
            let holds = self.view.holds(clock::now());
            leading.send_if_modified(|leads| std::mem::replace(leads, holds) != holds);
            tokio::time::sleep(limits::LEASE_RENEW).await;
        }
    }

    async fn look(&mut self) -> Result<Holder, KubeError> {
        let lease = self.leases.get_opt(names::CONTROLLER_NAME).await?;
        let write = PostParams::default();
        let written = match self.view.next(lease.as_ref(), clock::now()) {
            Move::Wait => return Ok(Holder::Other(lease.as_ref().and_then(address))),
            Move::Create => self.leases.create(&write, &self.mine(None)).await,
            Move::Renew | Move::Take => {
                // With the version that was read: of two that take it, one is refused.
                let mine = self.mine(lease);
                self.leases.replace(names::CONTROLLER_NAME, &write, &mine).await
            }
        };
        match written {
            Ok(_) => Ok(Holder::Us),
            Err(KubeError::Api(status)) if status.code == 409 => Ok(Holder::Other(None)),
            Err(error) => Err(error),
        }
    }

    fn mine(&self, before: Option<Lease>) -> Lease {
        let now = MicroTime(Timestamp::now());
        let (mut metadata, spec) = before.map_or_else(Default::default, |lease| {
            (lease.metadata, lease.spec.unwrap_or_default())
        });
        let annotations = metadata.annotations.get_or_insert_default();
        // The one before led from somewhere else.
        annotations.remove(names::ANNOTATION_ADDRESS);
        annotations
            .extend(self.address.map(|at| (names::ANNOTATION_ADDRESS.to_owned(), at.to_string())));
        let again = spec.holder_identity.as_deref() == Some(&self.view.identity);
        let changes = spec.lease_transitions.unwrap_or(0);
        Lease {
            metadata: ObjectMeta { name: Some(names::CONTROLLER_NAME.to_owned()), ..metadata },
            spec: Some(LeaseSpec {
                holder_identity: Some(self.view.identity.clone()),
                lease_duration_seconds: i32::try_from(limits::LEASE.as_secs()).ok(),
                acquire_time: if again { spec.acquire_time } else { Some(now.clone()) },
                renew_time: Some(now),
                lease_transitions: Some(if again { changes } else { changes + 1 }),
                ..LeaseSpec::default()
            }),
        }
    }
}
