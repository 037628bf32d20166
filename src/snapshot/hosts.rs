//! Things by hostname: exact, by wildcard, and for any host.
//!
//! Used twice: for the listeners of a port and for the path trees of a listener.

use crate::model::{Hostname, Name};

use super::map::Map;

#[derive(Clone, Debug)]
pub(super) struct Hosts<T> {
    exact: Map<Name, T>,
    /// By what follows `*.`.
    wildcards: Map<Name, T>,
    any: Option<T>,
}

/// No [`Hostname`] is longer, so what is longer needn't be looked up: a Host of many KiB of dots
/// would else be hashed once for each.
const LONGEST: usize = 253;

impl<T> Default for Hosts<T> {
    fn default() -> Self {
        Self { exact: Map::default(), wildcards: Map::default(), any: None }
    }
}

impl<T> Hosts<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.wildcards.is_empty() && self.any.is_none()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.exact.values().chain(self.wildcards.values()).chain(&self.any)
    }

    /// Asks what is there for `host` (lower case, without port) until one answers: the exact
    /// name, then wildcards from the longest to the shortest, then what takes any host. Each
    /// look into a table counts as a visit.
    pub(super) fn find_map<'a, A>(
        &'a self,
        host: &str,
        visited: &mut u32,
        mut ask: impl FnMut(&'a T, &mut u32) -> Option<A>,
    ) -> Option<A> {
        if !self.exact.is_empty() && host.len() <= LONGEST {
            *visited += 1;
            let answer = self.exact.get(host).and_then(|found| ask(found, visited));
            if answer.is_some() {
                return answer;
            }
        }
        if !self.wildcards.is_empty() {
            for suffix in suffixes(host) {
                *visited += 1;
                let answer = self.wildcards.get(suffix).and_then(|found| ask(found, visited));
                if answer.is_some() {
                    return answer;
                }
            }
        }
        self.any.as_ref().and_then(|found| ask(found, visited))
    }
}

impl<T: Clone + Default> Hosts<T> {
    pub(super) fn get_or_default(&mut self, hostname: Option<&Hostname>) -> &mut T {
        match hostname.map(spread) {
            Some((Spread::Exact, name)) => self.exact.get_or_default(name, Name::from),
            Some((Spread::Wildcard, name)) => self.wildcards.get_or_default(name, Name::from),
            None => self.any.get_or_insert_with(T::default),
        }
    }

    /// Changes what stands there; it is taken out when `change` says that nothing is left of it.
    pub(super) fn change(
        &mut self,
        hostname: Option<&Hostname>,
        change: impl FnOnce(&mut T) -> Left,
    ) {
        match hostname.map(spread) {
            Some((Spread::Exact, name)) => change_in(&mut self.exact, name, change),
            Some((Spread::Wildcard, name)) => change_in(&mut self.wildcards, name, change),
            None => {
                if self.any.as_mut().map(change) == Some(Left::Nothing) {
                    self.any = None;
                }
            }
        }
    }
}

/// Whether something is left after a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    Something,
    Nothing,
}

enum Spread {
    Exact,
    Wildcard,
}

fn spread(hostname: &Hostname) -> (Spread, &str) {
    match hostname.as_str().strip_prefix("*.") {
        Some(rest) => (Spread::Wildcard, rest),
        None => (Spread::Exact, hostname.as_str()),
    }
}

fn change_in<T: Clone>(map: &mut Map<Name, T>, name: &str, change: impl FnOnce(&mut T) -> Left) {
    if map.get_mut(name).map(change) == Some(Left::Nothing) {
        map.remove(name);
    }
}

/// What follows each dot but a leading one: what a wildcard's `*` may leave over.
fn suffixes(host: &str) -> impl Iterator<Item = &str> {
    let from = host.len().saturating_sub(LONGEST + 1).max(1);
    let tail = host.as_bytes().get(from..).unwrap_or_default();
    memchr::memchr_iter(b'.', tail).map(move |dot| &host[from + dot + 1..])
}

#[cfg(test)]
mod tests;
