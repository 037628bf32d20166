//! A second version of what runs: a Deployment and a Service of their own beside the stable ones,
//! such that no pod is selected by the other's Service.
//!
//! What a Service selects is a subset of a pod's labels, so one label with another value keeps the
//! new pods away, if the stable Service asks for that label. Where the Service isn't known, every
//! label changes: then no selector of the old pods matches the new ones, whichever it is.

mod error;
mod labels;

use std::collections::BTreeSet;

use serde_json::{Value, json};

pub use error::SecondError;

use super::arguments::Target;
use labels::{Labels, follow, labels, relabelled, selector, selects, told_apart_by};

/// Behind the names of the second version, and behind the label that tells it apart.
const SUFFIX: &str = "-canary";
/// The longest name of a Service, and the longest value of a label.
const NAME_BYTES: usize = 63;

/// What is copied, and what changes.
#[derive(Clone, Copy, Debug)]
pub struct SecondVersion<'a> {
    /// Of the file: a Deployment, and better its Service and route too.
    pub objects: &'a [Value],
    pub image: &'a str,
    /// Whose image it is, where the pod has several containers.
    pub container: Option<&'a str>,
    /// The stable Service, where the file doesn't tell.
    pub stable: Option<&'a Target>,
    pub route: Option<&'a str>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Copied {
    pub namespace: Option<String>,
    pub deployment: Value,
    pub service: Value,
    /// The file's, with all requests on the stable version; `None` where it has none.
    pub route: Option<Value>,
    pub stable: Target,
    pub canary: Target,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// What was found in the file.
struct Found<'a> {
    deployment: &'a Value,
    pod_labels: Labels,
    service: Option<&'a Value>,
}

impl SecondVersion<'_> {
    pub fn copy(&self) -> Result<Copied, SecondError> {
        let found = self.find()?;
        let Found { deployment, pod_labels, service } = &found;
        let name = text(deployment, "/metadata/name");
        let stable_name = match (service, self.stable) {
            (Some(service), _) => text(service, "/metadata/name"),
            (None, Some(stable)) => stable.name.clone(),
            (None, None) => name.clone(),
        };
        let mut notes = Vec::new();
        let changed = self.changed(&found, &mut notes);
        let route = self.route(deployment, &stable_name)?;
        let port = self.port(&found, &stable_name, route)?;
        let copy = Copied {
            namespace: deployment["metadata"]["namespace"].as_str().map(str::to_owned),
            deployment: self.deployment(deployment, pod_labels, &changed)?,
            service: match service {
                Some(service) => service_of(service, pod_labels, &changed)?,
                None => new_service(deployment, &stable_name, pod_labels, &changed, port)?,
            },
            route: route.map(|route| at_zero(route, &stable_name)),
            canary: Target::service(&suffixed(&stable_name)?, port),
            stable: Target::service(&stable_name, port),
            notes: Vec::new(),
        };
        self.tell(&copy, &changed, pod_labels, &mut notes);
        Ok(Copied { notes, ..copy })
    }

    fn find(&self) -> Result<Found<'_>, SecondError> {
        let deployments: Vec<&Value> =
            self.of_kind("Deployment").filter(|one| one["apiVersion"] == "apps/v1").collect();
        let wanted = self.stable.map(|stable| stable.name.as_str());
        let mut candidates = Vec::new();
        for deployment in deployments {
            let pod_labels = labels(deployment.pointer("/spec/template/metadata/labels"));
            let services = self.of_kind("Service").filter(|service| {
                service["metadata"]["namespace"] == deployment["metadata"]["namespace"]
            });
            let mut services: Vec<&Value> = services
                .filter(|service| selects(&selector(service), &pod_labels))
                .filter(|service| wanted.is_none_or(|name| service["metadata"]["name"] == name))
                .collect();
            if services.len() > 1 {
                return Err(SecondError::Services(names(&services)));
            }
            candidates.push(Found { deployment, pod_labels, service: services.pop() });
        }
        if candidates.len() > 1 && candidates.iter().any(|found| found.service.is_some()) {
            candidates.retain(|found| found.service.is_some());
        }
        if candidates.len() > 1 {
            let deployments: Vec<&Value> = candidates.iter().map(|one| one.deployment).collect();
            return Err(SecondError::Deployments(names(&deployments)));
        }
        let found = candidates.pop().ok_or(SecondError::NoDeployment)?;
        let named = |name: &str| self.of_kind("Service").any(|one| one["metadata"]["name"] == name);
        match wanted.filter(|name| found.service.is_none() && named(name)) {
            None => Ok(found),
            Some(name) => Err(SecondError::NotSelected {
                service: name.to_owned(),
                deployment: text(found.deployment, "/metadata/name"),
            }),
        }
    }

    fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.objects.iter().filter(move |object| object["kind"] == kind)
    }

    /// The labels that get another value.
    fn changed(&self, found: &Found<'_>, notes: &mut Vec<String>) -> BTreeSet<String> {
        let own = labels(found.deployment.pointer("/spec/selector/matchLabels"));
        let Some(service) = found.service else {
            notes.push(
                "the stable Service is not in the file, so every label of the pods changes: \
                 whichever of them it selects by, it doesn't select the new ones; with the Service \
                 in the file, one label would do"
                    .to_owned(),
            );
            return found.pod_labels.keys().cloned().collect();
        };
        let selector = selector(service);
        let both: Vec<&String> = selector.keys().filter(|key| own.contains_key(*key)).collect();
        let mut changed = BTreeSet::new();
        if both.is_empty() {
            changed.extend(told_apart_by(selector.keys()));
            changed.extend(told_apart_by(own.keys()));
        } else {
            changed.extend(told_apart_by(both.into_iter()));
        }
        changed
    }

    fn route<'a>(
        &'a self,
        deployment: &Value,
        stable: &str,
    ) -> Result<Option<&'a Value>, SecondError> {
        let routes = self.of_kind("HTTPRoute").chain(self.of_kind("GRPCRoute"));
        let routes: Vec<&Value> = routes
            .filter(|route| route["metadata"]["namespace"] == deployment["metadata"]["namespace"])
            .filter(|route| self.route.is_none_or(|name| route["metadata"]["name"] == name))
            .filter(|route| references(route).any(|one| is_service(one, stable)))
            .collect();
        match routes.as_slice() {
            [] => Ok(None),
            [route] => Ok(Some(route)),
            several => Err(SecondError::Routes(names(several))),
        }
    }

    /// As it was named, as the route has it, or the only one there is.
    fn port(
        &self,
        found: &Found<'_>,
        stable: &str,
        route: Option<&Value>,
    ) -> Result<u16, SecondError> {
        if let Some(port) = self.stable.and_then(|stable| stable.port) {
            return Ok(port);
        }
        let routed: BTreeSet<u16> = route
            .into_iter()
            .flat_map(references)
            .filter(|one| is_service(one, stable))
            .filter_map(|one| number(&one["port"]))
            .collect();
        let container = "/spec/template/spec/containers";
        let served: BTreeSet<u16> = match found.service {
            Some(service) => {
                items(&service["spec"]["ports"]).filter_map(|p| number(&p["port"])).collect()
            }
            None => items(found.deployment.pointer(container).unwrap_or(&Value::Null))
                .flat_map(|container| items(&container["ports"]))
                .filter_map(|port| number(&port["containerPort"]))
                .collect(),
        };
        let only = |ports: &BTreeSet<u16>| ports.first().copied().filter(|_| ports.len() == 1);
        only(&routed).or_else(|| only(&served)).ok_or_else(|| SecondError::Port(stable.to_owned()))
    }

    fn deployment(
        &self,
        stable: &Value,
        pod_labels: &Labels,
        changed: &BTreeSet<String>,
    ) -> Result<Value, SecondError> {
        let mut copy = fresh(stable)?;
        let chosen = self.container(stable)?;
        let spec = &mut copy["spec"];
        let expressions = spec["selector"]["matchExpressions"].take();
        let kept: Vec<Value> = items(&expressions)
            .filter(|one| !changed.contains(one["key"].as_str().unwrap_or_default()))
            .cloned()
            .collect();
        let mut selector = labels(spec["selector"].get("matchLabels"));
        selector.extend(
            changed
                .iter()
                .filter_map(|key| pod_labels.get(key).map(|value| (key.clone(), value.clone()))),
        );
        spec["selector"] = json!({"matchLabels": relabelled(&selector, changed)});
        if !kept.is_empty() {
            spec["selector"]["matchExpressions"] = kept.into();
        }
        let template = &mut spec["template"];
        template["metadata"]["labels"] = json!(relabelled(pod_labels, changed));
        template["spec"]["containers"][chosen]["image"] = self.image.into();
        // Spreading and affinity are about the pods' own labels.
        follow(&mut template["spec"], pod_labels, changed);
        Ok(copy)
    }

    fn container(&self, deployment: &Value) -> Result<usize, SecondError> {
        let list = deployment.pointer("/spec/template/spec/containers");
        let list: Vec<&Value> = list.map(items).into_iter().flatten().collect();
        let same = |one: &Value| {
            repository(one["image"].as_str().unwrap_or_default()) == repository(self.image)
        };
        let chosen: Vec<usize> = (0..list.len())
            .filter(|at| match self.container {
                Some(name) => list[*at]["name"] == name,
                None => list.len() == 1 || same(list[*at]),
            })
            .collect();
        match (chosen.as_slice(), list.is_empty()) {
            (_, true) => Err(SecondError::Shape("containers")),
            ([only], _) => Ok(*only),
            _ => {
                let name = |one: &&Value| one["name"].as_str().unwrap_or_default().to_owned();
                Err(SecondError::Container(list.iter().map(name).collect()))
            }
        }
    }

    fn tell(
        &self,
        copy: &Copied,
        changed: &BTreeSet<String>,
        pod_labels: &Labels,
        notes: &mut Vec<String>,
    ) {
        let new = relabelled(pod_labels, changed);
        let pairs = |labels: &Labels| {
            let of = |key: &String| format!("{key}={}", labels[key]);
            changed
                .iter()
                .filter(|key| labels.contains_key(*key))
                .map(of)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let stable = &copy.stable.name;
        notes.push(format!(
            "the pods of the second version have {} where the stable ones have {}: Service {stable} \
             doesn't select them, and neither does any other selector that asks for that \
             (NetworkPolicies, monitors)",
            pairs(&new),
            pairs(pod_labels)
        ));
        let others = self.of_kind("Service").filter(|one| {
            one["metadata"]["name"] != stable.as_str()
                && one["metadata"]["namespace"].as_str() == copy.namespace.as_deref()
        });
        for other in others.filter(|one| selects(&selector(one), &new)) {
            let name = text(other, "/metadata/name");
            notes.push(format!("Service {name} selects the pods of both versions"));
        }
        if let Some(route) = &copy.route {
            let name = text(route, "/metadata/name");
            notes.push(format!(
                "the route {name} is the file's own, with the second version at weight 0: it takes \
                 the place of the old one"
            ));
        }
        let replicas = copy.deployment["spec"]["replicas"].as_u64().unwrap_or(1);
        notes.push(format!(
            "it has the replicas of the stable one ({replicas}), enough for all requests"
        ));
    }
}

/// A copy under another name, without what an API server or a rollout wrote on the original.
fn fresh(object: &Value) -> Result<Value, SecondError> {
    let mut metadata = json!({"name": suffixed(&text(object, "/metadata/name"))?});
    let old = &object["metadata"];
    for key in ["namespace", "labels"] {
        if let Some(value) = old.get(key) {
            metadata[key] = value.clone();
        }
    }
    const WRITTEN: [&str; 2] =
        ["deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration"];
    let annotations = old["annotations"].as_object().into_iter().flatten();
    let kept: serde_json::Map<String, Value> = annotations
        .filter(|(key, _)| !WRITTEN.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if !kept.is_empty() {
        metadata["annotations"] = kept.into();
    }
    Ok(json!({
        "apiVersion": object["apiVersion"],
        "kind": object["kind"],
        "metadata": metadata,
        "spec": object["spec"],
    }))
}

/// The stable Service's ports, for the other pods, inside of the cluster.
fn service_of(
    stable: &Value,
    pod_labels: &Labels,
    changed: &BTreeSet<String>,
) -> Result<Value, SecondError> {
    let mut copy = fresh(stable)?;
    let mut chosen = selector(stable);
    chosen
        .extend(changed.iter().filter_map(|key| Some((key.clone(), pod_labels.get(key)?.clone()))));
    let mut ports: Vec<Value> = items(&stable["spec"]["ports"]).cloned().collect();
    for port in ports.iter_mut().filter_map(Value::as_object_mut) {
        port.shift_remove("nodePort");
    }
    copy["spec"] = json!({"selector": relabelled(&chosen, changed), "ports": ports});
    if stable["spec"]["clusterIP"] == "None" {
        copy["spec"]["clusterIP"] = "None".into();
    }
    Ok(copy)
}

fn new_service(
    deployment: &Value,
    stable: &str,
    pod_labels: &Labels,
    changed: &BTreeSet<String>,
    port: u16,
) -> Result<Value, SecondError> {
    let mut metadata = json!({"name": suffixed(stable)?});
    if let Some(namespace) = deployment["metadata"].get("namespace") {
        metadata["namespace"] = namespace.clone();
    }
    let list = deployment.pointer("/spec/template/spec/containers").unwrap_or(&Value::Null);
    let mut ports = items(list).flat_map(|container| items(&container["ports"]));
    let mut served = json!({"port": port});
    // The stable Service's port need not be the container's.
    if let (Some(first), None) = (ports.next(), ports.next())
        && let Some(target) = number(&first["containerPort"]).filter(|target| *target != port)
    {
        served["targetPort"] = target.into();
    }
    Ok(json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": relabelled(pod_labels, changed), "ports": [served]},
    }))
}

/// The route with a backend of weight 0 beside each stable one.
fn at_zero(route: &Value, stable: &str) -> Value {
    let mut route = route.clone();
    for rule in route["spec"]["rules"].as_array_mut().into_iter().flatten() {
        let Some(backends) = rule["backendRefs"].as_array_mut() else { continue };
        let Some(at) = backends.iter().position(|one| is_service(one, stable)) else { continue };
        if backends.len() == 1 {
            backends[at]["weight"] = 100.into();
        }
        let mut canary = backends[at].clone();
        canary["name"] = format!("{stable}{SUFFIX}").into();
        canary["weight"] = 0.into();
        if !backends.iter().any(|one| one["name"] == canary["name"]) {
            backends.insert(at + 1, canary);
        }
    }
    if let Some(object) = route.as_object_mut() {
        object.shift_remove("status");
    }
    route
}

fn suffixed(name: &str) -> Result<String, SecondError> {
    let name = format!("{name}{SUFFIX}");
    if name.len() > NAME_BYTES { Err(SecondError::LongName(name)) } else { Ok(name) }
}

fn references(route: &Value) -> impl Iterator<Item = &Value> {
    items(&route["spec"]["rules"]).flat_map(|rule| items(&rule["backendRefs"]))
}

fn is_service(reference: &Value, name: &str) -> bool {
    let kind = reference["kind"].as_str().is_none_or(|kind| kind == "Service");
    kind && reference["name"] == name && reference.get("namespace").is_none()
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn number(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|number| number.try_into().ok())
}

fn names(objects: &[&Value]) -> Vec<String> {
    objects.iter().map(|object| text(object, "/metadata/name")).collect()
}

fn text(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// An image without its tag and digest; a registry's port is no tag.
fn repository(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => image,
    }
}
