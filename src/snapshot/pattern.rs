//! Compiled regular expressions, shared by all rules and Snapshots that say the same.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind, Look};

use crate::limits;
use crate::model::{Name, Pattern};

use super::map::Map;

/// A pattern that takes whole values only.
#[derive(Debug)]
pub(super) struct Compiled {
    /// None where the text doesn't compile, which lowering has ruled out: it takes nothing.
    regex: Option<Regex>,
    /// Every path that the pattern takes is this one or stands below it, in whole segments. None
    /// where no such path is known.
    pub(super) below: Option<Name>,
}

impl Compiled {
    pub(super) fn new(text: &str) -> Self {
        // Parsed alone first: `a)|(b` is an expression only between the parentheses below, and
        // there it isn't anchored.
        match regex_syntax::parse(text) {
            Ok(hir) => Self { regex: anchored(text), below: literal_below(&hir) },
            Err(_) => Self { regex: None, below: None },
        }
    }

    pub(super) fn takes(&self, value: &str) -> bool {
        self.regex.as_ref().is_some_and(|regex| regex.is_match(value))
    }
}

fn anchored(text: &str) -> Option<Regex> {
    RegexBuilder::new(&format!("^(?:{text})$"))
        .size_limit(limits::REGEX_BYTES)
        // Each worker has a cache of its own for each pattern.
        .dfa_size_limit(limits::REGEX_BYTES)
        .build()
        .ok()
}

/// The longest run of whole segments that everything taken starts with.
fn literal_below(hir: &Hir) -> Option<Name> {
    let mut bytes = Vec::new();
    let whole = push_literal(hir, &mut bytes);
    let text = std::str::from_utf8(&bytes).ok()?;
    if whole {
        return Some(text.into());
    }
    // What follows the last slash may go on.
    text.rfind('/').map(|slash| text[..slash].into())
}

/// Appends what every match starts with; false where it knows no further. The parser bounds the
/// depth.
fn push_literal(hir: &Hir, bytes: &mut Vec<u8>) -> bool {
    match hir.kind() {
        HirKind::Empty => true,
        HirKind::Literal(literal) => {
            bytes.extend_from_slice(&literal.0);
            true
        }
        HirKind::Look(Look::Start) => bytes.is_empty(),
        HirKind::Capture(group) => push_literal(&group.sub, bytes),
        HirKind::Concat(parts) => parts.iter().all(|part| push_literal(part, bytes)),
        _ => false,
    }
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
