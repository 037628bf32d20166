//! What the status of an object in a cluster says: typed, and as the API spells it.
//!
//! When a condition changed is not known here: who writes it merges it with what is there.
//!
//! This module must not know how a status is found out.

mod reasons;
mod render;
#[cfg(test)]
mod tests;

use crate::model::Name;

pub use reasons::*;

/// The conditions of one object; what stands beside them depends on its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    GatewayClass(ClassStatus),
    Gateway(GatewayStatus),
    ListenerSet(ListenerSetStatus),
    /// HTTPRoute, GRPCRoute.
    Route(RouteStatus),
    /// BackendTLSPolicy, TrafficPolicy.
    Policy(PolicyStatus),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `type`
    pub kind: &'static str,
    pub status: Truth,
    pub reason: &'static str,
    pub message: String,
    pub observed_generation: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    True,
    False,
    Unknown,
}

impl Truth {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// Why something isn't as it was asked for, in one word of the API and in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub reason: &'static str,
    pub message: String,
}

impl Refusal {
    pub fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassStatus {
    pub conditions: Vec<Condition>,
    /// Ascending, as the API wants it.
    pub supported_features: &'static [&'static str],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayStatus {
    pub conditions: Vec<Condition>,
    pub listeners: Vec<ListenerStatus>,
    /// ListenerSets that are accepted.
    pub attached_listener_sets: u32,
    /// (type, value)
    pub addresses: Vec<(Name, Name)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerSetStatus {
    pub conditions: Vec<Condition>,
    pub listeners: Vec<ListenerStatus>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerStatus {
    pub name: Name,
    /// `kind`s of the Gateway API's group.
    pub supported_kinds: Vec<&'static str>,
    pub attached_routes: u32,
    pub conditions: Vec<Condition>,
}

/// One entry for each parentRef that leads to a Gateway of ours; none is "nothing of ours".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteStatus {
    pub parents: Vec<RefStatus>,
}

/// One entry for each ancestor that is ours; none is "nothing of ours".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyStatus {
    pub ancestors: Vec<RefStatus>,
}

/// What holds towards another object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefStatus {
    pub reference: ObjectRef,
    pub conditions: Vec<Condition>,
}

/// A `parentRef` as it is written, its defaults filled in; or an `ancestorRef`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectRef {
    pub group: Name,
    pub kind: Name,
    pub namespace: Option<Name>,
    pub name: Name,
    pub section_name: Option<Name>,
    pub port: Option<u16>,
}

/// What lowering can't know of a Gateway: how its proxies are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// (type, value), as `status.addresses` has them.
    pub addresses: Vec<(Name, Name)>,
    /// Whether its proxies run and serve what was asked; else why not.
    pub ready: Result<(), Refusal>,
    /// Why a proxy refused what it was sent.
    pub nacked: Option<String>,
}
