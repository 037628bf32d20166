//! What the demo measures: every request is begun and ended here, and belongs to the step in
//! which it was begun. Between an edit and the moment at which the gateway serves it, requests
//! count for no share, but a lost one is lost at any time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use meshctl::clock::Instant;
use meshctl::limits;

use super::latencies::Latencies;
use super::plan::{STEPS, Version};

/// One bar of the view.
pub const TICK: Duration = Duration::from_millis(500);
/// Rates are read over so many whole ticks: two seconds.
const RATE_TICKS: usize = 4;
/// Quantiles are read over so many ticks: five seconds, or p99 would be one request.
const QUANTILE_TICKS: usize = 10;

/// What a request was begun in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The edit of this step is on its way to the gateway.
    Settling(usize),
    /// The gateway serves this step.
    Measured(usize),
    /// It still does, while somebody decides what comes next.
    Deciding(usize),
    /// The plan is over.
    After,
}

impl Phase {
    pub fn step(self) -> Option<usize> {
        match self {
            Self::Settling(step) | Self::Measured(step) | Self::Deciding(step) => Some(step),
            Self::After => None,
        }
    }
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    Answered(Version),
    /// The version itself says that it failed.
    Failed(Version),
    /// In words: nobody answered.
    Lost(String),
}

/// What one step brought.
#[derive(Clone, Debug, Default)]
pub struct StepCounts {
    /// Failures too: shares are of all requests.
    pub answered: [u64; 2],
    /// While the step was served.
    pub failed: [u64; 2],
    pub latencies: Latencies,
    /// By reason; from the edit on, while shares are counted from the moment it was served.
    pub lost: BTreeMap<String, u64>,
}

impl StepCounts {
    pub fn measured(&self) -> u64 {
        self.answered.iter().sum()
    }

    pub fn losses(&self) -> u64 {
        self.lost.values().sum()
    }
}

/// The last seconds of one version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recent {
    pub per_second: f64,
    /// Since the start.
    pub errors: u64,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    /// Answers in each tick that is over, the newest last.
    pub answered: Vec<u64>,
    /// Likewise, in microseconds.
    pub p99_micros: Vec<u64>,
}

#[derive(Default)]
struct Tick {
    answered: [u32; 2],
    latencies: [Latencies; 2],
    /// Known once the tick is over.
    p99_micros: [u64; 2],
}

struct Counts {
    phase: Phase,
    /// Requests that were begun in a measured step and have not ended.
    open: usize,
    steps: [StepCounts; STEPS.len()],
    errors: [u64; 2],
    lost: u64,
    ticks: VecDeque<Tick>,
    newest_tick: Instant,
}

/// What [`Meter::begin`] gives and [`Meter::end`] takes back.
#[derive(Debug)]
pub struct Begun(Phase);

pub struct Meter {
    counts: Mutex<Counts>,
    /// Told when nothing of a step that is over is open any more.
    none_open: Notify,
}

impl Meter {
    pub fn new(now: Instant) -> Self {
        let counts = Counts {
            phase: Phase::Settling(0),
            open: 0,
            steps: Default::default(),
            errors: [0; 2],
            lost: 0,
            ticks: VecDeque::from([Tick::default()]),
            newest_tick: now,
        };
        Self { counts: Mutex::new(counts), none_open: Notify::new() }
    }

    /// The gateway serves the step's weights: from here on its shares are counted.
    pub fn measure(&self, step: usize) {
        self.counts().phase = Phase::Measured(step);
    }

    /// Ends the step that is measured, if there is one. Returns once every request of it has
    /// ended, so that none of them can meet the weights that are written next.
    pub async fn leave(&self, next: Phase) {
        self.counts().phase = next;
        while self.counts().open > 0 {
            self.none_open.notified().await;
        }
    }

    pub fn begin(&self) -> Begun {
        let mut counts = self.counts();
        if matches!(counts.phase, Phase::Measured(_)) {
            counts.open += 1;
        }
        Begun(counts.phase)
    }

    pub fn end(&self, Begun(phase): Begun, ended: Ended, latency: Duration, now: Instant) {
        let mut counts = self.counts();
        counts.turn(now);
        match ended {
            Ended::Answered(version) => counts.answered(phase, version, latency),
            Ended::Failed(version) => {
                counts.failed(phase, version);
                counts.answered(phase, version, latency);
            }
            Ended::Lost(why) => counts.lost(phase, why),
        }
        if matches!(phase, Phase::Measured(_)) {
            counts.open -= 1;
            if counts.open == 0 && counts.phase != phase {
                self.none_open.notify_one();
            }
        }
    }

    pub fn phase(&self) -> Phase {
        self.counts().phase
    }

    pub fn steps(&self) -> Vec<StepCounts> {
        self.counts().steps.to_vec()
    }

    /// Requests that were lost at any time.
    pub fn lost(&self) -> u64 {
        self.counts().lost
    }

    pub fn recent(&self, now: Instant) -> [Recent; 2] {
        let mut counts = self.counts();
        counts.turn(now);
        Version::ALL.map(|version| counts.recent(version))
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Nothing that is held under it panics; if it did, counts would still be counts.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// Begins the ticks that are due.
    fn turn(&mut self, now: Instant) {
        while now >= self.newest_tick + TICK {
            self.newest_tick += TICK;
            if let Some(over) = self.ticks.back_mut() {
                let p99 = |latencies: &Latencies| latencies.quantile(0.99).unwrap_or(0.0);
                over.p99_micros = over.latencies.each_ref().map(|all| (p99(all) * 1_000.0) as u64);
            }
            self.ticks.push_back(Tick::default());
            if self.ticks.len() > limits::DEMO_TICKS {
                self.ticks.pop_front();
            }
        }
    }

    fn answered(&mut self, phase: Phase, version: Version, latency: Duration) {
        if let Phase::Measured(step) = phase {
            let step = &mut self.steps[step];
            step.answered[version.index()] += 1;
            step.latencies.add(latency);
        }
        if let Some(tick) = self.ticks.back_mut() {
            tick.answered[version.index()] += 1;
            tick.latencies[version.index()].add(latency);
        }
    }

    fn failed(&mut self, phase: Phase, version: Version) {
        self.errors[version.index()] += 1;
        // While weights settle, the version is that of the step before.
        if let Phase::Measured(step) | Phase::Deciding(step) = phase {
            self.steps[step].failed[version.index()] += 1;
        }
    }

    fn lost(&mut self, phase: Phase, why: String) {
        self.lost += 1;
        if let Some(step) = phase.step() {
            *self.steps[step].lost.entry(why).or_default() += 1;
        }
    }

    fn recent(&self, version: Version) -> Recent {
        let index = version.index();
        // The newest tick is not over yet.
        let whole = self.ticks.iter().rev().skip(1);
        let in_rate: Vec<u32> =
            whole.clone().take(RATE_TICKS).map(|tick| tick.answered[index]).collect();
        let seconds = TICK.as_secs_f64() * in_rate.len().max(1) as f64;
        let mut latencies = Latencies::default();
        let newest = self.ticks.iter().rev().take(QUANTILE_TICKS);
        newest.for_each(|tick| latencies.merge(&tick.latencies[index]));
        Recent {
            per_second: f64::from(in_rate.iter().sum::<u32>()) / seconds,
            errors: self.errors[index],
            p50_ms: latencies.quantile(0.5),
            p99_ms: latencies.quantile(0.99),
            answered: whole.clone().rev().map(|tick| tick.answered[index].into()).collect(),
            p99_micros: whole.rev().map(|tick| tick.p99_micros[index]).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
