//! The weights in a route: which they are, what a percentage makes of them, and the JSON patch that
//! writes them.
//!
//! Nothing of a route changes but weights, and the backend that a canary adds. A patch tests the
//! list that it was worked out from, so it never overwrites what somebody else wrote meanwhile.
//!
//! This module is pure, and must not know steps, time or stores.

use std::collections::BTreeMap;
use std::fmt;

use json_patch::Patch;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::config::raw::Reference;
use crate::limits;

/// Where requests go: one backendRef without its weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Destination {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    pub kind: String,
    pub namespace: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

impl Destination {
    pub fn of(reference: &Reference, namespace: &str) -> Self {
        Self {
            group: reference.group.to_string(),
            kind: reference.kind.to_string(),
            namespace: reference.namespace.as_deref().unwrap_or(namespace).to_owned(),
            name: reference.name.to_string(),
            port: reference.port,
        }
    }

    /// Of a backendRef of a route in `namespace`.
    pub fn read(backend: &Value, namespace: &str) -> Self {
        let text = |name: &str| backend[name].as_str();
        Self {
            group: text("group").unwrap_or_default().to_owned(),
            kind: text("kind").unwrap_or("Service").to_owned(),
            namespace: text("namespace").unwrap_or(namespace).to_owned(),
            name: text("name").unwrap_or_default().to_owned(),
            port: backend["port"].as_u64().and_then(|port| u16::try_from(port).ok()),
        }
    }

    /// Whether a backendRef is what is meant; a port that isn't named is any.
    pub fn means(&self, other: &Self) -> bool {
        let Self { group, kind, namespace, name, port } = self;
        (group, kind, namespace, name) == (&other.group, &other.kind, &other.namespace, &other.name)
            && (port.is_none() || *port == other.port)
    }

    /// As a backendRef of a route in `namespace`, without what can be left out.
    pub fn to_json(&self, namespace: &str) -> Map<String, Value> {
        let mut fields = Map::new();
        if !self.group.is_empty() {
            fields.insert("group".to_owned(), json!(self.group));
        }
        if self.kind != "Service" {
            fields.insert("kind".to_owned(), json!(self.kind));
        }
        fields.insert("name".to_owned(), json!(self.name));
        if self.namespace != namespace {
            fields.insert("namespace".to_owned(), json!(self.namespace));
        }
        if let Some(port) = self.port {
            fields.insert("port".to_owned(), json!(port));
        }
        fields
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// A test that nothing of the route's spec was changed and changed back since it was read: a
/// cluster counts the changes. A file is read, tested and written under one lock.
pub(super) fn unchanged(route: &Value) -> Option<Value> {
    let generation = &route["metadata"]["generation"];
    let path = "/metadata/generation";
    generation.is_number().then(|| json!({"op": "test", "path": path, "value": generation}))
}

/// The weights of the rules that a rollout is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Weights(pub Vec<RuleWeights>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleWeights {
    /// Its place in the route.
    pub rule: usize,
    pub backends: Vec<Weighed>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Weighed {
    pub to: Destination,
    /// As it is written: none is 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
}

impl Weighed {
    pub fn weight(&self) -> u32 {
        self.weight.unwrap_or(1)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteError {
    /// No rule of that name.
    NoSuchRule(String),
    /// No rule sends anything to it.
    NoStable(Destination),
    /// A rule gives neither arm anything.
    NoTraffic { rule: usize },
    /// Exact weights would be too large for the API.
    TooFine { rule: usize },
    /// There is no room for one more backend.
    Full { rule: usize },
    /// What is the one version is the other, too.
    SameVersion(Destination),
    /// It isn't the route any more that the weights are of.
    Changed,
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchRule(name) => write!(f, "the route has no rule called `{name}`"),
            Self::NoStable(stable) => write!(f, "no rule of the route sends anything to {stable}"),
            Self::NoTraffic { rule } => {
                write!(f, "rule {} gives neither of the two versions any weight", rule + 1)
            }
            Self::TooFine { rule } => write!(
                f,
                "the weights of rule {} can't be split so finely: make them smaller numbers",
                rule + 1
            ),
            Self::Full { rule } => write!(
                f,
                "rule {} has {} backends, and can have no more",
                rule + 1,
                limits::BACKEND_REFS
            ),
            Self::SameVersion(version) => {
                write!(f, "{version} is both the stable version and the canary: name their ports")
            }
            Self::Changed => f.write_str("the rules of the route are not those of a moment ago"),
        }
    }
}

impl std::error::Error for RouteError {}

impl Weights {
    /// Of the rules that send something to `stable`, or of the one called `rule`.
    pub fn read(
        route: &Value,
        rule: Option<&str>,
        stable: &Destination,
    ) -> Result<Self, RouteError> {
        let namespace = route["metadata"]["namespace"].as_str().unwrap_or("default");
        let rules = route["spec"]["rules"].as_array().map(Vec::as_slice).unwrap_or_default();
        let named = |one: &Value| rule.is_none_or(|name| one["name"] == name);
        if let Some(name) = rule.filter(|_| !rules.iter().any(named)) {
            return Err(RouteError::NoSuchRule(name.to_owned()));
        }
        let mut found = Vec::new();
        for (rule, one) in rules.iter().enumerate().filter(|(_, one)| named(one)) {
            let backends = one["backendRefs"].as_array().map(Vec::as_slice).unwrap_or_default();
            let backends: Vec<_> = backends.iter().map(|one| weighed(one, namespace)).collect();
            if backends.iter().any(|backend| stable.means(&backend.to)) {
                found.push(RuleWeights { rule, backends });
            }
        }
        if found.is_empty() {
            return Err(RouteError::NoStable(stable.clone()));
        }
        Ok(Self(found))
    }

    /// Whether both send requests alike: a weight that is left out is 1.
    pub fn same(&self, other: &Self) -> bool {
        let effect = |weights: &Self| -> Vec<(usize, Vec<(Destination, u32)>)> {
            let of = |one: &RuleWeights| {
                one.backends.iter().map(|one| (one.to.clone(), one.weight())).collect()
            };
            weights.0.iter().map(|one| (one.rule, of(one))).collect()
        };
        effect(self) == effect(other)
    }

    /// Whether each rule names it.
    pub fn have(&self, to: &Destination) -> bool {
        self.0.iter().all(|rule| rule.backends.iter().any(|one| to.means(&one.to)))
    }

    /// Whether a rule sends anything to it.
    pub fn give(&self, to: &Destination) -> bool {
        let backends = self.0.iter().flat_map(|rule| &rule.backends);
        backends.into_iter().any(|one| to.means(&one.to) && one.weight() > 0)
    }

    /// Whether a rule would give the canary more than it does.
    pub fn rise_to(&self, percent: u32, stable: &Destination, canary: &Destination) -> bool {
        let rises = |(stable, canary)| canary * 100 < u64::from(percent) * (stable + canary);
        self.arms(stable, canary).any(rises)
    }

    /// What both versions get of each rule.
    fn arms(&self, stable: &Destination, canary: &Destination) -> impl Iterator<Item = (u64, u64)> {
        let of = |rule: &RuleWeights, to: &Destination| -> u64 {
            let meant = rule.backends.iter().filter(|one| to.means(&one.to));
            meant.map(|one| u64::from(one.weight())).sum()
        };
        self.0.iter().map(move |rule| (of(rule, stable), of(rule, canary)))
    }

    /// Of what both versions get, what the canary gets, in percent; of the first rule where they
    /// differ.
    pub fn percent(&self, stable: &Destination, canary: &Destination) -> u32 {
        let (stable, canary) = self.arms(stable, canary).next().unwrap_or_default();
        let whole = (stable + canary).max(1);
        u32::try_from((canary * 100 + whole / 2) / whole).unwrap_or(100)
    }

    /// The same rules with `percent` of the stable version's part for the canary. Other backends
    /// keep their shares: their weights grow with the others where it takes that to be exact.
    pub fn shifted(
        &self,
        stable: &Destination,
        canary: &Destination,
        percent: u32,
    ) -> Result<Self, RouteError> {
        if stable.means(canary) || canary.means(stable) {
            return Err(RouteError::SameVersion(stable.clone()));
        }
        self.0
            .iter()
            .map(|rule| shifted(rule, stable, canary, percent))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// These weights for the backends that `written` has, rule by rule in their order.
    pub fn in_place_of(&self, written: &Self) -> BTreeMap<usize, Vec<u32>> {
        let rules = self.0.iter().zip(&written.0);
        let of = |(to, written): (&RuleWeights, &RuleWeights)| {
            let weight = |at| to.backends.get(at).map_or(0, Weighed::weight);
            (written.rule, (0..written.backends.len()).map(weight).collect())
        };
        rules.map(of).collect()
    }

    /// Whether a route with the weights `now` can get these.
    pub fn patchable_from(&self, now: &Self, canary: &Destination) -> bool {
        let rules = now.0.iter().zip(&self.0);
        let mut ignored = Vec::new();
        now.0.len() == self.0.len()
            && rules.into_iter().all(|(now, to)| {
                now.rule == to.rule && to.patch(&now.backends, canary, "", "", &mut ignored).is_ok()
            })
    }

    /// What makes these weights of the route's. A route that has them already needs nothing; of
    /// what these don't have, `canary` alone is removed.
    pub fn patch(&self, route: &Value, canary: &Destination) -> Result<Patch, RouteError> {
        let namespace = route["metadata"]["namespace"].as_str().unwrap_or("default");
        let mut operations = Vec::new();
        for rule in &self.0 {
            let path = format!("/spec/rules/{}/backendRefs", rule.rule);
            let now = route.pointer(&path).and_then(Value::as_array).ok_or(RouteError::Changed)?;
            let before = operations.len();
            let now: Vec<_> = now.iter().map(|one| weighed(one, namespace)).collect();
            rule.patch(&now, canary, namespace, &path, &mut operations)?;
            if operations.len() > before {
                let test = json!({"op": "test", "path": path, "value": route.pointer(&path)});
                operations.insert(before, test);
            }
        }
        if !operations.is_empty() {
            // The same weights may have come back since: a leader of before would go on from there.
            operations.splice(..0, unchanged(route));
        }
        Ok(serde_json::from_value(Value::Array(operations)).expect("these are operations"))
    }
}

fn weighed(backend: &Value, namespace: &str) -> Weighed {
    let weight = backend["weight"].as_u64().and_then(|weight| u32::try_from(weight).ok());
    Weighed { to: Destination::read(backend, namespace), weight }
}

fn shifted(
    rule: &RuleWeights,
    stable: &Destination,
    canary: &Destination,
    percent: u32,
) -> Result<RuleWeights, RouteError> {
    let is_arm = |one: &Weighed| stable.means(&one.to) || canary.means(&one.to);
    let (arms, others): (Vec<_>, Vec<_>) = rule.backends.iter().partition(|one| is_arm(one));
    let sum = |all: &[&Weighed]| all.iter().map(|one| u64::from(one.weight())).sum::<u64>();
    let (part, rest) = (sum(&arms), sum(&others));
    if part == 0 && percent > 0 {
        return Err(RouteError::NoTraffic { rule: rule.rule });
    }
    // Alone, the two share 100; with others, the least factor that makes all shares whole, or none
    // where nothing is shared.
    let (part, factor) = match (rest, percent) {
        (0, _) if part > 0 => (100, 1),
        (_, 0 | 100) => (part, 1),
        _ => {
            let factor = 100 / gcd(part, 100);
            (part * factor, factor)
        }
    };
    let of_canary = part * u64::from(percent) / 100;
    let mut backends = rule.backends.clone();
    if !backends.iter().any(|one| canary.means(&one.to)) {
        if backends.len() >= limits::BACKEND_REFS {
            return Err(RouteError::Full { rule: rule.rule });
        }
        backends.push(Weighed { to: canary.clone(), weight: None });
    }
    // One that stands there twice gets its share once.
    let mut left = [part - of_canary, of_canary];
    for one in &mut backends {
        let weight = if stable.means(&one.to) {
            std::mem::take(&mut left[0])
        } else if canary.means(&one.to) {
            std::mem::take(&mut left[1])
        } else {
            if factor == 1 {
                continue;
            }
            u64::from(one.weight()) * factor
        };
        let weight = u32::try_from(weight).ok().filter(|weight| *weight <= limits::WEIGHT);
        one.weight = Some(weight.ok_or(RouteError::TooFine { rule: rule.rule })?);
    }
    Ok(RuleWeights { rule: rule.rule, backends })
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl RuleWeights {
    fn patch(
        &self,
        now: &[Weighed],
        canary: &Destination,
        namespace: &str,
        path: &str,
        operations: &mut Vec<Value>,
    ) -> Result<(), RouteError> {
        let common = now.iter().zip(&self.backends).take_while(|(a, b)| a.to == b.to).count();
        // What a canary adds stands at the end, and goes from there.
        let surplus = &now[common..];
        let ours = |one: &Weighed| canary.means(&one.to);
        if surplus.len() > 1
            || !surplus.iter().all(ours)
            || !self.backends[common..].iter().all(ours)
        {
            return Err(RouteError::Changed);
        }
        for (at, (now, wanted)) in now.iter().zip(&self.backends).enumerate() {
            let path = format!("{path}/{at}/weight");
            match (now.weight, wanted.weight) {
                _ if now.weight() == wanted.weight() => {}
                (Some(_), Some(weight)) => {
                    operations.push(json!({"op": "replace", "path": path, "value": weight}));
                }
                (None, Some(weight)) => {
                    operations.push(json!({"op": "add", "path": path, "value": weight}));
                }
                (_, None) => operations.push(json!({"op": "remove", "path": path})),
            }
        }
        for added in &self.backends[common..] {
            let mut fields = added.to.to_json(namespace);
            if let Some(weight) = added.weight {
                fields.insert("weight".to_owned(), json!(weight));
            }
            operations.push(json!({"op": "add", "path": format!("{path}/-"), "value": fields}));
        }
        if !surplus.is_empty() {
            operations.push(json!({"op": "remove", "path": format!("{path}/{common}")}));
        }
        Ok(())
    }
}

#[cfg(test)]
pub(in crate::rollout) mod tests;
