//! The proxies of a Gateway, as the cluster is to have them: Deployment, Service, ServiceAccount,
//! ConfigMap, PodDisruptionBudget.
//!
//! What is wanted is worked out here from values alone, and so is what the cluster's answer means
//! for the Gateway. Applying it is a few lines at the end and makes no choices.
//!
//! This module must not know routes, nor who is allowed what.

mod apply;
mod ready;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::xxh3_64;

pub use apply::{apply, prune, remove};
pub use ready::{NotReady, Reason, addresses, readiness};

use crate::manifest::image::USER;
use crate::manifest::install::ServiceType;
use crate::model::{Name, Scope};
use crate::{limits, names};

/// Where a proxy finds what the controller gives it.
const CA_DIRECTORY: &str = "/etc/meshctl";
const STATE_DIRECTORY: &str = "/var/lib/meshctl";
const RUN_DIRECTORY: &str = "/run/meshctl";
/// A volume is everybody's in the pod; in it the proxy makes a directory of its own.
const CONTROL_DIRECTORY: &str = "/run/meshctl/proxy";

/// Proxies that serve the same listeners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fleet {
    pub scope: Scope,
    /// With it the fleet goes: the Gateway, or the class of a shared fleet.
    pub owner: Option<Owner>,
    /// `spec.infrastructure` of the Gateway: on everything that is made for it.
    pub labels: BTreeMap<Name, Name>,
    pub annotations: BTreeMap<Name, Name>,
    /// The addresses that the Gateway asks for (`IPAddress` alone).
    pub addresses: Vec<Name>,
    /// Of the listeners that are served.
    pub ports: BTreeSet<u16>,
    pub settings: Settings,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// `Gateway` or `GatewayClass`.
    pub kind: &'static str,
    pub name: Name,
    pub uid: Name,
}

/// What a MeshConfig says of the proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `None`: one, or what an autoscaler says.
    pub replicas: Option<u32>,
    pub service_type: ServiceType,
    /// A number or a percentage, as text.
    pub min_available: Option<Name>,
    /// `cpu` to `100m`. Both empty: a small request.
    pub requests: BTreeMap<Name, Name>,
    pub limits: BTreeMap<Name, Name>,
    /// How long open requests may take when a pod ends.
    pub drain_timeout: Option<Duration>,
}

/// What all fleets of a controller have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    pub image: String,
    pub image_pull_secret: Option<String>,
    /// PEM: whom proxies take for the controller.
    pub authority: String,
    pub version: String,
}

/// What the objects of a fleet are called, in the namespace of its scope. A dedicated Gateway's
/// get a suffix, so that they don't meet a Service of the user's.
pub fn name(fleet: &Fleet) -> String {
    match &fleet.owner {
        Some(Owner { kind: "Gateway", name, .. }) => object_name(name),
        _ => fleet.scope.name.to_string(),
    }
}

/// `NAME-meshctl`, which a Service and a label can be called (RFC 1035): names that are too long,
/// have dots or begin with a digit are told apart by a hash.
pub fn object_name(gateway: &str) -> String {
    const SUFFIX: &str = "-meshctl";
    const LONGEST: usize = 63;
    let plain = gateway.starts_with(|c: char| c.is_ascii_lowercase())
        && !gateway.contains('.')
        && gateway.len() + SUFFIX.len() <= LONGEST;
    if plain {
        return format!("{gateway}{SUFFIX}");
    }
    let hash = format!("{:016x}", xxh3_64(gateway.as_bytes()));
    let room = LONGEST - SUFFIX.len() - hash.len() - "g--".len();
    let kept: String = gateway.replace('.', "-").chars().take(room).collect();
    format!("g-{}-{hash}{SUFFIX}", kept.trim_end_matches('-'))
}

/// Everything that a fleet needs, in the order in which it is applied. Without a port there is no
/// Service, as none can be without.
pub fn desired(fleet: &Fleet, release: &Release) -> Vec<Value> {
    let parts = Parts { fleet, release, name: name(fleet) };
    let mut objects = vec![parts.service_account(), parts.config_map()];
    objects.extend(parts.service());
    objects.push(parts.deployment());
    objects.extend(parts.disruption_budget());
    objects
}

struct Parts<'a> {
    fleet: &'a Fleet,
    release: &'a Release,
    name: String,
}

impl Parts<'_> {
    fn object(&self, api_version: &str, kind: &str, rest: Value) -> Value {
        let Fleet { scope, owner, annotations, .. } = self.fleet;
        let mut annotations = texts(annotations);
        annotations
            .insert(names::ANNOTATION_VERSION.to_owned(), self.release.version.as_str().into());
        let mut object = json!({
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {
                "name": self.name,
                "namespace": &*scope.namespace,
                "labels": self.labels(),
                "annotations": annotations,
            },
        });
        if let Some(owner) = owner {
            object["metadata"]["ownerReferences"] = json!([{
                "apiVersion": format!("{}/v1", names::GROUP_GATEWAY_API),
                "kind": owner.kind,
                "name": &*owner.name,
                "uid": &*owner.uid,
                "controller": true,
            }]);
        }
        if let (Value::Object(object), Value::Object(rest)) = (&mut object, rest) {
            object.extend(rest);
        }
        object
    }

    /// The author's, and over them those that we find our own by.
    fn labels(&self) -> Map<String, Value> {
        let mut labels = texts(&self.fleet.labels);
        let gateway = match &self.fleet.owner {
            Some(Owner { kind: "Gateway", name, .. }) if name.len() <= 63 => name.to_string(),
            _ => self.name.clone(),
        };
        let ours = [
            (names::LABEL_GATEWAY_NAME, gateway),
            (names::LABEL_MANAGED_BY, names::FIELD_MANAGER.to_owned()),
            (names::LABEL_APP_NAME, names::FIELD_MANAGER.to_owned()),
            (names::LABEL_COMPONENT, "proxy".to_owned()),
            (names::LABEL_FLEET, self.name.clone()),
        ];
        labels.extend(ours.map(|(key, value)| (key.to_owned(), value.into())));
        labels
    }

    fn selector(&self) -> Value {
        json!({ names::LABEL_FLEET: self.name })
    }

    /// It may do nothing: its token tells the controller whose proxy this is.
    fn service_account(&self) -> Value {
        let mut account =
            self.object("v1", "ServiceAccount", json!({"automountServiceAccountToken": false}));
        if let Some(secret) = &self.release.image_pull_secret {
            account["imagePullSecrets"] = json!([{"name": secret}]);
        }
        account
    }

    fn config_map(&self) -> Value {
        self.object("v1", "ConfigMap", json!({"data": {"ca.crt": self.release.authority}}))
    }

    fn service(&self) -> Option<Value> {
        if self.fleet.ports.is_empty() {
            return None;
        }
        let kind = self.fleet.settings.service_type;
        let port = |port: &u16| {
            json!({
                "name": format!("tcp-{port}"),
                "port": port,
                "targetPort": port,
                "protocol": "TCP",
            })
        };
        let ports: Vec<Value> = self.fleet.ports.iter().map(port).collect();
        let mut spec = json!({
            "type": kind.as_str(),
            "selector": self.selector(),
            "ports": ports,
        });
        // Never as externalIPs: with those a Gateway's author could take anybody's address.
        if let Some(address) = self.fleet.addresses.first().filter(|address| !address.is_empty()) {
            let field = match kind {
                ServiceType::LoadBalancer => "loadBalancerIP",
                ServiceType::ClusterIp | ServiceType::NodePort => "clusterIP",
            };
            spec[field] = (**address).into();
        }
        Some(self.object("v1", "Service", json!({ "spec": spec })))
    }

    fn deployment(&self) -> Value {
        let mut spec = json!({
            "revisionHistoryLimit": 3,
            // A new pod serves before an old one ends.
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
            },
            "selector": {"matchLabels": self.selector()},
            "template": {
                "metadata": {"labels": self.labels(), "annotations": self.pod_annotations()},
                "spec": self.pod(),
            },
        });
        if let Some(replicas) = self.fleet.settings.replicas {
            spec["replicas"] = replicas.into();
        }
        self.object("apps/v1", "Deployment", json!({ "spec": spec }))
    }

    fn pod_annotations(&self) -> Map<String, Value> {
        let mut annotations = texts(&self.fleet.annotations);
        let checksum = format!("{:016x}", xxh3_64(self.release.authority.as_bytes()));
        annotations.insert(names::ANNOTATION_CHECKSUM.to_owned(), checksum.into());
        annotations
    }

    fn pod(&self) -> Value {
        let drain = self.fleet.settings.drain_timeout.unwrap_or(limits::DRAIN_TIMEOUT);
        let grace = limits::DRAIN_DELAY + drain + limits::DRAIN_GRACE;
        let mut pod = json!({
            "serviceAccountName": self.name,
            "automountServiceAccountToken": false,
            "terminationGracePeriodSeconds": grace.as_secs(),
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "securityContext": {
                "runAsNonRoot": true,
                "runAsUser": USER,
                "runAsGroup": USER,
                "fsGroup": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
                // Port 80 without a capability; `restricted` allows it.
                "sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}],
            },
            "topologySpreadConstraints": [{
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": self.selector()},
            }],
            "containers": [self.container()],
            "volumes": self.volumes(),
        });
        if let Some(secret) = &self.release.image_pull_secret {
            pod["imagePullSecrets"] = json!([{"name": secret}]);
        }
        pod
    }

    fn container(&self) -> Value {
        let probe = |path: &str, period: u32, failures: u32| {
            json!({
                "httpGet": {"path": path, "port": names::PORT_OBSERVE},
                "periodSeconds": period,
                "failureThreshold": failures,
                "timeoutSeconds": 5,
            })
        };
        let mount = |name: &str, path: &str, read_only: bool| json!({"name": name, "mountPath": path, "readOnly": read_only});
        json!({
            "name": "proxy",
            "image": self.release.image,
            "imagePullPolicy": "IfNotPresent",
            "args": arguments(),
            "env": [
                {
                    "name": names::ENV_POD_NAME,
                    "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}},
                },
                {
                    "name": names::ENV_POD_NAMESPACE,
                    "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}},
                },
                {"name": names::ENV_RUN_DIR, "value": CONTROL_DIRECTORY},
            ],
            "ports": [{"name": "observe", "containerPort": names::PORT_OBSERVE, "protocol": "TCP"}],
            // A proxy that has much to read is left in peace; one that is up is asked often.
            "startupProbe": probe("/live", 1, 60),
            "livenessProbe": probe("/live", 10, 6),
            "readinessProbe": probe("/ready", 1, 2),
            // Connections still come for as long as it takes every node to hear of the end.
            "lifecycle": {"preStop": {"sleep": {"seconds": limits::DRAIN_DELAY.as_secs()}}},
            "resources": self.resources(),
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
            },
            "volumeMounts": [
                mount("authority", CA_DIRECTORY, true),
                mount("token", names::TOKEN_DIRECTORY, true),
                mount("state", STATE_DIRECTORY, false),
                mount("run", RUN_DIRECTORY, false),
            ],
        })
    }

    fn volumes(&self) -> Value {
        json!([
            {"name": "authority", "configMap": {"name": self.name}},
            {"name": "token", "projected": {"sources": [{"serviceAccountToken": {
                "audience": names::CONTROLLER_NAME,
                "expirationSeconds": limits::TOKEN_LIFETIME.as_secs(),
                "path": names::TOKEN_FILE,
            }}]}},
            // In memory: certificates' keys are among the saved parts.
            {"name": "state", "emptyDir": {"medium": "Memory", "sizeLimit": limits::STATE_VOLUME}},
            {"name": "run", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        ])
    }

    fn resources(&self) -> Value {
        let Settings { requests, limits, .. } = &self.fleet.settings;
        if requests.is_empty() && limits.is_empty() {
            return json!({"requests": {"cpu": "100m", "memory": "64Mi"}});
        }
        let mut resources = Map::new();
        for (field, quantities) in [("requests", requests), ("limits", limits)] {
            if !quantities.is_empty() {
                resources.insert(field.to_owned(), texts(quantities).into());
            }
        }
        resources.into()
    }

    /// None for a single pod, whose node could never be emptied.
    fn disruption_budget(&self) -> Option<Value> {
        let Settings { replicas, min_available, .. } = &self.fleet.settings;
        let bound = match min_available {
            // The API takes `1` for a number and `"1"` for a mistake.
            Some(text) => match text.parse::<u32>() {
                Ok(number) => ("minAvailable", Value::from(number)),
                Err(_) => ("minAvailable", Value::from(&**text)),
            },
            None if replicas.is_some_and(|replicas| replicas > 1) => ("maxUnavailable", 1.into()),
            None => return None,
        };
        let mut spec = json!({"selector": {"matchLabels": self.selector()}});
        spec[bound.0] = bound.1;
        Some(self.object("policy/v1", "PodDisruptionBudget", json!({ "spec": spec })))
    }
}

/// What a proxy in a pod is started with.
fn arguments() -> Value {
    let controller = format!(
        "https://{}.{}.svc:{}",
        names::CONTROLLER_NAME,
        names::NAMESPACE_SYSTEM,
        names::PORT_CONTROLLER
    );
    json!([
        "proxy",
        "run",
        "--controller",
        controller,
        "--controller-ca",
        format!("{CA_DIRECTORY}/ca.crt"),
        "--token",
        format!("{}/{}", names::TOKEN_DIRECTORY, names::TOKEN_FILE),
        "--state",
        STATE_DIRECTORY,
        "--observe",
        format!(":{}", names::PORT_OBSERVE)
    ])
}

fn texts(map: &BTreeMap<Name, Name>) -> Map<String, Value> {
    map.iter().map(|(key, value)| (key.to_string(), (**value).into())).collect()
}
