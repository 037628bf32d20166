//! Parts to proxies: Envoy's aggregated delta discovery over TLS, with our own type of resource.
//!
//! A proxy shows its token, says which parts it has, and gets what is different; from then on
//! every change, one transaction at a time. While it is busy with one, changes add up to the next,
//! so what waits for a slow proxy is at most a list of names.
//!
//! This module must not know the API server: who may have which fleet's parts is for
//! [`Authenticate`] to say.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_server::{
    AggregatedDiscoveryService, AggregatedDiscoveryServiceServer,
};
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use futures_util::stream::BoxStream;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tonic::codegen::Service;
use tonic::{Request, Response, Status, Streaming};

use crate::limits;
use crate::model::{Name, Scope};

mod conversation;
mod distribution;
mod replica;
#[cfg(test)]
mod tests;
mod tls;

pub use distribution::Distribution;
#[cfg(test)]
pub(super) use distribution::Seat;
pub use tls::{ServerIdentity, ServerIdentityError};

/// Whose token it is.
pub trait Authenticate: Send + Sync + 'static {
    fn authenticate(&self, token: &str) -> impl Future<Output = Result<Admitted, Refused>> + Send;
}

/// Who is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admitted {
    Proxy {
        /// The fleet whose parts it may have.
        scope: Scope,
        /// `NAMESPACE/POD`, where the token tells; else the proxy's own word counts.
        name: Option<Name>,
    },
    /// Another replica of the controller, by its pod's name: it tells of its proxies.
    Replica { name: Name },
}

/// Why a proxy gets nothing, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The token is nobody's, or of somebody who is no proxy.
    Token(String),
    /// Whoever could tell doesn't answer.
    Unavailable(String),
}

/// Serves proxies until it is dropped.
pub async fn serve(
    listener: TcpListener,
    identity: Arc<ServerIdentity>,
    distribution: Arc<Distribution>,
    authenticate: impl Authenticate,
    rng: fastrand::Rng,
) {
    let times = Times { hello: limits::PROXY_HELLO_TIMEOUT, age: limits::PROXY_STREAM_AGE };
    serve_within(times, listener, identity, distribution, authenticate, rng).await;
}

/// How long a proxy may take.
#[derive(Clone, Copy)]
struct Times {
    /// To get through TLS, and then to say who it is.
    hello: Duration,
    /// Before it is asked to come back.
    age: Duration,
}

async fn serve_within(
    times: Times,
    listener: TcpListener,
    identity: Arc<ServerIdentity>,
    distribution: Arc<Distribution>,
    authenticate: impl Authenticate,
    rng: fastrand::Rng,
) {
    let door = Arc::new(Door {
        distribution,
        authenticate,
        reviews: Semaphore::new(limits::PROXY_REVIEWS),
        times,
        rng: Mutex::new(rng),
    });
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= limits::PROXY_CONNECTIONS {
            connections.join_next().await;
            continue;
        }
        match listener.accept().await {
            Ok((socket, from)) => {
                let (door, identity) = (Arc::clone(&door), Arc::clone(&identity));
                connections.spawn(async move {
                    if let Err(why) = connection(socket, &identity, door).await {
                        tracing::debug!(%from, "a proxy's connection ended: {why}");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "can't accept a proxy's connection");
                tokio::time::sleep(limits::ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection<A: Authenticate>(
    socket: TcpStream,
    identity: &ServerIdentity,
    door: Arc<Door<A>>,
) -> Result<(), String> {
    let _ = socket.set_nodelay(true);
    let handshake = tokio_rustls::TlsAcceptor::from(identity.config()).accept(socket);
    let hello = door.times.hello;
    let stream = timeout(hello, handshake).await;
    let stream = stream.map_err(|_| "no TLS handshake in time")?;
    let stream = stream.map_err(|error| error.to_string())?;
    let known = Arc::new(AtomicBool::new(false));
    let entrance = Entrance { door, known: Arc::clone(&known) };
    let service = AggregatedDiscoveryServiceServer::new(entrance)
        .max_decoding_message_size(limits::WIRE_MESSAGE_BYTES);
    let served = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(limits::PROXY_PING)
        .keep_alive_timeout(limits::PROXY_PING_TIMEOUT)
        .max_concurrent_streams(limits::PROXY_STREAMS)
        .max_header_list_size(limits::H2_HEADER_LIST_BYTES)
        .serve_connection(
            TokioIo::new(stream),
            service_fn(move |request| service.clone().call(request)),
        );
    let mut served = std::pin::pin!(served);
    tokio::select! {
        ended = &mut served => return ended.map_err(|error| error.to_string()),
        () = tokio::time::sleep(hello) => {}
    }
    if !known.load(Ordering::Relaxed) {
        return Err("no token in time".to_owned());
    }
    served.await.map_err(|error| error.to_string())
}

/// What all connections share.
struct Door<A> {
    distribution: Arc<Distribution>,
    authenticate: A,
    reviews: Semaphore,
    times: Times,
    rng: Mutex<fastrand::Rng>,
}

/// What one connection comes in by.
struct Entrance<A> {
    door: Arc<Door<A>>,
    /// Whether a token of this connection was good.
    known: Arc<AtomicBool>,
}

impl<A: Authenticate> Door<A> {
    async fn admit(&self, request: &Request<impl Sized>) -> Result<Admitted, Status> {
        let token = bearer(request).ok_or_else(|| Status::unauthenticated("a token is needed"))?;
        let busy = |_| Status::unavailable("the controller is stopping");
        let _turn = self.reviews.acquire().await.map_err(busy)?;
        self.authenticate.authenticate(token).await.map_err(|refused| match refused {
            Refused::Token(why) => Status::unauthenticated(why),
            Refused::Unavailable(why) => Status::unavailable(why),
        })
    }

    fn stream_age(&self) -> Duration {
        // Drawing leaves nothing half done.
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        self.times.age.mul_f64(1.0 + rng.f64() / 2.0)
    }
}

fn bearer<T>(request: &Request<T>) -> Option<&str> {
    let value = request.metadata().get("authorization")?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[tonic::async_trait]
impl<A: Authenticate> AggregatedDiscoveryService for Entrance<A> {
    type StreamAggregatedResourcesStream = BoxStream<'static, Result<DiscoveryResponse, Status>>;
    type DeltaAggregatedResourcesStream =
        BoxStream<'static, Result<DeltaDiscoveryResponse, Status>>;

    async fn stream_aggregated_resources(
        &self,
        _request: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Self::StreamAggregatedResourcesStream>, Status> {
        Err(Status::unimplemented("parts travel by DeltaAggregatedResources alone"))
    }

    async fn delta_aggregated_resources(
        &self,
        request: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<Self::DeltaAggregatedResourcesStream>, Status> {
        let admitted = self.door.admit(&request).await?;
        self.known.store(true, Ordering::Relaxed);
        let age = self.door.stream_age();
        let distribution = Arc::clone(&self.door.distribution);
        let requests = request.into_inner();
        Ok(Response::new(match admitted {
            Admitted::Proxy { scope, name } => {
                conversation::open(requests, (scope, name), distribution, age)
            }
            Admitted::Replica { name } => replica::open(requests, name, &distribution, age),
        }))
    }
}
