//! One turn of a rollout: look, decide, keep the decision, write the route.
//!
//! Whoever runs rollouts takes turns and may be killed in any of them: what was decided is kept
//! before it is written, and the next turn sees which of the two has happened.
//!
//! This module makes no choices: those are [`plan`]'s. It must not know directories or clusters.

use std::collections::HashMap;
use std::fmt;

use jiff::Timestamp;

use super::arms::Pair;
use super::judge::Verdict;
use super::plan::{Planned, Seen, plan};
use super::route::{RouteError, Weights};
use super::state::{Intent, Phase, Return, State};
use super::{Canary, DarkLaunch, Rollout, RolloutKind, annotation, mirror};
use crate::config::returning::Returning;
use crate::model::{Counts, ObjectKey};
use crate::store::{Change, Mode, Store, StoreError, Stored, Undo};

/// What a runner sees of the proxies, and where it keeps what it decided.
pub trait World {
    fn see(&self, rollout: &Rollout, route: &Stored) -> impl Future<Output = Sight> + Send;

    /// Keeps what was decided: when this is done, a later process finds it.
    fn keep(
        &self,
        rollout: &Rollout,
        turn: &Turn,
    ) -> impl Future<Output = Result<(), String>> + Send;

    /// The route was written.
    fn wrote(
        &self,
        rollout: &Rollout,
        undo: &Undo,
    ) -> impl Future<Output = Result<(), String>> + Send;

    /// What takes back everything that was written, where that is more than weights: the bytes of
    /// a file.
    fn original(&self, rollout: &Rollout) -> impl Future<Output = Option<Undo>> + Send;
}

/// The proxies at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sight {
    /// Whether every proxy that serves the route has it as it is.
    pub in_force: bool,
    /// Whether the new version has an endpoint that takes requests.
    pub ready: bool,
    /// Totals that never fall while the same runner looks.
    pub totals: Pair<Counts>,
}

/// How a turn ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turn {
    pub state: State,
    /// Since the weight is in force.
    pub counts: Pair<Counts>,
    pub verdict: Option<Verdict>,
    /// What was changed, as a unified diff; empty where nothing was.
    pub diff: String,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TurnError {
    NoRoute(ObjectKey),
    Route(RouteError),
    Store(StoreError),
    /// The state can't be kept, so nothing was written.
    Keep(String),
}

/// Takes turns.
pub struct Driver<W> {
    store: Store,
    world: W,
    looks: HashMap<ObjectKey, Look>,
}

/// What counts from when.
struct Look {
    since: Timestamp,
    base: Pair<Counts>,
}

impl<W: World> Driver<W> {
    pub fn new(store: Store, world: W) -> Self {
        Self { store, world, looks: HashMap::new() }
    }

    pub fn world(&self) -> &W {
        &self.world
    }

    /// The rollout is no more.
    pub fn forget(&mut self, rollout: &ObjectKey) {
        self.looks.remove(rollout);
    }

    /// One turn from where `state` says that the rollout is. An error leaves it there, unless the
    /// decision was kept: then the next turn goes on from it.
    pub async fn turn(
        &mut self,
        rollout: &Rollout,
        state: &State,
        now: Timestamp,
    ) -> Result<Turn, TurnError> {
        if let Some(former) = state.former(rollout) {
            match Box::pin(self.turn_of(&former, state, now)).await {
                // What isn't there any more needs no way back.
                Err(TurnError::NoRoute(_) | TurnError::Route(_)) => {
                    let turn = Turn { state: state.of(rollout), ..Turn::default() };
                    self.world.keep(rollout, &turn).await.map_err(TurnError::Keep)?;
                    return Ok(turn);
                }
                turn => return turn,
            }
        }
        Box::pin(self.turn_of(rollout, &state.of(rollout), now)).await
    }

    async fn turn_of(
        &mut self,
        rollout: &Rollout,
        state: &State,
        now: Timestamp,
    ) -> Result<Turn, TurnError> {
        let route = self.route(rollout).await?;
        let sight = self.world.see(rollout, &route).await;
        match &rollout.kind {
            RolloutKind::Canary(canary) => {
                self.canary(rollout, canary, state, &route, sight, now).await
            }
            RolloutKind::DarkLaunch(dark) => {
                self.dark_launch(rollout, dark, state, &route, sight, now).await
            }
        }
    }

    /// The turn of one that is over while another has its route: whether what it left is served, or
    /// what came later, is all that is left to see.
    pub async fn leave(
        &mut self,
        rollout: &Rollout,
        state: &State,
        now: Timestamp,
    ) -> Result<Turn, TurnError> {
        let route = self.route(rollout).await?;
        let sight = self.world.see(rollout, &route).await;
        let mut turn = Turn { state: state.clone(), ..Turn::default() };
        if state.since.is_none() && sight.in_force {
            turn.state.since = Some(now);
            self.world.keep(rollout, &turn).await.map_err(TurnError::Keep)?;
        }
        Ok(turn)
    }

    async fn route(&self, rollout: &Rollout) -> Result<Stored, TurnError> {
        let route = self.store.get(&rollout.route).await.map_err(TurnError::Store)?;
        route.ok_or_else(|| TurnError::NoRoute(rollout.route.clone()))
    }

    async fn canary(
        &mut self,
        rollout: &Rollout,
        canary: &Canary,
        state: &State,
        route: &Stored,
        sight: Sight,
        now: Timestamp,
    ) -> Result<Turn, TurnError> {
        let rule = rollout.rule.as_deref();
        let weights = Weights::read(&route.value, rule, &canary.stable)?;
        let (state, counts) = self.look(rollout, state, &sight);
        let seen = Seen {
            now,
            weights: &weights,
            in_force: sight.in_force,
            ready: sight.ready,
            counts: &counts.canary,
            annotated: annotated(route, &state).0.is_empty(),
        };
        let Planned { state: decided, write, verdict } = plan(&rollout.ask, canary, &state, &seen)?;
        let mut turn = Turn { state: decided, counts, verdict, diff: String::new() };
        if turn.state != state {
            self.world.keep(rollout, &turn).await.map_err(TurnError::Keep)?;
        }
        self.begin_look(rollout, &turn.state, sight);
        if let Some(write) = write {
            turn.diff = self.write(rollout, canary, route, &turn.state, &write).await?;
        }
        Ok(turn)
    }

    /// Puts the route back as it was, where that is what was decided, or patches it.
    async fn write(
        &self,
        rollout: &Rollout,
        canary: &Canary,
        route: &Stored,
        state: &State,
        write: &Weights,
    ) -> Result<String, TurnError> {
        if state.original.as_ref() == Some(write)
            && state.returns.is_none()
            && let Some(undo) = self.world.original(rollout).await
            && self.store.undo(&undo).await.is_ok()
        {
            return Ok(String::new());
        }
        let mut patch = write.patch(&route.value, &canary.canary)?;
        patch.0.extend(annotated(route, state).0);
        self.patch(rollout, patch).await
    }

    async fn patch(
        &self,
        rollout: &Rollout,
        patch: json_patch::Patch,
    ) -> Result<String, TurnError> {
        let change = Change { key: rollout.route.clone(), patch };
        let applied = self.store.patch(&[change], Mode::Apply).await.map_err(TurnError::Store)?;
        // The route is written: what is lost here is its comments' way back, not its weights'.
        self.world.wrote(rollout, &applied.undo).await.map_err(TurnError::Keep)?;
        Ok(applied.diff)
    }

    /// A copy is written before it is kept: to write it twice does no harm.
    async fn dark_launch(
        &mut self,
        rollout: &Rollout,
        dark: &DarkLaunch,
        state: &State,
        route: &Stored,
        sight: Sight,
        now: Timestamp,
    ) -> Result<Turn, TurnError> {
        let (mut state, counts) = self.look(rollout, state, &sight);
        let before = state.clone();
        let is = mirror::percents(&route.value, rollout.rule.as_deref(), &dark.to)?;
        let mut diff = String::new();
        let runs = rollout.ask.intent == Intent::Running && state.phase == Phase::Progressing;
        if state.asked.as_ref() != Some(&rollout.ask) || runs && dark.percent != state.weight {
            let (percent, phase, why) = match rollout.ask.intent {
                Intent::Running => (dark.percent, Phase::Progressing, "copies"),
                _ => (0, Phase::Aborted, "stopped"),
            };
            let patch = mirror::patch(&route.value, rollout.rule.as_deref(), &dark.to, percent)?;
            if !patch.0.is_empty() {
                diff = self.patch(rollout, patch).await?;
            }
            state.turn_dark(now, phase, percent, why);
            state.asked = Some(rollout.ask.clone());
        } else if !state.phase.is_over() && is.iter().any(|is| *is != Some(state.weight)) {
            let least = is.iter().map(|is| is.unwrap_or(0)).min().unwrap_or(0);
            let why = "somebody else edited the copies: they stay as they are";
            if state.phase != Phase::Paused || state.weight != least {
                state.turn_dark(now, Phase::Paused, least, why);
                state.blame_somebody_else();
            }
        } else if state.since.is_none() && sight.in_force {
            state.since = Some(now);
        }
        let turn = Turn { state, counts, verdict: None, diff };
        if turn.state != before {
            self.world.keep(rollout, &turn).await.map_err(TurnError::Keep)?;
        }
        self.begin_look(rollout, &turn.state, sight);
        Ok(turn)
    }

    /// What came since the weight is in force. Another process's look is begun anew: its counts are
    /// gone with it.
    fn look(&self, rollout: &Rollout, state: &State, sight: &Sight) -> (State, Pair<Counts>) {
        let mut state = state.clone();
        let look = self.looks.get(&rollout.key).filter(|look| Some(look.since) == state.since);
        match look {
            Some(look) => (state, sight.totals.since(&look.base)),
            None => {
                state.since = None;
                (state, Pair::default())
            }
        }
    }

    fn begin_look(&mut self, rollout: &Rollout, state: &State, sight: Sight) {
        match state.since {
            None => self.forget(&rollout.key),
            Some(since) => {
                let look = || Look { since, base: sight.totals.clone() };
                let held = self.looks.entry(rollout.key.clone()).or_insert_with(look);
                if held.since != since {
                    *held = look();
                }
            }
        }
    }
}

/// What makes the route say when its weights go back, as the state has it.
fn annotated(route: &Stored, state: &State) -> json_patch::Patch {
    let returning = state.returns.as_ref().zip(state.written.as_ref());
    let returning = returning
        .map(|(Return { at, to }, written)| Returning { at: *at, rules: to.in_place_of(written) });
    annotation::patch(&route.value, returning.as_ref())
}

impl From<RouteError> for TurnError {
    fn from(error: RouteError) -> Self {
        Self::Route(error)
    }
}

impl fmt::Display for TurnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoute(route) => write!(f, "there is no {route}"),
            Self::Route(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Keep(why) => write!(f, "how far the rollout is can't be kept: {why}"),
        }
    }
}

impl std::error::Error for TurnError {}

#[cfg(test)]
mod tests;
