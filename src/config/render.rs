//! Diagnostics as a person reads them, as one line each, and as data.
//!
//! Files may hold anything: control characters never reach a terminal, long lines are cut around
//! their place, and a diagnostic without width (a Secret's) shows no line at all.
//!
//! This module must not know where its text goes.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::sync::Arc;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use super::{Diagnostic, Severity};
use crate::limits;
use crate::yaml;

/// Characters of a line that are shown; what is further away from the place is cut.
const EXCERPT: usize = 120;
/// Of these, before the place.
const BEFORE: usize = 48;

/// Code, severity, place, excerpt and help of each, in the order of files and lines. `source` gives
/// the text of a file by the name that the diagnostic has for it; without it there is no excerpt.
pub fn render(
    diagnostics: &[Diagnostic],
    source: &dyn Fn(&str) -> Option<Arc<str>>,
    colour: bool,
) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let sorted = sorted(diagnostics);
    let mut text = String::new();
    let mut file: Option<(&str, Option<Arc<str>>)> = None;
    for diagnostic in sorted.iter().take(limits::DIAGNOSTICS) {
        if file.as_ref().is_none_or(|(name, _)| *name != &*diagnostic.file) {
            file = Some((&diagnostic.file, source(&diagnostic.file)));
        }
        let lines = file.as_ref().and_then(|(_, text)| text.as_deref());
        text.push_str(&one(diagnostic, lines, &renderer));
        text.push_str("\n\n");
    }
    if let Some(rest) = sorted.len().checked_sub(limits::DIAGNOSTICS).filter(|rest| *rest > 0) {
        let _ = writeln!(text, "… and {rest} more");
    }
    text
}

fn one(diagnostic: &Diagnostic, source: Option<&str>, renderer: &Renderer) -> String {
    let code = diagnostic.code.to_string();
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(neutral(&diagnostic.message)).id(&*code));
    // The library counts columns in what it is shown, which may be a piece of the line.
    let mut shown = None;
    match source.and_then(|text| Excerpt::of(diagnostic, text)) {
        Some(excerpt) => {
            shown = Some(excerpt.line[..excerpt.start].chars().count() + 1);
            group = group.element(excerpt.snippet(diagnostic).path(neutral(&diagnostic.file)));
        }
        None if diagnostic.file.is_empty() => {}
        None => group = group.element(origin(diagnostic)),
    }
    if !diagnostic.help.is_empty() {
        group = group.element(Level::HELP.message(neutral(&diagnostic.help)));
    }
    let text = renderer.render(&[group]);
    match shown {
        None => text,
        Some(column) => {
            let place = |column| format!("{}:{column}", diagnostic.place.line);
            let (wrong, right) = (place(column), place(diagnostic.place.column as usize));
            let arrow = text.find("-->").unwrap_or(0);
            let (title, rest) = text.split_at(arrow);
            let file = neutral(&diagnostic.file);
            let rest = rest.replacen(&format!("{file}:{wrong}"), &format!("{file}:{right}"), 1);
            format!("{title}{rest}")
        }
    }
}

fn origin(diagnostic: &Diagnostic) -> Origin<'static> {
    let origin = Origin::path(neutral(&diagnostic.file));
    if diagnostic.place.line == 0 {
        return origin;
    }
    origin.line(diagnostic.place.line as usize).char_column(diagnostic.place.column as usize)
}

/// A line that may be shown, and the bytes of it that are underlined.
struct Excerpt {
    line: String,
    start: usize,
    end: usize,
}

impl Excerpt {
    /// `None` where nothing may be shown or the text has changed since.
    fn of(diagnostic: &Diagnostic, text: &str) -> Option<Self> {
        let place = diagnostic.place;
        if diagnostic.width == 0 || place.line == 0 {
            return None;
        }
        let whole = yaml::line(text, place.line)?;
        let column = (place.column as usize).saturating_sub(1);
        let is_short = whole.chars().nth(EXCERPT).is_none();
        let first = if is_short { 0 } else { column.saturating_sub(BEFORE) };
        let window: Vec<char> = whole.chars().skip(first).take(EXCERPT + 1).map(visible).collect();
        let is_more = window.len() > EXCERPT;
        let shown = &window[..window.len().min(EXCERPT)];
        let (before, after) = shown.split_at((column - first).min(shown.len()));
        let (marked, after) = after.split_at((diagnostic.width as usize).min(after.len()));
        let mut line = String::from(if first > 0 { "…" } else { "" });
        line.extend(before);
        let start = line.len();
        line.extend(marked);
        let end = line.len();
        line.extend(after);
        if is_more {
            line.push('…');
        }
        Some(Self { line, start, end })
    }

    fn snippet(self, diagnostic: &Diagnostic) -> Snippet<'static, Annotation<'static>> {
        Snippet::source(self.line)
            .line_start(diagnostic.place.line as usize)
            .annotation(AnnotationKind::Primary.span(self.start..self.end))
    }
}

/// A line for each, in the order of `render`.
pub fn lines(diagnostics: &[Diagnostic]) -> Vec<String> {
    sorted(diagnostics).into_iter().map(line).collect()
}

/// `file:3:5: error[MC0012]: unknown field, did you mean …`: for scripts, editors and `-q`.
pub fn line(diagnostic: &Diagnostic) -> String {
    let mut line = String::new();
    if !diagnostic.file.is_empty() {
        let _ = write!(line, "{}:", neutral(&diagnostic.file));
        if diagnostic.place.line > 0 {
            let _ = write!(line, "{}:{}:", diagnostic.place.line, diagnostic.place.column);
        }
        line.push(' ');
    }
    let severity = diagnostic.severity.as_str();
    let _ = write!(line, "{severity}[{}]: {}", diagnostic.code, neutral(&diagnostic.message));
    if !diagnostic.help.is_empty() {
        let _ = write!(line, "; {}", neutral(&diagnostic.help));
    }
    line
}

/// One diagnostic of `-o json`. The field names are the product's promise.
#[derive(Debug, Serialize)]
pub struct Row<'d> {
    pub code: String,
    pub severity: &'static str,
    pub message: &'d str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub file: &'d str,
    /// 1-based; 0 where there is no place.
    pub line: u32,
    pub column: u32,
    pub help: &'d str,
}

impl<'d> From<&'d Diagnostic> for Row<'d> {
    fn from(diagnostic: &'d Diagnostic) -> Self {
        Self {
            code: diagnostic.code.to_string(),
            severity: diagnostic.severity.as_str(),
            message: &diagnostic.message,
            file: &diagnostic.file,
            line: diagnostic.place.line,
            column: diagnostic.place.column,
            help: &diagnostic.help,
        }
    }
}

/// All of them as data, in the order of `render`.
pub fn rows(diagnostics: &[Diagnostic]) -> Vec<Row<'_>> {
    sorted(diagnostics).into_iter().map(Row::from).collect()
}

/// By file and place; what an alias repeated is said once.
fn sorted(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut sorted: Vec<_> = diagnostics.iter().collect();
    sorted.sort_by_key(|d| (&d.file, d.place, d.severity, d.code, &d.message));
    sorted.dedup();
    sorted
}

fn neutral(text: &str) -> String {
    text.chars().map(visible).collect()
}

/// One character for one, so that columns hold. Escapes and what reorders text on a screen become
/// pictures of themselves; a line break can't start a line of its own making.
fn visible(c: char) -> char {
    match c {
        '\t' => ' ',
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}' => '\u{fffd}',
        _ => c,
    }
}
