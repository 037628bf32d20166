//! Routes: where they are attached, and where they lead.

use std::collections::{BTreeMap, BTreeSet};

use meshctl::config::raw::Spec;
use meshctl::model::{ObjectKey, Part, Rule, WeightedBackend};
use serde::Serialize;

use super::{Listed, Named, listed};
use crate::lowered::Lowered;

#[derive(Serialize)]
pub struct Row {
    #[serde(flatten)]
    named: Named,
    hostnames: Vec<String>,
    /// `GATEWAY#LISTENER`
    listeners: BTreeSet<String>,
    rules: Vec<One>,
}

#[derive(Serialize)]
struct One {
    rule: String,
    matches: usize,
    filters: usize,
    backends: Vec<Backend>,
}

#[derive(Serialize)]
struct Backend {
    #[serde(skip_serializing_if = "Option::is_none")]
    backend: Option<String>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    weight: u32,
}

pub fn of(lowered: &Lowered) -> Vec<Row> {
    let mut rules: BTreeMap<&ObjectKey, Vec<&Rule>> = BTreeMap::new();
    for part in &lowered.parts {
        if let Part::Rule(rule) = part {
            rules.entry(rule.route()).or_default().push(rule);
        }
    }
    let routes = lowered.index.objects().filter_map(|object| match &object.spec {
        Spec::HttpRoute(route) => Some((&object.key, &route.hostnames)),
        Spec::GrpcRoute(route) => Some((&object.key, &route.hostnames)),
        _ => None,
    });
    routes
        .map(|(key, hostnames)| {
            let mut rules = rules.remove(key).unwrap_or_default();
            rules.sort_by_key(|rule| rule.order.rule);
            let attachments = rules.iter().flat_map(|rule| &rule.attachments);
            Row {
                named: Named::new(key, lowered),
                hostnames: hostnames.iter().map(|hostname| hostname.value.to_string()).collect(),
                listeners: attachments
                    .map(|on| format!("{}#{}", on.listener.object.name, on.listener.section))
                    .collect(),
                rules: rules.into_iter().map(one).collect(),
            }
        })
        .collect()
}

fn one(rule: &Rule) -> One {
    One {
        rule: rule.key.section.to_string(),
        matches: rule.matches.len(),
        filters: rule.filters.len(),
        backends: rule.backends.iter().map(backend).collect(),
    }
}

fn backend(weighted: &WeightedBackend) -> Backend {
    Backend {
        backend: weighted.backend.as_ref().ok().map(|key| key.object.name.to_string()),
        cause: weighted.backend.as_ref().err().map(|cause| cause.word()),
        weight: weighted.weight,
    }
}

impl One {
    /// `shop-v1 90%, shop-v2 10%`; a backend that is alone has no share.
    fn words(&self) -> String {
        let sum: u64 = self.backends.iter().map(|one| u64::from(one.weight)).sum();
        let name = |one: &Backend| match (&one.backend, one.cause) {
            (Some(name), _) => name.clone(),
            (None, cause) => cause.unwrap_or("-").to_owned(),
        };
        match self.backends.as_slice() {
            [] => "-".to_owned(),
            [only] => name(only),
            several => {
                let share = |one: &Backend| 100 * u64::from(one.weight) / sum.max(1);
                listed(several.iter().map(|one| format!("{} {}%", name(one), share(one))))
            }
        }
    }
}

impl Listed for Row {
    const HEADINGS: &'static [&'static str] = &["HOSTNAMES", "LISTENERS", "RULES", "BACKENDS"];
    const MORE: &'static [&'static str] = &["KIND", "MATCHES", "FILTERS"];

    fn name(&self) -> &Named {
        &self.named
    }

    fn cells(&self) -> Vec<String> {
        let mut ways: Vec<String> = Vec::new();
        for words in self.rules.iter().map(One::words) {
            if !ways.contains(&words) {
                ways.push(words);
            }
        }
        let hostnames =
            if self.hostnames.is_empty() { vec!["*".to_owned()] } else { self.hostnames.clone() };
        vec![
            listed(hostnames),
            listed(&self.listeners),
            self.rules.len().to_string(),
            if ways.is_empty() { "-".to_owned() } else { ways.join("; ") },
        ]
    }

    fn more(&self) -> Vec<String> {
        let sum = |of: fn(&One) -> usize| self.rules.iter().map(of).sum::<usize>().to_string();
        vec![self.named.kind.to_owned(), sum(|one| one.matches), sum(|one| one.filters)]
    }
}
