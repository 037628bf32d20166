//! What somebody wants of a rollout, written into its spec: the same on a directory and on a
//! cluster. Whoever runs rollouts answers to it.
//!
//! This module is pure, and must not know who asks or how the answer is told.

use json_patch::Patch;
use serde_json::{Map, Value, json};

use super::state::{Ask, Event, State};
use super::{Rollout, annotation};
use crate::config::decode::{self, Decoded};
use crate::config::raw::Spec;
use crate::names::ANNOTATION_ASKED;
use crate::store::Stored;

/// A rollout as it is stored; the error is a sentence.
pub fn read(stored: &Stored) -> Result<Rollout, String> {
    let (decoded, diagnostics) = decode::from_json(&stored.value, stored.key.store);
    if let Some(wrong) = diagnostics.iter().find(|one| one.is_error()) {
        return Err(format!("{}: {}", stored.place, wrong.message));
    }
    match decoded {
        Decoded::Object(object) => match &object.spec {
            Spec::TrafficRollout(spec) => Ok(Rollout::new(&stored.key, &object.meta, spec)),
            _ => Err(format!("{} is no TrafficRollout", stored.key)),
        },
        _ => Err(format!("{}: {} has errors", stored.place, stored.key)),
    }
}

/// What makes the spec say this. What it said is tested where it said something.
pub fn patch(rollout: &Value, ask: &Ask) -> Patch {
    let Ask { intent, weight, until, at } = ask;
    let mut operations = Vec::new();
    let spec = &rollout["spec"];
    set(&mut operations, &spec["state"], "/spec/state", Some(json!(intent.as_str())));
    set(&mut operations, &spec["weight"], "/spec/weight", weight.map(|weight| json!(weight)));
    let until = until.map(|until| json!(until.to_string()));
    set(&mut operations, &spec["until"], "/spec/until", until);
    let annotations = &rollout["metadata"]["annotations"];
    if annotations.is_object() {
        let pointer = format!("/metadata/annotations/{}", ANNOTATION_ASKED.replace('/', "~1"));
        set(&mut operations, &annotations[ANNOTATION_ASKED], &pointer, Some(json!(at)));
    } else {
        let fresh = Map::from_iter([(ANNOTATION_ASKED.to_owned(), json!(at))]);
        // In a cluster each status that is written is another version: a question that somebody
        // thinks about would never be answered.
        if rollout["metadata"]["resourceVersion"].is_null() {
            operations.insert(0, annotation::untouched(rollout));
        }
        operations.push(json!({"op": "add", "path": "/metadata/annotations", "value": fresh}));
    }
    serde_json::from_value(Value::Array(operations)).expect("these are operations")
}

fn set(operations: &mut Vec<Value>, now: &Value, path: &str, to: Option<Value>) {
    if *now != Value::Null {
        operations.push(json!({"op": "test", "path": path, "value": now}));
    }
    match (now, to) {
        (Value::Null, None) => {}
        (Value::Null, Some(to)) => operations.push(json!({"op": "add", "path": path, "value": to})),
        (_, Some(to)) => operations.push(json!({"op": "replace", "path": path, "value": to})),
        (_, None) => operations.push(json!({"op": "remove", "path": path})),
    }
}

/// What takes the last change of weight back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Back {
    /// The route as it was found.
    Start,
    To(u32),
    /// There was no change.
    Nothing,
    /// Somebody else made it.
    NotOurs,
}

/// What `undo` means now.
pub fn back(state: &State) -> Back {
    let changed = |event: &&Event| event.from != event.to;
    match state.history.iter().rev().find(changed) {
        None => Back::Nothing,
        Some(event) if event.by_hand => Back::NotOurs,
        Some(Event { from: 0, .. }) => Back::Start,
        Some(event) => Back::To(event.from),
    }
}

#[cfg(test)]
mod tests;
