//! The proxy of this process: its workers, its sockets, and the one who tells them.
//!
//! Lives on the control thread. What it is given to publish comes from elsewhere, so it serves
//! on when every source is gone.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use tokio::sync::mpsc;

use super::drain::Drain;
use super::listener;
use super::registry::{BackendShared, CacheLine, EndpointShared, Registry};
use super::takeover::Listening;
use super::worker::{Command, Shared, Worker};
use super::world::{Publisher, Reader, World};
use crate::clock::{self, Instant};
use crate::identity::{Clients, SystemRoots};
use crate::limits;
use crate::model::{Address, BindAddress, PartKey};
use crate::snapshot::Snapshot;
use crate::telemetry::access_log::AccessLog;
use crate::telemetry::{self, Family, SharedGauge, backend_label};

/// What a proxy is started with.
pub struct Options {
    pub workers: NonZeroUsize,
    pub metrics: telemetry::Registry,
    pub access_log: Option<AccessLog>,
    /// Sockets that another process gave us.
    pub inherited: Vec<Listening>,
    /// Sockets that the service manager gave us, and holds too.
    pub passed: Vec<Listening>,
    pub drain: Drain,
}

/// A running proxy.
pub struct Proxy {
    publisher: Publisher,
    shared: Arc<Shared>,
    metrics: telemetry::Registry,
    threads: Vec<JoinHandle<io::Result<()>>>,
    sockets: BTreeMap<BindAddress, std::net::TcpListener>,
    inherited: BTreeMap<BindAddress, Vec<OwnedFd>>,
    /// Kept for life: who holds them too keeps their addresses from being bound anew.
    passed: BTreeMap<BindAddress, OwnedFd>,
    access_log: Option<AccessLog>,
    generation: SharedGauge,
    certificates: Vec<SharedGauge>,
}

/// An address that can't be listened on.
#[derive(Debug)]
pub struct NotBound {
    pub bind: BindAddress,
    pub error: io::Error,
}

/// An endpoint as requests are balanced by it.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointNow {
    pub backend: PartKey,
    pub address: Address,
    /// Ejected.
    pub is_out: bool,
    /// The average time to the head of an answer; `None` before the first.
    pub latency_micros: Option<f32>,
}

impl Proxy {
    /// Starts the workers; nothing is served before something is published.
    pub fn start(options: Options) -> io::Result<Self> {
        let Options { workers, metrics, access_log, inherited, passed, drain } = options;
        let (publisher, reader) = Publisher::new(Clients::new(SystemRoots::standard()));
        let (senders, receivers): (Vec<_>, Vec<_>) =
            (0..workers.get()).map(|_| mpsc::channel(2 * limits::HANDED_ON_SOCKETS)).unzip();
        let loads = (0..workers.get()).map(|_| CacheLine::default()).collect();
        let generations = (0..workers.get()).map(|_| CacheLine::default()).collect();
        let shared = Arc::new(Shared {
            registry: Arc::new(Registry::new(clock::now(), fastrand::u64(..))),
            drain,
            loads,
            connections: AtomicUsize::new(0),
            generations,
            next_connection: AtomicU64::new(1),
            commands: senders.into(),
            panics: metrics.counter(Family::Panics, &[]),
            cut: AtomicUsize::new(0),
            ejections: Box::new(ejections(metrics.clone())),
        });
        let mut proxy = Self {
            publisher,
            threads: Vec::new(),
            sockets: BTreeMap::new(),
            inherited: BTreeMap::new(),
            passed: passed.into_iter().map(|one| (one.bind, one.socket)).collect(),
            access_log,
            generation: metrics.gauge(Family::ConfigGeneration, &[]),
            certificates: Vec::new(),
            shared,
            metrics,
        };
        for Listening { bind, socket } in inherited {
            proxy.inherited.entry(bind).or_default().push(socket);
        }
        for (id, commands) in receivers.into_iter().enumerate() {
            let thread = proxy.start_worker(id, reader.clone(), commands)?;
            proxy.threads.push(thread);
        }
        Ok(proxy)
    }

    fn start_worker(
        &self,
        id: usize,
        reader: Reader,
        commands: mpsc::Receiver<Command>,
    ) -> io::Result<JoinHandle<io::Result<()>>> {
        let shared = Arc::clone(&self.shared);
        let metrics = self.metrics.clone();
        let log = self.access_log.as_ref().map(AccessLog::worker);
        std::thread::Builder::new().name(format!("worker-{id}")).spawn(move || {
            let telemetry = telemetry::WorkerTelemetry::new(metrics.worker(), log);
            Worker::run(id, shared, telemetry, reader, commands)
        })
    }

    /// Makes the Snapshot what is served: sockets that it has no listener for are closed, new
    /// ones opened after their routes are known. Says which addresses can't be listened on; they
    /// are tried again with the next Snapshot.
    pub fn publish(&mut self, snapshot: Arc<Snapshot>) -> Vec<NotBound> {
        self.publisher.publish(Arc::clone(&snapshot));
        self.generation.set(i64::try_from(snapshot.generation).unwrap_or(i64::MAX));
        self.note_certificates();
        if self.shared.drain.is_draining() {
            return Vec::new();
        }
        let gone: Vec<BindAddress> =
            self.sockets.keys().filter(|bind| snapshot.port(**bind).is_none()).copied().collect();
        for bind in gone {
            self.tell(|| Ok(Command::Unlisten(bind)));
            self.sockets.remove(&bind);
        }
        let not_bound = self.listen_again();
        // What was inherited for addresses that nobody serves any more.
        self.inherited.clear();
        not_bound
    }

    /// Tries the addresses that are served and not listened on.
    pub fn listen_again(&mut self) -> Vec<NotBound> {
        let world = self.publisher.current();
        let mut not_bound = Vec::new();
        for port in world.snapshot.ports() {
            if !self.sockets.contains_key(&port.bind)
                && let Err(error) = self.listen(port.bind)
            {
                not_bound.push(NotBound { bind: port.bind, error });
            }
        }
        not_bound
    }

    fn listen(&mut self, bind: BindAddress) -> io::Result<()> {
        let inherited = self.inherited.remove(&bind).and_then(|mut sockets| sockets.pop());
        let given = match inherited {
            Some(socket) => Some(socket),
            None => self.passed(bind).map(|(_, socket)| socket.try_clone()).transpose()?,
        };
        let socket = match given {
            Some(socket) => {
                let socket = std::net::TcpListener::from(socket);
                socket.set_nonblocking(true)?;
                socket
            }
            None => listener::bind(bind)?,
        };
        self.tell(|| Ok(Command::Listen(bind, socket.try_clone()?)));
        self.sockets.insert(bind, socket);
        Ok(())
    }

    /// The service manager's socket for an address. One that it bound to a single address of the
    /// machine serves a listener for all of them: who wrote the unit decided so, and while the
    /// manager holds it the port can't be bound for the others.
    fn passed(&self, bind: BindAddress) -> Option<(&BindAddress, &OwnedFd)> {
        let of_port = || self.passed.iter().find(|(passed, _)| passed.port == bind.port);
        let exact = self.passed.get_key_value(&bind);
        exact.or_else(|| bind.ip.is_none().then(of_port).flatten())
    }

    /// The service manager's sockets that nobody accepts from: who connects there waits in vain.
    pub fn unused_sockets(&self) -> Vec<BindAddress> {
        let used: Vec<BindAddress> =
            self.sockets.keys().filter_map(|bind| Some(*self.passed(*bind)?.0)).collect();
        self.passed.keys().filter(|bind| !used.contains(bind)).copied().collect()
    }

    fn tell(&self, command: impl Fn() -> io::Result<Command>) {
        for (id, worker) in self.shared.commands.iter().enumerate() {
            let told = command().map(|command| worker.try_send(command));
            if !matches!(told, Ok(Ok(()))) {
                tracing::error!(worker = id, "a worker can't be told of a listener");
            }
        }
    }

    /// Duplicates of the listening sockets, to be handed to the next process.
    pub fn sockets(&self) -> io::Result<Vec<Listening>> {
        self.sockets
            .iter()
            .map(|(bind, socket)| Ok(Listening { bind: *bind, socket: socket.try_clone()?.into() }))
            .collect()
    }

    /// Addresses that are listened on, with the port that the system chose where 0 was asked.
    pub fn addresses(&self) -> Vec<(BindAddress, std::net::SocketAddr)> {
        self.sockets
            .iter()
            .filter_map(|(bind, socket)| Some((*bind, socket.local_addr().ok()?)))
            .collect()
    }

    pub fn world(&self) -> Arc<World> {
        self.publisher.current()
    }

    pub fn metrics(&self) -> &telemetry::Registry {
        &self.metrics
    }

    /// The Snapshot that every worker has taken over: no request is decided by an older one.
    pub fn served(&self) -> u64 {
        let generations = self.shared.generations.iter();
        generations.map(|served| served.load(Ordering::Acquire)).min().unwrap_or(0)
    }

    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// The same, for whoever has no proxy at hand.
    pub fn count_connections(&self) -> impl Fn() -> usize + Send + Sync + 'static {
        let shared = Arc::clone(&self.shared);
        move || shared.connections.load(Ordering::Relaxed)
    }

    /// What is known of endpoints beside their counters, likewise.
    pub fn endpoints_now(&self) -> impl Fn(Instant) -> Vec<EndpointNow> + Send + Sync + 'static {
        let shared = Arc::clone(&self.shared);
        move |now| {
            let backends = shared.registry.backends();
            let one = |backend: &Arc<BackendShared>, endpoint: &EndpointShared| EndpointNow {
                backend: backend.key.clone(),
                address: endpoint.address.clone(),
                is_out: endpoint.is_out(now),
                latency_micros: endpoint.latency(),
            };
            let of = |backend: &Arc<BackendShared>| {
                backend.endpoints().iter().map(|each| one(backend, each)).collect::<Vec<_>>()
            };
            backends.iter().flat_map(of).collect()
        }
    }

    pub fn workers(&self) -> usize {
        self.threads.len()
    }

    /// What is due about once a second.
    pub fn tick(&self, now: Instant) {
        for returned in self.shared.registry.sweep(now) {
            (self.shared.ejections)(&returned.backend, &returned.address, false);
        }
        self.metrics.sweep(now);
        if self.metrics.has_begun_to_fold() {
            tracing::warn!(
                bound = limits::METRIC_SERIES,
                "more series than metrics hold: new label sets are counted under `other` from now \
                 on, as meshctl_metric_series_folded says; requests and logs lose nothing"
            );
        }
    }

    pub fn reopen_log(&self) {
        if let Some(log) = &self.access_log {
            log.reopen();
        }
    }

    /// Accepts no more, and lets what runs finish until the deadline.
    pub fn drain(&mut self, deadline: Instant) {
        self.shared.drain.start(deadline);
        self.sockets.clear();
        self.passed.clear();
    }

    /// Waits for the workers, who end when draining is over; the log is complete then.
    pub fn join(self) {
        for thread in self.threads {
            match thread.join() {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "a worker failed"),
                Err(_) => tracing::error!("a worker panicked"),
            }
        }
        let cut = self.shared.cut.load(Ordering::Relaxed);
        if cut > 0 {
            tracing::warn!(requests = cut, "the time for draining was over: cut what was open");
        }
        if let Some(log) = self.access_log {
            log.close(limits::LOG_CLOSE);
        }
    }

    fn note_certificates(&mut self) {
        let world = self.publisher.current();
        self.certificates = world
            .servers()
            .flat_map(|(listener, tls)| tls.leaves().map(move |leaf| (listener, leaf)))
            .map(|(listener, leaf)| {
                let label = format!("{listener}: {}", leaf.name());
                let gauge = self.metrics.gauge(Family::CertificateExpiry, &[&label]);
                gauge.set(leaf.not_after);
                gauge
            })
            .collect();
    }
}

/// The CPUs that a cgroup may use, rounded up, from its `cpu.max` ("150000 100000" is 1.5).
pub fn cpu_quota(cpu_max: &str) -> Option<NonZeroUsize> {
    let (quota, period) = cpu_max.trim().split_once(' ')?;
    let (quota, period): (usize, usize) = (quota.parse().ok()?, period.parse().ok()?);
    NonZeroUsize::new(quota.div_ceil(NonZeroUsize::new(period)?.get()))
}

/// Counts ejections and shows who is out. Rare, so names are looked up each time.
fn ejections(metrics: telemetry::Registry) -> impl Fn(&PartKey, &Address, bool) + Send + Sync {
    let out = std::sync::Mutex::new(BTreeMap::<(String, String), SharedGauge>::new());
    move |backend, address, ejected| {
        let (backend, address) = (backend_label(backend), address.to_string());
        let labels = [backend.as_str(), address.as_str()];
        if ejected {
            metrics.counter(Family::Ejections, &labels).inc();
            tracing::warn!(backend, endpoint = address, "endpoint ejected");
        } else {
            tracing::info!(backend, endpoint = address, "endpoint back");
        }
        let gauge = metrics.gauge(Family::EndpointEjected, &labels);
        gauge.set(i64::from(ejected));
        let Ok(mut out) = out.lock() else { return };
        if ejected {
            out.insert((backend, address), gauge);
        } else {
            // The series ends with its last handle.
            out.remove(&(backend, address));
        }
    }
}
