//! The reports of many proxies added up by arm, so that what an arm has done since some moment is
//! the difference of two totals.
//!
//! A report's numbers are totals of one process. Each process has a base here, up to which it is
//! counted already; what a report says beyond it is added, and the base follows. So a report may
//! come twice, late or never; processes may restart and proxies disappear: nothing is counted
//! twice, and what was counted stays counted. What a process did before it was first heard of is
//! not counted: nobody knows when that was.
//!
//! This module is pure, and must not know who reports, or how a report travels.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::limits;
use crate::model::{Arm, ArmKey, Counts, Name, Report, Totals};

/// What all proxies have done, by arm.
#[derive(Debug)]
pub struct Tally {
    arms: BTreeMap<ArmKey, Counts>,
    /// Requests of arms for which there was no room.
    left_out: u64,
    processes: HashMap<Place, Process>,
    /// Those that are gone, the oldest first. One that came again stands here still.
    gone: VecDeque<Place>,
    bounds: Bounds,
}

/// Whose report it is: a proxy's name, and its process.
type Place = (Name, u64);

#[derive(Clone, Copy, Debug)]
struct Bounds {
    arms: usize,
    of_process: usize,
    gone: usize,
}

#[derive(Debug)]
struct Process {
    /// Arms up to this number were there before they were listened for.
    horizon: u64,
    born: u64,
    totals: Totals,
    base: BTreeMap<ArmKey, (u64, Counts)>,
    present: bool,
}

impl Default for Tally {
    fn default() -> Self {
        Self::bounded(Bounds {
            arms: limits::TALLY_ARMS,
            of_process: limits::ARMS,
            gone: limits::TALLY_GONE,
        })
    }
}

impl Tally {
    fn bounded(bounds: Bounds) -> Self {
        Self {
            arms: BTreeMap::new(),
            left_out: 0,
            processes: HashMap::new(),
            gone: VecDeque::new(),
            bounds,
        }
    }

    /// Adds what is new in a proxy's report.
    pub fn take(&mut self, proxy: &Name, report: Report) {
        let Report { process, born, totals, arms } = report;
        let place = (Name::clone(proxy), process);
        if !self.processes.get(&place).is_some_and(|process| process.present) {
            // Its former process may be there for a while: then it reports again.
            self.forget(proxy);
        }
        let process = self.processes.entry(place).or_insert_with(|| Process::new(born, totals));
        process.present = true;
        process.born = process.born.max(born);
        process.totals = totals;
        let bound = self.bounds.of_process;
        let news: Vec<_> = arms.into_iter().filter_map(|arm| process.advance(arm, bound)).collect();
        news.into_iter().for_each(|(key, new)| self.add(key, &new));
    }

    /// The proxy is not there: nothing of it is in flight. It may come again.
    pub fn forget(&mut self, proxy: &Name) {
        let here = self
            .processes
            .iter_mut()
            .filter(|((name, _), process)| name == proxy && process.present);
        for (place, process) in here {
            process.present = false;
            self.gone.push_back(place.clone());
        }
        while self.gone.len() > self.bounds.gone {
            let Some(oldest) = self.gone.pop_front() else { break };
            let gone = |process: &Process| !process.present;
            if self.processes.get(&oldest).is_some_and(gone) && !self.gone.contains(&oldest) {
                self.processes.remove(&oldest);
            }
        }
    }

    /// What an arm has done, as far as it was heard of. Never less than before, but for what is in
    /// flight: that is of the proxies that are there.
    pub fn totals(&self, arm: &ArmKey) -> Counts {
        let total = self.arms.get(arm).cloned().unwrap_or_default();
        let present = self.processes.values().filter(|process| process.present);
        let in_flight = present.filter_map(|process| process.base.get(arm));
        let in_flight =
            in_flight.fold(0_u64, |sum, (_, counts)| sum.saturating_add(counts.in_flight));
        Counts { in_flight, ..total }
    }

    /// All arms that were heard of.
    pub fn arms(&self) -> impl Iterator<Item = &ArmKey> {
        self.arms.keys()
    }

    /// Requests of arms that have no total here, because there are too many of them.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// A proxy's last report, put together again: for another tally.
    pub fn report(&self, proxy: &Name) -> Option<Report> {
        let mut here = self.processes.iter();
        let ((_, number), process) =
            here.find(|((name, _), process)| name == proxy && process.present)?;
        let arm = |(key, (born, counts)): (&ArmKey, &(u64, Counts))| Arm {
            key: key.clone(),
            born: *born,
            counts: counts.clone(),
        };
        Some(Report {
            process: *number,
            born: process.born,
            totals: process.totals,
            arms: process.base.iter().map(arm).collect(),
        })
    }

    fn add(&mut self, key: ArmKey, new: &Counts) {
        if !self.arms.contains_key(&key) && self.arms.len() >= self.bounds.arms {
            let processes = &self.processes;
            // Routes of long ago.
            self.arms
                .retain(|arm, _| processes.values().any(|process| process.base.contains_key(arm)));
        }
        if self.arms.len() < self.bounds.arms || self.arms.contains_key(&key) {
            self.arms.entry(key).or_default().add(&Counts { in_flight: 0, ..new.clone() });
        } else {
            self.left_out = self.left_out.saturating_add(new.requests);
        }
    }
}

impl Process {
    fn new(horizon: u64, totals: Totals) -> Self {
        Self { horizon, born: horizon, totals, base: BTreeMap::new(), present: true }
    }

    /// What the arm has done beyond its base, which moves up to it.
    fn advance(&mut self, arm: Arm, bound: usize) -> Option<(ArmKey, Counts)> {
        let Arm { key, born, counts } = arm;
        // Bases are lost, but nothing is counted twice.
        if !self.base.contains_key(&key) && self.base.len() >= bound {
            self.base.clear();
            self.horizon = self.born;
        }
        let new = match self.base.get_mut(&key) {
            Some((of, _)) if *of > born => return None,
            Some((of, base)) if *of == born => {
                let new = counts.since(base);
                base.in_flight = 0;
                base.add(&new);
                new
            }
            // It was forgotten and made again.
            Some(base) => {
                *base = (born, counts.clone());
                counts
            }
            None => {
                self.base.insert(key.clone(), (born, counts.clone()));
                if born <= self.horizon { Counts::default() } else { counts }
            }
        };
        Some((key, new))
    }
}

#[cfg(test)]
mod tests;
