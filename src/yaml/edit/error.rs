//! Why a text can't be edited, with the place and what to do.

use std::fmt;

use serde_json::Value;

use crate::yaml::{Place, YamlError};

/// Places count from the start of the document.
#[derive(Clone, Debug, PartialEq)]
pub enum EditError {
    /// It can't be read, or two readers would read it differently.
    Yaml(YamlError),
    /// A line of it belongs to a template.
    Template(Place),
    /// The old value isn't the one that was tested for; `None`: there is none.
    Differs(Box<Difference>),
    /// What a change was meant for isn't there.
    Missing(String),
    /// `move` and `copy`.
    Operation,
    /// An anchor's value would have changed for those who use it elsewhere too.
    Shared { place: Place, anchor: String, used: Place },
    /// What is written there takes no such change.
    Unfit { place: Place, what: &'static str },
    /// More work than `limits::EDIT_BYTES` allow.
    TooMuch,
    /// The text that came out said something else, and was thrown away: a mistake of this program.
    Unfaithful(String),
}

/// A test of an old value that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The JSON pointer that was tested.
    pub pointer: String,
    pub expected: Value,
    pub found: Option<Value>,
}

impl EditError {
    /// Where, if it is a place of the text.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::Yaml(error) => Some(error.place),
            Self::Template(place) | Self::Shared { place, .. } | Self::Unfit { place, .. } => {
                Some(*place)
            }
            _ => None,
        }
    }

    /// The same about a stream in which the document stands below `lines` others.
    #[must_use]
    pub fn below(mut self, lines: u32) -> Self {
        let shift = |place: &mut Place| place.line += lines;
        match &mut self {
            Self::Yaml(error) => shift(&mut error.place),
            Self::Shared { place, used, .. } => {
                shift(place);
                shift(used);
            }
            Self::Template(place) | Self::Unfit { place, .. } => {
                shift(place);
            }
            _ => {}
        }
        self
    }

    /// What whoever wanted the change can do.
    pub fn advice(&self) -> Option<String> {
        Some(match self {
            Self::Template(_) => {
                "change the template or its values; what it renders to can be changed here".into()
            }
            Self::Shared { anchor, used, .. } => {
                let alias = anchor.replacen('&', "*", 1);
                let Place { line, column } = used;
                format!(
                    "write the value out in the place of `{alias}` in line {line}, column {column}"
                )
            }
            Self::Unfit { .. } => "write this place in a plainer way, or change it by hand".into(),
            Self::TooMuch => "make the change in several smaller ones".into(),
            Self::Differs(_) => "somebody else has changed it: look, and try again".into(),
            Self::Yaml(_) | Self::Missing(_) | Self::Operation | Self::Unfaithful(_) => {
                return None;
            }
        })
    }
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { line, column }) = self.place() {
            write!(f, "line {line}, column {column}: ")?;
        }
        match self {
            Self::Yaml(error) => f.write_str(&error.message),
            Self::Template(_) => f.write_str("`{{ … }}` belongs to a template and is no YAML"),
            Self::Differs(difference) => difference.fmt(f),
            Self::Missing(pointer) => write!(f, "{pointer} is not there"),
            Self::Operation => f.write_str("a change of a file can't move or copy"),
            Self::Shared { anchor, used, .. } => {
                write!(f, "what `{anchor}` names is used in line {} too", used.line)?;
                f.write_str(", and would change there")
            }
            Self::Unfit { what, .. } => write!(f, "{what} can't be changed like this"),
            Self::TooMuch => f.write_str("the text is too long for so many changes at once"),
            Self::Unfaithful(pointer) => {
                write!(
                    f,
                    "the change of {pointer} didn't come out right, so nothing was changed: "
                )?;
                f.write_str("this is a mistake in meshctl")
            }
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pointer, expected, found } = self;
        match found {
            Some(found) => {
                write!(f, "{pointer} is {}, not {} as expected", shown(found), shown(expected))
            }
            None => write!(f, "{pointer} is not there, and was expected to be {}", shown(expected)),
        }
    }
}

impl std::error::Error for EditError {}

/// A value on one line, cut.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
