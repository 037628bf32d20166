//! One request and its answer.
//!
//! Everything is decided at the head from one Snapshot: rule, stages, backend. Then bytes are
//! pulled from one side to the other in this same task until both are done. A try at an endpoint
//! is an Attempt (`attempt`); what it may send again is a replay (`upload`).

mod attempt;
mod download;
mod failed;
mod route;
mod upload;

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use smallvec::SmallVec;

use super::codec::{Body, Downstream, Upstream};
use super::connection::Client;
use super::deadline::{Deadlines, Phase};
use super::forwarded::{self, Inbound, Origin};
use super::message::{RequestHead, ResponseHead, Version};
use super::mirror::{Mirror, Tap};
use super::registry::{BackendInFlight, InFlight};
use super::respond;
use super::session::Session;
use super::spare::Lent;
use super::stage::{Answer, Stage, StageRequest};
use super::upstream::Lease;
use super::view::{RuleView, Way};
use super::worker::Worker;
use crate::clock::{self, Instant};
use crate::limits;
use crate::model::Cause;
use crate::telemetry::{Begun, Record};
use upload::Upload;

/// What is left to do when an exchange is over.
pub enum Ended {
    /// Nothing: the answer is complete, or the connection says that it is not.
    Done,
    /// Both sides speak another protocol now.
    Upgraded(Box<Switched>),
}

/// The endpoint's end of a tunnel. Until it is dropped the tunnel weighs what a request weighs, or
/// whoever has the most tunnels would look idle and be given the next ones too.
pub struct Switched {
    /// How long both sides may be silent.
    pub idle: Duration,
    _load: InFlight,
    _of_backend: BackendInFlight,
    lease: Lease,
}

impl Switched {
    /// The raw stream.
    pub fn take(&mut self) -> Option<Upstream> {
        self.lease.take()
    }
}

/// The stages that an answer passes on its way back, the last ones first.
///
/// A rule's are passed by every answer to a request that it was found for. A backend's "should be
/// executed if and only if the request is being forwarded to the backend defined here"
/// (httproute_types.go, `HTTPBackendRef.filters`): from when it was chosen they are passed by every
/// answer, whether it is the backend's, a stage's or our own failure to reach it. So a page of
/// another origin can read a preflight's answer and a 502 that its backend's CORS filter allows.
#[derive(Clone, Copy, Default)]
struct Back<'v> {
    rule: &'v [Stage],
    way: &'v [Stage],
}

impl<'v> Back<'v> {
    fn of_rule(view: &'v RuleView) -> Self {
        Self { rule: &view.stages, way: &[] }
    }

    fn of_way(self, way: &'v Way) -> Self {
        Self { way: &way.stages, ..self }
    }
}

/// One request on its way.
struct Exchange<'a> {
    worker: &'a Rc<Worker>,
    client: &'a Client,
    deadlines: &'a Deadlines,
    head: &'a mut RequestHead,
    origin: Origin,
    record: Lent<Record>,
    /// From when its way was chosen.
    begun: Option<Begun>,
    started: Instant,
    /// The request's `Origin` field, for CORS.
    cors_origin: Vec<u8>,
    stream_idle: Duration,
    /// It has passed us too often already.
    goes_round: bool,
}

/// Answers one request. `started` is when its first byte was seen.
pub async fn serve(
    worker: &Rc<Worker>,
    client: &Client,
    deadlines: &Deadlines,
    head: &mut RequestHead,
    mut down: Downstream<'_>,
    started: Instant,
) -> Ended {
    let open = client.open();
    let mut exchange = Exchange::new(worker, client, deadlines, head, started);
    let ended = open.until_cut(pin!(exchange.run(&mut down))).await;
    let ended = match ended {
        Some(ended) => ended,
        None => {
            exchange.cut(&mut down).await;
            Ended::Done
        }
    };
    exchange.finish();
    ended
}

/// Answers what could not be read as a request.
pub async fn refuse(
    worker: &Rc<Worker>,
    client: &Client,
    deadlines: &Deadlines,
    mut down: Downstream<'_>,
    cause: Cause,
    reason: &str,
) {
    let mut head = worker.spared.requests.lend();
    let mut exchange = Exchange::new(worker, client, deadlines, &mut head, clock::now());
    exchange.count_on_listener();
    exchange.fail(&mut down, Back::default(), cause, reason).await;
    exchange.finish();
}

impl<'a> Exchange<'a> {
    fn new(
        worker: &'a Rc<Worker>,
        client: &'a Client,
        deadlines: &'a Deadlines,
        head: &'a mut RequestHead,
        started: Instant,
    ) -> Self {
        let settings = &client.settings;
        let mut record = worker.spared.records.lend();
        record.connection = client.id;
        record.started = clock::since_epoch();
        record.method.set(head.method.as_str().as_bytes());
        record.host.set(head.authority.as_bytes());
        record.path.set(head.target.path().as_bytes());
        record.user_agent.set(head.fields.get("user-agent").unwrap_or_default());
        record.version = head.version;
        record.log = settings.access_log;
        let inbound = Inbound {
            peer: client.peer,
            local: client.local,
            secure: client.tls.is_some(),
            trusted_hops: settings.trusted_hops,
            via: &settings.via,
        };
        let goes_round = forwarded::is_loop(&head.fields, &settings.via);
        let origin = forwarded::receive(head, &inbound, &mut worker.rng.borrow_mut());
        let mut exchange = Self {
            worker,
            client,
            deadlines,
            head,
            record,
            begun: None,
            started,
            cors_origin: Vec::new(),
            stream_idle: settings.stream_idle_timeout,
            goes_round,
            origin,
        };
        exchange.note_origin();
        exchange.touch();
        exchange
    }

    fn note_origin(&mut self) {
        self.record.request_id.set(self.origin.request_id.as_str().as_bytes());
        self.record.client = Some(SocketAddr::new(self.origin.client, self.client.peer.port()));
        self.record.flags.tls = self.client.tls.is_some();
        self.record.trace = self
            .origin
            .trace
            .map(|trace| (trace.trace_id.to_be_bytes(), trace.parent_id.to_be_bytes()));
    }

    async fn run(&mut self, down: &mut Downstream<'_>) -> Ended {
        let found = match self.route() {
            Ok(_) if self.goes_round => Err(Cause::LoopDetected),
            found => found,
        };
        let (view, matched) = match found {
            Ok(found) => found,
            Err(cause) => {
                self.fail(down, Back::default(), cause, cause.summary()).await;
                return Ended::Done;
            }
        };
        if let Some(idle) = view.rule().timeouts.stream_idle {
            self.stream_idle = idle;
            self.touch();
        }
        if let Some(timeout) = view.rule().timeouts.request {
            self.deadlines.set(Phase::Request, self.started + timeout, Cause::RequestTimeout);
        }
        let mut mirrors = SmallVec::new();
        let back = Back::of_rule(&view);
        if let Err(answer) = self.stages(&view.stages, &view, matched, &mut mirrors).await {
            self.answer(down, back, answer).await;
            return Ended::Done;
        }
        let Some(way) = self.choose(&view) else {
            self.fail(down, back, Cause::NoBackend, Cause::NoBackend.summary()).await;
            return Ended::Done;
        };
        let back = back.of_way(way);
        self.record.route = Some(Rc::clone(&way.series));
        self.begun = Some(way.series.begin());
        if let Err(answer) = self.stages(&way.stages, &view, matched, &mut mirrors).await {
            self.answer(down, back, answer).await;
            return Ended::Done;
        }
        let taps = self.start_mirrors(&mirrors);
        self.forward(down, &view, way, taps).await
    }

    /// A session's backend, else one by weight.
    fn choose<'v>(&mut self, view: &'v RuleView) -> Option<&'v Way> {
        if let Some(persistence) = &view.rule().session_persistence {
            let now = clock::since_epoch();
            let kept =
                Session::of_request(persistence, &self.head.fields, now).find_map(|session| {
                    view.ways.iter().find(|way| way.session == Some(session.backend))
                });
            // Weight 0 sends nothing new; whoever has a session stays (GEP-1619).
            if kept.is_some() {
                return kept;
            }
        }
        view.weights.pick(&mut self.worker.rng.borrow_mut()).map(|index| &view.ways[index])
    }

    async fn stages(
        &mut self,
        stages: &[Stage],
        view: &RuleView,
        matched: usize,
        mirrors: &mut SmallVec<[Rc<Mirror>; 1]>,
    ) -> Result<(), Answer> {
        if stages.is_empty() {
            return Ok(());
        }
        let port = self.redirect_port(view.listener.port);
        let mut request = StageRequest {
            head: self.head,
            matched: &view.rule().matches[matched].path,
            https: self.origin.secure,
            port,
            origin: &mut self.cors_origin,
            mirrors,
            rng: &self.worker.rng,
        };
        for stage in stages {
            stage.request(&mut request).await?;
        }
        Ok(())
    }

    /// The listener's port, as the Gateway API has it, unless a trusted hop in front changed the
    /// scheme: then the listener's belongs to another scheme than the client's, and the hop's own
    /// is meant.
    fn redirect_port(&self, listener: u16) -> u16 {
        let Origin { secure, port, .. } = self.origin;
        if secure == self.client.tls.is_some() {
            return listener;
        }
        port.unwrap_or(if secure { 443 } else { 80 })
    }

    fn start_mirrors(&mut self, mirrors: &[Rc<Mirror>]) -> SmallVec<[Tap; 1]> {
        self.record.flags.mirrored = !mirrors.is_empty();
        mirrors.iter().filter_map(|mirror| mirror.start(self.worker, self.head)).collect()
    }

    /// A stage's answer.
    async fn answer(&mut self, down: &mut Downstream<'_>, back: Back<'_>, answer: Answer) {
        match answer {
            Answer::Fail(cause) => self.fail(down, back, cause, cause.summary()).await,
            Answer::Respond(mut head) => {
                forwarded::mark_own(&mut head, &self.origin.request_id, None, false);
                self.respond(down, back, &mut head, &[]).await;
            }
        }
    }

    /// The answer that the product itself makes when it refuses, fails or gives up.
    async fn fail(
        &mut self,
        down: &mut Downstream<'_>,
        back: Back<'_>,
        cause: Cause,
        reason: &str,
    ) {
        self.record.cause = Some(cause);
        self.record.status = cause.status();
        if reason != cause.summary() {
            self.record.because(reason);
        }
        if cause == Cause::ClientDisconnected || cause == Cause::ClientTooSlow {
            down.abort();
            return;
        }
        let (mut head, body) = respond::failure(self.head, cause, reason, &self.origin.request_id);
        let trusted = self.is_trusted();
        forwarded::mark_own(&mut head, &self.origin.request_id, Some(cause), trusted);
        self.respond(down, back, &mut head, body.as_bytes()).await;
    }

    /// The time for draining is over: the client is told, or its answer broken off.
    async fn cut(&mut self, down: &mut Downstream<'_>) {
        self.worker.shared.count_cut();
        let cause = Cause::Draining;
        if self.record.status != 0 {
            self.record.cause.get_or_insert(cause);
            down.abort();
            return;
        }
        let told = {
            let told = pin!(self.fail(down, Back::default(), cause, cause.summary()));
            tokio::time::timeout(limits::DRAIN_CUT_WRITE, told).await
        };
        if told.is_err() {
            down.abort();
        }
    }

    /// Writes a whole answer of our own.
    async fn respond(
        &mut self,
        down: &mut Downstream<'_>,
        back: Back<'_>,
        head: &mut ResponseHead,
        body: &[u8],
    ) {
        self.run_back(back, head);
        self.record.status = head.status.as_u16();
        if let Downstream::H1(conn) = down
            && (!conn.is_read() || self.is_draining())
        {
            conn.close_after();
        }
        // What the request was held to is over; a client that doesn't read is not waited for.
        self.deadlines.clear_all();
        self.touch();
        let work = respond::write(down, head, body);
        let written = self.deadlines.guard(pin!(work)).await;
        match written {
            Ok(Ok(sent)) => self.record.response_body += sent,
            Ok(Err(_)) => down.abort(),
            Err(_) => down.abort(),
        }
    }

    /// Whether the client should take its next request elsewhere.
    fn is_draining(&self) -> bool {
        self.worker.shared.drain.is_draining() || self.client.is_draining()
    }

    fn run_back(&self, back: Back<'_>, head: &mut ResponseHead) {
        for stage in back.way.iter().rev().chain(back.rule.iter().rev()) {
            stage.response(&self.cors_origin, head);
        }
    }

    /// Something moved: the stream is not idle.
    fn touch(&self) {
        let at = clock::now() + self.stream_idle;
        self.deadlines.set(Phase::Stream, at, Cause::StreamIdleTimeout);
    }

    /// Clients that may read a cause: on this machine, or behind a proxy of ours.
    fn is_trusted(&self) -> bool {
        self.client.settings.trusted_hops > 0 || self.client.peer.ip().is_loopback()
    }

    fn client_ip(&self) -> IpAddr {
        self.origin.client
    }

    fn finish(&mut self) {
        self.deadlines.clear_all();
        self.record.total = clock::now() - self.started;
        self.worker.consume(&self.record);
    }

    fn upload(&self, view: &RuleView, taps: SmallVec<[Tap; 1]>) -> Upload {
        // gRPC is HTTP/2 alone; anything else that says so is held to what bodies are held to.
        let converses = self.head.version == Version::HTTP_2 && respond::is_grpc(self.head);
        Upload::new(self.head.body, converses, view.rule().retry.attempts > 0, taps)
    }
}
