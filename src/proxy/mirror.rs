//! Copies of requests whose answers nobody waits for.
//!
//! A mirror has a bounded window of its own. The request never waits for it: a mirror that is
//! behind is given up and counted, and what it held is freed at once. It waits for the client as
//! long as the request itself does, and for its backend no longer than `limits::MIRROR_TIMEOUT`.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;

use super::codec::{Body, Fault, Frame, Upstream};
use super::deadline::{Deadlines, Phase};
use super::message::{Fields, RequestHead, ResponseHead};
use super::panics::caught;
use super::upstream::Lease;
use super::view::BackendView;
use super::worker::Worker;
use crate::clock;
use crate::limits;
use crate::model::{Cause, Fraction};
use crate::telemetry::{MirrorOutcome, MirrorSeries};

/// A RequestMirror filter, ready to run.
pub struct Mirror {
    pub fraction: Fraction,
    pub backend: Result<Rc<BackendView>, Cause>,
    pub series: MirrorSeries,
}

/// The request's end of a mirror: what the client sends is offered here.
pub struct Tap(Rc<Window>);

/// Body bytes on their way to a mirror.
#[derive(Default)]
struct Window(RefCell<State>);

#[derive(Default)]
struct State {
    queue: VecDeque<Bytes>,
    bytes: usize,
    /// The body's end, with its trailers.
    ended: Option<Option<Box<Fields>>>,
    given_up: bool,
    waker: Option<Waker>,
}

/// Counts a mirror among those in flight.
struct InFlight(Rc<Worker>);

impl Mirror {
    pub fn is_drawn(&self, rng: &mut fastrand::Rng) -> bool {
        let Fraction { numerator, denominator } = self.fraction;
        numerator >= denominator || rng.u32(0..denominator) < numerator
    }

    /// Sends a copy of `head` on its way; the tap takes the body.
    pub fn start(self: &Rc<Self>, worker: &Rc<Worker>, head: &RequestHead) -> Option<Tap> {
        if worker.mirrors.get() >= limits::MIRRORS_IN_FLIGHT {
            self.series.count(MirrorOutcome::Dropped);
            return None;
        }
        let Ok(backend) = &self.backend else {
            self.series.count(MirrorOutcome::Failed);
            return None;
        };
        worker.mirrors.set(worker.mirrors.get() + 1);
        let in_flight = InFlight(Rc::clone(worker));
        let (mirror, backend, head) = (Rc::clone(self), Rc::clone(backend), head.clone());
        let window = Rc::new(Window::default());
        let tap = (!head.body.is_empty()).then(|| Tap(Rc::clone(&window)));
        if tap.is_none() {
            window.0.borrow_mut().ended = Some(None);
        }
        tokio::task::spawn_local(async move {
            let work = Box::pin(send(&in_flight.0, &backend, &head, &window));
            let outcome = caught(&in_flight.0.shared.panics, work).await;
            mirror.series.count(outcome.unwrap_or(MirrorOutcome::Failed));
        });
        tap
    }
}

impl Tap {
    /// Offers a piece; takes no copy.
    pub fn offer(&self, data: &Bytes) {
        let mut state = self.0.0.borrow_mut();
        if state.given_up {
            return;
        }
        if state.bytes + data.len() > limits::MIRROR_WINDOW_BYTES {
            state.give_up();
        } else {
            state.bytes += data.len();
            state.queue.push_back(data.clone());
        }
        state.wake();
    }

    /// The body is complete.
    pub fn end(&self, trailers: Option<Box<Fields>>) {
        let mut state = self.0.0.borrow_mut();
        state.ended = Some(trailers);
        state.wake();
    }
}

impl Drop for Tap {
    /// A body that broke off must not look complete to the mirror's backend.
    fn drop(&mut self) {
        let mut state = self.0.0.borrow_mut();
        if state.ended.is_none() {
            state.give_up();
            state.wake();
        }
    }
}

impl State {
    fn give_up(&mut self) {
        self.given_up = true;
        self.queue = VecDeque::new();
        self.bytes = 0;
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Window {
    /// The next piece; an error once the mirror was given up.
    fn poll_frame(&self, cx: &mut Context<'_>) -> Poll<Result<Frame, ()>> {
        let mut state = self.0.borrow_mut();
        if state.given_up {
            return Poll::Ready(Err(()));
        }
        if let Some(piece) = state.queue.pop_front() {
            state.bytes -= piece.len();
            return Poll::Ready(Ok(Frame::Data(piece)));
        }
        if let Some(trailers) = state.ended.take() {
            state.ended = Some(None);
            return Poll::Ready(Ok(trailers.map_or(Frame::End, Frame::Trailers)));
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ready once the mirror was given up, also while its backend takes nothing.
    fn poll_given_up(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.borrow_mut();
        if state.given_up {
            return Poll::Ready(());
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.mirrors.set(self.0.mirrors.get() - 1);
    }
}

async fn send(
    worker: &Rc<Worker>,
    backend: &BackendView,
    head: &RequestHead,
    window: &Window,
) -> MirrorOutcome {
    // Bounded by the backend's own connect timeout.
    let Ok(mut lease) = connect(worker, backend).await else { return MirrorOutcome::Failed };
    copy(lease.upstream(), head, window).await
}

async fn copy(upstream: &mut Upstream, head: &RequestHead, window: &Window) -> MirrorOutcome {
    let deadlines = Deadlines::default();
    let work = pin!(async {
        if upstream.send_request(head).is_err() {
            return MirrorOutcome::Failed;
        }
        let uploaded = poll_fn(|cx| poll_upload(cx, upstream, window, &deadlines)).await;
        if let Err(outcome) = uploaded {
            return outcome;
        }
        expect(&deadlines);
        match answer(upstream).await {
            Ok(()) => MirrorOutcome::Ok,
            Err(_) => MirrorOutcome::Failed,
        }
    });
    deadlines.guard(work).await.unwrap_or(MirrorOutcome::Failed)
}

/// From now on the backend is waited for.
fn expect(deadlines: &Deadlines) {
    let until = clock::now() + limits::MIRROR_TIMEOUT;
    deadlines.set(Phase::Stream, until, Cause::StreamIdleTimeout);
}

async fn connect(worker: &Rc<Worker>, backend: &BackendView) -> Result<Lease, Cause> {
    let now = backend.now()?;
    let index = now.pick(&mut worker.rng.borrow_mut(), None, &[], clock::now())?;
    now.pools[index].lease(None, false).await.map_err(|fault| fault.cause)
}

/// Until the backend has the whole body.
fn poll_upload(
    cx: &mut Context<'_>,
    upstream: &mut Upstream,
    window: &Window,
    deadlines: &Deadlines,
) -> Poll<Result<(), MirrorOutcome>> {
    let failed = |_| MirrorOutcome::Failed;
    loop {
        if window.poll_given_up(cx).is_ready() {
            return Poll::Ready(Err(MirrorOutcome::Dropped));
        }
        if upstream.poll_room(cx).map_err(failed)?.is_pending() {
            return stalled(deadlines);
        }
        let Poll::Ready(frame) = window.poll_frame(cx) else {
            if upstream.poll_flush(cx).map_err(failed)?.is_pending() {
                return stalled(deadlines);
            }
            // It has all that there is: the client is waited for.
            deadlines.clear(Phase::Stream);
            return Poll::Pending;
        };
        deadlines.clear(Phase::Stream);
        let written = match frame.map_err(|()| MirrorOutcome::Dropped)? {
            Frame::Data(piece) => upstream.write_data(piece, false),
            Frame::Trailers(trailers) => {
                return Poll::Ready(upstream.write_end(Some(&trailers)).map_err(failed));
            }
            Frame::End => return Poll::Ready(upstream.write_end(None).map_err(failed)),
        };
        written.map_err(failed)?;
    }
}

/// The backend takes nothing more for now; one that took something starts anew.
fn stalled<T>(deadlines: &Deadlines) -> Poll<T> {
    if !deadlines.is_set(Phase::Stream) {
        expect(deadlines);
    }
    Poll::Pending
}

/// Reads the answer to its end.
async fn answer(upstream: &mut Upstream) -> Result<(), Fault> {
    let mut head = ResponseHead::default();
    poll_fn(|cx| {
        let _ = upstream.poll_flush(cx)?;
        loop {
            ready!(upstream.poll_head(cx, &mut head))?;
            if !head.status.is_informational() {
                return Poll::Ready(Ok::<_, Fault>(()));
            }
        }
    })
    .await?;
    while let Frame::Data(_) = poll_fn(|cx| upstream.poll_frame(cx)).await? {}
    Ok(())
}

#[cfg(test)]
mod tests;
