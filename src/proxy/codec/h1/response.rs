//! Response heads.

use super::{HeadLimits, Parsed};
use crate::model::Cause;
use crate::proxy::message::{Method, ResponseHead};

/// Why a response can't be passed on; its connection is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseError {
    /// `UpstreamProtocolError` or `UpstreamHeadTooLarge`.
    pub cause: Cause,
    pub reason: &'static str,
}

/// What the response answers.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    pub method: &'a Method,
    /// The protocol of the `Upgrade` that was sent, else empty: a 101 must name the same.
    pub upgrade: &'a str,
}

/// `head` is cleared first; after `Partial` or an error its content means nothing. A 1xx comes
/// as a head of its own with `BodyLength::Empty`. Of answers without a body (HEAD, 304) the
/// `content-length` stays in `fields`, because it is data there.
pub fn parse_response(
    _buf: &[u8],
    _sent: Sent<'_>,
    _limits: &HeadLimits,
    _head: &mut ResponseHead,
) -> Result<Parsed, ResponseError> {
    Ok(Parsed::Partial)
}
