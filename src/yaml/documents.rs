//! A stream into its documents, by lines alone: YAML forbids `---` and `...` at the start of a
//! line inside every scalar, so no parser is needed to see that a document is unchanged.

/// One document of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentText<'a> {
    /// With its `---` line and directives, if it has them.
    pub text: &'a str,
    /// Lines of the stream above it.
    pub line_offset: u32,
}

/// The documents that hold anything: those of comments and blank lines alone are skipped.
pub fn documents(text: &str) -> impl Iterator<Item = DocumentText<'_>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Documents { text, position: 0, line: 0 }
}

/// The line of a text, 1-based, without its line break; counted as the parser counts.
pub fn line(text: &str, number: u32) -> Option<&str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut position = 0;
    for _ in 1..number {
        position = next_line(text, position);
        if position >= text.len() {
            return None;
        }
    }
    let line = text.get(position..next_line(text, position))?;
    (number > 0).then(|| line.trim_end_matches(['\r', '\n']))
}

struct Documents<'a> {
    text: &'a str,
    position: usize,
    line: u32,
}

/// What has been seen of the document being collected.
#[derive(Default)]
struct Seen {
    start: usize,
    line_offset: u32,
    marker: bool,
    directive: bool,
    content: bool,
}

impl<'a> Iterator for Documents<'a> {
    type Item = DocumentText<'a>;

    fn next(&mut self) -> Option<DocumentText<'a>> {
        let mut seen = Seen { start: self.position, line_offset: self.line, ..Seen::default() };
        while self.position < self.text.len() {
            let here = self.position;
            let next = next_line(self.text, here);
            let line = &self.text[here..next];
            if let Some(rest) = after_marker(line, "---") {
                if seen.content || seen.directive && seen.marker {
                    return Some(self.document(&seen, here));
                }
                if !seen.directive || seen.marker {
                    seen = Seen { start: here, line_offset: self.line, ..Seen::default() };
                }
                seen.marker = true;
                seen.content = is_content(rest);
            } else if after_marker(line, "...").is_some() {
                self.advance(next);
                if seen.content || seen.directive {
                    return Some(self.document(&seen, next));
                }
                seen = Seen { start: next, line_offset: self.line, ..Seen::default() };
                continue;
            } else if line.starts_with('%') && !seen.content && !seen.marker {
                seen.directive = true;
            } else {
                seen.content |= is_content(line);
            }
            self.advance(next);
        }
        // A directive without a document is left for the parser to complain about.
        (seen.content || seen.directive && !seen.marker)
            .then(|| self.document(&seen, self.text.len()))
    }
}

impl<'a> Documents<'a> {
    fn document(&self, seen: &Seen, end: usize) -> DocumentText<'a> {
        DocumentText { text: &self.text[seen.start..end], line_offset: seen.line_offset }
    }

    fn advance(&mut self, next: usize) {
        self.position = next;
        self.line = self.line.saturating_add(1);
    }
}

/// The position after the line's break: `\n`, `\r\n` or, as in YAML, a lone `\r`.
pub(super) fn next_line(text: &str, position: usize) -> usize {
    let rest = &text.as_bytes()[position..];
    match memchr::memchr2(b'\n', b'\r', rest) {
        None => text.len(),
        Some(at) if rest[at] == b'\r' && rest.get(at + 1) == Some(&b'\n') => position + at + 2,
        Some(at) => position + at + 1,
    }
}

fn after_marker<'a>(line: &'a str, marker: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(marker)?;
    (rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n'])).then_some(rest)
}

fn is_content(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '\t', '\r', '\n', '\u{feff}']);
    !line.is_empty() && !line.starts_with('#')
}
