//! Streams on an HTTP/2 connection.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use super::{Client, caught};
use crate::clock;
use crate::limits;
use crate::model::Cause;
use crate::proxy::codec::Downstream;
use crate::proxy::codec::h2::{Accepted, ServerConnection};
use crate::proxy::codec::io::Rewound;
use crate::proxy::deadline::{Deadlines, Phase};
use crate::proxy::exchange;
use crate::proxy::worker::Worker;

/// Serves until the connection ends; says why where that wasn't the ordinary way.
pub(super) async fn serve(worker: &Rc<Worker>, client: Client, io: Rewound) -> Option<Cause> {
    let deadlines = Deadlines::default();
    let until = clock::now() + limits::REQUEST_HEAD_TIMEOUT;
    deadlines.set(Phase::Head, until, Cause::RequestHeadTimeout);
    let shaken = deadlines.guard(pin!(ServerConnection::handshake(io))).await;
    let mut connection = match shaken {
        Ok(Ok(connection)) => connection,
        Ok(Err(_)) => return Some(Cause::BadRequest),
        Err(cause) => return Some(cause),
    };
    deadlines.clear_all();
    let client = Rc::new(client);
    let streams = Rc::new(Cell::new(0_usize));
    let mut drained = pin!(client.live.drained());
    let mut draining = false;
    loop {
        set_idle(&deadlines, &client, streams.get());
        let next = deadlines
            .guard(pin!(poll_fn(|cx| {
                if !draining && drained.as_mut().poll(cx).is_ready() {
                    draining = true;
                    connection.drain();
                }
                match connection.poll_accept(cx) {
                    Poll::Ready(next) => Poll::Ready(next),
                    Poll::Pending => {
                        set_idle(&deadlines, &client, streams.get());
                        Poll::Pending
                    }
                }
            })))
            .await;
        match next {
            Ok(Some(Ok(accepted))) => start(worker, &client, accepted, &streams),
            Ok(Some(Err(fault))) => {
                tracing::debug!(reason = %fault, "HTTP/2 connection failed");
                return Some(Cause::BadRequest);
            }
            Ok(None) => return None,
            Err(cause) => {
                if draining {
                    return Some(cause);
                }
                // Idle for too long: say goodbye, and give the client a moment to hear it.
                draining = true;
                connection.drain();
                let until = clock::now() + limits::LINGER;
                deadlines.set(Phase::Idle, until, cause);
            }
        }
    }
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

fn start(worker: &Rc<Worker>, client: &Rc<Client>, accepted: Accepted, streams: &Rc<Cell<usize>>) {
    let (worker, client) = (Rc::clone(worker), Rc::clone(client));
    let open = Open::new(streams);
    tokio::task::spawn_local(async move {
        let _open = open;
        let work = Box::pin(answer(&worker, &client, accepted));
        // A stream that a bug ended is reset when it is dropped; its neighbours go on.
        caught(&worker, work).await;
    });
}

async fn answer(worker: &Rc<Worker>, client: &Client, accepted: Accepted) {
    let Accepted { head, mut stream } = accepted;
    let deadlines = Deadlines::default();
    let down = Downstream::H2(&mut stream);
    match head {
        Ok(mut head) => {
            let started = clock::now();
            exchange::serve(worker, client, &deadlines, &mut head, down, started).await;
        }
        Err(error) => {
            exchange::refuse(worker, client, &deadlines, down, error.cause, error.reason).await;
        }
    }
}

/// Counts an open stream.
struct Open(Rc<Cell<usize>>);

impl Open {
    fn new(streams: &Rc<Cell<usize>>) -> Self {
        streams.set(streams.get() + 1);
        Self(Rc::clone(streams))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
