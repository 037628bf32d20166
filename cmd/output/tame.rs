//! What others wrote (names, headers, paths, messages) on a terminal: it is shown, and steers
//! nothing.

use std::borrow::Cow;

/// The text without what a terminal would obey: of control characters the ends of lines, tabs and
/// our own colours are left, and no direction of writing is turned around.
pub fn tame(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return text.into();
    }
    let (mut tamed, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(steers) {
        let (before, found) = rest.split_at(at);
        tamed.push_str(before);
        let colour = colour(found);
        tamed.push_str(if colour.is_empty() { "\u{fffd}" } else { colour });
        let first = found.chars().next().map_or(0, char::len_utf8);
        rest = &found[colour.len().max(first)..];
    }
    (tamed + rest).into()
}

fn steers(c: char) -> bool {
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || c.is_control() && !matches!(c, '\n' | '\t')
}

/// `ESC [ … m`, if the text begins with one.
fn colour(text: &str) -> &str {
    let Some(inner) = text.strip_prefix("\x1b[") else { return "" };
    let digits = inner.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';').count();
    if inner[digits..].starts_with('m') { &text[.."\x1b[".len() + digits + 1] } else { "" }
}

#[cfg(test)]
mod tests;
