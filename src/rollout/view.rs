//! What a rollout looks like from outside: numbers of one moment, for people and scripts.
//!
//! This module is pure, and must not know terminals or where the numbers come from.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::arms::Pair;
use super::judge::Verdict;
use crate::model::Counts;

/// Both versions at one moment. Counts begin when the weight came into force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct View {
    pub at: Timestamp,
    /// How many proxies serve the route, as far as it is known.
    pub proxies: usize,
    /// Those that don't serve it as it is stored, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<String>,
    /// Of what both versions answered, what the canary did, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<f64>,
    /// Of a dark launch there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stable: Option<Arm>,
    pub canary: Arm,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// Why the last turn went nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Arm {
    pub requests: u64,
    pub errors: u64,
    /// Lately; where nobody has looked twice there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<f64>,
}

impl Arm {
    /// `recent` came within the last `seconds`.
    pub fn new(counts: &Counts, recent: &Counts, seconds: f64) -> Self {
        let millis = |q| counts.latencies.quantile(q).map(|took| round(took.as_secs_f64() * 1e3));
        Self {
            requests: counts.requests,
            errors: counts.errors,
            per_second: (seconds > 0.0).then(|| round(recent.requests as f64 / seconds)),
            p50_ms: millis(0.5),
            p99_ms: millis(0.99),
        }
    }
}

impl View {
    /// Of a canary, or of copies alone.
    pub fn of(
        at: Timestamp,
        counts: &Pair<Counts>,
        recent: &Pair<Counts>,
        seconds: f64,
        verdict: Option<&Verdict>,
        dark: bool,
    ) -> Self {
        let stable = || Arm::new(&counts.stable, &recent.stable, seconds);
        Self {
            at,
            measured: counts.measured().filter(|_| !dark).map(round),
            stable: (!dark).then(stable),
            canary: Arm::new(&counts.canary, &recent.canary, seconds),
            verdict: verdict.map(ToString::to_string),
            ..Self::default()
        }
    }
}

/// More digits than one say nothing.
fn round(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests;
