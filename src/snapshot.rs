//! The immutable root that a proxy serves from: all parts, compiled for lookup.
//!
//! [`Snapshot::apply`] makes the next root. What the change doesn't name is shared with the one
//! before, down to the nodes of the path trees, so the work follows the change and not the size
//! of the mesh. A Snapshot is a value: two that were built from the same parts in whatever order
//! find the same rules.
//!
//! It knows the model alone: no configuration, no socket, no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{
    Backend, BindAddress, Certificate, EndpointSet, Listener, Part, PartKey, PartKind, Rule,
};

use hosts::Left;
use map::Map;
use pattern::Patterns;
use port::RuleTable;
use slots::Slots;

pub use near::{Miss, Near, Precedence, Wanted};
pub use port::{Found, ListenerTable, Port, RouteRequest};
pub use rule::{CompiledRule, RuleSlot};

mod candidates;
mod hosts;
mod map;
mod near;
mod pattern;
mod port;
mod query;
mod rule;
mod slots;
mod tree;

/// What is different from one Snapshot to the next. A part that is in both lists is changed, not
/// removed.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub upserted: Vec<Part>,
    pub removed: Vec<PartKey>,
}

/// A backend's number: dense, stable while the backend lives, used again after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BackendSlot(pub u32);

#[derive(Clone, Debug)]
pub struct BackendEntry {
    pub slot: BackendSlot,
    pub backend: Arc<Backend>,
    /// None while no such part is there.
    pub endpoints: Option<Arc<EndpointSet>>,
}

#[derive(Clone, Debug)]
pub struct Snapshot {
    /// 0 is empty; each change adds 1.
    pub generation: u64,
    ports: BTreeMap<BindAddress, Arc<Port>>,
    listeners: Map<PartKey, Arc<ListenerTable>>,
    /// By the key of the listener, also for listeners that aren't there (yet).
    tables: Map<PartKey, RuleTable>,
    rules: Slots<CompiledRule>,
    patterns: Patterns,
    backends: Slots<BackendEntry>,
    endpoints: Map<PartKey, Arc<EndpointSet>>,
    /// Which backends use an EndpointSet, there or not.
    users: Map<PartKey, BTreeSet<PartKey>>,
    certificates: Map<PartKey, Arc<Certificate>>,
}

impl Snapshot {
    pub fn empty() -> Self {
        Self {
            generation: 0,
            ports: BTreeMap::new(),
            listeners: Map::default(),
            tables: Map::default(),
            rules: Slots::empty(),
            patterns: Patterns::default(),
            backends: Slots::empty(),
            endpoints: Map::default(),
            users: Map::default(),
            certificates: Map::default(),
        }
    }

    /// A new root over shared parts. Work is proportional to the change, plus flat copies of the
    /// arrays of slots.
    pub fn apply(&self, changes: &Changes) -> Self {
        let mut next = self.clone();
        next.generation += 1;
        let mut touched = BTreeSet::new();
        let upserted: BTreeSet<&PartKey> = match changes.removed.is_empty() {
            true => BTreeSet::new(),
            false => changes.upserted.iter().map(Part::key).collect(),
        };
        for key in changes.removed.iter().filter(|key| !upserted.contains(key)) {
            next.remove(key, &mut touched);
        }
        for part in &changes.upserted {
            next.upsert(part, &mut touched);
        }
        for listener in touched {
            next.link(&listener);
        }
        next
    }

    pub fn ports(&self) -> impl Iterator<Item = &Arc<Port>> {
        self.ports.values()
    }

    pub fn port(&self, bind: BindAddress) -> Option<&Arc<Port>> {
        self.ports.get(&bind)
    }

    pub fn listener(&self, key: &PartKey) -> Option<&Arc<Listener>> {
        self.listeners.get(key).map(|table| &table.listener)
    }

    pub fn rule_slot(&self, key: &PartKey) -> Option<RuleSlot> {
        self.rules.number(key).map(RuleSlot)
    }

    pub fn rule(&self, slot: RuleSlot) -> Option<&Arc<CompiledRule>> {
        self.rules.at(slot.0)
    }

    pub fn backend_slot(&self, key: &PartKey) -> Option<BackendSlot> {
        self.backends.number(key).map(BackendSlot)
    }

    pub fn backend(&self, slot: BackendSlot) -> Option<&BackendEntry> {
        self.backends.at(slot.0).map(|entry| &**entry)
    }

    /// In the order of their slots.
    pub fn backends(&self) -> impl Iterator<Item = &BackendEntry> {
        self.backends.iter().map(|entry| &**entry)
    }

    pub fn certificate(&self, key: &PartKey) -> Option<&Arc<Certificate>> {
        self.certificates.get(key)
    }

    pub fn part(&self, key: &PartKey) -> Option<Part> {
        match key.part {
            PartKind::Listener => self.listener(key).cloned().map(Part::Listener),
            PartKind::Rule => self.rules.get(key).map(|rule| Part::Rule(rule.rule.clone())),
            PartKind::Backend => {
                self.backends.get(key).map(|entry| Part::Backend(entry.backend.clone()))
            }
            PartKind::EndpointSet => self.endpoints.get(key).cloned().map(Part::EndpointSet),
            PartKind::Certificate => self.certificate(key).cloned().map(Part::Certificate),
        }
    }

    /// By kind; within a kind in no order that means something.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        let listeners = self.listeners.values().map(|table| Part::Listener(table.listener.clone()));
        let rules = self.rules.iter().map(|rule| Part::Rule(rule.rule.clone()));
        let backends = self.backends.iter().map(|entry| Part::Backend(entry.backend.clone()));
        let endpoints = self.endpoints.values().cloned().map(Part::EndpointSet);
        let certificates = self.certificates.values().cloned().map(Part::Certificate);
        listeners.chain(rules).chain(backends).chain(endpoints).chain(certificates)
    }

    fn upsert(&mut self, part: &Part, touched: &mut BTreeSet<PartKey>) {
        // What says the same stays the same, and so does everything that hangs on it.
        if self.part(part.key()).as_ref() == Some(part) {
            return;
        }
        match part {
            Part::Listener(listener) => self.put_listener(listener, touched),
            Part::Rule(rule) => self.put_rule(rule, touched),
            Part::Backend(backend) => self.put_backend(backend),
            Part::EndpointSet(set) => {
                self.endpoints.insert(set.key.clone(), set.clone());
                self.refresh_users(&set.key);
            }
            Part::Certificate(certificate) => {
                self.certificates.insert(certificate.key.clone(), certificate.clone());
            }
        }
    }

    fn remove(&mut self, key: &PartKey, touched: &mut BTreeSet<PartKey>) {
        match key.part {
            PartKind::Listener => self.remove_listener(key),
            PartKind::Rule => {
                if let Some(rule) = self.rules.remove(key) {
                    self.unhang(&rule, touched);
                }
            }
            PartKind::Backend => {
                if let Some(entry) = self.backends.remove(key) {
                    self.forget_user(&entry.backend);
                }
            }
            PartKind::EndpointSet => {
                self.endpoints.remove(key);
                self.refresh_users(key);
            }
            PartKind::Certificate => {
                self.certificates.remove(key);
            }
        }
    }

    fn put_listener(&mut self, listener: &Arc<Listener>, touched: &mut BTreeSet<PartKey>) {
        // Its socket or its hostname may be another.
        self.remove_listener(&listener.key);
        let table = ListenerTable { listener: listener.clone(), rules: RuleTable::default() };
        self.listeners.insert(listener.key.clone(), Arc::new(table));
        touched.insert(listener.key.clone());
    }

    fn remove_listener(&mut self, key: &PartKey) {
        let Some(table) = self.listeners.remove(key) else { return };
        let bind = table.listener.bind;
        let Some(port) = self.ports.get_mut(&bind) else { return };
        if Arc::make_mut(port).remove(&table.listener) == Left::Nothing {
            self.ports.remove(&bind);
        }
    }

    fn put_rule(&mut self, rule: &Arc<Rule>, touched: &mut BTreeSet<PartKey>) {
        let old = self.rules.get(&rule.key).cloned();
        let patterns = &mut self.patterns;
        let new = self
            .rules
            .put(&rule.key, |number| CompiledRule::new(RuleSlot(number), rule.clone(), patterns));
        // Only now, so that patterns which both say aren't compiled again.
        if let Some(old) = old {
            self.unhang(&old, touched);
        }
        for listener in attached_to(rule) {
            self.tables.get_or_default(listener, PartKey::clone).insert(listener, &new);
            touched.insert(listener.clone());
        }
    }

    /// Takes a rule out of the tables.
    fn unhang(&mut self, rule: &Arc<CompiledRule>, touched: &mut BTreeSet<PartKey>) {
        for listener in attached_to(&rule.rule) {
            let Some(table) = self.tables.get_mut(listener) else { continue };
            if table.remove(listener, rule) == Left::Nothing {
                self.tables.remove(listener);
            }
            touched.insert(listener.clone());
        }
        for pattern in rule.patterns() {
            self.patterns.release(pattern);
        }
    }

    /// Shows a listener its rules as they are now, and its port the listener.
    fn link(&mut self, key: &PartKey) {
        let Some(table) = self.listeners.get_mut(key) else { return };
        *table = Arc::new(ListenerTable {
            listener: table.listener.clone(),
            rules: self.tables.get(key).cloned().unwrap_or_default(),
        });
        let bind = table.listener.bind;
        let port = self.ports.entry(bind).or_insert_with(|| Arc::new(Port::new(bind)));
        Arc::make_mut(port).put(table.clone());
    }

    fn put_backend(&mut self, backend: &Arc<Backend>) {
        if let Some(old) = self.backends.get(&backend.key).cloned() {
            self.forget_user(&old.backend);
        }
        let endpoints = self.endpoints.get(&backend.endpoints).cloned();
        self.backends.put(&backend.key, |number| BackendEntry {
            slot: BackendSlot(number),
            backend: backend.clone(),
            endpoints,
        });
        self.users.get_or_default(&backend.endpoints, PartKey::clone).insert(backend.key.clone());
    }

    fn forget_user(&mut self, backend: &Backend) {
        let Some(users) = self.users.get_mut(&backend.endpoints) else { return };
        users.remove(&backend.key);
        if users.is_empty() {
            self.users.remove(&backend.endpoints);
        }
    }

    /// Shows the backends of an EndpointSet what it is now.
    fn refresh_users(&mut self, key: &PartKey) {
        let endpoints = self.endpoints.get(key).cloned();
        for user in self.users.get(key).into_iter().flatten() {
            let Some(old) = self.backends.get(user).cloned() else { continue };
            self.backends.put(user, |_| BackendEntry {
                endpoints: endpoints.clone(),
                ..BackendEntry::clone(&old)
            });
        }
    }
}

/// Each listener once, however many hostnames of it the rule has.
fn attached_to(rule: &Rule) -> BTreeSet<&PartKey> {
    rule.attachments.iter().map(|attachment| &attachment.listener).collect()
}

#[cfg(test)]
mod tests;
