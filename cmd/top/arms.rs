//! Routes and backends, from the arms of proxies' reports.

use std::collections::BTreeMap;

use meshctl::model::{ArmKey, Counts};
use meshctl::proxy::control::read_report;
use meshctl::telemetry::tally::Tally;
use meshctl::telemetry::{backend_label, object_label};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Rates, Rows, rate};
use crate::exit::Failure;
use crate::proxy::every::{Answers, Every};
use crate::units;
use crate::wanted::Wanted;

/// What is one row: its name, or `None` for an arm that belongs to none.
type Name = fn(&ArmKey) -> Option<String>;

pub struct Arms {
    name: Name,
    headings: &'static [&'static str],
    tally: Tally,
    before: BTreeMap<ArmKey, Counts>,
    /// What came between the last two looks.
    new: BTreeMap<ArmKey, Counts>,
}

const ROUTES: [&str; 9] = headings("ROUTE");
const BACKENDS: [&str; 9] = headings("BACKEND");

const fn headings(first: &'static str) -> [&'static str; 9] {
    [first, "REQ/S", "ERR/S", "ERRORS", "P50", "P99", "IN FLIGHT", "RETRIES/S", "LEFT/S"]
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
        Self::new(name, &ROUTES)
    }

    pub fn by_backend() -> Self {
        Self::new(|arm| Some(backend_label(&arm.backend)), &BACKENDS)
    }

    fn new(name: Name, headings: &'static [&'static str]) -> Self {
        let (before, new) = (BTreeMap::new(), BTreeMap::new());
        Self { name, headings, tally: Tally::default(), before, new }
    }

    pub fn take(&mut self, proxy: &str, report: &Value) -> Result<(), String> {
        self.tally.take(&proxy.into(), read_report(report)?);
        Ok(())
    }

    /// Ends a look.
    pub fn settle(&mut self) {
        self.new.clear();
        for arm in self.tally.arms() {
            let totals = self.tally.totals(arm);
            let before = self.before.entry(arm.clone()).or_default();
            self.new.insert(arm.clone(), totals.since(before));
            *before = totals;
        }
    }

    /// What came since the look before, the busiest first.
    pub fn rows(&self, wanted: &Wanted, seconds: f64) -> Vec<Row> {
        let mut named: BTreeMap<String, Counts> = BTreeMap::new();
        for (arm, new) in &self.new {
            if let Some(name) = (self.name)(arm).filter(|name| wanted.takes_label(name)) {
                // What no client waits for is a row of its own.
                let name = if arm.dark { format!("{name} (copies)") } else { name };
                named.entry(name).or_default().add(new);
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
    fn look(&mut self, every: &Every) -> Result<Answers<()>, Failure> {
        let told: Answers<Value> = every.ask("/report")?;
        let told = told.each(|name, report| self.take(name, &report));
        self.settle();
        Ok(told)
    }

    fn rows(&self, wanted: &Wanted, seconds: f64) -> Rows {
        let rows = self.rows(wanted, seconds);
        Rows {
            headings: self.headings,
            cells: rows.iter().map(cells).collect(),
            values: json!(rows),
        }
    }
}
