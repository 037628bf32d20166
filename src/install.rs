//! Installing into a cluster: what is there, what is to change, and whether it may.
//!
//! `look` asks, `plan` decides from the answers alone, `apply` and `wait` do and tell.
//!
//! This module must not print, nor choose a cluster.

mod changes;
mod definitions;
mod needs;
mod removal;
mod rollout;
#[cfg(test)]
mod tests;
mod version;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

pub use changes::{Change, changes, proxies, proxy_versions};
pub use definitions::{Definition, Definitions, required};
pub use needs::{Need, State, needs, permissions};
pub use removal::{Removal, removal, remove};
pub use rollout::{Rollout, Trouble, apply, rollout};
pub use version::{Skew, Version, skew};

use crate::cluster::{Cluster, ClusterError, Resource, name_of};
use crate::manifest::install::{self, Settings};
use crate::names;

/// What a cluster has of what we need or have put there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The API server's version, `v1.34.1`.
    pub server: String,
    pub definitions: Vec<Definition>,
    /// Our own definitions (`backends`), each with the version of the `meshctl` that applied it.
    pub own_definitions: BTreeMap<String, String>,
    pub controller: Option<Controller>,
    /// GatewayClasses by our names that belong to somebody else: (name, their controller).
    pub foreign_classes: Vec<(String, String)>,
}

/// The controller's Deployment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Controller {
    /// Of the `meshctl` that applied it; empty where nothing says so.
    pub version: String,
    pub image: String,
    pub image_pull_secret: Option<String>,
    pub replicas: u32,
    pub available: u32,
    /// What it was started with.
    pub arguments: Vec<String>,
}

/// What is to be applied, in this order, and what whoever asked should know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    pub objects: Vec<Value>,
    pub notes: Vec<String>,
}

/// Why nothing is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The server is older than what our manifests need.
    OldServer(String),
    Skew(Skew),
    /// Kinds of the Gateway API that are not there.
    MissingDefinitions(Vec<String>),
    /// Fields that only the experimental channel has would be lost.
    Channel(String),
    ForeignClass {
        name: String,
        controller: String,
    },
    NotInstalled,
}

/// The oldest release of Kubernetes that is served: what our manifests use is in it.
pub const OLDEST_SERVER: (u32, u32) = (1, 33);

/// What is installed; `None` where nothing is.
pub async fn controller(cluster: &Cluster) -> Result<Option<Controller>, ClusterError> {
    let namespace = Some(names::NAMESPACE_SYSTEM);
    let found = cluster.get(&Resource::DEPLOYMENT, namespace, names::CONTROLLER_NAME).await?;
    Ok(found.as_ref().map(Controller::of))
}

pub async fn look(cluster: &Cluster) -> Result<Found, ClusterError> {
    let server = cluster.version().await?;
    let definitions = cluster.list(&Resource::DEFINITION, None, None).await?;
    let controller = controller(cluster).await?;
    let classes = cluster.list(&Resource::GATEWAY_CLASS, None, None).await?;
    let foreign_classes = classes.iter().filter_map(|class| {
        let ours = [names::GATEWAY_CLASS, names::GATEWAY_CLASS_SHARED].contains(&name_of(class));
        let controller = class["spec"]["controllerName"].as_str().unwrap_or_default();
        (ours && controller != names::CONTROLLER)
            .then(|| (name_of(class).to_owned(), controller.to_owned()))
    });
    Ok(Found {
        server,
        definitions: definitions.iter().filter_map(Definition::of).collect(),
        own_definitions: definitions.iter().filter_map(definitions::own).collect(),
        controller,
        foreign_classes: foreign_classes.collect(),
    })
}

impl Found {
    /// What the definitions of the Gateway API are from: `v1.6.0 (standard)`, usually one.
    pub fn bundles(&self) -> BTreeSet<String> {
        let all = self.definitions.iter();
        all.map(|known| format!("{} ({})", known.bundle, known.channel)).collect()
    }
}

impl Controller {
    pub fn of(deployment: &Value) -> Self {
        let pod = &deployment["spec"]["template"]["spec"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let number = |value: &Value| {
            value.as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
        };
        Self {
            version: text(&deployment["metadata"]["annotations"][names::ANNOTATION_VERSION]),
            image: text(&pod["containers"][0]["image"]),
            image_pull_secret: pod["imagePullSecrets"][0]["name"].as_str().map(str::to_owned),
            replicas: number(&deployment["spec"]["replicas"]),
            available: number(&deployment["status"]["availableReplicas"]),
            arguments: pod["containers"][0]["args"]
                .as_array()
                .into_iter()
                .flatten()
                .map(text)
                .collect(),
        }
    }

    /// What it was started with beside what `Settings` say of it otherwise: flags that `install`
    /// was given, or somebody added.
    pub fn more_arguments(&self) -> Vec<String> {
        let mut kept = Vec::new();
        let mut arguments = self.arguments.iter().skip_while(|word| !word.starts_with('-'));
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--image" | "--image-pull-secret" => drop(arguments.next()),
                other
                    if ["--image=", "--image-pull-secret="]
                        .iter()
                        .any(|it| other.starts_with(it)) => {}
                _ => kept.push(argument.clone()),
            }
        }
        kept
    }
}

/// What `install` does. A version that is there already stays to be upgraded.
pub fn plan(
    found: &Found,
    settings: &Settings,
    definitions: &Definitions,
) -> Result<Plan, Refusal> {
    if let Some(controller) = &found.controller
        && let Some(skew) = skew(&controller.version, &settings.version)
    {
        return Err(Refusal::Skew(skew));
    }
    whole(found, settings, definitions)
}

/// What `upgrade` does: from the version before to this one, never back.
pub fn upgrade(
    found: &Found,
    settings: &Settings,
    definitions: &Definitions,
) -> Result<Plan, Refusal> {
    let controller = found.controller.as_ref().ok_or(Refusal::NotInstalled)?;
    match skew(&controller.version, &settings.version) {
        None | Some(Skew::Older { .. }) => whole(found, settings, definitions),
        Some(skew) => Err(Refusal::Skew(skew)),
    }
}

fn whole(found: &Found, settings: &Settings, definitions: &Definitions) -> Result<Plan, Refusal> {
    let server = Version::parse(&found.server);
    if server.as_ref().is_some_and(|server| (server.major, server.minor) < OLDEST_SERVER) {
        return Err(Refusal::OldServer(found.server.clone()));
    }
    if let Some((name, controller)) = found.foreign_classes.first() {
        let (name, controller) = (name.clone(), controller.clone());
        return Err(Refusal::ForeignClass { name, controller });
    }
    let mut plan = definitions::plan(&found.definitions, definitions)?;
    plan.objects.extend(install::objects(settings));
    Ok(plan)
}

impl Refusal {
    pub fn advice(&self) -> String {
        match self {
            Self::OldServer(_) => "upgrade the cluster first".into(),
            Self::Skew(skew) => skew.advice(),
            Self::MissingDefinitions(_) => "--crds standard brings them".into(),
            Self::Channel(_) => "give --crds none to leave the definitions as they are".into(),
            Self::ForeignClass { name, .. } => {
                format!("`kubectl delete gatewayclass {name}` makes room, if nobody needs it")
            }
            Self::NotInstalled => "`meshctl install` installs it".into(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OldServer(version) => {
                let (major, minor) = OLDEST_SERVER;
                write!(f, "the cluster runs Kubernetes {version}, {major}.{minor} is needed")
            }
            Self::Skew(skew) => skew.fmt(f),
            Self::MissingDefinitions(names) => {
                write!(f, "the cluster has no definition of {}", names.join(", "))
            }
            Self::Channel(why) => f.write_str(why),
            Self::ForeignClass { name, controller } => {
                write!(f, "GatewayClass {name} is there and belongs to {controller}")
            }
            Self::NotInstalled => f.write_str("meshctl is not installed in this cluster"),
        }
    }
}

impl std::error::Error for Refusal {}
