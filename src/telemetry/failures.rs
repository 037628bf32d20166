//! The last requests that failed, each with its story: what `meshctl why` tells.
//!
//! Only a failure writes here, and it never waits: where another thread holds the lock, it is
//! counted and left out. What clients get wrong is kept apart from what we or a backend did, so
//! that a scanner's thousand 404s don't push out the one 503 that somebody asks about. This
//! module must not know who asks.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::record::{Inline, Record, Tried};
use crate::limits;
use crate::model::{Fault, Name};

/// A request that got no answer, or one from 500.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Failure {
    /// Of all failures of the process, from 1.
    pub number: u64,
    pub request_id: String,
    /// Milliseconds since the epoch, when the request began.
    pub began: u64,
    pub method: String,
    pub host: String,
    /// Without the query; cut at a bound.
    pub path: String,
    pub tls: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// What the client got, 499 where it didn't wait.
    pub status: u16,
    /// `None` for what a backend answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What was wrong in particular, where there is more to say than the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Empty where it didn't come that far.
    pub gateway: Name,
    pub listener: Name,
    pub route: Name,
    pub rule: Name,
    pub backend: Name,
    /// Of the last try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Name>,
    pub attempts: u16,
    /// Those that failed, in their order, up to a bound.
    pub tries: Vec<FailedTry>,
    pub seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte_seconds: Option<f64>,
    /// The configuration by which it was decided.
    pub generation: u64,
}

/// A try that brought no answer, or one that was not taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FailedTry {
    pub endpoint: Name,
    /// `None` for an answer whose status was tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The system's words, or the status.
    pub sentence: String,
    pub seconds: f64,
}

/// What there is from some number on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Failures {
    /// The number of the last failure, kept or not.
    pub last: u64,
    /// Failures that were never kept, because another thread was writing.
    pub left_out: u64,
    /// In the order in which they ended.
    pub failures: Vec<Failure>,
}

/// The ring. Its size is bounded in entries and in bytes.
#[derive(Default)]
pub(super) struct Ring {
    kept: Mutex<Kept>,
    left_out: AtomicU64,
}

#[derive(Default)]
struct Kept {
    last: u64,
    /// Ours and backends'.
    faults: Queue,
    /// Clients'.
    refusals: Queue,
}

#[derive(Default)]
struct Queue {
    failures: VecDeque<Failure>,
    bytes: usize,
}

impl Ring {
    /// Keeps the request's story if it is one of a failure.
    pub(super) fn note(&self, record: &Record) {
        if !is_failure(record) {
            return;
        }
        let failure = Failure::of(record);
        match self.kept.try_lock() {
            Ok(mut kept) => kept.push(failure, is_clients(record)),
            Err(_) => {
                self.left_out.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// What came after the failure with this number.
    pub(super) fn after(&self, number: u64) -> Failures {
        let kept = self.kept();
        let both = kept.faults.failures.iter().chain(&kept.refusals.failures);
        let mut failures: Vec<Failure> =
            both.filter(|failure| failure.number > number).cloned().collect();
        let last = kept.last;
        drop(kept);
        failures.sort_by_key(|failure| failure.number);
        Failures { last, left_out: self.left_out.load(Ordering::Relaxed), failures }
    }

    /// Nothing that is held under it panics; if it did, what was kept still stands.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_failure(record: &Record) -> bool {
    record.cause.is_some() || record.status >= 500
}

fn is_clients(record: &Record) -> bool {
    matches!(record.cause.map(|cause| cause.fault()), Some(Fault::Client | Fault::Cancelled))
}

impl Kept {
    fn push(&mut self, failure: Failure, of_client: bool) {
        self.last += 1;
        let failure = Failure { number: self.last, ..failure };
        match of_client {
            true => self.refusals.push(failure, limits::REFUSALS, limits::REFUSALS_BYTES),
            false => self.faults.push(failure, limits::FAILURES, limits::FAILURES_BYTES),
        }
    }
}

impl Queue {
    fn push(&mut self, failure: Failure, entries: usize, bytes: usize) {
        self.bytes += failure.weight();
        self.failures.push_back(failure);
        while self.failures.len() > entries || self.bytes > bytes {
            let Some(oldest) = self.failures.pop_front() else { break };
            self.bytes -= oldest.weight();
        }
    }
}

impl Failure {
    fn of(record: &Record) -> Self {
        let names = record.route.as_ref().map(|route| &route.names);
        let name = |of: fn(&super::RouteNames) -> &Name| names.map(of).cloned().unwrap_or_default();
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        Self {
            number: 0,
            request_id: text(&record.request_id),
            began: u64::try_from(record.started.as_millis()).unwrap_or(u64::MAX),
            method: text(&record.method),
            host: text(&record.host),
            path: text(&record.path),
            tls: record.flags.tls,
            client: record.client.map(|client| client.ip().to_string()),
            status: record.status,
            cause: record.cause.map(|cause| cause.word().to_owned()),
            reason: record.reason.as_deref().map(str::to_owned),
            gateway: name(|names| &names.gateway),
            listener: name(|names| &names.listener),
            route: name(|names| &names.route),
            rule: name(|names| &names.rule),
            backend: name(|names| &names.backend),
            endpoint: record.endpoint.as_ref().map(|endpoint| endpoint.address.clone()),
            attempts: record.attempts,
            tries: record.tries.iter().map(FailedTry::of).collect(),
            seconds: record.total.as_secs_f64(),
            connect_seconds: seconds(record.connect),
            first_byte_seconds: seconds(record.first_byte),
            generation: record.generation,
        }
    }

    /// About how much memory it holds. Names are counted though they are shared: the part that
    /// shares them may be gone.
    fn weight(&self) -> usize {
        let names = [&self.gateway, &self.listener, &self.route, &self.rule, &self.backend];
        let names: usize = names.into_iter().chain(&self.endpoint).map(|name| name.len()).sum();
        let texts = [&self.request_id, &self.method, &self.host, &self.path];
        let more = [&self.client, &self.cause, &self.reason].into_iter().flatten();
        let texts: usize = texts.into_iter().chain(more).map(String::len).sum();
        let tries = self.tries.iter().map(|one| {
            let cause = one.cause.as_ref().map_or(0, String::len);
            size_of::<FailedTry>() + one.endpoint.len() + cause + one.sentence.len()
        });
        size_of::<Self>() + names + texts + tries.sum::<usize>()
    }
}

impl FailedTry {
    fn of(tried: &Tried) -> Self {
        let Tried { endpoint, cause, sentence, took } = tried;
        Self {
            endpoint: endpoint.clone(),
            cause: cause.map(|cause| cause.word().to_owned()),
            sentence: sentence.to_string(),
            seconds: took.as_secs_f64(),
        }
    }
}

/// As it was sent, as far as it is text; a mark says that more followed.
fn text<const N: usize>(inline: &Inline<N>) -> String {
    let mut text = String::from_utf8_lossy(inline.as_bytes()).into_owned();
    if inline.is_cut() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests;
