//! The path tree of one host: a trie over the segments between slashes.
//!
//! The root stands above every path. An absolute path's first segment is the empty one before
//! its first slash, and an empty segment is like any other, so `//` and a trailing slash are
//! data. Copies share: a change copies the nodes from the root to its place. Nothing here
//! recurses along a path, which is as deep as someone wrote it.

use std::mem;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::model::Name;

use super::candidates::{Candidate, Group};
use super::hosts::Left;
use super::map::Map;
use super::rule::PathKind;
use super::{Found, RouteRequest};

#[derive(Clone, Debug, Default)]
pub(super) struct PathTree {
    root: Arc<Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    children: Map<Name, Arc<Self>>,
    exact: Group,
    regex: Group,
    prefix: Group,
}

impl PathTree {
    /// Exact, else a regular expression from anywhere on the way, else the longest prefix.
    pub(super) fn find<'a>(
        &'a self,
        request: &impl RouteRequest,
        visited: &mut u32,
    ) -> Option<Found<'a>> {
        // Routes rarely have three above each other; past 16 the list moves to the heap.
        let mut passed: SmallVec<[&Node; 16]> = SmallVec::new();
        let end = self.walk(request.path(), visited, |node| {
            if !node.regex.is_empty() || !node.prefix.is_empty() {
                passed.push(node);
            }
        });
        let mut best = None;
        if let Some(end) = end {
            end.exact.improve(&mut best, request, visited);
        }
        if best.is_none() {
            for node in &passed {
                node.regex.improve(&mut best, request, visited);
            }
        }
        while best.is_none()
            && let Some(node) = passed.pop()
        {
            node.prefix.improve(&mut best, request, visited);
        }
        best.map(|best| Found { rule: &best.rule, matched: best.matched })
    }

    /// Shows each node on the way and gives back the one where the whole path ends, if any.
    fn walk<'a>(
        &'a self,
        path: &str,
        visited: &mut u32,
        mut pass: impl FnMut(&'a Node),
    ) -> Option<&'a Node> {
        let mut node = &*self.root;
        let mut rest = Some(path);
        loop {
            *visited += 1;
            pass(node);
            let Some(text) = rest else { return Some(node) };
            let slash = memchr::memchr(b'/', text.as_bytes());
            let segment = slash.map_or(text, |slash| &text[..slash]);
            rest = slash.map(|slash| &text[slash + 1..]);
            node = node.children.get(segment)?;
        }
    }

    pub(super) fn insert(&mut self, candidate: Candidate) {
        let compiled = candidate.compiled();
        let kind = compiled.kind;
        let mut node = Arc::make_mut(&mut self.root);
        for segment in segments(compiled.place.as_deref()) {
            node = Arc::make_mut(node.children.get_or_default(segment, Name::from));
        }
        node.group_mut(kind).insert(candidate);
    }

    pub(super) fn remove(&mut self, candidate: &Candidate) -> Left {
        let compiled = candidate.compiled();
        let place = compiled.place.as_deref();
        if let Some(group) = self.group_mut(place, compiled.kind) {
            group.remove(candidate);
        }
        self.prune(place);
        if self.root.is_empty() { Left::Nothing } else { Left::Something }
    }

    fn group_mut(&mut self, place: Option<&str>, kind: PathKind) -> Option<&mut Group> {
        let mut node = Arc::make_mut(&mut self.root);
        for segment in segments(place) {
            node = Arc::make_mut(node.children.get_mut(segment)?);
        }
        Some(node.group_mut(kind))
    }

    /// Cuts off the nodes towards `place` that lead to nothing any more.
    fn prune(&mut self, place: Option<&str>) {
        let mut node = &*self.root;
        // How many nodes stay, from the root on.
        let mut kept = 0;
        for (depth, segment) in segments(place).enumerate() {
            if node.has_candidates() || !node.children.has_one() {
                kept = depth;
            }
            match node.children.get(segment) {
                Some(child) => node = child,
                None => return,
            }
        }
        if !node.is_empty() {
            return;
        }
        let mut node = Arc::make_mut(&mut self.root);
        for (depth, segment) in segments(place).enumerate() {
            if depth == kept {
                node.children.remove(segment);
                return;
            }
            match node.children.get_mut(segment) {
                Some(child) => node = Arc::make_mut(child),
                None => return,
            }
        }
    }
}

/// What leads from the root to a place in the tree.
fn segments(place: Option<&str>) -> impl Iterator<Item = &str> {
    place.into_iter().flat_map(|path| path.split('/'))
}

impl Node {
    fn group_mut(&mut self, kind: PathKind) -> &mut Group {
        match kind {
            PathKind::Exact => &mut self.exact,
            PathKind::Regex => &mut self.regex,
            PathKind::Prefix => &mut self.prefix,
        }
    }

    fn has_candidates(&self) -> bool {
        !(self.exact.is_empty() && self.regex.is_empty() && self.prefix.is_empty())
    }

    fn is_empty(&self) -> bool {
        self.children.is_empty() && !self.has_candidates()
    }
}

/// Iterative, for a tree may be deeper than a stack.
impl Drop for Node {
    fn drop(&mut self) {
        if self.children.is_empty() {
            return;
        }
        let mut open = Vec::new();
        mem::take(&mut self.children).take_unshared(|child| open.push(child));
        while let Some(child) = open.pop() {
            if let Some(mut node) = Arc::into_inner(child) {
                node.children.take_unshared(|child| open.push(child));
            }
        }
    }
}

#[cfg(test)]
mod tests;
