//! The client's side of an HTTP/1 connection.

use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::{Method, StatusCode, Version};

use super::wire::Wire;
use super::{
    BodyDecoder, BodyEncoder, BodyError, Decoded, HeadLimits, Parsed, RequestError,
    ResponseOptions, parse_request, worth_parsing, write_response,
};
use crate::proxy::codec::io::Io;
use crate::proxy::codec::{Body, Fault, Frame, date};
use crate::proxy::message::{BodyLength, Fields, RequestHead, ResponseHead};

/// One client's connection, request after request.
#[derive(Debug)]
pub struct ServerConn {
    wire: Wire,
    limits: HeadLimits,
    /// Bytes of the next head that have been looked at in vain.
    seen: usize,
    request: BodyDecoder,
    response: BodyEncoder,
    /// Of the request being answered.
    version: Version,
    to_head: bool,
    takes_trailers: bool,
    /// Whether the connection may take another request after this one.
    keep_alive: bool,
    /// The answer's end has been written.
    answered: bool,
    /// The answer ends with the connection.
    until_close: bool,
    aborted: bool,
}

/// Why there is no next request.
#[derive(Debug)]
pub enum HeadFault {
    /// To be answered with its status, and closed.
    Refused(RequestError),
    /// The client ended the connection, between requests or in a head: nobody to answer.
    Gone,
}

impl ServerConn {
    pub fn new(io: Io, limits: HeadLimits) -> Self {
        Self {
            wire: Wire::new(io),
            limits,
            seen: 0,
            request: BodyDecoder::new(BodyLength::Empty),
            response: BodyEncoder::new(BodyLength::Empty),
            version: Version::HTTP_11,
            to_head: false,
            takes_trailers: false,
            keep_alive: true,
            answered: true,
            until_close: false,
            aborted: false,
        }
    }

    /// Reads at least once, for protocol detection; `Ok(0)` is the end.
    pub fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<usize>> {
        self.wire.poll_fill(cx)
    }

    /// What has been read and not yet taken.
    pub fn read(&self) -> &[u8] {
        &self.wire.input
    }

    /// Throws away what has been read and not yet taken.
    pub fn discard(&mut self) {
        self.wire.input.clear();
    }

    /// Gives the stream up, with what was read of it.
    pub fn into_parts(self) -> (Io, BytesMut) {
        (self.wire.io, self.wire.input)
    }

    pub fn io(&mut self) -> &mut Io {
        &mut self.wire.io
    }

    /// Gives the buffers back while the connection is idle.
    pub fn rest(&mut self) {
        self.wire.rest();
    }

    /// The next request's head.
    pub fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut RequestHead,
    ) -> Poll<Result<(), HeadFault>> {
        loop {
            let input = &self.wire.input;
            if !input.is_empty() && worth_parsing(input, self.seen, &self.limits) {
                match parse_request(input, &self.limits, head) {
                    Ok(Parsed::Complete { consumed }) => {
                        self.wire.input.advance(consumed);
                        self.begin(head);
                        return Poll::Ready(Ok(()));
                    }
                    Ok(Parsed::Partial) => self.seen = input.len(),
                    Err(error) => {
                        self.refuse();
                        return Poll::Ready(Err(HeadFault::Refused(error)));
                    }
                }
            }
            match ready!(self.wire.poll_fill(cx)) {
                Ok(0) | Err(_) => return Poll::Ready(Err(HeadFault::Gone)),
                Ok(_) => {}
            }
        }
    }

    fn begin(&mut self, head: &RequestHead) {
        self.seen = 0;
        self.request = BodyDecoder::new(head.body);
        self.version = head.version;
        self.to_head = head.method == Method::HEAD;
        self.takes_trailers = head.fields.contains("te");
        self.keep_alive = head.keep_alive;
        self.answered = false;
    }

    /// The one answer that is still possible is to something unreadable.
    pub fn refuse(&mut self) {
        self.version = Version::HTTP_11;
        self.to_head = false;
        self.keep_alive = false;
        self.answered = false;
    }

    /// The answer will be the connection's last.
    pub fn close_after(&mut self) {
        self.keep_alive = false;
    }

    pub fn keeps_alive(&self) -> bool {
        self.keep_alive && self.answered
    }

    pub fn send_informational(&mut self, head: &ResponseHead) -> Result<(), Fault> {
        // RFC 9110 §15.2: a 1.0 client was never told of 1xx.
        if self.version >= Version::HTTP_11 {
            self.write_head(head);
        }
        Ok(())
    }

    pub fn send_head(&mut self, head: &ResponseHead) -> Result<(), Fault> {
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            self.keep_alive = false;
        }
        let (body, keep_alive) = self.write_head(head);
        self.response = BodyEncoder::new(body);
        self.until_close = body == BodyLength::UntilClose;
        self.keep_alive = keep_alive;
        Ok(())
    }

    fn write_head(&mut self, head: &ResponseHead) -> (BodyLength, bool) {
        let out = self.wire.output.buffer();
        let sending = date::with(|date| {
            let options = ResponseOptions {
                keep_alive: self.keep_alive,
                client_version: self.version,
                to_head: self.to_head,
                takes_trailers: self.takes_trailers,
                date: Some(date),
            };
            write_response(head, options, out)
        });
        (sending.body, sending.keep_alive)
    }

    /// The connection can't be kept, and what is missing of the answer must not look complete:
    /// it is not ended, only closed.
    pub fn abort(&mut self) {
        self.keep_alive = false;
        self.aborted = !self.answered;
    }

    /// Whether only a reset can say that the answer is not complete: its end would have been the
    /// connection's (RFC 9112 §8).
    pub fn must_reset(&self) -> bool {
        self.aborted && self.until_close
    }

    /// Ready when the client has gone, which a read alone can tell. What it sent meanwhile stays
    /// for the next request. A client that only closes its sending half is taken to be gone, as
    /// nginx, Envoy and Go do: nobody could tell it from one that crashed, and a backend works
    /// for nobody otherwise.
    pub fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.request.is_done() || !self.wire.input.is_empty() {
            return Poll::Pending;
        }
        match ready!(self.wire.poll_fill(cx)) {
            Ok(0) | Err(_) => Poll::Ready(()),
            Ok(_) => Poll::Pending,
        }
    }
}

impl Body for ServerConn {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Fault>> {
        poll_frame(&mut self.wire, &mut self.request, cx)
    }

    fn is_read(&self) -> bool {
        self.request.is_done()
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        poll_room(&mut self.wire, cx)
    }

    fn write_data(&mut self, data: Bytes, last: bool) -> Result<(), Fault> {
        if self.to_head {
            // Whatever the backend thinks, no body answers a HEAD.
            return if last { self.write_end(None) } else { Ok(()) };
        }
        write_data(&mut self.wire, &mut self.response, data, last)?;
        self.answered |= last;
        Ok(())
    }

    fn write_end(&mut self, trailers: Option<&Fields>) -> Result<(), Fault> {
        self.response.finish(trailers, self.wire.output.buffer())?;
        self.answered = true;
        Ok(())
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        self.wire.poll_flush(cx).map_err(Fault::from)
    }
}

impl From<BodyError> for Fault {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Truncated => Self::Closed,
            _ => Self::Protocol(error.reason().to_owned()),
        }
    }
}

/// The next piece of a body that comes over `wire`.
pub(super) fn poll_frame(
    wire: &mut Wire,
    decoder: &mut BodyDecoder,
    cx: &mut Context<'_>,
) -> Poll<Result<Frame, Fault>> {
    loop {
        match decoder.decode(&mut wire.input)? {
            Decoded::Data(data) => return Poll::Ready(Ok(Frame::Data(data))),
            Decoded::Trailers(trailers) => return Poll::Ready(Ok(Frame::Trailers(trailers))),
            Decoded::End => return Poll::Ready(Ok(Frame::End)),
            Decoded::NeedMore => {}
        }
        if ready!(wire.poll_fill(cx))? == 0 {
            decoder.closed()?;
        }
    }
}

pub(super) fn poll_room(wire: &mut Wire, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
    if wire.output.has_room() {
        return Poll::Ready(Ok(()));
    }
    wire.poll_flush(cx).map_err(Fault::from)
}

pub(super) fn write_data(
    wire: &mut Wire,
    encoder: &mut BodyEncoder,
    data: Bytes,
    last: bool,
) -> Result<(), Fault> {
    encoder.start_data(data.len(), wire.output.buffer())?;
    wire.output.push(data);
    encoder.end_data(wire.output.buffer());
    if last {
        encoder.finish(None, wire.output.buffer())?;
    }
    Ok(())
}
