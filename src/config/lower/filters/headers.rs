//! Header modifiers.

use std::collections::BTreeSet;

use crate::config::codes;
use crate::config::lower::matches::is_token;
use crate::config::lower::view::View;
use crate::config::raw::{self, At, Object};
use crate::model::{FRAMING, HeaderEdit, HeaderName, Name};

/// Lower-case names; of several entries for one name in a list the first counts (Gateway API).
pub(super) fn edit(
    view: &mut View<'_>,
    object: &Object,
    written: &raw::HeaderEdit,
    request: bool,
) -> Option<HeaderEdit> {
    let set = fields(view, object, &written.set, request);
    let add = fields(view, object, &written.add, request);
    let mut remove = Some(Vec::new());
    let mut seen = BTreeSet::new();
    for text in &written.remove {
        match (name(view, object, text, request), &mut remove) {
            (None, _) => remove = None,
            (Some(name), Some(list)) if seen.insert(name.clone()) => list.push(name),
            _ => {}
        }
    }
    Some(HeaderEdit { set: set?, add: add?, remove: remove? })
}

fn fields(
    view: &mut View<'_>,
    object: &Object,
    written: &[(At<Name>, At<Name>)],
    request: bool,
) -> Option<Vec<(HeaderName, Name)>> {
    let mut seen = BTreeSet::new();
    let mut fields = Some(Vec::new());
    for (text, value) in written {
        let name = name(view, object, text, request);
        let value = field_value(view, object, value);
        match (name, value, &mut fields) {
            (Some(name), Some(value), Some(list)) => {
                if seen.insert(name.clone()) {
                    list.push((name, value));
                } else {
                    let message = format!("`{name}` stands above: this entry does not count");
                    view.warning(object, codes::FILTER_INVALID, text, message);
                }
            }
            _ => fields = None,
        }
    }
    fields
}

fn name(
    view: &mut View<'_>,
    object: &Object,
    text: &At<Name>,
    request: bool,
) -> Option<HeaderName> {
    let name = text.value.to_ascii_lowercase();
    let (message, help) = if !is_token(&name) {
        (format!("`{}` is not a header name", text.value), None)
    } else if FRAMING.contains(&name.as_str()) {
        (format!("`{name}` belongs to the connection and can't be changed"), None)
    } else if request && name == "host" {
        let help = "use a URLRewrite filter with `hostname`";
        ("`host` can't be changed here".to_owned(), Some(help))
    } else {
        return Some(name.into());
    };
    let finding = view.error(object, codes::FILTER_INVALID, text, message);
    if let Some(help) = help {
        finding.help(help);
    }
    None
}

/// A field value of RFC 9110 §5.5, without the white space around it.
fn field_value(view: &mut View<'_>, object: &Object, value: &At<Name>) -> Option<Name> {
    let trimmed = value.value.trim_matches([' ', '\t']);
    if trimmed.chars().all(|c| c == '\t' || !c.is_control()) {
        return Some(trimmed.into());
    }
    let message = "a header value can't hold control characters";
    view.error(object, codes::FILTER_INVALID, &value.place, message);
    None
}
