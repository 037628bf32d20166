//! Requests on an HTTP/1 connection, one after another.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;

use super::{Client, linger};
use crate::clock::{self, Instant};
use crate::limits;
use crate::model::Cause;
use crate::proxy::codec::h1::{HeadFault, ServerConn};
use crate::proxy::codec::{Body, Downstream};
use crate::proxy::deadline::{Deadlines, Phase};
use crate::proxy::exchange::{self, Ended, Switched};
use crate::proxy::tunnel;
use crate::proxy::worker::Worker;

/// Serves until the connection ends; says why where that wasn't the ordinary way. The first
/// request's head began to come at `started`.
pub(super) async fn serve(
    worker: &Rc<Worker>,
    client: Client,
    mut conn: ServerConn,
    deadlines: Deadlines,
    mut started: Instant,
) -> Option<Cause> {
    loop {
        // Boxed, so that an idle connection holds none of it.
        match Box::pin(turn(worker, &client, &mut conn, &deadlines, started)).await {
            Turn::Next => match idle(&client, &mut conn, &deadlines).await {
                Ok(next) => started = next,
                Err(cause) => return cause,
            },
            Turn::Close(cause) => {
                close(conn, &deadlines).await;
                return cause;
            }
            Turn::Upgraded(switched) => {
                let (io, read) = conn.into_parts();
                let tunnel = client.open();
                let ended = tunnel.until_cut(pin!(tunnel::run(io, read, switched))).await;
                return ended.unwrap_or_else(|| {
                    worker.shared.count_cut();
                    Some(Cause::Draining)
                });
            }
        }
    }
}

enum Turn {
    Next,
    Close(Option<Cause>),
    Upgraded(Box<Switched>),
}

/// Waits for the next request's first byte.
async fn idle(
    client: &Client,
    conn: &mut ServerConn,
    deadlines: &Deadlines,
) -> Result<Instant, Option<Cause>> {
    if !conn.read().is_empty() {
        return Ok(clock::now());
    }
    conn.rest();
    let until = clock::now() + client.settings.idle_timeout;
    deadlines.set(Phase::Idle, until, Cause::IdleTimeout);
    match deadlines.guard(pin!(fill(client, conn, deadlines))).await {
        Ok(Ok(0) | Err(_)) => Err(None),
        Ok(Ok(_)) => Ok(clock::now()),
        Err(cause) => Err(Some(cause)),
    }
}

/// The bytes that an idle connection is waiting for, for less long once it is to be drained.
pub(super) async fn fill(
    client: &Client,
    conn: &mut ServerConn,
    deadlines: &Deadlines,
) -> std::io::Result<usize> {
    let mut drained = pin!(client.live.drained());
    let mut draining = false;
    poll_fn(|cx| {
        if !draining && drained.as_mut().poll(cx).is_ready() {
            // Closing at once could cross a request on its way. One that comes now is answered,
            // and the connection closed behind it.
            draining = true;
            let until = clock::now() + limits::DRAIN_IDLE;
            deadlines.set(Phase::Idle, until, Cause::Draining);
        }
        conn.poll_fill(cx)
    })
    .await
}

/// One request and its answer.
async fn turn(
    worker: &Rc<Worker>,
    client: &Client,
    conn: &mut ServerConn,
    deadlines: &Deadlines,
    started: Instant,
) -> Turn {
    deadlines.clear(Phase::Idle);
    let until = started + client.settings.request_head_timeout;
    deadlines.set(Phase::Head, until, Cause::RequestHeadTimeout);
    let mut head = worker.spared.requests.lend();
    let read = deadlines.guard(pin!(poll_fn(|cx| conn.poll_head(cx, &mut head)))).await;
    deadlines.clear(Phase::Head);
    let (cause, reason) = match read {
        Ok(Ok(())) => {
            let down = Downstream::H1(conn);
            let ended = exchange::serve(worker, client, deadlines, &mut head, down, started).await;
            return match ended {
                Ended::Upgraded(switched) => Turn::Upgraded(switched),
                Ended::Done if conn.keeps_alive() && conn.is_read() => Turn::Next,
                Ended::Done => Turn::Close(None),
            };
        }
        Ok(Err(HeadFault::Gone)) => return Turn::Close(None),
        Ok(Err(HeadFault::Refused(error))) => (error.cause, error.reason),
        Err(cause) => (cause, cause.summary()),
    };
    conn.refuse();
    let down = Downstream::H1(conn);
    exchange::refuse(worker, client, deadlines, down, cause, reason).await;
    Turn::Close(Some(cause))
}

/// Closes so that the client reads the answer.
async fn close(mut conn: ServerConn, deadlines: &Deadlines) {
    if conn.must_reset() {
        conn.io().reset_on_close();
        return;
    }
    let until = clock::now() + limits::LINGER;
    deadlines.clear_all();
    deadlines.set(Phase::Stream, until, Cause::Draining);
    let work = async {
        if poll_fn(|cx| conn.poll_flush(cx)).await.is_ok() {
            linger::shut(conn.io()).await;
        }
    };
    let _ = deadlines.guard(Box::pin(work).as_mut()).await;
}
