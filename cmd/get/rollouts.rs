//! Rollouts: what they ask for, and what the route says now. How far one is, `canary status` tells.

use meshctl::config::raw::Spec;
use meshctl::model::{Filter, ObjectKey, Part, PartKey, Rule};
use meshctl::rollout::route::Destination;
use meshctl::rollout::{Rollout, RolloutKind};
use serde::Serialize;

use super::{Listed, Named};
use crate::lowered::Lowered;

#[derive(Serialize)]
pub struct Row {
    #[serde(flatten)]
    named: Named,
    /// `canary` or `dark launch`
    does: &'static str,
    route: String,
    /// The version that is new.
    to: String,
    asked: &'static str,
    /// Of the requests, or copies of them, that go there by the route.
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<u64>,
}

pub fn of(lowered: &Lowered) -> Vec<Row> {
    let rollouts = lowered.index.objects().filter_map(|object| match &object.spec {
        Spec::TrafficRollout(spec) => Some(Rollout::new(&object.key, &object.meta, spec)),
        _ => None,
    });
    rollouts.map(|rollout| row(&rollout, lowered)).collect()
}

fn row(rollout: &Rollout, lowered: &Lowered) -> Row {
    let (does, to) = match &rollout.kind {
        RolloutKind::Canary(canary) => ("canary", &canary.canary),
        RolloutKind::DarkLaunch(dark) => ("dark launch", &dark.to),
    };
    let rules = lowered.parts.iter().filter_map(|part| match part {
        Part::Rule(rule) if is_meant(rule.route(), &rollout.route) => Some(&**rule),
        _ => None,
    });
    let mut shares = rules.filter_map(|rule| match rollout.kind {
        RolloutKind::Canary(_) => weight(rule, to),
        RolloutKind::DarkLaunch(_) => copies(rule, to),
    });
    Row {
        named: Named::new(&rollout.key, lowered),
        does,
        route: rollout.route.name.to_string(),
        to: to.name.clone(),
        asked: rollout.ask.intent.as_str(),
        percent: shares.next(),
    }
}

fn is_meant(route: &ObjectKey, wanted: &ObjectKey) -> bool {
    (route.kind, &route.namespace, &route.name) == (wanted.kind, &wanted.namespace, &wanted.name)
}

fn leads(key: &PartKey, to: &Destination) -> bool {
    let object = &key.object;
    object.kind.as_str() == to.kind
        && *object.namespace == *to.namespace
        && *object.name == *to.name
}

fn weight(rule: &Rule, to: &Destination) -> Option<u64> {
    let sum: u64 = rule.backends.iter().map(|one| u64::from(one.weight)).sum();
    let mut found = rule.backends.iter();
    let found = found.find(|one| one.backend.as_ref().is_ok_and(|key| leads(key, to)))?;
    (sum > 0).then(|| 100 * u64::from(found.weight) / sum)
}

fn copies(rule: &Rule, to: &Destination) -> Option<u64> {
    rule.filters.iter().find_map(|filter| match filter {
        Filter::Mirror(mirror) if mirror.backend.as_ref().is_ok_and(|key| leads(key, to)) => {
            let fraction = &mirror.fraction;
            let whole = u64::from(fraction.denominator.max(1));
            Some(100 * u64::from(fraction.numerator) / whole)
        }
        _ => None,
    })
}

impl Listed for Row {
    const HEADINGS: &'static [&'static str] = &["DOES", "ROUTE", "TO", "ASKED", "NOW"];
    const MORE: &'static [&'static str] = &[];

    fn name(&self) -> &Named {
        &self.named
    }

    fn cells(&self) -> Vec<String> {
        let now = self.percent.map_or("-".to_owned(), |percent| format!("{percent}%"));
        let texts = [self.does, &self.route, &self.to, self.asked];
        texts.into_iter().map(str::to_owned).chain([now]).collect()
    }

    fn more(&self) -> Vec<String> {
        Vec::new()
    }
}
