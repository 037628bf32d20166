//! The endpoint's side of an HTTP/1 connection.

use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::{Method, StatusCode};

use super::server::{poll_frame, poll_room, write_data};
use super::wire::Wire;
use super::{
    BodyDecoder, BodyEncoder, HeadLimits, Parsed, Persistence, Sent, parse_response, worth_parsing,
    write_request,
};
use crate::model::Cause;
use crate::proxy::codec::io::Io;
use crate::proxy::codec::{Body, Fault, Frame};
use crate::proxy::message::{BodyLength, Fields, RequestHead, ResponseHead};

/// One connection to an endpoint, used by one exchange at a time.
#[derive(Debug)]
pub struct ClientConn {
    wire: Wire,
    limits: HeadLimits,
    seen: usize,
    method: Method,
    upgrade: String,
    request: BodyEncoder,
    response: BodyDecoder,
    /// The request's end has been written.
    asked: bool,
    /// The final head has come.
    answered: bool,
    keep_alive: bool,
}

impl ClientConn {
    pub fn new(io: Io, limits: HeadLimits) -> Self {
        Self {
            wire: Wire::new(io),
            limits,
            seen: 0,
            method: Method::GET,
            upgrade: String::new(),
            request: BodyEncoder::new(BodyLength::Empty),
            response: BodyDecoder::new(BodyLength::Empty),
            asked: true,
            answered: true,
            keep_alive: true,
        }
    }

    pub fn send_request(&mut self, head: &RequestHead) -> Result<(), Fault> {
        self.method.clone_from(&head.method);
        self.upgrade.clone_from(&head.upgrade);
        self.response = BodyDecoder::new(BodyLength::Empty);
        self.asked = head.body.is_empty();
        self.answered = false;
        let body = write_request(head, Persistence::KeepAlive, self.wire.output.buffer());
        self.request = BodyEncoder::new(body);
        Ok(())
    }

    pub fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut ResponseHead,
    ) -> Poll<Result<(), Fault>> {
        loop {
            let input = &self.wire.input;
            if !input.is_empty() && worth_parsing(input, self.seen, &self.limits) {
                let sent = Sent { method: &self.method, upgrade: &self.upgrade };
                match parse_response(input, sent, &self.limits, head) {
                    Ok(Parsed::Complete { consumed }) => {
                        self.wire.input.advance(consumed);
                        self.begin(head);
                        return Poll::Ready(Ok(()));
                    }
                    Ok(Parsed::Partial) => self.seen = input.len(),
                    Err(error) if error.cause == Cause::UpstreamHeadTooLarge => {
                        return Poll::Ready(Err(Fault::TooLarge));
                    }
                    Err(error) => {
                        return Poll::Ready(Err(Fault::Protocol(error.reason.to_owned())));
                    }
                }
            }
            if self.asked {
                self.wire.output.shed();
            }
            if ready!(self.wire.poll_fill(cx))? == 0 {
                return Poll::Ready(Err(Fault::Closed));
            }
        }
    }

    fn begin(&mut self, head: &ResponseHead) {
        self.seen = 0;
        let switching = head.status == StatusCode::SWITCHING_PROTOCOLS;
        if head.status.is_informational() && !switching {
            return;
        }
        self.answered = true;
        self.keep_alive = head.keep_alive && !switching;
        self.response = BodyDecoder::new(head.body);
    }

    /// Whether a byte of the answer has come.
    pub fn has_heard(&self) -> bool {
        self.answered || !self.wire.input.is_empty()
    }

    /// Whether the next request may use this connection: both messages are complete and nothing
    /// else has come.
    pub fn is_reusable(&self) -> bool {
        self.keep_alive
            && self.asked
            && self.answered
            && self.response.is_done()
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
        self.response.is_done()
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        poll_room(&mut self.wire, cx)
    }

    fn write_data(&mut self, data: Bytes, last: bool) -> Result<(), Fault> {
        write_data(&mut self.wire, &mut self.request, data, last)?;
        self.asked |= last;
        Ok(())
    }

    fn write_end(&mut self, trailers: Option<&Fields>) -> Result<(), Fault> {
        self.request.finish(trailers, self.wire.output.buffer())?;
        self.asked = true;
        Ok(())
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        self.wire.poll_flush(cx).map_err(Fault::from)
    }
}
