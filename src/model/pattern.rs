//! Regular expressions, as lowering reads and the Snapshot compiles them: one reading for both.
//!
//! They are read as RE2 reads them, which is what Envoy and most gateways give their users: `\w`,
//! `\d`, `\s` and `\b` mean ASCII, and so does case without regard. That is also what makes them
//! small: `\w+` in Unicode compiles to 54 KB and half a millisecond, in ASCII to 600 bytes and 20
//! microseconds, and a path is ASCII anyhow. An expression that is itself written with other
//! letters, or with `\p{…}`, is Unicode throughout, as it could mean nothing otherwise.
//!
//! This module must not know where an expression stands.

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{self, Class, ClassUnicodeRange, Hir, HirKind};

use super::Name;
use crate::limits;

#[cfg(test)]
mod tests;

/// A regular expression that lowering has read; equality is by text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern(Name);

impl Pattern {
    /// For lowering, to which [`read`] has said that the text compiles within the limits.
    pub fn checked(text: &str) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What an expression is made of.
#[derive(Clone, Debug)]
pub struct Expression {
    pub hir: Hir,
    unicode: bool,
}

/// An expression within the limits, or why the text is none, as the end of a sentence. What is
/// read here compiles; thousands can be read in the time that takes hundreds to compile.
pub fn read(text: &str) -> Result<Expression, String> {
    // Alone first: `a)|(b` is an expression only between parentheses, and there it isn't anchored.
    let ascii = text.is_ascii().then(|| parse(text, false));
    let (hir, unicode) = match ascii {
        Some(Ok(hir)) => (hir, false),
        Some(Err(error)) if !is_unicode_asked(&error) => return Err(reason(&error)),
        Some(Err(_)) | None => (parse(text, true).map_err(|error| reason(&error))?, true),
    };
    // Its own comment may swallow what follows it.
    let whole = parse(&anchored(text), unicode).map_err(|error| reason(&error))?;
    if size(&whole) > limits::REGEX_BYTES {
        let bytes = limits::REGEX_BYTES;
        return Err(format!("it is larger than {bytes} bytes when it is compiled"));
    }
    Ok(Expression { hir, unicode })
}

fn anchored(text: &str) -> String {
    format!("^(?:{text})$")
}

/// About what an expression takes when it is compiled: states of 24 bytes, 8 more for each range
/// of a class, and the automaton that UTF-8 makes of a range beyond ASCII.
fn size(hir: &Hir) -> usize {
    const STATE: usize = 24;
    const RANGE: usize = 8;
    const UTF8_RANGE: usize = 72;
    let all = |parts: &[Hir]| parts.iter().map(size).fold(STATE, usize::saturating_add);
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => STATE,
        HirKind::Literal(literal) => STATE * literal.0.len(),
        HirKind::Class(Class::Bytes(class)) => STATE + RANGE * class.ranges().len(),
        HirKind::Class(Class::Unicode(class)) => {
            let range = |range: &ClassUnicodeRange| match range.end().is_ascii() {
                true => RANGE,
                false => UTF8_RANGE,
            };
            STATE + class.ranges().iter().map(range).sum::<usize>()
        }
        HirKind::Repetition(repeated) => {
            let times = repeated.max.unwrap_or(repeated.min).max(1);
            size(&repeated.sub).saturating_add(STATE).saturating_mul(times as usize)
        }
        HirKind::Capture(group) => size(&group.sub).saturating_add(2 * STATE),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => all(parts),
    }
}

/// An expression that takes whole values only, or why the text is none that can be used.
pub fn compile(text: &str) -> Result<Regex, String> {
    let Expression { unicode, .. } = read(text)?;
    RegexBuilder::new(&anchored(text))
        .unicode(unicode)
        // Well above what `size` lets through.
        .size_limit(8 * limits::REGEX_BYTES)
        // Each worker has a cache of its own for each expression.
        .dfa_size_limit(limits::REGEX_BYTES)
        .build()
        .map_err(|error| last_line(&error.to_string()))
}

fn parse(text: &str, unicode: bool) -> Result<Hir, Box<regex_syntax::Error>> {
    ParserBuilder::new().unicode(unicode).utf8(false).build().parse(text).map_err(Box::new)
}

fn is_unicode_asked(error: &regex_syntax::Error) -> bool {
    matches!(
        error,
        regex_syntax::Error::Translate(error)
            if matches!(error.kind(), hir::ErrorKind::UnicodeNotAllowed)
    )
}

fn reason(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        error => last_line(&error.to_string()),
    }
}

/// The library draws the expression over several lines; the last one says why.
fn last_line(text: &str) -> String {
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}
