//! Who needs which parts: the mesh cut into one piece for each fleet of proxies.
//!
//! A fleet has its listeners, the rules that are attached to them (each with its attachments to
//! this fleet alone), and all that these name: backends, their endpoints, certificates. What
//! nothing of a fleet names never reaches its proxies, so one tenant's keys stay out of another's.
//!
//! References are counted, so the work follows the change and not the size of the mesh. This
//! module is pure: no clock, no socket, nothing that waits.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::model::{
    Attachment, Backend, ClientIdentity, Filter, Listener, ListenerProtocol, Mirror, ObjectKey,
    Part, PartKey, PartKind, Rule, Scope,
};
use crate::snapshot::Changes;

#[cfg(test)]
mod tests;

/// Every part of the mesh, and where each is needed.
#[derive(Debug, Default)]
pub struct Fleets {
    parts: HashMap<PartKey, Part>,
    /// The rules that name a listener, there or not.
    attached: HashMap<PartKey, BTreeSet<PartKey>>,
    /// Each rule as the fleets have it.
    placed: HashMap<PartKey, BTreeMap<Scope, Arc<Rule>>>,
    /// How often the parts of a fleet name a part, there or not.
    uses: HashMap<PartKey, BTreeMap<Scope, usize>>,
    views: BTreeMap<Scope, HashMap<PartKey, Part>>,
}

/// What may have changed, until it is compared.
#[derive(Default)]
struct Touched {
    parts: BTreeSet<(Scope, PartKey)>,
    /// Rules whose listeners came, went or changed fleets.
    rules: BTreeSet<PartKey>,
}

impl Fleets {
    /// What the change is to each fleet; those that it means nothing to are left out.
    pub fn apply(&mut self, changes: &Changes) -> BTreeMap<Scope, Changes> {
        let mut touched = Touched::default();
        let upserted: BTreeSet<&PartKey> = changes.upserted.iter().map(Part::key).collect();
        for key in changes.removed.iter().filter(|key| !upserted.contains(key)) {
            self.replace(key, None, &mut touched);
        }
        for part in &changes.upserted {
            self.replace(part.key(), Some(part), &mut touched);
        }
        for rule in std::mem::take(&mut touched.rules) {
            self.place(&rule, &mut touched);
        }
        self.tell(touched)
    }

    /// Everything that a fleet has.
    pub fn parts(&self, scope: &Scope) -> impl Iterator<Item = &Part> {
        self.views.get(scope).into_iter().flat_map(HashMap::values)
    }

    /// The routes that need one of these parts. Looks through all there are: what is asked about is
    /// a rare mistake.
    pub fn routes_of(&self, keys: &BTreeSet<PartKey>) -> BTreeSet<ObjectKey> {
        if keys.is_empty() {
            return BTreeSet::new();
        }
        let endpoints = |key: &PartKey| match self.parts.get(key) {
            Some(Part::Backend(backend)) => Some(&backend.endpoints),
            _ => None,
        };
        let needs = |key: &PartKey| {
            keys.contains(key) || endpoints(key).is_some_and(|set| keys.contains(set))
        };
        let route = |part: &Part| match part {
            Part::Rule(rule) if keys.contains(&rule.key) => Some(rule.key.object.clone()),
            Part::Rule(rule) => {
                backends_of(rule).iter().any(needs).then(|| rule.key.object.clone())
            }
            _ => None,
        };
        self.parts.values().filter_map(route).collect()
    }

    pub fn scopes(&self) -> impl Iterator<Item = &Scope> {
        self.views.keys()
    }

    fn replace(&mut self, key: &PartKey, new: Option<&Part>, touched: &mut Touched) {
        let old = match new {
            Some(part) => self.parts.insert(key.clone(), part.clone()),
            None => self.parts.remove(key),
        };
        if old.as_ref() == new {
            return;
        }
        match key.part {
            PartKind::Listener => {
                let (old_scope, new_scope) = (scope_of(old.as_ref()), scope_of(new));
                if old_scope != new_scope {
                    touched.rules.extend(self.attached.get(key).into_iter().flatten().cloned());
                }
                // What both name is never given up in between.
                if let (Some(scope), Some(part)) = (new_scope, new) {
                    self.hold_all(&scope, part, touched);
                    touched.parts.insert((scope, key.clone()));
                }
                if let (Some(scope), Some(part)) = (old_scope, &old) {
                    self.release_all(&scope, part, touched);
                    touched.parts.insert((scope, key.clone()));
                }
            }
            PartKind::Rule => {
                self.attach(key, old.as_ref(), new);
                touched.rules.insert(key.clone());
            }
            PartKind::Backend | PartKind::EndpointSet | PartKind::Certificate => {
                let scopes =
                    self.uses.get(key).map(|uses| uses.keys().cloned().collect::<Vec<_>>());
                for scope in scopes.unwrap_or_default() {
                    if let Some(part) = new {
                        self.hold_all(&scope, part, touched);
                    }
                    if let Some(part) = &old {
                        self.release_all(&scope, part, touched);
                    }
                    touched.parts.insert((scope, key.clone()));
                }
            }
        }
    }

    /// Remembers which listeners a rule names.
    fn attach(&mut self, key: &PartKey, old: Option<&Part>, new: Option<&Part>) {
        for attachment in attachments(old) {
            if let Some(rules) = self.attached.get_mut(&attachment.listener) {
                rules.remove(key);
                if rules.is_empty() {
                    self.attached.remove(&attachment.listener);
                }
            }
        }
        for attachment in attachments(new) {
            self.attached.entry(attachment.listener.clone()).or_default().insert(key.clone());
        }
    }

    /// Cuts a rule for the fleets of its listeners.
    fn place(&mut self, key: &PartKey, touched: &mut Touched) {
        let new = match self.parts.get(key) {
            Some(Part::Rule(rule)) => self.cut(rule),
            _ => BTreeMap::new(),
        };
        for (scope, rule) in &new {
            backends_of(rule).iter().for_each(|name| self.hold(scope, name, touched));
            touched.parts.insert((scope.clone(), key.clone()));
        }
        let old = match new.is_empty() {
            true => self.placed.remove(key),
            false => self.placed.insert(key.clone(), new),
        };
        for (scope, rule) in old.into_iter().flatten() {
            backends_of(&rule).iter().for_each(|name| self.release(&scope, name, touched));
            touched.parts.insert((scope, key.clone()));
        }
    }

    fn cut(&self, rule: &Arc<Rule>) -> BTreeMap<Scope, Arc<Rule>> {
        let mut by_scope: BTreeMap<Scope, Vec<Attachment>> = BTreeMap::new();
        for attachment in &rule.attachments {
            if let Some(scope) = scope_of(self.parts.get(&attachment.listener)) {
                by_scope.entry(scope).or_default().push(attachment.clone());
            }
        }
        let cut = |attachments: Vec<Attachment>| match attachments == rule.attachments {
            true => Arc::clone(rule),
            false => Arc::new(Rule { attachments, ..Rule::clone(rule) }),
        };
        by_scope.into_iter().map(|(scope, attachments)| (scope, cut(attachments))).collect()
    }

    fn hold_all(&mut self, scope: &Scope, of: &Part, touched: &mut Touched) {
        named(of).iter().for_each(|name| self.hold(scope, name, touched));
    }

    fn release_all(&mut self, scope: &Scope, of: &Part, touched: &mut Touched) {
        named(of).iter().for_each(|name| self.release(scope, name, touched));
    }

    /// One more part of the fleet names this one.
    fn hold(&mut self, scope: &Scope, key: &PartKey, touched: &mut Touched) {
        let uses = self.uses.entry(key.clone()).or_default().entry(scope.clone()).or_default();
        *uses += 1;
        if *uses > 1 {
            return;
        }
        touched.parts.insert((scope.clone(), key.clone()));
        if let Some(part) = self.parts.get(key).cloned() {
            self.hold_all(scope, &part, touched);
        }
    }

    /// One part less names it.
    fn release(&mut self, scope: &Scope, key: &PartKey, touched: &mut Touched) {
        let Some(scopes) = self.uses.get_mut(key) else { return };
        let Some(uses) = scopes.get_mut(scope) else { return };
        *uses -= 1;
        if *uses > 0 {
            return;
        }
        scopes.remove(scope);
        if scopes.is_empty() {
            self.uses.remove(key);
        }
        touched.parts.insert((scope.clone(), key.clone()));
        if let Some(part) = self.parts.get(key).cloned() {
            self.release_all(scope, &part, touched);
        }
    }

    /// Compares what was touched with what each fleet has.
    fn tell(&mut self, touched: Touched) -> BTreeMap<Scope, Changes> {
        let mut told: BTreeMap<Scope, Changes> = BTreeMap::new();
        for (scope, key) in touched.parts {
            let now = self.needed(&scope, &key);
            let had = self.views.get(&scope).and_then(|view| view.get(&key));
            if had == now.as_ref() {
                continue;
            }
            let view = self.views.entry(scope.clone()).or_default();
            let changes = told.entry(scope.clone()).or_default();
            match now {
                Some(part) => {
                    view.insert(key, part.clone());
                    changes.upserted.push(part);
                }
                None => {
                    view.remove(&key);
                    changes.removed.push(key);
                }
            }
            if view.is_empty() {
                self.views.remove(&scope);
            }
        }
        told
    }

    /// A part as the fleet needs it now.
    fn needed(&self, scope: &Scope, key: &PartKey) -> Option<Part> {
        match key.part {
            PartKind::Listener => {
                let part = self.parts.get(key);
                part.filter(|_| scope_of(part).as_ref() == Some(scope)).cloned()
            }
            PartKind::Rule => self.placed.get(key)?.get(scope).cloned().map(Part::Rule),
            PartKind::Backend | PartKind::EndpointSet | PartKind::Certificate => {
                self.uses.get(key)?.get(scope)?;
                self.parts.get(key).cloned()
            }
        }
    }
}

fn scope_of(part: Option<&Part>) -> Option<Scope> {
    match part {
        Some(Part::Listener(listener)) => Some(listener.scope.clone()),
        _ => None,
    }
}

fn attachments(part: Option<&Part>) -> &[Attachment] {
    match part {
        Some(Part::Rule(rule)) => &rule.attachments,
        _ => &[],
    }
}

/// The parts that a part names and can't do without; a rule's listeners aren't among them.
fn named(part: &Part) -> Vec<PartKey> {
    match part {
        Part::Listener(listener) => certificates_of(listener),
        Part::Rule(rule) => backends_of(rule),
        Part::Backend(backend) => of_backend(backend),
        Part::EndpointSet(_) | Part::Certificate(_) => Vec::new(),
    }
}

fn certificates_of(listener: &Listener) -> Vec<PartKey> {
    match &listener.protocol {
        ListenerProtocol::Http => Vec::new(),
        ListenerProtocol::Https(tls) => tls.certificates.iter().flatten().cloned().collect(),
    }
}

/// With those that get copies.
fn backends_of(rule: &Rule) -> Vec<PartKey> {
    let own = rule.backends.iter().filter_map(|one| one.backend.as_ref().ok());
    let filters = rule.filters.iter().chain(rule.backends.iter().flat_map(|one| &one.filters));
    let copies = filters.filter_map(|filter| match filter {
        Filter::Mirror(Mirror { backend, fraction: _ }) => backend.as_ref().ok(),
        Filter::RequestHeaders(_)
        | Filter::ResponseHeaders(_)
        | Filter::Redirect(_)
        | Filter::Rewrite(_)
        | Filter::Cors(_)
        | Filter::Refuse(_) => None,
    });
    own.chain(copies).cloned().collect()
}

fn of_backend(backend: &Backend) -> Vec<PartKey> {
    let tls = backend.tls.as_ref().ok().and_then(Option::as_ref);
    let identity = tls.and_then(|tls| tls.identity.as_ref());
    let identity = identity.map(|ClientIdentity(key)| key.clone());
    std::iter::once(backend.endpoints.clone()).chain(identity).collect()
}
