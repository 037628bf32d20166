//! How far a rollout is: what survives the process that drives it.
//!
//! The same JSON is a file under `.meshctl/state` and the status of a TrafficRollout.
//!
//! This module must not know how a state comes about.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::route::Weights;
use super::subject::Subject;
use crate::limits;

/// What somebody wants of a rollout, by its spec.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ask {
    pub intent: Intent,
    /// Percent, set by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
    /// Until when that holds; then the weights of before hold again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// When a command said so: the same word again is a new ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Intent {
    #[default]
    Running,
    Paused,
    Promoted,
    Aborted,
}

impl Intent {
    /// What the decoder lets through; anything else rests.
    pub fn of(word: &str) -> Self {
        match word {
            "Running" => Self::Running,
            "Promoted" => Self::Promoted,
            "Aborted" => Self::Aborted,
            _ => Self::Paused,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Paused => "Paused",
            Self::Promoted => "Promoted",
            Self::Aborted => "Aborted",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Nothing was done yet.
    #[default]
    Pending,
    /// Step by step.
    Progressing,
    /// Rests at its weight, until somebody says `resume`.
    Paused,
    /// The canary has everything.
    Promoted,
    /// Somebody took it back.
    Aborted,
    /// A gate took it back.
    RolledBack,
}

impl Phase {
    /// Nothing follows by itself.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Promoted | Self::Aborted | Self::RolledBack)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Progressing => "Progressing",
            Self::Paused => "Paused",
            Self::Promoted => "Promoted",
            Self::Aborted => "Aborted",
            Self::RolledBack => "RolledBack",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    pub phase: Phase,
    /// Percent that the canary was last given.
    pub weight: u32,
    /// Which of the steps that is, from 1; 0 where it is none of them.
    pub step: u32,
    /// Since when all proxies serve that. None while some don't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Why it is where it is, as a sentence.
    pub message: String,
    /// What all of this is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// What the last turn answered to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<Ask>,
    /// The route as it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original: Option<Weights>,
    /// The route as it was left last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written: Option<Weights>,
    /// What it was before that, until it was seen to be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Weights>,
    /// What the weights go back to by themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returns: Option<Return>,
    /// The oldest first.
    #[serde(skip_serializing_if = "VecDeque::is_empty")]
    pub history: VecDeque<Event>,
}

/// A weight that was set for a time ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Return {
    pub at: Timestamp,
    /// The route as it was before.
    pub to: Weights,
}

/// One change of weight or phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    pub at: Timestamp,
    pub phase: Phase,
    pub from: u32,
    pub to: u32,
    pub why: String,
    /// Somebody else edited the route.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
}

impl State {
    /// Whether it has a part in its route: from the first look at it until what ended it is written.
    pub fn holds(&self) -> bool {
        let begun = self.asked.is_some() || self.original.is_some();
        begun && (!self.phase.is_over() || self.before.is_some())
    }

    pub(super) fn turn_dark(&mut self, at: Timestamp, phase: Phase, percent: u32, why: &str) {
        let from = std::mem::replace(&mut self.weight, percent);
        (self.phase, self.since) = (phase, None);
        why.clone_into(&mut self.message);
        self.record(at, from, why);
    }

    /// What was recorded last was somebody else's doing.
    pub(super) fn blame_somebody_else(&mut self) {
        if let Some(event) = self.history.back_mut() {
            event.by_hand = true;
        }
    }

    pub(super) fn record(&mut self, at: Timestamp, from: u32, why: &str) {
        let (phase, to, why) = (self.phase, self.weight, why.to_owned());
        let event = Event { at, phase, from, to, why, by_hand: false };
        while self.history.len() >= limits::ROLLOUT_HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(event);
    }
}
