//! What an installation needs of a cluster, and whether it is there.

use serde::Serialize;

use super::definitions::OWN;
use super::{Found, OLDEST_SERVER, Version, required, skew};
use crate::cluster::{Cluster, ClusterError, Permission, Resource};
use crate::names;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Need {
    pub what: String,
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do, where something is to be done.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub advice: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Good,
    /// It works, and not as it could.
    Warning,
    Missing,
    /// It is there, and no good.
    Wrong,
    /// It could not be asked.
    Unknown,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Missing => "missing",
            Self::Wrong => "wrong",
            Self::Unknown => "unknown",
        }
    }
}

/// Judges the server, the definitions, our rights, and what is installed.
pub async fn needs(cluster: &Cluster, found: &Found, own: &str) -> Result<Vec<Need>, ClusterError> {
    let mut refused = Vec::new();
    if found.controller.is_none() {
        for permission in permissions() {
            if !cluster.may(&permission).await? {
                refused.push(permission);
            }
        }
    }
    Ok(judge(found, &refused, own))
}

/// What installing does to each kind: server-side apply creates and patches.
pub fn permissions() -> impl Iterator<Item = Permission> {
    let cluster_wide = [
        Resource::NAMESPACE,
        Resource::DEFINITION,
        Resource::CLUSTER_ROLE,
        Resource::CLUSTER_ROLE_BINDING,
        Resource::GATEWAY_CLASS,
    ];
    let in_namespace = [
        Resource::SERVICE_ACCOUNT,
        Resource::ROLE,
        Resource::ROLE_BINDING,
        Resource::SERVICE,
        Resource::DISRUPTION_BUDGET,
        Resource::DEPLOYMENT,
    ];
    let one = |resource: Resource| {
        let namespace = Some(names::NAMESPACE_SYSTEM);
        ["create", "patch"].map(|verb| Permission::on(verb, &resource, namespace))
    };
    cluster_wide.into_iter().chain(in_namespace).flat_map(one)
}

pub(super) fn judge(found: &Found, refused: &[Permission], own: &str) -> Vec<Need> {
    let mut needs = vec![server(found), definitions(found)];
    match &found.controller {
        None => {
            needs.push(rights(refused));
            needs.push(need(
                "controller",
                State::Missing,
                "not installed",
                "`meshctl install --wait` installs it",
            ));
        }
        Some(controller) => {
            let skew = skew(&controller.version, own);
            let version = skew
                .as_ref()
                .map_or_else(|| format!("version {}", controller.version), |skew| skew.to_string());
            let advice = skew.as_ref().map(|skew| skew.advice()).unwrap_or_default();
            let state = if skew.is_some() { State::Warning } else { State::Good };
            needs.push(need("version", state, &version, &advice));
            needs.push(own_definitions(found, &controller.version));
            let text = format!(
                "{} of {} replicas are available",
                controller.available, controller.replicas
            );
            let (state, advice) = match controller.available {
                0 => (State::Missing, "`kubectl -n meshctl-system get pods` shows why"),
                some if some < controller.replicas => (State::Warning, ""),
                _ => (State::Good, ""),
            };
            needs.push(need("controller", state, &text, advice));
        }
    }
    for (name, controller) in &found.foreign_classes {
        let text = format!("it belongs to {controller}");
        let advice = format!("`kubectl delete gatewayclass {name}` makes room");
        needs.push(need(&format!("GatewayClass {name}"), State::Missing, &text, &advice));
    }
    needs
}

fn need(what: &str, state: State, found: &str, advice: &str) -> Need {
    Need { what: what.to_owned(), state, found: found.to_owned(), advice: advice.to_owned() }
}

fn server(found: &Found) -> Need {
    let version = Version::parse(&found.server);
    let old = version.is_some_and(|version| (version.major, version.minor) < OLDEST_SERVER);
    let (state, advice) = if old {
        let (major, minor) = OLDEST_SERVER;
        (State::Missing, format!("{major}.{minor} is needed: upgrade the cluster"))
    } else {
        (State::Good, String::new())
    };
    need("Kubernetes", state, &found.server, &advice)
}

fn definitions(found: &Found) -> Need {
    let (needed, wanted) = required(&found.definitions);
    let from: Vec<String> = found.bundles().into_iter().collect();
    let from = if from.is_empty() { "none".to_owned() } else { from.join(", ") };
    if !needed.is_empty() {
        let text = format!("{from}; missing: {}", [needed, wanted].concat().join(", "));
        return need(
            "Gateway API",
            State::Missing,
            &text,
            "`meshctl install --crds PATH` brings them",
        );
    }
    if !wanted.is_empty() {
        let text = format!("{from}; missing: {}", wanted.join(", "));
        return need("Gateway API", State::Warning, &text, "what they are for is not served");
    }
    need("Gateway API", State::Good, &from, "")
}

/// Our own kinds, which the controller reads: as it knows them.
fn own_definitions(found: &Found, controller: &str) -> Need {
    let missing: Vec<&str> =
        OWN.into_iter().filter(|kind| !found.own_definitions.contains_key(*kind)).collect();
    if !missing.is_empty() {
        let text = format!("missing: {}", missing.join(", "));
        return need("meshctl.dev", State::Missing, &text, "`meshctl install` brings them");
    }
    let other = |(kind, version): (&String, &String)| {
        (version != controller).then(|| format!("{kind} of {version}"))
    };
    let others: Vec<String> = found.own_definitions.iter().filter_map(other).collect();
    match others.as_slice() {
        [] => need("meshctl.dev", State::Good, &format!("kinds of {controller}"), ""),
        others => {
            let text = format!("{}; the controller is {controller}", others.join(", "));
            need("meshctl.dev", State::Warning, &text, "`meshctl upgrade` makes them one version")
        }
    }
}

fn rights(refused: &[Permission]) -> Need {
    if refused.is_empty() {
        return need("permissions", State::Good, "what `meshctl install` needs", "");
    }
    let refused: Vec<String> = refused.iter().map(ToString::to_string).collect();
    let text = format!("not allowed: {}", refused.join(", "));
    need("permissions", State::Missing, &text, "ask for them, or use another --context")
}
