//! GatewayClasses of our controller.

use super::Says;
use crate::config::lower::settings;
use crate::config::lower::view::{Query, View};
use crate::config::raw::{Object, Spec};
use crate::config::status::{self, ClassStatus, Refusal, Status, Truth};
use crate::names;

pub(super) fn status(view: &mut View<'_>, object: &Object) -> Option<Status> {
    let Spec::GatewayClass(class) = &object.spec else { return None };
    if *class.controller_name.value != *names::CONTROLLER {
        return None;
    }
    let mut says = Says::about(object);
    let refused = class.parameters_ref.as_ref().and_then(|reference| {
        let why = settings::refused(view, object, reference)?;
        Some(Refusal::new(status::INVALID_PARAMETERS, why))
    });
    says.unless(status::ACCEPTED, status::ACCEPTED, refused.as_ref());
    let (truth, reason, message) = version(view);
    says.say(status::SUPPORTED_VERSION, truth, reason, message);
    Some(Status::GatewayClass(ClassStatus {
        conditions: says.conditions,
        supported_features: status::SUPPORTED_FEATURES,
    }))
}

/// Other versions are served as well as can be, and that is said.
fn version(view: &mut View<'_>) -> (Truth, &'static str, String) {
    view.reads.insert(Query::Versions);
    let served = names::GATEWAY_API_VERSION;
    let Some(versions) = &view.lowering.versions else {
        return (Truth::Unknown, status::PENDING, "the CRDs were not looked at yet".to_owned());
    };
    let is_served = |version: &str| {
        let rest = version.strip_prefix(served);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if !versions.is_empty() && versions.iter().all(|version| is_served(version)) {
        return (Truth::True, status::SUPPORTED_VERSION, String::new());
    }
    let shown = |version: &crate::model::Name| match &**version {
        "" => "one without a version".to_owned(),
        version => version.to_owned(),
    };
    let found: Vec<String> = versions.iter().map(shown).collect();
    let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
    let message = format!("the cluster has CRDs of {found}; {served} is what is known here");
    (Truth::False, status::UNSUPPORTED_VERSION, message)
}
