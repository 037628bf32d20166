//! What a canary does next: one turn, as a pure function of what is asked, how far it is and what
//! is seen.
//!
//! - A turn writes at most once, and says before what it will write: killed anywhere, the next turn
//!   finds the route as it was before or after, and goes on.
//! - What is neither was edited by somebody else. That is said, and never fought over: the rollout
//!   rests until it is asked again.
//! - Whoever wants it back gets it back first: an abort waits for nothing.
//!
//! This module must not know who asks, how the route is written, or where counts come from.

use std::time::Duration;

use jiff::Timestamp;

use super::Canary;
use super::judge::{Verdict, judge};
use super::route::{RouteError, Weights};
use super::state::{Ask, Intent, Phase, Return, State};
use crate::model::Counts;

/// The world at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub now: Timestamp,
    /// The route's.
    pub weights: &'a Weights,
    /// Whether every proxy that serves the route has it as it is.
    pub in_force: bool,
    /// Whether the canary has an endpoint that takes requests.
    pub ready: bool,
    /// Of the canary, since `State::since`.
    pub counts: &'a Counts,
    /// Whether the route says of its return what the state has.
    pub annotated: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// To be kept before anything is written.
    pub state: State,
    /// What the route's weights are to be.
    pub write: Option<Weights>,
    /// What the counts so far are worth.
    pub verdict: Option<Verdict>,
}

const NOT_READY: &str = "the canary has no endpoint that is ready";

/// One turn.
pub fn plan(
    ask: &Ask,
    canary: &Canary,
    state: &State,
    seen: &Seen<'_>,
) -> Result<Planned, RouteError> {
    let mut turn = Turn { canary, seen, state: state.clone(), write: None, verdict: None };
    turn.take(ask)?;
    turn.mark_return(state.returns.as_ref());
    let Turn { state, write, verdict, .. } = turn;
    Ok(Planned { state, write, verdict })
}

struct Turn<'a> {
    canary: &'a Canary,
    seen: &'a Seen<'a>,
    state: State,
    write: Option<Weights>,
    verdict: Option<Verdict>,
}

impl Turn<'_> {
    fn take(&mut self, ask: &Ask) -> Result<(), RouteError> {
        let seen = self.seen;
        if self.state.original.is_none() {
            self.state.original = Some(seen.weights.clone());
        }
        let edited = self.look();
        if edited {
            self.rest_after_edit();
        }
        if self.state.asked.as_ref() != Some(ask) {
            return self.answer(ask);
        }
        if edited {
            return Ok(());
        }
        if let (Some(_), Some(written)) = (&self.state.before, &self.state.written) {
            // The process that meant to write it is gone.
            self.write = Some(written.clone());
            return Ok(());
        }
        // A clock that was set back knows no time that was.
        self.state.since = self.state.since.filter(|since| *since <= seen.now);
        if seen.in_force && self.state.since.is_none() {
            self.state.since = Some(seen.now);
        }
        if let Some(end) = self.state.returns.take_if(|returns| returns.at <= seen.now) {
            return self.return_to(end.to);
        }
        match self.state.phase {
            Phase::Progressing => self.progress(),
            Phase::Paused => self.rest(),
            _ => Ok(()),
        }
    }

    /// Whether somebody else has written the route since.
    fn look(&mut self) -> bool {
        let now = self.seen.weights;
        let is = |weights: &Option<Weights>| weights.as_ref().is_some_and(|it| it.same(now));
        if self.state.written.is_none() {
            return false;
        }
        if is(&self.state.written) {
            self.state.before = self.state.before.take().filter(|_| !self.seen.annotated);
            return false;
        }
        !is(&self.state.before)
    }

    fn rest_after_edit(&mut self) {
        let Canary { stable, canary, .. } = self.canary;
        let (was, is) = (self.state.weight, self.seen.weights.percent(stable, canary));
        self.state.written = Some(self.seen.weights.clone());
        self.state.before = None;
        self.state.since = None;
        self.state.returns = None;
        self.state.weight = is;
        self.state.step = self.step_of(is);
        let why = format!(
            "somebody else edited the weights, from {was}% to {is}%: they stay; `meshctl canary \
             resume` goes on from there"
        );
        self.turn_to(
            if self.state.phase.is_over() { self.state.phase } else { Phase::Paused },
            was,
            &why,
        );
        self.state.blame_somebody_else();
    }

    /// When the weights go back stands in the route, too, though they may be the same.
    fn mark_return(&mut self, before: Option<&Return>) {
        if self.state.returns.as_ref() != before && self.write.is_none() {
            self.state.before = Some(self.seen.weights.clone());
            self.write.clone_from(&self.state.written);
        }
    }

    /// Something new is asked.
    fn answer(&mut self, ask: &Ask) -> Result<(), RouteError> {
        let rises_to = match ask.intent {
            Intent::Aborted => None,
            Intent::Promoted => Some(100),
            Intent::Running | Intent::Paused => ask.weight,
        };
        if let Some(weight) = rises_to
            && self.waits_for_endpoint(weight)?
        {
            // It is asked again each turn until then, and what was to follow before it doesn't.
            self.state.asked = None;
            self.state.returns = None;
            return Ok(());
        }
        self.state.asked = Some(ask.clone());
        let returns = self.state.returns.take();
        if self.state.before.take().is_some() {
            // What was to be written, and isn't, is not to be any more.
            self.state.written = Some(self.seen.weights.clone());
        }
        let Canary { stable, canary, .. } = self.canary;
        let from = self.seen.weights.percent(stable, canary);
        match (ask.intent, ask.weight) {
            (Intent::Aborted, _) => self.back(Phase::Aborted, "aborted"),
            (Intent::Promoted, _) => {
                self.go(100)?;
                self.turn_to(Phase::Promoted, from, "promoted by hand");
                Ok(())
            }
            (_, Some(weight)) => {
                self.go(weight)?;
                let mut why = format!("set to {weight}% by hand");
                if let Some(at) = ask.until {
                    // Of two that follow each other, what was before both.
                    let to = returns.map_or_else(|| self.seen.weights.clone(), |one| one.to);
                    self.state.returns = Some(Return { at, to });
                    why = format!("{why}, until {at}");
                }
                self.turn_to(Phase::Paused, from, &why);
                Ok(())
            }
            (Intent::Paused, None) => {
                self.state.weight = from;
                self.turn_to(Phase::Paused, from, "paused");
                Ok(())
            }
            (Intent::Running, None) => {
                self.state.weight = from;
                self.turn_to(Phase::Progressing, from, "started");
                self.next()
            }
        }
    }

    /// Proxies have gone back by themselves; what is written follows.
    fn return_to(&mut self, to: Weights) -> Result<(), RouteError> {
        let Canary { stable, canary, .. } = self.canary;
        let from = self.state.weight;
        let weight = to.percent(stable, canary);
        if to.give(canary) && !self.seen.ready {
            return self.back(Phase::RolledBack, NOT_READY);
        }
        let to = match to.patchable_from(self.seen.weights, canary) {
            true => to,
            false => self.seen.weights.shifted(stable, canary, weight)?,
        };
        self.set(to, weight);
        self.turn_to(Phase::Paused, from, &format!("its time is over: back to {weight}%"));
        Ok(())
    }

    /// At a weight of its own. What somebody else has set is theirs.
    fn rest(&mut self) -> Result<(), RouteError> {
        let gives = self.seen.weights.give(&self.canary.canary);
        // Who hasn't got it yet doesn't know its endpoints either.
        let known = self.state.since.is_some();
        if known && gives && !self.seen.ready && self.is_ours() {
            return self.back(Phase::RolledBack, NOT_READY);
        }
        Ok(())
    }

    /// Whether the weight is what a turn made it.
    fn is_ours(&self) -> bool {
        let mut changes = self.state.history.iter().rev();
        let last = changes.find(|event| event.by_hand || event.from != event.to);
        last.is_some_and(|event| !event.by_hand)
    }

    fn progress(&mut self) -> Result<(), RouteError> {
        let Some(since) = self.state.since else {
            "waits until all proxies serve it".clone_into(&mut self.state.message);
            return Ok(());
        };
        if self.state.weight == 0 {
            return self.next();
        }
        if !self.seen.ready {
            return self.back(Phase::RolledBack, NOT_READY);
        }
        let verdict = judge(&self.canary.gates, self.seen.counts);
        let looked_at = self.seen.now.duration_since(since);
        let looked_at = Duration::try_from(looked_at).unwrap_or_default();
        let answer = match &verdict {
            Verdict::Fail(failure) => self.back(Phase::RolledBack, &failure.to_string()),
            _ if looked_at < self.canary.interval => {
                let left = self.canary.interval.saturating_sub(looked_at).as_secs();
                self.state.message = format!("step {}: {left} s to go", self.state.step);
                Ok(())
            }
            Verdict::TooLittle { .. } => {
                self.state.message = format!("waits: {verdict}");
                Ok(())
            }
            Verdict::Pass => self.next(),
        };
        self.verdict = Some(verdict);
        answer
    }

    /// To the step above the weight that is, or to the end.
    fn next(&mut self) -> Result<(), RouteError> {
        let from = self.state.weight;
        let step = self.canary.steps.iter().find(|step| **step > from).copied();
        if self.waits_for_endpoint(step.unwrap_or(100))? {
            return Ok(());
        }
        match step {
            Some(weight) => {
                self.go(weight)?;
                let why = format!("step {} of {}", self.state.step, self.canary.steps.len());
                self.turn_to(Phase::Progressing, from, &why);
            }
            None => {
                self.go(100)?;
                self.turn_to(Phase::Promoted, from, "every step has passed");
            }
        }
        Ok(())
    }

    /// Nobody is sent where nobody answers: what the canary has is taken back until somebody does.
    /// One that the route lacks is added without any weight: proxies look for the endpoints of what a route names.
    fn waits_for_endpoint(&mut self, weight: u32) -> Result<bool, RouteError> {
        let Canary { stable, canary, .. } = self.canary;
        let waits = !self.seen.ready && self.seen.weights.rise_to(weight, stable, canary);
        if waits {
            let message = format!("waits before {weight}%: {canary} has no endpoint that is ready");
            let weights = self.seen.weights;
            let takes_back = weights.give(canary) && self.is_ours();
            let known = self.state.before.is_some();
            if takes_back || !weights.have(canary) {
                self.go(0)?;
            }
            if takes_back && !known {
                let from = weights.percent(stable, canary);
                self.state.record(self.seen.now, from, NOT_READY);
            }
            self.state.message = message;
        }
        Ok(waits)
    }

    fn go(&mut self, weight: u32) -> Result<(), RouteError> {
        let Canary { stable, canary, .. } = self.canary;
        // Shares are worked out from the route as it was found: rounding never adds up.
        let base = self.state.original.as_ref().unwrap_or(self.seen.weights);
        let to = match base.shifted(stable, canary, weight) {
            Ok(to) if to.patchable_from(self.seen.weights, canary) => to,
            _ => self.seen.weights.shifted(stable, canary, weight)?,
        };
        self.set(to, weight);
        Ok(())
    }

    /// As it was found, unless the canary had a part then.
    fn back(&mut self, phase: Phase, why: &str) -> Result<(), RouteError> {
        let Canary { stable, canary, .. } = self.canary;
        let from = self.seen.weights.percent(stable, canary);
        let original = self.state.original.clone();
        let to = original.filter(|original| {
            !original.give(canary) && original.patchable_from(self.seen.weights, canary)
        });
        let to = match to {
            Some(original) => original,
            None => self.seen.weights.shifted(stable, canary, 0)?,
        };
        self.state.returns = None;
        self.set(to, 0);
        self.turn_to(phase, from, why);
        Ok(())
    }

    fn set(&mut self, to: Weights, weight: u32) {
        self.state.weight = weight;
        self.state.step = self.step_of(weight);
        self.state.since = None;
        if to.same(self.seen.weights) {
            self.state.before = None;
        } else {
            self.state.before = Some(self.seen.weights.clone());
            self.write = Some(to.clone());
        }
        self.state.written = Some(to);
    }

    fn step_of(&self, weight: u32) -> u32 {
        let at = self.canary.steps.iter().position(|step| *step == weight);
        at.and_then(|at| u32::try_from(at + 1).ok()).unwrap_or(0)
    }

    fn turn_to(&mut self, phase: Phase, from: u32, why: &str) {
        self.state.phase = phase;
        why.clone_into(&mut self.state.message);
        self.state.record(self.seen.now, from, why);
    }
}

#[cfg(test)]
mod tests;
