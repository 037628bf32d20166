//! The answer on its way to the client, and what is left of the request beside it.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, ready};

use http::StatusCode;

use super::attempt::{Answered, Reached};
use super::upload::Upload;
use super::{Ended, Exchange, Switched};
use crate::model::Cause;
use crate::proxy::codec::{Body, Downstream, Fault, Frame, Side, Upstream};
use crate::proxy::deadline::Phase;
use crate::proxy::message::ResponseHead;
use crate::proxy::spare::Lent;
use crate::proxy::upstream::Lease;

impl Exchange<'_> {
    /// Sends the answer. Once its head is out, what goes wrong can only break it off.
    pub(super) async fn download(
        &mut self,
        down: &mut Downstream<'_>,
        reached: Reached,
        mut upload: Upload,
        response: Lent<ResponseHead>,
    ) -> Ended {
        let Reached { answered, in_flight: of_backend, .. } = reached;
        let Answered { mut lease, index: _, in_flight: load } = answered;
        self.record.status = response.status.as_u16();
        if let Downstream::H1(conn) = down {
            // An answer that is there before the body, or before the 100 that the client waits
            // for, is the connection's last: nobody knows whether a body will come.
            let early = !conn.is_read()
                && (lease.upstream().is_read() || self.head.expect_continue && upload.bytes == 0);
            if early || self.is_draining() {
                conn.close_after();
            }
        }
        self.touch();
        if response.status == StatusCode::SWITCHING_PROTOCOLS {
            self.deadlines.clear(Phase::Attempt);
            let idle = self.stream_idle;
            let switched = Switched { idle, _load: load, _of_backend: of_backend, lease };
            return self.switch(down, switched, &response).await;
        }
        let sent = down.send_head(&response);
        let ended = match sent {
            Err(fault) => Err((Side::Sink, fault)),
            Ok(()) => {
                let work = self.pump(down, &mut lease, &mut upload);
                let ended = self.deadlines.guard(pin!(work)).await;
                match ended {
                    Ok(ended) => ended.map(|bytes| self.record.response_body = bytes),
                    Err(cause) => {
                        self.break_off(down, cause);
                        self.record.request_body = upload.bytes;
                        return Ended::Done;
                    }
                }
            }
        };
        self.record.request_body = upload.bytes;
        if let Err((side, fault)) = ended {
            let cause = match (side, &fault) {
                (Side::Sink, _) => Cause::ClientDisconnected,
                (Side::Source, Fault::Closed) => Cause::UpstreamClosed,
                (Side::Source, Fault::Protocol(_)) => Cause::UpstreamProtocolError,
                (Side::Source, _) => Cause::UpstreamReset,
            };
            tracing::debug!(%cause, reason = %fault, "answer broken off");
            self.break_off(down, cause);
        } else if let Downstream::H1(conn) = down
            && !conn.is_read()
        {
            // The answer is complete before the request is: nobody needs the rest. The h2 crate
            // says so itself, with NO_ERROR behind the last data (RFC 9113 §8.1).
            conn.close_after();
        }
        Ended::Done
    }

    fn break_off(&mut self, down: &mut Downstream<'_>, cause: Cause) {
        self.record.cause = Some(cause);
        down.abort();
    }

    /// Moves both bodies until the answer is complete and has left; says how long it was. A
    /// failure of the source is the endpoint's, one of the sink the client's.
    ///
    /// The attempt's time covers the answer up to its last byte, events and gRPC streams alike:
    /// `backendRequest` lasts "to when the full response has been received from the backend"
    /// (httproute_types.go). A client that reads slowly uses that time up, too.
    async fn pump(
        &self,
        down: &mut Downstream<'_>,
        lease: &mut Lease,
        upload: &mut Upload,
    ) -> Result<u64, (Side, Fault)> {
        let mut bytes = 0;
        let mut ended = lease.upstream().is_read();
        if ended {
            self.deadlines.clear(Phase::Attempt);
            down.write_end(None).map_err(|fault| (Side::Sink, fault))?;
        }
        let mut uploading = !upload.is_written();
        poll_fn(|cx| {
            if uploading {
                match self.poll_upload(cx, upload, down, lease.upstream()) {
                    Poll::Pending => {}
                    Poll::Ready(Ok(())) => uploading = false,
                    Poll::Ready(Err((Side::Source, fault))) => {
                        return Poll::Ready(Err((Side::Sink, fault)));
                    }
                    // The endpoint wants no more of it; its answer goes on.
                    Poll::Ready(Err((Side::Sink, _))) => uploading = false,
                }
            }
            if !ended {
                ready!(self.poll_answer(cx, down, lease.upstream(), &mut bytes))?;
                ended = true;
                self.deadlines.clear(Phase::Attempt);
            }
            ready!(down.poll_flush(cx)).map_err(|fault| (Side::Sink, fault))?;
            Poll::Ready(Ok(bytes))
        })
        .await
    }

    /// Moves what can be moved of the request's body.
    pub(super) fn poll_upload(
        &self,
        cx: &mut Context<'_>,
        upload: &mut Upload,
        down: &mut Downstream<'_>,
        up: &mut Upstream,
    ) -> Poll<Result<(), (Side, Fault)>> {
        let before = upload.bytes;
        let moved = upload.poll(cx, down, up, self.deadlines);
        if upload.bytes != before {
            self.touch();
        }
        moved
    }

    fn poll_answer(
        &self,
        cx: &mut Context<'_>,
        down: &mut Downstream<'_>,
        up: &mut Upstream,
        bytes: &mut u64,
    ) -> Poll<Result<(), (Side, Fault)>> {
        let sink = |fault| (Side::Sink, fault);
        loop {
            ready!(down.poll_room(cx)).map_err(sink)?;
            let Poll::Ready(frame) = up.poll_frame(cx) else {
                // Nothing more is coming for now: what is there leaves.
                let flushed = down.poll_flush(cx).map_err(sink)?;
                if flushed.is_ready() && down.poll_gone(cx).is_ready() {
                    return Poll::Ready(Err((Side::Sink, Fault::Closed)));
                }
                return Poll::Pending;
            };
            match frame.map_err(|fault| (Side::Source, fault))? {
                Frame::Data(data) => {
                    self.touch();
                    *bytes += data.len() as u64;
                    let last = up.is_read();
                    down.write_data(data, last).map_err(sink)?;
                    if last {
                        return Poll::Ready(Ok(()));
                    }
                }
                Frame::Trailers(trailers) => {
                    return Poll::Ready(down.write_end(Some(&trailers)).map_err(sink));
                }
                Frame::End => return Poll::Ready(down.write_end(None).map_err(sink)),
            }
        }
    }

    /// 101: the head goes out, then both sides are the tunnel's.
    async fn switch(
        &mut self,
        down: &mut Downstream<'_>,
        switched: Switched,
        response: &ResponseHead,
    ) -> Ended {
        let sent = down.send_head(response);
        let flushed = match sent {
            Ok(()) => self.deadlines.guard(pin!(poll_fn(|cx| down.poll_flush(cx)))).await,
            Err(fault) => Ok(Err(fault)),
        };
        match flushed {
            Ok(Ok(())) => Ended::Upgraded(Box::new(switched)),
            _ => {
                self.break_off(down, Cause::ClientDisconnected);
                Ended::Done
            }
        }
    }
}
