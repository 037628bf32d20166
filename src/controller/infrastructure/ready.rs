//! What the cluster made of a fleet: the addresses that it gave, and what is missing.

use serde_json::Value;

use super::{Fleet, name};
use crate::manifest::install::ServiceType;
use crate::names;

/// Why a Gateway is not programmed: a reason of the API and a sentence for its author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotReady {
    pub reason: Reason,
    pub message: String,
}

/// `Programmed`'s, as the Gateway API names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Pending,
    NoResources,
    AddressNotAssigned,
    AddressNotUsable,
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::NoResources => "NoResources",
            Self::AddressNotAssigned => "AddressNotAssigned",
            Self::AddressNotUsable => "AddressNotUsable",
        }
    }
}

/// (`IPAddress` or `Hostname`, value) of each address that the Service has.
pub fn addresses(service: &Value) -> Vec<(&'static str, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if service["spec"]["type"] == ServiceType::LoadBalancer.as_str() {
        let ingress = service["status"]["loadBalancer"]["ingress"].as_array();
        return ingress
            .into_iter()
            .flatten()
            .filter_map(|point| {
                let ip = text(&point["ip"]).map(|ip| ("IPAddress", ip));
                ip.or_else(|| text(&point["hostname"]).map(|name| ("Hostname", name)))
            })
            .collect();
    }
    let ips = service["spec"]["clusterIPs"].as_array();
    let ips = ips.into_iter().flatten().filter_map(text);
    ips.filter(|ip| ip != "None" && !ip.is_empty()).map(|ip| ("IPAddress", ip)).collect()
}

/// Whether requests that come to the Gateway's address are served. `Err` says what is missing;
/// objects that were not seen yet are `None`.
pub fn readiness(
    fleet: &Fleet,
    service: Option<&Value>,
    deployment: Option<&Value>,
) -> Result<(), NotReady> {
    let called = format!("{}/{}", fleet.scope.namespace, name(fleet));
    let not_ready = |reason, message| Err(NotReady { reason, message });
    let Some(service) = service else {
        return not_ready(Reason::AddressNotAssigned, format!("Service {called} is being made"));
    };
    let given = addresses(service);
    let has = |wanted: &str| given.iter().any(|(_, address)| address == wanted);
    let missing = fleet.addresses.iter().find(|wanted| !wanted.is_empty() && !has(wanted));
    if let Some(address) = missing {
        return not_ready(
            Reason::AddressNotUsable,
            format!("the address {address} was not given to Service {called}"),
        );
    }
    if given.is_empty() {
        return not_ready(Reason::AddressNotAssigned, no_address(fleet, &called));
    }
    let Some(deployment) = deployment else {
        return not_ready(Reason::Pending, format!("Deployment {called} is being made"));
    };
    let ready = deployment["status"]["readyReplicas"].as_u64().unwrap_or(0);
    if ready > 0 {
        return Ok(());
    }
    match stuck(deployment) {
        Some(why) => {
            not_ready(Reason::NoResources, format!("no pod of Deployment {called} is ready: {why}"))
        }
        None => not_ready(Reason::Pending, format!("no pod of Deployment {called} is ready yet")),
    }
}

fn no_address(fleet: &Fleet, called: &str) -> String {
    match fleet.settings.service_type {
        ServiceType::LoadBalancer => format!(
            "Service {called} of type LoadBalancer has no address yet. If nothing gives such \
             addresses in this cluster, set spec.deployment.serviceType: ClusterIP or NodePort in \
             MeshConfig {}/{} or in the Gateway's own",
            names::NAMESPACE_SYSTEM,
            names::MESH_CONFIG_DEFAULT
        ),
        ServiceType::ClusterIp | ServiceType::NodePort => {
            format!("Service {called} has no address yet")
        }
    }
}

/// What the Deployment's controller has given up on.
fn stuck(deployment: &Value) -> Option<String> {
    let conditions = deployment["status"]["conditions"].as_array()?;
    let failed = conditions.iter().find(|condition| {
        let is =
            |kind: &str, status: &str| condition["type"] == kind && condition["status"] == status;
        is("ReplicaFailure", "True") || is("Progressing", "False")
    })?;
    Some(failed["message"].as_str().unwrap_or("the cluster doesn't say why").to_owned())
}
