//! How many requests a second both versions had between two writings of a status.

use std::time::Duration;

use crate::clock::Instant;
use crate::limits;
use crate::model::Counts;
use crate::rollout::arms::Pair;

#[derive(Debug, Default)]
pub(super) struct Pace {
    seen: Option<(Instant, Pair<Counts>)>,
    /// When it was said last.
    shown: Option<(Instant, Pair<Counts>)>,
    said: Option<Pair<f64>>,
}

impl Pace {
    pub(super) fn saw(&mut self, at: Instant, totals: Pair<Counts>) {
        self.seen = Some((at, totals));
        if self.shown.is_none() {
            self.shown.clone_from(&self.seen);
        }
    }

    /// What is to be said now. Within less than a second nothing new can be: reports come once a
    /// second.
    pub(super) fn say(&mut self) -> Option<Pair<f64>> {
        let ((from, before), (to, now)) = self.shown.as_ref().zip(self.seen.as_ref())?;
        let passed = to.saturating_duration_since(*from);
        if passed >= limits::ROLLOUT_TURN {
            let recent = now.since(before);
            let rate = |counts: &Counts| per_second(counts.requests, passed);
            self.said = Some(Pair { stable: rate(&recent.stable), canary: rate(&recent.canary) });
            self.shown.clone_from(&self.seen);
        }
        self.said.clone()
    }
}

fn per_second(requests: u64, passed: Duration) -> f64 {
    (requests as f64 / passed.as_secs_f64() * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests;
