//! A JSON patch applied to the text of a document, of which every other byte stays.
//!
//! Comments, order, quotes, indentation, the ends of lines: what an operation doesn't mean isn't
//! touched. A replaced scalar keeps its quotes where the new value can have them; new members
//! stand as their siblings do; a list or map that is replaced by another of its kind is changed
//! where the two differ. The text that comes out is read again, and is what the patch makes of the
//! value, or there is an error and no text.
//!
//! A value that stands somewhere else (an alias, a merged map) is not changed there: it gets a
//! text of its own where it is used. What an anchor names for others can't be changed for one of
//! them: that is refused, unless the patch means all of them.
//!
//! Two edits that undo each other give the first bytes again as long as they only replace scalars,
//! by such that keep the style of the first, and the first was spelled as this module spells
//! (`90`, not `0x5a`). Whoever wants to go back after anything else keeps the bytes.

mod error;
mod find;
mod lines;
mod render;
mod splice;
#[cfg(test)]
mod tests;
mod written;

use std::ops::Range;

use json_patch::{
    AddOperation, Patch, PatchErrorKind, PatchOperation, ReplaceOperation, TestOperation,
};
use serde_json::Value;

pub use error::{Difference, EditError};

use self::find::{Found, find};
use self::splice::{Around, Splice, Unfit};
use self::written::{Shape, Walked, Written};
use super::{Place, YamlError, YamlErrorKind, json, parse};
use crate::limits;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The text of one document after `patch`, which may hold `test`, `replace`, `add` and `remove`.
pub fn edit(document: &str, patch: &Patch) -> Result<String, EditError> {
    let text = document.strip_prefix(BYTE_ORDER_MARK).unwrap_or(document);
    let mark = &document[..document.len() - text.len()];
    let value = read(text)?;
    let mut editor = Editor {
        text: text.to_owned(),
        newline: Some(lines::line_break(text, 0)).filter(|end| !end.is_empty()).unwrap_or("\n"),
        has: value.clone(),
        wants: value,
        bytes_left: limits::EDIT_BYTES,
        doubt: None,
    };
    for operation in &patch.0 {
        editor.operation(operation)?;
    }
    editor.prove()?;
    Ok(format!("{mark}{}", editor.text))
}

/// The value of a document that every reader understands the same way.
fn read(text: &str) -> Result<Value, EditError> {
    let mut mistakes = Vec::new();
    let parsed = parse(text, &mut mistakes);
    let mistake = match parsed {
        Ok(node) if mistakes.is_empty() => return Ok(json(&node.value)),
        Ok(_) => mistakes.swap_remove(0),
        Err(error) => error,
    };
    Err(unreadable(text, mistake))
}

/// Where reading stopped, or above it, stands what no YAML has.
fn unreadable(text: &str, mistake: YamlError) -> EditError {
    let at = mistake.place.line;
    let braces = |line: &u32| super::line(text, *line).is_some_and(|line| line.contains("{{"));
    match [at, at.saturating_sub(1)].iter().find(|line| braces(line)) {
        Some(line) if *line == at => EditError::Template(mistake.place),
        Some(line) => EditError::Template(Place { line: *line, column: 1 }),
        None => EditError::Yaml(mistake),
    }
}

struct Editor<'d> {
    text: String,
    /// How the first line of the document ends.
    newline: &'d str,
    /// What the text says.
    has: Value,
    /// What it has to say.
    wants: Value,
    bytes_left: usize,
    /// Why the text may say something else in the end: a change that was felt in another place.
    doubt: Option<EditError>,
}

impl Editor<'_> {
    fn operation(&mut self, operation: &PatchOperation) -> Result<(), EditError> {
        self.want(operation)?;
        let path: Vec<String> =
            operation.path().tokens().map(|token| token.decoded().into_owned()).collect();
        match operation {
            PatchOperation::Replace(ReplaceOperation { value, .. }) => {
                self.replace(&path, value)?
            }
            PatchOperation::Add(AddOperation { value, .. }) => self.add(&path, value)?,
            PatchOperation::Remove(_) => self.remove(&path)?,
            PatchOperation::Test(_) | PatchOperation::Move(_) | PatchOperation::Copy(_) => {
                return Ok(());
            }
        }
        let unfaithful = || EditError::Unfaithful(pointer(&path));
        self.spend()?;
        self.has = read(&self.text).map_err(|error| match error {
            EditError::Yaml(error) if error.kind == YamlErrorKind::TooLarge => {
                EditError::Yaml(error)
            }
            _ => unfaithful(),
        })?;
        if self.has == self.wants || self.doubt.is_some() { Ok(()) } else { Err(unfaithful()) }
    }

    /// What the operation makes of the value, text or no text.
    fn want(&mut self, operation: &PatchOperation) -> Result<(), EditError> {
        if let PatchOperation::Move(_) | PatchOperation::Copy(_) = operation {
            return Err(EditError::Operation);
        }
        let pointer = operation.path().to_string();
        let Err(error) = json_patch::patch(&mut self.wants, std::slice::from_ref(operation)) else {
            return Ok(());
        };
        let PatchOperation::Test(TestOperation { value, .. }) = operation else {
            return Err(EditError::Missing(pointer));
        };
        let there = matches!(error.kind, PatchErrorKind::TestFailed);
        let found = there.then(|| self.wants.pointer(&pointer).cloned()).flatten();
        let expected = value.clone();
        Err(EditError::Differs(Box::new(Difference { pointer, expected, found })))
    }

    fn prove(&mut self) -> Result<(), EditError> {
        if self.has == self.wants {
            return Ok(());
        }
        Err(self.doubt.take().unwrap_or(EditError::Unfaithful(String::new())))
    }

    /// Every reading of the text is paid for.
    fn spend(&mut self) -> Result<(), EditError> {
        let bytes = self.text.len().max(1);
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(EditError::TooMuch)?;
        Ok(())
    }

    /// A list or map instead of another of its kind is a change of what differs in it.
    fn replace(&mut self, path: &[String], new: &Value) -> Result<(), EditError> {
        let old = at(&self.has, path).cloned().unwrap_or_default();
        match (&old, new) {
            _ if old == *new => Ok(()),
            (Value::Object(before), Value::Object(after)) if !after.is_empty() => {
                for (key, value) in after {
                    match before.get(key) {
                        Some(_) => self.replace(&below(path, key), value)?,
                        None => self.add(&below(path, key), value)?,
                    }
                }
                let gone = before.keys().filter(|key| !after.contains_key(*key));
                gone.into_iter().try_for_each(|key| self.remove(&below(path, key)))
            }
            (Value::Array(before), Value::Array(after)) if !after.is_empty() => {
                for (index, value) in after.iter().enumerate() {
                    let path = below(path, &index.to_string());
                    match before.get(index) {
                        Some(_) => self.replace(&path, value)?,
                        None => self.add(&path, value)?,
                    }
                }
                let mut gone = (after.len()..before.len()).rev();
                gone.try_for_each(|index| self.remove(&below(path, &index.to_string())))
            }
            _ => self.change(path, |around, node| Change {
                gone: node.lead..node.end,
                splices: around.put(node, new),
            }),
        }
    }

    fn add(&mut self, path: &[String], value: &Value) -> Result<(), EditError> {
        let Some((last, parent)) = path.split_last() else { return self.replace(path, value) };
        let (key, index) = match at(&self.has, parent) {
            Some(Value::Object(map)) if map.contains_key(last) => return self.replace(path, value),
            Some(Value::Object(_)) => (Some(&**last), usize::MAX),
            Some(Value::Array(list)) => (None, last.parse().unwrap_or(list.len())),
            // What shares its text with this place was changed differently.
            _ => return self.lost(path),
        };
        if self.is_done(parent) {
            return Ok(());
        }
        self.change(parent, |around, node| Change {
            gone: node.start..node.start,
            splices: around.insert(node, index, key, value),
        })
    }

    fn remove(&mut self, path: &[String]) -> Result<(), EditError> {
        let Some((last, parent)) = path.split_last() else { return self.lost(path) };
        if self.is_done(parent) {
            return Ok(());
        }
        self.change(parent, |around, node| {
            let member = || {
                let collection = node.collection()?;
                let index = collection.position(last)?;
                Some((index, &collection.members[index]))
            };
            match member() {
                Some((index, member)) => Change {
                    gone: member.start..member.value.end,
                    splices: around.remove(node, index),
                },
                None => {
                    let unfit = Unfit { at: node.start, what: "a merged map (`<<`)" };
                    Change { gone: node.start..node.start, splices: Err(unfit) }
                }
            }
        })
    }

    /// Whether another operation has brought this about already: the two places share one text.
    fn is_done(&self, path: &[String]) -> bool {
        at(&self.has, path) == at(&self.wants, path)
    }

    /// Makes a change to what stands at `path`; where nothing stands there by itself, the value
    /// that is wanted is written there in full.
    fn change(
        &mut self,
        path: &[String],
        change: impl Fn(&Around<'_>, &Written) -> Change,
    ) -> Result<(), EditError> {
        self.spend()?;
        let walked =
            written::walk(&self.text, path).map_err(|lost| self.unfit(lost.0, "this place"))?;
        let Some(found) = find(&self.text, self.newline, &walked, path) else {
            return self.lost(path);
        };
        let Found { node, around, depth, shared } = found;
        let own = |path: &[String]| at(&self.wants, path).cloned().unwrap_or_default();
        let Change { gone, splices } = match &node.shape {
            Shape::Alias => {
                let value = own(&path[..depth]);
                Change { gone: node.start..node.start, splices: around.put(node, &value) }
            }
            _ if depth < path.len() => {
                let value = own(&path[..=depth]);
                let splices = around.insert(node, usize::MAX, Some(&path[depth]), &value);
                Change { gone: node.start..node.start, splices }
            }
            _ => change(&around, node),
        };
        let splices = splices.map_err(|unfit| self.unfit(unfit.at, unfit.what))?;
        if let Some((anchor, alias)) = lost_anchor(&walked, &gone) {
            return Err(self.shared(anchor, alias));
        }
        let doubt = shared.map(|(anchor, alias)| self.shared(anchor, alias));
        let merges = node.collection().is_some_and(written::Collection::merges);
        let merged = merges.then(|| self.unfit(node.start, "a map that merges others (`<<`)"));
        self.doubt = self.doubt.take().or(doubt).or(merged);
        let unfaithful = || EditError::Unfaithful(pointer(path));
        self.text = spliced(&self.text, splices).ok_or_else(unfaithful)?;
        Ok(())
    }

    fn lost(&self, path: &[String]) -> Result<(), EditError> {
        Err(self.doubt.clone().unwrap_or_else(|| EditError::Missing(pointer(path))))
    }

    fn unfit(&self, at: usize, what: &'static str) -> EditError {
        EditError::Unfit { place: lines::place(&self.text, at.min(self.text.len())), what }
    }

    fn shared(&self, anchor: usize, alias: usize) -> EditError {
        let rest = &self.text[anchor..];
        let name = rest.split([' ', '\t', '\r', '\n', ',', ']', '}']).next().unwrap_or_default();
        EditError::Shared {
            place: lines::place(&self.text, anchor),
            anchor: name.to_owned(),
            used: lines::place(&self.text, alias),
        }
    }
}

/// A change before it is made.
struct Change {
    /// Bytes whose anchors go with them.
    gone: Range<usize>,
    splices: Result<Vec<Splice>, Unfit>,
}

/// An anchor that would go while an alias of it stays.
fn lost_anchor(walked: &Walked, gone: &Range<usize>) -> Option<(usize, usize)> {
    let inside = walked.anchors.iter().filter(|(_, at)| gone.contains(at));
    inside.into_iter().find_map(|(id, anchor)| {
        let outside = |(of, at): &&(usize, usize)| of == id && !gone.contains(at);
        walked.aliases.iter().find(outside).map(|(_, alias)| (*anchor, *alias))
    })
}

fn spliced(text: &str, mut splices: Vec<Splice>) -> Option<String> {
    splices.sort_by_key(|splice| splice.at.start);
    let mut result = String::with_capacity(text.len());
    let mut position = 0;
    for Splice { at, text: new } in splices {
        result.push_str(text.get(position..at.start)?);
        result.push_str(&new);
        position = at.end;
    }
    result.push_str(text.get(position..)?);
    Some(result)
}

fn at<'a>(value: &'a Value, path: &[String]) -> Option<&'a Value> {
    value.pointer(&pointer(path))
}

fn below(path: &[String], step: &str) -> Vec<String> {
    path.iter().cloned().chain([step.to_owned()]).collect()
}

fn pointer(path: &[String]) -> String {
    path.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect()
}
