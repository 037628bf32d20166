//! Trying endpoints until one answers.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::StatusCode;
use smallvec::SmallVec;

use super::failed::{
    Failed, Safety, client_fault, final_cause, has_heard, is_idempotent, safety_of, timed_out,
    upstream_fault,
};
use super::upload::Upload;
use super::{Back, Ended, Exchange};
use crate::clock::{self, Instant};
use crate::limits;
use crate::model::{Balance, Cause, RetryPolicy};
use crate::proxy::codec::{Body, Downstream, Fault, Side};
use crate::proxy::deadline::Phase;
use crate::proxy::ejection::{EjectionEvent, Failure};
use crate::proxy::message::ResponseHead;
use crate::proxy::mirror::Tap;
use crate::proxy::proxy_protocol;
use crate::proxy::registry::{BackendInFlight, InFlight};
use crate::proxy::session::Session;
use crate::proxy::upstream::Lease;
use crate::proxy::view::{BackendNow, BackendView, RuleView, Way};
use crate::proxy::{forwarded, hash};
use crate::telemetry::RetryOutcome;

/// An answer's head has come.
pub(super) struct Answered {
    pub(super) lease: Lease,
    pub(super) index: usize,
    /// The endpoint's load, until the exchange is over.
    pub(super) in_flight: InFlight,
}

/// A backend has answered.
pub(super) struct Reached {
    pub(super) answered: Answered,
    now: Rc<BackendNow>,
    /// Counts against the backend's `maxRequests` until the exchange is over.
    pub(super) in_flight: BackendInFlight,
}

/// Which endpoint is tried, and how.
#[derive(Clone, Copy)]
struct Try<'a> {
    backend: &'a BackendView,
    now: &'a BackendNow,
    index: usize,
    /// Only a new connection will do.
    fresh: bool,
    timeout: Option<Duration>,
    begun: Instant,
}

/// The tries of one request so far.
#[derive(Default)]
struct Tries {
    /// Those that the policy counts.
    counted: u32,
    /// Endpoints that failed, by position: others come first.
    endpoints: SmallVec<[usize; 4]>,
    /// Only a new connection will do.
    fresh: bool,
}

impl Tries {
    /// A kept connection that had closed says nothing against its endpoint, and asked nothing of
    /// it: neither the policy's attempts nor the budget pay for it.
    fn forget_stale(&mut self) {
        self.counted -= 1;
        self.fresh = true;
    }
}

impl Exchange<'_> {
    /// Sends the request to an endpoint of `way` and its answer to the client.
    pub(super) async fn forward(
        &mut self,
        down: &mut Downstream<'_>,
        view: &RuleView,
        way: &Way,
        taps: SmallVec<[Tap; 1]>,
    ) -> Ended {
        let back = Back::of_rule(view).of_way(way);
        let mut upload = self.upload(view, taps);
        let mut response = self.worker.spared.responses.lend();
        match self.attempts(down, view, way, &mut upload, &mut response).await {
            Ok(reached) => {
                upload.commit();
                upload.hear_answer(self.deadlines);
                self.announce_session(view, way, &reached, &mut response);
                self.run_back(back, &mut response);
                forwarded::send_back(&mut response, &self.client.settings.via, self.is_trusted());
                self.download(down, reached, upload, response).await
            }
            Err(failed) => {
                self.record.request_body = upload.bytes;
                tracing::debug!(cause = %failed.cause, reason = %failed.sentence, "request failed");
                self.fail(down, back, failed.cause, failed.cause.summary()).await;
                Ended::Done
            }
        }
    }

    async fn attempts(
        &mut self,
        down: &mut Downstream<'_>,
        view: &RuleView,
        way: &Way,
        upload: &mut Upload,
        response: &mut ResponseHead,
    ) -> Result<Reached, Failed> {
        let policy = &view.rule().retry;
        let backend = way.backend.as_ref().map_err(|cause| final_cause(*cause))?;
        let mut now = backend.now().map_err(final_cause)?;
        let shared = now.group.backend();
        let mut begun = clock::now();
        shared.deposit(begun);
        let in_flight = shared.begin(now.backend.policy.max_requests).map_err(final_cause)?;
        let hash = self.hash(&now);
        let mut tries = Tries::default();
        loop {
            let index =
                self.pick(view, way, &now, hash, &tries.endpoints, begun).map_err(final_cause)?;
            self.record.attempts += 1;
            tries.counted += 1;
            let timeout = view.rule().timeouts.backend_request;
            let one = Try { backend, now: &now, index, fresh: tries.fresh, timeout, begun };
            let stale = match self.attempt(down, one, upload, response).await {
                Ok(answered) => {
                    if tries.counted > policy.attempts
                        || !self.is_retryable_status(policy, response.status, upload)
                        || !self.may_spend(backend, &now)
                    {
                        // Its time goes on until the answer is complete (`download`).
                        return Ok(Reached { answered, now, in_flight });
                    }
                    let sentence = format!("status {}", response.status.as_u16());
                    self.record.failed_try(None, &sentence, clock::now() - begun);
                    false
                }
                Err(failed) => {
                    let took = clock::now() - begun;
                    self.record.failed_try(Some(failed.cause), &failed.sentence, took);
                    self.note_failure(&now, index, &failed);
                    if !self.is_retryable(policy, &failed, upload) {
                        return Err(failed);
                    }
                    // The next connection is a new one, so this happens once.
                    let stale = failed.safety == Safety::Stale && !tries.fresh;
                    if stale {
                        tries.forget_stale();
                    } else if tries.counted > policy.attempts || !self.may_spend(backend, &now) {
                        return Err(failed);
                    }
                    stale
                }
            };
            self.record.flags.retried = true;
            upload.rewind();
            // Its time was that try's alone: the wait for the next one is nobody's.
            self.deadlines.clear(Phase::Attempt);
            begun = clock::now();
            if stale {
                continue;
            }
            tries.endpoints.push(index);
            if let Some(backoff) = policy.backoff {
                let wait = pin!(tokio::time::sleep(backoff));
                let waited = poll_while_there(down, wait);
                self.deadlines.guard(pin!(waited)).await.map_err(final_cause)??;
                begun = clock::now();
            }
            let current = backend.now().map_err(final_cause)?;
            if !Rc::ptr_eq(&current, &now) {
                // Positions are those of another list now.
                tries.endpoints.clear();
                now = current;
            } else if tries.endpoints.len() >= now.group.members().len() {
                tries.endpoints.clear();
            }
        }
    }

    fn hash(&self, now: &BackendNow) -> Option<u64> {
        match &now.backend.policy.balance {
            Balance::ConsistentHash(source) => {
                hash::of_request(source, self.head, Some(self.client_ip()))
            }
            _ => None,
        }
    }

    /// The session's endpoint on the first try, else the balancer's choice.
    fn pick(
        &mut self,
        view: &RuleView,
        way: &Way,
        now: &BackendNow,
        hash: Option<u64>,
        tried: &[usize],
        at: Instant,
    ) -> Result<usize, Cause> {
        if let (Some(persistence), true) = (&view.rule().session_persistence, tried.is_empty()) {
            let wall = clock::since_epoch();
            let kept = Session::of_request(persistence, &self.head.fields, wall)
                .filter(|session| way.session == Some(session.backend))
                .find_map(|session| session.find(&now.group, at));
            if let Some(index) = kept {
                self.record.flags.session = true;
                return Ok(index);
            }
        }
        now.group.pick(&mut self.worker.rng.borrow_mut(), hash, tried, at)
    }

    /// Tells the client where its session lives, when it doesn't know or would forget.
    fn announce_session(
        &self,
        view: &RuleView,
        way: &Way,
        reached: &Reached,
        response: &mut ResponseHead,
    ) {
        let (Some(persistence), Some(backend)) = (&view.rule().session_persistence, way.session)
        else {
            return;
        };
        let wall = clock::since_epoch();
        let address = &reached.now.group.members()[reached.answered.index].address;
        let fresh = Session::new(backend, address, wall);
        let known = Session::of_request(persistence, &self.head.fields, wall)
            .find(|session| session.backend == backend && session.endpoint == fresh.endpoint);
        let session = match known {
            Some(session) => session.refreshed(persistence, wall),
            None => Some(fresh),
        };
        if let Some(session) = session {
            session.announce(persistence, self.origin.secure, wall, &mut response.fields);
        }
    }

    async fn attempt(
        &mut self,
        down: &mut Downstream<'_>,
        one: Try<'_>,
        upload: &mut Upload,
        response: &mut ResponseHead,
    ) -> Result<Answered, Failed> {
        let Try { backend, now, index, fresh, timeout, begun } = one;
        if let Some(timeout) = timeout {
            self.deadlines.set(Phase::Attempt, begun + timeout, Cause::BackendRequestTimeout);
        }
        let pool = &now.pools[index];
        self.record.endpoint = Some(Rc::clone(&pool.series));
        let in_flight = now.group.members()[index].shared.begin();
        let preface = self.preface(now);
        let leased = {
            let lease = pin!(pool.lease(preface.as_deref(), fresh));
            let work = poll_while_there(down, lease);
            self.deadlines.guard(pin!(work)).await
        };
        let mut lease = match leased {
            Ok(Ok(Ok(lease))) => lease,
            Ok(Ok(Err(fault))) => {
                return Err(Failed {
                    cause: fault.cause,
                    sentence: fault.sentence.to_string(),
                    safety: Safety::Untouched,
                });
            }
            Ok(Err(gone)) => return Err(gone),
            Err(cause) => return Err(timed_out(cause, Safety::Untouched)),
        };
        if let Some(took) = lease.connect {
            self.record.connect = Some(took);
            backend.series.connected(took);
        }
        self.record.upstream_version =
            Some(if lease.is_h2() { http::Version::HTTP_2 } else { http::Version::HTTP_11 });
        let fresh = lease.fresh;
        let sent = lease.upstream().send_request(self.head);
        sent.map_err(|fault| upstream_fault(&fault, fresh, Safety::Untouched))?;
        let exchanged = {
            let work = self.ask(down, &mut lease, upload, response);
            self.deadlines.guard(pin!(work)).await
        };
        match exchanged {
            Ok(Ok(())) => {}
            Ok(Err(failed)) => return Err(failed),
            Err(cause) => {
                now.group.members()[index].shared.observe(clock::now() - begun, clock::now());
                return Err(timed_out(cause, Safety::Unknown));
            }
        }
        let answered_at = clock::now();
        self.record.first_byte = Some(answered_at - self.started);
        if !response.status.is_server_error() {
            let connect = lease.connect.unwrap_or_default();
            let took = (answered_at - begun).saturating_sub(connect);
            now.group.members()[index].shared.observe(took, answered_at);
        }
        if let Some(event) = now.group.on_success(index, answered_at) {
            self.tell_ejection(now, index, event);
        }
        lease.series().attempt(None);
        Ok(Answered { lease, index, in_flight })
    }

    /// The PROXY header of this client, where the backend wants one.
    fn preface(&self, now: &BackendNow) -> Option<Vec<u8>> {
        let version = now.backend.policy.proxy_protocol?;
        let source = std::net::SocketAddr::new(self.client_ip(), self.client.peer.port());
        let header = proxy_protocol::Header::Proxied { source, destination: self.client.local };
        let mut out = Vec::with_capacity(108);
        proxy_protocol::write(version, header, &mut out);
        Some(out)
    }

    /// Moves the body up and waits for the final head; 1xx go to the client as they come.
    async fn ask(
        &self,
        down: &mut Downstream<'_>,
        lease: &mut Lease,
        upload: &mut Upload,
        response: &mut ResponseHead,
    ) -> Result<(), Failed> {
        let fresh = lease.fresh;
        let mut informational = 0;
        let mut upload_failed = false;
        poll_fn(|cx| {
            let upstream = lease.upstream();
            if !upload_failed {
                match self.poll_upload(cx, upload, down, upstream) {
                    Poll::Ready(Err((Side::Source, fault))) => {
                        return Poll::Ready(Err(client_fault(&fault)));
                    }
                    // The endpoint may have answered before it stopped reading.
                    Poll::Ready(Err((Side::Sink, _))) => upload_failed = true,
                    _ => {}
                }
            }
            loop {
                match upstream.poll_head(cx, response) {
                    Poll::Ready(Ok(())) if is_interim(response.status) => {
                        informational += 1;
                        if informational > limits::INFORMATIONAL_RESPONSES {
                            let flood = Fault::Protocol("a flood of 1xx responses".to_owned());
                            let failed = upstream_fault(&flood, fresh, Safety::Unknown);
                            return Poll::Ready(Err(failed));
                        }
                        self.pass_interim(cx, down, response)?;
                    }
                    Poll::Ready(Ok(())) => return Poll::Ready(Ok(())),
                    Poll::Ready(Err(fault)) => {
                        let heard = has_heard(upstream);
                        let safety = safety_of(&fault, fresh, heard);
                        return Poll::Ready(Err(upstream_fault(&fault, fresh, safety)));
                    }
                    Poll::Pending => break,
                }
            }
            if down.poll_gone(cx).is_ready() {
                return Poll::Ready(Err(client_fault(&Fault::Closed)));
            }
            Poll::Pending
        })
        .await
    }

    fn pass_interim(
        &self,
        cx: &mut Context<'_>,
        down: &mut Downstream<'_>,
        head: &ResponseHead,
    ) -> Result<(), Failed> {
        self.touch();
        let sent = down.send_informational(head).and_then(|()| match down.poll_flush(cx) {
            Poll::Ready(result) => result,
            Poll::Pending => Ok(()),
        });
        sent.map_err(|fault| client_fault(&fault))
    }

    /// Only where the method makes it safe to ask again, and the body is still there.
    fn is_retryable_status(
        &self,
        policy: &RetryPolicy,
        status: StatusCode,
        upload: &Upload,
    ) -> bool {
        policy.statuses.contains(&status.as_u16())
            && is_idempotent(&self.head.method)
            && self.head.upgrade.is_empty()
            && upload.can_repeat()
    }

    fn is_retryable(&self, policy: &RetryPolicy, failed: &Failed, upload: &Upload) -> bool {
        let safe = match failed.safety {
            Safety::Untouched => true,
            Safety::Stale => is_idempotent(&self.head.method),
            Safety::Unknown => policy.on_failure && is_idempotent(&self.head.method),
            Safety::Final => false,
        };
        safe && upload.can_repeat()
    }

    fn may_spend(&self, backend: &BackendView, now: &BackendNow) -> bool {
        let budget = now.backend.policy.retry_budget;
        let may = now.group.backend().try_spend(budget, clock::now());
        backend.series.retry(if may { RetryOutcome::Sent } else { RetryOutcome::Denied });
        may
    }

    fn note_failure(&self, now: &BackendNow, index: usize, failed: &Failed) {
        if failed.safety == Safety::Final {
            return;
        }
        now.pools[index].series.attempt(Some(failed.cause));
        if failed.safety == Safety::Stale {
            return;
        }
        if let Some(failure) = Failure::of(failed.cause)
            && let Some(event) = now.group.on_failure(index, failure, clock::now())
        {
            self.tell_ejection(now, index, event);
        }
    }

    fn tell_ejection(&self, now: &BackendNow, index: usize, event: EjectionEvent) {
        let address = &now.group.members()[index].address;
        let ejected = matches!(event, EjectionEvent::Ejected { .. });
        (self.worker.shared.ejections)(&now.backend.key, address, ejected);
    }
}

/// Waits for `work` as long as the client is there.
async fn poll_while_there<T>(
    down: &mut Downstream<'_>,
    mut work: Pin<&mut impl Future<Output = T>>,
) -> Result<T, Failed> {
    poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(Ok(done));
        }
        match down.poll_gone(cx) {
            Poll::Ready(()) => Poll::Ready(Err(client_fault(&Fault::Closed))),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

fn is_interim(status: StatusCode) -> bool {
    status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS
}
