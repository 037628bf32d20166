//! The request body on its way to the endpoint.
//!
//! It is read once. As long as another attempt may still want it, at most
//! [`limits::REPLAY_BYTES`] of it are held; past that the retry is given up, never the stream.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use smallvec::SmallVec;

use crate::clock::{self, Instant};
use crate::limits;
use crate::model::Cause;
use crate::proxy::codec::{Body, Fault, Frame, Side};
use crate::proxy::deadline::{Deadlines, Phase};
use crate::proxy::message::{BodyLength, Fields};
use crate::proxy::mirror::Tap;

/// A request body.
pub(super) struct Upload {
    replay: Option<Replay>,
    taps: SmallVec<[Tap; 1]>,
    /// Read from the client.
    pub(super) bytes: u64,
    /// The client's end, with its trailers.
    ended: Option<Option<Box<Fields>>>,
    /// The end has been written to the endpoint of this attempt.
    written: bool,
    /// `None` for one half of a conversation, which may rest as long as its stream may.
    pace: Option<Pace>,
    streamed: bool,
}

/// What was read of the body, for the next attempt.
struct Replay {
    pieces: Vec<Bytes>,
    bytes: usize,
    /// How many pieces this attempt has been given.
    given: usize,
    /// No other attempt will follow: nothing more is held.
    last: bool,
}

/// A body must come at a rate, and none of it later than the idle time; time in which we did not
/// read is not counted.
#[derive(Default)]
struct Pace {
    since: Option<Instant>,
    bytes: u64,
}

impl Upload {
    /// `converses` where the protocol says that both sides may speak in turn.
    pub(super) fn new(
        length: BodyLength,
        converses: bool,
        may_retry: bool,
        taps: SmallVec<[Tap; 1]>,
    ) -> Self {
        let none = length.is_empty();
        let streamed = length == BodyLength::Streamed;
        Self {
            replay: (may_retry && !none).then(|| Replay {
                pieces: Vec::new(),
                bytes: 0,
                given: 0,
                last: false,
            }),
            taps,
            bytes: 0,
            ended: none.then_some(None),
            written: none,
            pace: (!(streamed && converses)).then(Pace::default),
            streamed,
        }
    }

    /// Whether another attempt could send the whole body.
    pub(super) fn can_repeat(&self) -> bool {
        self.replay.is_some() || (self.bytes == 0 && (self.written || self.ended.is_none()))
    }

    /// Starts over for another attempt.
    pub(super) fn rewind(&mut self) {
        if let Some(replay) = &mut self.replay {
            replay.given = 0;
            self.written = false;
        }
    }

    /// No attempt will follow this one: frees what was held for it.
    pub(super) fn commit(&mut self) {
        match &mut self.replay {
            // The rest of it has still to be sent.
            Some(replay) if replay.given < replay.pieces.len() => replay.last = true,
            _ => self.replay = None,
        }
    }

    /// The endpoint has begun to answer. If it did so before a body of unknown length was there,
    /// the two may be talking.
    pub(super) fn hear_answer(&mut self, deadlines: &Deadlines) {
        if self.streamed {
            self.pace = None;
            deadlines.clear(Phase::Upload);
        }
    }

    pub(super) fn is_written(&self) -> bool {
        self.written
    }

    /// Moves what can be moved; ready when the whole body has been written and flushed.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        down: &mut impl Body,
        up: &mut impl Body,
        deadlines: &Deadlines,
    ) -> Poll<Result<(), (Side, Fault)>> {
        let sink = |fault| (Side::Sink, fault);
        while !self.written {
            let Poll::Ready(room) = up.poll_room(cx) else {
                // The endpoint is slow, not the client.
                deadlines.clear(Phase::Upload);
                self.rest_pace();
                return Poll::Pending;
            };
            room.map_err(sink)?;
            let Poll::Ready(frame) = self.poll_next(cx, down, deadlines) else {
                if up.poll_flush(cx).map_err(sink)?.is_pending() {
                    deadlines.clear(Phase::Upload);
                    self.rest_pace();
                }
                return Poll::Pending;
            };
            self.write(frame.map_err(|fault| (Side::Source, fault))?, down.is_read(), up)
                .map_err(sink)?;
        }
        deadlines.clear(Phase::Upload);
        ready!(up.poll_flush(cx)).map_err(sink)?;
        Poll::Ready(Ok(()))
    }

    fn write(&mut self, frame: Frame, is_read: bool, up: &mut impl Body) -> Result<(), Fault> {
        match frame {
            Frame::Data(data) => {
                let trailers = matches!(self.ended, Some(Some(_)));
                let last = is_read && !self.is_behind() && !trailers;
                if last {
                    self.end(None);
                }
                self.written = last;
                up.write_data(data, last)
            }
            Frame::Trailers(trailers) => {
                self.written = true;
                up.write_end(Some(&trailers))?;
                self.end(Some(trailers));
                Ok(())
            }
            Frame::End => {
                self.written = true;
                self.end(None);
                up.write_end(None)
            }
        }
    }

    /// Whether pieces of an earlier attempt are still to be given.
    fn is_behind(&self) -> bool {
        self.replay.as_ref().is_some_and(|replay| replay.given < replay.pieces.len())
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        down: &mut impl Body,
        deadlines: &Deadlines,
    ) -> Poll<Result<Frame, Fault>> {
        if let Some(replay) = &mut self.replay
            && let Some(piece) = replay.pieces.get(replay.given)
        {
            replay.given += 1;
            return Poll::Ready(Ok(Frame::Data(piece.clone())));
        }
        if let Some(ended) = &self.ended {
            return Poll::Ready(Ok(match ended {
                Some(trailers) => Frame::Trailers(Box::clone(trailers)),
                None => Frame::End,
            }));
        }
        let Poll::Ready(frame) = down.poll_frame(cx) else {
            self.expect_more(deadlines);
            return Poll::Pending;
        };
        if let Ok(Frame::Data(data)) = &frame {
            self.take(data, deadlines);
        }
        Poll::Ready(frame)
    }

    fn take(&mut self, data: &Bytes, deadlines: &Deadlines) {
        self.bytes += data.len() as u64;
        if let Some(pace) = &mut self.pace {
            pace.bytes += data.len() as u64;
        }
        deadlines.clear(Phase::Upload);
        for tap in &self.taps {
            tap.offer(data);
        }
        if let Some(replay) = &mut self.replay {
            if replay.last || replay.bytes + data.len() > limits::REPLAY_BYTES {
                self.replay = None;
            } else {
                replay.bytes += data.len();
                replay.given += 1;
                replay.pieces.push(data.clone());
            }
        }
    }

    fn end(&mut self, trailers: Option<Box<Fields>>) {
        if self.ended.is_none() {
            for tap in &self.taps {
                tap.end(trailers.clone());
            }
            self.ended = Some(trailers);
        }
    }

    /// The client is waited for: until when.
    fn expect_more(&mut self, deadlines: &Deadlines) {
        let Some(pace) = &mut self.pace else { return };
        if deadlines.is_set(Phase::Upload) {
            return;
        }
        let now = clock::now();
        let since = *pace.since.get_or_insert(now);
        let earned = pace.bytes * 1_000 / limits::BODY_MIN_BYTES_PER_SECOND;
        let earned = std::time::Duration::from_millis(earned);
        let until =
            (now + limits::BODY_IDLE_TIMEOUT).min(since + limits::BODY_IDLE_TIMEOUT + earned);
        deadlines.set(Phase::Upload, until, Cause::RequestBodyTimeout);
    }

    fn rest_pace(&mut self) {
        if let Some(pace) = &mut self.pace {
            *pace = Pace::default();
        }
    }
}

#[cfg(test)]
mod tests;
