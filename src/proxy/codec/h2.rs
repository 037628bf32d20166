//! HTTP/2 over the h2 crate: streams as pulled messages, flow control as back-pressure.

mod client;
mod convert;
mod send;
mod server;

pub use client::{ClientStream, Connector, Sender};
pub use server::{Accepted, ServerConnection, ServerStream};

use std::task::{Context, Poll, ready};

use h2::{Reason, RecvStream};

use super::{Fault, Frame};

/// The body that a peer sends on a stream.
#[derive(Debug)]
struct Receive {
    stream: RecvStream,
    ended: bool,
}

impl Receive {
    fn new(stream: RecvStream) -> Self {
        let ended = stream.is_end_stream();
        Self { stream, ended }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Fault>> {
        loop {
            if self.ended {
                return Poll::Ready(Ok(Frame::End));
            }
            match ready!(self.stream.poll_data(cx)) {
                Some(Ok(data)) => {
                    // The peer may send as much again: whoever pulled has room for it.
                    self.stream.flow_control().release_capacity(data.len()).map_err(fault)?;
                    self.ended = self.stream.is_end_stream();
                    if data.is_empty() {
                        continue;
                    }
                    return Poll::Ready(Ok(Frame::Data(data)));
                }
                Some(Err(error)) => return Poll::Ready(Err(fault(error))),
                None => {
                    let trailers = ready!(self.stream.poll_trailers(cx)).map_err(fault)?;
                    self.ended = true;
                    return Poll::Ready(Ok(match trailers {
                        Some(map) => Frame::Trailers(Box::new(convert::trailers(&map))),
                        None => Frame::End,
                    }));
                }
            }
        }
    }
}

/// What an error of the h2 crate says about the exchange.
fn fault(error: h2::Error) -> Fault {
    if let Some(reason) = error.reason() {
        return match reason {
            Reason::REFUSED_STREAM => Fault::Refused,
            Reason::NO_ERROR if error.is_go_away() => Fault::Refused,
            Reason::CANCEL | Reason::NO_ERROR | Reason::INTERNAL_ERROR => {
                Fault::Reset(error.to_string())
            }
            _ if error.is_remote() => Fault::Reset(error.to_string()),
            _ => Fault::Protocol(error.to_string()),
        };
    }
    match error.get_io() {
        Some(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => Fault::Closed,
        Some(io) => Fault::Reset(io.to_string()),
        None => Fault::Reset(error.to_string()),
    }
}
