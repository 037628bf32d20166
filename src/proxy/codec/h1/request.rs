//! Request heads.

use super::{HeadLimits, Parsed};
use crate::model::Cause;
use crate::proxy::message::RequestHead;

/// Why a request was refused. The connection always closes after it: where the next request
/// would start is no longer certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestError {
    pub cause: Cause,
    /// The rule that was broken: "two Host fields (RFC 9112 §3.2)".
    pub reason: &'static str,
}

impl RequestError {
    pub fn status(&self) -> u16 {
        self.cause.status()
    }
}

/// `head` is cleared first; after `Partial` or an error its content means nothing.
pub fn parse_request(
    _buf: &[u8],
    _limits: &HeadLimits,
    _head: &mut RequestHead,
) -> Result<Parsed, RequestError> {
    Ok(Parsed::Partial)
}
