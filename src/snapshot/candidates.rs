//! The matches that share a place in the path tree, in the order of precedence.
//!
//! A few are compared one after the other. More are told apart by their exact conditions: those
//! that ask for the same value of the same header, parameter or method stand together and are
//! found by that value, and so on with their next condition. This index only leaves out what
//! can't match; what it lets through is compared in full.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::model::Name;

use super::RouteRequest;
use super::map::Map;
use super::rule::{CompiledMatch, CompiledRule, Subject, Test};

/// One match of a rule, by its position.
#[derive(Clone)]
pub(super) struct Candidate {
    pub(super) rule: Arc<CompiledRule>,
    pub(super) matched: usize,
}

impl Candidate {
    pub(super) fn compiled(&self) -> &CompiledMatch {
        &self.rule.matches[self.matched]
    }

    /// `Less` goes first. The Gateway API leaves no two rules of one kind equal; the key decides
    /// between kinds and stores.
    pub(super) fn precedence(&self, other: &Self) -> Ordering {
        let (mine, theirs) = (&self.rule.rule, &other.rule.rule);
        let specificity = |candidate: &Self| candidate.compiled().specificity;
        specificity(other)
            .cmp(&specificity(self))
            .then_with(|| mine.order.cmp(&theirs.order))
            .then_with(|| mine.key.cmp(&theirs.key))
            .then_with(|| self.matched.cmp(&other.matched))
    }

    fn exact_condition(&self, position: usize) -> Option<(&Subject, &Name)> {
        let condition = self.compiled().conditions.get(position)?;
        match &condition.test {
            Test::Exact(value) => Some((&condition.subject, value)),
            Test::Regex(_) => None,
        }
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} match {}", self.rule.rule.key, self.matched)
    }
}

#[derive(Clone, Debug)]
pub(super) enum Group {
    /// In the order of precedence.
    Few(Vec<Candidate>),
    /// Shared, for a node is copied whenever something below it changes.
    Many(Arc<Index>),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    len: usize,
    /// Those without a further exact condition, in the order of precedence.
    rest: Vec<Candidate>,
    /// In the order of subjects.
    by: Vec<(Subject, Map<Name, Arc<Group>>)>,
}

/// As many are compared before an index pays.
const FEW: usize = 8;
/// Conditions that the index follows; it is as deep. Far more than tell real matches apart.
const DEPTH: usize = 16;

impl Default for Group {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Group {
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn len(&self) -> usize {
        match self {
            Self::Few(list) => list.len(),
            Self::Many(index) => index.len,
        }
    }

    pub(super) fn insert(&mut self, candidate: Candidate) {
        self.insert_at(0, candidate);
    }

    pub(super) fn remove(&mut self, candidate: &Candidate) {
        self.remove_at(0, candidate);
    }

    /// `depth` conditions are settled on the way here. False if it only took an equal's place.
    fn insert_at(&mut self, depth: usize, candidate: Candidate) -> bool {
        let list = match self {
            Self::Many(index) => return Arc::make_mut(index).insert(depth, candidate),
            Self::Few(list) => list,
        };
        let added = insert_sorted(list, candidate);
        if list.len() > FEW && depth < DEPTH {
            let mut index = Index::default();
            for candidate in std::mem::take(list) {
                index.insert(depth, candidate);
            }
            *self = Self::Many(Arc::new(index));
        }
        added
    }

    fn remove_at(&mut self, depth: usize, candidate: &Candidate) -> bool {
        let index = match self {
            Self::Few(list) => return remove_sorted(list, candidate),
            Self::Many(index) => Arc::make_mut(index),
        };
        let removed = index.remove(depth, candidate);
        if index.len <= FEW {
            let mut list = Vec::with_capacity(index.len);
            index.collect_into(&mut list);
            list.sort_by(Candidate::precedence);
            *self = Self::Few(list);
        }
        removed
    }

    fn collect_into(&self, into: &mut Vec<Candidate>) {
        match self {
            Self::Few(list) => into.extend_from_slice(list),
            Self::Many(index) => index.collect_into(into),
        }
    }

    /// Puts into `best` the first that matches, if it goes before what is there.
    pub(super) fn improve<'a>(
        &'a self,
        best: &mut Option<&'a Candidate>,
        request: &impl RouteRequest,
        visited: &mut u32,
    ) {
        let mut open: SmallVec<[&Self; 8]> = SmallVec::new();
        open.push(self);
        while let Some(group) = open.pop() {
            match group {
                Self::Few(list) => improve_from(list, best, request, visited),
                Self::Many(index) => {
                    improve_from(&index.rest, best, request, visited);
                    for (subject, groups) in &index.by {
                        *visited += 1;
                        let value = subject.of(request);
                        open.extend(value.and_then(|v| groups.get(&*v)).map(|group| &**group));
                    }
                }
            }
        }
    }
}

impl Index {
    fn insert(&mut self, depth: usize, candidate: Candidate) -> bool {
        let added = match candidate.exact_condition(depth) {
            None => insert_sorted(&mut self.rest, candidate),
            Some((subject, value)) => {
                let (subject, value) = (subject.clone(), value.clone());
                let at = self.by.binary_search_by(|(other, _)| other.cmp(&subject));
                let at = at.unwrap_or_else(|at| {
                    self.by.insert(at, (subject, Map::default()));
                    at
                });
                let group = self.by[at].1.get_or_default(&value, Name::clone);
                Arc::make_mut(group).insert_at(depth + 1, candidate)
            }
        };
        self.len += usize::from(added);
        added
    }

    fn remove(&mut self, depth: usize, candidate: &Candidate) -> bool {
        let removed = match candidate.exact_condition(depth) {
            None => remove_sorted(&mut self.rest, candidate),
            Some((subject, value)) => self.remove_below(depth, subject, value, candidate),
        };
        self.len -= usize::from(removed);
        removed
    }

    fn remove_below(
        &mut self,
        depth: usize,
        subject: &Subject,
        value: &Name,
        candidate: &Candidate,
    ) -> bool {
        let Ok(at) = self.by.binary_search_by(|(other, _)| other.cmp(subject)) else {
            return false;
        };
        let groups = &mut self.by[at].1;
        let Some(group) = groups.get_mut(&**value) else { return false };
        let group = Arc::make_mut(group);
        let removed = group.remove_at(depth + 1, candidate);
        if group.is_empty() {
            groups.remove(&**value);
        }
        if groups.is_empty() {
            self.by.remove(at);
        }
        removed
    }

    fn collect_into(&self, into: &mut Vec<Candidate>) {
        into.extend_from_slice(&self.rest);
        for group in self.by.iter().flat_map(|(_, groups)| groups.values()) {
            group.collect_into(into);
        }
    }
}

fn improve_from<'a>(
    list: &'a [Candidate],
    best: &mut Option<&'a Candidate>,
    request: &impl RouteRequest,
    visited: &mut u32,
) {
    for candidate in list {
        *visited += 1;
        if best.is_some_and(|best| best.precedence(candidate).is_le()) {
            return;
        }
        if candidate.compiled().holds(request) {
            *best = Some(candidate);
            return;
        }
    }
}

fn insert_sorted(list: &mut Vec<Candidate>, candidate: Candidate) -> bool {
    match list.binary_search_by(|other| other.precedence(&candidate)) {
        Ok(at) => {
            list[at] = candidate;
            false
        }
        Err(at) => {
            list.insert(at, candidate);
            true
        }
    }
}

fn remove_sorted(list: &mut Vec<Candidate>, candidate: &Candidate) -> bool {
    match list.binary_search_by(|other| other.precedence(candidate)) {
        Ok(at) => {
            list.remove(at);
            true
        }
        Err(_) => false,
    }
}
