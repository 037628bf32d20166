//! What the demo says at the end: a row per step, and whether each got what it asked for.

use super::meter::StepCounts;
use super::plan::{STEPS, Version, Weights};

/// How far a measured share may be from the asked one, in standard deviations. A gateway that
/// draws each request by weight is further away once in 15,000 steps.
const SIGMAS: f64 = 4.0;

pub const HEADINGS: &[&str] =
    &["STEP", "ASKED", "V1", "V2", "ALLOWED", "REQUESTS", "LOST", "P50", "P99"];

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
            format!("±{}", percent(self.allowed())),
            self.counts.measured().to_string(),
            self.counts.losses().to_string(),
            quantile(0.5),
            quantile(0.99),
        ]
    }

    pub fn measured(&self, version: Version) -> Option<f64> {
        let all = self.counts.measured();
        (all > 0).then(|| self.counts.answered[version.index()] as f64 / all as f64)
    }

    /// How far the share of either version may be from the asked one. Of n requests, each drawn
    /// with probability p, a version gets np on average with a standard deviation of √(np(1-p))
    /// (binomial distribution); half a request is for whole numbers. Where p is 0 or 1 there is
    /// no chance in it, and not one request may go elsewhere.
    fn allowed(&self) -> f64 {
        let n = self.counts.measured() as f64;
        let p = self.asked.share(Version::V2).unwrap_or(0.0);
        let variance = n * p * (1.0 - p);
        if variance == 0.0 { 0.0 } else { (SIGMAS * variance.sqrt() + 0.5) / n }
    }

    pub fn problems(&self, number: usize) -> Vec<String> {
        let mut problems = Vec::new();
        let asked = self.asked.share(Version::V2).unwrap_or(0.0);
        match self.measured(Version::V2) {
            None => problems.push(format!("step {number} ({}) measured no request", self.asked)),
            Some(measured) if (measured - asked).abs() > self.allowed() => problems.push(format!(
                "step {number} asked for {} and measured {} of {} requests at v2, \
                 which is not within {} ± {}",
                self.asked,
                percent(measured),
                self.counts.measured(),
                percent(asked),
                percent(self.allowed()),
            )),
            Some(_) => {}
        }
        let losses = self.counts.losses();
        if losses > 0 {
            let reasons: Vec<String> =
                self.counts.lost.iter().map(|(why, count)| format!("{count} {why}")).collect();
            problems.push(format!(
                "step {number} ({}) lost {losses} request{}: {}",
                self.asked,
                if losses == 1 { "" } else { "s" },
                reasons.join(", "),
            ));
        }
        problems
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests;
