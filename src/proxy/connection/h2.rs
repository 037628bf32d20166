//! Streams on an HTTP/2 connection.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, ready};

use super::Client;
use crate::clock;
use crate::limits;
use crate::model::Cause;
use crate::proxy::codec::Downstream;
use crate::proxy::codec::h2::{Accepted, ServerConnection};
use crate::proxy::codec::io::Rewound;
use crate::proxy::deadline::{Deadlines, Phase};
use crate::proxy::exchange;
use crate::proxy::panics::caught;
use crate::proxy::worker::Worker;

/// Serves until the connection ends; says why where that wasn't the ordinary way.
pub(super) async fn serve(worker: &Rc<Worker>, client: Client, io: Rewound) -> Option<Cause> {
    let deadlines = Deadlines::default();
    let until = clock::now() + client.settings.request_head_timeout;
    deadlines.set(Phase::Head, until, Cause::RequestHeadTimeout);
    let shaken = deadlines.guard(pin!(ServerConnection::handshake(io))).await;
    let mut connection = match shaken {
        Ok(Ok(connection)) => connection,
        Ok(Err(_)) => return Some(Cause::BadRequest),
        Err(cause) => return Some(cause),
    };
    deadlines.clear_all();
    let client = Rc::new(client);
    let streams = Rc::new(Streams::default());
    let mut drained = pin!(client.live.drained());
    let mut draining = false;
    let mut idle = None;
    loop {
        set_idle(&deadlines, &client, streams.open.get());
        let next = deadlines
            .guard(pin!(poll_fn(|cx| {
                if !draining && drained.as_mut().poll(cx).is_ready() {
                    draining = true;
                    connection.drain();
                }
                match connection.poll_accept(cx, &worker.spared.requests) {
                    Poll::Ready(next) => Poll::Ready(next),
                    Poll::Pending => {
                        set_idle(&deadlines, &client, streams.open.get());
                        Poll::Pending
                    }
                }
            })))
            .await;
        match next {
            Ok(Some(Ok(_))) if streams.abandoned.get() >= limits::H2_ABANDONED => {
                return Some(send_away(worker, connection, &deadlines).await);
            }
            Ok(Some(Ok(accepted))) => start(worker, &client, accepted, &streams),
            Ok(Some(Err(fault))) => {
                tracing::debug!(reason = %fault, "HTTP/2 connection failed");
                return Some(Cause::BadRequest);
            }
            Ok(None) => return idle,
            Err(cause) => {
                if draining {
                    return Some(cause);
                }
                // Idle for too long: say goodbye, and give the client a moment to hear it.
                draining = true;
                idle = Some(cause);
                connection.drain();
                let until = clock::now() + limits::LINGER;
                deadlines.set(Phase::Idle, until, cause);
            }
        }
    }
}

/// Ends the connection of a client that makes work without wanting its results.
async fn send_away(
    worker: &Worker,
    mut connection: ServerConnection,
    deadlines: &Deadlines,
) -> Cause {
    connection.abort(true);
    deadlines.clear_all();
    deadlines.set(Phase::Stream, clock::now() + limits::LINGER, Cause::TooManyResets);
    // The GOAWAY has to be written; what else was opened is dropped.
    let written = poll_fn(|cx| {
        loop {
            match ready!(connection.poll_accept(cx, &worker.spared.requests)) {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Poll::Ready(()),
            }
        }
    });
    let _ = deadlines.guard(pin!(written)).await;
    Cause::TooManyResets
}

/// Only a connection without streams is idle; streams have deadlines of their own.
fn set_idle(deadlines: &Deadlines, client: &Client, streams: usize) {
    if streams > 0 {
        deadlines.clear(Phase::Idle);
    } else if !deadlines.is_set(Phase::Idle) {
        let until = clock::now() + client.settings.idle_timeout;
        deadlines.set(Phase::Idle, until, Cause::IdleTimeout);
    }
}

fn start(worker: &Rc<Worker>, client: &Rc<Client>, mut accepted: Accepted, streams: &Rc<Streams>) {
    let weight = accepted.head.as_ref().map_or(0, |head| head.weight());
    let Some(open) = Open::new(streams, weight) else {
        tracing::debug!(weight, "a stream refused: the heads of those that are open are too long");
        accepted.stream.refuse();
        return;
    };
    let (worker, client) = (Rc::clone(worker), Rc::clone(client));
    tokio::task::spawn_local(async move {
        let work = Box::pin(answer(&worker, &client, accepted));
        // A stream that a bug ended is reset when it is dropped; its neighbours go on.
        let abandoned = caught(&worker.shared.panics, work).await.unwrap_or(false);
        open.streams.judge(abandoned);
    });
}

/// Whether the client gave the request up as soon as it had sent it.
async fn answer(worker: &Rc<Worker>, client: &Client, accepted: Accepted) -> bool {
    let Accepted { head, mut stream } = accepted;
    let started = clock::now();
    let deadlines = worker.spared.deadlines.lend();
    let down = Downstream::H2(&mut stream);
    match head {
        Ok(mut head) => {
            exchange::serve(worker, client, &deadlines, &mut head, down, started).await;
        }
        Err(error) => {
            exchange::refuse(worker, client, &deadlines, down, error.cause, error.reason).await;
        }
    }
    clock::now() - started < limits::H2_BRIEF && stream.is_given_up()
}

/// The streams of a connection.
#[derive(Default)]
struct Streams {
    open: Cell<usize>,
    /// What the heads of these weigh.
    head_bytes: Cell<usize>,
    /// Requests that were given up at once, less those that were not.
    abandoned: Cell<u32>,
}

impl Streams {
    fn judge(&self, abandoned: bool) {
        let before = self.abandoned.get();
        self.abandoned.set(if abandoned { before + 1 } else { before.saturating_sub(1) });
    }
}

/// Counts an open stream.
struct Open {
    streams: Rc<Streams>,
    weight: usize,
}

impl Open {
    /// `None` where its head would be too much beside those that are open already.
    fn new(streams: &Rc<Streams>, weight: usize) -> Option<Self> {
        let head_bytes = streams.head_bytes.get() + weight;
        if streams.open.get() > 0 && head_bytes > limits::H2_OPEN_HEAD_BYTES {
            return None;
        }
        streams.open.set(streams.open.get() + 1);
        streams.head_bytes.set(head_bytes);
        Some(Self { streams: Rc::clone(streams), weight })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let Self { streams, weight } = self;
        streams.open.set(streams.open.get() - 1);
        streams.head_bytes.set(streams.head_bytes.get() - *weight);
    }
}
