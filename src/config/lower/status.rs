//! What a cluster is told about its objects. A status is a pure function of what the other units
//! said, of the proxies' own word (facts), and of nothing else: a changed fact runs the units that
//! asked for it.

mod class;
mod gateway;
mod listener;
mod policy;
mod route;
mod users;

pub(super) use self::users::Users;

use super::unit::Output;
use super::view::View;
use crate::config::raw::Object;
use crate::config::status::{Condition, Refusal, Truth};
use crate::model::{Kind, ObjectKey};

/// Kinds whose status is ours to write.
pub(super) fn is_told(kind: Kind) -> bool {
    match kind {
        Kind::GatewayClass
        | Kind::Gateway
        | Kind::ListenerSet
        | Kind::HttpRoute
        | Kind::GrpcRoute
        | Kind::BackendTlsPolicy
        | Kind::TrafficPolicy => true,
        Kind::ReferenceGrant
        | Kind::Service
        | Kind::EndpointSlice
        | Kind::Secret
        | Kind::ConfigMap
        | Kind::Namespace
        | Kind::Backend
        | Kind::MeshConfig
        | Kind::TrafficRollout => false,
    }
}

pub(super) fn status(view: &mut View<'_>, key: &ObjectKey) -> Output {
    let Some(object) = view.object(key) else { return Output::Nothing };
    let status = match key.kind {
        Kind::GatewayClass => class::status(view, &object),
        Kind::Gateway => gateway::status(view, &object),
        Kind::ListenerSet => gateway::set_status(view, &object),
        Kind::HttpRoute | Kind::GrpcRoute => route::status(view, &object),
        Kind::BackendTlsPolicy | Kind::TrafficPolicy => policy::status(view, &object),
        _ => None,
    };
    status.map_or(Output::Nothing, |status| Output::Status(status.into()))
}

/// Conditions of one object, all of one generation.
struct Says {
    generation: i64,
    conditions: Vec<Condition>,
}

impl Says {
    fn about(object: &Object) -> Self {
        Self { generation: object.meta.generation, conditions: Vec::new() }
    }

    fn say(
        &mut self,
        kind: &'static str,
        status: impl Into<Truth>,
        reason: &'static str,
        message: impl Into<String>,
    ) {
        let (status, message) = (status.into(), message.into());
        let observed_generation = self.generation;
        self.conditions.push(Condition { kind, status, reason, message, observed_generation });
    }

    /// True for this reason, unless there is one against it.
    fn unless(&mut self, kind: &'static str, holds: &'static str, refusal: Option<&Refusal>) {
        match refusal {
            None => self.say(kind, true, holds, ""),
            Some(why) => self.say(kind, false, why.reason, why.message.clone()),
        }
    }
}
