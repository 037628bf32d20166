//! Which label sets exist, and what their cells add up to.
//!
//! Locks are taken when a handle is made and when values are read, never when something is
//! counted. A lock covers one family, so a scrape holds a worker that makes a new view back for
//! the time of one family at the most. This module must not know a text format.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use smallvec::{SmallVec, smallvec};

use super::arms::{ArmSeries, Arms};
use super::cells::{
    Cell, Counter, Gauge, HISTOGRAM_CELLS, HISTOGRAM_SUM, Histogram, SharedCounter, SharedGauge,
    Slot,
};
use super::failures::{Failures, Ring};
use super::label;
use super::metrics::{DURATION_BUCKETS, Family, FamilyKind};
use super::process;
use super::record::Record;
use crate::clock::{self, Instant};
use crate::limits;
use crate::model::{ArmKey, Report, Totals};

mod shard;

use shard::Shard;

/// All metrics of the process. Cloning shares.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

/// A worker's way to its own cells. It stays on its thread, which is what makes "one writer per
/// cell" true; its clones are the same cells.
#[derive(Clone)]
pub struct WorkerMetrics {
    inner: Arc<Inner>,
    shard: Arc<Shard>,
    one_thread: PhantomData<*const ()>,
}

struct Inner {
    families: Vec<Mutex<BTreeMap<Arc<str>, Series>>>,
    /// Lines that the series make in a scrape.
    lines: AtomicUsize,
    lines_bound: usize,
    folded: AtomicU64,
    told: AtomicBool,
    arms: Arms,
    failures: Ring,
    /// Cells that any thread may write.
    process: Arc<Shard>,
    started: Duration,
}

/// One label set of a family.
struct Series {
    /// What cells counted whose last handle is gone.
    past: SmallVec<[u64; 1]>,
    cells: SmallVec<[(Arc<Shard>, Slot); 1]>,
    unused_since: Option<Instant>,
}

/// A family's values at one moment, in the order of their labels.
#[derive(Clone, Debug, PartialEq)]
pub struct FamilySamples {
    pub family: Family,
    pub samples: Vec<Sample>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// `gateway="shop/edge",code="200"`, escaped.
    pub labels: Arc<str>,
    pub value: SampleValue,
}

#[derive(Clone, Debug, PartialEq)]
pub enum SampleValue {
    Count(u64),
    Level(i64),
    Seconds(f64),
    /// Observations per bucket, not cumulative; the last one is `+Inf`.
    Histogram {
        buckets: [u64; DURATION_BUCKETS.len() + 1],
        sum: f64,
    },
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    pub fn new() -> Self {
        Self::bounded(limits::METRIC_SERIES)
    }

    /// `lines`: how many lines of a scrape the series may make before new ones are folded.
    pub fn bounded(lines: usize) -> Self {
        Self {
            inner: Arc::new(Inner {
                families: Family::all().map(|_| Mutex::default()).collect(),
                lines: AtomicUsize::new(0),
                lines_bound: lines,
                folded: AtomicU64::new(0),
                told: AtomicBool::new(false),
                arms: Arms::new(limits::ARMS),
                failures: Ring::default(),
                process: Arc::new(Shard::new()),
                started: clock::since_epoch(),
            }),
        }
    }

    /// Cells for the calling thread. What a worker counted outlives it.
    pub fn worker(&self) -> WorkerMetrics {
        WorkerMetrics {
            inner: self.inner.clone(),
            shard: Arc::new(Shard::new()),
            one_thread: PhantomData,
        }
    }

    /// A counter of the process. `labels` are the values, in the family's order.
    pub fn counter(&self, family: Family, labels: &[&str]) -> SharedCounter {
        debug_assert_eq!(family.kind(), FamilyKind::Counter);
        SharedCounter::new(self.inner.cell(&self.inner.process, family, labels))
    }

    /// A gauge of the process; the series goes when the last handle does.
    pub fn gauge(&self, family: Family, labels: &[&str]) -> SharedGauge {
        debug_assert_eq!(family.kind(), FamilyKind::Gauge);
        SharedGauge::new(self.inner.cell(&self.inner.process, family, labels))
    }

    /// One family's values.
    pub(super) fn family(&self, family: Family) -> Vec<Sample> {
        self.inner.samples(family)
    }

    /// The sum of a counter's series whose labels hold `part`, such as `code="5`.
    pub fn total(&self, family: Family, part: &str) -> u64 {
        let samples = self.inner.samples(family);
        let counts = samples.iter().filter(|sample| sample.labels.contains(part));
        let counts = counts.map(|sample| match sample.value {
            SampleValue::Count(count) => count,
            _ => 0,
        });
        counts.sum()
    }

    /// The failures that are remembered, from the one after this number on.
    pub fn failures(&self, after: u64) -> Failures {
        self.inner.failures.after(after)
    }

    /// What the process and each of its arms have done. `process` is its number, `connections`
    /// are those of clients.
    pub fn report(&self, process: u64, connections: usize) -> Report {
        let report = self.inner.arms.report();
        let totals = Totals {
            requests: self.total(Family::Requests, ""),
            errors: self.total(Family::Requests, "code=\"5"),
            connections: connections as u64,
            ..report.totals
        };
        Report { process, totals, ..report }
    }

    /// Every value, families in the table's order, without families that have none.
    pub fn collect(&self, now: Instant) -> Vec<FamilySamples> {
        self.sweep(now);
        let mut all: Vec<_> = Family::all()
            .map(|family| FamilySamples { family, samples: self.inner.samples(family) })
            .collect();
        for (family, value) in self.inner.own_values().into_iter().chain(process::values()) {
            let sample = Sample { labels: "".into(), value };
            all[family as usize].samples.push(sample);
        }
        all.retain(|family| !family.samples.is_empty());
        all
    }

    /// True once in the life of the process: when the first label set was counted under `other`.
    pub fn has_begun_to_fold(&self) -> bool {
        self.inner.folded.load(Ordering::Relaxed) > 0
            && !self.inner.told.swap(true, Ordering::Relaxed)
    }

    /// Takes in what dropped handles left behind and forgets series that have long been unused.
    /// Scrapes do this too; the control thread does it once a minute for a process that nobody
    /// scrapes.
    pub fn sweep(&self, now: Instant) {
        for family in Family::all() {
            self.inner.sweep(family, now);
        }
        self.inner.arms.sweep(now);
    }
}

impl WorkerMetrics {
    /// `labels` are the values, in the family's order. The same ones give the same cell.
    pub fn counter(&self, family: Family, labels: &[&str]) -> Counter {
        debug_assert_eq!(family.kind(), FamilyKind::Counter);
        Counter::new(self.inner.cell(&self.shard, family, labels))
    }

    pub fn gauge(&self, family: Family, labels: &[&str]) -> Gauge {
        debug_assert_eq!(family.kind(), FamilyKind::Gauge);
        Gauge::new(self.inner.cell(&self.shard, family, labels))
    }

    pub fn histogram(&self, family: Family, labels: &[&str]) -> Histogram {
        debug_assert_eq!(family.kind(), FamilyKind::Histogram);
        Histogram::new(self.inner.cell(&self.shard, family, labels))
    }

    pub(super) fn arm(&self, key: &ArmKey) -> ArmSeries {
        self.inner.arms.series(key)
    }

    pub(super) fn note_failure(&self, record: &Record) {
        self.inner.failures.note(record);
    }
}

impl Inner {
    fn cell(&self, shard: &Arc<Shard>, family: Family, labels: &[&str]) -> Cell {
        let mut key = label::render(family, labels);
        let mut all = self.family(family);
        if !all.contains_key(key.as_str()) && !self.make_room(family) {
            self.folded.fetch_add(1, Ordering::Relaxed);
            key = label::render_other(family);
        }
        let series = all.entry(key.into()).or_insert_with(|| Series::new(family.kind()));
        series.unused_since = None;
        series.cell(shard, family.kind())
    }

    /// Counts a new series, if the bound allows one.
    fn make_room(&self, family: Family) -> bool {
        // An unlabelled family has one series whatever happens.
        if family.labels().is_empty() {
            return true;
        }
        let lines = lines_of(family);
        self.lines
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
                (held + lines <= self.lines_bound).then_some(held + lines)
            })
            .is_ok()
    }

    fn samples(&self, family: Family) -> Vec<Sample> {
        self.family(family)
            .iter()
            .map(|(labels, series)| Sample {
                labels: labels.clone(),
                value: series.value(family.kind()),
            })
            .collect()
    }

    fn own_values(&self) -> Vec<(Family, SampleValue)> {
        let lines = i64::try_from(self.lines.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        vec![
            (Family::MetricSeries, SampleValue::Level(lines)),
            (Family::MetricSeriesFolded, SampleValue::Count(self.folded.load(Ordering::Relaxed))),
            (Family::ProcessStartTime, SampleValue::Seconds(self.started.as_secs_f64())),
        ]
    }

    fn sweep(&self, family: Family, now: Instant) {
        let other = label::render_other(family);
        self.family(family).retain(|key, series| {
            let keep = series.sweep(family.kind(), now);
            // Folded series and unlabelled ones were never counted against the bound.
            if !keep && !family.labels().is_empty() && **key != *other {
                self.lines.fetch_sub(lines_of(family), Ordering::Relaxed);
            }
            keep
        });
    }

    fn family(&self, family: Family) -> MutexGuard<'_, BTreeMap<Arc<str>, Series>> {
        self.families[family as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Series {
    fn new(kind: FamilyKind) -> Self {
        Self { past: smallvec![0; cells_of(kind)], cells: SmallVec::new(), unused_since: None }
    }

    fn cell(&mut self, shard: &Arc<Shard>, kind: FamilyKind) -> Cell {
        if let Some((_, slot)) = self.cells.iter().find(|(owner, _)| Arc::ptr_eq(owner, shard)) {
            // What the last holders of a gauge left behind is nobody's level.
            if kind == FamilyKind::Gauge && slot.is_free() {
                slot.clear(1);
            }
            return slot.hold();
        }
        let slot = shard.take(cells_of(kind));
        let cell = slot.hold();
        self.cells.push((shard.clone(), slot));
        cell
    }

    /// Whether the series is still to be shown.
    fn sweep(&mut self, kind: FamilyKind, now: Instant) -> bool {
        // No handle can be made meanwhile: that takes the family's lock, which is held.
        let past = &mut self.past;
        self.cells.retain(|(shard, slot)| {
            if !slot.is_free() {
                return true;
            }
            if kind != FamilyKind::Gauge {
                add(past, kind, slot);
            }
            shard.give_back(slot.clone(), cells_of(kind));
            false
        });
        if !self.cells.is_empty() {
            self.unused_since = None;
            return true;
        }
        // A counter that went and came back would look like a restart, so it stays for a while.
        let unused_since = *self.unused_since.get_or_insert(now);
        kind != FamilyKind::Gauge && now.duration_since(unused_since) < limits::METRIC_SERIES_REST
    }

    fn value(&self, kind: FamilyKind) -> SampleValue {
        let mut sums = self.past.clone();
        for (_, slot) in &self.cells {
            add(&mut sums, kind, slot);
        }
        match kind {
            FamilyKind::Counter => SampleValue::Count(sums[0]),
            FamilyKind::Gauge => SampleValue::Level(sums[0].cast_signed()),
            FamilyKind::Histogram => SampleValue::Histogram {
                buckets: std::array::from_fn(|bucket| sums[bucket]),
                sum: f64::from_bits(sums[HISTOGRAM_SUM]),
            },
        }
    }
}

fn add(sums: &mut [u64], kind: FamilyKind, slot: &Slot) {
    for (offset, sum) in sums.iter_mut().enumerate() {
        let value = slot.read(offset);
        *sum = if kind == FamilyKind::Histogram && offset == HISTOGRAM_SUM {
            (f64::from_bits(*sum) + f64::from_bits(value)).to_bits()
        } else {
            sum.wrapping_add(value)
        };
    }
}

fn cells_of(kind: FamilyKind) -> usize {
    match kind {
        FamilyKind::Counter | FamilyKind::Gauge => 1,
        FamilyKind::Histogram => HISTOGRAM_CELLS,
    }
}

/// Lines of one series in a scrape: a histogram has its buckets, `_sum` and `_count`.
fn lines_of(family: Family) -> usize {
    match family.kind() {
        FamilyKind::Counter | FamilyKind::Gauge => 1,
        FamilyKind::Histogram => HISTOGRAM_CELLS + 1,
    }
}

#[cfg(test)]
mod tests;
