//! HTTP/1.1 and 1.0: strict framing of our own over httparse.
//!
//! Whatever two parsers could read in two ways is refused here, and what is written is spelled in
//! one way only: one Host, one framing field, one path. `request`, `response`, `body` and `write`
//! are functions and small state machines over byte slices; `wire` holds the bytes of a
//! connection, `server` and `client` put the two together. This module must not know deadlines.

pub mod authority;
pub mod body;
mod client;
mod head;
pub mod name;
pub mod request;
pub mod response;
mod server;
mod wire;
pub mod write;

pub use body::{BodyDecoder, BodyEncoder, BodyError, Decoded};
pub use client::ClientConn;
pub use request::{RequestError, parse_request};
pub use response::{ResponseError, Sent, parse_response};
pub use server::{HeadFault, ServerConn};
pub use write::{Persistence, ResponseOptions, Sending, write_request, write_response};

use crate::limits;

/// What one head may weigh.
#[derive(Clone, Copy, Debug)]
pub struct HeadLimits {
    /// Start line and fields with their line ends.
    pub head_bytes: usize,
    pub target_bytes: usize,
    /// Fields; never more than `limits::HEADERS`.
    pub fields: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self {
            head_bytes: limits::HEAD_BYTES,
            target_bytes: limits::TARGET_BYTES,
            fields: limits::HEADERS,
        }
    }
}

/// What came of a look at the bytes so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// The head's end has not come yet.
    Partial,
    /// The head took this many bytes; the body starts behind them.
    Complete { consumed: usize },
}

/// Whether another look at a partial head can find anything new: only a line's end can, so a head
/// that drips in byte by byte is parsed once per line and not once per byte. `seen` is how many
/// bytes the last look had.
pub fn worth_parsing(buf: &[u8], seen: usize, limits: &HeadLimits) -> bool {
    seen == 0
        || buf.len() >= limits.head_bytes
        || buf.get(seen..).is_some_and(|new| memchr::memchr(b'\n', new).is_some())
}
