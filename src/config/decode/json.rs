//! JSON as a tree without places: what an API server says goes the way of what a file says.

use crate::yaml::{Entry, Node, Place, Value};

/// Who changed which field, and when: often most of an object, and nobody asks for it here.
const HISTORY: &str = "managedFields";

pub(super) fn node(json: &serde_json::Value) -> Node {
    let value = match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::Int(whole),
            (None, Some(number)) => Value::Float(number),
            (None, None) => Value::Null,
        },
        serde_json::Value::String(text) => Value::String(text.as_str().into()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(node).collect()),
        serde_json::Value::Object(fields) => Value::Map(fields.iter().map(entry).collect()),
    };
    placeless(value)
}

fn placeless(value: Value) -> Node {
    Node { value, place: Place::default(), width: 0, spelling: None }
}

fn entry((key, value): (&String, &serde_json::Value)) -> Entry {
    let value = match (key.as_str(), value) {
        ("metadata", serde_json::Value::Object(fields)) => {
            let asked_for = fields.iter().filter(|(field, _)| *field != HISTORY);
            placeless(Value::Map(asked_for.map(entry).collect()))
        }
        (_, value) => node(value),
    };
    Entry { key: key.as_str().into(), key_place: Place::default(), key_width: 0, value }
}
