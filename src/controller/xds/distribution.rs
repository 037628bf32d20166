//! What each fleet has now, and which of its proxies have yet to hear of what.
//!
//! A proxy's next transaction is whatever differs when it is ready for one: between two, only the
//! names of what changed are kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use crate::clock::{self, Instant};
use crate::controller::proxies::{Fleet, Proxy};
use crate::limits;
use crate::model::{ArmKey, Counts, Name, ObjectKey, PartKey, Report, Scope};
use crate::snapshot::Changes;
use crate::telemetry::tally::Tally;
use crate::wire;
use crate::wire::transaction::Parcel;

mod relayed;
mod served;

pub(super) use relayed::Ear;

/// Shared by whoever publishes, all conversations, and whoever writes status.
#[derive(Debug)]
pub struct Distribution {
    state: Mutex<State>,
    /// Counts what proxies said, came and went.
    heard: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// The last that was published.
    generation: Option<u64>,
    fleets: HashMap<Scope, Members>,
    replicas: relayed::Replicas,
    tally: Tally,
    /// What rollouts are about.
    followed: BTreeSet<ObjectKey>,
    next: u64,
}

#[derive(Debug, Default)]
struct Members {
    /// The last that changed something.
    generation: Option<u64>,
    parcels: BTreeMap<Arc<str>, Arc<Parcel>>,
    /// What can't be sent, by name.
    too_large: BTreeMap<Arc<str>, PartKey>,
    /// What nobody needs any more, and since when: of what it did last, proxies have yet to tell.
    leaving: BTreeMap<Arc<str>, Instant>,
    subscribers: BTreeMap<u64, Subscriber>,
}

#[derive(Debug)]
struct Subscriber {
    row: Proxy,
    wanted: Wanted,
    bell: Arc<Notify>,
}

#[derive(Debug)]
enum Wanted {
    /// Whatever differs from what it has.
    Everything,
    Names(BTreeSet<Arc<str>>),
    Nothing,
}

/// What a proxy is to be told.
pub(super) struct News {
    pub(super) generation: u64,
    pub(super) parcels: Vec<Arc<Parcel>>,
    pub(super) gone: Gone,
}

/// What it may have and nobody needs any more.
pub(super) enum Gone {
    /// Whatever isn't among the parcels.
    Others,
    Names(Vec<Arc<str>>),
}

impl Distribution {
    #[expect(clippy::new_without_default, reason = "there is one, and it is made on purpose")]
    pub fn new() -> Self {
        Self { state: Mutex::default(), heard: watch::Sender::new(0) }
    }

    /// Tells fleets what changed. Before the first of these nobody is told anything, so a
    /// controller that has just begun to read takes nothing away.
    pub fn publish(&self, generation: u64, changes: &BTreeMap<Scope, Changes>) {
        let packed: Vec<_> =
            changes.iter().map(|(scope, changes)| (scope, pack(changes))).collect();
        let mut state = self.state();
        state.begin(generation);
        for (scope, packed) in packed {
            state.tell(generation, scope, packed);
        }
        drop(state);
        self.heard.send_modify(|count| *count += 1);
    }

    #[cfg(test)]
    pub(super) fn publish_parcels(
        &self,
        generation: u64,
        scope: &Scope,
        parcels: Vec<Parcel>,
        removed: &[Arc<str>],
    ) {
        let removed = removed.to_vec();
        let packed = Packed { parcels, removed, too_large: BTreeMap::new() };
        self.state().tell(generation, scope, packed);
        self.heard.send_modify(|count| *count += 1);
    }

    /// One fleet as it is.
    pub fn fleet(&self, scope: &Scope) -> Fleet {
        self.state().fleet(scope)
    }

    /// What some fleet ought to have and can't be sent: it keeps what it has.
    pub fn too_large(&self) -> BTreeSet<PartKey> {
        let state = self.state();
        state.fleets.values().flat_map(|members| members.too_large.values().cloned()).collect()
    }

    /// All that have proxies here, by name, their proxies by name: each replica tells of its own.
    pub fn fleets(&self) -> Vec<Fleet> {
        let state = self.state();
        let mut fleets: Vec<(Scope, Fleet)> = state
            .fleets
            .iter()
            .filter(|(_, members)| !members.subscribers.is_empty())
            .map(|(scope, members)| {
                let proxies = members.rows().collect();
                (scope.clone(), Fleet { generation: members.generation, proxies })
            })
            .collect();
        drop(state);
        fleets.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut fleets: Vec<Fleet> = fleets.into_iter().map(|(_, fleet)| fleet).collect();
        for fleet in &mut fleets {
            fleet.proxies.sort_by(|one, other| one.name.cmp(&other.name));
        }
        fleets
    }

    /// The proxies of which other replicas tell, by fleet: all of them where this one leads.
    pub fn elsewhere(&self) -> Vec<Proxy> {
        let mut state = self.state();
        state.expire();
        let mut proxies = state.others(|_| true);
        drop(state);
        proxies.sort_by(|a, b| (&a.scope, &a.name).cmp(&(&b.scope, &b.name)));
        proxies
    }

    /// All proxies that this replica and others have, by fleet.
    #[cfg(test)]
    pub(super) fn proxies(&self) -> Vec<Proxy> {
        let mut state = self.state();
        state.expire();
        let mut proxies: Vec<Proxy> = state.fleets.values().flat_map(Members::rows).collect();
        proxies.extend(state.others(|_| true));
        drop(state);
        proxies.sort_by(|a, b| (&a.scope, &a.name).cmp(&(&b.scope, &b.name)));
        proxies
    }

    /// What the arms of a route have done, as far as this replica has heard of it: the difference
    /// of two is what they did in between.
    pub fn arms(&self, route: &ObjectKey) -> Vec<(ArmKey, Counts)> {
        let state = self.state();
        let arms = state.tally.arms().filter(|arm| arm.rule.object == *route);
        arms.map(|arm| (arm.clone(), state.tally.totals(arm))).collect()
    }

    #[cfg(test)]
    pub(super) fn arm(&self, arm: &ArmKey) -> Counts {
        self.state().tally.totals(arm)
    }

    /// Changes whenever something was published, or a proxy came, went or said something.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.heard.subscribe()
    }

    /// Where `sole` is said, nobody else has the name: who has it now is gone, though its
    /// connection may not know that yet.
    pub(in crate::controller) fn subscribe(
        self: &Arc<Self>,
        scope: Scope,
        name: Name,
        version: Name,
        sole: bool,
    ) -> Seat {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        let bell = Arc::new(Notify::new());
        let row = Proxy::new(scope.clone(), Arc::clone(&name), version, clock::since_epoch());
        let subscriber = Subscriber { row, wanted: Wanted::Everything, bell: Arc::clone(&bell) };
        let generation = state.generation;
        let members = state.fleets.entry(scope.clone()).or_default();
        members.generation = members.generation.or(generation);
        let before = members.subscribers.extract_if(.., |_, other| sole && other.row.name == name);
        before.for_each(|(_, other)| other.bell.notify_one());
        members.subscribers.insert(number, subscriber);
        drop(state);
        self.heard.send_modify(|count| *count += 1);
        Seat { distribution: Arc::clone(self), scope, number, bell }
    }

    /// Nothing panics while it holds this; if it did, what fleets have would still be so.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change of one fleet as it travels.
struct Packed {
    parcels: Vec<Parcel>,
    removed: Vec<Arc<str>>,
    /// What stays behind: one route must not cut off all others.
    too_large: BTreeMap<Arc<str>, PartKey>,
}

fn pack(changes: &Changes) -> Packed {
    let mut parcels = Vec::with_capacity(changes.upserted.len());
    let mut too_large = BTreeMap::new();
    for part in &changes.upserted {
        let parcel = Parcel::pack(part);
        let bytes = parcel.bytes.len();
        if bytes <= limits::WIRE_PART_BYTES {
            parcels.push(parcel);
        } else {
            let key = part.key();
            tracing::error!(bytes, "{key} is too large to be sent: proxies keep what they have");
            too_large.insert(parcel.name, key.clone());
        }
    }
    let removed = changes.removed.iter().map(|key| wire::name(key).into()).collect();
    Packed { parcels, removed, too_large }
}

impl Members {
    fn rows(&self) -> impl Iterator<Item = Proxy> {
        self.subscribers.values().map(|subscriber| {
            let row = subscriber.row.clone();
            Proxy { behind: row.answered < self.generation, ..row }
        })
    }
}

impl State {
    fn fleet(&mut self, scope: &Scope) -> Fleet {
        self.expire();
        let members = self.fleets.get(scope);
        let proxies: Vec<Proxy> = members.into_iter().flat_map(Members::rows).collect();
        let generation = members.map_or(self.generation, |members| members.generation);
        let others = self.others(|proxy| proxy.scope == *scope);
        Fleet { generation, proxies: proxies.into_iter().chain(others).collect() }
    }

    /// Forgets the proxies of replicas that were not heard for too long.
    fn expire(&mut self) {
        let gone = self.replicas.expire(clock::now());
        self.forget(gone);
    }

    /// Those of other replicas. Who is connected here as well has come from there.
    fn others(&self, of: impl Fn(&Proxy) -> bool) -> Vec<Proxy> {
        let here = |proxy: &Proxy| {
            self.fleets.get(&proxy.scope).is_some_and(|members| {
                members.subscribers.values().any(|other| other.row.name == proxy.name)
            })
        };
        self.replicas.proxies().filter(|proxy| of(proxy) && !here(proxy)).collect()
    }

    /// From the first generation on, proxies are told.
    fn begin(&mut self, generation: u64) {
        if self.generation.replace(generation).is_some() {
            return;
        }
        for members in self.fleets.values_mut() {
            members.generation = Some(generation);
            members.subscribers.values().for_each(|subscriber| subscriber.bell.notify_one());
        }
    }

    fn tell(&mut self, generation: u64, scope: &Scope, packed: Packed) {
        let Packed { parcels, removed, too_large } = packed;
        let members = self.fleets.entry(scope.clone()).or_default();
        members.generation = Some(generation);
        let now = clock::now();
        members.leaving.retain(|_, since| now.duration_since(*since) < limits::REPORT_LATE);
        for name in &removed {
            members.parcels.remove(name);
            members.too_large.remove(name);
            members.leaving.insert(Arc::clone(name), now);
        }
        let mut names = removed;
        for parcel in parcels {
            names.push(Arc::clone(&parcel.name));
            members.too_large.remove(&parcel.name);
            members.parcels.insert(Arc::clone(&parcel.name), Arc::new(parcel));
        }
        members.too_large.extend(too_large);
        members.subscribers.values_mut().for_each(|subscriber| subscriber.want(&names));
        self.forget_if_empty(scope);
    }

    fn forget_if_empty(&mut self, scope: &Scope) {
        let empty = |members: &Members| {
            let Members { generation: _, parcels, too_large, leaving: _, subscribers } = members;
            parcels.is_empty() && too_large.is_empty() && subscribers.is_empty()
        };
        if self.fleets.get(scope).is_some_and(empty) {
            self.fleets.remove(scope);
        }
    }
}

impl Subscriber {
    fn want(&mut self, names: &[Arc<str>]) {
        match &mut self.wanted {
            Wanted::Everything => {}
            Wanted::Names(wanted) => wanted.extend(names.iter().cloned()),
            Wanted::Nothing => self.wanted = Wanted::Names(names.iter().cloned().collect()),
        }
        self.bell.notify_one();
    }
}

/// Whose reports they are. A name alone may be claimed by the proxy of another fleet.
fn teller(row: &Proxy) -> Name {
    teller_of(&row.scope, &row.name)
}

fn teller_of(scope: &Scope, name: &Name) -> Name {
    format!("{scope} {} {name}", scope.shared).into()
}

/// A connected proxy's place; it is given up when this is dropped.
pub(in crate::controller) struct Seat {
    distribution: Arc<Distribution>,
    scope: Scope,
    number: u64,
    bell: Arc<Notify>,
}

impl Seat {
    /// Waits until there may be news. May be dropped and called again.
    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }

    /// Whether the proxy has come again by another way.
    pub(super) fn is_lost(&self) -> bool {
        let state = self.distribution.state();
        let members = state.fleets.get(&self.scope);
        members.is_none_or(|members| !members.subscribers.contains_key(&self.number))
    }

    /// What the proxy is to be told, if anything.
    pub(super) fn news(&self) -> Option<News> {
        let mut state = self.distribution.state();
        state.generation?;
        let members = state.fleets.get_mut(&self.scope)?;
        let subscriber = members.subscribers.get_mut(&self.number)?;
        let generation = members.generation?;
        let (parcels, gone) = match std::mem::replace(&mut subscriber.wanted, Wanted::Nothing) {
            Wanted::Nothing => return None,
            Wanted::Everything => (members.parcels.values().cloned().collect(), Gone::Others),
            Wanted::Names(names) => {
                let (mut parcels, mut gone) = (Vec::new(), Vec::new());
                for name in names {
                    match members.parcels.get(&name) {
                        Some(parcel) => parcels.push(Arc::clone(parcel)),
                        None => gone.push(name),
                    }
                }
                (parcels, Gone::Names(gone))
            }
        };
        subscriber.row.sent = Some(generation);
        Some(News { generation, parcels, gone })
    }

    /// The proxy's word about what it was sent.
    pub(in crate::controller) fn answered(&self, generation: u64, outcome: Result<(), String>) {
        self.note(|row| {
            row.answered = Some(generation);
            match outcome {
                Ok(()) => (row.acknowledged, row.trouble) = (Some(generation), None),
                Err(why) => row.trouble = Some(why.into()),
            }
        });
    }

    /// What changed came to nothing: the proxy's last word holds for this generation, too.
    pub(super) fn answered_before(&self, generation: u64) {
        self.note(|row| {
            row.answered = Some(generation);
            if row.trouble.is_none() {
                row.acknowledged = Some(generation);
            }
        });
    }

    /// Nobody is woken for it: whoever wants to know looks. Believed is what it says of its own
    /// fleet's rules: another tenant's counts are not its to tell.
    pub(in crate::controller) fn reported(&self, mut report: Report) {
        let mut state = self.distribution.state();
        let State { fleets, tally, .. } = &mut *state;
        let Some(members) = fleets.get_mut(&self.scope) else { return };
        let Members { parcels, leaving, subscribers, .. } = members;
        let Some(Subscriber { row, .. }) = subscribers.get_mut(&self.number) else { return };
        let now = clock::now();
        let late = |since: &Instant| now.duration_since(*since) < limits::REPORT_LATE;
        let has = |key: &PartKey| {
            let name = wire::name(key);
            parcels.contains_key(&*name) || leaving.get(&*name).is_some_and(late)
        };
        report.arms.retain(|arm| {
            let own = has(&arm.key.rule) && has(&arm.key.backend);
            if !own {
                let left_out = &mut report.totals.left_out;
                *left_out = left_out.saturating_add(arm.counts.requests);
            }
            own
        });
        row.totals = Some(report.totals);
        tally.take(&teller(row), report);
    }

    fn note(&self, change: impl FnOnce(&mut Proxy)) {
        self.change(change);
        self.distribution.heard.send_modify(|count| *count += 1);
    }

    fn change(&self, change: impl FnOnce(&mut Proxy)) {
        let mut state = self.distribution.state();
        let members = state.fleets.get_mut(&self.scope);
        let subscriber = members.and_then(|members| members.subscribers.get_mut(&self.number));
        if let Some(Subscriber { row, .. }) = subscriber {
            change(row);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.distribution.state();
        let State { fleets, tally, .. } = &mut *state;
        if let Some(members) = fleets.get_mut(&self.scope)
            && let Some(Subscriber { row, .. }) = members.subscribers.remove(&self.number)
        {
            let again = |other: &Subscriber| other.row.name == row.name;
            if !members.subscribers.values().any(again) {
                tally.forget(&teller(&row));
            }
        }
        state.forget_if_empty(&self.scope);
        drop(state);
        self.distribution.heard.send_modify(|count| *count += 1);
    }
}
