//! Whether somebody answers at an endpoint: asked before the first request is sent there. Once
//! there are requests, their outcome says more than any probe.

use std::net::SocketAddr;
use std::os::linux::net::SocketAddrExt;

use futures_util::future::join_all;
use tokio::net::{TcpStream, UnixStream};

use crate::limits;

/// Whether one of them takes a connection. Proxies of a directory share this machine, and its way
/// to the endpoints.
pub(super) async fn any_answers(endpoints: &[String]) -> bool {
    let some = endpoints.iter().take(limits::ROLLOUT_PROBES);
    join_all(some.map(|endpoint| answers(endpoint))).await.contains(&true)
}

async fn answers(endpoint: &str) -> bool {
    let connected = tokio::time::timeout(limits::ROLLOUT_PROBE_WAIT, connect(endpoint)).await;
    matches!(connected, Ok(Ok(())))
}

async fn connect(endpoint: &str) -> std::io::Result<()> {
    if let Some(name) = endpoint.strip_prefix("unix:@") {
        let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
        // A connection within the machine is made at once or not at all.
        return std::os::unix::net::UnixStream::connect_addr(&address).map(drop);
    }
    if let Some(path) = endpoint.strip_prefix("unix:") {
        return UnixStream::connect(path).await.map(drop);
    }
    let address: SocketAddr = endpoint.parse().map_err(std::io::Error::other)?;
    TcpStream::connect(address).await.map(drop)
}
