//! What of a document was read. Every leaf is either taken by somebody or reported, because what
//! nobody took is reported at the end: forgetting a field says so by itself.
//!
//! This module must not know what a field means.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::config::raw::{Origin, Place};
use crate::config::{Code, Diagnostic, Severity, codes};
use crate::yaml::{Node, Value};

/// One object, and what was read of it.
#[derive(Debug)]
pub(super) struct Document {
    root: Node,
    origin: Origin,
    /// Paths of leaves.
    read: RefCell<BTreeSet<String>>,
    said: RefCell<Vec<Diagnostic>>,
}

/// A place in a document.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'d> {
    document: &'d Document,
    node: &'d Node,
    path: String,
    place: Place,
    width: u32,
}

impl Document {
    pub(super) fn new(root: Node, origin: Origin) -> Self {
        Self { root, origin, read: RefCell::default(), said: RefCell::default() }
    }

    pub(super) fn root(&self) -> Cursor<'_> {
        let Node { place, width, .. } = self.root;
        Cursor { document: self, node: &self.root, path: String::new(), place, width }
    }

    /// `group/version` and kind; empty where the object doesn't say.
    pub(super) fn kind(&self) -> (&str, &str) {
        let text = |key| self.root.get(key).and_then(Node::as_str).unwrap_or_default();
        (text("apiVersion"), text("kind"))
    }

    /// Reports what nobody read, and gives away all that was said.
    pub(super) fn finish(&self) -> Vec<Diagnostic> {
        let mut unread = Vec::new();
        self.unread(&self.root(), &mut unread);
        for cursor in unread {
            let message = format!("`{}` is not carried over", cursor.path);
            cursor.say(Severity::Error, codes::NOT_CARRIED, message, None);
        }
        self.said.take()
    }

    /// The greatest pieces of which nothing was read; whether that is all of it. As deep as the
    /// parser lets documents be.
    fn unread<'d>(&'d self, cursor: &Cursor<'d>, found: &mut Vec<Cursor<'d>>) -> bool {
        let below = cursor.below();
        if below.is_empty() {
            let is_read =
                cursor.node.value == Value::Null || self.read.borrow().contains(&cursor.path);
            if !is_read {
                found.push(cursor.clone());
            }
            return !is_read;
        }
        let before = found.len();
        let mut whole = true;
        for one in &below {
            whole &= self.unread(one, found);
        }
        // Each annotation is a word of its own.
        if whole && !cursor.path.is_empty() && !cursor.path.ends_with("annotations") {
            found.truncate(before);
            found.push(cursor.clone());
        }
        whole
    }
}

impl<'d> Cursor<'d> {
    /// A field; `null` is the same as nothing.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        let Value::Map(entries) = &self.node.value else { return None };
        let entry = entries.iter().find(|entry| &*entry.key == key)?;
        let path = self.path_of(key);
        (entry.value.value != Value::Null).then_some(Self {
            document: self.document,
            node: &entry.value,
            path,
            place: entry.key_place,
            width: entry.key_width,
        })
    }

    fn path_of(&self, key: &str) -> String {
        let plain = key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        match (plain, self.path.is_empty()) {
            (true, true) => key.to_owned(),
            (true, false) => format!("{}.{key}", self.path),
            (false, _) => format!("{}[{key}]", self.path),
        }
    }

    /// What a map or list holds.
    fn below(&self) -> Vec<Self> {
        match &self.node.value {
            Value::Map(_) => self.keys().filter_map(|key| self.entry(key)).collect(),
            Value::List(nodes) => self.nodes(nodes),
            _ => Vec::new(),
        }
    }

    /// As [`Self::get`], `null` included.
    fn entry(&self, key: &str) -> Option<Self> {
        let Value::Map(entries) = &self.node.value else { return None };
        let entry = entries.iter().find(|entry| &*entry.key == key)?;
        Some(Self {
            document: self.document,
            node: &entry.value,
            path: self.path_of(key),
            place: entry.key_place,
            width: entry.key_width,
        })
    }

    fn keys(&self) -> impl Iterator<Item = &'d str> + use<'d> {
        let entries = match &self.node.value {
            Value::Map(entries) => &entries[..],
            _ => &[],
        };
        entries.iter().map(|entry| &*entry.key)
    }

    fn nodes(&self, nodes: &'d [Node]) -> Vec<Self> {
        let of = |(at, node): (usize, &'d Node)| Self {
            document: self.document,
            node,
            path: format!("{}[{at}]", self.path),
            place: node.place,
            width: node.width,
        };
        nodes.iter().enumerate().map(of).collect()
    }

    /// The items of a list; anything else is reported and has none.
    pub(super) fn items(&self) -> Vec<Self> {
        match &self.node.value {
            Value::List(nodes) => {
                if nodes.is_empty() {
                    self.mark();
                }
                self.nodes(nodes)
            }
            _ => {
                self.wrong("a list");
                Vec::new()
            }
        }
    }

    /// The items of a field that is a list.
    pub(super) fn list(&self, key: &str) -> Vec<Self> {
        self.get(key).map(|list| list.items()).unwrap_or_default()
    }

    /// The entries of a map whose keys are data.
    pub(super) fn entries(&self) -> Vec<(&'d str, Self)> {
        if !matches!(self.node.value, Value::Map(_)) {
            self.wrong("a map");
        }
        let found: Vec<_> = self.keys().filter_map(|key| Some((key, self.get(key)?))).collect();
        if found.is_empty() {
            self.mark();
        }
        found
    }

    pub(super) fn text(&self) -> Option<&'d str> {
        match &self.node.value {
            Value::String(text) => {
                self.mark();
                Some(text)
            }
            _ => {
                self.wrong("a string");
                None
            }
        }
    }

    pub(super) fn number(&self) -> Option<i64> {
        match self.node.value {
            Value::Int(number) => {
                self.mark();
                Some(number)
            }
            _ => {
                self.wrong("a whole number");
                None
            }
        }
    }

    /// A number with or without a fraction.
    #[expect(clippy::cast_precision_loss, reason = "percentages are small")]
    pub(super) fn float(&self) -> Option<f64> {
        match self.node.value {
            Value::Float(number) => {
                self.mark();
                Some(number)
            }
            _ => self.number().map(|number| number as f64),
        }
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        match self.node.value {
            Value::Bool(value) => {
                self.mark();
                Some(value)
            }
            _ => {
                self.wrong("a boolean");
                None
            }
        }
    }

    pub(super) fn text_of(&self, key: &str) -> Option<&'d str> {
        self.get(key)?.text()
    }

    /// 1 to 65535.
    pub(super) fn port_of(&self, key: &str) -> Option<u16> {
        let cursor = self.get(key)?;
        let number = cursor.number()?;
        let port = u16::try_from(number).ok().filter(|port| *port != 0);
        if port.is_none() {
            cursor.unreadable(format!("{number} is not a port"), "write 1 to 65535");
        }
        port
    }

    /// Whether a map holds nothing but what was read already, or nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        let empty = self.below().is_empty();
        if empty {
            self.mark();
        }
        empty
    }

    pub(super) fn json(&self) -> Json {
        self.node.json()
    }

    /// Whether somebody read this leaf.
    pub(super) fn is_read(&self) -> bool {
        self.document.read.borrow().contains(&self.path)
    }

    /// All that is below was understood, or means nothing here.
    pub(super) fn take(&self) {
        let mut waiting = vec![self.clone()];
        while let Some(cursor) = waiting.pop() {
            let below = cursor.below();
            if below.is_empty() {
                cursor.mark();
            }
            waiting.extend(below);
        }
    }

    fn mark(&self) {
        self.document.read.borrow_mut().insert(self.path.clone());
    }

    fn wrong(&self, expected: &str) {
        let message = format!("expected {expected}, found {}", self.node.value.describe());
        self.say(Severity::Error, codes::NOT_CONVERTED, message, None);
    }

    /// Not carried over, and why; what is below is not asked for again.
    pub(super) fn lost(&self, why: impl Into<String>, help: &str) {
        self.say(Severity::Error, codes::NOT_CARRIED, why.into(), Some(help));
    }

    pub(super) fn unreadable(&self, why: impl Into<String>, help: &str) {
        self.say(Severity::Error, codes::NOT_CONVERTED, why.into(), Some(help));
    }

    /// Carried over; what differs.
    pub(super) fn differs(&self, how: impl Into<String>, help: &str) {
        self.say(Severity::Warning, codes::CARRIED_DIFFERENTLY, how.into(), Some(help));
    }

    /// As [`Self::say`] about a place of which every field stays to be read.
    pub(super) fn tell(&self, severity: Severity, code: Code, message: String, help: &str) {
        self.push(severity, code, message, Some(help));
    }

    /// The line of the file.
    pub(super) fn line(&self) -> u32 {
        self.place.line + self.document.origin.line_offset
    }

    /// The one that says more than which field it is; what is below needs no other report.
    pub(super) fn say(&self, severity: Severity, code: Code, message: String, help: Option<&str>) {
        self.take();
        self.push(severity, code, message, help);
    }

    fn push(&self, severity: Severity, code: Code, message: String, help: Option<&str>) {
        let origin = &self.document.origin;
        let mut one = Diagnostic::error(code, origin, self.place, message);
        one.severity = severity;
        one.width = self.width;
        if let Some(help) = help.filter(|help| !help.is_empty()) {
            one.help = help.to_owned();
        }
        self.document.said.borrow_mut().push(one);
    }
}
