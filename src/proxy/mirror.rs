//! Copies of requests whose answers nobody waits for.
//!
//! A mirror has a bounded window of its own. The request never waits for it: a mirror that is
//! behind is given up and counted, and what it held is freed at once.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;

use super::codec::{Body, Fault, Frame};
use super::message::{RequestHead, ResponseHead};
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
    ended: bool,
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
        window.0.borrow_mut().ended = tap.is_none();
        tokio::task::spawn_local(async move {
            let work = Box::pin(send(&in_flight.0, &backend, &head, &window));
            let work = tokio::time::timeout(limits::MIRROR_TIMEOUT, work);
            let outcome = caught(&in_flight.0.shared.panics, work).await;
            mirror.series.count(outcome.and_then(Result::ok).unwrap_or(MirrorOutcome::Failed));
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
    pub fn end(&self) {
        let mut state = self.0.0.borrow_mut();
        state.ended = true;
        state.wake();
    }
}

impl Drop for Tap {
    /// A body that broke off must not look complete to the mirror's backend.
    fn drop(&mut self) {
        let mut state = self.0.0.borrow_mut();
        if !state.ended {
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
    /// The next piece, or `None` at the end; an error once the mirror was given up.
    fn poll_piece(&self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, ()>> {
        let mut state = self.0.borrow_mut();
        if state.given_up {
            return Poll::Ready(Err(()));
        }
        if let Some(piece) = state.queue.pop_front() {
            state.bytes -= piece.len();
            return Poll::Ready(Ok(Some(piece)));
        }
        if state.ended {
            return Poll::Ready(Ok(None));
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
    let Ok(mut lease) = connect(worker, backend).await else { return MirrorOutcome::Failed };
    if lease.upstream().send_request(head).is_err() {
        return MirrorOutcome::Failed;
    }
    match poll_fn(|cx| poll_upload(cx, &mut lease, window)).await {
        Ok(()) => {}
        Err(outcome) => return outcome,
    }
    match poll_fn(|cx| poll_flush_and_head(cx, &mut lease)).await {
        Ok(()) => {}
        Err(_) => return MirrorOutcome::Failed,
    }
    loop {
        match poll_fn(|cx| lease.upstream().poll_frame(cx)).await {
            Ok(Frame::Data(_)) => {}
            Ok(Frame::Trailers(_) | Frame::End) => return MirrorOutcome::Ok,
            Err(_) => return MirrorOutcome::Failed,
        }
    }
}

async fn connect(worker: &Rc<Worker>, backend: &BackendView) -> Result<Lease, Cause> {
    let now = backend.now()?;
    let index = now.pick(&mut worker.rng.borrow_mut(), None, &[], clock::now())?;
    now.pools[index].lease(None, false).await.map_err(|fault| fault.cause)
}

fn poll_upload(
    cx: &mut Context<'_>,
    lease: &mut Lease,
    window: &Window,
) -> Poll<Result<(), MirrorOutcome>> {
    loop {
        if window.poll_given_up(cx).is_ready() {
            return Poll::Ready(Err(MirrorOutcome::Dropped));
        }
        let upstream = lease.upstream();
        ready!(upstream.poll_room(cx)).map_err(|_| MirrorOutcome::Failed)?;
        let written = match window.poll_piece(cx) {
            Poll::Pending => {
                let flushed = upstream.poll_flush(cx).map_err(|_| MirrorOutcome::Failed)?;
                let _ = flushed.is_ready();
                return Poll::Pending;
            }
            Poll::Ready(Err(())) => return Poll::Ready(Err(MirrorOutcome::Dropped)),
            Poll::Ready(Ok(Some(piece))) => upstream.write_data(piece, false),
            Poll::Ready(Ok(None)) => {
                let ended = upstream.write_end(None);
                return Poll::Ready(ended.map_err(|_| MirrorOutcome::Failed));
            }
        };
        written.map_err(|_| MirrorOutcome::Failed)?;
    }
}

fn poll_flush_and_head(cx: &mut Context<'_>, lease: &mut Lease) -> Poll<Result<(), Fault>> {
    let upstream = lease.upstream();
    let _ = upstream.poll_flush(cx)?;
    let mut head = ResponseHead::default();
    loop {
        ready!(upstream.poll_head(cx, &mut head))?;
        if !head.status.is_informational() {
            return Poll::Ready(Ok(()));
        }
    }
}
