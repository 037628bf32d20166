//! HTTP/1.1 as both doors serve it: one request per connection, bounded in number, size and time.
//!
//! A connection per request means that an idle client holds nothing; who scrapes every few
//! seconds doesn't notice. This module must not know what is asked.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;

use crate::limits;

/// A whole response.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    content_type: &'static str,
    allow: Option<&'static str>,
    body: Bytes,
}

impl Answer {
    pub fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, content_type, allow: None, body: body.into() }
    }

    /// One line for people.
    pub fn text(status: StatusCode, line: impl Into<String>) -> Self {
        let mut body = line.into();
        body.push('\n');
        Self::new(status, "text/plain; charset=utf-8", body)
    }

    pub fn not_allowed(methods: &'static str) -> Self {
        let answer = Self::text(StatusCode::METHOD_NOT_ALLOWED, format!("only {methods} here"));
        Self { allow: Some(methods), ..answer }
    }

    fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(methods) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(methods));
        }
        response
    }
}

/// The connections that a door has, which are bounded. Who comes when all are taken displaces the
/// oldest that hasn't asked for anything yet, else the oldest: a crowd of silent clients can't
/// keep a probe waiting until the pod is killed for it.
#[derive(Default)]
pub struct Connections {
    open: VecDeque<Connection>,
}

struct Connection {
    task: JoinHandle<()>,
    has_asked: Arc<AtomicBool>,
}

impl Connections {
    /// Serves one request on a task of its own.
    pub fn serve<S, F, A>(&mut self, stream: S, answer: F)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        F: Fn(Request<Incoming>) -> A + Send + 'static,
        A: Future<Output = Answer> + Send + 'static,
    {
        self.make_room();
        let has_asked = Arc::new(AtomicBool::new(false));
        let asked = has_asked.clone();
        let service = service_fn(move |request| {
            asked.store(true, Ordering::Relaxed);
            let answer = answer(request);
            async move { Ok::<_, Infallible>(answer.await.into_response()) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits::DOOR_HEAD_TIMEOUT)
            .keep_alive(false)
            .max_headers(limits::HEADERS)
            .max_buf_size(limits::DOOR_HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let task = tokio::spawn(async move {
            // An error is the client's and has been answered where it can be; a client that
            // takes longer than this is gone or means harm.
            let _ = tokio::time::timeout(limits::DOOR_TIMEOUT, connection).await;
        });
        self.open.push_back(Connection { task, has_asked });
    }

    /// Waits until those that are open have their answers, as long as a request may take to come.
    pub async fn finish(self) {
        let all = async {
            for connection in self.open {
                let _ = connection.task.await;
            }
        };
        let _ = tokio::time::timeout(limits::DOOR_HEAD_TIMEOUT, all).await;
    }

    fn make_room(&mut self) {
        self.open.retain(|connection| !connection.task.is_finished());
        while self.open.len() >= limits::DOOR_CONNECTIONS {
            let silent = |connection: &Connection| !connection.has_asked.load(Ordering::Relaxed);
            let oldest = self.open.iter().position(silent).unwrap_or_default();
            if let Some(connection) = self.open.remove(oldest) {
                connection.task.abort();
            }
        }
    }
}

/// After a failed accept. Most failures are the peer's; when descriptors or memory have run out,
/// asking again at once would only burn a core.
pub async fn rest_after(error: &io::Error) {
    tracing::debug!(%error, "a door could not accept a connection");
    tokio::time::sleep(Duration::from_millis(100)).await;
}
