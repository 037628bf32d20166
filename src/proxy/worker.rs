//! One worker: a thread, its runtime, and everything that only it touches.
//!
//! What owns sockets or only observes lives here, without a lock. What decides (in-flight counts,
//! ejections, budgets) is shared through the registry's atomics; what happens once belongs to the
//! control thread, which speaks to workers through messages alone.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use smallvec::SmallVec;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::connection::{self, Live, Refusals};
use super::drain::Drain;
use super::listener::Listening;
use super::registry::{CacheLine, Registry};
use super::spare::Spared;
use super::view::{BackendView, RuleView};
use super::world::{Reader, World};
use crate::limits;
use crate::model::{BindAddress, Cause, Listener, PartKey};
use crate::snapshot::CompiledRule;
use crate::telemetry::{
    ListenerSeries, PortSeries, Record, RouteNames, RouteSeries, WorkerMetrics, WorkerTelemetry,
};

/// What the control thread tells a worker.
pub enum Command {
    /// Accept on this socket, which all workers share.
    Listen(BindAddress, std::net::TcpListener),
    /// Accept no more there.
    Unlisten(BindAddress),
    /// Serve a connection that another worker accepted and has not read from.
    Serve(BindAddress, std::net::TcpStream, std::net::SocketAddr),
}

/// Told of an endpoint of a backend that was ejected (`true`) or has come back.
pub type TellEjection = Box<dyn Fn(&PartKey, &crate::model::Address, bool) + Send + Sync>;

/// What the workers of a process share besides the registry.
pub struct Shared {
    pub registry: Arc<Registry>,
    pub drain: Drain,
    /// Connections of each worker.
    pub loads: Box<[CacheLine<AtomicUsize>]>,
    pub connections: AtomicUsize,
    /// The Snapshot that each worker decides by.
    pub generations: Box<[CacheLine<AtomicU64>]>,
    pub next_connection: AtomicU64,
    /// How to hand a socket on.
    pub commands: Box<[mpsc::Sender<Command>]>,
    pub panics: crate::telemetry::SharedCounter,
    /// Requests and tunnels that were still open at the deadline of draining.
    pub cut: AtomicUsize,
    pub ejections: TellEjection,
}

impl Shared {
    pub fn count_cut(&self) {
        self.cut.fetch_add(1, Ordering::Relaxed);
    }
}

/// Counters of a listener, as long as it is the same.
type OfListener = (Arc<Listener>, Rc<RouteSeries>);

/// A worker's state. Everything that runs on the thread holds an `Rc` of it.
pub struct Worker {
    pub id: usize,
    pub shared: Arc<Shared>,
    pub registry: Arc<Registry>,
    pub metrics: WorkerMetrics,
    pub rng: RefCell<fastrand::Rng>,
    pub spared: Spared,
    pub refusals: Refusals,
    /// Mirrored requests in flight.
    pub mirrors: Cell<usize>,
    /// Every connection, to be asked once per World.
    pub live: RefCell<slab::Slab<Rc<Live>>>,
    pub listening: RefCell<HashMap<BindAddress, Listening>>,
    telemetry: RefCell<WorkerTelemetry>,
    /// A request clones it: an `Rc`, because workers would share the `Arc`'s counter.
    #[expect(
        clippy::redundant_allocation,
        reason = "one allocation per World spares an atomic per request"
    )]
    world: RefCell<Rc<Arc<World>>>,
    rules: RefCell<Vec<SmallVec<[Rc<RuleView>; 1]>>>,
    backends: RefCell<HashMap<PartKey, Rc<BackendView>>>,
    ports: RefCell<HashMap<BindAddress, Rc<PortSeries>>>,
    listeners: RefCell<HashMap<PartKey, OfListener>>,
    handshakes: RefCell<HashMap<Option<PartKey>, ListenerSeries>>,
}

impl Worker {
    /// Runs until draining is over; the thread's whole life.
    pub fn run(
        id: usize,
        shared: Arc<Shared>,
        telemetry: WorkerTelemetry,
        reader: Reader,
        commands: mpsc::Receiver<Command>,
    ) -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .event_interval(61)
            .build_local(tokio::runtime::LocalOptions::default())?;
        runtime.block_on(async {
            let worker = Self::new(id, shared, telemetry, &reader);
            worker.serve(reader, commands).await;
            worker.telemetry.borrow_mut().flush();
        });
        Ok(())
    }

    fn new(
        id: usize,
        shared: Arc<Shared>,
        telemetry: WorkerTelemetry,
        reader: &Reader,
    ) -> Rc<Self> {
        Rc::new(Self {
            id,
            registry: Arc::clone(&shared.registry),
            shared,
            metrics: telemetry.metrics.clone(),
            rng: RefCell::new(fastrand::Rng::new()),
            spared: Spared::default(),
            refusals: Refusals::default(),
            mirrors: Cell::new(0),
            live: RefCell::default(),
            listening: RefCell::default(),
            telemetry: RefCell::new(telemetry),
            world: RefCell::new(Rc::new(reader.current())),
            rules: RefCell::default(),
            backends: RefCell::default(),
            ports: RefCell::default(),
            listeners: RefCell::default(),
            handshakes: RefCell::default(),
        })
    }

    async fn serve(self: &Rc<Self>, reader: Reader, commands: mpsc::Receiver<Command>) {
        tokio::select! {
            () = self.upkeep(reader) => {}
            () = self.work(commands) => {}
        }
    }

    /// Follows the World and does what is due now and then; never ends.
    async fn upkeep(&self, mut reader: Reader) {
        let mut tick = tokio::time::interval(limits::LOG_FLUSH);
        let mut ticks = 0_u32;
        // Once the control thread is gone nothing changes any more: serve on, and drain.
        let mut changes = true;
        loop {
            tokio::select! {
                changed = reader.changed(), if changes => match changed {
                    Ok(()) => self.refresh(reader.current()),
                    Err(_) => changes = false,
                },
                _ = tick.tick() => {
                    ticks = ticks.wrapping_add(1);
                    self.telemetry.borrow_mut().flush();
                    if ticks.is_multiple_of(limits::SWEEP_TICKS) {
                        self.sweep();
                    }
                }
            }
        }
    }

    /// Takes orders until draining begins, and ends when the last connection is gone or the
    /// deadline of draining is there.
    async fn work(self: &Rc<Self>, mut commands: mpsc::Receiver<Command>) {
        let drain = self.shared.drain.clone();
        let mut begun = pin!(drain.wait());
        loop {
            tokio::select! {
                // The channel has senders as long as there are workers.
                Some(command) = commands.recv() => self.obey(command),
                _ = &mut begun => break,
            }
        }
        self.take_last(commands).await;
        for (_, live) in self.live.borrow().iter() {
            live.drain(Cause::Draining);
        }
        tokio::select! {
            () = self.until(|live| live.is_empty()) => {}
            () = drain.expired() => self.cut().await,
        }
    }

    /// Ends what is still open, so that neither its client nor the log misses a word.
    async fn cut(&self) {
        for (_, live) in self.live.borrow().iter() {
            live.cut();
        }
        let told = self.until(|live| live.iter().all(|(_, live)| !live.has_open()));
        let _ = timeout(limits::DRAIN_CUT, told).await;
        let _ = timeout(limits::DRAIN_LAST, self.until(|live| live.is_empty())).await;
    }

    async fn until(&self, holds: impl Fn(&slab::Slab<Rc<Live>>) -> bool) {
        let mut look = tokio::time::interval(limits::DRAIN_LOOK);
        loop {
            look.tick().await;
            if holds(&self.live.borrow()) {
                return;
            }
        }
    }

    /// Takes up what the kernel has accepted and what other workers have handed on: their clients
    /// are connected, and may have sent a request already. Nothing is accepted behind it.
    async fn take_last(self: &Rc<Self>, mut commands: mpsc::Receiver<Command>) {
        let listening = self.listening.take();
        for (bind, listening) in listening {
            listening.finish(self, bind).await;
        }
        // Who wants to hand on from now on finds the channel closed, and serves by itself.
        commands.close();
        while let Some(command) = commands.recv().await {
            self.obey(command);
        }
    }

    fn obey(self: &Rc<Self>, command: Command) {
        match command {
            Command::Listen(bind, socket) => {
                if self.shared.drain.is_draining() {
                    return;
                }
                match Listening::start(self, bind, socket) {
                    Ok(listening) => {
                        self.listening.borrow_mut().insert(bind, listening);
                    }
                    Err(error) => tracing::error!(%bind, %error, "can't accept connections"),
                }
            }
            Command::Unlisten(bind) => {
                self.listening.borrow_mut().remove(&bind);
            }
            Command::Serve(bind, socket, peer) => connection::adopt(self, bind, socket, peer),
        }
    }

    /// Takes a new World over: whoever is connected is asked once whether that still holds, and
    /// what is in use is brought up to date. Everything else is made when it is asked for.
    fn refresh(&self, world: Arc<World>) {
        for backend in self.backends.borrow().values() {
            backend.refresh(self, &world);
        }
        for (_, live) in self.live.borrow().iter() {
            live.review(&world);
        }
        let generation = world.snapshot.generation;
        *self.world.borrow_mut() = Rc::new(world);
        self.shared.generations[self.id].store(generation, Ordering::Release);
    }

    fn sweep(&self) {
        let world = self.world();
        let mut rules = self.rules.borrow_mut();
        for (slot, views) in rules.iter_mut().enumerate() {
            views.retain(|view| {
                let slot = crate::snapshot::RuleSlot(u32::try_from(slot).unwrap_or(u32::MAX));
                world
                    .snapshot
                    .rule(slot)
                    .is_some_and(|current| Arc::ptr_eq(current, &view.compiled))
            });
        }
        let mut backends = self.backends.borrow_mut();
        // Rules hold the views they use; one that nobody holds is not needed.
        backends.retain(|_, view| Rc::strong_count(view) > 1);
        for backend in backends.values() {
            backend.sweep();
        }
    }

    /// What a request decides everything by.
    pub fn world(&self) -> Rc<Arc<World>> {
        Rc::clone(&self.world.borrow())
    }

    /// This worker's view of a rule on a listener.
    pub fn rule(&self, listener: &Arc<Listener>, compiled: &Arc<CompiledRule>) -> Rc<RuleView> {
        let slot = compiled.slot.0 as usize;
        let known = self.rules.borrow().get(slot).and_then(|views| {
            let is_it = |view: &&Rc<RuleView>| {
                Arc::ptr_eq(&view.compiled, compiled) && Arc::ptr_eq(&view.listener, listener)
            };
            views.iter().find(is_it).cloned()
        });
        if let Some(view) = known {
            return view;
        }
        let view = Rc::new(RuleView::new(self, listener, compiled));
        let mut rules = self.rules.borrow_mut();
        if rules.len() <= slot {
            rules.resize_with(slot + 1, SmallVec::new);
        }
        rules[slot]
            .retain(|old| Arc::ptr_eq(&old.compiled, compiled) && old.listener.key != listener.key);
        rules[slot].push(Rc::clone(&view));
        view
    }

    /// This worker's view of a backend.
    pub fn backend(&self, key: &PartKey) -> Rc<BackendView> {
        if let Some(known) = self.backends.borrow().get(key) {
            return Rc::clone(known);
        }
        let view = Rc::new(BackendView::new(&self.metrics, key.clone()));
        view.refresh(self, &self.world());
        self.backends.borrow_mut().insert(key.clone(), Rc::clone(&view));
        view
    }

    /// Counters of connections to an address.
    pub fn port_series(&self, bind: BindAddress) -> Rc<PortSeries> {
        let mut ports = self.ports.borrow_mut();
        let series =
            ports.entry(bind).or_insert_with(|| Rc::new(PortSeries::new(&self.metrics, bind)));
        Rc::clone(series)
    }

    /// Counters of requests that reached a listener and no rule of it.
    pub fn listener_series(&self, listener: &Arc<Listener>) -> Rc<RouteSeries> {
        let mut known = self.listeners.borrow_mut();
        if let Some((of, series)) = known.get(&listener.key)
            && Arc::ptr_eq(of, listener)
        {
            return Rc::clone(series);
        }
        let series =
            Rc::new(RouteSeries::new(&self.metrics, RouteNames::new(listener, None, None)));
        known.insert(listener.key.clone(), (Arc::clone(listener), Rc::clone(&series)));
        series
    }

    /// Counts a handshake; without a listener where no listener took the server name.
    pub fn count_handshake(&self, listener: Option<&Arc<Listener>>, failure: Option<Cause>) {
        let key = listener.map(|listener| listener.key.clone());
        let mut known = self.handshakes.borrow_mut();
        let series = known.entry(key).or_insert_with(|| {
            ListenerSeries::new(&self.metrics, listener.map(|listener| &**listener))
        });
        series.handshake(failure);
    }

    pub fn consume(&self, record: &Record) {
        self.telemetry.borrow_mut().consume(record);
    }

    /// The worker that a just-accepted socket should go to, when this one is above its share.
    pub fn lighter(&self) -> Option<usize> {
        let loads = &self.shared.loads;
        let mine = loads[self.id].load(Ordering::Relaxed);
        let (lightest, least) = loads
            .iter()
            .enumerate()
            .map(|(id, load)| (id, load.load(Ordering::Relaxed)))
            .min_by_key(|(_, load)| *load)?;
        // One eighth more, and a few: handing on costs more than a small difference does.
        (mine > least + least / 8 + limits::LOAD_DIFFERENCE).then_some(lightest)
    }
}
