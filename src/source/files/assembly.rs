//! The objects of one file, with the bytes of the files that they mention.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::Diagnostic;
use crate::config::index::{Content, Document};
use crate::config::raw::{Object, Origin, Spec};
use crate::config::{codes, lower};
use crate::model::ObjectKey;
use crate::source::contents::Item;
use crate::source::mentioned::{self, Mentioned};

#[derive(Debug, Default)]
pub(super) struct Assembly {
    pub(super) contents: Vec<Content>,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) mentions: BTreeSet<PathBuf>,
    /// Objects with the bytes of their files.
    pub(super) attached: HashMap<ObjectKey, Arc<Object>>,
    /// Every key, good or broken.
    pub(super) held: BTreeSet<ObjectKey>,
}

impl Assembly {
    pub(super) fn add(
        &mut self,
        item: &Item,
        origin: &Origin,
        manifest: &Path,
        before: &HashMap<ObjectKey, Arc<Object>>,
        mentioned: &mut Mentioned,
    ) {
        let object = match item {
            Item::Broken(key) => {
                self.held.insert(key.clone());
                self.contents.push(Content::Broken(key.clone()));
                return;
            }
            Item::Good(object) => object,
        };
        self.held.insert(object.key.clone());
        let paths = mentioned::paths(object, manifest);
        self.mentions.extend(paths.iter().map(|(_, path)| path.clone()));
        if paths.is_empty() {
            let object = Arc::clone(object);
            self.contents.push(Content::Good(Document { object, line_offset: origin.line_offset }));
            return;
        }
        let old = before.get(&object.key);
        let whole = mentioned.attach(object, origin, &paths).and_then(|whole| match old {
            Some(old) => matched(whole, old, origin),
            None => Ok(whole),
        });
        let object = match whole {
            Ok(whole) => {
                let same = |old: &&Arc<Object>| old.meta == whole.meta && old.spec == whole.spec;
                let old = old.filter(same).cloned();
                let whole = old.unwrap_or_else(|| Arc::new(whole));
                self.attached.insert(object.key.clone(), Arc::clone(&whole));
                whole
            }
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                if let Some(old) = old {
                    self.attached.insert(object.key.clone(), Arc::clone(old));
                }
                self.contents.push(Content::Broken(object.key.clone()));
                return;
            }
        };
        self.contents.push(Content::Good(Document { object, line_offset: origin.line_offset }));
    }
}

/// A certificate and its key come in two files, of which one is replaced first: the pair before
/// stays in force until both belong together again.
fn matched(whole: Object, old: &Object, origin: &Origin) -> Result<Object, Diagnostic> {
    let (Spec::Secret(new), Spec::Secret(before)) = (&whole.spec, &old.spec) else {
        return Ok(whole);
    };
    // What was no pair before is no loss, and lowering says what is wrong with it.
    let Err(why) = lower::check_pair(new) else { return Ok(whole) };
    if lower::check_pair(before).is_err() {
        return Ok(whole);
    }
    let message = format!("the pair of before is served on: {why}");
    let said = Diagnostic::error(codes::CERTIFICATE_INVALID, origin, whole.meta.place, message);
    Err(said.help("replace the certificate and its key both; they are read again at once"))
}
