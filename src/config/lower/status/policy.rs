//! BackendTLSPolicies and TrafficPolicies: an entry for each ancestor that is ours.

use crate::config::lower::view::View;
use crate::config::raw::Object;
use crate::config::status::{PolicyStatus, Status};

pub(super) fn status(_view: &mut View<'_>, _object: &Object) -> Option<Status> {
    Some(Status::Policy(PolicyStatus::default()))
}
