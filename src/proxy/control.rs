//! The control door: a Unix socket over which commands of the same user ask and steer a proxy.
//!
//! HTTP/1.1 over a socket that nobody else can open: directory 0700, socket 0600, and the peer's
//! credentials are looked at besides. Requests have no body; what they carry is in the query.
//! This module must not know how a proxy does what it is told.

mod client;
mod describe;
mod register;
mod report;
mod served;
mod socket;

pub use client::{AskError, Proxy, ask, ask_report, ask_route, find};
pub use describe::describe;
pub(in crate::proxy) use describe::unless_secret;
pub use register::{Registered, register};
pub use report::read as read_report;
pub use served::{ServedBackend, ServedCopy, ServedRoute, ServedRule, ServedTarget, rules};
pub use socket::Existing;
pub(super) use socket::{BoundSocket, SocketFile, connect};

use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use rustix::net::SocketType;
use serde_json::{Value, json};
use tokio::net::{UnixListener, UnixStream};

use crate::model::{Kind, ObjectKey, Report, Store};
use crate::proxy::explain::{Asked, NotAsked, Question, Told};
use crate::telemetry::EndpointCounts;
use crate::telemetry::door::serve::{self, Answer, Connections};
use crate::telemetry::failures::Failures;

/// What can be asked of a proxy.
pub trait Control: Send + Sync + 'static {
    /// One screen: listeners, generation, problems.
    fn status(&self) -> Value;

    /// What it has done so far, by arm.
    fn report(&self) -> Report;

    /// What it serves of one route.
    fn route(&self, route: &ObjectKey) -> ServedRoute;

    /// What becomes of a request; `None` before anything is served.
    fn explain(&self, asked: &Asked, most: usize) -> Option<Told>;

    /// The failures that it remembers, from the one after this number on.
    fn failures(&self, after: u64) -> Failures;

    /// What it has done so far, by endpoint.
    fn endpoints(&self) -> Vec<EndpointCounts>;

    /// The parts as the proxy believes them, secrets masked.
    fn config(&self) -> Value;

    /// Starts draining; `None` leaves the deadline to the configuration.
    fn drain(&self, within: Option<Duration>);

    /// Reads every source again; `Err` says what is wrong, and the last good state goes on.
    fn reload(&self) -> impl Future<Output = Result<Value, String>> + Send;

    /// `level`: `debug`, or directives such as `meshctl=debug,h2=info`.
    fn set_log_level(&self, level: &str) -> Result<(), String>;
}

pub struct ControlDoor {
    listener: UnixListener,
    /// Takes the socket's file away with the door.
    _socket: SocketFile,
}

impl ControlDoor {
    /// Makes the socket, and the last directory of its path where it is missing. A socket that
    /// nobody listens on any more is replaced; one that is alive, only with
    /// [`Existing::Replace`]: whoever takes a proxy over keeps its name.
    pub fn bind(path: &Path, existing: Existing) -> io::Result<Self> {
        let BoundSocket { fd, file } = BoundSocket::new(path, SocketType::STREAM, existing)?;
        Ok(Self { listener: UnixListener::from_std(fd.into())?, _socket: file })
    }

    /// Serves a proxy until it is dropped.
    pub async fn serve(self, control: Arc<impl Control>) {
        self.serve_with(move |request| answer(control.clone(), request)).await;
    }

    /// The same for whoever has answers of another kind.
    pub async fn serve_with<F, A>(self, answer: F)
    where
        F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
        A: Future<Output = Answer> + Send + 'static,
    {
        let mut connections = Connections::default();
        loop {
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    serve::rest_after(&error).await;
                    continue;
                }
            };
            if !is_allowed(&stream) {
                tracing::warn!("another user's process knocked at the control door");
                continue;
            }
            connections.serve(stream, answer.clone());
        }
    }
}

/// Our own user and root. The file's mode says the same; this holds where the mode was changed.
pub(super) fn is_allowed(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}

async fn answer<B>(control: Arc<impl Control>, request: Request<B>) -> Answer {
    let (path, query) = (request.uri().path(), request.uri().query());
    let method = match path {
        "/status"
        | "/config"
        | "/report"
        | "/route"
        | "/endpoints"
        | "/failures"
        | Question::PATH => Method::GET,
        "/drain" | "/reload" | "/log-level" => Method::POST,
        _ => {
            let paths = "there are GET /status /config /report /route /endpoints /failures \
                         /explain, POST /drain /reload /log-level";
            return Answer::text(StatusCode::NOT_FOUND, paths);
        }
    };
    if request.method() != method {
        return Answer::not_allowed(if method == Method::GET { "GET" } else { "POST" });
    }
    match path {
        "/status" => json(StatusCode::OK, &control.status()),
        "/config" => json(StatusCode::OK, &control.config()),
        "/report" => json(StatusCode::OK, &report::write(&control.report())),
        "/endpoints" => json(StatusCode::OK, &json!(control.endpoints())),
        "/route" => match route(query) {
            Some(key) => {
                let route = control.route(&key);
                json(StatusCode::OK, &serde_json::to_value(route).expect("it has string keys"))
            }
            None => refused("say which: /route?kind=HTTPRoute&namespace=shop&name=shop"),
        },
        Question::PATH => match explain(&*control, query) {
            Ok(told) => json(StatusCode::OK, &json!(told)),
            Err(NotAsked(why)) => refused(why),
        },
        "/failures" => match parameter(query, "after").map_or(Ok(0), str::parse) {
            Ok(after) => json(StatusCode::OK, &json!(control.failures(after))),
            Err(_) => refused("after is the number of a failure"),
        },
        "/drain" => drain(&*control, parameter(query, "seconds")),
        "/reload" => match control.reload().await {
            Ok(result) => json(StatusCode::OK, &result),
            Err(error) => refused(error),
        },
        _ => match parameter(query, "level") {
            None => refused("say which: /log-level?level=debug"),
            Some(level) => match control.set_log_level(level) {
                Ok(()) => json(StatusCode::OK, &json!({ "level": level })),
                Err(error) => refused(error),
            },
        },
    }
}

/// Routes of files: those of a cluster are the controller's to ask for.
fn route(query: Option<&str>) -> Option<ObjectKey> {
    let kind = parameter(query, "kind")?;
    let kind = [Kind::HttpRoute, Kind::GrpcRoute].into_iter().find(|one| one.as_str() == kind)?;
    let (namespace, name) = (parameter(query, "namespace")?, parameter(query, "name")?);
    Some(ObjectKey::new(Store::Files, kind, namespace, name))
}

fn explain(control: &impl Control, query: Option<&str>) -> Result<Told, NotAsked> {
    let question = Question::read(query.unwrap_or_default())?;
    let told = control.explain(&question.asked()?, question.most);
    told.ok_or_else(|| NotAsked("nothing is served yet".to_owned()))
}

fn drain(control: &impl Control, seconds: Option<&str>) -> Answer {
    let within = match seconds.map(str::parse).transpose() {
        Ok(seconds) => seconds.map(Duration::from_secs),
        Err(_) => return refused("seconds is a whole number"),
    };
    control.drain(within);
    json(StatusCode::ACCEPTED, &json!({ "draining": true }))
}

fn refused(error: impl Into<String>) -> Answer {
    json(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "error": error.into() }))
}

fn json(status: StatusCode, value: &Value) -> Answer {
    Answer::new(status, "application/json", format!("{value:#}\n"))
}

/// A parameter as it stands: but for a [`Question`], no value that we take needs an escape.
fn parameter<'a>(query: Option<&'a str>, name: &str) -> Option<&'a str> {
    query?.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

#[cfg(test)]
mod tests;
