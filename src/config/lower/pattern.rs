//! Regular expressions that are written somewhere: what is in a part compiles.

use super::codes;
use super::view::View;
use crate::config::raw::{At, Object};
use crate::model::{Name, Pattern, pattern};

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
    // Aliases may repeat one expression thousands of times, and reading a long one takes its time.
    let known = view.lowering.patterns.get(pattern).cloned();
    let outcome = known.unwrap_or_else(|| {
        let outcome = pattern::read(pattern).map(|_| ());
        view.lowering.patterns.insert(pattern.into(), outcome.clone());
        outcome
    });
    let Err(why) = outcome else { return Some(Pattern::checked(pattern)) };
    let message = format!("`{}` is no usable regular expression: {why}", text.value);
    view.error(object, codes::BAD_REGEX, text, message);
    None
}
