//! The cells that one thing of the mesh counts on, found once when a worker makes its view of it.
//!
//! Cells by status or cause are made when the first one occurs. This module must not know when
//! to count.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

use super::arms::{ArmSeries, Ending};
use super::cells::{Counter, Gauge, Histogram};
use super::label::{backend_label, object_label};
use super::metrics::Family;
use super::record::Record;
use super::registry::WorkerMetrics;
use crate::limits;
use crate::model::{Address, ArmKey, BindAddress, Cause, Listener, Name, PartKey};

/// An outcome that has no cause.
const OK: &str = "ok";

/// What a request was routed by, as metrics and log lines spell it. Empty where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteNames {
    pub gateway: Name,
    pub listener: Name,
    pub route: Name,
    /// For the log alone: rules would multiply the series.
    pub rule: Name,
    pub backend: Name,
}

impl RouteNames {
    pub fn new(listener: &Listener, rule: Option<&PartKey>, backend: Option<&PartKey>) -> Self {
        Self {
            gateway: object_label(&listener.gateway).into(),
            listener: listener.key.section.clone(),
            route: rule.map(|rule| object_label(&rule.object)).unwrap_or_default().into(),
            rule: rule.map_or_else(|| Arc::from(""), |rule| rule.section.clone()),
            backend: backend.map(backend_label).unwrap_or_default().into(),
        }
    }

    /// The values of the labels that most families of requests share.
    fn labels(&self) -> [&str; 4] {
        [&self.gateway, &self.listener, &self.route, &self.backend]
    }
}

/// Requests on one way: listener, route, backend.
pub struct RouteSeries {
    pub names: RouteNames,
    metrics: WorkerMetrics,
    duration: Histogram,
    request_body: Counter,
    response_body: Counter,
    lookups: Counter,
    by_status: Outcomes<(u16, Option<Cause>)>,
    /// Where the way leads to a backend.
    arm: Option<ArmSeries>,
}

impl RouteSeries {
    pub fn new(metrics: &WorkerMetrics, names: RouteNames) -> Self {
        let labels = &names.labels();
        Self {
            duration: metrics.histogram(Family::RequestDuration, labels),
            request_body: metrics.counter(Family::RequestBody, labels),
            response_body: metrics.counter(Family::ResponseBody, labels),
            // Of the listener: it is its table that is looked up.
            lookups: metrics.counter(Family::RouteLookupNodes, &labels[..2]),
            by_status: Outcomes::default(),
            arm: None,
            metrics: metrics.clone(),
            names,
        }
    }

    /// Counts what it counts for this arm, too.
    #[must_use]
    pub fn of_arm(self, arm: &ArmKey) -> Self {
        Self { arm: Some(self.metrics.arm(arm)), ..self }
    }

    /// A request is on this way until the result is dropped.
    pub fn begin(self: &Rc<Self>) -> Begun {
        if let Some(arm) = &self.arm {
            arm.begin();
        }
        Begun(Rc::clone(self))
    }

    /// Counts one finished request.
    pub fn count(&self, record: &Record) {
        self.duration.observe(record.total);
        self.request_body.add(record.request_body);
        self.response_body.add(record.response_body);
        self.lookups.add(record.visited.into());
        let Record { status, cause, attempts, .. } = *record;
        if let Some(arm) = &self.arm {
            arm.count(Ending::of(status, cause), attempts.into(), record.total);
        }
        self.by_status.inc((status, cause), |known| self.requests(status, cause, known));
    }

    fn requests(&self, status: u16, cause: Option<Cause>, known: usize) -> Counter {
        let mut digits = itoa::Buffer::new();
        let code = if known < limits::STATUS_SERIES { digits.format(status) } else { "other" };
        let [gateway, listener, route, backend] = self.names.labels();
        let labels = [gateway, listener, route, backend, code, cause.map_or("", Cause::word)];
        self.metrics.counter(Family::Requests, &labels)
    }
}

impl std::fmt::Debug for RouteSeries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.names.fmt(f)
    }
}

/// A request on its way.
pub struct Begun(Rc<RouteSeries>);

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(arm) = &self.0.arm {
            arm.end();
        }
    }
}

/// Connections to one listening address.
pub struct PortSeries {
    metrics: WorkerMetrics,
    address: String,
    pub accepted: Counter,
    pub active: Gauge,
    closed: Outcomes<Option<Cause>>,
}

impl PortSeries {
    pub fn new(metrics: &WorkerMetrics, bind: BindAddress) -> Self {
        let address = bind.to_string();
        Self {
            accepted: metrics.counter(Family::ConnectionsAccepted, &[&address]),
            active: metrics.gauge(Family::ConnectionsActive, &[&address]),
            closed: Outcomes::default(),
            metrics: metrics.clone(),
            address,
        }
    }

    /// `None`: both sides were done.
    pub fn closed(&self, cause: Option<Cause>) {
        self.closed.inc(cause, |_| {
            let cause = cause.map_or("", Cause::word);
            self.metrics.counter(Family::ConnectionsClosed, &[&self.address, cause])
        });
    }
}

/// What belongs to a listener before a request is there.
pub struct ListenerSeries {
    metrics: WorkerMetrics,
    gateway: String,
    listener: Name,
    handshakes: Outcomes<Option<Cause>>,
}

impl ListenerSeries {
    /// `None`: no listener took the server name.
    pub fn new(metrics: &WorkerMetrics, listener: Option<&Listener>) -> Self {
        Self {
            metrics: metrics.clone(),
            gateway: listener.map(|l| object_label(&l.gateway)).unwrap_or_default(),
            listener: listener.map_or_else(|| Arc::from(""), |l| l.key.section.clone()),
            handshakes: Outcomes::default(),
        }
    }

    pub fn handshake(&self, failure: Option<Cause>) {
        self.handshakes.inc(failure, |_| {
            let outcome = failure.map_or(OK, Cause::word);
            let labels = [&self.gateway, &*self.listener, outcome];
            self.metrics.counter(Family::TlsHandshakes, &labels)
        });
    }
}

/// What became of a retry that was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryOutcome {
    Sent,
    /// The budget was used up.
    Denied,
}

/// A backend as a whole.
pub struct BackendSeries {
    connect: Histogram,
    retries_sent: Counter,
    retries_denied: Counter,
}

impl BackendSeries {
    pub fn new(metrics: &WorkerMetrics, backend: &PartKey) -> Self {
        let backend = &*backend_label(backend);
        Self {
            connect: metrics.histogram(Family::UpstreamConnectDuration, &[backend]),
            retries_sent: metrics.counter(Family::Retries, &[backend, "sent"]),
            retries_denied: metrics.counter(Family::Retries, &[backend, "denied"]),
        }
    }

    pub fn connected(&self, after: Duration) {
        self.connect.observe(after);
    }

    pub fn retry(&self, outcome: RetryOutcome) {
        match outcome {
            RetryOutcome::Sent => self.retries_sent.inc(),
            RetryOutcome::Denied => self.retries_denied.inc(),
        }
    }
}

/// One endpoint of a backend.
pub struct EndpointSeries {
    metrics: WorkerMetrics,
    backend: String,
    /// As metrics and log lines spell it.
    pub address: Name,
    pub active: Gauge,
    pub idle: Gauge,
    attempts: Outcomes<Option<Cause>>,
}

impl EndpointSeries {
    pub fn new(metrics: &WorkerMetrics, backend: &PartKey, address: &Address) -> Self {
        let backend = backend_label(backend);
        let address: Name = address.to_string().into();
        let connections =
            |state| metrics.gauge(Family::UpstreamConnections, &[&backend, &address, state]);
        Self {
            active: connections("active"),
            idle: connections("idle"),
            attempts: Outcomes::default(),
            metrics: metrics.clone(),
            backend,
            address,
        }
    }

    /// Counts one attempt by how it ended.
    pub fn attempt(&self, failure: Option<Cause>) {
        self.attempts.inc(failure, |_| {
            let outcome = failure.map_or(OK, Cause::word);
            self.metrics.counter(Family::UpstreamAttempts, &[&self.backend, &self.address, outcome])
        });
    }
}

impl std::fmt::Debug for EndpointSeries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.address, self.backend)
    }
}

/// What became of a mirrored request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MirrorOutcome {
    Ok,
    Failed,
    /// It was behind, or too many were on their way.
    Dropped,
}

/// Mirrors of one route to one backend.
pub struct MirrorSeries {
    ok: Counter,
    failed: Counter,
    dropped: Counter,
    /// Where there is such a backend.
    arm: Option<ArmSeries>,
}

impl MirrorSeries {
    /// The rule's own name stands where the backend's isn't known.
    pub fn new(metrics: &WorkerMetrics, rule: &PartKey, backend: Option<&PartKey>) -> Self {
        let arm = |backend: &PartKey| {
            metrics.arm(&ArmKey { rule: rule.clone(), backend: backend.clone(), dark: true })
        };
        let arm = backend.map(arm);
        let (route, backend) = (object_label(&rule.object), backend_label(backend.unwrap_or(rule)));
        let counter = |outcome| metrics.counter(Family::Mirrors, &[&route, &backend, outcome]);
        Self { ok: counter(OK), failed: counter("failed"), dropped: counter("dropped"), arm }
    }

    /// A copy is on its way, until [`Self::end`].
    pub fn begin(&self) {
        if let Some(arm) = &self.arm {
            arm.begin();
        }
    }

    pub fn end(&self) {
        if let Some(arm) = &self.arm {
            arm.end();
        }
    }

    /// Counts one that is over. `status`: what the backend answered with, if it did.
    pub fn count(&self, outcome: MirrorOutcome, status: Option<u16>, took: Duration) {
        if let Some(arm) = &self.arm {
            let ending = match (outcome, status) {
                (MirrorOutcome::Ok, status) => Ending::of(status.unwrap_or_default(), None),
                (MirrorOutcome::Failed, _) => Ending::Failed,
                (MirrorOutcome::Dropped, _) => Ending::Cancelled,
            };
            arm.count(ending, 1, took);
        }
        match outcome {
            MirrorOutcome::Ok => self.ok.inc(),
            MirrorOutcome::Failed => self.failed.inc(),
            MirrorOutcome::Dropped => self.dropped.inc(),
        }
    }
}

/// Counters of one family, one per outcome that has occurred.
struct Outcomes<O> {
    known: RefCell<SmallVec<[(O, Counter); 2]>>,
}

impl<O: Copy + PartialEq> Outcomes<O> {
    /// `make` is told how many outcomes are known. Past the bound it makes the counter that they
    /// share, each time anew.
    fn inc(&self, outcome: O, make: impl FnOnce(usize) -> Counter) {
        let mut known = self.known.borrow_mut();
        if let Some((_, counter)) = known.iter().find(|(of, _)| *of == outcome) {
            return counter.inc();
        }
        let counter = make(known.len());
        counter.inc();
        if known.len() < limits::STATUS_SERIES {
            known.push((outcome, counter));
        }
    }
}

impl<O> Default for Outcomes<O> {
    fn default() -> Self {
        Self { known: RefCell::default() }
    }
}

#[cfg(test)]
mod tests;
