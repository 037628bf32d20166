//! What the doors show, and where their orders go.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use super::{SetLogLevel, picture};
use crate::clock::{self, Instant};
use crate::limits;
use crate::model::{BindAddress, ObjectKey, Report};
use crate::proxy::control::{self, Control, ServedRoute};
use crate::proxy::explain::{Asked, Told, explain};
use crate::proxy::process::EndpointNow;
use crate::proxy::takeover::Successor;
use crate::proxy::world::World;
use crate::source::remote::Link;
use crate::telemetry::door::Observed;
use crate::telemetry::exposition::{self, Format};
use crate::telemetry::failures::Failures;
use crate::telemetry::{EndpointCounts, Registry};

/// What the control door asks of the control thread.
pub(super) enum Order {
    Drain(Option<Duration>),
    Reload,
    /// Another process serves from now on.
    Replaced(Successor),
}

/// The state of the process as the doors tell it.
pub(super) struct Board {
    metrics: Registry,
    about: About,
    set_log_level: SetLogLevel,
    orders: mpsc::Sender<Order>,
    started: Instant,
    shown: Mutex<Shown>,
}

/// What holds as long as the process runs.
pub(super) struct About {
    pub(super) version: &'static str,
    /// What tells this process from the one before it, in reports.
    pub(super) process: u64,
    /// What is served, by names that hold from everywhere.
    pub(super) sources: Vec<String>,
    pub(super) workers: usize,
    /// How many connections are open.
    pub(super) connections: Box<dyn Fn() -> usize + Send + Sync>,
    /// What is known of endpoints beside their counters.
    pub(super) endpoints: Box<dyn Fn(Instant) -> Vec<EndpointNow> + Send + Sync>,
    /// How this process and its controller stand, where it has one.
    pub(super) link: Option<watch::Receiver<Link>>,
}

impl About {
    /// Why there is no configuration yet.
    fn waiting(&self) -> String {
        match self.link.as_ref().map(|link| link.borrow().clone()) {
            Some(Link::Away(why)) => format!("no configuration has come yet: {why}"),
            Some(Link::Connected) => "the configuration is being read".to_owned(),
            None => "no configuration has been read yet".to_owned(),
        }
    }

    fn controller(&self) -> Value {
        match self.link.as_ref().map(|link| link.borrow().clone()) {
            Some(Link::Away(why)) => json!({ "connected": false, "reason": &*why }),
            Some(Link::Connected) => json!({ "connected": true }),
            None => Value::Null,
        }
    }
}

#[derive(Default)]
struct Shown {
    world: Option<Arc<World>>,
    addresses: Vec<(BindAddress, SocketAddr)>,
    not_bound: Vec<String>,
    observe: Option<SocketAddr>,
    errors: usize,
    warnings: usize,
    draining: bool,
    /// The observation door is another process's.
    handed_on: bool,
}

impl Board {
    pub(super) fn new(
        metrics: Registry,
        about: About,
        set_log_level: SetLogLevel,
    ) -> (Self, mpsc::Receiver<Order>) {
        let (orders, receiver) = mpsc::channel(limits::DOOR_CONNECTIONS);
        let board = Self {
            metrics,
            about,
            set_log_level,
            orders,
            started: clock::now(),
            shown: Mutex::default(),
        };
        (board, receiver)
    }

    pub(super) fn show(
        &self,
        world: Arc<World>,
        addresses: Vec<(BindAddress, SocketAddr)>,
        not_bound: Vec<String>,
        (errors, warnings): (usize, usize),
    ) {
        let mut shown = self.shown();
        (shown.world, shown.addresses, shown.not_bound) = (Some(world), addresses, not_bound);
        (shown.errors, shown.warnings) = (errors, warnings);
    }

    pub(super) fn show_observe(&self, at: SocketAddr) {
        self.shown().observe = Some(at);
    }

    pub(super) fn set_draining(&self, handed_on: bool) {
        let mut shown = self.shown();
        (shown.draining, shown.handed_on) = (true, handed_on);
    }

    pub(super) async fn replaced(&self, successor: Successor) {
        // The control thread takes orders as long as it runs.
        let _ = self.orders.send(Order::Replaced(successor)).await;
    }

    /// The longest that a listener's settings allow.
    pub(super) fn drain_timeout(&self) -> Duration {
        let shown = self.shown();
        let listeners = shown.world.iter().flat_map(|world| world.snapshot.ports());
        let timeouts = listeners
            .flat_map(|port| port.listeners())
            .map(|table| table.listener.settings.drain_timeout);
        timeouts.max().unwrap_or(limits::DRAIN_TIMEOUT)
    }

    /// Nothing that is held under it panics; if it did, what was shown last still stands.
    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn order(&self, order: Order) -> Result<(), String> {
        self.orders.try_send(order).map_err(|_| "the proxy is busy; ask again".to_owned())
    }
}

impl Shown {
    /// `Err` says why no traffic should be sent to this process.
    fn ready(&self, about: &About) -> Result<(), String> {
        if self.draining {
            return Err("draining".to_owned());
        }
        if self.world.is_none() {
            return Err(about.waiting());
        }
        // A Gateway without a listener that can be served is its author's matter, told in its
        // status; its proxy has done all that it was asked to.
        let nothing_asked = about.link.is_some() && self.not_bound.is_empty();
        if self.addresses.is_empty() && !nothing_asked {
            let why = self.not_bound.first();
            let why = why.map_or("the configuration has no listener", String::as_str);
            return Err(format!("nothing is listened on: {why}"));
        }
        Ok(())
    }
}

impl Observed for Board {
    fn ready(&self) -> Result<(), String> {
        let shown = self.shown();
        // Who knocked just before the door changed hands asks about whoever serves there.
        if shown.handed_on { Ok(()) } else { shown.ready(&self.about) }
    }

    fn metrics(&self, format: Format) -> String {
        exposition::render(&self.metrics.collect(clock::now()), format)
    }
}

impl Control for Board {
    fn status(&self) -> Value {
        let shown = self.shown();
        let ready = shown.ready(&self.about);
        let listeners: Vec<Value> = shown
            .addresses
            .iter()
            .map(|(bind, address)| picture::port(shown.world.as_deref(), *bind, *address))
            .collect();
        json!({
            "version": self.about.version,
            "pid": std::process::id(),
            "sources": self.about.sources,
            "controller": self.about.controller(),
            "workers": self.about.workers,
            "connections": (self.about.connections)(),
            "observe": shown.observe.map(|at| at.to_string()),
            "uptimeSeconds": (clock::now() - self.started).as_secs(),
            "ready": ready.is_ok(),
            "reason": ready.err(),
            "draining": shown.draining,
            "generation": shown.world.as_ref().map(|world| world.snapshot.generation),
            "errors": shown.errors,
            "warnings": shown.warnings,
            "notListening": shown.not_bound,
            "listeners": listeners,
        })
    }

    fn config(&self) -> Value {
        let world = self.shown().world.clone();
        match world {
            Some(world) => picture::snapshot(&world.snapshot),
            None => Value::Null,
        }
    }

    fn route(&self, route: &ObjectKey) -> ServedRoute {
        let world = self.shown().world.clone();
        let rules = world.map(|world| control::rules(&world.snapshot, route)).unwrap_or_default();
        ServedRoute { sources: self.about.sources.clone(), rules }
    }

    fn explain(&self, asked: &Asked, most: usize) -> Option<Told> {
        let world = self.shown().world.clone()?;
        Some(explain(&world.snapshot, asked).tell(asked, &world.snapshot, most))
    }

    fn report(&self) -> Report {
        self.metrics.report(self.about.process, (self.about.connections)())
    }

    fn endpoints(&self) -> Vec<EndpointCounts> {
        picture::endpoints(self.metrics.endpoints(), &(self.about.endpoints)(clock::now()))
    }

    fn failures(&self, after: u64) -> Failures {
        self.metrics.failures(after)
    }

    fn drain(&self, within: Option<Duration>) {
        // A full queue holds an order to drain or to read again already.
        let _ = self.order(Order::Drain(within));
    }

    async fn reload(&self) -> Result<Value, String> {
        self.order(Order::Reload)?;
        Ok(json!({ "reload": "started" }))
    }

    fn set_log_level(&self, level: &str) -> Result<(), String> {
        (self.set_log_level)(level)
    }
}
