//! Endpoints, from what each proxy tried of them.

use std::collections::{BTreeMap, HashMap};

use meshctl::telemetry::EndpointCounts;
use serde::Serialize;
use serde_json::json;

use super::{Rates, Rows, rate};
use crate::exit::Failure;
use crate::proxy::every::{Answers, Every};
use crate::units;
use crate::wanted::Wanted;

/// Totals by proxy, backend and endpoint.
type Totals = HashMap<(String, String, String), EndpointCounts>;

#[derive(Default)]
pub struct Endpoints {
    before: Totals,
    now: Totals,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub endpoint: String,
    pub backend: String,
    pub tries_per_second: f64,
    pub failures_per_second: f64,
    /// The moving average by which requests are balanced; of several proxies the highest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_seconds: Option<f64>,
    /// In all.
    pub ejections: u64,
    /// Proxies that send it nothing now.
    pub out: usize,
    pub active_connections: u64,
    pub idle_connections: u64,
}

impl Endpoints {
    pub fn take(&mut self, looks: Vec<(String, Vec<EndpointCounts>)>) {
        self.before = std::mem::take(&mut self.now);
        for (proxy, endpoints) in looks {
            for counts in endpoints {
                let place = (proxy.clone(), counts.backend.clone(), counts.endpoint.clone());
                self.now.insert(place, counts);
            }
        }
    }

    /// What came between the last two looks, the busiest first. What a proxy did that wasn't there
    /// at the first of them is not counted: nobody knows since when.
    pub fn rows(&self, wanted: &Wanted, seconds: f64) -> Vec<Row> {
        let mut sums: BTreeMap<(String, String), (EndpointCounts, usize)> = BTreeMap::new();
        let wanted = self.now.iter().filter(|((_, backend, _), _)| wanted.takes_label(backend));
        for ((proxy, backend, endpoint), now) in wanted {
            let place = (proxy.clone(), backend.clone(), endpoint.clone());
            let (sum, out) = sums.entry((backend.clone(), endpoint.clone())).or_default();
            let was_there = self.before.keys().any(|(known, ..)| known == proxy);
            let before = self.before.get(&place).cloned().unwrap_or_default();
            if was_there {
                sum.attempts += now.attempts.saturating_sub(before.attempts);
                sum.failures += now.failures.saturating_sub(before.failures);
            }
            sum.ejections += now.ejections;
            sum.active += now.active;
            sum.idle += now.idle;
            sum.latency_micros = sum.latency_micros.max(now.latency_micros);
            *out += usize::from(now.out);
        }
        let row = |(place, (sum, out)): ((String, String), (EndpointCounts, usize))| {
            let (backend, endpoint) = place;
            Row {
                endpoint,
                backend,
                tries_per_second: rate(sum.attempts, seconds),
                failures_per_second: rate(sum.failures, seconds),
                latency_seconds: sum.latency_micros.map(|micros| micros as f64 / 1e6),
                ejections: sum.ejections,
                out,
                active_connections: sum.active,
                idle_connections: sum.idle,
            }
        };
        let mut rows: Vec<Row> = sums.into_iter().map(row).collect();
        rows.sort_by(|one, other| other.tries_per_second.total_cmp(&one.tries_per_second));
        rows
    }
}

fn cells(row: &Row) -> Vec<String> {
    vec![
        row.endpoint.clone(),
        row.backend.clone(),
        row.tries_per_second.to_string(),
        row.failures_per_second.to_string(),
        row.latency_seconds.map_or_else(|| "-".to_owned(), units::seconds),
        row.ejections.to_string(),
        row.out.to_string(),
        row.active_connections.to_string(),
        row.idle_connections.to_string(),
    ]
}

const HEADINGS: [&str; 9] =
    ["ENDPOINT", "BACKEND", "TRIES/S", "FAILED/S", "LATENCY", "EJECTED", "OUT", "ACTIVE", "IDLE"];

impl Rates for Endpoints {
    fn look(&mut self, every: &Every) -> Result<Answers<()>, Failure> {
        let told: Answers<Vec<EndpointCounts>> = every.ask("/endpoints")?;
        let Answers { target, answers, silent } = told;
        let names = answers.iter().map(|(name, _)| (name.clone(), ())).collect();
        self.take(answers);
        Ok(Answers { target, answers: names, silent })
    }

    fn rows(&self, wanted: &Wanted, seconds: f64) -> Rows {
        let rows = self.rows(wanted, seconds);
        let cells = rows.iter().map(cells).collect();
        Rows { headings: &HEADINGS, cells, values: json!(rows) }
    }
}
