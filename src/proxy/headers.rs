//! The header modifiers of the Gateway API, on requests and responses.
//!
//! Framing and connection fields are the codecs' own: an edit of one (`content-length`,
//! `connection`, …) does nothing here, because a route must not be able to make one message read
//! as two. Lowering reports such edits; this is the second lock.

use crate::model::{FRAMING, HeaderEdit};
use crate::proxy::message::{Fields, RequestHead};

const HOST: &str = "host";

/// Set, add, remove, in this order. Setting `host` replaces the authority that the backend sees
/// (the API leaves it open; Envoy and nginx do the same); a second one can't be added, and the
/// only one can't be removed.
pub fn edit_request(edit: &HeaderEdit, head: &mut RequestHead) {
    apply(edit, &mut head.fields);
    let host = edit.set.iter().find(|(name, value)| &**name == HOST && is_authority(value));
    if let Some((_, value)) = host {
        head.authority.clear();
        head.authority.push_str(value);
        head.authority.make_ascii_lowercase();
    }
}

/// Set, add, remove, in this order.
pub fn edit_response(edit: &HeaderEdit, fields: &mut Fields) {
    apply(edit, fields);
}

fn apply(edit: &HeaderEdit, fields: &mut Fields) {
    for (name, value) in &edit.set {
        if is_free(name) && is_value(value) {
            fields.set(name, value.as_bytes());
        }
    }
    for (name, value) in &edit.add {
        // Another line means the same as another member of the list (RFC 9110 §5.3), and is
        // right for `Set-Cookie`, too.
        if is_free(name) && is_value(value) {
            fields.push(name.as_bytes(), value.as_bytes());
        }
    }
    if !edit.remove.is_empty() {
        fields.retain(|field, _| {
            !edit.remove.iter().any(|name| name.as_bytes() == field && is_free(name))
        });
    }
}

fn is_free(name: &str) -> bool {
    name != HOST && !FRAMING.contains(&name)
}

/// The API's pattern for values is experimental: a manifest may hold a line break.
fn is_value(value: &str) -> bool {
    value.bytes().all(|b| b == b'\t' || (b >= b' ' && b != 0x7f))
}

fn is_authority(value: &str) -> bool {
    !value.is_empty()
        && value.bytes().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']')
        })
}

#[cfg(test)]
mod tests;
