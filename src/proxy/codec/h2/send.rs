//! Writing a body to a stream within the peer's window.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::SendStream;

use super::{convert, fault};
use crate::proxy::codec::Fault;
use crate::proxy::message::Fields;

/// The sending half of a stream. One piece at the most waits for the peer's window; nothing more
/// is taken until it has gone.
#[derive(Debug)]
pub(super) struct Send {
    stream: SendStream<Bytes>,
    waiting: Bytes,
    /// What ends the stream once `waiting` has gone.
    end: End,
}

#[derive(Debug)]
enum End {
    Open,
    WithData,
    Trailers(Box<http::HeaderMap>),
    Sent,
}

impl Send {
    pub(super) fn new(stream: SendStream<Bytes>, ended: bool) -> Self {
        let end = if ended { End::Sent } else { End::Open };
        Self { stream, waiting: Bytes::new(), end }
    }

    pub(super) fn write_data(&mut self, data: Bytes, last: bool) -> Result<(), Fault> {
        if matches!(self.end, End::Sent) {
            return Ok(());
        }
        debug_assert!(self.waiting.is_empty(), "written without asking for room");
        if last {
            self.end = End::WithData;
        }
        if data.is_empty() {
            return self.finish();
        }
        self.stream.reserve_capacity(data.len());
        if self.stream.capacity() < data.len() {
            self.waiting = data;
            return Ok(());
        }
        self.send(data)
    }

    pub(super) fn write_end(&mut self, trailers: Option<&Fields>) -> Result<(), Fault> {
        if matches!(self.end, End::Sent) {
            return Ok(());
        }
        self.end = match trailers.filter(|fields| !fields.is_empty()) {
            Some(trailers) => End::Trailers(Box::new(convert::header_map(trailers)?)),
            None => End::WithData,
        };
        if self.waiting.is_empty() { self.finish() } else { Ok(()) }
    }

    /// Ready once nothing waits for the window.
    pub(super) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        while !self.waiting.is_empty() {
            self.stream.reserve_capacity(self.waiting.len());
            match ready!(self.stream.poll_capacity(cx)) {
                Some(Ok(0)) => {}
                Some(Ok(room)) => {
                    let piece = self.waiting.split_to(room.min(self.waiting.len()));
                    self.send(piece)?;
                }
                Some(Err(error)) => return Poll::Ready(Err(fault(error))),
                None => return Poll::Ready(Err(Fault::Closed)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Ready when the peer has reset the stream.
    pub(super) fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.poll_reset(cx).map(drop)
    }

    pub(super) fn reset(&mut self, reason: h2::Reason) {
        self.stream.send_reset(reason);
        self.end = End::Sent;
    }

    pub(super) fn is_ended(&self) -> bool {
        matches!(self.end, End::Sent)
    }

    fn send(&mut self, piece: Bytes) -> Result<(), Fault> {
        let last = self.waiting.is_empty() && matches!(self.end, End::WithData);
        self.stream.send_data(piece, last).map_err(fault)?;
        if last {
            self.end = End::Sent;
        }
        if self.waiting.is_empty() && matches!(self.end, End::Trailers(_)) {
            return self.finish();
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Fault> {
        match std::mem::replace(&mut self.end, End::Sent) {
            End::Open => {
                self.end = End::Open;
                Ok(())
            }
            End::WithData => self.stream.send_data(Bytes::new(), true).map_err(fault),
            End::Trailers(map) => self.stream.send_trailers(*map).map_err(fault),
            End::Sent => Ok(()),
        }
    }
}
