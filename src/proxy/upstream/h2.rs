//! Many streams on few connections to one endpoint.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use tokio::sync::Notify;

use super::{ConnectFault, Lease, Pool, connect, overloaded};
use crate::clock::{self, Instant};
use crate::limits;
use crate::model::Cause;
use crate::proxy::codec::h2::{Connector, Sender};
use crate::proxy::codec::io::Io;
use crate::proxy::codec::{Fault, Upstream};

/// The HTTP/2 connections of a pool.
#[derive(Default)]
pub(super) struct Multiplexed {
    conns: RefCell<Vec<Rc<Conn>>>,
    /// Somebody is connecting; whoever comes meanwhile waits for the outcome.
    connecting: Cell<bool>,
    failed: RefCell<Option<(u64, ConnectFault)>>,
    attempts: Cell<u64>,
    waiting: Cell<usize>,
    changed: Rc<Notify>,
}

struct Conn {
    sender: Sender,
    streams: Cell<usize>,
    closed: Cell<bool>,
    idle_since: Cell<Instant>,
}

/// What a new connection turned out to speak: an endpoint may choose anew with each.
enum Connected {
    H2(Upstream, Place),
    H1(Io),
}

/// A stream's place on its connection, given up when dropped.
pub(super) struct Place {
    conn: Rc<Conn>,
    changed: Rc<Notify>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.conn.streams.set(self.conn.streams.get() - 1);
        if self.conn.streams.get() == 0 {
            self.conn.idle_since.set(clock::now());
        }
        self.changed.notify_one();
    }
}

/// A connection's driver; when it ends, however it ends, the connection is lent no more. It does
/// not hold the connection: one that nobody can use any more closes.
struct Driven {
    conn: Weak<Conn>,
    changed: Rc<Notify>,
}

impl Drop for Driven {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.upgrade() {
            conn.closed.set(true);
        }
        self.changed.notify_waiters();
    }
}

impl Multiplexed {
    /// A stream on the connection with the fewest.
    pub(super) fn at_hand(&self, pool: &Rc<Pool>) -> Option<Lease> {
        while let Some((conn, place)) = self.place() {
            let mut sender = conn.sender.clone();
            if sender.is_open() {
                let stream = Upstream::H2(Box::new(sender.start()));
                return Some(pool.lend(stream, Some(place), false, None));
            }
            conn.closed.set(true);
        }
        None
    }

    /// The same, on a new connection where all are full, or after somebody's has ended. Once the
    /// endpoint turns out to speak HTTP/1 everyone has a connection of their own.
    pub(super) async fn stream(&self, pool: &Rc<Pool>) -> Result<Lease, ConnectFault> {
        loop {
            // Nobody is refused for a limit on streams that may never be.
            let crowded = self.is_crowded() && !pool.wants_h2();
            if crowded || !pool.may_share() {
                return pool.connect_alone(None).await;
            }
            if let Some(lease) = self.at_hand(pool) {
                return Ok(lease);
            }
            let room = self.conns.borrow().len() < limits::H2_UPSTREAM_CONNECTIONS;
            if room && !self.connecting.get() {
                let started = clock::now();
                let connected = self.connect(pool).await?;
                let took = Some(clock::now() - started);
                return Ok(match connected {
                    Connected::H2(stream, place) => pool.lend(stream, Some(place), true, took),
                    Connected::H1(io) => pool.lend_h1(io, took),
                });
            }
            self.wait().await?;
        }
    }

    /// Speaks HTTP/2 on a new connection. Others find it unless it is one client's alone.
    pub(super) async fn adopt(
        &self,
        pool: &Rc<Pool>,
        io: Io,
    ) -> Result<(Upstream, Place), ConnectFault> {
        let tls = pool.transport().tls.is_some();
        let (sender, drive) =
            Connector::handshake(io, tls).await.map_err(|fault| refused(pool, &fault))?;
        let conn = Rc::new(Conn {
            sender,
            streams: Cell::new(0),
            closed: Cell::new(false),
            idle_since: Cell::new(clock::now()),
        });
        let driven = Driven { conn: Rc::downgrade(&conn), changed: Rc::clone(&self.changed) };
        tokio::task::spawn_local(async move {
            let _driven = driven;
            // Its streams learn of a failure themselves; here it only ends the lending.
            let _ended = drive.await;
        });
        let place = self.enter(&conn);
        let stream = Upstream::H2(Box::new(conn.sender.clone().start()));
        if pool.transport().keeps_connections() {
            self.conns.borrow_mut().push(conn);
        }
        Ok((stream, place))
    }

    pub(super) fn sweep(&self, now: Instant) {
        self.conns.borrow_mut().retain(|conn| {
            let idle = conn.streams.get() == 0
                && now - conn.idle_since.get() >= limits::UPSTREAM_IDLE_TIMEOUT;
            !idle && !conn.closed.get()
        });
    }

    fn place(&self) -> Option<(Rc<Conn>, Place)> {
        let mut conns = self.conns.borrow_mut();
        conns.retain(|conn| !conn.closed.get());
        let conn = conns
            .iter()
            .filter(|conn| conn.streams.get() < conn.sender.streams_max())
            .min_by_key(|conn| conn.streams.get())?;
        Some((Rc::clone(conn), self.enter(conn)))
    }

    fn enter(&self, conn: &Rc<Conn>) -> Place {
        conn.streams.set(conn.streams.get() + 1);
        Place { conn: Rc::clone(conn), changed: Rc::clone(&self.changed) }
    }

    async fn connect(&self, pool: &Rc<Pool>) -> Result<Connected, ConnectFault> {
        self.connecting.set(true);
        self.attempts.set(self.attempts.get() + 1);
        // Also when the request that connects is given up halfway.
        let _end = Ending(self);
        let made: Result<_, ConnectFault> = async {
            let io = connect::connect(&pool.dialer, &pool.transport(), None).await?;
            if !pool.is_h2(&io) {
                return Ok(Connected::H1(io));
            }
            let (stream, place) = self.adopt(pool, io).await?;
            Ok(Connected::H2(stream, place))
        }
        .await;
        if let Err(fault) = &made {
            *self.failed.borrow_mut() = Some((self.attempts.get(), fault.clone()));
        }
        made
    }

    fn is_crowded(&self) -> bool {
        self.waiting.get() >= limits::QUEUED_REQUESTS
    }

    /// Waits until something changed; fails with whom it waited for.
    async fn wait(&self) -> Result<(), ConnectFault> {
        if self.is_crowded() {
            return Err(overloaded());
        }
        self.waiting.set(self.waiting.get() + 1);
        let _waiting = Waiting(self);
        let attempt = self.attempts.get();
        let connecting = self.connecting.get();
        self.changed.notified().await;
        match &*self.failed.borrow() {
            Some((failed, fault)) if connecting && *failed == attempt => Err(fault.clone()),
            _ => Ok(()),
        }
    }
}

struct Ending<'a>(&'a Multiplexed);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.connecting.set(false);
        self.0.changed.notify_waiters();
    }
}

struct Waiting<'a>(&'a Multiplexed);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.set(self.0.waiting.get() - 1);
    }
}

fn refused(pool: &Pool, fault: &Fault) -> ConnectFault {
    ConnectFault {
        cause: Cause::UpstreamProtocolError,
        sentence: format!("{}: HTTP/2 handshake: {fault}", pool.dialer.address()).into(),
    }
}
