//! What applying would change, as the API server itself answers.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cluster::{Cluster, ClusterError, Resource, name_of, namespace_of, shown};
use crate::names;

/// What would happen to one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `Deployment meshctl-system/meshctl-controller`
    pub object: String,
    /// Paths of the fields that change; `None` where the object is new.
    pub fields: Option<Vec<String>>,
    /// Its pods are replaced.
    pub restarts: bool,
}

/// Server-side apply without its effect, compared with what is there.
pub async fn changes(cluster: &Cluster, objects: &[Value]) -> Result<Vec<Change>, ClusterError> {
    let mut found = Vec::with_capacity(objects.len());
    for object in objects {
        let resource = Resource::of(object)
            .ok_or_else(|| ClusterError::UnknownKind { what: shown(object) })?;
        let there = cluster.get(&resource, namespace_of(object), name_of(object)).await?;
        let fields = match there {
            None => None,
            Some(there) => {
                let after = cluster.apply(object, true).await?;
                Some(differences(&there, &after))
            }
        };
        let template = |field: &String| field.starts_with(".spec.template");
        let restarts = fields.iter().flatten().any(template);
        found.push(Change { object: shown(object), fields, restarts });
    }
    Ok(found)
}

/// The Deployments of all fleets.
pub async fn proxies(cluster: &Cluster) -> Result<Vec<Value>, ClusterError> {
    let labels = format!(
        "{}={},{}=proxy",
        names::LABEL_MANAGED_BY,
        names::FIELD_MANAGER,
        names::LABEL_COMPONENT
    );
    cluster.list(&Resource::DEPLOYMENT, None, Some(&labels)).await
}

/// How many fleets are deployed as which version does it.
pub fn proxy_versions(deployments: &[Value]) -> BTreeMap<String, usize> {
    let mut versions = BTreeMap::new();
    for deployment in deployments {
        let version = deployment["metadata"]["annotations"][names::ANNOTATION_VERSION].as_str();
        *versions.entry(version.unwrap_or("unknown").to_owned()).or_default() += 1;
    }
    versions
}

/// The paths at which two objects differ, but for what the server keeps for itself.
pub(super) fn differences(before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(before, after, "", &mut found);
    found
}

const SERVERS_OWN: [&str; 5] = [
    ".metadata.managedFields",
    ".metadata.resourceVersion",
    ".metadata.generation",
    ".metadata.creationTimestamp",
    ".status",
];

fn walk(before: &Value, after: &Value, path: &str, found: &mut Vec<String>) {
    if before == after || SERVERS_OWN.contains(&path) {
        return;
    }
    match (before, after) {
        (Value::Object(one), Value::Object(other)) => {
            let new = other.keys().filter(|key| !one.contains_key(*key));
            for key in one.keys().chain(new) {
                let of = |map: &serde_json::Map<String, Value>| {
                    map.get(key).cloned().unwrap_or_default()
                };
                walk(&of(one), &of(other), &format!("{path}.{key}"), found);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                walk(one, other, &format!("{path}[{index}]"), found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}
