//! A rule compiled for matching: conditions with their regular expressions, and where in the
//! path tree each match hangs.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use crate::model::{HeaderMatch, HeaderName, Match, Name, PathMatch, Pattern, QueryMatch, Rule};

use super::RouteRequest;
use super::pattern::{Compiled, Patterns};
use super::query;

/// A rule's number: dense, stable while the rule lives, used again after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleSlot(pub u32);

#[derive(Debug)]
pub struct CompiledRule {
    pub slot: RuleSlot,
    pub rule: Arc<Rule>,
    pub(super) matches: Box<[CompiledMatch]>,
}

/// All conditions must hold, and the path must be at or below `place`, as `kind` says.
#[derive(Debug)]
pub(super) struct CompiledMatch {
    pub(super) kind: PathKind,
    /// Where the match hangs in the path tree; None is its root, above every path.
    pub(super) place: Option<Name>,
    /// The exact ones first, each half in the order of subjects: the index over candidates
    /// follows them from the left.
    pub(super) conditions: Box<[Condition]>,
    pub(super) specificity: Specificity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathKind {
    Exact,
    Regex,
    Prefix,
}

/// Greater goes first: with a method, then more headers, then more query parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Specificity {
    method: bool,
    headers: usize,
    query: usize,
}

#[derive(Debug)]
pub(super) struct Condition {
    pub(super) subject: Subject,
    pub(super) test: Test,
}

/// What of a request a condition looks at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Method,
    Header(HeaderName),
    Query(Name),
    /// Last, for it is only ever tested by a regular expression.
    Path,
}

#[derive(Debug)]
pub(super) enum Test {
    Exact(Name),
    Regex(Arc<Compiled>),
}

impl CompiledRule {
    pub(super) fn new(slot: RuleSlot, rule: Arc<Rule>, patterns: &mut Patterns) -> Self {
        let matches = rule.matches.iter().map(|m| CompiledMatch::new(m, patterns)).collect();
        Self { slot, rule, matches }
    }

    /// Every pattern that was acquired to compile the rule, as often as it was.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.rule.matches.iter().flat_map(|m| {
            let path = match &m.path {
                PathMatch::Regex(pattern) => Some(pattern),
                PathMatch::Exact(_) | PathMatch::Prefix(_) => None,
            };
            let headers = m.headers.iter().filter_map(|header| match header {
                HeaderMatch::Regex { pattern, .. } => Some(pattern),
                HeaderMatch::Exact { .. } => None,
            });
            let query = m.query.iter().filter_map(|parameter| match parameter {
                QueryMatch::Regex { pattern, .. } => Some(pattern),
                QueryMatch::Exact { .. } => None,
            });
            path.into_iter().chain(headers).chain(query)
        })
    }
}

impl CompiledMatch {
    fn new(source: &Match, patterns: &mut Patterns) -> Self {
        let mut conditions = Vec::new();
        let (kind, place) = match &source.path {
            PathMatch::Exact(path) => (PathKind::Exact, Some(path.clone())),
            // `/` is stored as the empty text and takes everything, even a path that isn't one
            // (`OPTIONS *`).
            PathMatch::Prefix(path) => (PathKind::Prefix, (!path.is_empty()).then(|| path.clone())),
            PathMatch::Regex(pattern) => {
                let compiled = patterns.acquire(pattern);
                let place = compiled.below.clone();
                conditions.push(Condition { subject: Subject::Path, test: Test::Regex(compiled) });
                (PathKind::Regex, place)
            }
        };
        let exact = |subject, value: &Name| Condition { subject, test: Test::Exact(value.clone()) };
        conditions.extend(source.method.iter().map(|method| exact(Subject::Method, method)));
        for header in &source.headers {
            let subject = Subject::Header(header.name().clone());
            conditions.push(match header {
                HeaderMatch::Exact { value, .. } => exact(subject, value),
                HeaderMatch::Regex { pattern, .. } => {
                    Condition { subject, test: Test::Regex(patterns.acquire(pattern)) }
                }
            });
        }
        for parameter in &source.query {
            conditions.push(match parameter {
                QueryMatch::Exact { name, value } => exact(Subject::Query(name.clone()), value),
                QueryMatch::Regex { name, pattern } => Condition {
                    subject: Subject::Query(name.clone()),
                    test: Test::Regex(patterns.acquire(pattern)),
                },
            });
        }
        conditions.sort_by(|a, b| {
            a.test.is_regex().cmp(&b.test.is_regex()).then_with(|| a.subject.cmp(&b.subject))
        });
        Self {
            kind,
            place,
            conditions: conditions.into(),
            specificity: Specificity {
                method: source.method.is_some(),
                headers: source.headers.len(),
                query: source.query.len(),
            },
        }
    }

    pub(super) fn holds(&self, request: &impl RouteRequest) -> bool {
        self.conditions.iter().all(|condition| condition.holds(request))
    }
}

impl Specificity {
    /// By method, by headers, by query.
    pub(super) fn compare(self, other: Self) -> [Ordering; 3] {
        let Self { method, headers, query } = self;
        [method.cmp(&other.method), headers.cmp(&other.headers), query.cmp(&other.query)]
    }
}

impl Condition {
    pub(super) fn holds(&self, request: &impl RouteRequest) -> bool {
        self.subject.of(request).is_some_and(|value| match &self.test {
            Test::Exact(expected) => *value == **expected,
            Test::Regex(compiled) => compiled.takes(&value),
        })
    }
}

impl Subject {
    pub(super) fn of<'r>(&self, request: &'r impl RouteRequest) -> Option<Cow<'r, str>> {
        match self {
            Self::Method => Some(request.method().into()),
            Self::Header(name) => request.header(name),
            Self::Query(name) => query::first(request.query()?, name),
            Self::Path => Some(request.path().into()),
        }
    }
}

impl Test {
    fn is_regex(&self) -> bool {
        matches!(self, Self::Regex(_))
    }
}
