//! Rollouts: how far each is, as whoever drives it wrote it down, and what the route says now. What
//! goes on this second, `canary status` tells.

use meshctl::config::raw::Spec;
use meshctl::model::{Filter, ObjectKey, Part, PartKey, Rule};
use meshctl::rollout::route::Destination;
use meshctl::rollout::{Rollout, RolloutKind};
use serde::Serialize;

use super::{Listed, Named, listed};
use crate::lowered::Lowered;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    #[serde(flatten)]
    named: Named,
    /// `canary` or `dark launch`
    does: &'static str,
    route: String,
    /// The version that is new.
    to: String,
    /// What somebody wants of it: `Running`, `Paused`.
    wanted: &'static str,
    phase: &'static str,
    /// From 1; 0 where the weight is that of no step.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<usize>,
    /// Percent that the new version was given last.
    asked: u32,
    /// Percent of the requests that it answered, when that was looked at last.
    #[serde(skip_serializing_if = "Option::is_none")]
    measured: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<String>,
    message: String,
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
    let (does, to, steps) = match &rollout.kind {
        RolloutKind::Canary(canary) => ("canary", &canary.canary, Some(canary.steps.len())),
        RolloutKind::DarkLaunch(dark) => ("dark launch", &dark.to, None),
    };
    let (state, view) = lowered.progress(&rollout.key);
    let view = view.unwrap_or_default();
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
        wanted: rollout.ask.intent.as_str(),
        phase: state.phase.as_str(),
        step: steps.map(|_| state.step),
        steps,
        asked: state.weight,
        measured: view.measured,
        verdict: view.verdict,
        message: state.message,
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

impl Row {
    /// `3/4`, or `-` between steps.
    fn step(&self) -> String {
        match (self.step, self.steps) {
            (Some(step), Some(steps)) if step > 0 => format!("{step}/{steps}"),
            _ => "-".to_owned(),
        }
    }
}

impl Listed for Row {
    const HEADINGS: &'static [&'static str] =
        &["DOES", "PHASE", "STEP", "ASKED", "MEASURED", "VERDICT", "ROUTE", "TO"];
    const MORE: &'static [&'static str] = &["WANTED", "ROUTE SAYS", "MESSAGE"];

    fn name(&self) -> &Named {
        &self.named
    }

    fn cells(&self) -> Vec<String> {
        let measured = self.measured.map_or("-".to_owned(), |percent| format!("{percent}%"));
        vec![
            self.does.to_owned(),
            self.phase.to_owned(),
            self.step(),
            format!("{}%", self.asked),
            measured,
            self.verdict.clone().unwrap_or_else(|| "-".to_owned()),
            self.route.clone(),
            self.to.clone(),
        ]
    }

    fn more(&self) -> Vec<String> {
        let now = self.percent.map_or("-".to_owned(), |percent| format!("{percent}%"));
        vec![
            self.wanted.to_owned(),
            now,
            listed(Some(&self.message).filter(|words| !words.is_empty())),
        ]
    }
}
