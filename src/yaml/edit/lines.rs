//! Lines and gaps of a text, by bytes.

use super::super::Place;
use super::super::documents::next_line;

/// The first byte of the line that `at` stands in.
pub(super) fn start(text: &str, at: usize) -> usize {
    memchr::memrchr2(b'\n', b'\r', &text.as_bytes()[..at]).map_or(0, |before| before + 1)
}

/// After the last byte of the line that `at` stands in, before its break.
pub(super) fn end(text: &str, at: usize) -> usize {
    memchr::memchr2(b'\n', b'\r', &text.as_bytes()[at..]).map_or(text.len(), |after| at + after)
}

/// The first byte of the next line.
pub(super) fn next(text: &str, at: usize) -> usize {
    next_line(text, at)
}

/// The first byte after `at` that is no white space and in no comment; commas are passed over
/// where they separate members.
pub(super) fn gap(text: &str, mut at: usize, commas: bool) -> usize {
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => at += 1,
            b'#' if at == 0 || matches!(bytes[at - 1], b' ' | b'\t' | b'\r' | b'\n') => {
                at = end(text, at);
            }
            b',' if commas => at += 1,
            _ => break,
        }
    }
    at
}

/// The end of the last of the blank lines that follow that of `at`, or of this.
pub(super) fn blank_lines(text: &str, at: usize) -> usize {
    let (mut last, mut after) = (at, next(text, end(text, at)));
    while after < text.len() && text[after..end(text, after)].trim().is_empty() {
        last = end(text, after);
        after = next(text, last);
    }
    last
}

/// The column of the comment that stands on the next line with anything on it.
pub(super) fn comment_below(text: &str, at: usize) -> Option<usize> {
    let below = next(text, end(text, blank_lines(text, at)));
    let line = &text[below..end(text, below)];
    let content = line.trim_start_matches([' ', '\t']);
    content.starts_with('#').then(|| line.len() - content.len())
}

/// Whether a comment stands between two places.
pub(super) fn holds_comment(text: &str, from: usize, to: usize) -> bool {
    let between = &text[from..to];
    between.match_indices('#').any(|(at, _)| {
        let before = text.as_bytes()[..from + at].last();
        before.is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
    })
}

/// Whether nothing but white space stands before `at` on its line.
pub(super) fn begins_line(text: &str, at: usize) -> bool {
    text[start(text, at)..at].trim_matches([' ', '\t']).is_empty()
}

pub(super) fn same_line(text: &str, one: usize, other: usize) -> bool {
    start(text, one) == start(text, other)
}

/// How the line of `at` ends; empty in the last line.
pub(super) fn line_break(text: &str, at: usize) -> &str {
    let end = end(text, at);
    &text[end..next(text, end)]
}

/// A place as people count.
pub(super) fn place(text: &str, at: usize) -> Place {
    let (mut line, mut from) = (1, 0);
    let last = start(text, at);
    while from < last {
        from = next(text, from);
        line += 1;
    }
    let column = text[last..at].chars().count() + 1;
    Place { line, column: u32::try_from(column).unwrap_or(u32::MAX) }
}
