//! Parser events into a tree, under absolute budgets.
//!
//! Nothing here recurses: depth is a length of `open`. An alias is charged for everything that it
//! stands for (nodes, bytes of text, depth) and then shares it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_yaml::granit_parser::{
    ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span, Tag,
};

use super::scalar::{self, Scalar};
use super::{Entry, Node, Place, Value, YamlError, YamlErrorKind};
use crate::limits;

/// One document. What can be read on with is pushed to `mistakes` (keys that are there twice or
/// mean two things); what can't be is the error. A text without a node is `Null`.
pub fn parse(text: &str, mistakes: &mut Vec<YamlError>) -> Result<Node, YamlError> {
    let mut options = Options::default();
    options.emit_comments = false;
    options.flow_nesting_limit = limits::YAML_DEPTH + 1;
    options.block_nesting_limit = limits::YAML_DEPTH + 1;
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut composer = Composer {
        mistakes,
        open: Vec::new(),
        anchors: HashMap::new(),
        spent: Spent::default(),
        documents: 0,
        root: None,
    };
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| syntax(&error))?;
        composer.take(event, &span)?;
    }
    let nothing = || Node { value: Value::Null, place: Place::default(), width: 0, spelling: None };
    Ok(composer.root.unwrap_or_else(nothing))
}

fn syntax(error: &ScanError) -> YamlError {
    let place = place(error.marker().line(), error.marker().col());
    match error.kind() {
        ErrorKind::RecursionLimitExceeded => too_large(place, TOO_DEEP),
        _ => YamlError { kind: YamlErrorKind::Syntax, place, width: 1, message: error.info() },
    }
}

const TOO_DEEP: &str = "this is nested too deeply";

struct Composer<'m> {
    mistakes: &'m mut Vec<YamlError>,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchor>,
    spent: Spent,
    documents: u32,
    root: Option<Node>,
}

/// What a document costs once its aliases are followed.
#[derive(Clone, Copy, Default)]
struct Spent {
    nodes: usize,
    bytes: usize,
}

/// A list or map whose end hasn't come.
struct Open {
    anchor: usize,
    place: Place,
    width: u32,
    odd: bool,
    /// `spent` when it began.
    before: Spent,
    /// The greatest depth reached below it.
    deepest: usize,
    items: Items,
}

enum Items {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, merges: Vec<Node>, key: Option<Key> },
}

/// A key whose value hasn't come.
enum Key {
    Text {
        text: Arc<str>,
        place: Place,
        width: u32,
    },
    Merge,
    /// Reported; its value is passed over.
    Bad,
}

struct Anchor {
    node: Node,
    cost: Spent,
    depth: usize,
    /// `<<` and keys need to know whether a plain scalar was named.
    style: ScalarStyle,
}

impl Composer<'_> {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), YamlError> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message =
                        "a second document begins here without `---` at the start of its line"
                            .into();
                    return Err(YamlError {
                        kind: YamlErrorKind::Syntax,
                        place: start(span),
                        width: 1,
                        message,
                    });
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&text, style, anchor, tag.as_deref(), span)
            }
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::SequenceStart(_, anchor, tag) => {
                self.begin(Items::List(Vec::new()), anchor, tag.as_deref(), span)
            }
            Event::MappingStart(_, anchor, tag) => {
                let items = Items::Map { entries: Vec::new(), merges: Vec::new(), key: None };
                self.begin(items, anchor, tag.as_deref(), span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            _ => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: &Span,
    ) -> Result<(), YamlError> {
        let place = start(span);
        self.charge(Spent { nodes: 1, bytes: text.len() }, 1, place)?;
        let (value, odd) = scalar_value(text, style, tag);
        let spelling = odd.then(|| text.into());
        let node = Node { value, place, width: width(span, text), spelling };
        if anchor != 0 {
            let cost = Spent { nodes: 1, bytes: text.len() };
            self.anchors.insert(anchor, Anchor { node: node.clone(), cost, depth: 1, style });
        }
        self.place(node, text, style)
    }

    fn alias(&mut self, id: usize, span: &Span) -> Result<(), YamlError> {
        let Some(Anchor { node, cost, depth, style }) = self.anchors.get(&id) else {
            let message = "this alias stands inside of what it names".into();
            return Err(YamlError {
                kind: YamlErrorKind::Syntax,
                place: start(span),
                width: 1,
                message,
            });
        };
        let (node, cost, depth, style) = (node.clone(), *cost, *depth, *style);
        self.charge(cost, depth, start(span))?;
        let text = node.spelling.as_deref().or(node.as_str()).unwrap_or_default().to_owned();
        self.place(node, &text, style)
    }

    fn begin(
        &mut self,
        items: Items,
        anchor: usize,
        tag: Option<&Tag>,
        span: &Span,
    ) -> Result<(), YamlError> {
        let place = start(span);
        let before = self.spent;
        self.charge(Spent { nodes: 1, bytes: 0 }, 1, place)?;
        let deepest = self.open.len() + 1;
        let odd = tag.is_some_and(|tag| !matches!(tag.core_suffix(), Some("seq" | "map")));
        self.open.push(Open { anchor, place, width: 1, odd, before, deepest, items });
        Ok(())
    }

    fn end(&mut self) -> Result<(), YamlError> {
        let depth = self.open.len();
        let Some(Open { anchor, place, width, odd, before, deepest, items }) = self.open.pop()
        else {
            return Ok(());
        };
        if let Some(parent) = self.open.last_mut() {
            parent.deepest = parent.deepest.max(deepest);
        }
        let value = match items {
            Items::List(items) => Value::List(items.into()),
            Items::Map { entries, merges, key: _ } => Value::Map(self.map(entries, &merges)?),
        };
        let spelling = odd.then(|| "a tagged collection".into());
        let node = Node { value, place, width, spelling };
        if anchor != 0 {
            let cost = Spent {
                nodes: self.spent.nodes - before.nodes,
                bytes: self.spent.bytes - before.bytes,
            };
            let (node, depth) = (node.clone(), deepest + 1 - depth);
            self.anchors
                .insert(anchor, Anchor { node, cost, depth, style: ScalarStyle::DoubleQuoted });
        }
        self.place(node, "", ScalarStyle::DoubleQuoted)
    }

    /// Puts a finished node where it belongs: the root, a list, a map's key or its value.
    fn place(&mut self, node: Node, text: &str, style: ScalarStyle) -> Result<(), YamlError> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.items {
            Items::List(items) => items.push(node),
            Items::Map { entries, merges, key } => match key.take() {
                None => *key = Some(key_of(&node, text, style, self.mistakes)),
                Some(Key::Merge) => merges.push(node),
                Some(Key::Bad) => {}
                Some(Key::Text { text, place, width }) => {
                    entries.push(Entry {
                        key: text,
                        key_place: place,
                        key_width: width,
                        value: node,
                    });
                }
            },
        }
        Ok(())
    }

    /// The first of two equal keys stays; merged maps come after what is written.
    fn map(&mut self, mut entries: Vec<Entry>, merges: &[Node]) -> Result<Arc<[Entry]>, YamlError> {
        let mut seen = HashSet::with_capacity(entries.len());
        entries.retain(|entry| {
            let first = seen.insert(entry.key.clone());
            if !first {
                note(
                    self.mistakes,
                    YamlErrorKind::DuplicateKey,
                    entry.key_place,
                    entry.key_width,
                    || format!("the key `{}` is there twice", shown(&entry.key)),
                );
            }
            first
        });
        for merge in merges {
            let sources = match &merge.value {
                Value::List(nodes) => &**nodes,
                _ => std::slice::from_ref(merge),
            };
            for source in sources {
                self.merge(source, &mut entries, &mut seen)?;
            }
        }
        Ok(entries.into())
    }

    fn merge(
        &mut self,
        source: &Node,
        entries: &mut Vec<Entry>,
        seen: &mut HashSet<Arc<str>>,
    ) -> Result<(), YamlError> {
        let Value::Map(merged) = &source.value else {
            note(self.mistakes, YamlErrorKind::Key, source.place, source.width, || {
                format!("`<<` merges maps, this is {}", source.value.describe())
            });
            return Ok(());
        };
        // What the entries hold was charged with the alias; this is for the copies of the entries.
        self.charge(Spent { nodes: merged.len(), bytes: 0 }, 0, source.place)?;
        entries.extend(merged.iter().filter(|entry| seen.insert(entry.key.clone())).cloned());
        Ok(())
    }

    fn charge(&mut self, cost: Spent, depth: usize, place: Place) -> Result<(), YamlError> {
        let here = self.open.len() + depth;
        if let Some(open) = self.open.last_mut() {
            open.deepest = open.deepest.max(here);
        }
        self.spent.nodes = self.spent.nodes.saturating_add(cost.nodes);
        self.spent.bytes = self.spent.bytes.saturating_add(cost.bytes);
        if here > limits::YAML_DEPTH {
            Err(too_large(place, TOO_DEEP))
        } else if self.spent.nodes > limits::YAML_NODES {
            Err(too_large(
                place,
                "this document has too many values, once its aliases are followed",
            ))
        } else if self.spent.bytes > limits::YAML_SCALAR_BYTES {
            Err(too_large(place, "this document has too much text, once its aliases are followed"))
        } else {
            Ok(())
        }
    }
}

/// As many as anyone reads: a document of nothing but mistakes must not cost more than any other.
fn note(
    mistakes: &mut Vec<YamlError>,
    kind: YamlErrorKind,
    place: Place,
    width: u32,
    message: impl FnOnce() -> String,
) {
    if mistakes.len() < limits::DIAGNOSTICS {
        mistakes.push(YamlError { kind, place, width, message: message() });
    }
}

fn too_large(place: Place, message: &str) -> YamlError {
    YamlError { kind: YamlErrorKind::TooLarge, place, width: 1, message: message.into() }
}

/// The value, and whether kubectl and YAML 1.2 see different ones.
fn scalar_value(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> (Value, bool) {
    let plain = matches!(style, ScalarStyle::Plain);
    match tag.map(Tag::core_suffix) {
        None if plain => {
            let reading = scalar::kubectl(text);
            (reading.into_value(text), reading != scalar::core(text))
        }
        None | Some(Some("str")) => (Value::String(text.into()), false),
        Some(Some("int" | "float" | "bool" | "null")) => {
            (scalar::kubectl(text).into_value(text), false)
        }
        // `!!binary`, `!Ref`, …: every reader has its own idea.
        Some(_) => (Value::String(text.into()), true),
    }
}

impl Scalar {
    fn into_value(self, text: &str) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Float(value) => Value::Float(value),
            Self::Text => Value::String(text.into()),
        }
    }
}

/// kubectl turns plain keys into values and those back into text: `on` becomes `true`, `0x10`
/// becomes `16`. Where that isn't what was written, someone reads another key than its author.
fn key_of(node: &Node, text: &str, style: ScalarStyle, mistakes: &mut Vec<YamlError>) -> Key {
    let (place, width) = (node.place, node.width);
    let mut mistake = |message: String| {
        note(mistakes, YamlErrorKind::Key, place, width, || message);
    };
    let as_kubectl = match &node.value {
        Value::String(text) if &**text == "<<" && matches!(style, ScalarStyle::Plain) => {
            return Key::Merge;
        }
        Value::String(text) => return Key::Text { text: text.clone(), place, width },
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        other => {
            mistake(format!("a key must be a string, this is {}", other.describe()));
            return Key::Bad;
        }
    };
    // An alias of a number has no text of its own.
    let text = if text.is_empty() { &*as_kubectl } else { text };
    if text != as_kubectl {
        mistake(format!("kubectl reads the key `{}` as `{as_kubectl}`", shown(text)));
    }
    Key::Text { text: text.into(), place, width }
}

/// A key in a message: cut, and never more than one line.
fn shown(key: &str) -> String {
    let mut shown: String =
        key.chars().map(|c| if c.is_control() { ' ' } else { c }).take(64).collect();
    if shown.len() < key.len() {
        shown.push('…');
    }
    shown
}

fn start(span: &Span) -> Place {
    place(span.start.line(), span.start.col())
}

fn place(line: usize, column: usize) -> Place {
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Place { line: narrow(line), column: narrow(column).saturating_add(1) }
}

/// Scalars of several lines are underlined at their first character.
fn width(span: &Span, text: &str) -> u32 {
    if text.is_empty() || span.start.line() != span.end.line() {
        return 1;
    }
    u32::try_from(span.len()).unwrap_or(u32::MAX).max(1)
}
