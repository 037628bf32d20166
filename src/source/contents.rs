//! The documents of one file, of which the unchanged ones are not parsed again.
//!
//! A document is known by its text. What the decoder made of it is kept with it, diagnostics too;
//! when lines above it come or go, only their numbers change.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::Diagnostic;
use crate::config::decode::{self, Decoded};
use crate::config::raw::Object;
use crate::model::{ObjectKey, PartHash, Store};
use crate::yaml;

/// One document that was decoded.
#[derive(Debug)]
pub(super) struct Document {
    hash: PartHash,
    pub(super) items: Vec<Item>,
    /// Some of it has no key that could be read, so nobody knows which object it is.
    pub(super) nameless: bool,
    pub(super) foreign: usize,
    pub(super) not_objects: usize,
    diagnostics: Vec<Diagnostic>,
    /// For which the lines in `diagnostics` are right.
    line_offset: u32,
}

#[derive(Clone, Debug)]
pub(super) enum Item {
    Good(Arc<Object>),
    Broken(ObjectKey),
}

/// A document and the lines above it.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) document: Arc<Document>,
    pub(super) line_offset: u32,
}

/// The documents of `text` and how many of them had to be parsed.
pub(super) fn documents(text: &str, file: &Arc<str>, before: &[Placed]) -> (Vec<Placed>, usize) {
    let known: HashMap<PartHash, &Arc<Document>> =
        before.iter().map(|placed| (placed.document.hash, &placed.document)).collect();
    let mut parsed = 0;
    let one = |text: yaml::DocumentText<'_>| {
        let hash = PartHash::of(&text.text);
        let document = known.get(&hash).map_or_else(
            || {
                parsed += 1;
                Arc::new(Document::decode(&text, hash, file))
            },
            |known| Arc::clone(known),
        );
        Placed { document, line_offset: text.line_offset }
    };
    let placed = yaml::documents(text).map(one).collect();
    (placed, parsed)
}

impl Document {
    fn decode(text: &yaml::DocumentText<'_>, hash: PartHash, file: &Arc<str>) -> Self {
        let mut document = Self {
            hash,
            items: Vec::new(),
            nameless: false,
            foreign: 0,
            not_objects: 0,
            diagnostics: Vec::new(),
            line_offset: text.line_offset,
        };
        let decoded = decode::read(text, file, Store::Files, &mut document.diagnostics);
        for one in decoded.flatten() {
            match one {
                Decoded::Object(object) => document.items.push(Item::Good(Arc::from(object))),
                Decoded::Broken(Some(key)) => document.items.push(Item::Broken(key)),
                Decoded::Broken(None) => document.nameless = true,
                Decoded::Unreadable(key) => {
                    // A guess makes no other object of the file disappear.
                    document.nameless = true;
                    document.items.extend(key.map(Item::Broken));
                }
                Decoded::Foreign => document.foreign += 1,
                Decoded::NotAnObject => document.not_objects += 1,
                Decoded::List(_) => {}
            }
        }
        document
    }
}

impl Placed {
    /// What the decoder said, for the lines where the document stands now.
    pub(super) fn diagnostics(&self) -> impl Iterator<Item = Diagnostic> {
        let (now, then) = (self.line_offset, self.document.line_offset);
        self.document.diagnostics.iter().cloned().map(move |mut diagnostic| {
            if diagnostic.place.line > 0 {
                diagnostic.place.line = diagnostic.place.line.saturating_sub(then) + now;
            }
            diagnostic
        })
    }
}
