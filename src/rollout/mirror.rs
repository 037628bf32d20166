//! A dark launch in a route: the filter that copies requests, and the JSON patch that adds, changes
//! or removes it.
//!
//! This module is pure, and must not know stores or who watches.

use json_patch::Patch;
use serde_json::{Value, json};

use super::route::{Destination, RouteError, unchanged};

const TYPE: &str = "RequestMirror";

/// What makes each rule, or the one called `rule`, copy `percent` of its requests. Zero removes
/// the copy.
pub fn patch(
    route: &Value,
    rule: Option<&str>,
    to: &Destination,
    percent: u32,
) -> Result<Patch, RouteError> {
    let namespace = namespace(route);
    let mut operations = Vec::new();
    for (at, one) in meant(route, rule)? {
        let path = format!("/spec/rules/{at}");
        let filters = one["filters"].as_array().map(Vec::as_slice);
        let mirrors = |filter: &Value| copies(filter, to, namespace);
        match (filters, filters.unwrap_or_default().iter().position(mirrors)) {
            (_, None) if percent == 0 => {}
            // No test says that something isn't there, so the rule is tested.
            (None, None) => operations.extend([
                json!({"op": "test", "path": path, "value": one}),
                json!({
                    "op": "add", "path": format!("{path}/filters"),
                    "value": [filter(to, namespace, percent)],
                }),
            ]),
            (Some(filters), None) => operations.extend([
                test(&path, filters),
                json!({
                    "op": "add", "path": format!("{path}/filters/-"),
                    "value": filter(to, namespace, percent),
                }),
            ]),
            (Some(filters), Some(_)) if percent == 0 && filters.len() == 1 => {
                operations.extend([
                    test(&path, filters),
                    json!({"op": "remove", "path": format!("{path}/filters")}),
                ]);
            }
            (Some(filters), Some(found)) => {
                let place = format!("{path}/filters/{found}");
                operations.push(test(&path, filters));
                operations.extend(change(&filters[found], &place, percent));
            }
            (None, Some(_)) => unreachable!("what isn't there holds nothing"),
        }
    }
    operations = without_idle_tests(operations);
    if !operations.is_empty() {
        operations.splice(..0, unchanged(route));
    }
    Ok(serde_json::from_value(Value::Array(operations)).expect("these are operations"))
}

/// How much each rule that is meant copies, in percent; none where it doesn't. With the place of
/// the rule.
pub fn places(
    route: &Value,
    rule: Option<&str>,
    to: &Destination,
) -> Result<Vec<(usize, Option<u32>)>, RouteError> {
    let namespace = namespace(route);
    let of = |rule: &Value| {
        let filters = rule["filters"].as_array()?;
        let filter = filters.iter().find(|filter| copies(filter, to, namespace))?;
        let percent = filter["requestMirror"]["percent"].as_u64();
        Some(percent.and_then(|percent| u32::try_from(percent).ok()).unwrap_or(100))
    };
    Ok(meant(route, rule)?.into_iter().map(|(place, rule)| (place, of(rule))).collect())
}

/// As [`places`], without them.
pub fn percents(
    route: &Value,
    rule: Option<&str>,
    to: &Destination,
) -> Result<Vec<Option<u32>>, RouteError> {
    Ok(places(route, rule, to)?.into_iter().map(|(_, percent)| percent).collect())
}

/// The rules that are meant, with their places.
fn meant<'a>(route: &'a Value, rule: Option<&str>) -> Result<Vec<(usize, &'a Value)>, RouteError> {
    let rules = route["spec"]["rules"].as_array().map(Vec::as_slice).unwrap_or_default();
    let named = |one: &Value| rule.is_none_or(|name| one["name"] == name);
    let meant: Vec<_> = rules.iter().enumerate().filter(|(_, one)| named(one)).collect();
    match rule {
        Some(name) if meant.is_empty() => Err(RouteError::NoSuchRule(name.to_owned())),
        _ => Ok(meant),
    }
}

fn namespace(route: &Value) -> &str {
    route["metadata"]["namespace"].as_str().unwrap_or("default")
}

fn copies(filter: &Value, to: &Destination, namespace: &str) -> bool {
    filter["type"] == TYPE
        && to.means(&Destination::read(&filter["requestMirror"]["backendRef"], namespace))
}

fn filter(to: &Destination, namespace: &str, percent: u32) -> Value {
    json!({
        "type": TYPE,
        "requestMirror": {"backendRef": to.to_json(namespace), "percent": percent},
    })
}

fn test(path: &str, filters: &[Value]) -> Value {
    json!({"op": "test", "path": format!("{path}/filters"), "value": filters})
}

/// `percent` and `fraction` exclude each other.
fn change(filter: &Value, place: &str, percent: u32) -> Vec<Value> {
    if percent == 0 {
        return vec![json!({"op": "remove", "path": place})];
    }
    let path = format!("{place}/requestMirror/percent");
    let mirror = &filter["requestMirror"];
    let mut operations = Vec::new();
    if !mirror["fraction"].is_null() {
        let fraction = format!("{place}/requestMirror/fraction");
        operations.push(json!({"op": "remove", "path": fraction}));
    }
    match &mirror["percent"] {
        Value::Null => operations.push(json!({"op": "add", "path": path, "value": percent})),
        now if *now == percent => {}
        _ => operations.push(json!({"op": "replace", "path": path, "value": percent})),
    }
    operations
}

/// A test that nothing follows for its own rule says nothing.
fn without_idle_tests(operations: Vec<Value>) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::with_capacity(operations.len());
    for operation in operations {
        let idle =
            kept.last().is_some_and(|last| last["op"] == "test") && operation["op"] == "test";
        if idle {
            kept.pop();
        }
        kept.push(operation);
    }
    if kept.last().is_some_and(|last| last["op"] == "test") {
        kept.pop();
    }
    kept
}

#[cfg(test)]
mod tests;
