//! The controller: a cluster's objects lowered once, handed to the proxies that serve them, and
//! answered in the objects' statuses.
//!
//! ```text
//! API server ─ watch → world (index, lowering) ─┬→ fleets → conversation → proxies
//!            ← statuses ────────────────────────┤
//!            ← infrastructure ← facts ──────────┘
//! ```
//!
//! Every replica watches, lowers and serves proxies. The one that holds the Lease also writes;
//! correctness never depends on that, as each write is tested against the version that it was
//! worked out from.
//!
//! This module must not parse arguments or read the environment.

mod authority;
mod board;
mod data;
pub mod fleets;
pub mod infrastructure;
mod lease;
mod merge;
pub mod proxies;
mod statuses;
mod tokens;
mod watch;
mod world;
pub mod xds;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use kube::Client;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch as channel};
use tokio::time::Instant;

use crate::config::flags;
use crate::limits;
use crate::model::{ObjectKey, PartKey};
use crate::snapshot::Changes;
use crate::telemetry::door::ObservationDoor;
use board::Board;
use data::Data;
use fleets::Fleets;
use statuses::Statuses;
use tokens::{Accounts, Reviews};
use watch::{Change, Watched};
use world::{Noted, World};
use xds::{Distribution, ServerIdentity};

pub use authority::AuthorityError;

/// What the controller is started with.
pub struct Options {
    pub client: Client,
    /// Its pod's name: who holds the Lease.
    pub identity: String,
    pub namespace: String,
    /// What proxies run, and the Secret that it is pulled with.
    pub image: String,
    pub image_pull_secret: Option<String>,
    /// Where proxies come.
    pub listen: SocketAddr,
    pub observe: SocketAddr,
    pub version: &'static str,
    pub objects: flags::Options,
}

#[derive(Debug)]
pub enum StartError {
    Authority(AuthorityError),
    Identity(xds::ServerIdentityError),
    /// The address and the reason.
    Listen(SocketAddr, std::io::Error),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Authority(error) => error.fmt(f),
            Self::Identity(error) => error.fmt(f),
            Self::Listen(address, error) => write!(f, "can't listen on {address}: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

/// Runs until SIGTERM or SIGINT.
pub async fn run(options: Options) -> Result<(), StartError> {
    let client = options.client.clone();
    let signals = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
    let board = Arc::new(Board::new(options.version));
    let door = ObservationDoor::bind(options.observe, Vec::new()).await;
    let door = door.map_err(|error| StartError::Listen(options.observe, error))?;
    tokio::spawn(door.serve(Arc::clone(&board), std::future::pending()));
    let authority = authority::serve(&client, &options.namespace).await;
    let authority = authority.map_err(StartError::Authority)?;
    let listen = |error| StartError::Listen(options.listen, error);
    let listener = TcpListener::bind(options.listen).await.map_err(listen)?;
    let identity = ServerIdentity::from_pem(authority.chain.as_bytes(), authority.key.as_bytes());
    let identity = Arc::new(identity.map_err(StartError::Identity)?);
    let distribution = Arc::new(Distribution::new());
    let accounts = Accounts::default();
    let reviews = Reviews { client: client.clone(), accounts: accounts.clone() };
    let rng = fastrand::Rng::new();
    tokio::spawn(xds::serve(listener, identity, Arc::clone(&distribution), reviews, rng));
    let controller = Controller {
        fleets: Fleets::default(),
        generation: 0,
        distribution,
        accounts,
        changes: watch::start(&client),
        leading: lease::start(&client, &options.namespace, &options.identity),
        world: World::new(Data::new(client.clone()), options.objects),
        statuses: Statuses::new(client),
        pending: Pending::default(),
        authority,
        board,
    };
    tokio::select! {
        () = controller.serve() => {}
        () = stopped(signals) => tracing::info!("stopped"),
    }
    Ok(())
}

async fn stopped([terminate, interrupt]: [std::io::Result<Signal>; 2]) {
    match (terminate, interrupt) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        // Then the system's own way of ending a process is left.
        _ => std::future::pending().await,
    }
}

struct Controller {
    changes: mpsc::Receiver<Change>,
    leading: channel::Receiver<bool>,
    world: World,
    statuses: Statuses,
    fleets: Fleets,
    /// Counts what was published.
    generation: u64,
    distribution: Arc<Distribution>,
    accounts: Accounts,
    pending: Pending,
    authority: authority::Served,
    board: Arc<Board>,
}

/// What was lowered and waits for Secrets that are on their way.
#[derive(Default)]
struct Pending {
    parts: BTreeMap<PartKey, Option<crate::model::Part>>,
    statuses: BTreeMap<ObjectKey, Option<Value>>,
    until: Option<Instant>,
}

impl Controller {
    async fn serve(mut self) {
        let mut second = tokio::time::interval(limits::CONTROLLER_TICK);
        loop {
            let held = self.pending.until;
            tokio::select! {
                Some(change) = self.changes.recv() => {
                    self.take(change);
                    // What came at the same time is lowered at the same time.
                    while let Ok(change) = self.changes.try_recv() {
                        self.take(change);
                    }
                    self.commit();
                }
                fetched = self.world.data.next() => {
                    let key = fetched.key.clone();
                    let got = self.world.data.take(fetched);
                    self.world.fetched(&key, got);
                    self.commit();
                }
                written = self.statuses.next() => self.statuses.take(written),
                Ok(()) = self.leading.changed() => {
                    let leading = *self.leading.borrow_and_update();
                    tracing::info!(leading, "the Lease was looked at");
                    self.statuses.lead(leading);
                }
                () = wait(held) => self.publish(),
                _ = second.tick() => self.commit(),
            }
            self.statuses.write();
        }
    }

    fn take(&mut self, (watched, happened): Change) {
        for noted in self.world.take(watched, happened) {
            match noted {
                Noted::Is(Watched::Kind(kind), name, object) => {
                    if Statuses::has(kind) {
                        self.statuses.seen(&world::key_of(kind, &name), &object);
                    }
                }
                Noted::Gone(Watched::Kind(kind), name) => {
                    self.statuses.gone(&world::key_of(kind, &name));
                }
                Noted::Is(Watched::Deployment, ..) | Noted::Gone(Watched::Deployment, _) => {}
            }
        }
    }

    fn commit(&mut self) {
        if !self.world.is_complete() {
            return;
        }
        let (lowered, behind) = self.world.commit();
        self.pending.add(lowered.changes);
        if !behind {
            self.publish();
        } else if self.pending.until.is_none() {
            self.pending.until = Some(Instant::now() + limits::DATA_WAIT);
        }
    }

    fn publish(&mut self) {
        let Pending { parts, statuses, until: _ } = std::mem::take(&mut self.pending);
        for (key, status) in statuses {
            self.statuses.want(key, status);
        }
        let mut changes = Changes { upserted: Vec::new(), removed: Vec::new() };
        for (key, part) in parts {
            match part {
                Some(part) => changes.upserted.push(part),
                None => changes.removed.push(key),
            }
        }
        if self.generation > 0 && changes.upserted.is_empty() && changes.removed.is_empty() {
            return;
        }
        self.generation += 1;
        self.distribution.publish(self.generation, &self.fleets.apply(&changes));
        self.board.set_ready(Ok(()));
    }
}

impl Pending {
    fn add(&mut self, changes: Changes) {
        let Changes { upserted, removed } = changes;
        self.parts.extend(upserted.into_iter().map(|part| (part.key().clone(), Some(part))));
        self.parts.extend(removed.into_iter().map(|key| (key, None)));
    }
}

async fn wait(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}
