//! What one request was: filled on its way, consumed once at its end.
//!
//! A Record has a fixed size, and touches the heap only to say what failed: names are those of the
//! handles that it counts on, texts of the client are cut to a bound. This module must not know what is made of it.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use http::Version;

use super::series::{EndpointSeries, RouteSeries};
use crate::limits;
use crate::model::{AccessLogFormat, Cause, Name};

/// One request's story.
#[derive(Clone, Debug)]
pub struct Record {
    /// Number of the client's connection in this process.
    pub connection: u64,
    pub request_id: Inline<{ limits::RECORD_ID_BYTES }>,
    /// W3C trace context: trace id and the id of our span.
    pub trace: Option<([u8; 16], [u8; 8])>,
    /// The configuration by which it was decided.
    pub generation: u64,
    /// Time since the epoch at which the head's first byte came.
    pub started: Duration,
    /// `None` for a client on a Unix socket.
    pub client: Option<SocketAddr>,
    /// Where it was routed; made for the listener alone where no route matched. `None` where not
    /// even a listener was found: then nothing is counted.
    pub route: Option<Rc<RouteSeries>>,
    /// Nodes of the route table that were looked at to find it.
    pub visited: u32,
    /// The endpoint of the last attempt.
    pub endpoint: Option<Rc<EndpointSeries>>,
    pub method: Inline<{ limits::RECORD_METHOD_BYTES }>,
    pub host: Inline<{ limits::RECORD_HOST_BYTES }>,
    /// Without the query, which holds people's secrets too often.
    pub path: Inline<{ limits::RECORD_PATH_BYTES }>,
    pub user_agent: Inline<{ limits::RECORD_AGENT_BYTES }>,
    /// What the client got, or what stands for its absence (499). 0 where nothing was decided.
    pub status: u16,
    /// Set where the product itself refused, failed or gave up.
    pub cause: Option<Cause>,
    /// What the client spoke.
    pub version: Version,
    /// What the endpoint was spoken to in.
    pub upstream_version: Option<Version>,
    /// Body bytes from and to the client.
    pub request_body: u64,
    pub response_body: u64,
    /// Until the head was complete, and of that: waiting for a connection, opening one.
    pub head: Option<Duration>,
    pub queue: Option<Duration>,
    pub connect: Option<Duration>,
    /// Until the endpoint's head came.
    pub first_byte: Option<Duration>,
    pub total: Duration,
    pub attempts: u16,
    /// Tries that failed, in their order, up to `limits::RECORD_TRIES`.
    pub tries: Vec<Tried>,
    /// What was wrong in particular, where there is more to say than the cause.
    pub reason: Option<Box<str>>,
    pub flags: RecordFlags,
    /// How the listener wants it logged.
    pub log: Option<AccessLogFormat>,
}

impl Record {
    /// Empties it for another request; the bytes of its texts need not be cleared for that.
    pub fn clear(&mut self) {
        let Self {
            connection,
            request_id,
            trace,
            generation,
            started,
            client,
            route,
            visited,
            endpoint,
            method,
            host,
            path,
            user_agent,
            status,
            cause,
            version,
            upstream_version,
            request_body,
            response_body,
            head,
            queue,
            connect,
            first_byte,
            total,
            attempts,
            tries,
            reason,
            flags,
            log,
        } = self;
        (*connection, *generation, *started, *visited) = (0, 0, Duration::ZERO, 0);
        (*trace, *client, *route, *endpoint) = (None, None, None, None);
        request_id.clear();
        method.clear();
        host.clear();
        path.clear();
        user_agent.clear();
        (*status, *cause, *version, *upstream_version) = (0, None, Version::HTTP_11, None);
        (*request_body, *response_body) = (0, 0);
        (*head, *queue, *connect, *first_byte, *total) = (None, None, None, None, Duration::ZERO);
        (*attempts, *flags, *log) = (0, RecordFlags::default(), None);
        tries.clear();
        *reason = None;
    }

    /// Notes a try that brought no answer, or one that isn't taken. To be called before another
    /// endpoint is noted.
    pub fn failed_try(&mut self, cause: Option<Cause>, sentence: &str, took: Duration) {
        let Some(endpoint) = &self.endpoint else { return };
        if self.tries.len() < limits::RECORD_TRIES {
            let endpoint = endpoint.address.clone();
            self.tries.push(Tried { endpoint, cause, sentence: bounded(sentence), took });
        }
    }

    /// Notes what was wrong in particular.
    pub fn because(&mut self, reason: &str) {
        self.reason = Some(bounded(reason));
    }
}

fn bounded(sentence: &str) -> Box<str> {
    sentence[..sentence.floor_char_boundary(limits::RECORD_SENTENCE_BYTES)].into()
}

/// A try that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    pub endpoint: Name,
    /// `None` for an answer whose status is tried again.
    pub cause: Option<Cause>,
    pub sentence: Box<str>,
    pub took: Duration,
}

/// What happened on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordFlags {
    pub tls: bool,
    pub retried: bool,
    pub mirrored: bool,
    /// A session cookie or header chose the endpoint.
    pub session: bool,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            connection: 0,
            request_id: Inline::default(),
            trace: None,
            generation: 0,
            started: Duration::ZERO,
            client: None,
            route: None,
            visited: 0,
            endpoint: None,
            method: Inline::default(),
            host: Inline::default(),
            path: Inline::default(),
            user_agent: Inline::default(),
            status: 0,
            cause: None,
            version: Version::HTTP_11,
            upstream_version: None,
            request_body: 0,
            response_body: 0,
            head: None,
            queue: None,
            connect: None,
            first_byte: None,
            total: Duration::ZERO,
            attempts: 0,
            tries: Vec::new(),
            reason: None,
            flags: RecordFlags::default(),
            log: None,
        }
    }
}

/// At most `N` bytes of a text that a peer chose; not necessarily UTF-8, not escaped.
#[derive(Clone, Copy)]
pub struct Inline<const N: usize> {
    len: u16,
    cut: bool,
    bytes: [u8; N],
}

impl<const N: usize> Inline<N> {
    pub fn new(text: &[u8]) -> Self {
        let mut inline = Self::default();
        inline.set(text);
        inline
    }

    pub fn set(&mut self, text: &[u8]) {
        const { assert!(N <= u16::MAX as usize) };
        let len = text.len().min(N);
        self.bytes[..len].copy_from_slice(&text[..len]);
        self.len = len as u16;
        self.cut = len < text.len();
    }

    pub fn clear(&mut self) {
        (self.len, self.cut) = (0, false);
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The text was longer.
    pub fn is_cut(&self) -> bool {
        self.cut
    }
}

impl<const N: usize> Default for Inline<N> {
    fn default() -> Self {
        Self { len: 0, cut: false, bytes: [0; N] }
    }
}

impl<const N: usize> std::fmt::Debug for Inline<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&String::from_utf8_lossy(self.as_bytes()), f)
    }
}

#[cfg(test)]
mod tests;
