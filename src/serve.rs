//! A proxy process put together: sources feed a Snapshot, the Snapshot feeds the workers, the two
//! doors show and steer, signals end it.
//!
//! One thread, the control runtime, does all of this; no request ever waits for it. This module
//! must not parse arguments or read the environment.

mod board;
mod handover;
mod observation;
mod picture;
mod refused;
mod series;
mod signals;
mod sources;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::clock;
use crate::config::{Diagnostic, codes};
use crate::limits;
use crate::proxy::control::{self, Control as _, ControlDoor, Existing, Registered};
use crate::proxy::drain::Drain;
use crate::proxy::process::{self, NotBound, Proxy};
use crate::proxy::systemd;
use crate::proxy::takeover::{self, Handover, Offer, Successor};
use crate::snapshot::{Changes, Snapshot};
use crate::source::remote::RemoteUpdate;
use crate::source::{Resolver, Summary, Update};
use crate::telemetry::access_log::{AccessLog, Sink};
use crate::telemetry::{Family, Registry};
use board::{About, Board, Order};
pub use handover::takeover_path;
use handover::{lock, open_takeover, take_over};
use observation::Observation;
pub use refused::StartError;
use refused::sentence;
use series::Series;
use signals::{Signal, Signals};
pub use sources::Input;
use sources::{News, Owed, Source};

/// What a process is started with.
pub struct Options {
    pub input: Input,
    pub workers: NonZeroUsize,
    /// `None` switches the observation door off.
    pub observe: Option<SocketAddr>,
    pub control: PathBuf,
    /// Where else the control socket is made known, so that commands find it from anywhere.
    pub register: Option<PathBuf>,
    /// Whose listening sockets to take: its takeover socket.
    pub takeover: Option<PathBuf>,
    /// Sockets of the service manager.
    pub passed: Vec<takeover::Listening>,
    /// `$NOTIFY_SOCKET`.
    pub notify: Option<OsString>,
    /// `None`: the longest that a listener's settings say.
    pub drain_timeout: Option<Duration>,
    pub version: &'static str,
    /// Changes what is logged while it runs.
    pub set_log_level: SetLogLevel,
    /// Told once, when everything that can be served is served.
    pub started: Box<dyn FnOnce(&Started) + Send>,
    /// Told whenever the list of what is wrong has changed.
    pub diagnosed: TellDiagnosed,
}

/// Takes directives such as `info,meshctl=debug`.
pub type SetLogLevel = Box<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// Told everything that is wrong, and how to find the text of a file by its name.
pub type TellDiagnosed = Box<dyn FnMut(&[Diagnostic], Texts<'_>) + Send>;
pub type Texts<'a> = &'a dyn Fn(&str) -> Option<Arc<str>>;

/// What runs now.
#[derive(Debug)]
pub struct Started {
    pub addresses: Vec<SocketAddr>,
    pub observe: Option<SocketAddr>,
    pub control: PathBuf,
    pub not_bound: Vec<String>,
}

/// Serves until it is told to stop and everything has finished.
pub async fn run(options: Options) -> Result<(), StartError> {
    Server::start(options).await?.run().await;
    Ok(())
}

/// Everything that lives on the control thread.
struct Server {
    source: Source,
    resolver: Resolver,
    snapshot: Snapshot,
    proxy: Proxy,
    drain: Drain,
    board: Arc<Board>,
    orders: mpsc::Receiver<Order>,
    signals: Signals,
    /// Duplicates of the listening sockets, for whoever takes over.
    offer: Arc<Mutex<Offer>>,
    observation: Option<Observation>,
    doors: Vec<tokio::task::JoinHandle<()>>,
    registered: Option<Registered>,
    notify: Option<OsString>,
    /// The rescan that was announced and not yet reported.
    reloading: Option<u64>,
    drain_timeout: Option<Duration>,
    diagnosed: TellDiagnosed,
    series: Series,
    not_bound: Vec<NotBound>,
    /// What the sources say is wrong.
    wrong: Vec<Diagnostic>,
    /// What a controller has yet to be told.
    owed: Owed,
}

impl Server {
    async fn start(options: Options) -> Result<Self, StartError> {
        let metrics = Registry::new();
        let dropped = metrics.counter(Family::LogLinesDropped, &[]);
        let access_log = AccessLog::start(Sink::Stdout, dropped).map_err(StartError::Workers)?;
        let sources = options.input.names();
        let (mut source, mut first) = Source::open(options.input).map_err(StartError::Sources)?;
        if first.is_none() && options.takeover.is_some() {
            // Who is to be taken over serves on until there is something to do it with.
            first = Some(source.next().await.map_err(StartError::Sources)?);
        }
        let (mut handover, inherited) =
            take_over(options.takeover.as_deref(), options.observe).await?;
        let drain = Drain::new();
        let proxy = Proxy::start(process::Options {
            workers: options.workers,
            metrics: metrics.clone(),
            access_log: Some(access_log),
            inherited,
            passed: options.passed,
            drain: drain.clone(),
        })
        .map_err(StartError::Workers)?;
        let signals = Signals::new().map_err(StartError::Workers)?;
        let about = About {
            version: options.version,
            process: fastrand::u64(..),
            sources,
            workers: proxy.workers(),
            connections: Box::new(proxy.count_connections()),
            endpoints: Box::new(proxy.endpoints_now()),
            link: source.link(),
        };
        let (board, orders) = Board::new(metrics.clone(), about, options.set_log_level);
        let board = Arc::new(board);
        let existing = if handover.is_some() { Existing::Replace } else { Existing::Refuse };
        let mut server = Self {
            series: Series::new(&metrics, options.version, source.link()),
            source,
            resolver: Resolver::system(fastrand::Rng::new()),
            snapshot: Snapshot::empty(),
            proxy,
            drain,
            board,
            orders,
            signals,
            doors: Vec::new(),
            registered: None,
            notify: options.notify,
            reloading: None,
            drain_timeout: options.drain_timeout,
            diagnosed: options.diagnosed,
            not_bound: Vec::new(),
            wrong: Vec::new(),
            owed: Owed::default(),
            offer: Arc::default(),
            observation: None,
        };
        if let Some(first) = first {
            server.take(first).await;
        }
        for bind in server.proxy.unused_sockets() {
            tracing::warn!(%bind, "no listener has the service manager's socket: who connects waits");
        }
        let idle = server.proxy.addresses().is_empty() && !server.not_bound.is_empty();
        // A controller is told, and what it says next may be bound.
        if idle && server.source.is_files() {
            server.stop_workers();
            return Err(StartError::Listen(server.not_bound));
        }
        server.observe(options.observe, handover.as_mut()).await?;
        server.open_doors(&options.control, existing)?;
        server.register(options.register.as_deref(), &options.control);
        if let Some(handover) = handover {
            // The other process accepts no more from here on.
            if let Err(error) = handover.serving().await {
                tracing::warn!(%error, "the former proxy did not confirm the takeover");
            }
        }
        server.tell_systemd(&[systemd::State::Ready]);
        (options.started)(&Started {
            addresses: server.proxy.addresses().into_iter().map(|(_, address)| address).collect(),
            observe: server.observation.as_ref().map(|door| door.at),
            control: options.control,
            not_bound: server.not_bound.iter().map(sentence).collect(),
        });
        Ok(server)
    }

    async fn observe(
        &mut self,
        observe: Option<SocketAddr>,
        handover: Option<&mut Handover>,
    ) -> Result<(), StartError> {
        let Some(address) = observe else { return Ok(()) };
        let from = match handover.map(|handover| handover.door.take()) {
            Some(Some(given)) => observation::From::Given(given),
            Some(None) => observation::From::Former(address),
            None => observation::From::Nobody(address),
        };
        let opened = Observation::open(from, Arc::clone(&self.board), Arc::clone(&self.offer));
        let failed = |error| StartError::Observe { address, error };
        let observation = opened.await.map_err(failed)?;
        self.board.show_observe(observation.at);
        self.observation = Some(observation);
        Ok(())
    }

    fn open_doors(&mut self, control: &Path, existing: Existing) -> Result<(), StartError> {
        let failed = |error| StartError::Control { path: control.to_owned(), error };
        let door = ControlDoor::bind(control, existing).map_err(failed)?;
        self.doors.push(tokio::spawn(door.serve(Arc::clone(&self.board))));
        let door = open_takeover(control, existing)?;
        let (offer, board) = (Arc::clone(&self.offer), Arc::clone(&self.board));
        self.doors.push(tokio::spawn(async move {
            let successor = door.serve(|| lock(&offer).try_clone()).await;
            board.replaced(successor).await;
        }));
        Ok(())
    }

    /// Who asks for it by its path finds it as well, so a failure keeps nothing from running.
    fn register(&mut self, directory: Option<&Path>, socket: &Path) {
        let Some(directory) = directory else { return };
        match control::register(directory, socket) {
            Ok(registered) => self.registered = registered,
            Err(error) => tracing::info!(
                directory = %directory.display(), %error,
                "`meshctl proxy status` finds this proxy only by its control socket"
            ),
        }
    }

    async fn take(&mut self, news: News) {
        match news {
            News::Files(update) => self.take_files(update).await,
            News::Controller(update) => self.take_parts(update).await,
        }
    }

    /// The controller hears of it when every worker serves it.
    async fn take_parts(&mut self, update: RemoteUpdate) {
        let RemoteUpdate { changes, generation, transaction, refused } = update;
        let (changed, removed) = (changes.upserted.len(), changes.removed.len());
        tracing::debug!(generation, changed, removed, refused = refused.len(), "parts have come");
        let changes = self.resolver.resolve(changes).await;
        self.publish(&changes);
        self.tell_wrong();
        self.series.reloaded(refused.is_empty());
        self.owed = Owed::new(transaction, self.snapshot.generation);
    }

    /// A change of the files: names first, then what is made of it.
    async fn take_files(&mut self, update: Update) {
        let Update { changes, diagnostics, read, lowered, summary, rescans } = update;
        self.series.parsed.add(read.documents_parsed as u64);
        self.series.lowered.add(lowered.parts_lowered as u64);
        self.wrong = diagnostics;
        let changes = self.resolver.resolve(changes).await;
        self.publish(&changes);
        let errors = self.tell_wrong();
        // A file that became empty is a warning, and what it held is served on.
        let kept = |diagnostic: &Diagnostic| diagnostic.code == codes::FILE_EMPTY;
        self.series.reloaded(errors == 0 && !self.wrong.iter().any(kept));
        if self.reloading.is_some_and(|asked| rescans >= asked) {
            self.reloading = None;
            self.reloaded(&summary, errors).await;
        }
    }

    /// Says that what was asked for has come to pass: every worker serves it.
    async fn reloaded(&self, summary: &Summary, errors: usize) {
        let served = async {
            while self.proxy.served() < self.snapshot.generation {
                tokio::time::sleep(limits::SERVED_LOOK).await;
            }
        };
        // A worker that is busy for longer serves the new state a little later.
        let _ = tokio::time::timeout(limits::SERVED_WAIT, served).await;
        match errors {
            0 => tracing::info!("read again: {summary}"),
            _ => tracing::warn!(errors, "read again: {summary}; what was good before is served on"),
        }
        self.tell_systemd(&[systemd::State::Ready]);
    }

    /// Serves what changed.
    fn publish(&mut self, changes: &Changes) {
        let first = self.snapshot.generation == 0;
        if !first && changes.upserted.is_empty() && changes.removed.is_empty() {
            return;
        }
        self.snapshot = self.snapshot.apply(changes);
        self.not_bound = self.proxy.publish(Arc::new(self.snapshot.clone()));
        for failed in &self.not_bound {
            tracing::error!("{}", sentence(failed));
        }
        self.offer_sockets();
    }

    /// Shows all that is wrong; says how many errors there are.
    fn tell_wrong(&mut self) -> usize {
        let mut wrong = self.wrong.clone();
        wrong.extend(self.resolver.diagnostics());
        let errors = wrong.iter().filter(|diagnostic| diagnostic.is_error()).count();
        self.series.errors.set(count(errors));
        self.series.warnings.set(count(wrong.len() - errors));
        (self.diagnosed)(&wrong, &|file| self.source.text(file));
        self.show(errors, wrong.len() - errors);
        errors
    }

    fn offer_sockets(&self) {
        match self.proxy.sockets() {
            Ok(sockets) => lock(&self.offer).sockets = sockets,
            Err(error) => tracing::warn!(%error, "the listening sockets can't be handed over"),
        }
    }

    fn show(&self, errors: usize, warnings: usize) {
        let addresses = self.proxy.addresses();
        let not_bound: Vec<String> = self.not_bound.iter().map(sentence).collect();
        self.board.show(self.proxy.world(), addresses, not_bound, (errors, warnings));
    }

    async fn run(mut self) {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        let mut ticks = 0_u64;
        let successor = loop {
            tokio::select! {
                news = self.source.next() => match news {
                    Ok(news) => self.take(news).await,
                    Err(error) => {
                        // Nobody watches the files any more: what is known is served on.
                        tracing::error!(%error, "the configuration can't be watched");
                        tokio::time::sleep(limits::WATCH_RETRY).await;
                    }
                },
                () = tokio::time::sleep(limits::SERVED_LOOK), if self.owed.is_due() => {
                    let not_bound: Vec<String> = self.not_bound.iter().map(sentence).collect();
                    self.owed.pay(&self.source, self.proxy.served(), &not_bound);
                }
                changes = self.resolver.next() => {
                    self.publish(&changes);
                    self.tell_wrong();
                }
                signal = self.signals.next() => match signal {
                    Signal::Reload => self.reload(),
                    Signal::ReopenLog => self.proxy.reopen_log(),
                    Signal::Stop => break None,
                },
                Some(order) = self.orders.recv() => match order {
                    Order::Drain(within) => {
                        self.drain_timeout = within.or(self.drain_timeout);
                        break None;
                    }
                    Order::Reload => self.reload(),
                    Order::Replaced(successor) => {
                        let pid = successor.pid;
                        tracing::info!(pid, "another process serves from now on");
                        self.tell_systemd(&[systemd::State::MainPid(pid)]);
                        break Some(successor);
                    }
                },
                _ = second.tick() => {
                    self.proxy.tick(clock::now());
                    self.series.tick();
                    ticks += 1;
                    self.source.report(|| self.board.report());
                    if ticks.is_multiple_of(limits::LISTEN_RETRY_TICKS) && !self.not_bound.is_empty() {
                        self.not_bound = self.proxy.listen_again();
                        self.owed.renew();
                        self.offer_sockets();
                    }
                }
            }
        };
        if successor.is_none() {
            // Else the service goes on, in another process.
            self.tell_systemd(&[systemd::State::Stopping]);
        }
        self.stop(successor).await;
    }

    /// Reads everything again; [`Self::reloaded`] tells when that is done.
    fn reload(&mut self) {
        self.tell_systemd(&[systemd::State::Reloading]);
        self.proxy.reopen_log();
        self.reloading = self.source.rescan();
        if self.reloading.is_none() {
            self.tell_systemd(&[systemd::State::Ready]);
        }
    }

    /// Drains: the doors stay open meanwhile, so that what waits can be seen. The observation
    /// door may be the successor's already.
    async fn stop(mut self, successor: Option<Successor>) {
        let within = self.drain_timeout.unwrap_or_else(|| self.board.drain_timeout());
        tracing::info!(?within, connections = self.proxy.connections(), "draining");
        let handed_on = successor.is_some_and(|successor| successor.door);
        self.board.set_draining(handed_on);
        let observation = self.observation.take();
        let (given, kept) = if handed_on { (observation, None) } else { (None, observation) };
        let given = given.map(Observation::hand_on);
        self.proxy.drain(clock::now() + within);
        *lock(&self.offer) = Offer::default();
        let proxy = self.proxy;
        let mut joined = tokio::task::spawn_blocking(move || proxy.join());
        tokio::select! {
            _ = &mut joined => {}
            // Asked twice: at once.
            () = stopped_again(&mut self.signals) => {
                self.drain.start(clock::now());
                let _ = joined.await;
            }
        }
        drop(self.registered);
        for door in &self.doors {
            door.abort();
        }
        if let Some(kept) = kept {
            kept.close();
        }
        if let Some(given) = given {
            // Who came before the successor alone was accepting has its answer from here.
            let _ = given.await;
        }
    }

    /// A start that failed leaves nothing running.
    fn stop_workers(&mut self) {
        self.proxy.drain(clock::now());
    }

    fn tell_systemd(&self, states: &[systemd::State]) {
        if let Some(socket) = &self.notify
            && let Err(error) = systemd::notify(socket, states)
        {
            tracing::warn!(%error, "can't tell the service manager");
        }
    }
}

async fn stopped_again(signals: &mut Signals) {
    while signals.next().await != Signal::Stop {}
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
