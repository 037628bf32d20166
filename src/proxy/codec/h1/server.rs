//! The client's side of an HTTP/1 connection.

use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::{StatusCode, Version};

use super::body::{BodyDecoder, Decoded};
use super::request::{HeadLimits, Parsed, RequestError, parse_request};
use super::wire::Wire;
use super::write::{self, Framing};
use crate::proxy::codec::io::Io;
use crate::proxy::codec::{Body, Fault, Frame};
use crate::proxy::message::{BodyLength, Fields, RequestHead, ResponseHead};

/// One client's connection, request after request.
#[derive(Debug)]
pub struct ServerConn {
    wire: Wire,
    limits: HeadLimits,
    request: BodyDecoder,
    response: Framing,
    /// Of the request being answered.
    version: Version,
    /// HEAD: the head says a length that no body follows.
    head_only: bool,
    /// Whether the connection may take another request after this one.
    keep_alive: bool,
}

/// Why there is no next request.
#[derive(Debug)]
pub enum HeadFault {
    /// Answer with its status and close.
    Refused(RequestError),
    /// The client ended the connection, between requests or in a head: nobody to answer.
    Gone,
}

impl ServerConn {
    pub fn new(io: Io, limits: HeadLimits) -> Self {
        Self {
            wire: Wire::new(io),
            limits,
            request: BodyDecoder::new(BodyLength::Empty),
            response: Framing::None,
            version: Version::HTTP_11,
            head_only: false,
            keep_alive: true,
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

    /// Gives the stream up, with what was read of it.
    pub fn into_parts(self) -> (Io, BytesMut) {
        (self.wire.io, self.wire.input)
    }

    pub fn io(&self) -> &Io {
        &self.wire.io
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
            if !self.wire.input.is_empty() {
                match parse_request(&self.wire.input, &self.limits, head) {
                    Ok(Parsed::Complete { consumed }) => {
                        bytes::Buf::advance(&mut self.wire.input, consumed);
                        self.begin(head);
                        return Poll::Ready(Ok(()));
                    }
                    Ok(Parsed::Partial) => {}
                    Err(error) => return Poll::Ready(Err(HeadFault::Refused(error))),
                }
            }
            match ready!(self.wire.poll_fill(cx)) {
                Ok(0) | Err(_) => return Poll::Ready(Err(HeadFault::Gone)),
                Ok(_) => {}
            }
        }
    }

    fn begin(&mut self, head: &RequestHead) {
        self.request = BodyDecoder::new(head.body);
        self.version = head.version;
        self.head_only = head.method == http::Method::HEAD;
        self.keep_alive = head.keep_alive;
        self.response = Framing::None;
    }

    /// The answer will be the connection's last.
    pub fn close_after(&mut self) {
        self.keep_alive = false;
    }

    pub fn keeps_alive(&self) -> bool {
        self.keep_alive
    }

    pub fn send_informational(&mut self, head: &ResponseHead) -> Result<(), Fault> {
        // RFC 9110 §15.2: a 1.0 client was never told of 1xx.
        if self.version >= Version::HTTP_11 {
            write::write_informational(head, self.wire.output.buffer());
        }
        Ok(())
    }

    pub fn send_head(&mut self, head: &ResponseHead) -> Result<(), Fault> {
        self.response = write::response_framing(head, self.version, self.head_only);
        if matches!(self.response, Framing::UntilClose) {
            self.keep_alive = false;
        }
        let keep_alive = self.keep_alive && head.status != StatusCode::SWITCHING_PROTOCOLS;
        write::write_response(head, self.version, keep_alive, self.wire.output.buffer());
        Ok(())
    }

    /// The connection can't be kept, and what is missing of the answer must not look complete.
    pub fn abort(&mut self) {
        self.keep_alive = false;
    }

    /// Whether the response was written to its end.
    pub fn is_answered(&self) -> bool {
        matches!(self.response, Framing::None | Framing::Sized(0))
    }
}

impl Body for ServerConn {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Fault>> {
        poll_frame(&mut self.wire, &mut self.request, cx)
    }

    fn is_read(&self) -> bool {
        self.request.is_ended()
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        poll_room(&mut self.wire, cx)
    }

    fn write_data(&mut self, data: Bytes, last: bool) -> Result<(), Fault> {
        write_data(&mut self.wire, &mut self.response, data, last)
    }

    fn write_end(&mut self, trailers: Option<&Fields>) -> Result<(), Fault> {
        write_end(&mut self.wire, &mut self.response, trailers)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        self.wire.poll_flush(cx).map_err(Fault::from)
    }
}

/// The next piece of a body that comes over `wire`.
pub(super) fn poll_frame(
    wire: &mut Wire,
    decoder: &mut BodyDecoder,
    cx: &mut Context<'_>,
) -> Poll<Result<Frame, Fault>> {
    loop {
        match decoder.decode(&mut wire.input) {
            Ok(Decoded::Data(data)) => return Poll::Ready(Ok(Frame::Data(data))),
            Ok(Decoded::Trailers(trailers)) => return Poll::Ready(Ok(Frame::Trailers(trailers))),
            Ok(Decoded::End) => return Poll::Ready(Ok(Frame::End)),
            Ok(Decoded::NeedMore) => {}
            Err(error) => return Poll::Ready(Err(Fault::Protocol(error.to_string()))),
        }
        if ready!(wire.poll_fill(cx))? == 0 {
            return Poll::Ready(match decoder.end_of_stream() {
                Ok(()) => Ok(Frame::End),
                Err(_) => Err(Fault::Closed),
            });
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
    framing: &mut Framing,
    data: Bytes,
    last: bool,
) -> Result<(), Fault> {
    match framing {
        // A HEAD's answer, a 204 or a 304: whatever the sender thinks, no body goes out.
        Framing::None => {}
        Framing::UntilClose => wire.output.push(data, b""),
        Framing::Sized(left) => {
            let length = data.len() as u64;
            if length > *left {
                return Err(Fault::Protocol("more bytes than Content-Length says".to_owned()));
            }
            *left -= length;
            wire.output.push(data, b"");
        }
        Framing::Chunked => {
            if !data.is_empty() {
                write::write_chunk_head(data.len(), wire.output.buffer());
                wire.output.push(data, b"\r\n");
            }
        }
    }
    if last { write_end(wire, framing, None) } else { Ok(()) }
}

pub(super) fn write_end(
    wire: &mut Wire,
    framing: &mut Framing,
    trailers: Option<&Fields>,
) -> Result<(), Fault> {
    match framing {
        Framing::Sized(left) if *left > 0 => {
            return Err(Fault::Protocol("fewer bytes than Content-Length says".to_owned()));
        }
        Framing::Chunked => match trailers.filter(|fields| !fields.is_empty()) {
            None => wire.output.push_end(b"0\r\n\r\n", b"\r\n0\r\n\r\n"),
            Some(trailers) => wire.output.push_trailers(trailers),
        },
        _ => {}
    }
    *framing = Framing::None;
    Ok(())
}
