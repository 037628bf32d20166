//! The endpoint's side of an HTTP/1 connection.

use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::{Method, StatusCode};

use super::body::BodyDecoder;
use super::request::{HeadLimits, Parsed};
use super::response::parse_response;
use super::server::{poll_frame, poll_room, write_data, write_end};
use super::wire::Wire;
use super::write::{self, Framing};
use crate::proxy::codec::io::Io;
use crate::proxy::codec::{Body, Fault, Frame};
use crate::proxy::message::{BodyLength, Fields, RequestHead, ResponseHead};

/// One connection to an endpoint, used by one exchange at a time.
#[derive(Debug)]
pub struct ClientConn {
    wire: Wire,
    limits: HeadLimits,
    method: Method,
    request: Framing,
    response: BodyDecoder,
    /// The final head has come.
    answered: bool,
    keep_alive: bool,
    sent: bool,
}

impl ClientConn {
    pub fn new(io: Io, limits: HeadLimits) -> Self {
        Self {
            wire: Wire::new(io),
            limits,
            method: Method::GET,
            request: Framing::None,
            response: BodyDecoder::new(BodyLength::Empty),
            answered: true,
            keep_alive: true,
            sent: false,
        }
    }

    pub fn send_request(&mut self, head: &RequestHead) -> Result<(), Fault> {
        self.method.clone_from(&head.method);
        self.request = write::request_framing(head);
        self.response = BodyDecoder::new(BodyLength::Empty);
        self.answered = false;
        self.keep_alive = true;
        self.sent = true;
        write::write_request(head, self.wire.output.buffer());
        Ok(())
    }

    pub fn has_sent(&self) -> bool {
        self.sent
    }

    pub fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut ResponseHead,
    ) -> Poll<Result<(), Fault>> {
        loop {
            if !self.wire.input.is_empty() {
                match parse_response(&self.wire.input, &self.method, &self.limits, head) {
                    Ok(Parsed::Complete { consumed }) => {
                        bytes::Buf::advance(&mut self.wire.input, consumed);
                        self.begin(head);
                        return Poll::Ready(Ok(()));
                    }
                    Ok(Parsed::Partial) => {}
                    Err(error) => return Poll::Ready(Err(error.into())),
                }
            }
            if ready!(self.wire.poll_fill(cx))? == 0 {
                return Poll::Ready(Err(Fault::Closed));
            }
        }
    }

    fn begin(&mut self, head: &ResponseHead) {
        let switching = head.status == StatusCode::SWITCHING_PROTOCOLS;
        if head.status.is_informational() && !switching {
            return;
        }
        self.answered = true;
        self.keep_alive = head.keep_alive && !switching;
        self.response = BodyDecoder::new(head.body);
    }

    /// Whether the next request may use this connection: both messages are complete and nothing
    /// else has come.
    pub fn is_reusable(&self) -> bool {
        self.keep_alive
            && self.answered
            && matches!(self.request, Framing::None)
            && self.response.is_ended()
            && self.wire.input.is_empty()
            && self.wire.output.is_empty()
            && !self.wire.ended
    }

    /// Whether an idle connection is still there.
    pub fn is_quiet(&mut self) -> bool {
        self.wire.io.is_quiet()
    }

    /// Gives the buffers back while the connection is idle.
    pub fn rest(&mut self) {
        self.sent = false;
        self.wire.rest();
    }

    /// Gives the stream up, with what was read of it.
    pub fn into_parts(self) -> (Io, BytesMut) {
        (self.wire.io, self.wire.input)
    }
}

impl Body for ClientConn {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Fault>> {
        poll_frame(&mut self.wire, &mut self.response, cx)
    }

    fn is_read(&self) -> bool {
        self.response.is_ended()
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        poll_room(&mut self.wire, cx)
    }

    fn write_data(&mut self, data: Bytes, last: bool) -> Result<(), Fault> {
        write_data(&mut self.wire, &mut self.request, data, last)
    }

    fn write_end(&mut self, trailers: Option<&Fields>) -> Result<(), Fault> {
        write_end(&mut self.wire, &mut self.request, trailers)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        self.wire.poll_flush(cx).map_err(Fault::from)
    }
}
