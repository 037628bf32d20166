//! What we have to say about an object, put into what its status says now.
//!
//! The statuses of routes and policies belong to several controllers: the entries of the others
//! stay as they are. A condition that says what it said before keeps its `lastTransitionTime`, so
//! that nothing is written where nothing changed.
//!
//! This module is pure: the time is an argument.

use serde_json::{Map, Value, json};

use crate::model::Kind;
use crate::names;

#[cfg(test)]
mod tests;

/// The list of a kind's status that other controllers write to as well, and how many entries the
/// API allows in it.
fn shared_list(kind: Kind) -> Option<(&'static str, usize)> {
    match kind {
        Kind::HttpRoute | Kind::GrpcRoute => Some(("parents", 32)),
        Kind::BackendTlsPolicy | Kind::TrafficPolicy => Some(("ancestors", 16)),
        _ => None,
    }
}

/// The status to write, or `None` where there is nothing to write. Without anything `desired` our
/// entries go.
pub(super) fn merge(
    kind: Kind,
    current: &Value,
    desired: Option<&Value>,
    now: &str,
) -> Option<Value> {
    let merged = match shared_list(kind) {
        Some((list, room)) => {
            let ours = desired.and_then(|status| status[list].as_array());
            json!({ list: entries(current[list].as_array(), ours, now, room) })
        }
        None => timed(desired?.clone(), current, now),
    };
    // A status that isn't there and one without entries say the same.
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Object(fields) => {
            fields.values().all(|field| field.as_array().is_some_and(Vec::is_empty))
        }
        _ => false,
    };
    let same = merged == *current || (is_empty(&merged) && is_empty(current));
    (!same).then_some(merged)
}

fn entries(
    current: Option<&Vec<Value>>,
    ours: Option<&Vec<Value>>,
    now: &str,
    room: usize,
) -> Vec<Value> {
    let current = current.map_or(&[][..], Vec::as_slice);
    let ours = ours.map_or(&[][..], Vec::as_slice);
    let is_ours = |entry: &&Value| entry["controllerName"] == names::CONTROLLER;
    let mut merged: Vec<Value> = current.iter().filter(|entry| !is_ours(entry)).cloned().collect();
    for entry in ours.iter().take(room.saturating_sub(merged.len())) {
        let before = current.iter().filter(is_ours).find(|before| same_subject(before, entry));
        merged.push(timed(entry.clone(), before.unwrap_or(&Value::Null), now));
    }
    merged
}

/// Whether two entries are about the same parent or ancestor, or two listeners have one name.
fn same_subject(a: &Value, b: &Value) -> bool {
    ["parentRef", "ancestorRef", "name"].iter().all(|field| a[*field] == b[*field])
}

/// Gives every condition in `value` its time: the one of the same condition in `before`, else now.
fn timed(value: Value, before: &Value, now: &str) -> Value {
    let Value::Object(fields) = value else { return value };
    let timed = fields.into_iter().map(|(name, field)| {
        let field = match field {
            Value::Array(items) if name == "conditions" => {
                let before = before["conditions"].as_array();
                items.into_iter().map(|item| stamped(item, before, now)).collect()
            }
            Value::Array(items) => {
                let before = before[&name].as_array().map_or(&[][..], Vec::as_slice);
                let of = |item: &Value| before.iter().find(|one| same_subject(one, item));
                let nothing = Value::Null;
                let timed = items.into_iter().map(|item| {
                    let before = of(&item).unwrap_or(&nothing);
                    timed(item, before, now)
                });
                timed.collect()
            }
            other => other,
        };
        (name, field)
    });
    Value::Object(timed.collect::<Map<_, _>>())
}

fn stamped(mut condition: Value, before: Option<&Vec<Value>>, now: &str) -> Value {
    let same = before.into_iter().flatten().find(|before| {
        before["type"] == condition["type"] && before["status"] == condition["status"]
    });
    let time = same.map(|before| before["lastTransitionTime"].clone());
    condition["lastTransitionTime"] = time.filter(Value::is_string).unwrap_or_else(|| now.into());
    condition
}
