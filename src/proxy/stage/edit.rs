//! Header modifiers.

use crate::model::HeaderEdit;
use crate::proxy::message::{Fields, RequestHead};

/// Set, add, remove, in this order; an added value is a field line of its own (RFC 9110 §5.3
/// lets it stand beside those that are there).
pub fn edit(edit: &HeaderEdit, fields: &mut Fields) {
    for (name, value) in &edit.set {
        fields.set(name, value.as_bytes());
    }
    for (name, value) in &edit.add {
        fields.push(name.as_bytes(), value.as_bytes());
    }
    for name in &edit.remove {
        fields.remove(name);
    }
}

/// A modifier of `host` means the authority, which is not among the fields. It can't be removed:
/// a request without one would be none.
pub(super) fn edit_request(header_edit: &HeaderEdit, head: &mut RequestHead) {
    edit(header_edit, &mut head.fields);
    if let Some(host) = head.fields.get_str("host") {
        head.authority.clear();
        head.authority.push_str(host);
        head.fields.remove("host");
    }
}
