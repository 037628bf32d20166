//! Routes and backends, from the arms of proxies' reports.

use std::collections::BTreeMap;

use meshctl::model::{ArmKey, Counts};
use meshctl::proxy::control::read_report;
use meshctl::telemetry::tally::Tally;
use meshctl::telemetry::{backend_label, object_label};
use serde::Serialize;
use serde_json::Value;

use super::{Rates, Shown, rate};
use crate::exit::Failure;
use crate::output::Output;
use crate::proxy::every::{Answers, Every};
use crate::units;

/// What is one row: its name, or `None` for an arm that belongs to none.
type Name = fn(&ArmKey) -> Option<String>;

pub struct Arms {
    name: Name,
    heading: &'static str,
    tally: Tally,
    before: BTreeMap<ArmKey, Counts>,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub name: String,
    pub requests_per_second: f64,
    pub errors_per_second: f64,
    /// Of the requests.
    pub error_percent: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_seconds: Option<f64>,
    pub in_flight: u64,
    pub retries_per_second: f64,
    pub cancelled_per_second: f64,
}

impl Arms {
    pub fn by_route() -> Self {
        // What no client waits for is no route's doing.
        let name: Name = |arm| (!arm.dark).then(|| object_label(&arm.rule.object));
        Self::new(name, "ROUTE")
    }

    pub fn by_backend() -> Self {
        let name: Name = |arm| {
            let name = backend_label(&arm.backend);
            Some(if arm.dark { format!("{name} (copies)") } else { name })
        };
        Self::new(name, "BACKEND")
    }

    fn new(name: Name, heading: &'static str) -> Self {
        Self { name, heading, tally: Tally::default(), before: BTreeMap::new() }
    }

    pub fn take(&mut self, proxy: &str, report: &Value) -> Result<(), String> {
        self.tally.take(&proxy.into(), read_report(report)?);
        Ok(())
    }

    /// What came since the rows before, the busiest first.
    pub fn rows(&mut self, seconds: f64) -> Vec<Row> {
        let mut named: BTreeMap<String, Counts> = BTreeMap::new();
        for arm in self.tally.arms() {
            let totals = self.tally.totals(arm);
            let before = self.before.entry(arm.clone()).or_default();
            let new = totals.since(before);
            *before = totals;
            if let Some(name) = (self.name)(arm) {
                named.entry(name).or_default().add(&new);
            }
        }
        let mut rows: Vec<Row> =
            named.into_iter().map(|(name, counts)| row(name, &counts, seconds)).collect();
        rows.sort_by(|one, other| other.requests_per_second.total_cmp(&one.requests_per_second));
        rows
    }
}

fn row(name: String, counts: &Counts, seconds: f64) -> Row {
    let Counts { requests, attempts, errors, cancelled, in_flight, latencies, .. } = counts;
    let quantile = |q| latencies.quantile(q).map(|time| time.as_secs_f64());
    let percent = 100.0 * (*errors as f64) / ((*requests).max(1) as f64);
    Row {
        name,
        requests_per_second: rate(*requests, seconds),
        errors_per_second: rate(*errors, seconds),
        error_percent: (percent * 100.0).round() / 100.0,
        p50_seconds: quantile(0.5),
        p99_seconds: quantile(0.99),
        in_flight: *in_flight,
        retries_per_second: rate(attempts.saturating_sub(*requests), seconds),
        cancelled_per_second: rate(*cancelled, seconds),
    }
}

fn cells(row: &Row) -> Vec<String> {
    let time = |time: Option<f64>| time.map_or_else(|| "-".to_owned(), units::seconds);
    vec![
        row.name.clone(),
        row.requests_per_second.to_string(),
        row.errors_per_second.to_string(),
        format!("{}%", row.error_percent),
        time(row.p50_seconds),
        time(row.p99_seconds),
        row.in_flight.to_string(),
        row.retries_per_second.to_string(),
        row.cancelled_per_second.to_string(),
    ]
}

impl Rates for Arms {
    fn look(&mut self, every: &Every<'_>, output: &mut Output) -> Result<Answers<()>, Failure> {
        let told: Answers<Value> = every.ask("/report", output)?;
        Ok(told.each(|name, report| self.take(name, &report), output))
    }

    fn show(&mut self, shown: &Shown<'_>, output: &mut Output) -> Result<(), Failure> {
        let rows = self.rows(shown.seconds);
        let headings = [
            self.heading,
            "REQ/S",
            "ERR/S",
            "ERRORS",
            "P50",
            "P99",
            "IN FLIGHT",
            "RETRIES/S",
            "LEFT/S",
        ];
        shown.table(&headings, rows.iter().map(cells).collect(), &rows, output)
    }
}
