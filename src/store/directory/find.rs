//! Objects in the text of files: which bytes are whose.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use crate::config::decode::{self, Decoded};
use crate::model::{Kind, ObjectKey, Store};
use crate::yaml::{self, DocumentText};

/// One object of one document.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) key: ObjectKey,
    pub(super) value: Value,
    /// The document's bytes in its file.
    pub(super) document: Range<usize>,
    /// The JSON pointer of the object in its document: not empty in a `kind: List`.
    pub(super) pointer: String,
    /// 1-based, where the object's name stands.
    pub(super) line: u32,
    pub(super) line_offset: u32,
    /// It has errors, so nobody uses it.
    pub(super) broken: bool,
}

/// The objects of a text that a question is about.
pub(super) fn sites(text: &str, file: &Arc<str>, about: &About<'_>) -> Vec<Site> {
    let mut found = Vec::new();
    for document in yaml::documents(text).filter(|document| about.may_be_in(document.text)) {
        let decoded = decode::read(&document, file, Store::Files, &mut Vec::new());
        let value = yaml::parse(document.text, &mut Vec::new()).map(|node| node.json());
        let start = document.text.as_ptr() as usize - text.as_ptr() as usize;
        let place = Placed { document, range: start..start + document.text.len() };
        place.gather(decoded, &value.unwrap_or_default(), "", &mut found);
    }
    found.retain(|site| about.is(&site.key));
    found
}

/// Whose sites are asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum About<'a> {
    Key(&'a ObjectKey),
    Kind(Kind, Option<&'a str>),
}

impl About<'_> {
    fn is(&self, key: &ObjectKey) -> bool {
        match *self {
            Self::Key(wanted) => {
                (wanted.kind, &wanted.namespace, &wanted.name)
                    == (key.kind, &key.namespace, &key.name)
            }
            Self::Kind(kind, namespace) => {
                key.kind == kind && namespace.is_none_or(|namespace| *key.namespace == *namespace)
            }
        }
    }

    /// Most documents don't even mention it, and needn't be parsed. A name may be written with
    /// escapes.
    fn may_be_in(&self, text: &str) -> bool {
        let word = match self {
            Self::Key(key) => &key.name,
            Self::Kind(kind, _) => kind.as_str(),
        };
        text.contains(word) || text.contains('\\')
    }
}

struct Placed<'a> {
    document: DocumentText<'a>,
    range: Range<usize>,
}

impl Placed<'_> {
    fn gather(&self, decoded: Decoded, value: &Value, pointer: &str, found: &mut Vec<Site>) {
        let (key, line, broken) = match decoded {
            Decoded::Object(object) => (object.key, object.meta.place.line, false),
            Decoded::Broken(Some(key)) | Decoded::Unreadable(Some(key)) => (key, 1, true),
            Decoded::List(items) => {
                for (index, item) in items.into_iter().enumerate() {
                    self.gather(
                        item,
                        &value["items"][index],
                        &format!("{pointer}/items/{index}"),
                        found,
                    );
                }
                return;
            }
            _ => return,
        };
        let line_offset = self.document.line_offset;
        found.push(Site {
            key,
            value: value.clone(),
            document: self.range.clone(),
            pointer: pointer.to_owned(),
            line: line_offset + line,
            line_offset,
            broken,
        });
    }
}
