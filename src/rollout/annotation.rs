//! In a route, when its weights go back: the JSON patch that says so, or says it no longer.
//!
//! This module is pure, and must not know why.

use json_patch::Patch;
use serde_json::{Value, json};

use crate::config::returning::Returning;
use crate::names::ANNOTATION_RETURN;

const ANNOTATIONS: &str = "/metadata/annotations";

/// What makes the annotation of the route this one, or none.
pub fn patch(route: &Value, returning: Option<&Returning>) -> Patch {
    let annotations = route.pointer(ANNOTATIONS).and_then(Value::as_object);
    let is = annotations.and_then(|annotations| annotations.get(ANNOTATION_RETURN));
    // A `/` of a name is `~1` in a pointer.
    let path = format!("{ANNOTATIONS}/{}", ANNOTATION_RETURN.replace('/', "~1"));
    let operations = match (is, returning.map(ToString::to_string)) {
        (None, None) => json!([]),
        (Some(is), Some(wanted)) if *is == wanted => json!([]),
        (Some(is), Some(wanted)) => json!([
            {"op": "test", "path": path, "value": is},
            {"op": "replace", "path": path, "value": wanted},
        ]),
        (None, Some(wanted)) if annotations.is_none_or(serde_json::Map::is_empty) => json!([
            untouched(route),
            {"op": "add", "path": ANNOTATIONS, "value": {ANNOTATION_RETURN: wanted}},
        ]),
        (None, Some(wanted)) => json!([{"op": "add", "path": path, "value": wanted}]),
        (Some(_), None) if annotations.is_some_and(|annotations| annotations.len() == 1) => json!([
            {"op": "test", "path": ANNOTATIONS, "value": annotations},
            {"op": "remove", "path": ANNOTATIONS},
        ]),
        (Some(is), None) => json!([
            {"op": "test", "path": path, "value": is},
            {"op": "remove", "path": path},
        ]),
    };
    serde_json::from_value(operations).expect("these are operations")
}

/// A test that an object's metadata is as it was read, for what adds the first annotation: no test
/// says that none is there. A cluster's metadata holds more than anybody wrote, and a version.
pub(super) fn untouched(object: &Value) -> Value {
    let version = &object["metadata"]["resourceVersion"];
    let (path, value) = match version {
        Value::String(_) => ("/metadata/resourceVersion", version),
        _ => ("/metadata", &object["metadata"]),
    };
    json!({"op": "test", "path": path, "value": value})
}

#[cfg(test)]
mod tests;
