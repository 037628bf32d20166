//! HTTPRoutes against GRPCRoutes: of two routes of different kinds with hosts in common on one
//! listener, the older is taken, then the first by namespace and name (GRPCRoute `hostnames`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::unit::{Claim, Output};
use super::view::{Query, View};
use crate::model::{Hostname, Kind, ObjectKey, PartKey};

type Hosts = BTreeSet<Option<Hostname>>;

/// Which routes are on each listener, and which of them lost.
#[derive(Debug, Default)]
pub(super) struct Claims {
    listeners: HashMap<PartKey, OnListener>,
    /// Routes of which no rule can be served as it is written: nobody counts them.
    invalid: HashSet<ObjectKey>,
}

#[derive(Debug, Default)]
struct OnListener {
    /// The age of each route, and the hosts that it wants.
    hosts: BTreeMap<ObjectKey, (i64, Hosts)>,
    grpc: usize,
    /// Loser to winner.
    refused: BTreeMap<ObjectKey, ObjectKey>,
}

impl Claims {
    pub(super) fn has(&self, listener: &PartKey) -> bool {
        self.listeners.contains_key(listener)
    }

    /// Who took the hosts from the route.
    pub(super) fn winner(&self, listener: &PartKey, route: &ObjectKey) -> Option<&ObjectKey> {
        self.listeners.get(listener)?.refused.get(route)
    }

    pub(super) fn set_invalid(&mut self, route: &ObjectKey, invalid: bool) {
        if invalid {
            self.invalid.insert(route.clone());
        } else {
            self.invalid.remove(route);
        }
    }

    /// Routes that are attached to a listener.
    fn attached(&self, listener: &PartKey) -> u32 {
        let Some(on) = self.listeners.get(listener) else { return 0 };
        let counts =
            |route: &&ObjectKey| on.hosts.contains_key(*route) && !on.refused.contains_key(*route);
        let invalid = self.invalid.iter().filter(counts).count();
        u32::try_from(on.hosts.len() - on.refused.len() - invalid).unwrap_or(u32::MAX)
    }

    /// The listeners whose arbiter has to look again.
    pub(super) fn change(
        &mut self,
        route: &ObjectKey,
        before: &[Claim],
        after: &[Claim],
    ) -> BTreeSet<PartKey> {
        for claim in before {
            self.remove(route, &claim.listener);
        }
        for claim in after {
            let on = self.listeners.entry(claim.listener.clone()).or_default();
            let new = !on.hosts.contains_key(route);
            let (created, hosts) = on.hosts.entry(route.clone()).or_default();
            *created = claim.created;
            hosts.extend(claim.hosts.iter().cloned());
            on.grpc += usize::from(new && route.kind == Kind::GrpcRoute);
        }
        before.iter().chain(after).map(|claim| claim.listener.clone()).collect()
    }

    fn remove(&mut self, route: &ObjectKey, listener: &PartKey) {
        let Some(on) = self.listeners.get_mut(listener) else { return };
        if on.hosts.remove(route).is_some() && route.kind == Kind::GrpcRoute {
            on.grpc -= 1;
        }
        if on.hosts.is_empty() {
            self.listeners.remove(listener);
        }
    }
}

/// Decides anew on one listener and has the routes lowered whose verdict changed; says how many
/// are attached.
pub(super) fn arbiter(view: &mut View<'_>, listener: &PartKey) -> Output {
    let refused = judge(view, listener);
    let Some(on) = view.lowering.claims.listeners.get_mut(listener) else {
        return Output::Arbiter(0);
    };
    let before = std::mem::replace(&mut on.refused, refused);
    let changed: Vec<ObjectKey> = before
        .keys()
        .chain(on.refused.keys())
        .filter(|route| before.get(*route) != on.refused.get(*route))
        .cloned()
        .collect();
    for route in changed {
        view.lowering.touch(&Query::Verdict(listener.clone(), route));
    }
    Output::Arbiter(view.lowering.claims.attached(listener))
}

fn judge(view: &View<'_>, listener: &PartKey) -> BTreeMap<ObjectKey, ObjectKey> {
    let mut refused = BTreeMap::new();
    let Some(on) = view.lowering.claims.listeners.get(listener) else { return refused };
    if on.grpc == 0 || on.grpc == on.hosts.len() {
        return refused;
    }
    let mut routes: Vec<(&ObjectKey, &(i64, Hosts))> = on.hosts.iter().collect();
    routes.sort_by_key(|(route, (age, _))| (*age, &route.namespace, &route.name, route.kind));
    let (mut http, mut grpc) = (Taken::default(), Taken::default());
    for (route, (_, hosts)) in routes {
        let (mine, others) = match route.kind {
            Kind::GrpcRoute => (&mut grpc, &http),
            _ => (&mut http, &grpc),
        };
        match hosts.iter().find_map(|host| others.meets(host.as_ref())) {
            Some(winner) => {
                refused.insert(route.clone(), winner.clone());
            }
            None => hosts.iter().for_each(|host| mine.take(host.as_ref(), route)),
        }
    }
    refused
}

/// Hosts taken so far, by the first route that took them.
#[derive(Default)]
struct Taken<'a> {
    first: Option<&'a ObjectKey>,
    any: Option<&'a ObjectKey>,
    named: HashMap<&'a str, &'a ObjectKey>,
    /// For each taken host, every wildcard above it: `*.b.c` and `*.c` for `a.b.c`.
    below: HashMap<&'a str, &'a ObjectKey>,
    seen: HashSet<&'a str>,
}

impl<'a> Taken<'a> {
    fn take(&mut self, host: Option<&'a Hostname>, route: &'a ObjectKey) {
        self.first.get_or_insert(route);
        let Some(host) = host else {
            self.any.get_or_insert(route);
            return;
        };
        if self.seen.insert(host.as_str()) {
            self.named.insert(host.as_str(), route);
            for suffix in suffixes(host.as_str()) {
                self.below.entry(suffix).or_insert(route);
            }
        }
    }

    fn meets(&self, host: Option<&Hostname>) -> Option<&'a ObjectKey> {
        let Some(host) = host else { return self.first };
        let text = host.as_str();
        let above = || {
            suffixes(text).find_map(|suffix| {
                // `*.b.c` is stored under its own text.
                let wildcard = format!("*{suffix}");
                self.named.get(wildcard.as_str())
            })
        };
        let below = || host.wildcard_suffix().and_then(|suffix| self.below.get(suffix));
        self.any.or_else(|| self.named.get(text).or_else(above).or_else(below).copied())
    }
}

/// `.b.c` and `.c` for `a.b.c` and for `*.b.c` alike.
fn suffixes(host: &str) -> impl Iterator<Item = &str> {
    host.match_indices('.').map(|(at, _)| &host[at..])
}
