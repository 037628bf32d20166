//! Objects as an API server sends them.

use serde_json::Value as Json;

use super::{Decoded, decode};
use crate::config::Diagnostic;
use crate::config::raw::Origin;
use crate::model::Store;
use crate::yaml::{Entry, Node, Place, Value};

/// Reads one object. Unknown fields are passed over: the API server has seen to it that there are
/// none but those of its own, perhaps newer, definitions.
pub fn from_json(object: &Json, store: Store) -> (Decoded, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let origin = Origin { file: "".into(), line_offset: 0 };
    let decoded = decode(&node(object), &origin, store, &mut diagnostics);
    (decoded, diagnostics)
}

/// serde_json bounds the depth, so this recursion ends.
fn node(json: &Json) -> Node {
    let value = match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::String(text.as_str().into()),
        Json::Array(items) => Value::List(items.iter().map(node).collect()),
        Json::Object(fields) => Value::Map(fields.iter().map(entry).collect()),
    };
    Node { value, place: Place::default(), width: 0, spelling: None }
}

fn entry((key, value): (&String, &Json)) -> Entry {
    Entry {
        key: key.as_str().into(),
        key_place: Place::default(),
        key_width: 0,
        value: node(value),
    }
}
