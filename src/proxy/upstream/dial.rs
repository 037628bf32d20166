//! The way to one endpoint: its address, or the one of the other IP family, whichever answers.
//!
//! RFC 8305 in its small form: the address that answered last is tried first, and the other one
//! as soon as it fails or stays silent for a moment. So a family that is not there costs a new
//! connection a moment once, no request is lost to it, and the endpoint's health and load stay
//! those of one endpoint.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;

use tokio::net::{TcpStream, UnixStream};

use crate::limits;
use crate::model::Address;
use crate::proxy::codec::io::Socket;

/// Knows where an endpoint is, and which of its addresses answered last.
pub struct Dialer {
    address: Address,
    alternate: Cell<Option<SocketAddr>>,
    alternate_first: Cell<bool>,
}

impl Dialer {
    pub fn new(address: Address, alternate: Option<SocketAddr>) -> Self {
        Self { address, alternate: Cell::new(alternate), alternate_first: Cell::new(false) }
    }

    /// The endpoint's name for everybody, over whichever address it is reached.
    pub fn address(&self) -> &Address {
        &self.address
    }

    pub fn set_alternate(&self, alternate: Option<SocketAddr>) {
        self.alternate.set(alternate);
    }

    pub(super) async fn dial(&self) -> io::Result<Socket> {
        let address = match &self.address {
            Address::Socket(address) => *address,
            Address::Unix(path) => return Ok(Socket::Unix(dial_unix(path).await?)),
            Address::Dns { host, .. } => {
                let sentence = format!("{host} has not been resolved");
                return Err(io::Error::new(io::ErrorKind::NotFound, sentence));
            }
        };
        let stream = match self.alternate.get() {
            None => TcpStream::connect(address).await?,
            Some(alternate) => self.race(address, alternate).await?,
        };
        stream.set_nodelay(true)?;
        Ok(Socket::Tcp(stream))
    }

    async fn race(&self, address: SocketAddr, alternate: SocketAddr) -> io::Result<TcpStream> {
        let alternate_first = self.alternate_first.get();
        let (first, second) =
            if alternate_first { (alternate, address) } else { (address, alternate) };
        let (stream, second_won) = first_of(first, second).await?;
        self.alternate_first.set(alternate_first != second_won);
        Ok(stream)
    }
}

/// The first connection that is made, and whether it is the second address's.
async fn first_of(first: SocketAddr, second: SocketAddr) -> io::Result<(TcpStream, bool)> {
    let mut one = pin!(TcpStream::connect(first));
    let failed = match tokio::time::timeout(limits::CONNECT_HEAD_START, &mut one).await {
        Ok(Ok(stream)) => return Ok((stream, false)),
        Ok(Err(error)) => Some(error),
        Err(_) => None,
    };
    let mut two = pin!(TcpStream::connect(second));
    let (one, two) = match failed {
        Some(error) => (Err(error), two.await),
        None => tokio::select! {
            connected = &mut one => match connected {
                Ok(stream) => return Ok((stream, false)),
                error => (error, two.await),
            },
            connected = &mut two => match connected {
                Ok(stream) => return Ok((stream, true)),
                error => (one.await, error),
            },
        },
    };
    match (one, two) {
        (Ok(stream), _) => Ok((stream, false)),
        (_, Ok(stream)) => Ok((stream, true)),
        (Err(one), Err(two)) => {
            Err(io::Error::new(one.kind(), format!("{one}; over {second}: {two}")))
        }
    }
}

/// `@name` is a Linux abstract socket.
async fn dial_unix(path: &str) -> io::Result<UnixStream> {
    match path.strip_prefix('@') {
        None => UnixStream::connect(path).await,
        Some(name) => UnixStream::connect(format!("\0{name}")).await,
    }
}
