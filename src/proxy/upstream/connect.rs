//! One connection to an endpoint, ready for its first request.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsConnector;

use super::Dialer;
use crate::identity::{self, ClientTls};
use crate::model::{Address, BackendProtocol, Cause};
use crate::proxy::codec::h1::HeadLimits;
use crate::proxy::codec::io::Io;

/// How the endpoints of a backend are spoken to.
#[derive(Clone)]
pub struct Transport {
    pub protocol: BackendProtocol,
    pub tls: Option<Arc<ClientTls>>,
    pub connect_timeout: Duration,
    pub max_idle: u32,
    /// Every connection begins with one client's PROXY header, so none is used for another.
    pub one_client: bool,
}

impl Transport {
    pub fn keeps_connections(&self) -> bool {
        !self.one_client
    }
}

/// Why there is no connection.
#[derive(Clone, Debug)]
pub struct ConnectFault {
    pub cause: Cause,
    pub sentence: Arc<str>,
}

pub(super) fn head_limits() -> HeadLimits {
    HeadLimits::default()
}

/// Connects, sends `preface`, and shakes hands, all within the connect timeout.
pub(super) async fn connect(
    dialer: &Dialer,
    transport: &Transport,
    preface: Option<&[u8]>,
) -> Result<Io, ConnectFault> {
    let work = Box::pin(open(dialer, transport, preface));
    match tokio::time::timeout(transport.connect_timeout, work).await {
        Ok(result) => result,
        Err(_) => Err(ConnectFault {
            cause: Cause::UpstreamConnectTimeout,
            sentence: format!(
                "{} did not answer in {:?}",
                dialer.address(),
                transport.connect_timeout
            )
            .into(),
        }),
    }
}

async fn open(
    dialer: &Dialer,
    transport: &Transport,
    preface: Option<&[u8]>,
) -> Result<Io, ConnectFault> {
    let address = dialer.address();
    let mut socket = dialer.dial().await.map_err(|error| refused(address, &error))?;
    if let Some(preface) = preface {
        let mut socket = Pin::new(&mut socket);
        socket.write_all(preface).await.map_err(|error| refused(address, &error))?;
    }
    let Some(tls) = &transport.tls else { return Ok(Io::Plain(socket)) };
    let connector = TlsConnector::from(Arc::clone(tls.config()));
    let stream = connector.connect(tls.server_name().clone(), socket).await.map_err(|error| {
        let failure = identity::failure(&error, identity::Side::Client);
        ConnectFault {
            cause: failure.cause,
            sentence: format!("{address}: {}", failure.sentence).into(),
        }
    })?;
    Ok(Io::Client(Box::new(stream)))
}

fn refused(address: &Address, error: &io::Error) -> ConnectFault {
    let cause = match (address, error.kind()) {
        (Address::Dns { .. }, _) => Cause::DnsFailed,
        (_, io::ErrorKind::ConnectionRefused) => Cause::UpstreamConnectRefused,
        (_, io::ErrorKind::TimedOut) => Cause::UpstreamConnectTimeout,
        _ => Cause::UpstreamConnectFailed,
    };
    ConnectFault { cause, sentence: format!("{address}: {error}").into() }
}
