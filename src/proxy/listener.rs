//! Sockets that accept.
//!
//! All workers accept from one socket per address, because closing one of several
//! (SO_REUSEPORT) resets what waits in its queue, and because one socket is one thing to hand to
//! the next process.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::connection;
use super::worker::{Command, Worker};
use crate::limits;
use crate::model::BindAddress;

/// Binds an address; every address means IPv6 and IPv4 in one socket where the machine has both.
pub fn bind(address: BindAddress) -> io::Result<std::net::TcpListener> {
    let Some(ip) = address.ip else {
        let both = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), address.port);
        return match listen(both) {
            Err(error) if is_no_ipv6(&error) => {
                listen(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), address.port))
            }
            result => result,
        };
    };
    listen(SocketAddr::new(ip, address.port))
}

fn is_no_ipv6(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    code == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
        || code == Some(rustix::io::Errno::ADDRNOTAVAIL.raw_os_error())
}

fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(limits::ACCEPT_BACKLOG)?;
    Ok(socket.into())
}

/// One worker's accepting on one address; ends when dropped.
pub struct Listening {
    socket: Rc<TcpListener>,
    task: JoinHandle<()>,
}

impl Listening {
    pub fn start(
        worker: &Rc<Worker>,
        bind: BindAddress,
        socket: std::net::TcpListener,
    ) -> io::Result<Self> {
        let socket = Rc::new(TcpListener::from_std(socket)?);
        let task = tokio::task::spawn_local(accept(Rc::clone(worker), bind, Rc::clone(&socket)));
        Ok(Self { socket, task })
    }

    /// Accepts what waits in the queue, then no more. Closing resets what comes between the two,
    /// so nothing is waited for there; the task has gone, and its handle of the socket.
    pub async fn finish(mut self, worker: &Rc<Worker>, bind: BindAddress) {
        self.task.abort();
        let _ = (&mut self.task).await;
        for _ in 0..limits::ACCEPT_BACKLOG {
            // Not through the runtime, which may not know yet that something is there.
            match SockRef::from(&*self.socket).accept() {
                Ok((stream, peer)) => {
                    let Some(peer) = peer.as_socket() else { continue };
                    if stream.set_nonblocking(true).is_ok() {
                        connection::adopt(worker, bind, stream.into(), peer);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(_) => return,
            }
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(worker: Rc<Worker>, bind: BindAddress, socket: Rc<TcpListener>) {
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => {
                let Some(other) = worker.lighter() else {
                    connection::start(&worker, bind, stream, peer);
                    continue;
                };
                let Ok(stream) = stream.into_std() else { continue };
                let command = Command::Serve(bind, stream, peer);
                if let Err(refused) = worker.shared.commands[other].try_send(command)
                    && let Command::Serve(bind, stream, peer) = refused.into_inner()
                {
                    connection::adopt(&worker, bind, stream, peer);
                }
            }
            // Out of descriptors, or a client that gave up in the queue: neither ends the
            // listener, and only the first would spin.
            Err(error) => {
                tracing::warn!(%bind, %error, "accept failed");
                tokio::time::sleep(limits::ACCEPT_PAUSE).await;
            }
        }
    }
}
