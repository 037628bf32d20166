//! New values as text: in the style of what stood there, or of what stands around.

use serde_json::Value;
use serde_yaml::granit_parser::ScalarStyle;

use super::written::Habits;

/// How members of a flow collection are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    /// Where somebody would read it differently without.
    AsNeeded,
    /// Every key and string: the document is JSON, or looks like it.
    All,
}

/// A scalar on one line. `like` is the style of what stood in its place.
pub(super) fn scalar(value: &Value, like: ScalarStyle, in_flow: bool, quotes: Quotes) -> String {
    let Value::String(text) = value else { return value.to_string() };
    let single = || format!("'{}'", text.replace('\'', "''"));
    match (quotes, like) {
        (_, ScalarStyle::SingleQuoted) if is_printable(text) => single(),
        (Quotes::AsNeeded, ScalarStyle::Plain | ScalarStyle::Literal | ScalarStyle::Folded)
            if is_plain(text, in_flow) =>
        {
            text.clone()
        }
        _ => double_quoted(text),
    }
}

/// A value within brackets, or a scalar.
pub(super) fn flow(value: &Value, quotes: Quotes) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| flow(item, quotes)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) => {
            let entry = |(name, value): (&String, &Value)| {
                format!("{}: {}", key(name, true, quotes), flow(value, quotes))
            };
            let entries: Vec<_> = entries.iter().map(entry).collect();
            format!("{{{}}}", entries.join(", "))
        }
        scalar_value => scalar(scalar_value, ScalarStyle::Plain, true, quotes),
    }
}

pub(super) fn key(text: &str, in_flow: bool, quotes: Quotes) -> String {
    scalar(&text.into(), ScalarStyle::Plain, in_flow, quotes)
}

/// The lines of a list or map that isn't empty, in block style; none is indented by less than
/// nothing, which is where its `-` or keys stand.
pub(super) fn block(value: &Value, habits: Habits) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(|item| block_item(item, 2, habits)).collect(),
        Value::Object(entries) => {
            let lines = entries.iter().map(|(name, value)| block_entry(name, value, habits));
            lines.flatten().collect()
        }
        other => vec![scalar(other, ScalarStyle::Plain, false, Quotes::AsNeeded)],
    }
}

/// A list's item whose content stands `gap` columns after its dash.
pub(super) fn block_item(value: &Value, gap: usize, habits: Habits) -> Vec<String> {
    let dash = format!("-{}", " ".repeat(gap - 1));
    match literal(value, habits) {
        Some((header, lines)) => headed(format!("{dash}{header}"), lines, gap),
        None if is_inline(value) => vec![dash + &inline(value)],
        None => {
            let mut lines = indented(block(value, habits), gap);
            lines[0].replace_range(..gap, &dash);
            lines
        }
    }
}

pub(super) fn block_entry(name: &str, value: &Value, habits: Habits) -> Vec<String> {
    let key = key(name, false, Quotes::AsNeeded);
    match literal(value, habits) {
        Some((header, lines)) => headed(format!("{key}: {header}"), lines, habits.map().max(1)),
        None if is_inline(value) => vec![format!("{key}: {}", inline(value))],
        None => headed(format!("{key}:"), block(value, habits), below(value, habits)),
    }
}

/// Columns between a key and the collection below it.
pub(super) fn below(value: &Value, habits: Habits) -> usize {
    if value.is_array() { habits.list() } else { habits.map().max(1) }
}

/// What fits behind its key in every style: scalars, `[]`, `{}`.
pub(super) fn is_inline(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        _ => true,
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => flow(value, Quotes::AsNeeded),
        other => scalar(other, ScalarStyle::Plain, false, Quotes::AsNeeded),
    }
}

/// A text of several lines as `|`, where nothing of it would be lost or hidden.
pub(super) fn literal(value: &Value, habits: Habits) -> Option<(&'static str, Vec<String>)> {
    let Value::String(text) = value else { return None };
    if !habits.may_write_lines() {
        return None;
    }
    let (header, body) = match text.strip_suffix('\n') {
        Some(body) => ("|", body),
        None => ("|-", &**text),
    };
    let visible = |line: &str| is_printable(line) && !line.ends_with([' ', '\t']);
    let simple = !body.starts_with([' ', '\t', '\n']) && !body.ends_with('\n');
    let several = body.contains('\n') && simple && body.split('\n').all(visible);
    several.then(|| (header, body.split('\n').map(str::to_owned).collect()))
}

fn headed(head: String, lines: Vec<String>, columns: usize) -> Vec<String> {
    std::iter::once(head).chain(indented(lines, columns)).collect()
}

pub(super) fn indented(lines: Vec<String>, columns: usize) -> Vec<String> {
    let indent = " ".repeat(columns);
    let one = |line: String| if line.is_empty() { line } else { format!("{indent}{line}") };
    lines.into_iter().map(one).collect()
}

/// Whether every reader takes the bare text for a string, for this string.
fn is_plain(text: &str, in_flow: bool) -> bool {
    let apart = [',', '[', ']', '{', '}', ':', '#', '?'];
    if text.contains(['\n', '\r']) || in_flow && text.contains(apart) {
        return false;
    }
    super::super::write(&text).strip_suffix('\n') == Some(text)
}

fn is_printable(text: &str) -> bool {
    text.chars().all(|c| !is_special(c))
}

/// What would not be seen, or not be read back, if it stood in a text as it is.
fn is_special(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// JSON's spelling, which YAML reads alike.
fn double_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    for c in Value::from(text).to_string().chars() {
        if is_special(c) {
            quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            quoted.push(c);
        }
    }
    quoted
}
