//! The stable names of objects and parts.

use std::fmt;
use std::sync::Arc;

/// A namespace, object or section name, shared by everything that mentions it.
pub type Name = Arc<str>;

/// Where an object lives. Part of every key, so that a directory and a cluster merged into one
/// mesh can never overwrite each other's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Store {
    /// Made from the command line (`--listen`, `--to`, `--endpoint`).
    Flags,
    /// A directory, a file or standard input.
    Files,
    /// A Kubernetes API server.
    Cluster,
}

impl Store {
    pub const ALL: [Self; 3] = [Self::Flags, Self::Files, Self::Cluster];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flags => "flags",
            Self::Files => "files",
            Self::Cluster => "cluster",
        }
    }
}

/// The kinds of resource that the product serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    GatewayClass,
    Gateway,
    ListenerSet,
    HttpRoute,
    GrpcRoute,
    ReferenceGrant,
    BackendTlsPolicy,
    Service,
    EndpointSlice,
    Secret,
    ConfigMap,
    Namespace,
    Backend,
    TrafficPolicy,
    MeshConfig,
    TrafficRollout,
}

impl Kind {
    /// Every kind, in the order in which `check` and `get` print them.
    pub const ALL: [Self; 16] = [
        Self::GatewayClass,
        Self::Gateway,
        Self::ListenerSet,
        Self::HttpRoute,
        Self::GrpcRoute,
        Self::ReferenceGrant,
        Self::BackendTlsPolicy,
        Self::Service,
        Self::EndpointSlice,
        Self::Secret,
        Self::ConfigMap,
        Self::Namespace,
        Self::Backend,
        Self::TrafficPolicy,
        Self::MeshConfig,
        Self::TrafficRollout,
    ];

    /// The `kind:` of a manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GatewayClass => "GatewayClass",
            Self::Gateway => "Gateway",
            Self::ListenerSet => "ListenerSet",
            Self::HttpRoute => "HTTPRoute",
            Self::GrpcRoute => "GRPCRoute",
            Self::ReferenceGrant => "ReferenceGrant",
            Self::BackendTlsPolicy => "BackendTLSPolicy",
            Self::Service => "Service",
            Self::EndpointSlice => "EndpointSlice",
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
            Self::Namespace => "Namespace",
            Self::Backend => "Backend",
            Self::TrafficPolicy => "TrafficPolicy",
            Self::MeshConfig => "MeshConfig",
            Self::TrafficRollout => "TrafficRollout",
        }
    }

    /// The API group that the kind belongs to; empty for Kubernetes' core group.
    pub fn group(self) -> &'static str {
        match self {
            Self::GatewayClass
            | Self::Gateway
            | Self::ListenerSet
            | Self::HttpRoute
            | Self::GrpcRoute
            | Self::ReferenceGrant
            | Self::BackendTlsPolicy => crate::names::GROUP_GATEWAY_API,
            Self::EndpointSlice => crate::names::GROUP_DISCOVERY,
            Self::Service | Self::Secret | Self::ConfigMap | Self::Namespace => "",
            Self::Backend | Self::TrafficPolicy | Self::MeshConfig | Self::TrafficRollout => {
                crate::names::GROUP_MESHCTL
            }
        }
    }

    /// Whether objects of this kind have no namespace.
    pub fn is_cluster_scoped(self) -> bool {
        matches!(self, Self::GatewayClass | Self::Namespace)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name of one object: what a person would type to find it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey {
    pub store: Store,
    pub kind: Kind,
    /// Empty for cluster-scoped kinds.
    pub namespace: Name,
    pub name: Name,
}

impl ObjectKey {
    pub fn new(store: Store, kind: Kind, namespace: &str, name: &str) -> Self {
        Self { store, kind, namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{} {}", self.kind, self.name)
        } else {
            write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
        }
    }
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PartKind {
    Listener,
    Rule,
    Backend,
    EndpointSet,
    Certificate,
}

impl PartKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Rule => "rule",
            Self::Backend => "backend",
            Self::EndpointSet => "endpoints",
            Self::Certificate => "certificate",
        }
    }
}

/// The stable name of a part: its kind, the object it was lowered from, and the section of that
/// object (a listener's name, a rule's name or position, a Service's port). Everything that
/// outlives a Snapshot (pools, averages, ejections, counters) is found by this key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartKey {
    pub part: PartKind,
    pub object: ObjectKey,
    pub section: Name,
}

impl PartKey {
    pub fn new(part: PartKind, object: ObjectKey, section: &str) -> Self {
        Self { part, object, section: section.into() }
    }
}

impl fmt::Display for PartKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.object)?;
        if !self.section.is_empty() {
            write!(f, "#{}", self.section)?;
        }
        Ok(())
    }
}
