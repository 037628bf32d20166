//! The client's side of an HTTP/2 connection.

use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use h2::server::{self, SendResponse};
use h2::{Reason, RecvStream};

use super::send::Send;
use super::{Receive, convert, fault};
use crate::limits;
use crate::proxy::codec::io::Rewound;
use crate::proxy::codec::{Body, Fault, Frame};
use crate::proxy::message::{Fields, RequestHead, ResponseHead};
use crate::proxy::spare::{Lent, Spares};

/// A connection whose streams are taken one by one.
#[derive(Debug)]
pub struct ServerConnection {
    connection: server::Connection<Rewound, Bytes>,
}

/// A stream that has been taken, with a head that may have been refused.
pub struct Accepted {
    pub head: Result<Lent<RequestHead>, crate::proxy::codec::h1::request::RequestError>,
    pub stream: ServerStream,
}

impl ServerConnection {
    /// Sends our settings, once the preface has come.
    pub async fn handshake(io: Rewound) -> Result<Self, Fault> {
        let connection = server::Builder::new()
            .max_concurrent_streams(limits::H2_STREAMS)
            .initial_window_size(limits::H2_STREAM_WINDOW)
            .initial_connection_window_size(limits::H2_CONNECTION_WINDOW)
            .max_header_list_size(limits::H2_HEADER_LIST_BYTES)
            .max_local_error_reset_streams(Some(limits::H2_ERROR_RESETS))
            .max_pending_accept_reset_streams(limits::H2_PENDING_RESETS)
            .max_send_buffer_size(limits::REPLAY_BYTES)
            .handshake(io)
            .await
            .map_err(fault)?;
        Ok(Self { connection })
    }

    /// The next stream; drives all others meanwhile. `None` when the connection has ended.
    pub fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
        heads: &Spares<RequestHead>,
    ) -> Poll<Option<Result<Accepted, Fault>>> {
        match ready!(self.connection.poll_accept(cx)) {
            None => Poll::Ready(None),
            Some(Err(error)) => Poll::Ready(Some(Err(fault(error)))),
            Some(Ok((request, respond))) => {
                let (parts, body) = request.into_parts();
                let to_head = parts.method == http::Method::HEAD;
                let stream = ServerStream::new(body, respond, to_head);
                let mut head = heads.lend();
                let read = convert::request_head(&parts, stream.request.ended, &mut head);
                Poll::Ready(Some(Ok(Accepted { head: read.map(|()| head), stream })))
            }
        }
    }

    /// GOAWAY twice (RFC 9113 §6.8): no new streams, those that are open finish.
    pub fn drain(&mut self) {
        self.connection.graceful_shutdown();
    }

    /// GOAWAY at once, with the reason that abuse deserves.
    pub fn abort(&mut self, enhance_your_calm: bool) {
        let reason = if enhance_your_calm { Reason::ENHANCE_YOUR_CALM } else { Reason::NO_ERROR };
        self.connection.abrupt_shutdown(reason);
    }
}

/// One request and its answer.
#[derive(Debug)]
pub struct ServerStream {
    request: Receive,
    respond: SendResponse<Bytes>,
    response: Option<Send>,
    to_head: bool,
    /// By us.
    reset: bool,
}

impl ServerStream {
    fn new(body: RecvStream, respond: SendResponse<Bytes>, to_head: bool) -> Self {
        Self { request: Receive::new(body), respond, response: None, to_head, reset: false }
    }

    pub fn send_informational(&mut self, head: &ResponseHead) -> Result<(), Fault> {
        let response = convert::informational(head)?;
        self.respond.send_informational(response).map_err(fault)
    }

    pub fn send_head(&mut self, head: &ResponseHead) -> Result<(), Fault> {
        let ended = self.to_head || head.body.is_empty();
        let response = convert::response(head, self.to_head)?;
        let stream = self.respond.send_response(response, ended).map_err(fault)?;
        self.response = Some(Send::new(stream, ended));
        Ok(())
    }

    /// Ready when the client has given the stream up.
    pub fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.response {
            Some(response) => response.poll_reset(cx),
            None => self.respond.poll_reset(cx).map(drop),
        }
    }

    /// Whether the client reset the stream before its answer was complete.
    pub fn is_given_up(&mut self) -> bool {
        let answered = self.response.as_ref().is_some_and(Send::is_ended);
        let mut cx = Context::from_waker(Waker::noop());
        !answered && !self.reset && self.poll_gone(&mut cx).is_ready()
    }

    /// Nothing was done with it: the client may ask again (RFC 9113 §8.7).
    pub fn refuse(&mut self) {
        self.reset = true;
        self.respond.send_reset(Reason::REFUSED_STREAM);
    }

    pub fn abort(&mut self) {
        // What the client reset is to be known afterwards.
        if self.is_given_up() {
            return;
        }
        self.reset = true;
        match &mut self.response {
            Some(response) if response.is_ended() => {}
            Some(response) => response.reset(Reason::INTERNAL_ERROR),
            None => self.respond.send_reset(Reason::INTERNAL_ERROR),
        }
    }
}

impl Body for ServerStream {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Fault>> {
        self.request.poll_frame(cx)
    }

    fn is_read(&self) -> bool {
        self.request.ended
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        match &mut self.response {
            Some(response) => response.poll_room(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    fn write_data(&mut self, data: Bytes, last: bool) -> Result<(), Fault> {
        match &mut self.response {
            Some(response) => response.write_data(data, last),
            None => Err(Fault::Protocol("a body before its head".to_owned())),
        }
    }

    fn write_end(&mut self, trailers: Option<&Fields>) -> Result<(), Fault> {
        match &mut self.response {
            Some(response) => response.write_end(trailers),
            None => Ok(()),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        self.poll_room(cx)
    }
}
