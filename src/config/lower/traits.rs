//! What a Gateway brings to every rule that it takes: the client certificate that backends are
//! shown, and the timeouts of a TrafficPolicy on it.

use std::sync::Arc;

use super::unit::{GatewayTraits, Identity, Output};
use super::view::View;
use super::{policy, reference};
use crate::config::raw::Spec;
use crate::model::{ObjectKey, Timeouts};

pub(super) fn traits(view: &mut View<'_>, key: &ObjectKey) -> Output {
    let object = view.object(key);
    let Some((object, gateway)) = object.as_ref().and_then(|object| match &object.spec {
        Spec::Gateway(gateway) => Some((object, gateway)),
        _ => None,
    }) else {
        return Output::Traits(Arc::default());
    };
    let identity = match &gateway.backend_client_certificate {
        None => Identity::Nobody,
        Some(one) => match reference::certificate_of(view, object, one) {
            Ok(certificate) => Identity::Certificate(certificate),
            Err(_) => Identity::Refused,
        },
    };
    let policy = policy::traffic_of(view, key, None);
    let timeouts = Timeouts {
        request: policy.as_ref().and_then(|policy| policy.request.flatten()),
        backend_request: policy.as_ref().and_then(|policy| policy.backend_request.flatten()),
        stream_idle: None,
    };
    let stream_idle = policy.and_then(|policy| policy.stream_idle);
    Output::Traits(Arc::new(GatewayTraits { identity, timeouts, stream_idle }))
}
