//! What `meshctl install` puts into a cluster: the controller, its rights, our own kinds and the
//! classes. Templates are valid YAML and are filled as trees, never as text, so that no value can
//! become something else; the same settings give the same objects in the same order.
//!
//! This module must not know the cluster. Nothing secret is in what it makes.

use serde_json::{Value, json};

use crate::names;
use crate::yaml;

#[cfg(test)]
pub(crate) mod tests;

/// In the order in which they are applied: what others need comes first.
const TEMPLATES: &[(&str, &str)] = &[
    ("crds/backends", include_str!("../../templates/crds/backends.yaml")),
    ("crds/meshconfigs", include_str!("../../templates/crds/meshconfigs.yaml")),
    ("crds/trafficpolicies", include_str!("../../templates/crds/trafficpolicies.yaml")),
    ("crds/trafficrollouts", include_str!("../../templates/crds/trafficrollouts.yaml")),
    ("install/namespace", include_str!("../../templates/install/namespace.yaml")),
    ("install/rbac", include_str!("../../templates/install/rbac.yaml")),
    ("install/mesh-config", include_str!("../../templates/install/mesh-config.yaml")),
    ("install/controller", include_str!("../../templates/install/controller.yaml")),
    ("install/classes", include_str!("../../templates/install/classes.yaml")),
];

/// What may differ from one installation to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The version of this program.
    pub version: String,
    /// What the controller and the proxies run.
    pub image: String,
    /// A Secret in the namespace of each Gateway, and in `meshctl-system`.
    pub image_pull_secret: Option<String>,
    /// Of the controller.
    pub replicas: u32,
    /// What else the controller is told, `--allow-local-backends`.
    pub arguments: Vec<String>,
    /// Of the Services of all Gateways that don't say more: kept in the MeshConfig `default`.
    pub service_type: Option<ServiceType>,
}

/// How the proxies of a Gateway are reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServiceType {
    #[default]
    LoadBalancer,
    ClusterIp,
    NodePort,
}

impl ServiceType {
    pub const ALL: [Self; 3] = [Self::LoadBalancer, Self::ClusterIp, Self::NodePort];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::LoadBalancer => "LoadBalancer",
            Self::ClusterIp => "ClusterIP",
            Self::NodePort => "NodePort",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Everything, in the order in which it is applied.
pub fn objects(settings: &Settings) -> Vec<Value> {
    let templates = TEMPLATES.iter().flat_map(|(_, text)| template(text));
    let wanted = templates.filter(|object| object["kind"] != "MeshConfig" || settings.says_more());
    wanted.map(|object| settings.fill(object)).collect()
}

/// The same, once for each name: of `GatewayClass`es, of our own definitions.
pub fn of_kind<'a>(objects: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    objects.iter().filter(move |object| object["kind"] == kind)
}

/// As a file for `kubectl apply -f -`.
pub fn render(objects: &[Value]) -> String {
    objects.iter().map(|object| format!("---\n{}", yaml::write(object))).collect()
}

fn template(text: &str) -> Vec<Value> {
    yaml::objects(text).expect("a test reads every template")
}

impl Settings {
    fn says_more(&self) -> bool {
        self.service_type.is_some()
    }

    fn fill(&self, mut object: Value) -> Value {
        let metadata = &mut object["metadata"];
        metadata["labels"][names::LABEL_INSTALLED_BY] = names::FIELD_MANAGER.into();
        metadata["labels"][names::LABEL_APP_NAME] = names::FIELD_MANAGER.into();
        metadata["annotations"][names::ANNOTATION_VERSION] = self.version.as_str().into();
        match object["kind"].as_str() {
            Some("Deployment") => self.fill_deployment(&mut object),
            Some("MeshConfig") => self.fill_mesh_config(&mut object),
            _ => {}
        }
        object
    }

    fn fill_deployment(&self, deployment: &mut Value) {
        deployment["spec"]["replicas"] = self.replicas.into();
        let pod = &mut deployment["spec"]["template"]["spec"];
        let container = &mut pod["containers"][0];
        container["image"] = self.image.as_str().into();
        let mut args = vec!["controller", "run", "--image", self.image.as_str()];
        if let Some(secret) = &self.image_pull_secret {
            args.extend(["--image-pull-secret", secret]);
        }
        args.extend(self.arguments.iter().map(String::as_str));
        container["args"] = json!(args);
        if let Some(secret) = &self.image_pull_secret {
            pod["imagePullSecrets"] = json!([{"name": secret}]);
        }
    }

    fn fill_mesh_config(&self, config: &mut Value) {
        if let Some(kind) = self.service_type {
            config["spec"]["deployment"]["serviceType"] = kind.as_str().into();
        }
    }
}
