//! The kinds that are asked for or applied, and what the API server calls them: a table instead
//! of discovery, because a kind may not exist before its definition was applied a moment ago.

use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;

/// A kind as the API server serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource {
    /// `apps/v1`, `v1`
    pub api_version: &'static str,
    pub kind: &'static str,
    pub plural: &'static str,
    pub namespaced: bool,
}

macro_rules! resources {
    ($($name:ident: $api_version:literal $kind:literal $plural:literal $namespaced:literal;)*) => {
        impl Resource {
            $(pub const $name: Self = Self {
                api_version: $api_version,
                kind: $kind,
                plural: $plural,
                namespaced: $namespaced,
            };)*
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

resources! {
    NAMESPACE: "v1" "Namespace" "namespaces" false;
    POD: "v1" "Pod" "pods" true;
    SERVICE: "v1" "Service" "services" true;
    SERVICE_ACCOUNT: "v1" "ServiceAccount" "serviceaccounts" true;
    CONFIG_MAP: "v1" "ConfigMap" "configmaps" true;
    SECRET: "v1" "Secret" "secrets" true;
    DEPLOYMENT: "apps/v1" "Deployment" "deployments" true;
    DISRUPTION_BUDGET: "policy/v1" "PodDisruptionBudget" "poddisruptionbudgets" true;
    LEASE: "coordination.k8s.io/v1" "Lease" "leases" true;
    EVENT: "events.k8s.io/v1" "Event" "events" true;
    ENDPOINT_SLICE: "discovery.k8s.io/v1" "EndpointSlice" "endpointslices" true;
    CLUSTER_ROLE: "rbac.authorization.k8s.io/v1" "ClusterRole" "clusterroles" false;
    CLUSTER_ROLE_BINDING:
        "rbac.authorization.k8s.io/v1" "ClusterRoleBinding" "clusterrolebindings" false;
    ROLE: "rbac.authorization.k8s.io/v1" "Role" "roles" true;
    ROLE_BINDING: "rbac.authorization.k8s.io/v1" "RoleBinding" "rolebindings" true;
    DEFINITION:
        "apiextensions.k8s.io/v1" "CustomResourceDefinition" "customresourcedefinitions" false;
    ADMISSION_POLICY: "admissionregistration.k8s.io/v1" "ValidatingAdmissionPolicy"
        "validatingadmissionpolicies" false;
    ADMISSION_POLICY_BINDING: "admissionregistration.k8s.io/v1" "ValidatingAdmissionPolicyBinding"
        "validatingadmissionpolicybindings" false;
    GATEWAY_CLASS: "gateway.networking.k8s.io/v1" "GatewayClass" "gatewayclasses" false;
    GATEWAY: "gateway.networking.k8s.io/v1" "Gateway" "gateways" true;
    LISTENER_SET: "gateway.networking.k8s.io/v1" "ListenerSet" "listenersets" true;
    HTTP_ROUTE: "gateway.networking.k8s.io/v1" "HTTPRoute" "httproutes" true;
    GRPC_ROUTE: "gateway.networking.k8s.io/v1" "GRPCRoute" "grpcroutes" true;
    REFERENCE_GRANT: "gateway.networking.k8s.io/v1" "ReferenceGrant" "referencegrants" true;
    BACKEND_TLS_POLICY:
        "gateway.networking.k8s.io/v1" "BackendTLSPolicy" "backendtlspolicies" true;
    BACKEND: "meshctl.dev/v1alpha1" "Backend" "backends" true;
    TRAFFIC_POLICY: "meshctl.dev/v1alpha1" "TrafficPolicy" "trafficpolicies" true;
    MESH_CONFIG: "meshctl.dev/v1alpha1" "MeshConfig" "meshconfigs" true;
    TRAFFIC_ROLLOUT: "meshctl.dev/v1alpha1" "TrafficRollout" "trafficrollouts" true;
}

impl Resource {
    /// What an object says that it is.
    pub fn of(object: &Value) -> Option<Self> {
        let is = |resource: &&Self| {
            object["apiVersion"] == resource.api_version && object["kind"] == resource.kind
        };
        Self::ALL.iter().find(is).copied()
    }

    /// A kind by its name and group; `None` where this table has no row for it.
    pub fn named(kind: &str, group: &str) -> Option<Self> {
        Self::ALL.iter().find(|row| row.kind == kind && row.group() == group).copied()
    }

    /// Empty for the core group.
    pub fn group(&self) -> &'static str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    pub(super) fn to_kube(self) -> ApiResource {
        let version = self.api_version.rsplit('/').next().unwrap_or_default();
        let kind = GroupVersionKind::gvk(self.group(), version, self.kind);
        ApiResource::from_gvk_with_plural(&kind, self.plural)
    }

    /// `deployments.apps`, as permissions are written.
    pub fn qualified(&self) -> String {
        match self.group() {
            "" => self.plural.to_owned(),
            group => format!("{}.{group}", self.plural),
        }
    }

    /// `deployments.apps/shop in namespace default`; an empty name is all of them.
    pub(super) fn describe(&self, namespace: Option<&str>, name: &str) -> String {
        let mut text = self.qualified();
        if !name.is_empty() {
            text = format!("{text}/{name}");
        }
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{text} in namespace {namespace}"),
            None => text,
        }
    }

    pub(super) fn signed(&self, mut object: Value) -> Value {
        object["apiVersion"] = self.api_version.into();
        object["kind"] = self.kind.into();
        object
    }
}

/// An object's name, empty where it has none.
pub fn name_of(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

pub fn namespace_of(object: &Value) -> Option<&str> {
    object["metadata"]["namespace"].as_str()
}

/// `Deployment meshctl-system/meshctl-controller`
pub fn shown(object: &Value) -> String {
    let kind = object["kind"].as_str().unwrap_or("object");
    match namespace_of(object) {
        Some(namespace) => format!("{kind} {namespace}/{}", name_of(object)),
        None => format!("{kind} {}", name_of(object)),
    }
}
