//! The world of a rollout on a cluster: what the controller knows, the counts that proxies told,
//! and the TrafficRollout's status, where its state is kept.
//!
//! A status is written against the version of the object that the turn read: who was asked
//! something else meanwhile, or no longer leads, writes nothing, and so changes no route either.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::basis::Basis;
use super::pace::Pace;
use super::status::{self, Remarks};
use crate::clock::{self, Instant};
use crate::cluster::{Cluster, ClusterError, Resource};
use crate::controller::xds::Distribution;
use crate::limits;
use crate::model::ObjectKey;
use crate::rollout::Rollout;
use crate::rollout::arms::Pair;
use crate::rollout::state::State;
use crate::rollout::turn::{Sight, Turn, World};
use crate::store::{Stored, Undo};

pub(super) struct ClusterWorld {
    cluster: Cluster,
    distribution: Arc<Distribution>,
    page: Mutex<Page>,
}

/// What one turn stands on, and what it has kept.
#[derive(Default)]
struct Page {
    basis: Basis,
    remarks: Remarks,
    generation: i64,
    version: String,
    /// As it is stored.
    status: Value,
    kept: Option<State>,
    /// When it was written last, in whichever turn.
    shown: Option<Instant>,
    pace: Pace,
    now: Timestamp,
}

/// An object as a turn has read it.
pub(super) struct Read<'a> {
    pub(super) object: &'a Value,
    pub(super) generation: i64,
    pub(super) basis: Basis,
    pub(super) now: Timestamp,
}

impl ClusterWorld {
    pub(super) fn new(cluster: Cluster, distribution: Arc<Distribution>) -> Self {
        Self { cluster, distribution, page: Mutex::default() }
    }

    /// A turn begins.
    pub(super) fn open(&self, read: Read<'_>) {
        let Read { object, generation, basis, now } = read;
        let mut page = self.page();
        let (shown, pace) = (page.shown, std::mem::take(&mut page.pace));
        let version = object["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        *page = Page {
            basis,
            remarks: Remarks::default(),
            generation,
            version: version.to_owned(),
            status: object["status"].clone(),
            kept: None,
            shown,
            pace,
            now,
        };
    }

    /// The last state that this turn has kept.
    pub(super) fn kept(&self) -> Option<State> {
        self.page().kept.clone()
    }

    /// What follows for the status from what is known of the route.
    pub(super) fn know<T>(&self, of: impl FnOnce(&Basis, &mut Remarks) -> T) -> T {
        let Page { basis, remarks, .. } = &mut *self.page();
        of(basis, remarks)
    }

    /// What keeps it from going on, beside its phase.
    pub(super) fn set_obstacle(&self, reason: &'static str, why: String) {
        self.page().remarks.obstacle = Some((reason, why));
    }

    /// Counts and messages, where they are another and the last are old enough; with `now`, at
    /// once.
    pub(super) async fn show(
        &self,
        rollout: &Rollout,
        turn: &Turn,
        now: bool,
    ) -> Result<(), String> {
        let recent = self.page().is_recent();
        if recent && !now { Ok(()) } else { self.write(rollout, turn).await }
    }

    async fn write(&self, rollout: &Rollout, turn: &Turn) -> Result<(), String> {
        let status = {
            let Page { remarks, generation, status: before, now, pace, .. } = &mut *self.page();
            remarks.rates = pace.say();
            status::status(rollout, turn, remarks, *generation, before, *now)
        };
        self.put(&rollout.key, status).await
    }

    /// One that can't be read has no turn.
    pub(super) async fn refuse(&self, rollout: &ObjectKey, why: &str) -> Result<(), String> {
        let status = {
            let Page { generation, status: before, now, .. } = &*self.page();
            status::unreadable(why, *generation, before, *now)
        };
        self.put(rollout, status).await
    }

    async fn put(&self, rollout: &ObjectKey, status: Value) -> Result<(), String> {
        let version = {
            let page = self.page();
            if status == page.status {
                return Ok(());
            }
            page.version.clone()
        };
        let patch = json!([
            {"op": "test", "path": "/metadata/resourceVersion", "value": version},
            {"op": "add", "path": "/status", "value": status},
        ]);
        let patch = serde_json::from_value(patch).expect("these are operations");
        let ObjectKey { namespace, name, .. } = rollout;
        let written = self
            .cluster
            .patch_status(&Resource::TRAFFIC_ROLLOUT, Some(namespace), name, &patch)
            .await;
        match written {
            Ok(object) => {
                let mut page = self.page();
                let version = object["metadata"]["resourceVersion"].as_str().unwrap_or_default();
                page.version = version.to_owned();
                page.status = object["status"].clone();
                page.shown = Some(clock::now());
                Ok(())
            }
            // A test that failed is refused without a word about which.
            Err(ClusterError::Conflict { .. } | ClusterError::Refused { .. }) => {
                Err("it was changed meanwhile".to_owned())
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Nothing panics while it holds this.
    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Page {
    fn is_recent(&self) -> bool {
        self.shown.is_some_and(|shown| clock::now() < shown + limits::ROLLOUT_SHOWN)
    }
}

impl World for ClusterWorld {
    async fn see(&self, rollout: &Rollout, route: &Stored) -> Sight {
        let basis = self.page().basis.clone();
        let arms = self.distribution.arms(&rollout.route);
        let totals = Pair::of(rollout, arms.iter().map(|(key, counts)| (key, counts.clone())));
        self.page().pace.saw(clock::now(), totals.clone());
        Sight {
            in_force: basis.in_force(rollout, &route.version, &self.distribution),
            ready: basis.is_ready(rollout),
            totals,
        }
    }

    /// A message alone is no decision: it is shown with the counts.
    async fn keep(&self, rollout: &Rollout, turn: &Turn) -> Result<(), String> {
        let decided = {
            let page = self.page();
            let message = turn.state.message.clone();
            let before = State { message, ..state(&page.status) };
            before != turn.state
        };
        if !decided {
            return Ok(());
        }
        self.write(rollout, turn).await?;
        self.page().kept = Some(turn.state.clone());
        Ok(())
    }

    async fn wrote(&self, _: &Rollout, _: &Undo) -> Result<(), String> {
        Ok(())
    }

    /// Weights are all that a rollout changes of an object.
    async fn original(&self, _: &Rollout) -> Option<Undo> {
        None
    }
}

/// How far the rollout is, by its status. One that can't be read is a beginning: what the route
/// says counts then.
pub(super) fn state(status: &Value) -> State {
    if status.is_null() {
        return State::default();
    }
    serde_json::from_value(status.clone()).unwrap_or_else(|error| {
        tracing::warn!(%error, "the status of a TrafficRollout can't be read: it begins anew");
        State::default()
    })
}
