//! Takes the turns of a directory's rollouts: one process at a time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::lock::{Lock, Locked};
use super::{Audit, Home, HomeError, Look, Proxies};
use crate::clock::Instant;
use crate::model::{Counts, Kind, ObjectKey};
use crate::rollout::arms::Pair;
use crate::rollout::others::{Hold, Part};
use crate::rollout::state::{Event, State};
use crate::rollout::turn::{Driver, Sight, Turn, World};
use crate::rollout::view::View;
use crate::rollout::{Rollout, ask};
use crate::store::{Stored, Undo};

/// Drives until it is dropped.
pub struct Runner {
    home: Home,
    driver: Driver<Driven>,
    /// What each had done at the turn before.
    before: HashMap<ObjectKey, (Instant, Pair<Counts>)>,
    _lock: Lock,
}

/// How a turn ended.
#[derive(Clone, Debug)]
pub struct Turned {
    pub state: State,
    pub view: View,
    /// What was changed; empty where nothing was.
    pub diff: String,
}

impl Runner {
    /// `who` stands in the audit.
    pub fn new(
        home: Home,
        proxies: Proxies,
        who: String,
    ) -> Result<Result<Self, Locked>, HomeError> {
        let lock = match Lock::take(&home.state()?)? {
            Ok(lock) => lock,
            Err(locked) => return Ok(Err(locked)),
        };
        let driven = Driven { home: home.clone(), proxies, who, last: Mutex::default() };
        let driver = Driver::new(home.files.clone(), driven);
        Ok(Ok(Self { home, driver, before: HashMap::new(), _lock: lock }))
    }

    /// One turn. A rollout that is over and was not asked again has nothing to do.
    pub async fn turn(&mut self, rollout: &Rollout, now: Timestamp) -> Result<Turned, HomeError> {
        let key = &rollout.key;
        let state = self.home.record(key)?.state;
        let first = self.first(rollout).await?;
        let first = first.as_ref().unwrap_or(key);
        let part = Part::of(rollout, &state, first);
        if part == Part::Nothing {
            let why = Hold::of(rollout).refusal(first);
            let view = View { at: now, error: Some(why.clone()), ..View::default() };
            self.home.show(key, &view)?;
            return Err(HomeError::Held(why));
        }
        let turn = match part {
            Part::Leave => self.driver.leave(rollout, &state, now).await,
            _ => self.driver.turn(rollout, &state, now).await,
        };
        let look = self.driver.world().last();
        let mut view = self.view(rollout, turn.as_ref().ok(), look, now);
        match turn {
            Ok(turn) => {
                self.home.show(key, &view)?;
                Ok(Turned { state: turn.state, view, diff: turn.diff })
            }
            Err(error) => {
                view.error = Some(error.to_string());
                self.home.show(key, &view)?;
                Err(HomeError::Turn(error))
            }
        }
    }

    /// Who has its route: of several, the first by name.
    async fn first(&self, rollout: &Rollout) -> Result<Option<ObjectKey>, HomeError> {
        let hold = Hold::of(rollout);
        let mut first: Option<ObjectKey> = None;
        for stored in self.home.plans.list(Kind::TrafficRollout, None).await? {
            // One that can't be read has no turns either.
            let Ok(other) = ask::read(&stored) else { continue };
            let theirs = Hold::now(&other, &self.home.record(&other.key)?.state);
            if theirs.as_ref() == Some(&hold)
                && first.as_ref().is_none_or(|first| other.key < *first)
            {
                first = Some(other.key);
            }
        }
        Ok(first)
    }

    /// Whether a turn would have nothing to do.
    pub fn rests(&self, rollout: &Rollout) -> Result<bool, HomeError> {
        let state = self.home.record(&rollout.key)?.state;
        let settled = state.before.is_none() && state.since.is_some();
        Ok(state.phase.is_over() && settled && state.answers(rollout))
    }

    fn view(
        &mut self,
        rollout: &Rollout,
        turn: Option<&Turn>,
        look: Option<Look>,
        now: Timestamp,
    ) -> View {
        let (_, _, dark) = rollout.versions();
        let none = Pair::default();
        let counts = turn.map_or(&none, |turn| &turn.counts);
        let verdict = turn.and_then(|turn| turn.verdict.as_ref());
        let Some(look) = look else {
            return View::of(now, counts, &none, 0.0, verdict, dark);
        };
        let totals = look.sight.totals;
        let (at, before) = self
            .before
            .insert(rollout.key.clone(), (look.at, totals.clone()))
            .unwrap_or_else(|| (look.at, totals.clone()));
        let seconds = (look.at - at).as_secs_f64();
        let view = View::of(now, counts, &totals.since(&before), seconds, verdict, dark);
        View { proxies: look.proxies, behind: look.behind, ..view }
    }
}

/// The world of a directory.
struct Driven {
    home: Home,
    proxies: Proxies,
    who: String,
    last: Mutex<Option<Look>>,
}

impl Driven {
    fn last(&self) -> Option<Look> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn tell(&self, rollout: &Rollout, before: &State, after: &State) -> Result<(), HomeError> {
        let known = before.history.back();
        let news = after.history.iter().rev().take_while(|event| Some(*event) != known);
        let mut news: Vec<&Event> = news.collect();
        news.reverse();
        for Event { at, phase, from, to, why, by_hand } in news {
            self.home.audit(&Audit {
                at: *at,
                who: if *by_hand { "somebody else" } else { &self.who },
                rollout: rollout.key.to_string(),
                what: why,
                from: format!("{from}%"),
                to: format!("{to}%, {}", phase.as_str()),
            })?;
        }
        Ok(())
    }
}

impl World for Driven {
    async fn see(&self, rollout: &Rollout, route: &Stored) -> Sight {
        let look = self.proxies.look(rollout, route).await;
        let sight = look.sight.clone();
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(look);
        sight
    }

    async fn keep(&self, rollout: &Rollout, turn: &Turn) -> Result<(), String> {
        let keep = || {
            let mut record = self.home.record(&rollout.key)?;
            let before = std::mem::replace(&mut record.state, turn.state.clone());
            if before.subject.is_some() && before.subject != turn.state.subject {
                // The way back is that of another rollout.
                record.back.clear();
            }
            self.home.keep(&rollout.key, &record)?;
            self.tell(rollout, &before, &turn.state)
        };
        keep().map_err(|error: HomeError| error.to_string())
    }

    async fn wrote(&self, rollout: &Rollout, undo: &Undo) -> Result<(), String> {
        let Undo::Files(files) = undo else { return Ok(()) };
        let keep = || {
            let mut record = self.home.record(&rollout.key)?;
            record.wrote(files);
            self.home.keep(&rollout.key, &record)
        };
        keep().map_err(|error: HomeError| error.to_string())
    }

    async fn original(&self, rollout: &Rollout) -> Option<Undo> {
        let record = self.home.record(&rollout.key).ok()?;
        (!record.back.is_empty()).then_some(Undo::Files(record.back))
    }
}
