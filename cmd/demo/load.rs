//! The load: requests at a fixed rate over a few keep-alive connections, whatever the answers
//! take. It asks as any client does, and knows nothing of the gateway but its address.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, HOST, USER_AGENT};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use meshctl::clock::{self, Instant};
use meshctl::{limits, names};

use super::meter::{Ended, Meter};
use super::plan::Version;
use super::sample::HEADER_VERSION;

/// Enough for shares to a few percent within seconds, little enough for a busy laptop.
const REQUESTS_PER_SECOND: u32 = 400;
/// A lane that is further behind leaves out what it can't catch up with.
const BEHIND_MAX: Duration = Duration::from_secs(1);

pub struct Load {
    stop: watch::Sender<bool>,
    lanes: JoinSet<()>,
}

impl Load {
    pub fn start(gateway: SocketAddr, meter: &Arc<Meter>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let every = Duration::from_secs(1) / REQUESTS_PER_SECOND;
        let mut lanes = JoinSet::new();
        for number in 0..limits::DEMO_CONNECTIONS {
            let lane = Lane {
                gateway,
                meter: Arc::clone(meter),
                stopped: stopped.clone(),
                due: clock::now() + every * number,
                every: every * limits::DEMO_CONNECTIONS,
                connection: None,
            };
            lanes.spawn(lane.run());
        }
        Self { stop, lanes }
    }

    /// Asks nothing more, and waits for the answers that are on their way.
    pub async fn stop(mut self) {
        // Every lane may have ended in a panic, which is told by join_next.
        let _ = self.stop.send(true);
        while self.lanes.join_next().await.is_some() {}
    }
}

/// One connection, and its share of the rate.
struct Lane {
    gateway: SocketAddr,
    meter: Arc<Meter>,
    stopped: watch::Receiver<bool>,
    due: Instant,
    every: Duration,
    connection: Option<SendRequest<Empty<Bytes>>>,
}

impl Lane {
    async fn run(mut self) {
        while let Some(since) = self.next().await {
            let begun = self.meter.begin();
            let answer = tokio::time::timeout(limits::DEMO_ANSWER_TIMEOUT, self.ask()).await;
            let ended = match answer {
                Ok(Ok(ended)) => ended,
                Ok(Err(why)) => Ended::Lost(why),
                Err(_) => Ended::Lost("no answer in time".to_owned()),
            };
            if matches!(ended, Ended::Lost(..)) {
                self.connection = None;
            }
            let now = clock::now();
            self.meter.end(begun, ended, now - since, now);
        }
    }

    /// When the next request counts from; `None` when it is over. A request that an earlier
    /// answer held up has waited since it was due.
    async fn next(&mut self) -> Option<Instant> {
        let now = clock::now();
        if self.due + BEHIND_MAX < now {
            self.due = now;
        }
        let due = self.due;
        self.due += self.every;
        if due < now {
            return (!*self.stopped.borrow()).then_some(due);
        }
        tokio::select! {
            _ = self.stopped.wait_for(|stopped| *stopped) => None,
            () = tokio::time::sleep_until(due) => Some(clock::now()),
        }
    }

    async fn ask(&mut self) -> Result<Ended, String> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(self.gateway).await?,
        };
        let request = Request::get("/")
            .header(HOST, self.gateway.to_string())
            .header(USER_AGENT, "meshctl-demo")
            .body(Empty::new())
            .expect("an address is a valid field value");
        let response = connection.send_request(request).await.map_err(|error| broken(&error))?;
        let goes_on = !says_close(response.headers());
        let ended = read(response).await?;
        self.connection = goes_on.then_some(connection);
        Ok(ended)
    }
}

async fn connect(gateway: SocketAddr) -> Result<SendRequest<Empty<Bytes>>, String> {
    let stream = TcpStream::connect(gateway).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "refused".to_owned(),
        _ => format!("no connection ({error})"),
    })?;
    // A request is one small write: there is nothing to wait for.
    let _ = stream.set_nodelay(true);
    let (sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    // Ends when the sender is dropped or the connection is; the sender tells why.
    tokio::spawn(connection);
    Ok(sender)
}

async fn read(response: Response<Incoming>) -> Result<Ended, String> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, limits::DEMO_ANSWER_BYTES).collect().await;
    body.map_err(|error| format!("cut off ({error})"))?;
    let version = head.headers.get(HEADER_VERSION);
    let version = version.and_then(|version| Version::named(version.as_bytes()));
    Ok(match version {
        Some(version) if head.status.is_success() => Ended::Answered(version),
        Some(version) => Ended::Failed(version),
        None => Ended::Lost(no_answer(head.status, &head.headers)),
    })
}

/// An answer that isn't the service's: the gateway says its cause.
fn no_answer(status: http::StatusCode, headers: &HeaderMap) -> String {
    let cause = headers.get(names::HEADER_CAUSE).and_then(|cause| cause.to_str().ok());
    match cause {
        Some(cause) => format!("{} ({cause})", status.as_u16()),
        None if status.is_success() => "an answer of no version".to_owned(),
        None => status.as_u16().to_string(),
    }
}

fn says_close(headers: &HeaderMap) -> bool {
    headers.get(CONNECTION).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"))
}

fn broken(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("a broken connection ({source})"),
        None => format!("a broken connection ({error})"),
    }
}
