//! Rollouts: what a TrafficRollout asks for, and how a route gets there.
//!
//! ```text
//! ask (spec) ─┐
//! state ──────┼→ plan ─→ state, weights ─→ the route (through the Store)
//! sight ──────┘   └ judge
//! ```
//!
//! [`turn`] goes this way once; whoever runs rollouts calls it again and again, and brings the
//! [`turn::World`] in which it looks and keeps its state. [`judge`], [`plan`], [`route`],
//! [`mirror`], [`arms`] and [`others`] are pure: time, counts and the route are arguments. All of it
//! runs alike in a command over a directory and in the controller of a cluster.
//!
//! This module must not know who watches, nor how an answer is shown.

pub mod annotation;
pub mod arms;
pub mod ask;
pub mod directory;
pub mod judge;
pub mod mirror;
pub mod others;
pub mod plan;
pub mod route;
pub mod state;
pub mod subject;
pub mod turn;
pub mod view;

use std::sync::Arc;

use jiff::Timestamp;

use crate::config::raw::{self, Release, TrafficRollout};
use crate::limits;
use crate::model::{Kind, Name, ObjectKey};
use crate::names::{ANNOTATION_ASKED, GROUP_GATEWAY_API};
use route::Destination;
use state::{Ask, Intent};

/// A rollout as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    pub key: ObjectKey,
    /// The route.
    pub route: ObjectKey,
    /// The name of the only rule that is meant.
    pub rule: Option<Name>,
    pub ask: Ask,
    pub kind: RolloutKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RolloutKind {
    Canary(Canary),
    DarkLaunch(DarkLaunch),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    pub stable: Destination,
    pub canary: Destination,
    /// Percent, rising; the whole follows the last.
    pub steps: Vec<u32>,
    pub interval: std::time::Duration,
    pub gates: raw::Gates,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DarkLaunch {
    pub to: Destination,
    pub percent: u32,
}

/// The decoder lets no other word through.
fn route_kind(word: &str) -> Kind {
    if word == Kind::GrpcRoute.as_str() { Kind::GrpcRoute } else { Kind::HttpRoute }
}

impl Rollout {
    pub fn new(key: &ObjectKey, meta: &raw::Meta, spec: &TrafficRollout) -> Self {
        let TrafficRollout { target, release, state, weight, until } = spec;
        let kind = route_kind(&target.kind);
        debug_assert_eq!(&*target.group, GROUP_GATEWAY_API, "the decoder refuses others");
        let to = |reference| Destination::of(reference, &key.namespace);
        let kind_of_rollout = match release {
            Release::Canary(raw::Canary { stable, canary, steps, interval, gates }) => {
                RolloutKind::Canary(Canary {
                    stable: to(stable),
                    canary: to(canary),
                    steps: steps.iter().map(|step| step.value).collect(),
                    interval: *interval,
                    gates: *gates,
                })
            }
            Release::DarkLaunch(raw::DarkLaunch { to: copy, percent }) => {
                RolloutKind::DarkLaunch(DarkLaunch { to: to(copy), percent: percent.value })
            }
        };
        let asked_at = meta.annotations.get(ANNOTATION_ASKED);
        Self {
            key: key.clone(),
            route: ObjectKey { kind, name: Arc::clone(&target.name), ..key.clone() },
            rule: target.section_name.clone(),
            ask: Ask {
                intent: Intent::of(&state.value),
                weight: weight.as_ref().map(|at| at.value),
                until: until.and_then(|until| Timestamp::from_second(until).ok()),
                at: asked_at.map(|at| at.chars().take(limits::ROLLOUT_ASKED).collect()),
            },
            kind: kind_of_rollout,
        }
    }

    /// What it is about: the stable version, where there is one, the other one, and whether that
    /// gets copies alone.
    pub fn versions(&self) -> (Option<&Destination>, &Destination, bool) {
        match &self.kind {
            RolloutKind::Canary(Canary { stable, canary, .. }) => (Some(stable), canary, false),
            RolloutKind::DarkLaunch(DarkLaunch { to, .. }) => (None, to, true),
        }
    }
}
