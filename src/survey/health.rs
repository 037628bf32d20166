//! Everything that can be wrong with an installation and what its Gateways need, but for their
//! configuration.

use serde_json::Value;

use super::mesh::Mesh;
use super::replicas::{controllers, pods};
use super::{certificates, rights};
use crate::clock;
use crate::cluster::{Cluster, ClusterError, Resource, name_of, namespace_of, shown};
use crate::config::flags::Options;
use crate::controller;
use crate::install::{self, Controller, Need, State, Trouble};
use crate::names;

/// What is wrong, and what is good where that is worth a line.
#[derive(Debug)]
pub struct Health {
    pub needs: Vec<Need>,
    pub mesh: Mesh,
}

/// Looks at everything once. `installed` is what this version installs: the rights in it are those
/// that the controller needs.
pub async fn health(
    cluster: &Cluster,
    controller: &Controller,
    installed: &[Value],
) -> Result<Health, ClusterError> {
    let mesh = mesh_of(cluster, controller).await?;
    let controllers = controllers(cluster).await?;
    let pods = pods(cluster, None).await?;
    let mut needs = vec![rights_of(cluster, installed).await?];
    needs.push(fleets(&install::proxies(cluster).await?, &controller.version));
    needs.push(leader(&lease(cluster).await?, &controllers));
    needs.extend(controllers.iter().chain(&pods).filter_map(|pod| start(pod, &controller.image)));
    needs.extend(mesh.gateways.iter().filter_map(gateway));
    needs.extend(dates(cluster, &mesh).await?);
    Ok(Health { needs, mesh })
}

/// The objects as this controller lowers them.
pub async fn mesh_of(cluster: &Cluster, controller: &Controller) -> Result<Mesh, ClusterError> {
    super::mesh(cluster, options(cluster, &controller.arguments).await?).await
}

/// As the controller was started.
async fn options(cluster: &Cluster, arguments: &[String]) -> Result<Options, ClusterError> {
    let given = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let mut forbidden = controller::api_server_addresses(cluster).await?;
    // What a controller in a pod knows it by.
    let namespace = Some(names::NAMESPACE_DEFAULT);
    let service = cluster.get(&Resource::SERVICE, namespace, "kubernetes").await?;
    let ips = service.as_ref().and_then(|service| service["spec"]["clusterIPs"].as_array());
    let ips = ips.into_iter().flatten().filter_map(Value::as_str);
    forbidden.extend(ips.filter_map(|ip| ip.parse::<std::net::IpAddr>().ok()));
    Ok(Options {
        cluster: true,
        allow_local_backends: given(names::FLAG_ALLOW_LOCAL_BACKENDS),
        allow_external_names: given(names::FLAG_ALLOW_EXTERNAL_NAMES),
        forbidden,
        ..Options::default()
    })
}

async fn rights_of(cluster: &Cluster, installed: &[Value]) -> Result<Need, ClusterError> {
    let needed = rights::needed(installed);
    let count = needed.len();
    let lacking = match rights::lacking(cluster, needed).await {
        Ok(lacking) => lacking,
        Err(ClusterError::Forbidden { .. }) => {
            return Ok(need(
                "permissions",
                State::Unknown,
                "the controller's can't be asked for",
                "create subjectaccessreviews.authorization.k8s.io is a right of its own",
            ));
        }
        Err(error) => return Err(error),
    };
    if lacking.is_empty() {
        let found = format!("the controller has the {count} that it needs");
        return Ok(need("permissions", State::Good, &found, ""));
    }
    let lacking: Vec<String> = lacking.iter().map(ToString::to_string).collect();
    let found = format!("the controller may not: {}", lacking.join(", "));
    Ok(need("permissions", State::Wrong, &found, "`meshctl install` gives them again"))
}

/// Deployed by which version: a controller of another one rolls them when it comes.
pub(super) fn fleets(deployments: &[Value], controller: &str) -> Need {
    let versions = install::proxy_versions(deployments);
    let told: Vec<String> =
        versions.iter().map(|(version, count)| format!("{count} of {version}")).collect();
    let found = match told.as_slice() {
        [] => "no Gateway has any".to_owned(),
        told => format!("deployments: {}", told.join(", ")),
    };
    if versions.keys().all(|version| version == controller) {
        return need("proxies", State::Good, &found, "");
    }
    let found = format!("{found}; the controller is {controller}");
    let advice = "the controller that leads rolls them by itself; if it doesn't, its log says why";
    need("proxies", State::Warning, &found, advice)
}

async fn lease(cluster: &Cluster) -> Result<Value, ClusterError> {
    let namespace = Some(names::NAMESPACE_SYSTEM);
    let lease = cluster.get(&Resource::LEASE, namespace, names::CONTROLLER_NAME).await?;
    Ok(lease.unwrap_or_default())
}

/// Judged by names, not by times: this machine's clock may be wrong, and whoever holds the Lease
/// and is alive renews it.
pub(super) fn leader(lease: &Value, controllers: &[Value]) -> Need {
    let holder = lease["spec"]["holderIdentity"].as_str().unwrap_or_default();
    if controllers.iter().any(|pod| name_of(pod) == holder) {
        return need("leader", State::Good, holder, "");
    }
    let found = match holder {
        "" => "nobody holds the Lease: statuses and deployments stay as they are".to_owned(),
        gone => format!("{gone} holds the Lease and is gone: another takes it in a moment"),
    };
    let advice = "`kubectl -n meshctl-system logs -l app.kubernetes.io/component=controller`";
    need("leader", State::Wrong, &found, advice)
}

/// A pod that doesn't start.
pub(super) fn start(pod: &Value, image: &str) -> Option<Need> {
    let trouble = Trouble::of(pod)?;
    let own = pod["spec"]["containers"][0]["image"].as_str().unwrap_or(image);
    let found = match trouble.message.as_str() {
        "" => trouble.reason.clone(),
        message => format!("{}: {message}", trouble.reason),
    };
    let pod = format!("Pod {}/{}", namespace_of(pod).unwrap_or_default(), name_of(pod));
    Some(need(&pod, State::Wrong, &found, &trouble.advice(own)))
}

/// A Gateway of ours without an address, or whose proxies can't be reached by it.
pub(super) fn gateway(gateway: &Value) -> Option<Need> {
    let status = &gateway["status"];
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let programmed = conditions.into_iter().find(|one| one["type"] == "Programmed");
    let text = |field: &str| programmed.and_then(|one| one[field].as_str()).unwrap_or_default();
    let has_address = status["addresses"].as_array().is_some_and(|all| !all.is_empty());
    if has_address && text("status") == "True" {
        return None;
    }
    let (found, advice) = match (text("reason"), has_address) {
        ("" | "Pending", false) if text("message").is_empty() || text("status") == "Unknown" => (
            "no controller has looked at it".to_owned(),
            "is a controller available, and is the GatewayClass ours?",
        ),
        ("AddressNotUsable", _) => (
            text("message").to_owned(),
            "ask for another in `spec.addresses`, or leave it out and take what is given",
        ),
        ("AddressNotAssigned", _) | (_, false) => (
            format!("it has no address: {}", text("message")),
            "install what gives Services of type LoadBalancer an address (a cloud does, MetalLB \
             elsewhere), or reach it otherwise: `meshctl install --service-type ClusterIP` or \
             NodePort, or `deployment.serviceType` in a MeshConfig",
        ),
        (reason, true) => {
            (format!("{reason}: {}", text("message")), "`meshctl proxy status` shows its proxies")
        }
    };
    Some(need(&shown(gateway), State::Wrong, &found, advice))
}

/// Of the certificates that listeners show, and of the controller's own.
async fn dates(cluster: &Cluster, mesh: &Mesh) -> Result<Vec<Need>, ClusterError> {
    let now = clock::since_epoch().as_secs().cast_signed();
    let mut found: Vec<Need> = mesh
        .certificates
        .iter()
        .filter_map(|(key, pem)| {
            certificates::judge(&format!("{}/{}", key.namespace, key.name), pem, now)
        })
        .collect();
    let mut unread: Vec<String> = mesh.unread.iter().map(ToString::to_string).collect();
    let (namespace, name) = (names::NAMESPACE_SYSTEM, names::CONTROLLER_AUTHORITY);
    match cluster.get(&Resource::SECRET, Some(namespace), name).await {
        Ok(secret) => {
            let pem = secret.and_then(|secret| super::mesh::entry(&secret, "ca.crt"));
            let pem = pem.unwrap_or_default();
            found.extend(certificates::judge(&format!("{namespace}/{name}"), &pem, now));
        }
        Err(ClusterError::Forbidden { .. }) => unread.push(format!("Secret {namespace}/{name}")),
        Err(error) => return Err(error),
    }
    if !unread.is_empty() {
        let text = format!("not allowed to read: {}", unread.join(", "));
        let advice = "what is in them wasn't checked; the controller may read them";
        found.push(need("secrets", State::Unknown, &text, advice));
    } else if found.is_empty() {
        let text = match mesh.certificates.len() {
            0 => "no listener has one; the controller's is good".to_owned(),
            count => format!("{count} and the controller's are good for now"),
        };
        found.push(need("certificates", State::Good, &text, ""));
    }
    Ok(found)
}

fn need(what: &str, state: State, found: &str, advice: &str) -> Need {
    Need { what: what.to_owned(), state, found: found.to_owned(), advice: advice.to_owned() }
}
