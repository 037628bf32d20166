//! What a rollout is about. Whoever edits that in a plan means another rollout: what the former one
//! changed is taken back first, and it begins anew.
//!
//! This module is pure, and must not know how a state comes about.

use serde::{Deserialize, Serialize};

use super::route::Destination;
use super::state::{Ask, Intent, State};
use super::{Canary, DarkLaunch, Rollout, RolloutKind, route_kind};
use crate::config::raw::Gates;
use crate::model::ObjectKey;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// Of the route.
    pub kind: String,
    pub route: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// None where the other one gets copies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable: Option<Destination>,
    pub to: Destination,
}

impl Subject {
    pub fn of(rollout: &Rollout) -> Self {
        let (stable, to, _) = rollout.versions();
        Self {
            kind: rollout.route.kind.as_str().to_owned(),
            route: rollout.route.name.to_string(),
            rule: rollout.rule.as_deref().map(str::to_owned),
            stable: stable.cloned(),
            to: to.clone(),
        }
    }

    /// The rollout that had this, called off.
    fn called_off(&self, now: &Rollout) -> Rollout {
        let Self { kind, route, rule, stable, to } = self.clone();
        let kind = route_kind(&kind);
        Rollout {
            key: now.key.clone(),
            route: ObjectKey { kind, name: route.into(), ..now.route.clone() },
            rule: rule.map(Into::into),
            ask: Ask { intent: Intent::Aborted, ..Ask::default() },
            kind: match stable {
                Some(stable) => RolloutKind::Canary(Canary {
                    stable,
                    canary: to,
                    steps: Vec::new(),
                    interval: std::time::Duration::ZERO,
                    gates: Gates::default(),
                }),
                None => RolloutKind::DarkLaunch(DarkLaunch { to, percent: 0 }),
            },
        }
    }
}

impl State {
    /// Whether this is the answer to what is asked: nothing new is.
    pub fn answers(&self, rollout: &Rollout) -> bool {
        self.asked.as_ref() == Some(&rollout.ask) && !self.is_of_another(rollout)
    }

    fn is_of_another(&self, rollout: &Rollout) -> bool {
        self.subject.as_ref().is_some_and(|subject| *subject != Subject::of(rollout))
    }

    /// What has to be taken back before the rollout begins.
    pub fn former(&self, rollout: &Rollout) -> Option<Rollout> {
        let subject = self.subject.as_ref().filter(|_| self.holds());
        subject.filter(|_| self.is_of_another(rollout)).map(|former| former.called_off(rollout))
    }

    /// Where the rollout goes on from, or begins.
    pub(super) fn of(&self, rollout: &Rollout) -> Self {
        let subject = Some(Subject::of(rollout));
        if self.is_of_another(rollout) {
            return Self { history: self.history.clone(), subject, ..Self::default() };
        }
        Self { subject, ..self.clone() }
    }
}
