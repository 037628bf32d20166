//! Before the first request: PROXY protocol, TLS, and which HTTP it is.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use bytes::BytesMut;
use rustls::server::Acceptor;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;

use super::{Client, Entry, Secured, alert, h1, h2};
use crate::clock;
use crate::identity::{self, ServerTls};
use crate::limits;
use crate::model::{Cause, Listener, ListenerProtocol};
use crate::proxy::codec::h1::{HeadLimits, ServerConn};
use crate::proxy::codec::io::{Io, Rewound, Socket};
use crate::proxy::deadline::{Deadlines, Phase};
use crate::proxy::proxy_protocol::{self, Header, Parsed, Sources};
use crate::proxy::routing;
use crate::proxy::worker::Worker;
use crate::proxy::world::World;
use crate::snapshot::Port;

/// RFC 9113 §3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The whole life of a connection; says why it ended where that wasn't the ordinary way.
pub(super) async fn run(
    worker: &Rc<Worker>,
    entry: &Entry,
    mut stream: TcpStream,
    peer: SocketAddr,
) -> Option<Cause> {
    let world = worker.world();
    let Some(port) = world.snapshot.port(entry.bind) else { return Some(Cause::ListenerRemoved) };
    let Some(first) = port.listeners().next().map(|table| Arc::clone(&table.listener)) else {
        return Some(Cause::ListenerRemoved);
    };
    let _ = stream.set_nodelay(true);
    let local = stream.local_addr().unwrap_or(SocketAddr::from(([0, 0, 0, 0], first.port)));
    let mut client = Client {
        id: entry.id,
        bind: entry.bind,
        peer: unmapped(peer),
        local: unmapped(local),
        settings: Arc::clone(&first.settings),
        tls: None,
        live: Rc::clone(&entry.live),
    };
    if let Err(cause) = read_proxy_header(&mut stream, &mut client).await {
        return Some(cause);
    }
    let socket = Socket::Tcp(stream);
    let io = match &first.protocol {
        ListenerProtocol::Http => Io::Plain(socket),
        ListenerProtocol::Https(_) => {
            match shake_hands(worker, &world, port, socket, &mut client).await {
                Ok(io) => io,
                Err(cause) => return Some(cause),
            }
        }
    };
    // The Snapshot is not kept for the life of the connection.
    drop(world);
    speak(worker, client, io).await
}

/// A socket for both families tells an IPv4 address as ::ffff:a.b.c.d. Here it becomes itself
/// again, once for everybody who compares, hashes, believes or prints it.
fn unmapped(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
        // As it was: a link-local address has its scope.
        IpAddr::V6(_) => address,
    }
}

/// Sources that are listed must send a PROXY header, and are believed.
async fn read_proxy_header(stream: &mut TcpStream, client: &mut Client) -> Result<(), Cause> {
    let sources = Sources::new(&client.settings.proxy_protocol_from);
    if !sources.contains(client.peer.ip()) {
        return Ok(());
    }
    let read = tokio::time::timeout(limits::PROXY_PROTOCOL_TIMEOUT, peek_proxy_header(stream));
    let header = read.await.map_err(|_| Cause::ProxyProtocolInvalid)?;
    match header.map_err(|_| Cause::ProxyProtocolInvalid)? {
        Header::Proxied { source, destination } => {
            client.peer = source;
            client.local = destination;
        }
        Header::Local => {}
    }
    Ok(())
}

/// Looks before it takes, so that not a byte of what follows is lost to TLS.
async fn peek_proxy_header(stream: &mut TcpStream) -> io::Result<Header> {
    let mut buffer = vec![0; limits::PROXY_PROTOCOL_BYTES];
    loop {
        let length = stream.peek(&mut buffer).await?;
        match proxy_protocol::parse(&buffer[..length]) {
            Parsed::Complete { consumed, header } => {
                stream.read_exact(&mut buffer[..consumed]).await?;
                return Ok(header);
            }
            Parsed::Partial if length > 0 && length < buffer.len() => {
                // A peek doesn't wait for more than it has seen.
                tokio::time::sleep(limits::PROXY_PROTOCOL_LOOK).await;
            }
            Parsed::Partial => return Err(io::ErrorKind::UnexpectedEof.into()),
            Parsed::Invalid(invalid) => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, invalid.to_string()));
            }
        }
    }
}

async fn shake_hands(
    worker: &Rc<Worker>,
    world: &World,
    port: &Port,
    socket: Socket,
    client: &mut Client,
) -> Result<Io, Cause> {
    let work = Box::pin(accept(worker, world, port, socket, client));
    match tokio::time::timeout(limits::TLS_HANDSHAKE_TIMEOUT, work).await {
        Ok(result) => result,
        Err(_) => {
            worker.count_handshake(None, Some(Cause::TlsHandshakeTimeout));
            Err(Cause::TlsHandshakeTimeout)
        }
    }
}

/// The ClientHello chooses the listener, the listener its certificates and what clients must
/// show: nothing of another listener is ever offered.
async fn accept(
    worker: &Rc<Worker>,
    world: &World,
    port: &Port,
    socket: Socket,
    client: &mut Client,
) -> Result<Io, Cause> {
    let failed = |listener: Option<&Arc<Listener>>, error: &io::Error| {
        let failure = identity::failure(error, identity::Side::Server);
        tracing::debug!(cause = %failure.cause, reason = failure.sentence, "handshake failed");
        worker.count_handshake(listener, Some(failure.cause));
        failure.cause
    };
    let hello = LazyConfigAcceptor::new(Acceptor::default(), socket)
        .await
        .map_err(|error| failed(None, &error))?;
    let client_hello = hello.client_hello();
    let server_name = client_hello.server_name();
    let (listener, tls) = match choose(world, port, server_name) {
        Ok(chosen) => chosen,
        Err((listener, cause)) => {
            worker.count_handshake(listener.as_ref(), Some(cause));
            worker.refusals.tell(client.bind, cause, server_name);
            let description = alert::description(cause, server_name);
            alert::refuse(hello.io, description).await;
            return Err(cause);
        }
    };
    let stream = hello
        .into_stream(Arc::clone(tls.config()))
        .await
        .map_err(|error| failed(Some(&listener), &error))?;
    if let Err(cause) = tls.admit(stream.get_ref().1) {
        worker.count_handshake(Some(&listener), Some(cause));
        return Err(cause);
    }
    worker.count_handshake(Some(&listener), None);
    let secured = Secured { listener: listener.key.clone(), admission: tls.admission() };
    *client.live.secured.borrow_mut() = Some(secured.clone());
    client.tls = Some(secured);
    client.settings = Arc::clone(&listener.settings);
    Ok(Io::Server(Box::new(stream)))
}

type Chosen = Result<(Arc<Listener>, Arc<ServerTls>), (Option<Arc<Listener>>, Cause)>;

fn choose(world: &World, port: &Port, server_name: Option<&str>) -> Chosen {
    let table = routing::listener_of_hello(port, server_name);
    let listener = table.map(|table| Arc::clone(&table.listener));
    let Some(listener) = listener else { return Err((None, Cause::ListenerNotFound)) };
    match world.server_tls(&listener.key) {
        Ok(tls) => Ok((listener, Arc::clone(tls))),
        Err(cause) => Err((Some(listener), cause)),
    }
}

/// Finds out which HTTP the client speaks: by ALPN, else by its first bytes.
async fn speak(worker: &Rc<Worker>, client: Client, io: Io) -> Option<Cause> {
    if io.is_alpn_h2() {
        return Box::pin(h2::serve(worker, client, Rewound::new(BytesMut::new(), io))).await;
    }
    let limits = HeadLimits {
        head_bytes: client.settings.max_header_bytes as usize,
        ..HeadLimits::default()
    };
    let mut conn = ServerConn::new(io, limits);
    let deadlines = Deadlines::default();
    let first_byte = client.settings.idle_timeout.min(limits::FIRST_BYTE_TIMEOUT);
    deadlines.set(Phase::Idle, clock::now() + first_byte, Cause::IdleTimeout);
    let began = match deadlines.guard(pin!(h1::fill(&client, &mut conn, &deadlines))).await {
        Ok(Ok(0) | Err(_)) => return None,
        Ok(Ok(_)) => clock::now(),
        Err(cause) => return Some(cause),
    };
    // A head has begun, whichever protocol's it is.
    deadlines.clear(Phase::Idle);
    let head = began + client.settings.request_head_timeout;
    deadlines.set(Phase::Head, head, Cause::RequestHeadTimeout);
    let secured = client.tls.is_some();
    let detect = async {
        while !secured && PREFACE.starts_with(conn.read()) && conn.read().len() < PREFACE.len() {
            match h1::fill(&client, &mut conn, &deadlines).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
        Some(!secured && conn.read().starts_with(PREFACE))
    };
    let detected = deadlines.guard(pin!(detect)).await;
    match detected {
        Ok(None) => None,
        Ok(Some(true)) => {
            let (io, read) = conn.into_parts();
            Box::pin(h2::serve(worker, client, Rewound::new(read, io))).await
        }
        // One that stopped within the preface is told as a client of HTTP/1 would be.
        Ok(Some(false)) | Err(Cause::RequestHeadTimeout) => {
            h1::serve(worker, client, conn, deadlines, began).await
        }
        Err(cause) => Some(cause),
    }
}
