//! The observation door: `/live`, `/ready` and `/metrics`, for probes and Prometheus.
//!
//! It can be asked, not told: GET alone, nothing changes state. A browser that was lured onto a
//! name that resolves to this machine (DNS rebinding) is refused by its Host. This module must
//! not know what readiness depends on.

pub mod serve;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::pin::pin;
use std::sync::Arc;

use http::header::{ACCEPT, HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use tokio::net::TcpListener;

use super::exposition::Format;
use serve::{Answer, Connections};

/// What the door shows.
pub trait Observed: Send + Sync + 'static {
    /// `Err` says why only a restart can help. That this is answered at all shows that the
    /// control thread runs.
    fn live(&self) -> Result<(), String> {
        Ok(())
    }

    /// `Err` says why no traffic should be sent here: not yet configured, or draining.
    fn ready(&self) -> Result<(), String>;

    fn metrics(&self, format: Format) -> String;
}

pub struct ObservationDoor {
    listener: TcpListener,
    names: Vec<String>,
}

impl ObservationDoor {
    /// `names`: by which the door may be asked besides IP addresses and `localhost`.
    pub async fn bind(address: SocketAddr, names: Vec<String>) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, names })
    }

    /// On a socket that listens already: another process's, say.
    pub fn on(listener: std::net::TcpListener, names: Vec<String>) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self { listener: TcpListener::from_std(listener)?, names })
    }

    /// Another descriptor of the listening socket, to be handed to another process.
    pub fn socket(&self) -> io::Result<OwnedFd> {
        self.listener.as_fd().try_clone_to_owned()
    }

    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until it is dropped, or accepts no more once `end` is there and returns when
    /// whoever has come by then has been answered.
    pub async fn serve(self, observed: Arc<impl Observed>, end: impl Future<Output = ()>) {
        let mut connections = Connections::default();
        let names: Arc<[String]> = self.names.into();
        let mut end = pin!(end);
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut end => break,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    serve::rest_after(&error).await;
                    continue;
                }
            };
            let (observed, names) = (observed.clone(), names.clone());
            connections.serve(stream, move |request| {
                std::future::ready(answer(&*observed, &names, &request))
            });
        }
        drop(self.listener);
        connections.finish().await;
    }
}

fn answer<B>(observed: &impl Observed, names: &[String], request: &Request<B>) -> Answer {
    if let Err(reason) = check_origin(names, request.uri(), request.headers()) {
        return Answer::text(StatusCode::MISDIRECTED_REQUEST, reason);
    }
    let path = request.uri().path();
    if !["/live", "/ready", "/metrics"].contains(&path) {
        return Answer::text(StatusCode::NOT_FOUND, "there are /live, /ready and /metrics");
    }
    if request.method() != Method::GET {
        return Answer::not_allowed("GET");
    }
    match path {
        "/live" => probe(observed.live()),
        "/ready" => probe(observed.ready()),
        _ => {
            let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
            let format = Format::negotiate(accept);
            Answer::new(StatusCode::OK, format.content_type(), observed.metrics(format))
        }
    }
}

fn probe(state: Result<(), String>) -> Answer {
    match state {
        Ok(()) => Answer::text(StatusCode::OK, "ok"),
        Err(reason) => Answer::text(StatusCode::SERVICE_UNAVAILABLE, reason),
    }
}

/// Whether the request was meant for this door by whoever made it. HTTP/1.1 demands exactly one
/// Host; a probe in HTTP/1.0 has none, and no browser speaks that.
fn check_origin(names: &[String], uri: &Uri, headers: &HeaderMap) -> Result<(), &'static str> {
    const HOST_REFUSED: &str =
        "the Host must be an IP address, localhost, or a name that this door was given";
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().map(|host| host.to_str().unwrap_or_default());
    if hosts.next().is_some() {
        return Err("there is more than one Host");
    }
    if !host.is_none_or(|host| is_ours(names, host)) {
        return Err(HOST_REFUSED);
    }
    if !uri.authority().is_none_or(|authority| is_ours(names, authority.as_str())) {
        return Err(HOST_REFUSED);
    }
    let ours =
        |origin: &str| origin.split_once("://").is_some_and(|(_, host)| is_ours(names, host));
    if !headers.get_all(ORIGIN).iter().all(|origin| origin.to_str().is_ok_and(ours)) {
        return Err("requests of other sites' pages are refused");
    }
    Ok(())
}

/// An IP address can't be rebound: there is no name to resolve anew.
fn is_ours(names: &[String], authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    if authority.as_str().contains('@') {
        return false;
    }
    let host = authority.host();
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    literal.parse::<IpAddr>().is_ok()
        || host.eq_ignore_ascii_case("localhost")
        || names.iter().any(|name| name.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests;
