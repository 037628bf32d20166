//! Templates: YAML documents with places to fill. They are parsed first and filled as trees, so
//! that a value is data whatever it holds: no quote, line break or `{{` of it becomes syntax.
//!
//! A placeholder is a whole scalar, `$name`; `$$name` is the text `$name`. What has no value is
//! left out, and so is a map or list that becomes empty by that.
//!
//! This module must not know where a template comes from, nor what its kind means.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

use crate::yaml::{self, Node, Place, YamlError};

#[cfg(test)]
mod tests;

/// What can be filled in, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Without its `$`.
    pub name: &'static str,
    pub about: &'static str,
}

/// What is filled in. A slot that isn't here is left out.
pub type Values = BTreeMap<&'static str, Value>;

/// Why a template can't be filled; a sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateError {
    NotYaml {
        place: Place,
        message: String,
    },
    Empty,
    /// A placeholder that nothing fills; the second one is all that there are.
    Unknown {
        place: Place,
        placeholder: String,
        known: Vec<&'static str>,
    },
    /// A key is never filled in: it decides what the value means.
    Key {
        place: Place,
        key: String,
    },
    /// A value was given that the template has no place for.
    Lacks(Slot),
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYaml { place, message } => {
                write!(f, "{}:{}: {message}", place.line, place.column)
            }
            Self::Empty => f.write_str("it holds no object"),
            Self::Unknown { place, placeholder, known } => write!(
                f,
                "{}:{}: there is no placeholder `{placeholder}`; there are {}, and `$$` begins a \
                 text with a dollar sign",
                place.line,
                place.column,
                listed(known)
            ),
            Self::Key { place, key } => write!(
                f,
                "{}:{}: `{key}` is a key, and only values are filled in",
                place.line, place.column
            ),
            Self::Lacks(Slot { name, about }) => {
                write!(f, "it has no placeholder `${name}`, so {about} would be lost")
            }
        }
    }
}

impl std::error::Error for TemplateError {}

/// ``"`$name`, `$namespace`"``.
pub fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`${name}`")).collect::<Vec<_>>().join(", ")
}

/// The objects of a template with the values in their places, in the order of the template.
pub fn fill(text: &str, slots: &[Slot], values: &Values) -> Result<Vec<Value>, TemplateError> {
    let mut filling = Filling { slots, values, used: BTreeSet::new(), line_offset: 0 };
    let mut objects = Vec::new();
    for document in yaml::documents(text) {
        filling.line_offset = document.line_offset;
        let mut mistakes = Vec::new();
        let node = yaml::parse(document.text, &mut mistakes);
        if let Some(mistake) = mistakes.into_iter().next() {
            return Err(filling.not_yaml(mistake));
        }
        let node = node.map_err(|error| filling.not_yaml(error))?;
        objects.extend(filling.node(&node)?.filter(Value::is_object));
    }
    if objects.is_empty() {
        return Err(TemplateError::Empty);
    }
    let lacks = |slot: &&Slot| values.contains_key(slot.name) && !filling.used.contains(slot.name);
    match slots.iter().find(lacks) {
        Some(slot) => Err(TemplateError::Lacks(*slot)),
        None => Ok(objects),
    }
}

struct Filling<'a> {
    slots: &'a [Slot],
    values: &'a Values,
    /// The slots that the template has.
    used: BTreeSet<&'static str>,
    line_offset: u32,
}

impl Filling<'_> {
    /// `None` for what is left out. As deep as the parser lets documents be.
    fn node(&mut self, node: &Node) -> Result<Option<Value>, TemplateError> {
        Ok(Some(match &node.value {
            yaml::Value::Null => Value::Null,
            yaml::Value::Bool(value) => (*value).into(),
            yaml::Value::Int(value) => (*value).into(),
            yaml::Value::Float(value) => (*value).into(),
            yaml::Value::String(text) => return self.text(text, node.place),
            yaml::Value::List(nodes) => {
                let mut items = Vec::with_capacity(nodes.len());
                for node in nodes.iter() {
                    items.extend(self.node(node)?);
                }
                if items.is_empty() && !nodes.is_empty() {
                    return Ok(None);
                }
                items.into()
            }
            yaml::Value::Map(entries) => {
                let mut map = Map::new();
                for entry in entries.iter() {
                    self.key(&entry.key, entry.key_place)?;
                    if let Some(value) = self.node(&entry.value)? {
                        map.insert(entry.key.to_string(), value);
                    }
                }
                if map.is_empty() && !entries.is_empty() {
                    return Ok(None);
                }
                map.into()
            }
        }))
    }

    fn text(&mut self, text: &str, place: Place) -> Result<Option<Value>, TemplateError> {
        if let Some(escaped) = text.strip_prefix("$$") {
            return Ok(Some(format!("${escaped}").into()));
        }
        let Some(name) = text.strip_prefix('$') else { return Ok(Some(text.into())) };
        let Some(slot) = self.slots.iter().find(|slot| slot.name == name) else {
            let known = self.slots.iter().map(|slot| slot.name).collect();
            let placeholder = text.to_owned();
            return Err(TemplateError::Unknown { place: self.here(place), placeholder, known });
        };
        self.used.insert(slot.name);
        Ok(self.values.get(slot.name).cloned())
    }

    fn key(&self, key: &str, place: Place) -> Result<(), TemplateError> {
        let name = key.strip_prefix('$').unwrap_or_default();
        if self.slots.iter().any(|slot| slot.name == name) {
            return Err(TemplateError::Key { place: self.here(place), key: key.to_owned() });
        }
        Ok(())
    }

    fn here(&self, place: Place) -> Place {
        Place { line: place.line + self.line_offset, ..place }
    }

    fn not_yaml(&self, error: YamlError) -> TemplateError {
        TemplateError::NotYaml { place: self.here(error.place), message: error.message }
    }
}
