//! What is wanted, into the cluster; what isn't any more, out of it.

use serde_json::Value;

use crate::cluster::{Cluster, ClusterError, Resource, name_of};
use crate::names;

/// The kinds that a fleet consists of, what depends on others first.
const KINDS: [Resource; 5] = [
    Resource::DISRUPTION_BUDGET,
    Resource::DEPLOYMENT,
    Resource::SERVICE,
    Resource::CONFIG_MAP,
    Resource::SERVICE_ACCOUNT,
];

/// Applies the objects in their order; a second time changes nothing. Gives them back as the API
/// server has them.
pub async fn apply(cluster: &Cluster, objects: &[Value]) -> Result<Vec<Value>, ClusterError> {
    let mut applied = Vec::with_capacity(objects.len());
    for object in objects {
        applied.push(cluster.apply(object, false).await?);
    }
    Ok(applied)
}

/// Deletes what carries the fleet's label and isn't wanted any more. A Service outlives a mistake
/// in the listeners: its address may be one that can't be had back.
pub async fn prune(
    cluster: &Cluster,
    namespace: &str,
    fleet: &str,
    wanted: &[Value],
) -> Result<(), ClusterError> {
    for kind in KINDS.iter().filter(|kind| **kind != Resource::SERVICE) {
        delete_others(cluster, kind, namespace, fleet, wanted).await?;
    }
    Ok(())
}

/// Deletes a whole fleet. What an owner takes with it needs no such call.
pub async fn remove(cluster: &Cluster, namespace: &str, fleet: &str) -> Result<(), ClusterError> {
    for kind in &KINDS {
        delete_others(cluster, kind, namespace, fleet, &[]).await?;
    }
    Ok(())
}

async fn delete_others(
    cluster: &Cluster,
    kind: &Resource,
    namespace: &str,
    fleet: &str,
    wanted: &[Value],
) -> Result<(), ClusterError> {
    let labels = format!(
        "{}={fleet},{}={}",
        names::LABEL_FLEET,
        names::LABEL_MANAGED_BY,
        names::FIELD_MANAGER
    );
    for object in cluster.list(kind, Some(namespace), Some(&labels)).await? {
        let is_wanted = |wanted: &Value| {
            Resource::of(wanted) == Some(*kind) && name_of(wanted) == name_of(&object)
        };
        if !wanted.iter().any(is_wanted) {
            cluster.delete(kind, Some(namespace), name_of(&object)).await?;
        }
    }
    Ok(())
}
