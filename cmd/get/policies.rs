//! Policies: what they are attached to.

use meshctl::config::raw::{Reference, Spec};
use serde::Serialize;

use super::{Listed, Named, listed};
use crate::lowered::Lowered;

#[derive(Serialize)]
pub struct Row {
    #[serde(flatten)]
    named: Named,
    /// `KIND NAME`
    targets: Vec<String>,
}

pub fn of(lowered: &Lowered) -> Vec<Row> {
    let policies = lowered.index.objects().filter_map(|object| match &object.spec {
        Spec::TrafficPolicy(policy) => Some((&object.key, &policy.targets)),
        Spec::BackendTlsPolicy(policy) => Some((&object.key, &policy.targets)),
        _ => None,
    });
    policies
        .map(|(key, targets)| Row {
            named: Named::new(key, lowered),
            targets: targets.iter().map(target).collect(),
        })
        .collect()
}

fn target(reference: &Reference) -> String {
    let Reference { kind, name, section_name, .. } = reference;
    match section_name {
        Some(section) => format!("{kind} {name}#{section}"),
        None => format!("{kind} {name}"),
    }
}

impl Listed for Row {
    const HEADINGS: &'static [&'static str] = &["KIND", "TARGETS"];
    const MORE: &'static [&'static str] = &["MESSAGES"];

    fn name(&self) -> &Named {
        &self.named
    }

    fn cells(&self) -> Vec<String> {
        vec![self.named.kind.to_owned(), listed(&self.targets)]
    }

    fn more(&self) -> Vec<String> {
        vec![listed(self.named.problems.iter().map(|one| &one.message))]
    }
}
