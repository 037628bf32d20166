//! What each endpoint was asked and how it went, from the cells that metrics are made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::metrics::Family;
use super::reading;
use super::registry::{Registry, Sample, SampleValue};

/// Totals of a process, but for what is open now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EndpointCounts {
    /// As metrics name it: `shop/cart:8080`.
    pub backend: String,
    pub endpoint: String,
    /// Tries to get an answer.
    pub attempts: u64,
    /// Those that brought none. A status is an answer.
    pub failures: u64,
    pub ejections: u64,
    /// Connections with a request on them, now.
    pub active: u64,
    pub idle: u64,
    /// Whether it is ejected, now.
    pub out: bool,
    /// The time to the head of an answer by which requests are balanced: an average that follows a
    /// rise at once and a fall slowly. Counters know no times of single endpoints: a histogram of
    /// each in each worker would be 1.4 KB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_micros: Option<u64>,
}

impl Registry {
    /// By backend and endpoint.
    pub fn endpoints(&self) -> Vec<EndpointCounts> {
        let mut all: BTreeMap<(String, String), EndpointCounts> = BTreeMap::new();
        for family in [Family::UpstreamAttempts, Family::UpstreamConnections, Family::Ejections] {
            for sample in self.family(family) {
                let labels = reading::labels(&sample.labels);
                let label = |name: &str| {
                    let found = labels.iter().find(|(label, _)| label == name);
                    found.map(|(_, value)| value.clone()).unwrap_or_default()
                };
                let (backend, endpoint) = (label("backend"), label("endpoint"));
                let entry = all.entry((backend, endpoint)).or_default();
                let value = count(&sample);
                match (family, label("outcome").as_str(), label("state").as_str()) {
                    (Family::Ejections, ..) => entry.ejections += value,
                    (Family::UpstreamConnections, _, "active") => entry.active += value,
                    (Family::UpstreamConnections, ..) => entry.idle += value,
                    (_, "ok", _) => entry.attempts += value,
                    _ => {
                        entry.attempts += value;
                        entry.failures += value;
                    }
                }
            }
        }
        let named = all.into_iter().map(|((backend, endpoint), counts)| EndpointCounts {
            backend,
            endpoint,
            ..counts
        });
        named.collect()
    }
}

fn count(sample: &Sample) -> u64 {
    match sample.value {
        SampleValue::Count(count) => count,
        SampleValue::Level(level) => u64::try_from(level).unwrap_or(0),
        SampleValue::Seconds(_) | SampleValue::Histogram { .. } => 0,
    }
}

#[cfg(test)]
mod tests;
