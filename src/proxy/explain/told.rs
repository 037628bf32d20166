//! A story as it travels: in words, for people and for `-o json`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Asked, Refusal, Story, is_tls, words};
use crate::model::{Cause, Filter, Listener, Part, Rule, WeightedBackend};
use crate::proxy::control::describe;
use crate::snapshot::{Found, Near, Snapshot};

/// The whole story.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// `GET https://shop.example/cart`
    pub request: String,
    pub outcome: Outcome,
    /// Listeners, the one that takes the request first.
    pub listeners: Vec<Entrance>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,
    /// Other matches, the nearest first.
    pub others: Vec<Other>,
}

/// What the client gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "is")]
pub enum Outcome {
    /// Nothing: no listener is on the port.
    Unheard { port: u16 },
    /// A backend's answer, if it gives one.
    Forwarded,
    /// A filter's.
    Redirected { status: u16 },
    /// Our own: why, as a word and as a sentence.
    Refused { cause: String, status: u16, reason: String },
}

/// A listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entrance {
    pub listener: String,
    pub port: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    pub tls: bool,
    /// Why it isn't the one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
}

/// The rule that takes the request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    pub route: String,
    pub rule: String,
    /// Which of the rule's matches, from 0.
    pub position: usize,
    #[serde(rename = "match")]
    pub matched: String,
    pub filters: Vec<String>,
    pub policy: Vec<String>,
    pub backends: Vec<Backend>,
    /// All of it, as `meshctl proxy config` shows it.
    pub part: Value,
}

/// Where it goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Backend {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    pub weight: u32,
    /// Of all requests to the rule.
    pub percent: f64,
    pub endpoints: Vec<String>,
    /// Why its share is answered by the proxy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    pub filters: Vec<String>,
    pub policy: Vec<String>,
}

/// A match that isn't the one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Other {
    pub route: String,
    pub rule: String,
    pub position: usize,
    #[serde(rename = "match")]
    pub matched: String,
    pub why_not: Vec<String>,
}

impl Story<'_> {
    /// The story in words. `most` of the other matches are told.
    pub fn tell(&self, asked: &Asked, snapshot: &Snapshot, most: usize) -> Told {
        let mut listeners: Vec<Entrance> = self
            .listeners
            .iter()
            .map(|(listener, why)| {
                entrance(listener, why.map(|why| words::not_here(why, listener)))
            })
            .collect();
        listeners.sort_by_key(|entrance| entrance.why_not.is_some());
        let outcome = match &self.answer {
            None => Outcome::Unheard { port: asked.port },
            Some(Ok(found)) => outcome(&found.rule.rule, snapshot),
            Some(Err(Refusal { cause, reason })) => refused(*cause, reason),
        };
        let found = self.answer.as_ref().and_then(|answer| answer.as_ref().ok());
        Told {
            request: format!("{} {}", asked.method, asked.url),
            outcome,
            listeners,
            route: found.map(|found| route(*found, snapshot)),
            others: self.near.iter().take(most).map(other).collect(),
        }
    }
}

fn entrance(listener: &Listener, why_not: Option<String>) -> Entrance {
    Entrance {
        listener: listener.key.to_string(),
        port: words::port(listener),
        hostname: listener.hostname.as_ref().map(ToString::to_string),
        tls: is_tls(listener),
        why_not,
    }
}

/// What the rule makes of it: a filter's answer, else a backend's.
fn outcome(rule: &Rule, snapshot: &Snapshot) -> Outcome {
    for filter in &rule.filters {
        match filter {
            Filter::Redirect(redirect) => return Outcome::Redirected { status: redirect.status },
            Filter::Refuse(cause) => return refused(*cause, cause.summary()),
            _ => {}
        }
    }
    let weighed: Vec<&WeightedBackend> =
        rule.backends.iter().filter(|backend| backend.weight > 0).collect();
    let causes: Vec<Option<Cause>> = weighed.iter().map(|one| trouble(one, snapshot)).collect();
    match causes.first() {
        None => refused(Cause::NoBackend, Cause::NoBackend.summary()),
        Some(Some(cause)) if causes.iter().all(Option::is_some) => refused(*cause, cause.summary()),
        Some(_) => Outcome::Forwarded,
    }
}

fn refused(cause: Cause, reason: &str) -> Outcome {
    let (cause, status) = (cause.word().to_owned(), cause.status());
    Outcome::Refused { cause, status, reason: reason.to_owned() }
}

/// Why a backend's share is answered by the proxy, as far as a configuration says.
fn trouble(weighted: &WeightedBackend, snapshot: &Snapshot) -> Option<Cause> {
    let refusing = weighted.filters.iter().find_map(|filter| match filter {
        Filter::Refuse(cause) => Some(*cause),
        _ => None,
    });
    let key = match &weighted.backend {
        Ok(key) => key,
        Err(cause) => return refusing.or(Some(*cause)),
    };
    let entry = snapshot.backend_slot(key).and_then(|slot| snapshot.backend(slot));
    let Some(entry) = entry else { return refusing.or(Some(Cause::BackendNotFound)) };
    let tls = entry.backend.tls.as_ref().err().copied();
    let empty = match &entry.endpoints {
        None => Some(Cause::NoEndpoint),
        Some(set) if set.endpoints.is_empty() => Some(set.empty.unwrap_or(Cause::NoEndpoint)),
        Some(_) => None,
    };
    refusing.or(tls).or(empty)
}

fn route(Found { rule, matched }: Found<'_>, snapshot: &Snapshot) -> Route {
    let rule = &rule.rule;
    let sum: u64 = rule.backends.iter().map(|backend| u64::from(backend.weight)).sum();
    Route {
        route: rule.route().to_string(),
        rule: rule.key.section.to_string(),
        position: matched,
        matched: words::match_of(&rule.matches[matched]),
        filters: rule.filters.iter().flat_map(words::filter).collect(),
        policy: words::policy_of_rule(rule),
        backends: rule.backends.iter().map(|one| backend(one, sum, snapshot)).collect(),
        part: describe(&Part::Rule(rule.clone())),
    }
}

fn backend(weighted: &WeightedBackend, sum: u64, snapshot: &Snapshot) -> Backend {
    let key = weighted.backend.as_ref().ok();
    let entry =
        key.and_then(|key| snapshot.backend_slot(key)).and_then(|slot| snapshot.backend(slot));
    let endpoints = entry.and_then(|entry| entry.endpoints.as_ref());
    let endpoints = endpoints.into_iter().flat_map(|set| &set.endpoints);
    let share = 100.0 * f64::from(weighted.weight) / (sum.max(1) as f64);
    Backend {
        backend: key.map(ToString::to_string),
        weight: weighted.weight,
        percent: (share * 100.0).round() / 100.0,
        endpoints: endpoints.map(|endpoint| endpoint.address.to_string()).collect(),
        cause: trouble(weighted, snapshot).map(|cause| cause.word().to_owned()),
        filters: weighted.filters.iter().flat_map(words::filter).collect(),
        policy: entry.map(|entry| words::policy(&entry.backend.policy)).unwrap_or_default(),
    }
}

fn other(near: &Near<'_>) -> Other {
    let rule = &near.rule.rule;
    Other {
        route: rule.route().to_string(),
        rule: rule.key.section.to_string(),
        position: near.matched,
        matched: words::match_of(&rule.matches[near.matched]),
        why_not: words::misses(near),
    }
}
