//! What a connection has begun and must not end without a word: a request, a tunnel.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::Live;

/// Until it is dropped, the end of draining waits for it a moment.
pub struct Open<'a> {
    live: &'a Live,
    key: Cell<Option<usize>>,
}

impl<'a> Open<'a> {
    pub(super) fn new(live: &'a Live) -> Self {
        Self { live, key: Cell::new(None) }
    }

    /// The outcome of `work`; `None` when it has to be given up, because the deadline of draining
    /// is there.
    pub async fn until_cut<F: Future>(&self, mut work: Pin<&mut F>) -> Option<F::Output> {
        poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.live.cut.get() => Poll::Ready(None),
            Poll::Pending => {
                self.remember(cx);
                Poll::Pending
            }
        })
        .await
    }

    /// A connection or stream is one task, so its waker is stored once.
    fn remember(&self, cx: &Context<'_>) {
        let mut open = self.live.open.borrow_mut();
        match self.key.get().and_then(|key| open.get_mut(key)) {
            Some(known) => known.clone_from(cx.waker()),
            None => self.key.set(Some(open.insert(cx.waker().clone()))),
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.live.open.borrow_mut().remove(key);
        }
    }
}
