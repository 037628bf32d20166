//! The sample service: two versions of a shop, each a small HTTP/1.1 server in this process.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use meshctl::limits;

use super::plan::Version;

/// Says which version an answer is from.
pub const HEADER_VERSION: &str = "x-version";

/// Both versions; they end when this is dropped.
pub struct Services {
    /// Where each version listens.
    pub addresses: [SocketAddr; 2],
    /// Whether the second version answers with errors.
    bad: Arc<AtomicBool>,
    tasks: [JoinHandle<()>; 2],
}

impl Services {
    pub async fn start() -> io::Result<Self> {
        let [first, second] = [listen().await?, listen().await?];
        let bad = Arc::new(AtomicBool::new(false));
        Ok(Self {
            addresses: [first.local_addr()?, second.local_addr()?],
            tasks: [
                tokio::spawn(serve(first, Version::V1, Arc::default())),
                tokio::spawn(serve(second, Version::V2, Arc::clone(&bad))),
            ],
            bad,
        })
    }

    /// What the second version is from now on.
    pub fn make_second(&self, bad: bool) {
        self.bad.store(bad, Ordering::Relaxed);
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn listen() -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await
}

async fn serve(listener: TcpListener, version: Version, bad: Arc<AtomicBool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    drop(connections.spawn(serve_connection(stream, version, Arc::clone(&bad))));
                }
                // No descriptor is free: one will be when a connection ends.
                Err(_) => tokio::time::sleep(limits::ACCEPT_PAUSE).await,
            },
            // What has ended is let go of.
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(stream: TcpStream, version: Version, bad: Arc<AtomicBool>) {
    let service =
        service_fn(move |_: Request<Incoming>| answer(version, bad.load(Ordering::Relaxed)));
    // No timer: it would close idle connections, and the gateway keeps some.
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A connection that broke has told its client.
    let _ = served.await;
}

async fn answer(version: Version, bad: bool) -> Result<Response<Full<Bytes>>, Infallible> {
    tokio::time::sleep(work(version, &mut Rng::new())).await;
    let body = format!("{{\"service\":\"shop\",\"version\":\"{}\"}}\n", version.name());
    let mut response = Response::new(Full::new(body.into()));
    if bad {
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(HEADER_VERSION, HeaderValue::from_static(version.name()));
    Ok(response)
}

/// The second version is faster, and now and then takes as long as the first: so there is
/// something to see in both quantiles.
fn work(version: Version, random: &mut Rng) -> Duration {
    let micros = match version {
        Version::V1 => 6_000..9_000,
        Version::V2 if random.u32(..50) == 0 => 10_000..14_000,
        Version::V2 => 3_000..5_000,
    };
    Duration::from_micros(random.u64(micros))
}
