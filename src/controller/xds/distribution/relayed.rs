//! The proxies of other replicas, as these tell.
//!
//! A replica that says nothing any more takes its proxies with it only after a while: they are
//! unknown, and serve on. What they said last stands until then.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Distribution, State, teller};
use crate::clock::{self, Instant};
use crate::controller::proxies::Proxy;
use crate::limits;
use crate::model::{Name, ObjectKey, Scope};
use crate::wire::relay::{Course, Place, Proxies, Relayed, Versions, Words};

/// By the replica's name.
#[derive(Debug, Default)]
pub(super) struct Replicas(BTreeMap<Name, Replica>);

#[derive(Debug)]
struct Replica {
    /// The number of its last conversation.
    conversation: u64,
    silent_since: Option<Instant>,
    proxies: BTreeMap<Place, Kept>,
    /// Which version of a route its proxies have been told, in this conversation.
    routes: Versions,
}

#[derive(Debug)]
struct Kept {
    row: Proxy,
    /// The conversation that told of it last.
    conversation: u64,
}

impl Replicas {
    fn begin(&mut self, name: &Name, conversation: u64) {
        let new = || Replica {
            conversation,
            silent_since: None,
            proxies: BTreeMap::new(),
            routes: Versions::new(),
        };
        let replica = self.0.entry(Name::clone(name)).or_insert_with(new);
        (replica.conversation, replica.silent_since) = (conversation, None);
        replica.routes.clear();
    }

    /// `None` where a later conversation has taken the place of this one.
    fn get(&mut self, name: &Name, conversation: u64) -> Option<&mut Replica> {
        self.0.get_mut(name).filter(|replica| replica.conversation == conversation)
    }

    /// Forgets what has been unknown for too long; says what that was.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Place> {
        let mut gone = Vec::new();
        self.0.retain(|_, replica| {
            let silent = replica.silent_since.map(|since| now.duration_since(since));
            let keep = silent.is_none_or(|silent| silent < limits::RELAY_REST);
            if !keep {
                gone.extend(std::mem::take(&mut replica.proxies).into_keys());
            }
            keep
        });
        gone
    }

    pub(super) fn told(&self, replica: &Name, course: &Course) -> Option<&Name> {
        self.0.get(replica)?.routes.get(course)
    }

    pub(super) fn proxies(&self) -> impl Iterator<Item = Proxy> {
        self.0.iter().flat_map(|(name, replica)| {
            let silent = replica.silent_since.is_some();
            replica.proxies.values().map(move |kept| Proxy {
                replica: Some(Name::clone(name)),
                heard: !silent && kept.conversation == replica.conversation,
                ..kept.row.clone()
            })
        })
    }
}

impl Replica {
    fn take(&mut self, relayed: Relayed) {
        let Relayed { place, version, connected_since, behind, trouble } = relayed;
        if self.proxies.len() >= limits::PROXY_CONNECTIONS && !self.proxies.contains_key(&place) {
            return;
        }
        let totals = self.proxies.get(&place).and_then(|kept| kept.row.totals);
        let (scope, name) = place.clone();
        let row =
            Proxy { trouble, behind, totals, ..Proxy::new(scope, name, version, connected_since) };
        self.proxies.insert(place, Kept { row, conversation: self.conversation });
    }

    fn publishes(&mut self, course: Course, version: Option<Name>) {
        match version {
            None => drop(self.routes.remove(&course)),
            Some(version) => {
                if self.routes.len() < limits::RELAY_ROUTES || self.routes.contains_key(&course) {
                    self.routes.insert(course, version);
                }
            }
        }
    }

    /// Whoever wasn't told of in this conversation is gone.
    fn open(&mut self) -> Vec<Place> {
        let conversation = self.conversation;
        let left = self.proxies.extract_if(.., |_, kept| kept.conversation != conversation);
        left.map(|(place, _)| place).collect()
    }
}

impl State {
    /// Another replica's words: it has made sure that its proxies tell of their own fleets alone.
    fn hear(&mut self, replica: &Name, conversation: u64, words: Words) {
        let Some(replica) = self.replicas.get(replica, conversation) else { return };
        let Words { here, reports, gone, routes, opened } = words;
        here.into_iter().for_each(|relayed| replica.take(relayed));
        let mut left: Vec<Place> =
            gone.into_iter().filter(|place| replica.proxies.remove(place).is_some()).collect();
        for (place, report) in reports {
            if let Some(kept) = replica.proxies.get_mut(&place) {
                kept.row.totals = Some(report.totals);
                self.tally.take(&teller(&kept.row), report);
            }
        }
        routes.into_iter().for_each(|(course, version)| replica.publishes(course, version));
        if opened {
            left.extend(replica.open());
        }
        self.forget(left);
    }

    /// Those that are nowhere else.
    pub(super) fn forget(&mut self, places: Vec<Place>) {
        for (scope, name) in places {
            let members = self.fleets.get(&scope);
            let mut here = members.into_iter().flat_map(|members| members.subscribers.values());
            if !here.any(|subscriber| subscriber.row.name == name) {
                self.tally.forget(&super::teller_of(&scope, &name));
            }
        }
    }
}

impl Distribution {
    /// A replica begins to tell of its proxies.
    pub(in crate::controller::xds) fn hear(self: &Arc<Self>, replica: Name) -> Ear {
        let mut state = self.state();
        let conversation = state.next;
        state.next += 1;
        state.replicas.begin(&replica, conversation);
        drop(state);
        Ear { distribution: Arc::clone(self), replica, conversation }
    }

    /// The proxies that are connected to this replica, each with its whole report, and what their
    /// fleets have of the routes that are followed, at the same moment.
    pub(in crate::controller) fn relay(&self) -> (Proxies, Versions) {
        let state = self.state();
        let told = |row: Proxy| {
            let report = row.totals.and_then(|_| state.tally.report(&teller(&row)));
            let Proxy { scope, name, version, connected_since, behind, trouble, .. } = row;
            let place = (scope, name);
            let relayed =
                Relayed { place: place.clone(), version, connected_since, behind, trouble };
            (place, (relayed, report))
        };
        let proxies = state.fleets.values().flat_map(super::Members::rows).map(told).collect();
        let of_fleet = |(scope, members): (&Scope, &super::Members)| {
            let version =
                |route: &ObjectKey| Some(((scope.clone(), route.clone()), members.version(route)?));
            state.followed.iter().filter_map(version).collect::<Vec<_>>()
        };
        let talking = |(_, members): &(_, &super::Members)| !members.subscribers.is_empty();
        let routes = state.fleets.iter().filter(talking).flat_map(of_fleet).collect();
        (proxies, routes)
    }
}

/// A replica's place; from when it is dropped on its proxies are unknown.
pub(in crate::controller::xds) struct Ear {
    distribution: Arc<Distribution>,
    replica: Name,
    conversation: u64,
}

impl Ear {
    pub(in crate::controller::xds) fn take(&self, words: Words) {
        self.distribution.state().hear(&self.replica, self.conversation, words);
        self.distribution.heard.send_modify(|count| *count += 1);
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let mut state = self.distribution.state();
        if let Some(replica) = state.replicas.get(&self.replica, self.conversation) {
            replica.silent_since = Some(clock::now());
        }
        drop(state);
        self.distribution.heard.send_modify(|count| *count += 1);
    }
}
