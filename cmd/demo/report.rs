//! What the demo says at the end: a row per step, and whether each got what it asked for.

use std::ops::RangeInclusive;

use super::binomial;
use super::meter::StepCounts;
use super::plan::{BAD, STEPS, STORY, Version, Weights};

pub const HEADINGS: &[&str] = &[
    "STEP",
    "ASKED",
    "V1",
    "V2",
    "V2 ALLOWED",
    "REQUESTS",
    "FAILED",
    "LOST",
    "P50",
    "P99",
    "WHAT",
];

/// One step and what it brought.
pub struct StepReport {
    pub asked: Weights,
    pub counts: StepCounts,
}

/// Pairs what was counted with what was asked for.
pub fn steps(counts: Vec<StepCounts>) -> Vec<StepReport> {
    let pairs = STEPS.into_iter().zip(counts);
    pairs.map(|(asked, counts)| StepReport { asked, counts }).collect()
}

pub fn rows(steps: &[StepReport]) -> Vec<Vec<String>> {
    steps.iter().enumerate().map(|(position, step)| step.row(position + 1)).collect()
}

/// What was wrong, as sentences without a full stop; empty when everything was as asked.
pub fn problems(steps: &[StepReport]) -> Vec<String> {
    steps.iter().enumerate().flat_map(|(position, step)| step.problems(position + 1)).collect()
}

impl StepReport {
    fn row(&self, number: usize) -> Vec<String> {
        let [v1, v2] = Version::ALL.map(|version| match self.measured(version) {
            Some(share) => percent(share),
            None => "-".to_owned(),
        });
        let quantile = |q| match self.counts.latencies.quantile(q) {
            Some(ms) => format!("{ms:.1} ms"),
            None => "-".to_owned(),
        };
        vec![
            number.to_string(),
            self.asked.to_string(),
            v1,
            v2,
            self.allowed(),
            self.counts.measured().to_string(),
            self.counts.failed.iter().sum::<u64>().to_string(),
            self.counts.losses().to_string(),
            quantile(0.5),
            quantile(0.99),
            STORY[number - 1].to_owned(),
        ]
    }

    pub fn measured(&self, version: Version) -> Option<f64> {
        let all = self.counts.measured();
        (all > 0).then(|| self.counts.answered[version.index()] as f64 / all as f64)
    }

    /// The counts of v2 that chance may bring.
    fn expected(&self) -> RangeInclusive<u64> {
        binomial::expected(self.counts.measured(), self.asked.share(Version::V2).unwrap_or(0.0))
    }

    /// The same as shares.
    fn allowed(&self) -> String {
        let all = self.counts.measured().max(1) as f64;
        let expected = self.expected();
        let [low, high] =
            [expected.start(), expected.end()].map(|count| percent(*count as f64 / all));
        if low == high { low } else { format!("{low} - {high}") }
    }

    pub fn problems(&self, number: usize) -> Vec<String> {
        let asked = self.asked;
        let mut problems = Vec::new();
        let all = self.counts.measured();
        let at_v2 = self.counts.answered[Version::V2.index()];
        if all == 0 {
            problems.push(format!("step {number} ({asked}) measured no request"));
        } else if !self.expected().contains(&at_v2) {
            let allowed = self.allowed();
            problems.push(format!(
                "step {number} asked for {asked}, and v2 got {at_v2} of {all} requests where \
                 {allowed} may be"
            ));
        }
        match (number == BAD + 1, self.counts.failed) {
            (false, [0, 0]) => {}
            (true, [0, failed]) if failed > 0 => {}
            (true, [0, _]) => problems.push(format!("step {number}: the bad v2 has not failed")),
            (_, [v1, v2]) => {
                problems
                    .push(format!("step {number} ({asked}): v1 failed {v1} times, v2 {v2} times"));
            }
        }
        problems.extend(self.loss(number));
        problems
    }

    /// What was lost, and why.
    pub fn loss(&self, number: usize) -> Option<String> {
        let losses = self.counts.losses();
        let reasons: Vec<String> =
            self.counts.lost.iter().map(|(why, count)| format!("{count} x {why}")).collect();
        (losses > 0).then(|| {
            format!(
                "step {number} ({}) lost {losses} request{}: {}",
                self.asked,
                if losses == 1 { "" } else { "s" },
                reasons.join(", "),
            )
        })
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests;
