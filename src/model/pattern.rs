//! Regular expressions, as lowering checks and the Snapshot compiles them: one reading for both.
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
use regex_syntax::hir::{self, Hir};

use super::Name;
use crate::limits;

#[cfg(test)]
mod tests;

/// A regular expression that lowering has compiled once already; equality is by text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern(Name);

impl Pattern {
    /// For lowering, which has checked that the text compiles within the limits.
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

/// Why a text is no expression, as the end of a sentence.
pub fn read(text: &str) -> Result<Expression, String> {
    let ascii = text.is_ascii().then(|| parse(text, false));
    match ascii {
        Some(Ok(hir)) => Ok(Expression { hir, unicode: false }),
        Some(Err(error)) if !is_unicode_asked(&error) => Err(reason(&error)),
        Some(Err(_)) | None => {
            let hir = parse(text, true).map_err(|error| reason(&error))?;
            Ok(Expression { hir, unicode: true })
        }
    }
}

/// An expression that takes whole values only, or why the text is none that can be used.
pub fn compile(text: &str) -> Result<Regex, String> {
    let Expression { unicode, .. } = read(text)?;
    // Read alone first: `a)|(b` is an expression only between these parentheses, and there it
    // isn't anchored.
    RegexBuilder::new(&format!("^(?:{text})$"))
        .unicode(unicode)
        .size_limit(limits::REGEX_BYTES)
        // Each worker has a cache of its own for each expression.
        .dfa_size_limit(limits::REGEX_BYTES)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(bytes) => {
                format!("it is larger than {bytes} bytes when it is compiled")
            }
            error => last_line(&error.to_string()),
        })
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
