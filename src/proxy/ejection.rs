//! Endpoints that can't be reached are left out for a while.
//!
//! Connect failures and resets eject, statuses never do: an application that answers 500 answers,
//! and the next endpoint would say the same. Passive: nothing is sent that no client asked for.
//!
//! This module must not know how an endpoint is chosen, or what a retry is.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::model::{Cause, Ejection};

/// What counts against an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// No connection: refused, timed out, or its TLS handshake failed.
    Connect,
    /// The connection ended before the answer was complete.
    Reset,
}

impl Failure {
    /// The failure behind an attempt's cause, where the endpoint is to blame. Not for a reused
    /// connection that closed before a byte of the answer: that is the keep-alive race.
    pub fn of(cause: Cause) -> Option<Self> {
        match cause {
            Cause::UpstreamConnectRefused
            | Cause::UpstreamConnectTimeout
            | Cause::UpstreamConnectFailed
            | Cause::UpstreamTlsFailed => Some(Self::Connect),
            Cause::UpstreamReset | Cause::UpstreamClosed => Some(Self::Reset),
            _ => None,
        }
    }
}

/// What a report changed, for metrics and the log. Every ejection is told, by exactly one worker;
/// a return that nobody saw before the next ejection is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EjectionEvent {
    Ejected { failure: Failure, lasts: Duration },
    Returned,
}

/// The health of one endpoint, shared by all workers. Times are microseconds of the registry's
/// epoch; the settings are arguments.
#[derive(Debug)]
pub(in crate::proxy) struct Health {
    added_at: u64,
    consecutive_failures: AtomicU32,
    /// 0 before the first ejection; in the past, when the last one ended.
    ejected_until: AtomicU64,
    /// How often, less what good conduct has taken off.
    ejections: AtomicU32,
    /// An ejection whose end nobody has reported yet.
    unreturned: AtomicBool,
}

impl Health {
    pub(in crate::proxy) fn new(added_at: u64) -> Self {
        Self {
            added_at,
            consecutive_failures: AtomicU32::new(0),
            ejected_until: AtomicU64::new(0),
            ejections: AtomicU32::new(0),
            unreturned: AtomicBool::new(false),
        }
    }

    pub(in crate::proxy) fn is_out(&self, at: u64) -> bool {
        at < self.ejected_until.load(Ordering::Relaxed)
    }

    /// Since when it has been taking requests without a break. An ejection that isn't over is
    /// none where this is asked: ejection has been switched off.
    pub(in crate::proxy) fn in_service_since(&self, at: u64) -> u64 {
        match self.ejected_until.load(Ordering::Relaxed) {
            until if until <= at => self.added_at.max(until),
            _ => self.added_at,
        }
    }

    pub(in crate::proxy) fn take_return(&self, at: u64) -> bool {
        self.unreturned.load(Ordering::Relaxed)
            && !self.is_out(at)
            && self.unreturned.swap(false, Ordering::Relaxed)
    }

    pub(in crate::proxy) fn succeed(&self) {
        // Most endpoints have no failures: a read leaves the line shared between the workers.
        if self.consecutive_failures.load(Ordering::Relaxed) != 0 {
            self.consecutive_failures.store(0, Ordering::Relaxed);
        }
    }

    /// Counts a failure; says whether it is one too many. Failures of requests that were under
    /// way when the endpoint was ejected say nothing new.
    pub(in crate::proxy) fn fail(&self, settings: Ejection, at: u64) -> bool {
        if settings.consecutive_failures == 0 || self.is_out(at) {
            return false;
        }
        let before = self.consecutive_failures.fetch_add(1, Ordering::Relaxed);
        before.saturating_add(1) >= settings.consecutive_failures
    }

    /// Takes the endpoint out for as many `base` as it has been out, up to `max`. Each `base` in
    /// service takes one off that number. The first failure after the return ejects again: the
    /// endpoint is on probation until it succeeds.
    pub(in crate::proxy) fn eject(&self, settings: Ejection, at: u64) -> Duration {
        let base = micros(settings.base).max(1);
        let in_service = at.saturating_sub(self.ejected_until.load(Ordering::Relaxed));
        let forgiven = u32::try_from(in_service / base).unwrap_or(u32::MAX);
        let times = self.ejections.load(Ordering::Relaxed).saturating_sub(forgiven) + 1;
        let lasts = settings.base.saturating_mul(times).min(settings.max);
        self.ejections.store(times, Ordering::Relaxed);
        self.consecutive_failures.store(settings.consecutive_failures - 1, Ordering::Relaxed);
        self.ejected_until.store(at.saturating_add(micros(lasts)), Ordering::Relaxed);
        self.unreturned.store(true, Ordering::Relaxed);
        lasts
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
