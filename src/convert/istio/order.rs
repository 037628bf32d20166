//! Istio takes the first rule that matches, the Gateway API the most specific one. Where that is
//! not the same, the earlier rule is given matches that win: what both rules match, said as
//! precisely as the later one says it.
//!
//! This module must not know what rules do.

use std::cmp::{Ordering, Reverse};

use serde_json::{Value, json};

use crate::limits;

#[cfg(test)]
mod tests;

/// One match of a rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Match {
    /// (type, value) as in an HTTPRoute; `None` is every path.
    pub(super) path: Option<(&'static str, String)>,
    pub(super) method: Option<String>,
    /// (type, name, value)
    pub(super) headers: Vec<Condition>,
    pub(super) query: Vec<Condition>,
}

pub(super) type Condition = (&'static str, String, String);

impl Match {
    pub(super) fn json(&self) -> Value {
        let mut object = json!({});
        // A match without any condition is written as what it is.
        if self.path.is_some() || *self == Self::default() {
            let (kind, value) = self.path();
            object["path"] = json!({"type": kind, "value": value});
        }
        if let Some(method) = &self.method {
            object["method"] = method.as_str().into();
        }
        for (field, conditions) in [("headers", &self.headers), ("queryParams", &self.query)] {
            if !conditions.is_empty() {
                let of = |(kind, name, value): &Condition| json!({"type": kind, "name": name, "value": value});
                object[field] = conditions.iter().map(of).collect();
            }
        }
        object
    }

    fn path(&self) -> (&'static str, &str) {
        self.path.as_ref().map_or(("PathPrefix", "/"), |(kind, value)| (kind, value))
    }

    /// As the Gateway API ranks matches: the greater one wins.
    fn specificity(&self) -> (Reverse<u8>, usize, bool, usize, usize) {
        let (kind, value) = self.path();
        let (rank, length) = match kind {
            "Exact" => (0, 0),
            "RegularExpression" => (1, 0),
            _ => (2, value.trim_end_matches('/').len()),
        };
        (Reverse(rank), length, self.method.is_some(), self.headers.len(), self.query.len())
    }

    /// What both match: `Err` where nothing is, `Ok(None)` where it can't be said.
    fn both(&self, other: &Self) -> Result<Option<Self>, Nothing> {
        let path = both_paths(self.path(), other.path())?;
        let method = match (&self.method, &other.method) {
            (Some(one), Some(two)) if one != two => return Err(Nothing),
            (one, two) => one.clone().or_else(|| two.clone()),
        };
        let headers = both_conditions(&self.headers, &other.headers, str::eq_ignore_ascii_case)?;
        let query = both_conditions(&self.query, &other.query, |one, two| one == two)?;
        let said =
            |((path, headers), query): ((Option<_>, _), _)| Self { path, method, headers, query };
        Ok(path.zip(headers).zip(query).map(|((path, headers), query)| {
            let everything = path == ("PathPrefix", "/".to_owned());
            said(((Some(path).filter(|_| !everything), headers), query))
        }))
    }
}

/// No request matches both.
#[derive(Debug, PartialEq)]
struct Nothing;

type Path = (&'static str, String);

fn both_paths(
    one: (&'static str, &str),
    two: (&'static str, &str),
) -> Result<Option<Path>, Nothing> {
    let owned = |(kind, value): (&'static str, &str)| Ok(Some((kind, value.to_owned())));
    match (one, two) {
        _ if one == two => owned(one),
        // Below `/` is everything.
        (("PathPrefix", "/"), other) | (other, ("PathPrefix", "/")) => owned(other),
        (("RegularExpression", _), _) | (_, ("RegularExpression", _)) => Ok(None),
        (("Exact", _), ("Exact", _)) => Err(Nothing),
        (("PathPrefix", prefix), other) if holds(prefix, other.1) => owned(other),
        (other, ("PathPrefix", prefix)) if holds(prefix, other.1) => owned(other),
        _ => Err(Nothing),
    }
}

/// Segment by segment.
fn holds(prefix: &str, path: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn both_conditions(
    one: &[Condition],
    two: &[Condition],
    same_name: impl Fn(&str, &str) -> bool,
) -> Result<Option<Vec<Condition>>, Nothing> {
    let mut both = one.to_vec();
    let mut said = true;
    for condition in two {
        match both.iter().find(|other| same_name(&other.1, &condition.1)) {
            None => both.push(condition.clone()),
            Some(other) if other == condition => {}
            Some(other) if other.0 == "Exact" && condition.0 == "Exact" => return Err(Nothing),
            // Two expressions about one header: a match has room for one.
            Some(_) => said = false,
        }
    }
    Ok(said.then_some(both))
}

/// A rule as far as its order goes.
#[derive(Debug)]
pub(super) struct Ranked {
    pub(super) matches: Vec<Match>,
    /// Whether it does the same with a longer prefix: a rewrite of the prefix doesn't.
    pub(super) may_grow: bool,
}

/// What had to be done.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Outcome {
    /// Rules that were given matches.
    pub(super) grown: Vec<usize>,
    /// (earlier rule, later rule that wins all the same)
    pub(super) wrong: Vec<(usize, usize)>,
    /// There were too many matches to compare.
    pub(super) unknown: bool,
}

/// Gives earlier rules the matches that they need to win as they did.
pub(super) fn keep(rules: &mut [Ranked]) -> Outcome {
    let mut outcome = Outcome::default();
    // Each round compares all pairs; what it adds is compared in the next.
    for _ in 0..rules.len() + 1 {
        let count: usize = rules.iter().map(|rule| rule.matches.len()).sum();
        if count > limits::CONVERT_MATCHES {
            outcome.unknown = true;
            return outcome;
        }
        let mut more = false;
        outcome.wrong.clear();
        for later in 1..rules.len() {
            for earlier in 0..later {
                let (before, after) = rules.split_at_mut(later);
                let said: Vec<Match> =
                    before.iter().flat_map(|rule| rule.matches.clone()).collect();
                let (added, told) = settle(&mut before[earlier], &after[0], &said);
                more |= added;
                if added && !outcome.grown.contains(&earlier) {
                    outcome.grown.push(earlier);
                }
                if told {
                    outcome.wrong.push((earlier, later));
                }
            }
        }
        if !more {
            return outcome;
        }
    }
    outcome
}

/// Whether the earlier rule was given a match, and whether the later one wins all the same.
fn settle(earlier: &mut Ranked, later: &Ranked, said_before: &[Match]) -> (bool, bool) {
    let mut added = Vec::new();
    let mut wrong = false;
    // What an earlier rule says word for word never comes to the later one.
    for two in later.matches.iter().filter(|two| !said_before.contains(two)) {
        for one in &earlier.matches {
            if one.specificity().cmp(&two.specificity()) != Ordering::Less {
                continue;
            }
            match one.both(two) {
                Err(Nothing) => {}
                Ok(Some(both)) if earlier.may_grow && both.specificity() >= two.specificity() => {
                    if !earlier.matches.contains(&both) && !added.contains(&both) {
                        added.push(both);
                    }
                }
                Ok(_) => wrong = true,
            }
        }
    }
    let any = !added.is_empty();
    earlier.matches.extend(added);
    (any, wrong)
}
