//! A new process takes the listening sockets of an old one over, without losing a connection.
//!
//! The sockets themselves are passed (SCM_RIGHTS): closing a SO_REUSEPORT listener and opening
//! another would reset what waits in its queue. The old process serves until the new one says
//! that it does; if either dies before, the other goes on. This module must not know what is
//! served on the sockets.
//!
//! The conversation, one JSON message per packet, pulled by the newcomer:
//! `hello` → `sockets` (with file descriptors), `next` → `sockets` …, `serving` → `released`.
//! Whoever says `hello` may name the address of the observation door that it wants; its socket is
//! the last one then. A process from before that knows no such wish, and none that asks for it.

mod channel;

use std::io::{self, Error, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::net::{SocketType, sockopt};
use serde::{Deserialize, Serialize};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use super::control::{self, BoundSocket, Existing};
use crate::limits;
use crate::model::BindAddress;
use channel::Channel;

/// What both sides must speak. A change that an older process would misread gets a new number.
const VERSION: u32 = 1;

/// A listening socket and what it was made for. One address may have several (SO_REUSEPORT).
#[derive(Debug)]
pub struct Listening {
    pub bind: BindAddress,
    pub socket: OwnedFd,
}

impl Listening {
    /// A socket that came without its address.
    pub fn of(socket: OwnedFd) -> io::Result<Self> {
        let listener = std::net::TcpListener::from(socket);
        let address = listener.local_addr()?;
        let ip = Some(address.ip()).filter(|ip| !ip.is_unspecified());
        let bind = BindAddress { ip, port: address.port() };
        let socket = OwnedFd::from(listener);
        check_listening(socket.as_fd(), bind)?;
        Ok(Self { bind, socket })
    }

    /// Another descriptor of the same socket.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { bind: self.bind, socket: self.socket.try_clone()? })
    }
}

/// What a process has to give.
#[derive(Debug, Default)]
pub struct Offer {
    pub sockets: Vec<Listening>,
    /// The observation door's listening socket.
    pub door: Option<OwnedFd>,
}

impl Offer {
    /// Other descriptors of the same sockets.
    pub fn try_clone(&self) -> io::Result<Self> {
        let sockets = self.sockets.iter().map(Listening::try_clone).collect::<io::Result<_>>()?;
        let door = self.door.as_ref().map(OwnedFd::try_clone).transpose()?;
        Ok(Self { sockets, door })
    }
}

/// Who has taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Successor {
    pub pid: u32,
    /// It has the observation door too.
    pub door: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
enum Message {
    Hello {
        version: u32,
        pid: u32,
        /// Where the newcomer wants the observation door.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        door: Option<SocketAddr>,
    },
    Refused {
        reason: String,
    },
    /// `binds` belong to the file descriptors of the same packet; `left` are still to come.
    Sockets {
        pid: u32,
        binds: Vec<String>,
        left: usize,
        /// One more descriptor stands behind those of `binds`: the observation door's.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        door: bool,
    },
    Next,
    Serving,
    Released,
}

/// The old process's side.
pub struct TakeoverDoor {
    listener: UnixListener,
    _socket: control::SocketFile,
}

impl TakeoverDoor {
    /// The same rules as for the control door's socket, whose sibling this one is.
    pub fn bind(path: &Path, existing: Existing) -> io::Result<Self> {
        let BoundSocket { fd, file } = BoundSocket::new(path, SocketType::SEQPACKET, existing)?;
        Ok(Self { listener: UnixListener::from_std(fd.into())?, _socket: file })
    }

    /// Offers the sockets to whoever asks, until somebody has taken them over and serves. From
    /// then on they are to be accepted from no more, and closed.
    pub async fn serve(&self, offer: impl Fn() -> io::Result<Offer>) -> Successor {
        loop {
            match self.offer(&offer).await {
                Ok(successor) => return successor,
                Err(error) => {
                    tracing::warn!(%error, "a takeover came to nothing; this process goes on");
                    // Asking a broken socket again at once would burn a core.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn offer(&self, offer: &impl Fn() -> io::Result<Offer>) -> io::Result<Successor> {
        let (stream, _) = self.listener.accept().await?;
        if !control::is_allowed(&stream) {
            return Err(Error::new(ErrorKind::PermissionDenied, "another user's process asked"));
        }
        let channel = Channel::new(stream);
        let told = timeout(limits::TAKEOVER_TIMEOUT, hand_over(&channel, offer));
        told.await.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
    }
}

async fn hand_over(
    channel: &Channel,
    offer: &impl Fn() -> io::Result<Offer>,
) -> io::Result<Successor> {
    let (pid, wanted) = match receive(channel).await? {
        Message::Hello { version: VERSION, pid, door } => (pid, door),
        Message::Hello { version, .. } => {
            let reason = format!("this process speaks version {VERSION}, not {version}");
            send(channel, &Message::Refused { reason: reason.clone() }, &[]).await?;
            return Err(Error::other(reason));
        }
        other => return Err(unexpected(&other)),
    };
    let Offer { sockets, door } = offer()?;
    let door = door.filter(|door| wanted.is_some_and(|at| check_door(door.as_fd(), at).is_ok()));
    let mut rest = sockets.as_slice();
    loop {
        let (batch, left) = rest.split_at(rest.len().min(limits::TAKEOVER_BATCH));
        rest = left;
        let binds = batch.iter().map(|listening| listening.bind.to_string()).collect();
        let mut fds: Vec<_> = batch.iter().map(|listening| listening.socket.as_fd()).collect();
        let door = door.as_ref().filter(|_| rest.is_empty());
        fds.extend(door.map(AsFd::as_fd));
        let (left, door) = (rest.len(), door.is_some());
        let message = Message::Sockets { pid: std::process::id(), binds, left, door };
        send(channel, &message, &fds).await?;
        match receive(channel).await? {
            Message::Next if !rest.is_empty() => {}
            Message::Serving if rest.is_empty() => break,
            other => return Err(unexpected(&other)),
        }
    }
    // The newcomer serves, whether it still hears this or not.
    if let Err(error) = send(channel, &Message::Released, &[]).await {
        tracing::debug!(%error, "the new process did not wait to be told that it is alone");
    }
    Ok(Successor { pid, door: door.is_some() })
}

/// The new process's side: the sockets, and the old process, which still serves. Dropped before
/// [`Handover::serving`], it leaves everything as it was.
#[derive(Debug)]
pub struct Handover {
    pub sockets: Vec<Listening>,
    /// The observation door's socket, where the process that serves now has it at the address
    /// that was asked for.
    pub door: Option<std::net::TcpListener>,
    /// The process that serves now.
    pub pid: u32,
    channel: Channel,
}

/// Asks the process behind the takeover socket at `path` for its sockets, and for its observation
/// door where that is at `door`.
pub async fn request(path: &Path, door: Option<SocketAddr>) -> io::Result<Handover> {
    let socket = control::connect(path, SocketType::SEQPACKET)?;
    let channel = Channel::new(UnixStream::from_std(socket.into())?);
    let taken = timeout(limits::TAKEOVER_STEP_TIMEOUT, take(&channel, door)).await;
    let (pid, Offer { sockets, door }) =
        taken.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))?;
    Ok(Handover { sockets, door: door.map(Into::into), pid, channel })
}

impl Handover {
    /// Tells the old process that it may drain, and waits until it has heard it. An error means
    /// that it may go on serving.
    pub async fn serving(&self) -> io::Result<()> {
        let told = async {
            send(&self.channel, &Message::Serving, &[]).await?;
            match receive(&self.channel).await? {
                Message::Released => Ok(()),
                other => Err(unexpected(&other)),
            }
        };
        let told = timeout(limits::TAKEOVER_STEP_TIMEOUT, told).await;
        told.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
    }
}

async fn take(channel: &Channel, wanted: Option<SocketAddr>) -> io::Result<(u32, Offer)> {
    let pid = std::process::id();
    send(channel, &Message::Hello { version: VERSION, pid, door: wanted }, &[]).await?;
    let mut sockets = Vec::new();
    loop {
        let (bytes, mut fds) = channel.receive().await?;
        let (pid, binds, left, with_door) = match parse(&bytes)? {
            Message::Sockets { pid, binds, left, door } => (pid, binds, left, door),
            Message::Refused { reason } => return Err(Error::other(reason)),
            other => return Err(unexpected(&other)),
        };
        let door = if with_door { fds.pop() } else { None };
        if binds.len() != fds.len()
            || door.is_some() != with_door
            || sockets.len() + fds.len() > limits::TAKEOVER_SOCKETS
        {
            return Err(Error::other(
                "the old process sent another number of sockets than it said",
            ));
        }
        for (bind, socket) in binds.iter().zip(fds) {
            let bind = parse_bind(bind)
                .ok_or_else(|| Error::other(format!("`{bind}` is no address to listen on")))?;
            check_listening(socket.as_fd(), bind)?;
            sockets.push(Listening { bind, socket });
        }
        if let Some(door) = &door {
            let wanted = wanted.ok_or_else(|| Error::other("nobody asked for the door"))?;
            check_door(door.as_fd(), wanted)?;
        }
        if left == 0 {
            return Ok((pid, Offer { sockets, door }));
        }
        send(channel, &Message::Next, &[]).await?;
    }
}

/// A socket that is not what it was said to be would fail only when somebody connects.
pub(super) fn check_listening(socket: BorrowedFd<'_>, bind: BindAddress) -> io::Result<()> {
    let address = rustix::net::getsockname(socket)?;
    let port = SocketAddr::try_from(address).map(|address| address.port()).ok();
    if !sockopt::socket_acceptconn(socket)? || port != Some(bind.port) {
        return Err(Error::other(format!("the socket for {bind} does not listen there")));
    }
    Ok(())
}

fn check_door(socket: BorrowedFd<'_>, wanted: SocketAddr) -> io::Result<()> {
    let at = SocketAddr::try_from(rustix::net::getsockname(socket)?).ok();
    if !sockopt::socket_acceptconn(socket)? || at != Some(wanted) {
        return Err(Error::other(format!("the door's socket does not listen on {wanted}")));
    }
    Ok(())
}

/// What [`BindAddress`] displays.
fn parse_bind(text: &str) -> Option<BindAddress> {
    if let Some(port) = text.strip_prefix("*:") {
        return Some(BindAddress { ip: None, port: port.parse().ok()? });
    }
    let address: SocketAddr = text.parse().ok()?;
    Some(BindAddress { ip: Some(address.ip()), port: address.port() })
}

async fn send(channel: &Channel, message: &Message, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    channel.send(&serde_json::to_vec(message)?, fds).await
}

async fn receive(channel: &Channel) -> io::Result<Message> {
    let (bytes, fds) = channel.receive().await?;
    if !fds.is_empty() {
        return Err(Error::other("sockets came where none were due"));
    }
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> io::Result<Message> {
    Ok(serde_json::from_slice(bytes)?)
}

fn unexpected(message: &Message) -> Error {
    Error::other(format!("{message:?} was not due"))
}

#[cfg(test)]
mod tests;
