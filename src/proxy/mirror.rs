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
use std::time::Duration;

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
struct InFlight {
    worker: Rc<Worker>,
    mirror: Rc<Mirror>,
}

impl Mirror {
    pub fn is_drawn(&self, rng: &mut fastrand::Rng) -> bool {
        let Fraction { numerator, denominator } = self.fraction;
        numerator >= denominator || rng.u32(0..denominator) < numerator
    }

    /// Sends a copy of `head` on its way; the tap takes the body.
    pub fn start(self: &Rc<Self>, worker: &Rc<Worker>, head: &RequestHead) -> Option<Tap> {
        if worker.mirrors.get() >= limits::MIRRORS_IN_FLIGHT {
            self.series.count(MirrorOutcome::Dropped, None, Duration::ZERO);
            return None;
        }
        let Ok(backend) = &self.backend else {
            self.series.count(MirrorOutcome::Failed, None, Duration::ZERO);
            return None;
        };
        let in_flight = InFlight::new(worker, self);
        let (backend, head, began) = (Rc::clone(backend), head.clone(), clock::now());
        let window = Rc::new(Window::default());
        let tap = (!head.body.is_empty()).then(|| Tap(Rc::clone(&window)));
        if tap.is_none() {
            window.0.borrow_mut().ended = Some(None);
        }
        tokio::task::spawn_local(async move {
            let InFlight { worker, mirror } = &in_flight;
            let work = Box::pin(send(worker, &backend, &head, &window));
            let copied = caught(&worker.shared.panics, work).await;
            let took = clock::now() - began;
            match copied.unwrap_or(Err(MirrorOutcome::Failed)) {
                Ok(status) => mirror.series.count(MirrorOutcome::Ok, Some(status), took),
                Err(outcome) => mirror.series.count(outcome, None, took),
            }
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

impl InFlight {
    fn new(worker: &Rc<Worker>, mirror: &Rc<Mirror>) -> Self {
        worker.mirrors.set(worker.mirrors.get() + 1);
        mirror.series.begin();
        Self { worker: Rc::clone(worker), mirror: Rc::clone(mirror) }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.worker.mirrors.set(self.worker.mirrors.get() - 1);
        self.mirror.series.end();
    }
}

/// The status that the backend answers with, or what else became of the copy.
async fn send(
    worker: &Rc<Worker>,
    backend: &BackendView,
    head: &RequestHead,
    window: &Window,
) -> Result<u16, MirrorOutcome> {
    // Bounded by the backend's own connect timeout.
    let mut lease = connect(worker, backend).await.map_err(|_| MirrorOutcome::Failed)?;
    copy(lease.upstream(), head, window).await
}

async fn copy(
    upstream: &mut Upstream,
    head: &RequestHead,
    window: &Window,
) -> Result<u16, MirrorOutcome> {
    let deadlines = Deadlines::default();
    let work = pin!(async {
        upstream.send_request(head).map_err(|_| MirrorOutcome::Failed)?;
        poll_fn(|cx| poll_upload(cx, upstream, window, &deadlines)).await?;
        expect(&deadlines);
        answer(upstream).await.map_err(|_| MirrorOutcome::Failed)
    });
    deadlines.guard(work).await.unwrap_or(Err(MirrorOutcome::Failed))
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

/// Reads the answer to its end; says its status.
async fn answer(upstream: &mut Upstream) -> Result<u16, Fault> {
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
    Ok(head.status.as_u16())
}

#[cfg(test)]
mod tests;
