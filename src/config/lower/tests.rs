//! Lowering by tables: objects in, parts and codes out.

mod attach;
mod backends;
mod build;
mod filters;
mod gateways;
mod incremental;
mod policies;
mod rollouts;
mod rules;
mod scale;
mod sought;
mod status;
mod tls;

use std::collections::BTreeMap;

use super::*;
use crate::config::raw::Object;
use crate::config::{Code, Severity};
use crate::model::{Backend, EndpointSet, Listener, PartKind, Rule};

/// An index, its lowering, and the parts as their changes build them up.
struct World {
    index: Index,
    lowering: Lowering,
    now: i64,
    parts: BTreeMap<PartKey, Part>,
    statuses: BTreeMap<ObjectKey, Arc<Status>>,
    last: Lowered,
}

/// 2026-01-01: inside the validity of the certificates that the tests make.
const NOW: i64 = 1_767_225_600;

impl World {
    fn new(options: Options) -> Self {
        let changes = Changes { upserted: Vec::new(), removed: Vec::new() };
        let counters = Counters::default();
        Self {
            index: Index::new(),
            lowering: Lowering::new(options),
            now: NOW,
            parts: BTreeMap::new(),
            statuses: BTreeMap::new(),
            last: Lowered { changes, statuses: BTreeMap::new(), diagnostics: Vec::new(), counters },
        }
    }

    fn of(objects: impl IntoIterator<Item = Object>) -> Self {
        Self::with(Options::default(), objects)
    }

    fn with(options: Options, objects: impl IntoIterator<Item = Object>) -> Self {
        let mut world = Self::new(options);
        world.apply(objects);
        world
    }

    fn apply(&mut self, objects: impl IntoIterator<Item = Object>) {
        for object in objects {
            self.index.apply(object);
        }
        self.commit();
    }

    fn delete(&mut self, object: &Object) {
        self.index.delete(&object.key, &object.origin.file);
        self.commit();
    }

    fn commit(&mut self) {
        self.last = self.lowering.commit(&mut self.index, self.now);
        for part in &self.last.changes.upserted {
            let before = self.parts.insert(part.key().clone(), part.clone());
            assert_ne!(before.as_ref(), Some(part), "only what changed is handed over");
        }
        for key in &self.last.changes.removed {
            assert!(self.parts.remove(key).is_some(), "{key} was there");
        }
        for (key, status) in &self.last.statuses {
            let before = match status {
                Some(status) => self.statuses.insert(key.clone(), status.clone()),
                None => self.statuses.remove(key),
            };
            assert_ne!(before.as_ref(), status.as_ref(), "only what changed is said of {key}");
        }
        let held: BTreeMap<PartKey, Part> =
            self.lowering.parts().map(|part| (part.key().clone(), part.clone())).collect();
        assert_eq!(held, self.parts, "the changes add up to what the lowering holds");
    }

    #[track_caller]
    fn codes(&self, expected: &[Code]) -> &Self {
        let mut found: Vec<Code> = self.last.diagnostics.iter().map(|one| one.code).collect();
        found.sort();
        let mut expected = expected.to_vec();
        expected.sort();
        assert_eq!(found, expected, "{:#?}", self.last.diagnostics);
        self
    }

    #[track_caller]
    fn says(&self, text: &str) -> &Self {
        let said = self
            .last
            .diagnostics
            .iter()
            .any(|one| one.message.contains(text) || one.help.contains(text));
        assert!(said, "nothing says `{text}`: {:#?}", self.last.diagnostics);
        self
    }

    fn errors(&self) -> usize {
        self.last.diagnostics.iter().filter(|one| one.severity == Severity::Error).count()
    }

    fn keys(&self, kind: PartKind) -> Vec<String> {
        self.parts.keys().filter(|key| key.part == kind).map(ToString::to_string).collect()
    }

    fn listeners(&self) -> Vec<&Listener> {
        let listener = |part: &'_ Part| matches!(part, Part::Listener(_));
        let parts = self.parts.values().filter(|part| listener(part));
        parts
            .map(|part| match part {
                Part::Listener(listener) => &**listener,
                _ => unreachable!("filtered"),
            })
            .collect()
    }

    fn rules(&self) -> Vec<&Rule> {
        self.parts
            .values()
            .filter_map(|part| match part {
                Part::Rule(rule) => Some(&**rule),
                _ => None,
            })
            .collect()
    }

    #[track_caller]
    fn rule(&self) -> &Rule {
        let rules = self.rules();
        assert_eq!(rules.len(), 1, "one rule: {rules:#?} {:#?}", self.last.diagnostics);
        rules[0]
    }

    fn backends(&self) -> Vec<&Backend> {
        self.parts
            .values()
            .filter_map(|part| match part {
                Part::Backend(backend) => Some(&**backend),
                _ => None,
            })
            .collect()
    }

    #[track_caller]
    fn backend(&self) -> &Backend {
        let backends = self.backends();
        assert_eq!(backends.len(), 1, "one backend: {backends:#?}");
        backends[0]
    }

    fn endpoint_sets(&self) -> Vec<&EndpointSet> {
        self.parts
            .values()
            .filter_map(|part| match part {
                Part::EndpointSet(set) => Some(&**set),
                _ => None,
            })
            .collect()
    }
}
