//! A request's and a response's head, the same for every codec.
//!
//! Fields live in one reusable buffer, names in lower case: a head is parsed, edited and written
//! without an allocation per field, and a connection's next request reuses the buffer. What a
//! codec may put in here has been checked by it: names are tokens, values hold no control bytes.

mod fields;

pub use fields::Fields;
pub use http::{Method, StatusCode, Version};

use super::spare::Spare;
use crate::limits;

/// A request's head after the codec's checks and path normalisation.
#[derive(Clone, Debug, Default)]
pub struct RequestHead {
    pub method: Method,
    /// The version that the client spoke.
    pub version: Version,
    pub target: Target,
    /// `host[:port]` as the client meant it: `:authority`, the absolute form's, or `Host`.
    /// Lower case, no userinfo, validated. Empty only for HTTP/1.0 without a Host.
    pub authority: String,
    /// Without `host`, which is `authority`, and without the framing fields, which are `body`.
    pub fields: Fields,
    pub body: BodyLength,
    /// `Expect: 100-continue` was there (and is not in `fields`).
    pub expect_continue: bool,
    /// `websocket` where that was asked for properly, else empty. `Upgrade` and `Connection` have
    /// been taken out of `fields`.
    pub upgrade: String,
    /// The client will take another request on this connection.
    pub keep_alive: bool,
}

/// The request target in origin form: the one path that routing, policy and backend see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    text: String,
    path_end: usize,
}

impl Target {
    /// `path` is normalised already (see `proxy::path`); `*` stands for `OPTIONS *`.
    pub fn new(path: &str, query: Option<&str>) -> Self {
        let mut target = Self::default();
        target.set(path, query);
        target
    }

    pub fn set(&mut self, path: &str, query: Option<&str>) {
        self.text.clear();
        self.text.push_str(path);
        self.path_end = path.len();
        if let Some(query) = query {
            self.text.push('?');
            self.text.push_str(query);
        }
    }

    /// Lets `write_path` put the path straight into the buffer, which it finds empty.
    pub fn try_set<E>(
        &mut self,
        query: Option<&str>,
        write_path: impl FnOnce(&mut String) -> Result<(), E>,
    ) -> Result<(), E> {
        self.set("", None);
        write_path(&mut self.text)?;
        self.path_end = self.text.len();
        if let Some(query) = query {
            self.text.push('?');
            self.text.push_str(query);
        }
        Ok(())
    }

    pub fn path(&self) -> &str {
        &self.text[..self.path_end]
    }

    pub fn query(&self) -> Option<&str> {
        self.text.get(self.path_end + 1..)
    }

    /// Path and query as they go on the wire.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl RequestHead {
    /// The authority without its port: what listeners and routes are asked for.
    pub fn host(&self) -> &str {
        host_of(&self.authority)
    }

    /// What it weighs in names and values.
    pub fn weight(&self) -> usize {
        self.target.as_str().len() + self.authority.len() + self.fields.wire_len()
    }

    /// Makes room for the connection's next request, keeping the buffers.
    pub fn clear(&mut self) {
        self.method = Method::GET;
        self.version = Version::HTTP_11;
        self.target.set("", None);
        self.authority.clear();
        self.fields.clear();
        self.body = BodyLength::Empty;
        self.expect_continue = false;
        self.upgrade.clear();
        self.keep_alive = true;
    }
}

impl Spare for RequestHead {
    fn renew(&mut self) -> bool {
        self.clear();
        let texts = self.target.text.capacity() + self.authority.capacity();
        texts + self.upgrade.capacity() + self.fields.held_bytes() <= limits::SPARE_BYTES
    }
}

/// `shop.example` of `shop.example:8080`, `[::1]` of `[::1]:8080`; a trailing dot is cut.
pub fn host_of(authority: &str) -> &str {
    let host = match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
        _ => authority,
    };
    host.strip_suffix('.').unwrap_or(host)
}

/// A response's head.
#[derive(Debug, Default)]
pub struct ResponseHead {
    pub status: StatusCode,
    pub version: Version,
    /// Without the framing fields, which are `body`.
    pub fields: Fields,
    pub body: BodyLength,
    /// The protocol of a 101's `Upgrade`, else empty.
    pub upgrade: String,
    /// The peer will take another request on this connection.
    pub keep_alive: bool,
}

impl ResponseHead {
    pub fn clear(&mut self) {
        self.status = StatusCode::OK;
        self.version = Version::HTTP_11;
        self.fields.clear();
        self.body = BodyLength::Empty;
        self.upgrade.clear();
        self.keep_alive = true;
    }
}

impl Spare for ResponseHead {
    fn renew(&mut self) -> bool {
        self.clear();
        self.upgrade.capacity() + self.fields.held_bytes() <= limits::SPARE_BYTES
    }
}

/// How long a body is, once every ambiguity has been refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyLength {
    /// No body at all: no framing field is written for a request, none is expected.
    #[default]
    Empty,
    /// `Content-Length`, 0 included.
    Sized(u64),
    /// Chunked in h1, frames in h2: ends with an end mark, trailers may follow.
    Streamed,
    /// An h1 response that ends with its connection.
    UntilClose,
}

impl BodyLength {
    pub fn is_empty(self) -> bool {
        matches!(self, Self::Empty | Self::Sized(0))
    }
}

#[cfg(test)]
mod tests;
