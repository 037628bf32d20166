//! Two streams that speak another protocol now (RFC 9110 §7.8): bytes both ways, until both ends
//! have said their last.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::AsyncWrite;

use super::codec::Upstream;
use super::codec::io::{Io, poll_fill};
use super::deadline::{Deadlines, Phase};
use super::exchange::Switched;
use crate::clock;
use crate::limits;
use crate::model::Cause;

/// One direction.
struct Flow {
    buffer: BytesMut,
    read_end: bool,
    done: bool,
}

/// Joins the client's stream and the endpoint's, with what was read of either.
pub async fn run(mut client: Io, read: BytesMut, mut switched: Box<Switched>) -> Option<Cause> {
    let idle = switched.idle;
    let Some(Upstream::H1(upstream)) = switched.take() else { return None };
    let (mut endpoint, answered) = upstream.into_parts();
    let mut up = Flow::new(read);
    let mut down = Flow::new(answered);
    let deadlines = Deadlines::default();
    let touch = || deadlines.set(Phase::Stream, clock::now() + idle, Cause::StreamIdleTimeout);
    touch();
    let work = poll_fn(|cx| {
        let mut moved = false;
        let sent = up.poll(cx, &mut client, &mut endpoint, &mut moved)?;
        let received = down.poll(cx, &mut endpoint, &mut client, &mut moved)?;
        if moved {
            touch();
        }
        if sent.is_ready() && received.is_ready() {
            return Poll::Ready(io::Result::Ok(()));
        }
        Poll::Pending
    });
    match deadlines.guard(pin!(work)).await {
        Ok(Ok(())) => None,
        Ok(Err(_)) => Some(Cause::ClientDisconnected),
        Err(cause) => Some(cause),
    }
}

impl Flow {
    fn new(buffer: BytesMut) -> Self {
        Self { buffer, read_end: false, done: false }
    }

    /// Ready once the source's end has been passed on: half-closing is kept.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut Io,
        to: &mut Io,
        moved: &mut bool,
    ) -> Poll<io::Result<()>> {
        while !self.done {
            while !self.buffer.is_empty() {
                let wrote = ready!(Pin::new(&mut *to).poll_write(cx, &self.buffer))?;
                if wrote == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                self.buffer.advance(wrote);
                *moved = true;
            }
            if self.read_end {
                ready!(Pin::new(&mut *to).poll_shutdown(cx))?;
                self.done = true;
                break;
            }
            match poll_fill(from, cx, &mut self.buffer, limits::READ_BUFFER) {
                Poll::Ready(Ok(0)) => self.read_end = true,
                Poll::Ready(Ok(_)) => *moved = true,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    ready!(Pin::new(&mut *to).poll_flush(cx))?;
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}
