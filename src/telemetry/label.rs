//! Label sets as the exposition formats spell them.
//!
//! A label set is rendered and escaped once, when its series is made: the text is its key, its
//! place in the order, and what a scrape copies.

use crate::model::{ObjectKey, PartKey};

use super::metrics::Family;

/// The value under which label sets are counted that came after the bound was reached.
const OTHER: &str = "other";

/// `namespace/name`, or `name` for what has no namespace.
pub fn object_label(object: &ObjectKey) -> String {
    match &*object.namespace {
        "" => object.name.to_string(),
        namespace => format!("{namespace}/{}", object.name),
    }
}

/// `namespace/name:port`, or `namespace/name` for a Backend.
pub fn backend_label(backend: &PartKey) -> String {
    let object = object_label(&backend.object);
    if backend.section.is_empty() { object } else { format!("{object}:{}", backend.section) }
}

/// `gateway="shop/edge",code="200"`. `values` are in the family's order.
pub(super) fn render(family: Family, values: &[&str]) -> String {
    debug_assert_eq!(family.labels().len(), values.len(), "{family:?} has other labels");
    let mut text = String::new();
    for (name, value) in family.labels().iter().zip(values) {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(name);
        text.push_str("=\"");
        push_escaped(&mut text, value);
        text.push('"');
    }
    text
}

pub(super) fn render_other(family: Family) -> String {
    render(family, &vec![OTHER; family.labels().len()])
}

/// Both formats know three escapes: `\\`, `\"` and `\n`. Other control characters have none, and
/// are no part of a name that anyone meant, so they become visible: `\r` reads `\\r`.
pub(super) fn push_escaped(text: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            c if c.is_control() => {
                text.push('\\');
                text.extend(c.escape_default());
            }
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests;
