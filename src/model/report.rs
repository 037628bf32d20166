//! What a proxy has done so far: its own totals, and those of each arm of its rules.
//!
//! Everything here is a total since the process started, so a report may be lost or come twice:
//! whoever wants a rate takes the difference of two of the same process.

use super::{Latencies, PartKey};

/// What flows up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Drawn by the process when it started: another one counts from zero again.
    pub process: u64,
    /// Arms that the process has made so far: one that was made later has a greater number.
    pub born: u64,
    pub totals: Totals,
    /// Those that have changed since the report before, or all; in the order of their keys.
    pub arms: Vec<Arm>,
}

/// A process as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Answered, by whomever.
    pub requests: u64,
    /// Of these, with a status from 500.
    pub errors: u64,
    /// Of clients, open now.
    pub connections: u64,
    /// Requests of arms that stand in no report, because there are too many arms.
    pub left_out: u64,
}

/// One arm's total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arm {
    pub key: ArmKey,
    /// The process's number for it, from 1. An arm that was forgotten and comes again has a greater
    /// one and counts from zero again.
    pub born: u64,
    pub counts: Counts,
}

/// One edge of the mesh: what a rule sends to one backend, whichever listener it came by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArmKey {
    pub rule: PartKey,
    pub backend: PartKey,
    /// Copies whose answers no client sees.
    pub dark: bool,
}

/// What an arm has done. Of a dark arm, `requests` are copies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Finished, each once however often it was tried.
    pub requests: u64,
    /// Tries at endpoints: what is more than `requests` was tried again.
    pub attempts: u64,
    /// Answered by the backend with a status from 500, or by the product because the backend could
    /// not be reached, broke off or took too long. What a client got wrong or gave up is none.
    pub errors: u64,
    /// Of `errors`, those with the backend's own status.
    pub server_errors: u64,
    /// The client didn't wait for the whole answer.
    pub cancelled: u64,
    /// Begun and not finished: now, not a total.
    pub in_flight: u64,
    /// Of all that were not cancelled, to the last byte of the answer.
    pub latencies: Latencies,
}

impl Counts {
    pub fn add(&mut self, other: &Self) {
        let Self { requests, attempts, errors, server_errors, cancelled, in_flight, latencies } =
            other;
        let sums = [
            (&mut self.requests, requests),
            (&mut self.attempts, attempts),
            (&mut self.errors, errors),
            (&mut self.server_errors, server_errors),
            (&mut self.cancelled, cancelled),
            (&mut self.in_flight, in_flight),
        ];
        for (sum, more) in sums {
            // What others claim must not end this process.
            *sum = sum.saturating_add(*more);
        }
        self.latencies.add(latencies);
    }

    /// What came since `earlier`, number by number; never below zero. How many are in flight is
    /// said as it is.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let Self { requests, attempts, errors, server_errors, cancelled, in_flight, latencies } =
            self;
        Self {
            requests: requests.saturating_sub(earlier.requests),
            attempts: attempts.saturating_sub(earlier.attempts),
            errors: errors.saturating_sub(earlier.errors),
            server_errors: server_errors.saturating_sub(earlier.server_errors),
            cancelled: cancelled.saturating_sub(earlier.cancelled),
            in_flight: *in_flight,
            latencies: latencies.since(&earlier.latencies),
        }
    }
}
