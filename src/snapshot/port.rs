//! What a socket serves: its listeners by hostname, and the rules of each.

use std::borrow::Cow;
use std::sync::Arc;

use crate::model::{BindAddress, Hostname, Listener, PartKey};

use super::candidates::Candidate;
use super::hosts::{Hosts, Left};
use super::rule::CompiledRule;
use super::tree::PathTree;

/// What a lookup asks of a request.
pub trait RouteRequest {
    /// Lower case, without port.
    fn host(&self) -> &str;
    /// Normalised.
    fn path(&self) -> &str;
    /// What follows the `?`, as it was sent.
    fn query(&self) -> Option<&str>;
    fn method(&self) -> &str;
    /// All values of the field joined with ", " (RFC 9110 §5.3); `name` is lower case.
    fn header(&self, name: &str) -> Option<Cow<'_, str>>;
}

/// All listeners of one socket.
#[derive(Clone, Debug)]
pub struct Port {
    pub bind: BindAddress,
    /// Sorted by key: lowering lets only one listener have a hostname, and should there be two,
    /// the first serves.
    listeners: Hosts<Vec<Arc<ListenerTable>>>,
}

impl Port {
    pub(super) fn new(bind: BindAddress) -> Self {
        Self { bind, listeners: Hosts::default() }
    }

    pub fn listeners(&self) -> impl Iterator<Item = &Arc<ListenerTable>> {
        self.listeners.values().flatten()
    }

    /// The listener with the most specific hostname for `host` (lower case, without port): exact,
    /// longest wildcard, none.
    pub fn listener_for(&self, host: &str) -> Option<&Arc<ListenerTable>> {
        self.listeners.find_map(host, &mut 0, |listeners, _| listeners.first())
    }

    /// Takes the place of the table of the same listener.
    pub(super) fn put(&mut self, table: Arc<ListenerTable>) {
        let listeners = self.listeners.get_or_default(table.listener.hostname.as_ref());
        match listeners.binary_search_by(|other| other.key().cmp(table.key())) {
            Ok(at) => listeners[at] = table,
            Err(at) => listeners.insert(at, table),
        }
    }

    pub(super) fn remove(&mut self, listener: &Listener) -> Left {
        self.listeners.change(listener.hostname.as_ref(), |listeners| {
            listeners.retain(|other| *other.key() != listener.key);
            if listeners.is_empty() { Left::Nothing } else { Left::Something }
        });
        if self.listeners.is_empty() { Left::Nothing } else { Left::Something }
    }
}

/// A listener with the rules that are attached to it.
#[derive(Debug)]
pub struct ListenerTable {
    pub listener: Arc<Listener>,
    pub(super) rules: RuleTable,
}

impl ListenerTable {
    fn key(&self) -> &PartKey {
        &self.listener.key
    }

    /// The match that the Gateway API's precedence puts first. `visited` grows by the nodes
    /// visited, the tables asked and the candidates compared.
    pub fn find<'a>(&'a self, request: &impl RouteRequest, visited: &mut u32) -> Option<Found<'a>> {
        self.rules
            .hosts
            .find_map(request.host(), visited, |tree, visited| tree.find(request, visited))
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    pub rule: &'a Arc<CompiledRule>,
    /// Index into `rule.rule.matches`.
    pub matched: usize,
}

/// The rules of one listener, by host and path. Copies share.
#[derive(Clone, Debug, Default)]
pub(super) struct RuleTable {
    hosts: Hosts<PathTree>,
}

impl RuleTable {
    /// Adds those matches of the rule that are attached to `listener`.
    pub(super) fn insert(&mut self, listener: &PartKey, rule: &Arc<CompiledRule>) {
        for hostname in hostnames(listener, rule) {
            let tree = self.hosts.get_or_default(hostname);
            for candidate in candidates(rule) {
                tree.insert(candidate);
            }
        }
    }

    pub(super) fn remove(&mut self, listener: &PartKey, rule: &Arc<CompiledRule>) -> Left {
        for hostname in hostnames(listener, rule) {
            self.hosts.change(hostname, |tree| {
                candidates(rule).fold(Left::Something, |_, candidate| tree.remove(&candidate))
            });
        }
        if self.hosts.is_empty() { Left::Nothing } else { Left::Something }
    }
}

fn hostnames<'a>(
    listener: &'a PartKey,
    rule: &'a CompiledRule,
) -> impl Iterator<Item = Option<&'a Hostname>> {
    // A rule without matches would leave empty trees behind.
    let attachments = if rule.matches.is_empty() { &[] } else { &rule.rule.attachments[..] };
    let attached = attachments.iter().filter(move |a| a.listener == *listener);
    attached.map(|attachment| attachment.hostname.as_ref())
}

fn candidates(rule: &Arc<CompiledRule>) -> impl Iterator<Item = Candidate> {
    (0..rule.matches.len()).map(|matched| Candidate { rule: rule.clone(), matched })
}
