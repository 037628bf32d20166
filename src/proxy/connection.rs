//! One client's connection, from its accept to its end.

mod alert;
mod h1;
mod h2;
mod linger;
mod open;
mod opening;

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::panics::caught;
use super::worker::Worker;
use super::world::World;
pub use alert::Refusals;
pub use open::Open;

use crate::limits;
use crate::model::{BindAddress, Cause, ListenerSettings, PartHash, PartKey};

/// What is known of a connection before its first request.
pub struct Client {
    /// Number of the connection in this process.
    pub id: u64,
    pub bind: BindAddress,
    /// After the PROXY protocol had its word. IPv4 is never mapped.
    pub peer: SocketAddr,
    pub local: SocketAddr,
    pub settings: Arc<ListenerSettings>,
    pub tls: Option<Secured>,
    live: Rc<Live>,
}

/// What a TLS connection was made for.
#[derive(Clone, Debug)]
pub struct Secured {
    pub listener: PartKey,
    /// What clients had to show.
    admission: PartHash,
}

/// A connection as its worker can reach it.
#[derive(Default)]
pub struct Live {
    bind: Cell<Option<BindAddress>>,
    secured: RefCell<Option<Secured>>,
    draining: Cell<Option<Cause>>,
    changed: Notify,
    /// The deadline of draining is there.
    cut: Cell<bool>,
    /// What is open, to be woken by that.
    open: RefCell<slab::Slab<Waker>>,
}

impl Live {
    /// Asked once per World: whether the connection is still allowed. One whose listener is gone
    /// or asks its clients for something else finishes what it has begun.
    pub fn review(&self, world: &World) {
        let allowed = match &*self.secured.borrow() {
            Some(secured) => world
                .server_tls(&secured.listener)
                .is_ok_and(|tls| tls.admission() == secured.admission),
            None => self.bind.get().is_none_or(|bind| world.snapshot.port(bind).is_some()),
        };
        if !allowed {
            self.drain(Cause::ListenerRemoved);
        }
    }

    pub fn drain(&self, cause: Cause) {
        if self.draining.get().is_none() {
            self.draining.set(Some(cause));
            self.changed.notify_waiters();
        }
    }

    /// Ends what is open; see [`Open`].
    pub fn cut(&self) {
        self.cut.set(true);
        for (_, waker) in self.open.borrow().iter() {
            waker.wake_by_ref();
        }
    }

    pub fn has_open(&self) -> bool {
        !self.open.borrow().is_empty()
    }

    /// Ends when the connection is to be drained.
    async fn drained(&self) {
        while self.draining.get().is_none() {
            self.changed.notified().await;
        }
    }
}

impl Client {
    pub fn is_draining(&self) -> bool {
        self.live.draining.get().is_some()
    }

    /// Begins something that must not end without a word.
    pub fn open(&self) -> Open<'_> {
        Open::new(&self.live)
    }
}

/// Serves a connection that another worker accepted.
pub fn adopt(
    worker: &Rc<Worker>,
    bind: BindAddress,
    stream: std::net::TcpStream,
    peer: SocketAddr,
) {
    match TcpStream::from_std(stream) {
        Ok(stream) => start(worker, bind, stream, peer),
        Err(error) => tracing::warn!(%bind, %error, "can't take a connection over"),
    }
}

/// Serves a just-accepted connection in a task of its own.
pub fn start(worker: &Rc<Worker>, bind: BindAddress, stream: TcpStream, peer: SocketAddr) {
    let Some(entry) = Entry::new(worker, bind) else {
        worker.port_series(bind).closed(Some(Cause::Overloaded));
        return;
    };
    let worker = Rc::clone(worker);
    tokio::task::spawn_local(async move {
        let work = Box::pin(opening::run(&worker, &entry, stream, peer));
        let cause = caught(&worker.shared.panics, work).await;
        entry.series.closed(cause.unwrap_or(Some(Cause::Panic)));
    });
}

/// The connection's place in its worker's books, given up when dropped.
struct Entry {
    worker: Rc<Worker>,
    bind: BindAddress,
    live: Rc<Live>,
    key: usize,
    id: u64,
    series: Rc<crate::telemetry::PortSeries>,
}

impl Entry {
    /// `None` when the process has as many as it may have.
    fn new(worker: &Rc<Worker>, bind: BindAddress) -> Option<Self> {
        let shared = &worker.shared;
        if shared.connections.fetch_add(1, Ordering::Relaxed) >= limits::CONNECTIONS {
            shared.connections.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        shared.loads[worker.id].fetch_add(1, Ordering::Relaxed);
        let live = Rc::new(Live::default());
        live.bind.set(Some(bind));
        let key = worker.live.borrow_mut().insert(Rc::clone(&live));
        if shared.drain.is_draining() {
            live.drain(Cause::Draining);
        }
        let series = worker.port_series(bind);
        series.accepted.inc();
        series.active.inc();
        let id = shared.next_connection.fetch_add(1, Ordering::Relaxed);
        Some(Self { worker: Rc::clone(worker), bind, live, key, id, series })
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.worker.live.borrow_mut().remove(self.key);
        let shared = &self.worker.shared;
        shared.loads[self.worker.id].fetch_sub(1, Ordering::Relaxed);
        shared.connections.fetch_sub(1, Ordering::Relaxed);
        self.series.active.dec();
    }
}
