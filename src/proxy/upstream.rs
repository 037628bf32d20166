//! Connections to one endpoint: made, kept and lent to one exchange at a time.
//!
//! A Pool belongs to a worker. HTTP/1 connections wait on a stack, so the warmest is used first
//! and the coldest ages out; HTTP/2 connections carry many streams each. This module must not
//! know rules, retries or how an endpoint is chosen.

mod connect;
mod dial;
mod h2;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

pub use connect::{ConnectFault, Transport};
pub use dial::Dialer;

use self::h2::Multiplexed;
use crate::clock::{self, Instant};
use crate::identity::ClientTls;
use crate::limits;
use crate::model::{BackendProtocol, Cause};
use crate::proxy::codec::Upstream;
use crate::proxy::codec::h1::ClientConn;
use crate::proxy::codec::io::Io;
use crate::telemetry::EndpointSeries;

/// A worker's connections to one endpoint over one transport.
pub struct Pool {
    dialer: Dialer,
    transport: RefCell<Rc<Transport>>,
    idle: RefCell<Vec<Idle>>,
    multiplexed: Multiplexed,
    /// What ALPN chose the last time, where TLS leaves the choice to the endpoint.
    speaks_h2: Cell<Option<bool>>,
    pub series: Rc<EndpointSeries>,
}

struct Idle {
    conn: Box<ClientConn>,
    since: Instant,
}

/// A connection or stream on loan.
pub struct Lease {
    /// `None` only after it was given up.
    upstream: Option<Upstream>,
    pool: Rc<Pool>,
    /// A stream's place on its connection.
    _stream: Option<h2::Place>,
    /// Nothing was sent on it before: its failure is the endpoint's, not old age.
    pub fresh: bool,
    /// How long it took to connect.
    pub connect: Option<Duration>,
}

impl Pool {
    pub fn new(dialer: Dialer, transport: Transport, series: Rc<EndpointSeries>) -> Rc<Self> {
        Rc::new(Self {
            dialer,
            transport: RefCell::new(Rc::new(transport)),
            idle: RefCell::default(),
            multiplexed: Multiplexed::default(),
            speaks_h2: Cell::new(None),
            series,
        })
    }

    pub fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    fn transport(&self) -> Rc<Transport> {
        Rc::clone(&self.transport.borrow())
    }

    /// New timeouts and bounds; connections stay.
    pub fn set_transport(&self, transport: Transport) {
        *self.transport.borrow_mut() = Rc::new(transport);
    }

    /// Whether the connections were made with this TLS configuration: those of another may not
    /// be used.
    pub fn uses_tls(&self, tls: Option<&Arc<ClientTls>>) -> bool {
        self.transport.borrow().tls.as_ref().map(Arc::as_ptr) == tls.map(Arc::as_ptr)
    }

    /// A connection that is known to be alive as far as anyone can tell, or a new one. `preface`
    /// is sent first on a connection of its own (the PROXY header of one client); `fresh` wants no
    /// kept HTTP/1 connection, because one has just turned out to be closed.
    pub async fn lease(
        self: &Rc<Self>,
        preface: Option<&[u8]>,
        fresh: bool,
    ) -> Result<Lease, ConnectFault> {
        if preface.is_none()
            && let Some(lease) = self.at_hand(fresh)
        {
            return Ok(lease);
        }
        // Boxed: what connecting takes is several times the rest of an exchange, and rare.
        Box::pin(self.connect(preface)).await
    }

    /// What nobody has to wait for.
    fn at_hand(self: &Rc<Self>, fresh: bool) -> Option<Lease> {
        if self.wants_h2() {
            return self.multiplexed.at_hand(self);
        }
        let conn = if fresh { None } else { self.pop_idle() }?;
        Some(self.lend(Upstream::H1(conn), None, false, None))
    }

    async fn connect(self: &Rc<Self>, preface: Option<&[u8]>) -> Result<Lease, ConnectFault> {
        if self.may_share() && preface.is_none() {
            return self.multiplexed.stream(self).await;
        }
        self.connect_alone(preface).await
    }

    /// A connection for one request, which others may come to share if it speaks HTTP/2.
    async fn connect_alone(self: &Rc<Self>, preface: Option<&[u8]>) -> Result<Lease, ConnectFault> {
        let started = clock::now();
        let io = connect::connect(&self.dialer, &self.transport(), preface).await?;
        let took = Some(clock::now() - started);
        if self.is_h2(&io) {
            self.speaks_h2.set(Some(true));
            let (stream, place) = self.multiplexed.adopt(self, io).await?;
            return Ok(self.lend(stream, Some(place), true, took));
        }
        Ok(self.lend_h1(io, took))
    }

    fn is_h2(&self, io: &Io) -> bool {
        self.transport.borrow().protocol == BackendProtocol::H2c || io.is_alpn_h2()
    }

    fn lend_h1(self: &Rc<Self>, io: Io, took: Option<Duration>) -> Lease {
        self.speaks_h2.set(Some(false));
        let conn = ClientConn::new(io, connect::head_limits());
        self.lend(Upstream::H1(Box::new(conn)), None, true, took)
    }

    /// Closes what has been idle for too long or was closed by the endpoint.
    pub fn sweep(&self, now: Instant) {
        let mut idle = self.idle.borrow_mut();
        let before = idle.len();
        idle.retain_mut(|idle| {
            now - idle.since < limits::UPSTREAM_IDLE_TIMEOUT && idle.conn.is_quiet()
        });
        self.series.idle.add(idle.len() as i64 - before as i64);
        drop(idle);
        self.multiplexed.sweep(now);
    }

    fn wants_h2(&self) -> bool {
        self.transport.borrow().protocol == BackendProtocol::H2c
            || self.speaks_h2.get() == Some(true)
    }

    /// Whether one connection may be enough for many requests: also where TLS has still to say
    /// what the endpoint speaks, or as many connections would be made as requests come first.
    fn may_share(&self) -> bool {
        let transport = self.transport.borrow();
        let unknown = self.speaks_h2.get().is_none()
            && transport.keeps_connections()
            && transport.tls.as_ref().is_some_and(|tls| tls.offers_h2());
        drop(transport);
        unknown || self.wants_h2()
    }

    fn pop_idle(&self) -> Option<Box<ClientConn>> {
        loop {
            let Idle { mut conn, .. } = self.idle.borrow_mut().pop()?;
            self.series.idle.dec();
            if conn.is_quiet() {
                return Some(conn);
            }
        }
    }

    fn keep(&self, mut conn: Box<ClientConn>) {
        let mut idle = self.idle.borrow_mut();
        if idle.len() < self.transport.borrow().max_idle as usize {
            conn.rest();
            idle.push(Idle { conn, since: clock::now() });
            self.series.idle.inc();
        }
    }

    fn lend(
        self: &Rc<Self>,
        upstream: Upstream,
        stream: Option<h2::Place>,
        fresh: bool,
        connect: Option<Duration>,
    ) -> Lease {
        self.series.active.inc();
        Lease { upstream: Some(upstream), pool: Rc::clone(self), _stream: stream, fresh, connect }
    }
}

impl Lease {
    pub fn upstream(&mut self) -> &mut Upstream {
        self.upstream.as_mut().expect("only `take` and `drop` empty a lease")
    }

    pub fn series(&self) -> &Rc<EndpointSeries> {
        &self.pool.series
    }

    pub fn is_h2(&self) -> bool {
        matches!(self.upstream, Some(Upstream::H2(_)))
    }

    /// The raw stream after a 101; what is left counts the connection as in use.
    pub fn take(&mut self) -> Option<Upstream> {
        self.upstream.take()
    }
}

impl Drop for Lease {
    /// A connection on which both messages are complete goes back; any other is closed, because
    /// nobody could tell its next answer from the rest of this one.
    fn drop(&mut self) {
        self.pool.series.active.dec();
        match self.upstream.take() {
            Some(Upstream::H1(conn))
                if conn.is_reusable() && self.pool.transport.borrow().keeps_connections() =>
            {
                self.pool.keep(conn);
            }
            Some(Upstream::H2(mut stream)) => stream.cancel(),
            _ => {}
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.series.idle.add(-(self.idle.get_mut().len() as i64));
    }
}

/// The cause of a request that could not be queued.
fn overloaded() -> ConnectFault {
    ConnectFault {
        cause: Cause::UpstreamOverloaded,
        sentence: Arc::from("too many requests wait for a connection"),
    }
}
