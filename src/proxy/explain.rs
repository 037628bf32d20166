//! Why a request goes where it goes: the decision of a Snapshot, and why nothing else took it.
//!
//! What is said first is what [`routing`] decides, the code that serves requests: the codec reads
//! the head, [`forwarded`] writes what a connection would have it say, and the tables find listener
//! and rule. Only what is said of the others is worked out here. Nothing is sent anywhere.
//! This module must not know workers, files or how a story is printed.

mod asked;
mod question;
mod told;
mod words;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

pub use asked::{Asked, NotAsked};
pub use question::Question;
pub use told::{Backend, Entrance, Other, Outcome, Route, Told};

use super::forwarded::{self, Inbound};
use super::message::RequestHead;
use super::routing;
use crate::model::{BindAddress, Cause, Listener, ListenerProtocol};
use crate::snapshot::{Found, Near, Port, Snapshot};

/// What becomes of a request.
#[derive(Debug)]
pub struct Story<'s> {
    /// Every listener of the Snapshot; the one that takes the request has no reason against it.
    /// None where the request is refused before a listener is looked for.
    pub listeners: Vec<(&'s Arc<Listener>, Option<NotHere>)>,
    /// The rule, or what the proxy answers itself; `None` where nobody hears the request.
    pub answer: Option<Result<Found<'s>, Refusal>>,
    /// The other matches, the nearest first; none where no listener took the request.
    pub near: Vec<Near<'s>>,
}

/// Why the proxy refuses a request before any rule could.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub cause: Cause,
    pub reason: &'static str,
}

impl From<Cause> for Refusal {
    fn from(cause: Cause) -> Self {
        Self { cause, reason: cause.summary() }
    }
}

/// Why a listener doesn't take a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotHere {
    Port,
    /// It speaks TLS, and the request comes without.
    Tls,
    /// The other way round.
    NoTls,
    Hostname,
    /// Another listener's hostname is more specific.
    LessSpecific,
    /// The connection was made for the server name of another listener.
    ServerName,
    /// It is the one that is meant, and has no certificate to show.
    NoCertificate,
}

/// What came of asking one socket.
struct Way<'s> {
    bind: BindAddress,
    listener: Option<&'s Arc<Listener>>,
    answer: Result<Found<'s>, Refusal>,
    /// As the tables were asked.
    head: RequestHead,
}

/// Tells a request's way by this Snapshot.
pub fn explain<'s>(snapshot: &'s Snapshot, asked: &Asked) -> Story<'s> {
    // A port may have several addresses, each with listeners of its own: the request is let come
    // to the one that takes it.
    let mut ways: Vec<Way<'s>> =
        sockets(snapshot, asked.port).map(|port| Way::through(port, snapshot, asked)).collect();
    let best = ways.iter().position(|way| way.answer.is_ok()).unwrap_or(0);
    let way = (best < ways.len()).then(|| ways.swap_remove(best));
    let Some(Way { bind, listener, answer, head }) = way else {
        let listeners = all(snapshot).map(|listener| (listener, Some(NotHere::Port))).collect();
        return Story { listeners, answer: None, near: Vec::new() };
    };
    if let Err(refusal) = &asked.head {
        return Story { listeners: Vec::new(), answer: Some(Err(*refusal)), near: Vec::new() };
    }
    let chosen = listener.filter(|_| came_in(&answer));
    let winner = answer.as_ref().ok().copied();
    let near = chosen.map(|listener| snapshot.near(&listener.key, &head, winner));
    let listeners = all(snapshot).map(|one| {
        let is_chosen = chosen.is_some_and(|chosen| chosen.key == one.key);
        (one, (!is_chosen).then(|| not_here(one, bind, asked, &head, listener)))
    });
    let (listeners, near) = (listeners.collect(), near.unwrap_or_default());
    Story { listeners, answer: Some(answer), near }
}

/// Whether the listener took the request, whatever became of it there.
fn came_in(answer: &Result<Found<'_>, Refusal>) -> bool {
    let cause = answer.as_ref().err().map(|refusal| refusal.cause);
    matches!(cause, None | Some(Cause::RouteNotFound | Cause::LoopDetected))
}

fn all(snapshot: &Snapshot) -> impl Iterator<Item = &Arc<Listener>> {
    snapshot.ports().flat_map(|port| port.listeners()).map(|table| &table.listener)
}

/// The sockets of a port as it is opened here, else as the API names it.
fn sockets(snapshot: &Snapshot, number: u16) -> impl Iterator<Item = &Arc<Port>> {
    let opened = snapshot.ports().any(|port| port.bind.port == number);
    snapshot.ports().filter(move |port| match opened {
        true => port.bind.port == number,
        false => port.listeners().any(|table| table.listener.port == number),
    })
}

impl<'s> Way<'s> {
    fn through(port: &'s Port, snapshot: &'s Snapshot, asked: &Asked) -> Self {
        let mut way = Self {
            bind: port.bind,
            listener: None,
            answer: Err(Cause::ListenerNotFound.into()),
            head: RequestHead::default(),
        };
        way.answer = way.follow(port, snapshot, asked);
        way
    }

    fn follow(
        &mut self,
        port: &'s Port,
        snapshot: &'s Snapshot,
        asked: &Asked,
    ) -> Result<Found<'s>, Refusal> {
        let first = port.listeners().next().ok_or(Cause::ListenerNotFound)?;
        let secured = match (is_tls(&first.listener), asked.secure) {
            (false, false) => None,
            (true, true) => Some(handshake(port, asked)?),
            (true, false) => {
                let reason = "the port speaks TLS, and the request comes without";
                return Err(Refusal { cause: Cause::TlsHandshakeFailed, reason });
            }
            (false, true) => {
                let reason = "the port speaks no TLS, and a handshake is no request";
                return Err(Refusal { cause: Cause::BadRequest, reason });
            }
        };
        self.listener = secured;
        self.head = asked.head.clone()?;
        let settings = &secured.unwrap_or(&first.listener).settings;
        let goes_round = forwarded::is_loop(&self.head.fields, &settings.via);
        let inbound = Inbound {
            // As if it came from this machine.
            peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            local: SocketAddr::from((Ipv4Addr::LOCALHOST, asked.port)),
            secure: asked.secure,
            trusted_hops: settings.trusted_hops,
            via: &settings.via,
        };
        // Random is the request's id alone.
        forwarded::receive(&mut self.head, &inbound, &mut fastrand::Rng::with_seed(0));
        let table = routing::listener(snapshot, port.bind, &self.head)?;
        self.listener = Some(&table.listener);
        let secured = secured.map(|listener| &listener.key);
        let found = routing::rule(table, secured, &self.head, &mut 0)?;
        if goes_round { Err(Cause::LoopDetected.into()) } else { Ok(found) }
    }
}

/// The listener whose handshake the connection passes.
fn handshake<'s>(port: &'s Port, asked: &Asked) -> Result<&'s Arc<Listener>, Refusal> {
    let reason = "no listener of the port is for the TLS server name";
    let unknown = Refusal { cause: Cause::ListenerNotFound, reason };
    let table = routing::listener_of_hello(port, asked.server_name.as_deref()).ok_or(unknown)?;
    match no_certificate(&table.listener) {
        Some(cause) => Err(cause.into()),
        None => Ok(&table.listener),
    }
}

fn is_tls(listener: &Listener) -> bool {
    matches!(listener.protocol, ListenerProtocol::Https(_))
}

/// Why a listener that speaks TLS has nothing to show.
fn no_certificate(listener: &Listener) -> Option<Cause> {
    let ListenerProtocol::Https(tls) = &listener.protocol else { return None };
    if tls.certificates.iter().any(Result::is_ok) {
        return None;
    }
    let cause = tls.certificates.iter().find_map(|certificate| certificate.as_ref().err());
    Some(cause.copied().unwrap_or(Cause::CertificateMissing))
}

/// Why a listener isn't the one; `meant` is the one that the host leads to.
fn not_here(
    listener: &Listener,
    bind: BindAddress,
    asked: &Asked,
    head: &RequestHead,
    meant: Option<&Arc<Listener>>,
) -> NotHere {
    let host = if head.authority.is_empty() { asked.host() } else { head.host() };
    let means = listener.hostname.as_ref().is_none_or(|hostname| hostname.matches(host));
    match (is_tls(listener), asked.secure) {
        _ if listener.bind != bind => NotHere::Port,
        (true, false) => NotHere::Tls,
        (false, true) => NotHere::NoTls,
        _ if !means => NotHere::Hostname,
        _ if no_certificate(listener).is_some() => NotHere::NoCertificate,
        _ if meant.is_some_and(|meant| meant.key == listener.key) => NotHere::ServerName,
        _ => NotHere::LessSpecific,
    }
}
