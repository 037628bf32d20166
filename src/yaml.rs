//! The one door to YAML: text into trees that know their places, values into text.
//!
//! Reading goes through the parser's events and not through serde: a deserializer tells neither a
//! plain scalar from a quoted one nor `yes` from `true`, and counts what an alias costs only
//! after it was paid. Here an alias shares what it names and is charged before it is followed, so
//! 1 MiB of input stays below a second and 64 MB whatever it holds.
//!
//! Changing goes through [`edit()`], which leaves every byte alone that isn't meant.
//!
//! This module must not know Kubernetes, files or diagnostics.

mod compose;
mod documents;
mod edit;
mod scalar;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::Serialize;

pub use compose::parse;
pub use documents::{DocumentText, documents, line};
pub use edit::{Difference, EditError, edit};

/// A place in a file: 1-based line and column (in characters), counted from the start of the
/// document, which itself may move as lines above it come and go. `0:0` is "no place" (a cluster,
/// a flag).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    pub line: u32,
    pub column: u32,
}

/// A value, where it stands and how much of its first line it takes up.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub value: Value,
    pub place: Place,
    /// Characters to underline.
    pub width: u32,
    /// What was written, where kubectl (YAML 1.1) and YAML 1.2 read it differently, or where a tag
    /// has the last word. `value` is kubectl's reading; whoever uses it says so to the author.
    pub spelling: Option<Box<str>>,
}

/// Lists and maps are shared by every alias that names them, and so are strings.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    String(Arc<str>),
    List(Arc<[Node]>),
    /// In the order of the text, no key twice, merge keys (`<<`) followed.
    Map(Arc<[Entry]>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: Arc<str>,
    pub key_place: Place,
    pub key_width: u32,
    pub value: Node,
}

impl Node {
    /// The value of a key of a map; `None` for everything else.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|e| &*e.key == key).map(|e| &e.value),
            _ => None,
        }
    }

    /// As kubectl would send it: without its places.
    pub fn json(&self) -> serde_json::Value {
        json(&self.value)
    }

    pub fn is_scalar(&self) -> bool {
        !matches!(self.value, Value::List(_) | Value::Map(_))
    }

    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}

impl Value {
    /// ``expected a string, found a boolean``: with its article.
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a number with a fraction",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// Why a text is no YAML document, or what in it reads as two things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlError {
    pub kind: YamlErrorKind,
    pub place: Place,
    pub width: u32,
    /// Never quotes a value; keys may be named.
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum YamlErrorKind {
    /// The text can't be read on.
    Syntax,
    /// A bound of `limits.rs`.
    TooLarge,
    /// The second of two equal keys.
    DuplicateKey,
    /// A key that readers of YAML understand differently, or that is no text.
    Key,
}

/// YAML as people write it, which every reader understands the same way: block style, what YAML
/// 1.1 would take for a boolean or a number is quoted, no line is folded, the last one is ended.
pub fn write(value: &impl Serialize) -> String {
    let options = serde_yaml::ser_options! {
        compact_list_indent: true,
        folded_wrap_chars: usize::MAX,
        min_fold_chars: usize::MAX,
    };
    let mut text = serde_yaml::to_string_with_options(value, options)
        .expect("what this program writes has string keys and finite numbers");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// The objects of a stream of documents, as JSON has them; documents without one are passed over.
/// For what is handed on unread: everything else is decoded with its places.
pub fn objects(text: &str) -> Result<Vec<serde_json::Value>, YamlError> {
    let mut found = Vec::new();
    for document in documents(text) {
        let node = parse(document.text, &mut Vec::new()).map_err(|error| YamlError {
            place: Place { line: error.place.line + document.line_offset, ..error.place },
            ..error
        })?;
        if node.value != Value::Null {
            found.push(node.json());
        }
    }
    Ok(found)
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::String(text) => (**text).into(),
        Value::List(nodes) => nodes.iter().map(|node| json(&node.value)).collect(),
        Value::Map(entries) => entries
            .iter()
            .map(|entry| (entry.key.to_string(), json(&entry.value.value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}
