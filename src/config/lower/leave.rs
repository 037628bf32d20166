//! Where routes of a cluster may not lead without the administrator's leave.
//!
//! What a name resolves to isn't known here: the rule goes with the name to whoever resolves it.

use std::sync::Arc;

use crate::config::address::dotless;
use crate::config::flags::Options;
use crate::config::raw::Spec;
use crate::model::{Address, Reach};

/// The rule for names; `None` in a directory, which is written by whoever runs the proxy.
pub(super) fn reach(options: &Options) -> Option<Arc<Reach>> {
    let Options { cluster, allow_local_backends, forbidden, .. } = options;
    cluster.then(|| Arc::new(Reach { local: *allow_local_backends, closed: forbidden.clone() }))
}

/// Why a Service or Backend may not be sent to, as a sentence's end.
pub(super) fn forbidden(options: &Options, spec: &Spec) -> Option<String> {
    if !options.cluster {
        return None;
    }
    match spec {
        Spec::Backend(backend) => {
            backend.endpoints.iter().find_map(|(address, _)| refused(options, &address.value))
        }
        Spec::Service(service) if !options.allow_external_names => {
            let named = &*service.kind.value == "ExternalName";
            named.then(|| "ExternalName Services are not allowed in this cluster".to_owned())
        }
        _ => None,
    }
}

/// The same of one address of an EndpointSlice: who writes Services without a selector writes
/// these too.
pub(super) fn forbidden_endpoint(options: &Options, address: &Address) -> Option<String> {
    if !options.cluster {
        return None;
    }
    match address {
        Address::Dns { .. } if !options.allow_external_names => {
            Some(format!("`{address}` is a name, and those are not allowed in this cluster"))
        }
        _ => refused(options, address),
    }
}

fn refused(options: &Options, address: &Address) -> Option<String> {
    let what = match address {
        Address::Unix(_) => Some("a Unix socket").filter(|_| !options.allow_local_backends),
        Address::Dns { host, .. } => of_name(host).filter(|_| !options.allow_local_backends),
        Address::Socket(socket) => reach(options)?.refuses(socket.ip()),
    };
    what.map(|what| format!("`{address}` is {what}"))
}

fn of_name(host: &str) -> Option<&'static str> {
    let host = dotless(host).to_ascii_lowercase();
    if host == "localhost" || host.ends_with(".localhost") {
        return Some("the proxy itself");
    }
    let is_api = host == "kubernetes.default" || host.starts_with("kubernetes.default.");
    is_api.then_some("the API server")
}
