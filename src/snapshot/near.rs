//! Why a request meets one match and not another: every condition of every match, asked one by
//! one.
//!
//! The lookup stops at the first condition that fails and never looks where a path can't lead.
//! Here nothing is left out, so the work follows the size of the mesh: for people, never for
//! traffic. What wins is what the lookup finds, and is handed in; a test holds that each match
//! without a miss is one that the lookup would take if it stood alone.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use crate::model::{HeaderName, Hostname, Name, PartKey, PathMatch};

use super::rule::{CompiledMatch, Condition, PathKind, Subject, Test};
use super::{CompiledRule, Found, RouteRequest, Snapshot};

/// A match that isn't the one that takes the request.
#[derive(Clone, Debug)]
pub struct Near<'a> {
    pub rule: &'a Arc<CompiledRule>,
    /// Index into `rule.rule.matches`.
    pub matched: usize,
    /// Why not; never empty.
    pub misses: Vec<Miss<'a>>,
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss<'a> {
    /// No parent lets the route in.
    Unattached,
    /// The rule is attached to other listeners alone.
    Listener,
    /// The route is for other hosts.
    Hostname,
    Path,
    Method {
        wanted: &'a str,
    },
    /// `has`: what the request has in its place.
    Header {
        name: &'a HeaderName,
        wanted: Wanted<'a>,
        has: Option<String>,
    },
    Query {
        name: &'a Name,
        wanted: Wanted<'a>,
        has: Option<String>,
    },
    /// It would take the request, but for the one that does.
    Later(Precedence),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    Exact(&'a str),
    Regex(&'a str),
}

/// What puts one of two matches first that both hold, in the order in which it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precedence {
    /// Its hostname is more specific.
    Hostname,
    /// Exact before regular expression before prefix, and the longer prefix.
    Path,
    Method,
    /// More of them.
    Headers,
    Query,
    /// Its route is older.
    Age,
    /// Its route's name comes first in the alphabet.
    Name,
    /// It stands above the other in the same route.
    Position,
}

impl Snapshot {
    /// Every match but the one that takes the request, the nearest first: those with the fewest
    /// misses. `listener` is the one that the request came to, `winner` what its table found.
    pub fn near<'a>(
        &'a self,
        listener: &PartKey,
        request: &impl RouteRequest,
        winner: Option<Found<'a>>,
    ) -> Vec<Near<'a>> {
        let first = winner.map(|found| Place::of(found.rule, found.matched, listener, request));
        let mut near: Vec<(Near<'a>, Place<'a>)> = Vec::new();
        for rule in self.rules.iter() {
            for matched in 0..rule.matches.len() {
                let taken = winner.is_some_and(|winner| {
                    winner.rule.rule.key == rule.rule.key && winner.matched == matched
                });
                if taken {
                    continue;
                }
                let place = Place::of(rule, matched, listener, request);
                let mut misses = misses(rule, matched, listener, request);
                if misses.is_empty() {
                    let reason = first.as_ref().map_or(Precedence::Position, |f| f.before(&place));
                    misses.push(Miss::Later(reason));
                }
                near.push((Near { rule, matched, misses }, place));
            }
        }
        near.sort_by(|(one, its), (other, theirs)| {
            let weight = |near: &Near<'_>| near.misses.iter().map(Miss::weight).sum::<u32>();
            weight(one).cmp(&weight(other)).then_with(|| its.order(theirs))
        });
        near.into_iter().map(|(near, _)| near).collect()
    }
}

impl Miss<'_> {
    /// How far from the request it puts a match: what is a typing error away comes first.
    fn weight(&self) -> u32 {
        match self {
            Self::Later(_) => 0,
            Self::Method { .. } | Self::Header { .. } | Self::Query { .. } => 1,
            Self::Path => 2,
            Self::Unattached | Self::Listener => 3,
            Self::Hostname => 4,
        }
    }
}

fn misses<'a>(
    rule: &'a CompiledRule,
    matched: usize,
    listener: &PartKey,
    request: &impl RouteRequest,
) -> Vec<Miss<'a>> {
    let mut misses = Vec::new();
    let attachments = &rule.rule.attachments;
    let here = || attachments.iter().filter(|attachment| attachment.listener == *listener);
    if attachments.is_empty() {
        misses.push(Miss::Unattached);
    } else if here().next().is_none() {
        misses.push(Miss::Listener);
    } else if !here().any(|attachment| means(attachment.hostname.as_ref(), request.host())) {
        misses.push(Miss::Hostname);
    }
    let compiled = &rule.matches[matched];
    if !compiled.takes_path(request) {
        misses.push(Miss::Path);
    }
    let others = compiled.conditions.iter().filter(|one| one.subject != Subject::Path);
    let failing = others.filter(|condition| !condition.holds(request));
    misses.extend(failing.map(|condition| condition.told(request)));
    misses
}

fn means(hostname: Option<&Hostname>, host: &str) -> bool {
    hostname.is_none_or(|hostname| hostname.matches(host))
}

impl CompiledMatch {
    /// What the way through the path tree comes to.
    fn takes_path(&self, request: &impl RouteRequest) -> bool {
        let path = request.path();
        match (self.kind, self.place.as_deref()) {
            (PathKind::Exact, place) => place == Some(path),
            (PathKind::Prefix, None) => true,
            (PathKind::Prefix, Some(place)) => path
                .strip_prefix(place)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            (PathKind::Regex, _) => {
                let mut conditions = self.conditions.iter();
                conditions.all(|one| one.subject != Subject::Path || one.holds(request))
            }
        }
    }
}

impl Condition {
    fn told<'a>(&'a self, request: &impl RouteRequest) -> Miss<'a> {
        let wanted = match &self.test {
            Test::Exact(value) => Wanted::Exact(value),
            Test::Regex(pattern) => Wanted::Regex(pattern.text()),
        };
        let has = || self.subject.of(request).map(Cow::into_owned);
        match &self.subject {
            Subject::Header(name) => Miss::Header { name, wanted, has: has() },
            Subject::Query(name) => Miss::Query { name, wanted, has: has() },
            // Paths are asked by themselves, and methods are only ever compared.
            Subject::Method | Subject::Path => Miss::Method { wanted: wanted.text() },
        }
    }
}

impl<'a> Wanted<'a> {
    pub fn text(self) -> &'a str {
        match self {
            Self::Exact(text) | Self::Regex(text) => text,
        }
    }
}

/// Where a match stands among all that hold.
struct Place<'a> {
    rule: &'a CompiledRule,
    matched: usize,
    /// The most specific of the rule's hostnames that means the host: 0 for an exact one, 1 for a
    /// wildcard, the longer the better, 2 for every host.
    host: (u8, Reverse<usize>),
}

impl<'a> Place<'a> {
    fn of(
        rule: &'a CompiledRule,
        matched: usize,
        listener: &PartKey,
        request: &impl RouteRequest,
    ) -> Self {
        let attachments = rule.rule.attachments.iter();
        let here = attachments.filter(|attachment| attachment.listener == *listener);
        let hosts = here.map(|attachment| attachment.hostname.as_ref());
        let meaning = hosts.filter(|hostname| means(*hostname, request.host()));
        let host = meaning.map(specificity).min().unwrap_or((u8::MAX, Reverse(0)));
        Self { rule, matched, host }
    }

    fn compiled(&self) -> &CompiledMatch {
        &self.rule.matches[self.matched]
    }

    fn path(&self) -> (u8, Reverse<usize>) {
        match &self.rule.rule.matches[self.matched].path {
            PathMatch::Exact(_) => (0, Reverse(0)),
            PathMatch::Regex(_) => (1, Reverse(0)),
            PathMatch::Prefix(prefix) => (2, Reverse(prefix.len())),
        }
    }

    /// Each way in which two can differ, in the order in which they are looked at.
    fn compare(&self, other: &Self) -> [(Precedence, Ordering); 8] {
        let (mine, theirs) = (&self.rule.rule, &other.rule.rule);
        let specificity = |place: &Self| place.compiled().specificity;
        let [method, headers, query] = specificity(other).compare(specificity(self));
        let name =
            |rule: &crate::model::Rule| (rule.order.namespace.clone(), rule.order.name.clone());
        [
            (Precedence::Hostname, self.host.cmp(&other.host)),
            (Precedence::Path, self.path().cmp(&other.path())),
            (Precedence::Method, method),
            (Precedence::Headers, headers),
            (Precedence::Query, query),
            (Precedence::Age, mine.order.created.cmp(&theirs.order.created)),
            (Precedence::Name, name(mine).cmp(&name(theirs))),
            (
                Precedence::Position,
                (mine.order.rule, &mine.key, self.matched).cmp(&(
                    theirs.order.rule,
                    &theirs.key,
                    other.matched,
                )),
            ),
        ]
    }

    fn order(&self, other: &Self) -> Ordering {
        let ways = self.compare(other).into_iter();
        ways.map(|(_, order)| order).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// Why this one goes before the other.
    fn before(&self, other: &Self) -> Precedence {
        let mut ways = self.compare(other).into_iter();
        ways.find(|(_, order)| order.is_ne()).map_or(Precedence::Position, |(reason, _)| reason)
    }
}

fn specificity(hostname: Option<&Hostname>) -> (u8, Reverse<usize>) {
    match hostname {
        Some(hostname) if hostname.is_wildcard() => (1, Reverse(hostname.as_str().len())),
        Some(_) => (0, Reverse(0)),
        None => (2, Reverse(0)),
    }
}
