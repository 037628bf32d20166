//! One HTTP/1 connection's bytes: what was read and not yet understood, what is to be written
//! and not yet sent.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::AsyncWrite;

use crate::limits;
use crate::proxy::codec::buffers;
use crate::proxy::codec::io::{self as stream, Io};

/// Data up to this size is copied behind its head, so that both leave in one system call.
const COPY_BYTES: usize = 8 * 1024;

/// A stream with its read and write buffers.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) io: Io,
    pub(super) input: BytesMut,
    pub(super) output: Output,
    /// The peer has sent its end.
    pub(super) ended: bool,
    /// Bytes went into TLS that may not have left it.
    unflushed: bool,
}

/// Bytes to write: a buffer, then one large piece that is not copied, then what follows it.
#[derive(Debug, Default)]
pub(super) struct Output {
    buffer: Vec<u8>,
    written: usize,
    large: Bytes,
    after: Vec<u8>,
}

impl Wire {
    pub(super) fn new(io: Io) -> Self {
        Self {
            io,
            input: BytesMut::new(),
            output: Output::default(),
            ended: false,
            unflushed: false,
        }
    }

    /// Reads once; `Ok(0)` is the peer's end.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.ended {
            return Poll::Ready(Ok(0));
        }
        let room = if self.input.is_empty() { limits::READ_BUFFER } else { 1024 };
        let read = ready!(stream::poll_fill(&mut self.io, cx, &mut self.input, room))?;
        self.ended = read == 0;
        Poll::Ready(Ok(read))
    }

    /// Gives the buffers of an idle connection back.
    pub(super) fn rest(&mut self) {
        if self.input.is_empty() {
            buffers::give_back(&mut self.input);
        }
        self.output.rest();
    }

    /// Writes until nothing is left.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let io = &mut self.io;
        while !self.output.is_empty() {
            let mut slices = [IoSlice::new(&[]); 3];
            let count = self.output.slices(&mut slices);
            let wrote = ready!(Pin::new(&mut *io).poll_write_vectored(cx, &slices[..count]))?;
            if wrote == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.output.advance(wrote);
            self.unflushed = true;
        }
        if self.unflushed {
            ready!(Pin::new(io).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl Output {
    pub(super) fn is_empty(&self) -> bool {
        self.written == self.buffer.len() && self.large.is_empty() && self.after.is_empty()
    }

    /// Whether another piece may be added before the next flush.
    pub(super) fn has_room(&self) -> bool {
        self.large.is_empty() && self.buffer.len() - self.written < limits::READ_BUFFER
    }

    /// The buffer for heads, small data and marks: what is added stands behind all that was.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        if !self.large.is_empty() {
            return &mut self.after;
        }
        if self.buffer.capacity() == 0 {
            self.buffer = buffers::take_output();
        }
        &mut self.buffer
    }

    /// Adds data; only while there [is room](Self::has_room).
    pub(super) fn push(&mut self, data: Bytes) {
        debug_assert!(self.large.is_empty(), "written without asking for room");
        if data.len() <= COPY_BYTES {
            self.buffer().extend_from_slice(&data);
        } else {
            self.large = data;
        }
    }

    fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>; 3]) -> usize {
        let mut count = 0;
        for piece in [&self.buffer[self.written..], &self.large[..], &self.after[..]] {
            if !piece.is_empty() {
                slices[count] = IoSlice::new(piece);
                count += 1;
            }
        }
        count
    }

    fn advance(&mut self, wrote: usize) {
        let of_buffer = wrote.min(self.buffer.len() - self.written);
        self.written += of_buffer;
        if self.written < self.buffer.len() {
            return;
        }
        self.buffer.clear();
        self.written = 0;
        let of_large = (wrote - of_buffer).min(self.large.len());
        self.large.advance(of_large);
        if self.large.is_empty() {
            // Frees what the piece was cut from, and makes the rest the next thing to write.
            self.large = Bytes::new();
            std::mem::swap(&mut self.buffer, &mut self.after);
            self.written = wrote - of_buffer - of_large;
            if self.written == self.buffer.len() {
                self.buffer.clear();
                self.written = 0;
            }
        }
    }

    /// Keeps no long head that has left: a hundred of them may wait for their answers.
    pub(super) fn shed(&mut self) {
        for buffer in [&mut self.buffer, &mut self.after] {
            if buffer.is_empty() && buffer.capacity() > limits::SPARE_BYTES {
                *buffer = Vec::new();
            }
        }
    }

    fn rest(&mut self) {
        if self.is_empty() {
            buffers::give_output_back(std::mem::take(&mut self.buffer));
            self.after = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests;
