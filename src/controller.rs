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

mod api_server;
mod authority;
mod board;
mod data;
mod deploy;
mod door;
#[cfg(test)]
pub(crate) mod fixture;
pub mod fleets;
pub mod infrastructure;
mod lease;
mod merge;
pub mod picture;
mod plan;
pub mod proxies;
mod relay;
mod rollouts;
mod statuses;
mod tokens;
mod versions;
mod watch;
mod world;
pub mod xds;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch as channel};

use crate::clock::{self, Instant};
use crate::cluster::{Cluster, ClusterError};
use crate::config::flags;
use crate::config::lower::Lowered;
use crate::config::status::Status;
use crate::limits;
use crate::model::{Kind, Name, ObjectKey, Part, PartKey, PartKind, Scope};
use crate::snapshot::Changes;
use crate::telemetry::door::ObservationDoor;
use board::Board;
use data::Data;
use deploy::{Deployer, Seen};
use door::Sight;
use fleets::Fleets;
use infrastructure::Release;
use lease::Lead;
use relay::Credentials;
use rollouts::{Lookout, Rollouts, webhook};
use statuses::Statuses;
use tokens::{Accounts, Reviews};
use watch::{Change, Watched};
use world::{Noted, World};
use xds::{Distribution, ServerIdentity};

pub use api_server::addresses as api_server_addresses;
use authority::Authority;
pub use authority::AuthorityError;

/// What the controller is started with.
pub struct Options {
    pub cluster: Cluster,
    /// Its pod's name: who holds the Lease.
    pub identity: String,
    pub namespace: String,
    /// What proxies run, and the Secret that it is pulled with.
    pub image: String,
    pub image_pull_secret: Option<String>,
    /// Where proxies come.
    pub listen: SocketAddr,
    /// Where other replicas reach this one.
    pub pod_ip: Option<IpAddr>,
    /// The file of the token that this replica shows others.
    pub token: PathBuf,
    pub observe: SocketAddr,
    /// Its control socket.
    pub control: PathBuf,
    pub version: &'static str,
    pub objects: flags::Options,
}

#[derive(Debug)]
pub enum StartError {
    /// Where the API server is can't be found out.
    ApiServer(ClusterError),
    Authority(AuthorityError),
    Identity(xds::ServerIdentityError),
    /// The address and the reason.
    Listen(SocketAddr, std::io::Error),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ApiServer(error) => write!(
                f,
                "the EndpointSlices of Service default/kubernetes can't be listed: {error}; what \
                 they name is refused as a Backend"
            ),
            Self::Authority(error) => error.fmt(f),
            Self::Identity(error) => error.fmt(f),
            Self::Listen(address, error) => write!(f, "can't listen on {address}: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

/// Runs until `stopped`.
pub async fn run(options: Options, stopped: impl Future<Output = ()>) -> Result<(), StartError> {
    let client = options.cluster.client();
    let mut objects = options.objects;
    if !objects.allow_local_backends {
        let addresses = api_server::addresses(&options.cluster).await;
        objects.forbidden = addresses.map_err(StartError::ApiServer)?;
    }
    let board = Arc::new(Board::new(options.version));
    let door = ObservationDoor::bind(options.observe, Vec::new()).await;
    let door = door.map_err(|error| StartError::Listen(options.observe, error))?;
    tokio::spawn(door.serve(Arc::clone(&board), std::future::pending()));
    let authority = Authority::new(&client, &options.namespace);
    let served = authority.serve(clock::since_epoch()).await.map_err(StartError::Authority)?;
    let listen = |error| StartError::Listen(options.listen, error);
    let listener = TcpListener::bind(options.listen).await.map_err(listen)?;
    let identity = ServerIdentity::from_pem(served.chain.as_bytes(), served.key.as_bytes());
    let identity = Arc::new(identity.map_err(StartError::Identity)?);
    let distribution = Arc::new(Distribution::new());
    let sight = Sight {
        name: options.identity.as_str().into(),
        version: options.version,
        board: Arc::clone(&board),
        distribution: Arc::clone(&distribution),
    };
    // Nothing depends on it but whoever wants to look.
    if let Err(error) = door::open(&options.control, sight) {
        let path = options.control.display();
        tracing::warn!(%path, %error, "`meshctl proxy status` can't ask this replica");
    }
    let renewed = Arc::clone(&identity);
    let accounts = Accounts::default();
    let reviews = Reviews {
        client: client.clone(),
        namespace: options.namespace.clone(),
        accounts: accounts.clone(),
    };
    let rng = fastrand::Rng::new();
    tokio::spawn(xds::serve(listener, identity, Arc::clone(&distribution), reviews, rng));
    let release = Release {
        image: options.image,
        image_pull_secret: options.image_pull_secret,
        authority: served.authority.clone(),
        version: options.version.to_owned(),
    };
    let address = options.pod_ip.map(|ip| SocketAddr::new(ip, options.listen.port()));
    let Lead { leading, leader, candidate } =
        lease::start(&client, &options.namespace, &options.identity, address);
    let authority = authority.keep(served, renewed);
    let credentials = Credentials {
        server_name: authority::host(&options.namespace),
        authority: authority.clone(),
        token: options.token,
    };
    let relay = tokio::spawn(relay::run(leader, credentials, Arc::clone(&distribution)));
    let controller = Controller {
        rollouts: Rollouts::new(
            options.cluster.clone(),
            &options.identity,
            Arc::clone(&distribution),
        ),
        deployer: Deployer::new(options.cluster, release),
        versions: versions::start(client.clone()),
        authority,
        replan: true,
        fleets: Fleets::default(),
        generation: 0,
        distribution,
        accounts,
        changes: watch::start(&client),
        leading,
        world: World::new(Data::new(client.clone()), objects),
        statuses: Statuses::new(client.clone()),
        pending: Pending::default(),
        unsent: BTreeSet::new(),
        board,
    };
    tokio::select! {
        () = controller.serve() => {}
        () = stopped => tracing::info!("stopping"),
    }
    relay.abort();
    candidate.abort();
    lease::release(&client, &options.namespace, &options.identity).await;
    Ok(())
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
    deployer: Deployer,
    rollouts: Rollouts,
    versions: channel::Receiver<Option<BTreeSet<Name>>>,
    /// What proxies check the controller with.
    authority: channel::Receiver<String>,
    /// Whether what fleets are made of may have changed.
    replan: bool,
    pending: Pending,
    /// Routes of which something is too large to be sent.
    unsent: BTreeSet<ObjectKey>,
    board: Arc<Board>,
}

/// What was lowered and waits for Secrets that are on their way.
#[derive(Default)]
struct Pending {
    parts: BTreeMap<PartKey, Option<Part>>,
    statuses: BTreeMap<ObjectKey, Option<Arc<Status>>>,
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
                    let now = if leading { "leads" } else { "leads no more" };
                    tracing::info!("this replica {now}");
                    self.board.set_leading(leading);
                    self.statuses.lead(leading);
                    self.deployer.lead(leading);
                    self.rollouts.lead(leading, clock::now());
                }
                done = self.rollouts.next() => self.rollouts.take(done, clock::now()),
                done = self.deployer.next() => {
                    let touched = self.deployer.take(done, clock::now());
                    self.look_at(&touched);
                    self.commit();
                }
                Ok(()) = self.versions.changed() => {
                    let versions = self.versions.borrow_and_update().clone();
                    self.world.lowering.set_versions(versions.unwrap_or_default());
                    self.commit();
                }
                Ok(()) = self.authority.changed() => {
                    let authority = self.authority.borrow_and_update().clone();
                    self.deployer.set_authority(authority);
                }
                () = wait(held) => self.publish(),
                _ = second.tick() => {
                    let all = self.deployer.all_gateways();
                    self.look_at(&all);
                    self.commit();
                }
            }
            self.statuses.write();
            self.deployer.work(clock::now());
            self.run_rollouts();
        }
    }

    fn take(&mut self, (watched, happened): Change) {
        for noted in self.world.take(watched, happened) {
            let (watched, place, object) = match &noted {
                Noted::Is(watched, place, object) => (*watched, place, Some(&**object)),
                Noted::Gone(watched, place) => (*watched, place, None),
            };
            match watched {
                Watched::Deployment => self.seen(Seen::Deployment, place, object),
                Watched::Kind(Kind::Service) => self.seen(Seen::Service, place, object),
                Watched::Kind(kind) => {
                    let key = world::key_of(kind, place);
                    match object {
                        Some(object) if Statuses::has(kind) => self.statuses.seen(&key, object),
                        Some(_) => {}
                        None => self.statuses.gone(&key),
                    }
                    self.rollouts.seen(&key, object, clock::now());
                    self.replan |= plan::depends_on(kind);
                }
            }
        }
    }

    fn seen(&mut self, seen: Seen, place: &(Name, Name), object: Option<&Value>) {
        let touched = self.deployer.seen(seen, place, object);
        self.look_at(&touched);
    }

    /// Tells lowering how the proxies of these Gateways are.
    fn look_at(&mut self, gateways: &BTreeSet<ObjectKey>) {
        for gateway in gateways {
            let told = |scope: &Scope| self.distribution.fleet(scope);
            let facts = self.deployer.facts(gateway, told);
            self.world.lowering.set_facts(gateway, facts);
        }
    }

    fn commit(&mut self) {
        if !self.world.is_complete() {
            let missing: Vec<String> =
                self.world.missing().map(|watched| watched.to_string()).collect();
            self.board.set_ready(Err(format!("not listed yet: {}", missing.join(", "))));
            return;
        }
        let (lowered, behind) = self.world.commit();
        self.board.lowered.add(lowered.counters.parts_lowered as u64);
        let errors = lowered.diagnostics.iter().filter(|one| one.is_error()).count();
        self.board.show_wrong(errors, lowered.diagnostics.len() - errors);
        self.pending.add(lowered);
        if !behind {
            self.publish();
        } else if self.pending.until.is_none() {
            self.pending.until = Some(clock::now() + limits::DATA_WAIT);
        }
        if std::mem::take(&mut self.replan) {
            self.rollouts.set_webhook(webhook::of(&self.world.index));
            let planned = plan::fleets(&self.world.index, &self.world.lowering);
            let touched = self.deployer.plan(planned);
            self.accounts.set(self.deployer.accounts());
            self.look_at(&touched);
            // Statuses alone follow from facts: this ends.
            self.commit();
        }
    }

    fn publish(&mut self) {
        let Pending { parts, statuses, until: _ } = std::mem::take(&mut self.pending);
        for (key, status) in statuses {
            self.statuses.want(key, status.map(|status| status.to_json()));
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
        let listener = |key: &PartKey| key.part == PartKind::Listener;
        self.replan |= changes.upserted.iter().any(|part| listener(part.key()));
        self.replan |= changes.removed.iter().any(listener);
        self.generation += 1;
        self.distribution.publish(self.generation, &self.fleets.apply(&changes));
        self.tell_unsent();
        self.board.set_ready(Ok(()));
    }
}

impl Controller {
    /// Nothing is decided before everything has been read.
    fn run_rollouts(&mut self) {
        if self.generation == 0 {
            return;
        }
        let mut lookout = Lookout {
            world: &mut self.world,
            deployer: &self.deployer,
            unsent: &self.unsent,
            published: self.pending.until.is_none(),
        };
        self.rollouts.work(&mut lookout, clock::now());
    }

    /// Tells routes whose parts are too large for any message.
    fn tell_unsent(&mut self) {
        let unsent = self.fleets.routes_of(&self.distribution.too_large());
        for route in unsent.symmetric_difference(&self.unsent) {
            self.world.lowering.set_unsent(route, unsent.contains(route));
        }
        self.unsent = unsent;
    }
}

impl Pending {
    fn add(&mut self, lowered: Lowered) {
        let Changes { upserted, removed } = lowered.changes;
        self.statuses.extend(lowered.statuses);
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
