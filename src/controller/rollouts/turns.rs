//! One turn of one rollout: read it, see whether it may be run, have the driver take the turn, and
//! tell what became of it.
//!
//! Everything is read from the API server each time, so that nothing here is older than the turn.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::basis::Basis;
use super::keeping::{ClusterWorld, Read, state};
use super::status::say;
use super::telling::{Notice, Teller};
use crate::cluster::{Cluster, Resource};
use crate::config::decode::{self, Decoded};
use crate::config::raw::Spec;
use crate::model::{ObjectKey, Store};
use crate::rollout::Rollout;
use crate::rollout::others::{Hold, Part};
use crate::rollout::state::{Intent, Phase, State};
use crate::rollout::turn::{Driver, Turn, TurnError};
use crate::store::StoreError;

/// Everything that one turn needs.
pub(super) struct Turner {
    pub(super) cluster: Cluster,
    pub(super) teller: Teller,
    pub(super) key: ObjectKey,
    pub(super) basis: Basis,
    /// Which rollout has the route: this one, or who was before it.
    pub(super) first: ObjectKey,
    pub(super) driver: Driver<ClusterWorld>,
    pub(super) now: Timestamp,
}

/// What a turn leaves to the next.
pub(super) struct Turned {
    pub(super) driver: Driver<ClusterWorld>,
    pub(super) ended: Ended,
    /// Whether it has a part in its route, as far as the turn has seen.
    pub(super) holds: bool,
}

/// How it ended: what the next one waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Gone,
    /// The route is another one now: it is served in a moment.
    Wrote,
    /// It goes on by itself.
    Goes,
    /// Somebody or something has to come first.
    Waits,
    /// It rests, and whether this turn changed anything.
    Rests {
        changed: bool,
    },
    /// Nothing follows until it is asked.
    Over,
    /// Somebody else was quicker, or the API server is away.
    Again,
}

impl Turner {
    pub(super) async fn turn(mut self) -> Turned {
        let (ended, holds) = match self.take().await {
            Ok(taken) => taken,
            Err(why) => {
                tracing::debug!(rollout = %self.key, "the turn is taken again: {why}");
                (Ended::Again, true)
            }
        };
        Turned { driver: self.driver, ended, holds }
    }

    async fn take(&mut self) -> Result<(Ended, bool), String> {
        let (namespace, name) = (self.key.namespace.clone(), self.key.name.clone());
        let read = self.cluster.get(&Resource::TRAFFIC_ROLLOUT, Some(&namespace), &name).await;
        let object = match read.map_err(|error| error.to_string())? {
            Some(object) if object["metadata"]["deletionTimestamp"].is_null() => object,
            _ => return Ok((Ended::Gone, false)),
        };
        let generation = object["metadata"]["generation"].as_i64().unwrap_or(0);
        let basis = std::mem::take(&mut self.basis);
        self.driver.world().open(Read { object: &object, generation, basis, now: self.now });
        let (decoded, diagnostics) = decode::from_json(&object, Store::Cluster);
        match &decoded {
            Decoded::Object(decoded) => match &decoded.spec {
                Spec::TrafficRollout(spec) => {
                    let rollout = Rollout::new(&self.key, &decoded.meta, spec);
                    self.turn_of(&rollout, &object).await
                }
                _ => Ok((Ended::Over, false)),
            },
            _ => {
                let why = diagnostics.iter().find(|one| one.is_error());
                let why = why.map_or("it can't be read", |one| &*one.message);
                tracing::debug!(rollout = %self.key, why, "can't be read");
                self.driver.world().refuse(&self.key, why).await?;
                // What it has of its route it keeps.
                Ok((Ended::Rests { changed: false }, state(&object["status"]).holds()))
            }
        }
    }

    async fn turn_of(
        &mut self,
        rollout: &Rollout,
        object: &Value,
    ) -> Result<(Ended, bool), String> {
        let before = state(&object["status"]);
        let (known, rival) = self.driver.world().know(|basis, remarks| {
            remarks.contended = basis.keeper.as_ref().map(|keeper| keeper.advice(rollout));
            (basis.is_known(), basis.rival.clone())
        });
        if !known {
            return Err("it could not be read a moment ago".to_owned());
        }
        let begins = !before.answers(rollout);
        let part = Part::of(rollout, &before, &self.first);
        if part == Part::Nothing {
            let why = Hold::of(rollout).refusal(&self.first);
            return self.stuck(rollout, before, "RouteTaken", why).await;
        }
        // What is under way is ended by whoever wants its end, and pauses by itself once the other
        // one has written.
        let ends = rollout.ask.intent == Intent::Aborted || before.former(rollout).is_some();
        if let Some(rival) = rival.filter(|_| begins && !ends) {
            let why =
                format!("{rival} drives the weights of {}: it is left to that", rollout.route);
            return self.stuck(rollout, before, "DrivenByAnother", why).await;
        }
        let turn = match part {
            Part::Leave => self.driver.leave(rollout, &before, self.now).await,
            _ => self.driver.turn(rollout, &before, self.now).await,
        };
        match turn {
            Ok(turn) => {
                self.tell(rollout, object, &before).await;
                let at_once = turn.state.message != before.message && turn.state.phase.is_over();
                self.driver.world().show(rollout, &turn, at_once).await?;
                let ended = match turn.diff.is_empty() {
                    true => ended(rollout, &turn.state, &before),
                    false => Ended::Wrote,
                };
                Ok((ended, turn.state.holds()))
            }
            Err(error) => {
                self.tell(rollout, object, &before).await;
                self.failed(rollout, before, error).await
            }
        }
    }

    /// What stands in the way is said where people look for it, unless it passes by itself.
    async fn failed(
        &mut self,
        rollout: &Rollout,
        before: State,
        error: TurnError,
    ) -> Result<(Ended, bool), String> {
        let reason = match &error {
            TurnError::NoRoute(_) => "NoRoute",
            TurnError::Route(_) => "RouteUnfit",
            TurnError::Keep(_) => return Err(error.to_string()),
            TurnError::Store(store) if store.may_pass() => return Err(error.to_string()),
            // The route is not what it was a moment ago: the next turn sees what it is.
            TurnError::Store(StoreError::Conflict { .. }) => {
                return Err(error.to_string());
            }
            TurnError::Store(_) => "RouteRefused",
        };
        let state = self.driver.world().kept().unwrap_or(before);
        self.stuck(rollout, state, reason, error.to_string()).await
    }

    async fn stuck(
        &mut self,
        rollout: &Rollout,
        mut state: State,
        reason: &'static str,
        why: String,
    ) -> Result<(Ended, bool), String> {
        say(&mut state, &why);
        self.driver.world().set_obstacle(reason, why);
        let holds = state.holds();
        let turn = Turn { state, ..Turn::default() };
        self.driver.world().show(rollout, &turn, true).await?;
        Ok((Ended::Waits, holds))
    }

    /// What was kept is so, whether the route is written yet or not.
    async fn tell(&self, rollout: &Rollout, object: &Value, before: &State) {
        let Some(kept) = self.driver.world().kept() else { return };
        let known: BTreeSet<_> = before.history.iter().map(|event| event.at).collect();
        let mut was = before.phase;
        for event in kept.history.iter().filter(|event| !known.contains(&event.at)) {
            let notice = Notice::new(rollout, object, was, event.clone());
            self.teller.tell(&notice).await;
            was = event.phase;
        }
    }
}

fn ended(rollout: &Rollout, state: &State, before: &State) -> Ended {
    let changed = State { message: String::new(), ..state.clone() }
        != State { message: String::new(), ..before.clone() };
    match state.phase {
        _ if state.before.is_some() => Ended::Goes,
        Phase::Progressing => Ended::Goes,
        // It is written, and a command waits until it is served.
        Phase::Paused if state.asked.is_some() && state.since.is_none() => Ended::Goes,
        Phase::Pending | Phase::Paused => Ended::Waits,
        _ if state.asked.is_none() => Ended::Waits,
        // It is the former one that is over.
        _ if !state.answers(rollout) => Ended::Goes,
        _ if state.since.is_some() => Ended::Over,
        _ => Ended::Rests { changed },
    }
}
