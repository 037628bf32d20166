//! Taking everything away again that was installed, and what the controller made.

use serde_json::Value;

use crate::cluster::{Cluster, ClusterError, Resource, name_of, namespace_of, shown};
use crate::manifest::install::{self, Settings};
use crate::names;

/// What is there to be removed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Removal {
    /// Gateways of our classes: they stay as objects, and nobody serves them any more.
    pub gateways: Vec<Value>,
    /// Objects of our own kinds, which go with their definitions.
    pub ours: Vec<Value>,
    /// What goes, in this order.
    pub objects: Vec<Value>,
}

/// What of a fleet is made by the controller.
const MADE: [Resource; 5] = [
    Resource::DEPLOYMENT,
    Resource::SERVICE,
    Resource::CONFIG_MAP,
    Resource::SERVICE_ACCOUNT,
    Resource::DISRUPTION_BUDGET,
];

/// Looks what there is. Of what `install` knows by name only that is taken which carries its
/// label: another's object of the same name stays.
pub async fn removal(cluster: &Cluster) -> Result<Removal, ClusterError> {
    let mut found = Removal::default();
    let classes = [names::GATEWAY_CLASS, names::GATEWAY_CLASS_SHARED];
    let gateways = cluster.list(&Resource::GATEWAY, None, None).await?;
    found.gateways = gateways
        .into_iter()
        .filter(|gateway| classes.iter().any(|class| gateway["spec"]["gatewayClassName"] == *class))
        .collect();
    let ours = [
        Resource::BACKEND,
        Resource::TRAFFIC_POLICY,
        Resource::MESH_CONFIG,
        Resource::TRAFFIC_ROLLOUT,
    ];
    for kind in ours {
        found.ours.extend(cluster.list(&kind, None, None).await?);
    }
    let settings = Settings {
        version: String::new(),
        image: String::new(),
        image_pull_secret: None,
        replicas: 0,
        arguments: Vec::new(),
        service_type: None,
    };
    let mut installed = install::objects(&settings);
    // What others need goes last, and the controller first, or it would make anew what goes.
    installed.reverse();
    installed.sort_by_key(|object| match object["kind"].as_str() {
        Some("Deployment") => 0,
        Some("CustomResourceDefinition") => 2,
        _ => 1,
    });
    for object in installed {
        let resource = Resource::of(&object).expect("a test holds that each is known");
        let there = cluster.get(&resource, namespace_of(&object), name_of(&object)).await?;
        let ours =
            |there: &Value| there["metadata"]["labels"][names::LABEL_INSTALLED_BY].is_string();
        found.objects.extend(there.filter(ours));
    }
    let labels = format!(
        "{}={},{}=proxy",
        names::LABEL_MANAGED_BY,
        names::FIELD_MANAGER,
        names::LABEL_COMPONENT
    );
    let mut made = Vec::new();
    for kind in &MADE {
        made.extend(cluster.list(kind, None, Some(&labels)).await?);
    }
    // After the controller.
    let first = found.objects.first().is_some_and(|object| object["kind"] == "Deployment");
    found.objects.splice(usize::from(first)..usize::from(first), made);
    Ok(found)
}

/// Deletes all of it; `done` is told of each.
pub async fn remove(
    cluster: &Cluster,
    removal: &Removal,
    mut done: impl FnMut(&Value),
) -> Result<(), ClusterError> {
    for object in &removal.objects {
        let Some(resource) = Resource::of(object) else {
            return Err(ClusterError::UnknownKind { what: shown(object) });
        };
        cluster.delete(&resource, namespace_of(object), name_of(object)).await?;
        done(object);
    }
    Ok(())
}
