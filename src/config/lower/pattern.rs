//! Regular expressions: compiled once here, so that what is in a part compiles.

use regex::{Regex, RegexBuilder};

use super::codes;
use super::view::View;
use crate::config::raw::{At, Object};
use crate::limits;
use crate::model::{Name, Pattern};

/// Compiles as the proxy does: the whole text must match, within `limits::REGEX_BYTES`.
pub fn compile(text: &str) -> Result<Regex, regex::Error> {
    // By itself first: `a)|(b` is no expression, though it would be one between parentheses.
    RegexBuilder::new(text).size_limit(limits::REGEX_BYTES).build()?;
    RegexBuilder::new(&format!("^(?:{text})$")).size_limit(limits::REGEX_BYTES).build()
}

/// A pattern that compiles, or a diagnostic.
pub(super) fn checked(view: &mut View<'_>, object: &Object, text: &At<Name>) -> Option<Pattern> {
    checked_as(view, object, text, &text.value)
}

/// As [`checked`] for a pattern that `text` is a piece of.
pub(super) fn checked_as(
    view: &mut View<'_>,
    object: &Object,
    text: &At<Name>,
    pattern: &str,
) -> Option<Pattern> {
    let why = match compile(pattern) {
        Ok(_) => return Some(Pattern::checked(pattern)),
        Err(regex::Error::CompiledTooBig(bytes)) => {
            format!("it is larger than {bytes} bytes when it is compiled")
        }
        Err(error) => {
            // The library draws the expression over several lines; the last one says why.
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
    };
    let message = format!("`{}` is no usable regular expression: {why}", text.value);
    view.error(object, codes::BAD_REGEX, text, message);
    None
}
