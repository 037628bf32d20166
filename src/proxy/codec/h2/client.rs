//! The endpoint's side of an HTTP/2 connection.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use h2::client::{self, ResponseFuture, SendRequest};

use super::send::Send;
use super::{Receive, convert, fault};
use crate::limits;
use crate::proxy::codec::io::Io;
use crate::proxy::codec::{Body, Fault, Frame};
use crate::proxy::message::{Fields, RequestHead, ResponseHead};

/// Opens connections.
#[derive(Debug)]
pub struct Connector;

/// Starts streams on a connection that a task of its own drives.
#[derive(Clone, Debug)]
pub struct Sender {
    requests: SendRequest<Bytes>,
    scheme: http::uri::Scheme,
}

impl Connector {
    /// Shakes hands; the future that comes back drives the connection until it ends.
    pub async fn handshake(
        io: Io,
        tls: bool,
    ) -> Result<(Sender, impl Future<Output = Result<(), Fault>>), Fault> {
        let (requests, connection) = client::Builder::new()
            .initial_window_size(limits::H2_UPSTREAM_STREAM_WINDOW)
            .initial_connection_window_size(limits::H2_UPSTREAM_CONNECTION_WINDOW)
            .max_header_list_size(limits::HEAD_BYTES as u32)
            .max_concurrent_reset_streams(limits::H2_PENDING_RESETS)
            .max_send_buffer_size(limits::REPLAY_BYTES)
            .enable_push(false)
            .handshake(io)
            .await
            .map_err(fault)?;
        let scheme = if tls { http::uri::Scheme::HTTPS } else { http::uri::Scheme::HTTP };
        let drive = async move { connection.await.map_err(fault) };
        Ok((Sender { requests, scheme }, drive))
    }
}

impl Sender {
    /// False when the connection takes no stream any more.
    pub fn is_open(&mut self) -> bool {
        // Only a sender whose last stream still waits would have to wait; a clone has none.
        let mut cx = Context::from_waker(Waker::noop());
        !matches!(self.requests.poll_ready(&mut cx), Poll::Ready(Err(_)))
    }

    /// How many streams the peer lets us open.
    pub fn streams_max(&self) -> usize {
        self.requests.current_max_send_streams().min(limits::H2_UPSTREAM_STREAMS)
    }

    pub fn start(self) -> ClientStream {
        ClientStream { sender: self, request: None, response: Response::Waiting(None) }
    }
}

/// One request and its answer.
#[derive(Debug)]
pub struct ClientStream {
    sender: Sender,
    request: Option<Send>,
    response: Response,
}

#[derive(Debug)]
enum Response {
    Waiting(Option<ResponseFuture>),
    Body(Receive),
}

impl ClientStream {
    pub fn send_request(&mut self, head: &RequestHead) -> Result<(), Fault> {
        let ended = head.body.is_empty();
        let request = convert::request(head, &self.sender.scheme)?;
        let (response, stream) =
            self.sender.requests.send_request(request, ended).map_err(fault)?;
        self.request = Some(Send::new(stream, ended));
        self.response = Response::Waiting(Some(response));
        Ok(())
    }

    pub fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut ResponseHead,
    ) -> Poll<Result<(), Fault>> {
        let Response::Waiting(Some(future)) = &mut self.response else {
            return Poll::Ready(Err(Fault::Protocol("asked for a second final head".to_owned())));
        };
        if let Poll::Ready(Some(Ok(informational))) = future.poll_informational(cx) {
            let (parts, ()) = informational.into_parts();
            convert::response_head(&parts, true, head);
            return Poll::Ready(Ok(()));
        }
        let response = ready!(Pin::new(future).poll(cx)).map_err(fault)?;
        let (parts, body) = response.into_parts();
        let body = Receive::new(body);
        convert::response_head(&parts, body.ended, head);
        self.response = Response::Body(body);
        Poll::Ready(Ok(()))
    }

    /// Gives the stream up; the endpoint is told.
    pub fn cancel(&mut self) {
        let complete = matches!(&self.response, Response::Body(body) if body.ended);
        if let Some(request) = &mut self.request
            && !(complete && request.is_ended())
        {
            let reason = if complete { h2::Reason::NO_ERROR } else { h2::Reason::CANCEL };
            request.reset(reason);
        }
    }
}

impl Body for ClientStream {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Fault>> {
        match &mut self.response {
            Response::Body(body) => body.poll_frame(cx),
            Response::Waiting(_) => {
                Poll::Ready(Err(Fault::Protocol("a body before its head".to_owned())))
            }
        }
    }

    fn is_read(&self) -> bool {
        matches!(&self.response, Response::Body(body) if body.ended)
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        match &mut self.request {
            Some(request) => request.poll_room(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    fn write_data(&mut self, data: Bytes, last: bool) -> Result<(), Fault> {
        match &mut self.request {
            Some(request) => request.write_data(data, last),
            None => Err(Fault::Protocol("a body before its head".to_owned())),
        }
    }

    fn write_end(&mut self, trailers: Option<&Fields>) -> Result<(), Fault> {
        match &mut self.request {
            Some(request) => request.write_end(trailers),
            None => Ok(()),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        self.poll_room(cx)
    }
}
