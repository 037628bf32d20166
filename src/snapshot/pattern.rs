//! Compiled regular expressions, shared by all rules and Snapshots that say the same.

use std::fmt;
use std::sync::{Arc, OnceLock};

use regex::bytes::Regex;
use regex_syntax::hir::{Hir, HirKind, Look};

use crate::model::{Name, Pattern, pattern};

use super::map::Map;

/// A pattern that takes whole values only. It is compiled when it is first asked: of thousands
/// that a configuration may hold, compiled to 7 to 100 KB each, few meet a request.
pub(super) struct Compiled {
    text: Name,
    /// None where the text doesn't compile, which lowering has ruled out: it takes nothing.
    regex: OnceLock<Option<Regex>>,
    /// Every path that the pattern takes is this one or stands below it, in whole segments. None
    /// where no such path is known.
    pub(super) below: Option<Name>,
}

impl Compiled {
    pub(super) fn new(text: &str) -> Self {
        let below = pattern::read(text).ok().and_then(|read| literal_below(&read.hir));
        Self { text: text.into(), regex: OnceLock::new(), below }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn takes(&self, value: &str) -> bool {
        let regex = self.regex.get_or_init(|| pattern::compile(&self.text).ok());
        regex.as_ref().is_some_and(|regex| regex.is_match(value.as_bytes()))
    }
}

impl fmt::Debug for Compiled {
    /// What it means and not whether it has been asked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Compiled").field(&self.text).field(&self.below).finish()
    }
}

/// The longest run of whole segments that everything taken starts with.
fn literal_below(hir: &Hir) -> Option<Name> {
    let mut start = Start::default();
    start.push(hir);
    let mut bytes = &start.bytes[..];
    if start.open {
        // What follows the last slash may go on.
        bytes = &bytes[..memchr::memrchr(b'/', bytes)?];
    }
    std::str::from_utf8(bytes).ok().map(Name::from)
}

/// What every match starts with.
#[derive(Default)]
struct Start {
    bytes: Vec<u8>,
    /// Matches go on in more than one way after it.
    open: bool,
}

impl Start {
    /// Appends what the expression adds. The parser bounds the depth.
    fn push(&mut self, hir: &Hir) {
        if self.open {
            return;
        }
        match hir.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => self.bytes.extend_from_slice(&literal.0),
            HirKind::Look(Look::Start) if self.bytes.is_empty() => {}
            HirKind::Capture(group) => self.push(&group.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.push(part)),
            HirKind::Alternation(ways) => {
                let ways = ways.iter().map(|way| {
                    let mut start = Self::default();
                    start.push(way);
                    start.bytes
                });
                self.bytes.extend(ways.reduce(common_start).unwrap_or_default());
                self.open = true;
            }
            HirKind::Class(_) | HirKind::Look(_) | HirKind::Repetition(_) => self.open = true,
        }
    }
}

fn common_start(mut a: Vec<u8>, b: Vec<u8>) -> Vec<u8> {
    let common = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    a.truncate(common);
    a
}

/// Every pattern of a Snapshot, once, with the number of its uses.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns {
    by_text: Map<Name, (Arc<Compiled>, u32)>,
}

impl Patterns {
    pub(super) fn acquire(&mut self, pattern: &Pattern) -> Arc<Compiled> {
        let text = pattern.as_str();
        if let Some((compiled, uses)) = self.by_text.get_mut(text) {
            *uses += 1;
            return compiled.clone();
        }
        let compiled = Arc::new(Compiled::new(text));
        self.by_text.insert(text.into(), (compiled.clone(), 1));
        compiled
    }

    pub(super) fn release(&mut self, pattern: &Pattern) {
        let text = pattern.as_str();
        let Some((_, uses)) = self.by_text.get_mut(text) else { return };
        *uses -= 1;
        if *uses == 0 {
            self.by_text.remove(text);
        }
    }
}

#[cfg(test)]
mod tests;
