//! Where the mistakes of one document go.

use std::cell::{Cell, RefCell};

use crate::config::raw::{At, Origin, Place};
use crate::config::{Code, Diagnostic, Severity, codes, suggest};
use crate::limits;
use crate::model::Name;
use crate::yaml::{Entry, Node};

/// Collects behind a shared reference, so that decoders can hold several places of a document at
/// once. One per document; nothing is ever reported by returning early.
pub(super) struct Findings<'a> {
    origin: &'a Origin,
    /// The document holds a Secret: no excerpt, no value in a message.
    hidden: bool,
    /// Unknown fields are warnings: a kind of Kubernetes itself, known to clusters of any version.
    lenient: Cell<bool>,
    /// An API server has taken the object, maybe by newer rules than are known here: what was
    /// understood is kept, and only what can't be is an error.
    taken: bool,
    errors: Cell<usize>,
    /// How many are kept, at least one.
    room: usize,
    found: RefCell<Vec<Diagnostic>>,
}

/// What a diagnostic underlines.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    pub(super) place: Place,
    width: u32,
}

impl From<&Node> for Spot {
    fn from(node: &Node) -> Self {
        Self { place: node.place, width: node.width }
    }
}

impl From<&Entry> for Spot {
    fn from(entry: &Entry) -> Self {
        Self { place: entry.key_place, width: entry.key_width }
    }
}

impl From<Place> for Spot {
    fn from(place: Place) -> Self {
        Self { place, width: 1 }
    }
}

impl From<&At<Name>> for Spot {
    fn from(at: &At<Name>) -> Self {
        let width = u32::try_from(at.value.chars().count()).unwrap_or(1).max(1);
        Self { place: at.place, width }
    }
}

impl<'a> Findings<'a> {
    /// `before` diagnostics of other documents are kept already.
    pub(super) fn new(origin: &'a Origin, hidden: bool, before: usize) -> Self {
        Self {
            origin,
            hidden,
            lenient: Cell::new(false),
            taken: false,
            errors: Cell::new(0),
            room: limits::DIAGNOSTICS.saturating_sub(before).max(1),
            found: RefCell::default(),
        }
    }

    pub(super) fn taken_by_a_cluster(self) -> Self {
        Self { taken: true, ..self }
    }

    pub(super) fn is_taken(&self) -> bool {
        self.taken
    }

    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.found.into_inner()
    }

    /// Errors so far: an object whose decoding added to them isn't used.
    pub(super) fn errors(&self) -> usize {
        self.errors.get()
    }

    pub(super) fn be_lenient(&self, lenient: bool) {
        self.lenient.set(lenient || self.taken);
    }

    /// Of a value that is used all the same: who lowers it looks at it again.
    pub(super) fn error(&self, code: Code, spot: impl Into<Spot>, message: impl Into<String>) {
        self.push(self.severity(), code, spot.into(), message.into(), None);
    }

    /// Of a value that can't be held, so that the object would mean something else without it.
    pub(super) fn lost(
        &self,
        code: Code,
        spot: impl Into<Spot>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Severity::Error, code, spot.into(), message.into(), Some(help.into()));
    }

    fn severity(&self) -> Severity {
        if self.taken { Severity::Warning } else { Severity::Error }
    }

    pub(super) fn error_help(
        &self,
        code: Code,
        spot: impl Into<Spot>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(self.severity(), code, spot.into(), message.into(), Some(help.into()));
    }

    pub(super) fn warning(
        &self,
        code: Code,
        spot: impl Into<Spot>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Severity::Warning, code, spot.into(), message.into(), Some(help.into()));
    }

    fn push(
        &self,
        severity: Severity,
        code: Code,
        spot: Spot,
        message: String,
        help: Option<String>,
    ) {
        if severity == Severity::Error {
            self.errors.set(self.errors.get() + 1);
        }
        let mut found = self.found.borrow_mut();
        if found.len() >= self.room {
            // That there is an error must not be lost behind warnings.
            let first_error = severity == Severity::Error && self.errors.get() == 1;
            if !first_error {
                return;
            }
            found.pop();
        }
        let diagnostic = Diagnostic::error(code, self.origin, spot.place, message);
        let width = if self.hidden { 0 } else { spot.width };
        let help = help.unwrap_or_else(|| diagnostic.help.clone());
        found.push(Diagnostic { severity, width, help, ..diagnostic });
    }

    /// Whether another mistake would still be kept: suggestions cost time.
    fn is_full(&self) -> bool {
        self.found.borrow().len() >= self.room && self.errors.get() > 0
    }

    /// The field that was meant, where that can be told and the slip is an error.
    pub(super) fn unknown_field(
        &self,
        entry: &Entry,
        known: &[&'static str],
    ) -> Option<&'static str> {
        if self.is_full() {
            self.errors.set(self.errors.get() + usize::from(!self.lenient.get()));
            return None;
        }
        let message = match self.key(&entry.key) {
            Some(key) => format!("unknown field `{key}`"),
            None => "unknown field".into(),
        };
        let meant = suggest::nearest(&entry.key, known.iter().copied());
        let help = match meant {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("the fields here are {}", suggest::all_of(known)),
        };
        let severity = if self.lenient.get() { Severity::Warning } else { Severity::Error };
        self.push(severity, codes::UNKNOWN_FIELD, entry.into(), message, Some(help));
        meant.filter(|_| severity == Severity::Error)
    }

    /// Forgets what a later finding says better. It was an error all the same.
    pub(super) fn take_back(&self, spot: Spot, message: &str) {
        let place = Diagnostic::error(codes::MISSING_FIELD, self.origin, spot.place, "").place;
        self.found.borrow_mut().retain(|one| one.place != place || one.message != message);
    }

    pub(super) fn wrong_type(&self, node: &Node, expected: &str) {
        let message = format!("expected {expected}, found {}", node.value.describe());
        let help = match (&node.spelling, expected == "a string") {
            (Some(text), true) if !self.hidden => {
                Some(format!("kubectl reads `{}` this way; put it in quotes", shown(text)))
            }
            (_, true) if node.is_scalar() => Some("put it in quotes".into()),
            _ if is_number(node) && expected == "an integer" => {
                Some("write it without quotes".into())
            }
            _ => HOW_TO_WRITE
                .iter()
                .find(|(kind, _)| *kind == expected)
                .map(|(_, how)| (*how).to_owned()),
        };
        self.push(Severity::Error, codes::WRONG_TYPE, node.into(), message, help);
    }

    /// A value was used that not everybody reads this way.
    pub(super) fn ambiguous(&self, node: &Node) {
        let Some(text) = &node.spelling else { return };
        let message = format!(
            "{} is {} for kubectl, but not for every reader of YAML",
            self.value(text),
            node.value.describe()
        );
        let help = match &node.value {
            crate::yaml::Value::Bool(value) if !self.hidden => {
                format!("write `{value}`, or put it in quotes")
            }
            crate::yaml::Value::Int(value) if !self.hidden => {
                format!("write `{value}`, or put it in quotes")
            }
            _ => "leave out the tag, or put it in quotes".into(),
        };
        self.warning(codes::AMBIGUOUS_SCALAR, node, message, help);
    }

    /// A value in a message: in backticks, on one line, cut; never that of a Secret.
    pub(super) fn value(&self, text: &str) -> String {
        match text {
            _ if self.hidden => "this value".into(),
            "" => "`\"\"`".into(),
            _ => format!("`{}`", shown(text)),
        }
    }

    /// A key in a message. A Secret's may be a line of a badly indented value, unless it looks
    /// like a key.
    fn key(&self, key: &str) -> Option<String> {
        let plain = key.len() <= 63
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b));
        (!self.hidden || plain && key.len() <= 32).then(|| shown(key))
    }
}

/// What a value of each kind looks like.
const HOW_TO_WRITE: &[(&str, &str)] = &[
    ("an integer", "write a whole number, without quotes and unit"),
    ("a list", "write each entry on a line of its own, with `- ` before it"),
    ("a map", "write its fields below it, indented, each as `name: value`"),
    ("a boolean", "write `true` or `false`, without quotes"),
    ("a string", "write one text, in quotes where it holds `{`, `[`, `: ` or ` #`"),
];

fn is_number(node: &Node) -> bool {
    node.as_str().is_some_and(|text| text.parse::<i64>().is_ok())
}

fn shown(text: &str) -> String {
    let mut shown: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(64).collect();
    if text.chars().count() > 64 {
        shown.push('…');
    }
    shown
}
