//! What a TrafficRollout's status says: how far it is, what each version did, and conditions for
//! whoever knows conditions.
//!
//! This module is pure, and must not know when a status is written.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::Counts;
use crate::rollout::Rollout;
use crate::rollout::arms::Pair;
use crate::rollout::state::{Phase, State};
use crate::rollout::turn::Turn;

/// What a condition says, but for since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) kind: &'static str,
    pub(super) status: bool,
    pub(super) reason: String,
    pub(super) message: String,
}

/// What is known of a rollout beside its turn.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Remarks {
    /// What keeps it from a turn: a reason in one word, and a sentence.
    pub(super) obstacle: Option<(&'static str, String)>,
    /// Somebody may take back what it writes.
    pub(super) contended: Option<String>,
    /// Requests a second, lately.
    pub(super) rates: Option<Pair<f64>>,
}

/// The whole status. What a rollout that is over has counted last stays as it was.
pub(super) fn status(
    rollout: &Rollout,
    turn: &Turn,
    remarks: &Remarks,
    generation: i64,
    before: &Value,
    now: Timestamp,
) -> Value {
    let mut status = serde_json::to_value(&turn.state).expect("a state is JSON");
    status["observedGeneration"] = generation.into();
    let stays = turn.state.phase.is_over() && before["phase"] == turn.state.phase.as_str();
    if stays {
        for field in ["arms", "verdict"] {
            if let Some(value) = before.get(field) {
                status[field] = value.clone();
            }
        }
    } else {
        status["arms"] = arms(rollout, turn, remarks.rates.as_ref());
        if let Some(verdict) = &turn.verdict {
            status["verdict"] = verdict.to_string().into();
        }
    }
    status["conditions"] = told(&turn.state, remarks, generation, before, now);
    status
}

/// Of one that can't be read: it stays where it is.
pub(super) fn unreadable(why: &str, generation: i64, before: &Value, now: Timestamp) -> Value {
    let mut state = super::keeping::state(before);
    say(&mut state, why);
    let mut status = before.clone();
    let fields = serde_json::to_value(&state).expect("a state is JSON");
    for (field, value) in fields.as_object().into_iter().flatten() {
        status[field] = value.clone();
    }
    status["observedGeneration"] = generation.into();
    let remarks = Remarks { obstacle: Some(("Invalid", why.to_owned())), ..Remarks::default() };
    status["conditions"] = told(&state, &remarks, generation, before, now);
    status
}

fn told(
    state: &State,
    remarks: &Remarks,
    generation: i64,
    before: &Value,
    now: Timestamp,
) -> Value {
    let conditions = conditions(state, remarks);
    conditions.into_iter().map(|one| one.to_json(generation, before, now)).collect()
}

/// The message of one that rests says why it rests, and nobody would say it again.
pub(super) fn say(state: &mut State, why: &str) {
    if matches!(state.phase, Phase::Pending | Phase::Progressing) {
        why.clone_into(&mut state.message);
    }
}

fn arms(rollout: &Rollout, turn: &Turn, rates: Option<&Pair<f64>>) -> Value {
    let (stable, _, dark) = rollout.versions();
    let weight = turn.state.weight;
    // Of one that is over it would stay for ever.
    let rates = rates.filter(|_| !turn.state.phase.is_over());
    let (rate, other) = (rates.map(|rates| rates.canary), rates.map(|rates| rates.stable));
    if dark {
        return json!([arm("dark", weight, None, rate, &turn.counts.canary)]);
    }
    let measured = turn.counts.measured();
    let mut arms = Vec::new();
    if stable.is_some() {
        let rest = measured.map(|percent| 100.0 - percent);
        arms.push(arm("stable", 100_u32.saturating_sub(weight), rest, other, &turn.counts.stable));
    }
    arms.push(arm("canary", weight, measured, rate, &turn.counts.canary));
    Value::Array(arms)
}

fn arm(name: &str, asked: u32, measured: Option<f64>, rate: Option<f64>, counts: &Counts) -> Value {
    let mut arm = json!({
        "name": name,
        "asked": asked,
        "requests": counts.requests,
        "errors": counts.errors,
    });
    if let Some(measured) = measured {
        arm["measured"] = number((measured * 10.0).round() / 10.0);
    }
    if let Some(rate) = rate {
        arm["requestsPerSecond"] = number(rate);
    }
    for (name, quantile) in [("p50", 0.5), ("p99", 0.99)] {
        if let Some(took) = counts.latencies.quantile(quantile) {
            arm[name] = readable(took).into();
        }
    }
    arm
}

/// As an API server gives it back: it drops the fraction of a whole number.
fn number(number: f64) -> Value {
    match number.fract() {
        0.0 => (number as i64).into(),
        _ => number.into(),
    }
}

/// As long as what it says is worth: `12ms`, `1.4ms`, `850µs`.
fn readable(took: Duration) -> String {
    match took.as_micros() {
        0..1_000 => format!("{took:.0?}"),
        1_000..10_000 => format!("{took:.1?}"),
        10_000..1_000_000 => format!("{took:.0?}"),
        _ => format!("{took:.1?}"),
    }
}

fn conditions(state: &State, remarks: &Remarks) -> Vec<Condition> {
    let Remarks { obstacle, contended, .. } = remarks;
    let phase = state.phase;
    let (reason, message) = match obstacle {
        Some((reason, why)) => (*reason, why),
        None => (phase.as_str(), &state.message),
    };
    let condition = |kind, status| Condition {
        kind,
        status,
        reason: reason.to_owned(),
        message: message.clone(),
    };
    let mut conditions = vec![
        condition("Progressing", phase == Phase::Progressing && obstacle.is_none()),
        condition("Ready", phase == Phase::Promoted && obstacle.is_none()),
    ];
    if let Some(advice) = contended {
        conditions.push(Condition {
            kind: "Contended",
            status: true,
            reason: "WrittenFromRepository".to_owned(),
            message: advice.clone(),
        });
    }
    conditions
}

impl Condition {
    fn to_json(&self, generation: i64, before: &Value, now: Timestamp) -> Value {
        let status = if self.status { "True" } else { "False" };
        let held = before["conditions"].as_array().into_iter().flatten();
        let same = held
            .filter(|one| one["type"] == self.kind && one["status"] == status)
            .find_map(|one| one.get("lastTransitionTime"));
        let now = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        json!({
            "type": self.kind,
            "status": status,
            "observedGeneration": generation,
            "lastTransitionTime": same.cloned().unwrap_or_else(|| now.into()),
            "reason": self.reason,
            "message": self.message,
        })
    }
}

#[cfg(test)]
mod tests;
