//! Rollouts: the replica that leads takes the turns of all TrafficRollouts, each about once a
//! second, and tells what becomes of them.
//!
//! ```text
//! watch ─→ who is due ─→ basis (what is lowered, told, ready) ─→ turn ─→ status, route, events
//! ```
//!
//! A turn is a task of its own: it waits for the API server, and the controller doesn't. Which
//! rollout is asked what is read in the turn; here is only kept when the next one is due. Where
//! the lead is lost, turns end at once, wherever they are: the next leader goes on from the
//! status.

mod basis;
mod keeping;
mod pace;
mod status;
mod telling;
mod turns;
pub(super) mod webhook;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};

use super::xds::Distribution;
use crate::clock::Instant;
use crate::cluster::Cluster;
use crate::limits;
use crate::model::{Kind, ObjectKey};
use crate::names;
use crate::rollout::ask;
use crate::rollout::others::{Hold, Keeper, Rival};
use crate::rollout::turn::Driver;
use crate::store::{Store, Stored};
pub(super) use basis::Lookout;
use basis::Others;
use keeping::ClusterWorld;
use telling::Teller;
use turns::{Ended, Turned, Turner};
use webhook::Webhook;

/// A turn that has ended.
pub(super) struct Done {
    id: Id,
    turned: Result<Turned, JoinError>,
}

pub(super) struct Rollouts {
    cluster: Cluster,
    distribution: Arc<Distribution>,
    teller: Teller,
    webhook: watch::Sender<Option<Webhook>>,
    leading: bool,
    held: BTreeMap<ObjectKey, Held>,
    /// What each is about.
    routes: BTreeMap<ObjectKey, ObjectKey>,
    /// Routes that somebody else has a say in.
    others: HashMap<ObjectKey, Others>,
    turns: JoinSet<Turned>,
}

/// One rollout between its turns.
#[derive(Default)]
struct Held {
    /// Its generation, and when a command asked last.
    asked: (i64, String),
    /// Never, where nothing follows by itself.
    due: Option<Instant>,
    began: Option<Instant>,
    /// Turns in a row that changed nothing.
    quiet: u32,
    /// On its way in a turn else; what it looks at begins with the first.
    driver: Option<Driver<ClusterWorld>>,
    turn: Option<Id>,
    /// What it has of its route: by the turns of this lead, and before the first by its status.
    hold: Option<Hold>,
    had_turns: bool,
    /// Another one had the route at the last turn.
    refused: bool,
    /// It wanted nothing more at the last turn.
    over: bool,
}

impl Rollouts {
    pub(super) fn new(cluster: Cluster, instance: &str, distribution: Arc<Distribution>) -> Self {
        let cluster = cluster.with_patience(limits::ROLLOUT_PATIENCE);
        let (webhook, notices) = webhook::start(cluster.clone());
        let teller =
            Teller { cluster: cluster.clone(), instance: instance.into(), webhook: notices };
        Self {
            cluster,
            distribution,
            teller,
            webhook,
            leading: false,
            held: BTreeMap::new(),
            routes: BTreeMap::new(),
            others: HashMap::new(),
            turns: JoinSet::new(),
        }
    }

    /// Whom changes of phase are posted to from now on.
    pub(super) fn set_webhook(&self, webhook: Option<Webhook>) {
        self.webhook.send_if_modified(|held| {
            let changed = *held != webhook;
            *held = webhook;
            changed
        });
    }

    pub(super) fn lead(&mut self, leading: bool, now: Instant) {
        self.leading = leading;
        if !leading {
            self.turns.abort_all();
        }
        for held in self.held.values_mut() {
            let Held { asked, hold, .. } = std::mem::take(held);
            *held = Held { asked, hold, due: Some(now), ..Held::default() };
        }
    }

    /// An object was seen, or is gone.
    pub(super) fn seen(&mut self, key: &ObjectKey, object: Option<&Value>, now: Instant) {
        match (key.kind, object) {
            (Kind::TrafficRollout, Some(object)) => {
                self.follow(key, Some(object));
                self.seen_rollout(key, object, now);
            }
            (Kind::TrafficRollout, None) => {
                self.follow(key, None);
                self.held.remove(key);
                self.released(&key.namespace, now);
            }
            (Kind::HttpRoute | Kind::GrpcRoute, object) => {
                let others = object
                    .map(|route| Others { rival: Rival::of(route), keeper: Keeper::of(route) });
                match others.filter(|others| *others != Others::default()) {
                    Some(others) => self.others.insert(key.clone(), others),
                    None => self.others.remove(key),
                };
                // It may be anybody's: all of its namespace look soon.
                self.near(key).for_each(|held| held.hurry(now));
            }
            // Somebody may wait for an endpoint, or rest at a weight and have none any more.
            (Kind::EndpointSlice | Kind::Backend, _) => {
                self.near(key).filter(|held| !held.over).for_each(|held| held.hurry(now));
            }
            _ => {}
        }
    }

    fn near(&mut self, key: &ObjectKey) -> impl Iterator<Item = &mut Held> {
        let near = self.held.iter_mut().filter(|(it, _)| it.namespace == key.namespace);
        near.map(|(_, held)| held)
    }

    /// Whichever replica leads is told by the others how far their proxies are with its routes.
    fn follow(&mut self, rollout: &ObjectKey, object: Option<&Value>) {
        let target = object.map(|object| &object["spec"]["targetRef"]);
        let route = target.and_then(|target| {
            let kinds = [Kind::HttpRoute, Kind::GrpcRoute];
            let kind = kinds.into_iter().find(|kind| target["kind"] == kind.as_str())?;
            let name = target["name"].as_str()?.into();
            Some(ObjectKey { kind, name, ..rollout.clone() })
        });
        let before = match route.clone() {
            Some(route) => self.routes.insert(rollout.clone(), route),
            None => self.routes.remove(rollout),
        };
        if before != route {
            self.distribution.follow(self.routes.values().cloned().collect());
        }
    }

    /// Its own writes are seen here, too: they make nothing due.
    fn seen_rollout(&mut self, key: &ObjectKey, object: &Value, now: Instant) {
        let meta = &object["metadata"];
        let at = meta["annotations"][names::ANNOTATION_ASKED].as_str().unwrap_or_default();
        let asked = (meta["generation"].as_i64().unwrap_or(0), at.to_owned());
        let held = self.held.entry(key.clone()).or_default();
        if !held.had_turns {
            held.hold = hold_of(key, object);
        }
        if held.asked != asked {
            held.asked = asked;
            held.due = Some(now);
            held.over = false;
        }
    }

    /// Starts the turns that are due.
    pub(super) fn work(&mut self, lookout: &mut Lookout<'_>, now: Instant) {
        if !self.leading {
            return;
        }
        let mut holders = self.holders();
        for key in &self.due(now) {
            let Some(held) = self.held.get_mut(key) else { continue };
            if self.turns.len() >= limits::ROLLOUT_TURNS {
                return;
            }
            held.due = None;
            held.began = Some(now);
            // One that was never good is nowhere: its turn says why.
            let known = lookout.rollout(key);
            let mut first = key.clone();
            if let Some(rollout) = &known {
                let hold = Hold::of(rollout);
                if !held.over {
                    holders.entry(hold.clone()).or_insert_with(|| key.clone());
                }
                first = holders.get(&hold).unwrap_or(key).clone();
                held.refused = first != *key;
                // What it has of a former route is its own until a turn has taken it back.
                if held.hold.as_ref().is_none_or(|has| *has == hold) {
                    held.hold = Some(hold).filter(|_| !held.refused && !held.over);
                }
                held.had_turns = true;
            }
            let basis = known.map(|rollout| {
                let others = self.others.get(&rollout.route).cloned().unwrap_or_default();
                lookout.basis(&rollout, others)
            });
            let driver = held.driver.take().unwrap_or_else(|| {
                let world = ClusterWorld::new(self.cluster.clone(), Arc::clone(&self.distribution));
                Driver::new(Store::Cluster(self.cluster.clone()), world)
            });
            let turner = Turner {
                cluster: self.cluster.clone(),
                teller: self.teller.clone(),
                key: key.clone(),
                basis: basis.unwrap_or_default(),
                first,
                driver,
                now: Timestamp::now(),
            };
            held.turn = Some(self.turns.spawn(turner.turn()).id());
        }
    }

    /// Who has which route: of several, as they may be found, the first by name.
    fn holders(&self) -> BTreeMap<Hold, ObjectKey> {
        let mut holders = BTreeMap::new();
        for (key, held) in &self.held {
            if let Some(hold) = &held.hold {
                holders.entry(hold.clone()).or_insert_with(|| key.clone());
            }
        }
        holders
    }

    /// Whose turn it is. Who has waited longest comes first: where turns take longer than there is
    /// between them, names would have the others wait for ever.
    fn due(&self, now: Instant) -> Vec<ObjectKey> {
        let due = |held: &Held| held.due.filter(|due| *due <= now && held.turn.is_none());
        let mut all: Vec<_> =
            self.held.iter().filter_map(|(key, held)| Some((due(held)?, key))).collect();
        all.sort();
        all.into_iter().map(|(_, key)| key.clone()).collect()
    }

    /// Waits for a turn to end; for ever where there is none.
    pub(super) async fn next(&mut self) -> Done {
        match self.turns.join_next_with_id().await {
            Some(Ok((id, turned))) => Done { id, turned: Ok(turned) },
            Some(Err(error)) => Done { id: error.id(), turned: Err(error) },
            None => std::future::pending().await,
        }
    }

    pub(super) fn take(&mut self, Done { id, turned }: Done, now: Instant) {
        // Those of a former lead belong to nobody.
        let held = self.held.iter_mut().find(|(_, held)| held.turn == Some(id));
        let Some((key, held)) = held else { return };
        held.turn = None;
        let namespace = key.namespace.clone();
        match turned {
            Ok(Turned { driver, ended, holds }) => {
                held.driver = Some(driver);
                held.over = ended == Ended::Over;
                held.plan(ended, now);
                if !holds && held.hold.take().is_some() {
                    self.released(&namespace, now);
                }
            }
            Err(error) => {
                tracing::error!(%error, "a turn of a rollout was not taken");
                held.plan(Ended::Waits, now);
            }
        }
    }
}

impl Rollouts {
    /// A route is free: who waited for one may go on.
    fn released(&mut self, namespace: &str, now: Instant) {
        let waits = self.held.iter_mut().filter(|(key, held)| {
            held.refused && held.turn.is_none() && *key.namespace == *namespace
        });
        waits.for_each(|(_, held)| held.hurry(now));
    }
}

impl Held {
    /// It may have something to do: as soon as a turn may follow the last one.
    fn hurry(&mut self, now: Instant) {
        let soon = self.began.map_or(now, |began| (began + limits::ROLLOUT_TURN).max(now));
        self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
    }

    fn plan(&mut self, ended: Ended, now: Instant) {
        self.quiet = match ended {
            Ended::Rests { changed: false } => self.quiet + 1,
            _ => 0,
        };
        let rest = match ended {
            Ended::Gone | Ended::Over => return,
            Ended::Wrote => limits::ROLLOUT_WRITTEN,
            Ended::Goes | Ended::Again => limits::ROLLOUT_TURN,
            Ended::Waits => limits::ROLLOUT_WAIT,
            Ended::Rests { .. } => rest(self.quiet),
        };
        let next = (self.began.unwrap_or(now) + rest).max(now);
        self.due = Some(self.due.map_or(next, |due| due.min(next)));
    }
}

/// What a rollout has of its route, as it is stored.
fn hold_of(key: &ObjectKey, object: &Value) -> Option<Hold> {
    let (version, place) = (String::new(), key.to_string());
    let stored = Stored { key: key.clone(), value: object.clone(), version, place };
    let rollout = ask::read(&stored).ok()?;
    Hold::now(&rollout, &keeping::state(&object["status"]))
}

fn rest(quiet: u32) -> Duration {
    (limits::ROLLOUT_TURN * 2_u32.saturating_pow(quiet.min(16))).min(limits::ROLLOUT_REST)
}

#[cfg(test)]
mod tests;
