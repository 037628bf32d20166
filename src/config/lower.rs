//! Objects into parts, incrementally.
//!
//! A unit (a Gateway's listeners, a certificate, a route's rules, a backend, its endpoints, …) is
//! a pure function over a `View` of the index, which notes every question: this object,
//! the grants of that namespace, the slices of a Service, another unit's output. A change runs the
//! units that asked about it, in the fixed order of the layers, and an output that stays equal
//! ends its spread. What nobody refers to is not lowered.
//!
//! Lowering never fails as a whole: what is wrong becomes a diagnostic, and a [`Cause`] in the
//! part that needed it.
//!
//! This module must not know files, the clock or how documents are spelled.
//!
//! [`Cause`]: crate::model::Cause

mod arbiter;
mod attach;
mod backend;
mod backend_tls;
mod certificate;
mod endpoints;
mod filters;
mod gateway;
mod grants;
mod grpc;
mod leave;
mod listener;
mod matches;
mod namespaces;
mod pattern;
mod policy;
mod ports;
mod reference;
mod rollouts;
mod route;
mod rule;
mod session;
mod settings;
mod sought;
mod spread;
mod status;
mod target;
mod traits;
mod unit;
mod view;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

pub use self::certificate::check_pair;

use self::arbiter::Claims;
use self::status::Users;
use self::unit::{Made, Output, UnitKey};
use self::view::{Finding, Query, View};
use super::Diagnostic;
use super::codes;
use super::flags::Options;
use super::index::Index;
use super::status::{Facts, Status};
use crate::limits;
use crate::model::{Kind, Name, ObjectKey, Part, PartKey, Scope};
use crate::snapshot::Changes;

#[cfg(test)]
mod tests;

/// The memory of one lowering: what each unit said and asked.
#[derive(Debug)]
pub struct Lowering {
    options: Arc<Options>,
    units: HashMap<UnitKey, Unit>,
    readers: HashMap<Query, HashSet<UnitKey>>,
    /// The Secrets and ConfigMaps among what is read.
    asked_data: BTreeSet<ObjectKey>,
    /// By how many units a unit is asked for.
    wanted: HashMap<UnitKey, usize>,
    dirty: BTreeSet<UnitKey>,
    /// Units that may be of no use any more.
    unsure: BTreeSet<UnitKey>,
    claims: Claims,
    users: Users,
    facts: BTreeMap<ObjectKey, Facts>,
    /// Routes that proxies can't be told of.
    unsent: BTreeSet<ObjectKey>,
    versions: Option<BTreeSet<Name>>,
    wakes: BTreeSet<(i64, UnitKey)>,
    /// What changed since the last commit: the part before, and the part now.
    changed: BTreeMap<PartKey, (Option<Part>, Option<Part>)>,
    /// The same of statuses.
    restated: BTreeMap<ObjectKey, Restated>,
    counters: Counters,
    /// Expressions that were read in this commit, and why some can't be.
    patterns: HashMap<Name, Result<(), String>>,
}

/// What was said, and what is said now.
type Restated = (Option<Arc<Status>>, Option<Arc<Status>>);

#[derive(Debug, Default)]
struct Unit {
    output: Output,
    parts: Vec<Part>,
    reads: BTreeSet<Query>,
    demands: BTreeSet<UnitKey>,
    findings: Vec<Finding>,
    wake: Option<i64>,
}

/// What a commit cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub units_run: usize,
    /// Parts that were made again, changed or not.
    pub parts_lowered: usize,
}

/// A Gateway of a cluster as far as its proxies go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    pub scope: Scope,
    pub ports: BTreeSet<u16>,
}

/// What a commit brought.
#[derive(Debug)]
pub struct Lowered {
    /// Only parts whose content changed, in the order of their keys.
    pub changes: Changes,
    /// What the status of objects in a cluster has to say now, where that changed. `None`: nothing
    /// any more, the object is gone or another controller's. A route or policy of which nothing is
    /// ours has a status without entries.
    pub statuses: BTreeMap<ObjectKey, Option<Arc<Status>>>,
    /// All that is wrong now, the decoder's diagnostics too, by file and place.
    pub diagnostics: Vec<Diagnostic>,
    pub counters: Counters,
}

impl Lowering {
    pub fn new(options: Options) -> Self {
        Self {
            options: Arc::new(options),
            units: HashMap::new(),
            readers: HashMap::new(),
            asked_data: BTreeSet::new(),
            wanted: HashMap::new(),
            dirty: BTreeSet::new(),
            unsure: BTreeSet::new(),
            claims: Claims::default(),
            users: Users::default(),
            facts: BTreeMap::new(),
            unsent: BTreeSet::new(),
            versions: None,
            wakes: BTreeSet::new(),
            changed: BTreeMap::new(),
            restated: BTreeMap::new(),
            counters: Counters::default(),
            patterns: HashMap::new(),
        }
    }

    /// When time alone changes something next, in seconds since the epoch.
    pub fn next_date(&self) -> Option<i64> {
        self.wakes.first().map(|(time, _)| *time)
    }

    /// Lowers what changed in the index since the last commit, as of `now` in seconds since the
    /// epoch. An index belongs to one lowering: it forgets what it handed over.
    pub fn commit(&mut self, index: &mut Index, now: i64) -> Lowered {
        self.counters = Counters::default();
        for tag in index.take_touched() {
            if let super::index::Tag::Object(key) = &tag {
                self.mark_roots(key);
            }
            self.touch(&Query::Tag(tag));
        }
        while let Some((time, unit)) = self.wakes.first().cloned() {
            if time > now {
                break;
            }
            self.wakes.pop_first();
            self.dirty.insert(unit);
        }
        loop {
            if let Some(key) = self.dirty.pop_first() {
                if self.is_alive(&key, index) {
                    self.run(&key, index, now);
                } else {
                    self.remove(&key);
                }
            } else if let Some(key) = self.unsure.pop_first() {
                if !self.is_alive(&key, index) {
                    self.remove(&key);
                }
            } else {
                break;
            }
        }
        self.patterns = HashMap::new();
        Lowered {
            changes: self.take_changes(),
            statuses: self.take_statuses(),
            diagnostics: self.diagnostics(index),
            counters: self.counters,
        }
    }

    /// Whether something of a route is too large for proxies to be told: they keep what they have.
    pub fn set_unsent(&mut self, route: &ObjectKey, unsent: bool) {
        let changed =
            if unsent { self.unsent.insert(route.clone()) } else { self.unsent.remove(route) };
        if changed {
            self.touch(&Query::Facts(route.clone()));
        }
    }

    /// Says how the proxies of a Gateway are, or that nothing is known of them any more. The next
    /// commit has what that changes.
    pub fn set_facts(&mut self, gateway: &ObjectKey, facts: Option<Facts>) {
        let before = match facts.clone() {
            Some(facts) => self.facts.insert(gateway.clone(), facts),
            None => self.facts.remove(gateway),
        };
        if before != facts {
            self.touch(&Query::Facts(gateway.clone()));
        }
    }

    /// Says which versions the Gateway API's CRDs in the cluster have (their `bundle-version`
    /// annotations; an empty one for a CRD without).
    pub fn set_versions(&mut self, versions: BTreeSet<Name>) {
        if self.versions.as_ref() != Some(&versions) {
            self.versions = Some(versions);
            self.touch(&Query::Versions);
        }
    }

    /// Every part that there is, in no order.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.units.values().flat_map(|unit| &unit.parts)
    }

    /// The Secrets and ConfigMaps that something depends on, those that aren't there among them.
    pub fn asked_data(&self) -> &BTreeSet<ObjectKey> {
        &self.asked_data
    }

    /// The Gateways that are ours, each with its fleet and the ports of its listeners.
    pub fn gateways(&self) -> BTreeMap<ObjectKey, Served> {
        let mut gateways = BTreeMap::new();
        for (key, unit) in &self.units {
            if let (UnitKey::Gateway(key), Output::Gateway(shape)) = (key, &unit.output)
                && let Some(fleet) = &shape.fleet
            {
                let served = Served { scope: fleet.scope(), ports: BTreeSet::new() };
                gateways.insert(key.clone(), served);
            }
        }
        for unit in self.units.values() {
            let Output::Parent(parent) = &unit.output else { continue };
            for listener in &parent.listeners {
                if let Some(served) = gateways.get_mut(&listener.gateway) {
                    served.ports.insert(listener.port);
                }
            }
        }
        gateways
    }

    fn mark_roots(&mut self, key: &ObjectKey) {
        if self.options.cluster && status::is_told(key.kind) {
            self.dirty.insert(UnitKey::Status(key.clone()));
        }
        let object = key.clone();
        match key.kind {
            Kind::MeshConfig => self.dirty.extend([UnitKey::MeshConfig(object)]),
            Kind::TrafficPolicy | Kind::BackendTlsPolicy => {
                self.dirty.extend([UnitKey::Policy(object)]);
            }
            Kind::Gateway => self.dirty.extend([UnitKey::Gateway(object)]),
            Kind::ListenerSet => self.dirty.extend([UnitKey::ListenerSet(object)]),
            Kind::HttpRoute | Kind::GrpcRoute => {
                self.dirty.extend([UnitKey::Attach(object.clone()), UnitKey::Route(object)]);
            }
            Kind::GatewayClass
            | Kind::ReferenceGrant
            | Kind::Service
            | Kind::EndpointSlice
            | Kind::Secret
            | Kind::ConfigMap
            | Kind::Namespace
            | Kind::Backend
            | Kind::TrafficRollout => {}
        }
    }

    fn is_alive(&self, key: &UnitKey, index: &Index) -> bool {
        let rooted = match key {
            UnitKey::Arbiter(listener) => self.claims.has(listener),
            _ => key.root().is_some_and(|object| index.get(object).is_some()),
        };
        rooted || self.wanted.get(key).is_some_and(|count| *count > 0)
    }

    fn touch(&mut self, query: &Query) {
        if let Some(readers) = self.readers.get(query) {
            self.dirty.extend(readers.iter().cloned());
        }
    }

    /// Marks a unit that isn't there yet.
    fn want(&mut self, key: &UnitKey) {
        if !self.units.contains_key(key) {
            self.dirty.insert(key.clone());
        }
    }

    fn pull(&mut self, key: &UnitKey, index: &Index, now: i64) -> Output {
        if !self.units.contains_key(key) || self.dirty.contains(key) {
            self.dirty.remove(key);
            self.run(key, index, now);
        }
        self.units.get(key).map(|unit| unit.output.clone()).unwrap_or_default()
    }

    fn run(&mut self, key: &UnitKey, index: &Index, now: i64) {
        let mut view = View::new(self, index, now);
        let made = make(&mut view, key);
        let View { reads, demands, findings, wake, .. } = view;
        self.counters.units_run += 1;
        self.counters.parts_lowered += made.parts.len();
        let unit = Unit { output: made.output, parts: made.parts, reads, demands, findings, wake };
        self.keep(key, Some(unit));
    }

    fn remove(&mut self, key: &UnitKey) {
        if self.units.contains_key(key) {
            self.keep(key, None);
        }
    }

    fn take_statuses(&mut self) -> BTreeMap<ObjectKey, Option<Arc<Status>>> {
        let restated = std::mem::take(&mut self.restated).into_iter();
        restated
            .filter(|(_, (before, after))| before != after)
            .map(|(key, (_, after))| (key, after))
            .collect()
    }

    fn take_changes(&mut self) -> Changes {
        let mut changes = Changes { upserted: Vec::new(), removed: Vec::new() };
        for (key, (before, after)) in std::mem::take(&mut self.changed) {
            match after {
                Some(part) if before.as_ref() != Some(&part) => changes.upserted.push(part),
                None if before.is_some() => changes.removed.push(key),
                _ => {}
            }
        }
        changes
    }

    fn diagnostics(&self, index: &Index) -> Vec<Diagnostic> {
        // Two units may come upon the same mistake, as two listeners on their Gateway's.
        let found: BTreeSet<&Finding> =
            self.units.values().flat_map(|unit| &unit.findings).collect();
        let mut hints = limits::HINTS;
        let rendered = found.iter().filter_map(|finding| finding.render(index, &mut hints));
        let mut all: Vec<Diagnostic> = rendered.collect();
        all.extend(index.diagnostics());
        all.sort_by(|a, b| {
            let order = |d: &Diagnostic| (d.file.clone(), d.place, d.severity, d.code);
            order(a).cmp(&order(b)).then_with(|| a.message.cmp(&b.message))
        });
        all
    }
}

fn make(view: &mut View<'_>, key: &UnitKey) -> Made {
    match key {
        UnitKey::MeshConfig(object) => settings::mesh_config(view, object).into(),
        UnitKey::Policy(object) => policy::policy(view, object).into(),
        UnitKey::Gateway(object) => gateway::gateway(view, object).into(),
        UnitKey::ListenerSet(object) => gateway::listener_set(view, object).into(),
        UnitKey::Ports(fleet) => ports::ports(view, fleet).into(),
        UnitKey::Parent(object) => ports::parent(view, object).into(),
        UnitKey::Certificate(secret) => certificate::certificate(view, secret),
        UnitKey::Traits(gateway) => traits::traits(view, gateway).into(),
        UnitKey::Settings(gateway) => settings::settings(view, gateway).into(),
        UnitKey::Listener(listener) => listener::listener(view, listener),
        UnitKey::Attach(route) => attach::attach(view, route).into(),
        UnitKey::Arbiter(listener) => arbiter::arbiter(view, listener).into(),
        UnitKey::Target(object, port) => target::target(view, object, *port).into(),
        UnitKey::Wears(object, port) => target::wears(view, object, *port).into(),
        UnitKey::Route(route) => route::route(view, route),
        UnitKey::Backend(backend) => backend::backend(view, backend),
        UnitKey::Endpoints(object, port) => endpoints::endpoints(view, object, *port),
        UnitKey::Status(object) => status::status(view, object).into(),
    }
}
