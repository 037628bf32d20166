//! Heads as bytes.

use crate::proxy::message::{BodyLength, RequestHead, ResponseHead, Version};

/// What we tell a backend about the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    KeepAlive,
    Close,
}

/// Appends the head; always HTTP/1.1. `expect: 100-continue` is written where
/// `head.expect_continue` is still set.
pub fn write_request(_head: &RequestHead, _persistence: Persistence, _out: &mut Vec<u8>) {}

#[derive(Clone, Copy, Debug)]
pub struct ResponseOptions<'a> {
    /// We would take another request on this connection.
    pub keep_alive: bool,
    /// What the client spoke: `HTTP/1.0` never gets chunks.
    pub client_version: Version,
    /// The request was HEAD.
    pub to_head: bool,
    /// Written where the response has no Date of its own.
    pub date: Option<&'a str>,
}

/// What was promised to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    /// How the body goes out: what `BodyEncoder::new` wants. `Empty` to a HEAD.
    pub body: BodyLength,
    /// Whether the connection stays open after the body.
    pub keep_alive: bool,
}

pub fn write_response(
    head: &ResponseHead,
    options: ResponseOptions<'_>,
    _out: &mut Vec<u8>,
) -> Sending {
    Sending { body: head.body, keep_alive: options.keep_alive }
}
