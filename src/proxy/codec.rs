//! Bytes into messages and back, for every protocol behind the same few words.
//!
//! A connection pulls: nothing is read that nobody asked for, and whoever writes asks for room
//! first, so a slow reader slows its writer and nothing in between grows. No hyper or h2 type
//! leaves this module.

pub mod buffers;
pub mod date;
pub mod h1;
pub mod h2;
pub mod io;

use std::task::{Context, Poll};

use bytes::Bytes;

use super::message::{Fields, RequestHead, ResponseHead};

/// A piece of a body.
#[derive(Debug)]
pub enum Frame {
    Data(Bytes),
    /// The body's end, with trailers.
    Trailers(Box<Fields>),
    End,
}

/// Why a message could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The peer ended the connection where a message was not complete.
    Closed,
    /// The peer, or the network, broke the connection or the stream off.
    Reset(String),
    /// HTTP/2: the peer says that it did nothing with the request (REFUSED_STREAM, GOAWAY).
    Refused,
    /// What came is no valid message; the sentence names the rule.
    Protocol(String),
    /// A head beyond the limit.
    TooLarge,
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Reset(error.to_string()),
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Closed => f.write_str("closed in the middle of a message"),
            Self::Reset(why) => write!(f, "broken off: {why}"),
            Self::Refused => f.write_str("refused before anything was done"),
            Self::Protocol(rule) => f.write_str(rule),
            Self::TooLarge => f.write_str("head larger than the limit"),
        }
    }
}

/// The client's side of one exchange.
#[derive(Debug)]
pub enum Downstream<'a> {
    H1(&'a mut h1::ServerConn),
    H2(&'a mut h2::ServerStream),
}

/// The endpoint's side of one attempt.
#[derive(Debug)]
pub enum Upstream {
    H1(Box<h1::ClientConn>),
    H2(Box<h2::ClientStream>),
}

macro_rules! side {
    ($self:expr, $conn:ident => $call:expr) => {
        match $self {
            Self::H1($conn) => $call,
            Self::H2($conn) => $call,
        }
    };
}

/// What both sides can do with a body.
pub trait Body {
    /// The next piece of what the peer sends.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Fault>>;
    /// Whether everything that the peer sends has been read, so that the last data can carry
    /// the end with it.
    fn is_read(&self) -> bool;
    /// Ready once a piece may be written.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>>;
    /// Writes a piece; `last` when nothing follows it. Only after there was room.
    fn write_data(&mut self, data: Bytes, last: bool) -> Result<(), Fault>;
    /// Ends the body; not after a `last` piece.
    fn write_end(&mut self, trailers: Option<&Fields>) -> Result<(), Fault>;
    /// Ready once everything written has left.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>>;
}

/// Both sides pass a body's words on to their protocol.
macro_rules! body_of_protocol {
    ($side:ty) => {
        impl Body for $side {
            fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Fault>> {
                side!(self, conn => conn.poll_frame(cx))
            }

            fn is_read(&self) -> bool {
                side!(self, conn => conn.is_read())
            }

            fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
                side!(self, conn => conn.poll_room(cx))
            }

            fn write_data(&mut self, data: Bytes, last: bool) -> Result<(), Fault> {
                side!(self, conn => conn.write_data(data, last))
            }

            fn write_end(&mut self, trailers: Option<&Fields>) -> Result<(), Fault> {
                side!(self, conn => conn.write_end(trailers))
            }

            fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
                side!(self, conn => conn.poll_flush(cx))
            }
        }
    };
}

body_of_protocol!(Downstream<'_>);
body_of_protocol!(Upstream);

impl Downstream<'_> {
    /// A 1xx answer; passed over for a client that can't take it.
    pub fn send_informational(&mut self, head: &ResponseHead) -> Result<(), Fault> {
        side!(self, conn => conn.send_informational(head))
    }

    /// The final head. `head.body` says what follows.
    pub fn send_head(&mut self, head: &ResponseHead) -> Result<(), Fault> {
        side!(self, conn => conn.send_head(head))
    }

    /// Ready when the client has gone, as far as can be told before it is written to.
    pub fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        side!(self, conn => conn.poll_gone(cx))
    }

    /// Breaks the answer off so that the client sees that it is not complete.
    pub fn abort(&mut self) {
        side!(self, conn => conn.abort());
    }
}

impl Upstream {
    /// Writes the request's head; `head.body` says what follows.
    pub fn send_request(&mut self, head: &RequestHead) -> Result<(), Fault> {
        side!(self, conn => conn.send_request(head))
    }

    /// The next response head: any number of 1xx, then the final one.
    pub fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut ResponseHead,
    ) -> Poll<Result<(), Fault>> {
        side!(self, conn => conn.poll_head(cx, head))
    }
}

/// Which end of a copy something happened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Source,
    Sink,
}
