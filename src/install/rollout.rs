//! Applying a plan, and looking whether the controller comes up.

use serde_json::Value;

use crate::clock;
use crate::cluster::{Cluster, ClusterError, Resource, name_of, namespace_of};
use crate::limits;
use crate::names;

/// Applies the objects in their order; `done` is told of each. A kind that was defined a moment
/// ago is waited for.
pub async fn apply(
    cluster: &Cluster,
    objects: &[Value],
    mut done: impl FnMut(&Value),
) -> Result<(), ClusterError> {
    for object in objects {
        let until = clock::now() + limits::DEFINITION_WAIT;
        loop {
            match cluster.apply(object, false).await {
                Ok(_) => break,
                Err(ClusterError::NotFound { .. }) if clock::now() < until => {
                    tokio::time::sleep(limits::ROLLOUT_LOOK).await;
                }
                Err(error) if error.may_pass() && clock::now() < until => {
                    tokio::time::sleep(limits::ROLLOUT_LOOK).await;
                }
                Err(error) => return Err(error),
            }
        }
        done(object);
    }
    Ok(())
}

/// How far the controller's Deployment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    pub wanted: u64,
    /// Of what was applied last.
    pub available: u64,
    pub complete: bool,
    pub trouble: Option<Trouble>,
}

/// Why a pod doesn't start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub namespace: String,
    pub pod: String,
    /// As the kubelet says it: `ErrImagePull`.
    pub reason: String,
    pub message: String,
}

/// Looks once.
pub async fn rollout(cluster: &Cluster) -> Result<Rollout, ClusterError> {
    let namespace = Some(names::NAMESPACE_SYSTEM);
    let deployment = cluster.get(&Resource::DEPLOYMENT, namespace, names::CONTROLLER_NAME).await?;
    let deployment = deployment.unwrap_or_default();
    let mut rollout = Rollout::of(&deployment);
    if !rollout.complete {
        let labels = format!(
            "{}={},{}=controller",
            names::LABEL_APP_NAME,
            names::FIELD_MANAGER,
            names::LABEL_COMPONENT
        );
        let pods = cluster.list(&Resource::POD, namespace, Some(&labels)).await?;
        rollout.trouble = pods.iter().find_map(Trouble::of);
    }
    Ok(rollout)
}

impl Rollout {
    /// As `kubectl rollout status` judges it.
    pub fn of(deployment: &Value) -> Self {
        let number = |value: &Value| value.as_u64().unwrap_or(0);
        let status = &deployment["status"];
        let wanted = deployment["spec"]["replicas"].as_u64().unwrap_or(1);
        let seen = number(&status["observedGeneration"])
            >= deployment["metadata"]["generation"].as_u64().unwrap_or(u64::MAX);
        let (all, updated) = (number(&status["replicas"]), number(&status["updatedReplicas"]));
        let available = number(&status["availableReplicas"]);
        let complete = seen && updated >= wanted && all == updated && available >= updated;
        Self { wanted, available: available.min(updated), complete, trouble: None }
    }
}

impl Trouble {
    pub fn of(pod: &Value) -> Option<Self> {
        let status = &pod["status"];
        let containers = status["containerStatuses"].as_array().into_iter().flatten();
        let waiting = containers.map(|container| &container["state"]["waiting"]);
        let harmless = ["ContainerCreating", "PodInitializing"];
        let found = waiting.into_iter().find_map(|state| {
            let reason = state["reason"].as_str().filter(|reason| !harmless.contains(reason))?;
            Some((reason, state["message"].as_str().unwrap_or_default()))
        });
        let unscheduled = || {
            let conditions = status["conditions"].as_array()?;
            let condition = conditions.iter().find(|condition| {
                condition["type"] == "PodScheduled" && condition["status"] == "False"
            })?;
            Some((condition["reason"].as_str()?, condition["message"].as_str().unwrap_or_default()))
        };
        let (reason, message) = found.or_else(unscheduled)?;
        Some(Self {
            namespace: namespace_of(pod).unwrap_or_default().to_owned(),
            pod: name_of(pod).to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
        })
    }

    /// The image is not there, and waiting brings it no nearer.
    pub fn is_image(&self) -> bool {
        ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"]
            .contains(&self.reason.as_str())
    }

    pub fn advice(&self, image: &str) -> String {
        if self.is_image() {
            return format!(
                "no node has the image {image}, and no registry gives it. On each node: \
                 `meshctl image save --tag {image} | ctr -n k8s.io images import -`; or push it to \
                 a registry of yours and give --image and --image-pull-secret"
            );
        }
        match self.reason.as_str() {
            "CrashLoopBackOff" => format!(
                "`kubectl -n {} logs {} --previous` shows its last words",
                self.namespace, self.pod
            ),
            _ => format!("`kubectl -n {} describe pod {}`", self.namespace, self.pod),
        }
    }
}
