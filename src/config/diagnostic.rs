//! What is wrong with a configuration: collected, never printed here.

use std::sync::Arc;

use super::codes;
use super::raw::{Origin, Place};

/// A stable code, `MC0012`. The table of all codes, with their explanations for
/// `meshctl explain MC0012`, is `codes.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub u16);

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MC{:04}", self.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One mistake: what, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    /// ``unknown field `hostnmes` ``: no file, no line, no full stop.
    pub message: String,
    pub file: Arc<str>,
    /// Line and column in the file, 1-based; 0 where there is no place.
    pub place: Place,
    /// How many characters the excerpt underlines; 0 leaves the excerpt out, as for secrets.
    pub width: u32,
    /// What to do: ``did you mean `hostnames`?``, or what the code's row says. Never empty.
    pub help: String,
}

impl Diagnostic {
    pub fn error(code: Code, origin: &Origin, place: Place, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            file: origin.file.clone(),
            place: in_file(origin, place),
            width: 1,
            help: codes::help(code).to_owned(),
        }
    }

    pub fn warning(code: Code, origin: &Origin, place: Place, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, origin, place, message) }
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    #[must_use]
    pub fn width(mut self, characters: usize) -> Self {
        self.width = u32::try_from(characters).unwrap_or(u32::MAX);
        self
    }
}

fn in_file(origin: &Origin, place: Place) -> Place {
    if place.line == 0 {
        return place;
    }
    Place { line: place.line + origin.line_offset, column: place.column }
}
