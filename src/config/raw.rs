//! Resources as their authors write them, with the place of everything that can be wrong.
//!
//! The shapes are the Gateway API's and Kubernetes' own. What is decoded here is well-typed
//! (strings where strings belong, known fields only); whether it makes sense is lowering's
//! question. Enums keep what they don't know as `Unknown`, so that one new value never hides the
//! objects around it.
//!
//! This module must not know files, the clock or other objects.

mod meshctl;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Name, ObjectKey};
pub use crate::yaml::Place;
pub use meshctl::{
    Backend, BackendTls, Balance, Canary, DarkLaunch, Deployment, Ejection, Gates, MeshConfig,
    Release, RetryBudget, TrafficPolicy, TrafficRollout, Webhook,
};

/// A value and where it stands. Equality and hashing look at the value alone: an edit that
/// moves an object changes nothing.
#[derive(Clone, Debug)]
pub struct At<T> {
    pub value: T,
    pub place: Place,
}

impl<T> At<T> {
    pub fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }

    /// A value that no file holds: a default, a flag.
    pub fn nowhere(value: T) -> Self {
        Self { value, place: Place::default() }
    }
}

impl<T: PartialEq> PartialEq for At<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for At<T> {}

impl<T> std::ops::Deref for At<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// Where an object was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The path as it was named, `-` for standard input, empty for flags and clusters.
    pub file: Arc<str>,
    /// Lines of the file above the document.
    pub line_offset: u32,
}

/// One decoded resource.
#[derive(Clone, Debug)]
pub struct Object {
    pub key: ObjectKey,
    pub origin: Origin,
    pub meta: Meta,
    pub spec: Spec,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Where `metadata.name` stands: what a diagnostic about the whole object points at.
    pub place: Place,
    /// `creationTimestamp` as seconds since the epoch; 0 where there is none.
    pub created: i64,
    /// `metadata.generation`: what a cluster counts the changes of a spec with; 0 in a file.
    pub generation: i64,
    /// What a cluster tells an object from another of the same name with; empty in a file.
    pub uid: Name,
    pub labels: BTreeMap<Name, Name>,
    pub annotations: BTreeMap<Name, Name>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Spec {
    GatewayClass(GatewayClass),
    Gateway(Gateway),
    ListenerSet(ListenerSet),
    HttpRoute(HttpRoute),
    GrpcRoute(GrpcRoute),
    ReferenceGrant(ReferenceGrant),
    BackendTlsPolicy(BackendTlsPolicy),
    Service(Service),
    EndpointSlice(EndpointSlice),
    Secret(Secret),
    ConfigMap(ConfigMap),
    Namespace(Namespace),
    Backend(Backend),
    TrafficPolicy(TrafficPolicy),
    MeshConfig(MeshConfig),
    TrafficRollout(TrafficRollout),
}

/// `group`, `kind`, `namespace`, `name`, `sectionName` and `port` of any reference; which of
/// them a field has is the decoder's knowledge, their defaults are filled in by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub place: Place,
    pub group: Name,
    pub kind: Name,
    pub namespace: Option<Name>,
    pub name: Name,
    pub section_name: Option<Name>,
    pub port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct GatewayClass {
    pub controller_name: At<Name>,
    pub parameters_ref: Option<Reference>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Gateway {
    pub class: At<Name>,
    pub addresses: Vec<GatewayAddress>,
    pub listeners: Vec<Listener>,
    pub allowed_listeners: FromNamespaces,
    pub infrastructure: Infrastructure,
    /// `tls.frontend.default` and `tls.frontend.perPort`.
    pub frontend_default: Option<FrontendValidation>,
    pub frontend_per_port: Vec<(At<u16>, Option<FrontendValidation>)>,
    /// `tls.backend.clientCertificateRef`.
    pub backend_client_certificate: Option<Reference>,
}

/// What the objects that a cluster makes for a Gateway carry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Infrastructure {
    pub labels: BTreeMap<Name, Name>,
    pub annotations: BTreeMap<Name, Name>,
    /// A MeshConfig of the Gateway's own.
    pub parameters_ref: Option<Reference>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct GatewayAddress {
    pub kind: At<Name>,
    /// Empty: any address will do.
    pub value: At<Name>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FrontendValidation {
    pub place: Place,
    pub ca_certificate_refs: Vec<Reference>,
    /// `AllowValidOnly` or `AllowInsecureFallback`.
    pub mode: At<Name>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    pub name: At<Name>,
    pub hostname: Option<At<Name>>,
    pub port: At<u16>,
    pub protocol: At<Name>,
    pub tls: Option<ListenerTls>,
    pub allowed_namespaces: FromNamespaces,
    /// `allowedRoutes.kinds`: (group, kind).
    pub allowed_kinds: Vec<At<(Name, Name)>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ListenerTls {
    pub place: Place,
    /// `Terminate` or `Passthrough`.
    pub mode: At<Name>,
    pub certificate_refs: Vec<Reference>,
    pub options: BTreeMap<Name, At<Name>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FromNamespaces {
    None,
    Same,
    All,
    Selector(LabelSelector),
    Unknown(At<Name>),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelSelector {
    pub match_labels: BTreeMap<Name, Name>,
    /// (key, operator, values)
    pub match_expressions: Vec<(Name, At<Name>, Vec<Name>)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ListenerSet {
    pub parent: Reference,
    pub listeners: Vec<Listener>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct HttpRoute {
    pub parents: Vec<Reference>,
    pub hostnames: Vec<At<Name>>,
    pub rules: Vec<HttpRule>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct HttpRule {
    pub place: Place,
    pub name: Option<At<Name>>,
    pub matches: Vec<HttpMatch>,
    pub filters: Vec<Filter>,
    pub backends: Vec<BackendRef>,
    pub timeouts: Timeouts,
    pub retry: Option<Retry>,
    pub session_persistence: Option<SessionPersistence>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct HttpMatch {
    pub place: Place,
    /// (type, value)
    pub path: Option<(At<Name>, At<Name>)>,
    pub method: Option<At<Name>>,
    pub headers: Vec<ValueMatch>,
    pub query_params: Vec<ValueMatch>,
}

/// A header or query parameter condition.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueMatch {
    /// `Exact` or `RegularExpression`.
    pub kind: At<Name>,
    pub name: At<Name>,
    pub value: At<Name>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct GrpcRoute {
    pub parents: Vec<Reference>,
    pub hostnames: Vec<At<Name>>,
    pub rules: Vec<GrpcRule>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct GrpcRule {
    pub place: Place,
    pub name: Option<At<Name>>,
    pub matches: Vec<GrpcMatch>,
    pub filters: Vec<Filter>,
    pub backends: Vec<BackendRef>,
    pub session_persistence: Option<SessionPersistence>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct GrpcMatch {
    pub place: Place,
    pub method: Option<GrpcMethodMatch>,
    pub headers: Vec<ValueMatch>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct GrpcMethodMatch {
    pub kind: At<Name>,
    pub service: Option<At<Name>>,
    pub method: Option<At<Name>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    pub place: Place,
    pub kind: FilterKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FilterKind {
    RequestHeaderModifier(HeaderEdit),
    ResponseHeaderModifier(HeaderEdit),
    RequestRedirect(Redirect),
    UrlRewrite(Rewrite),
    RequestMirror(Mirror),
    Cors(Cors),
    /// ExtensionRef, ExternalAuth, or what a newer Gateway API brings: its `type`.
    Unknown(Name),
    /// The type's own field is missing.
    Incomplete(Name),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeaderEdit {
    pub set: Vec<(At<Name>, At<Name>)>,
    pub add: Vec<(At<Name>, At<Name>)>,
    pub remove: Vec<At<Name>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Redirect {
    pub scheme: Option<At<Name>>,
    pub hostname: Option<At<Name>>,
    pub path: Option<PathModifier>,
    pub port: Option<At<u16>>,
    pub status: Option<At<u16>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Rewrite {
    pub hostname: Option<At<Name>>,
    pub path: Option<PathModifier>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PathModifier {
    ReplaceFullPath(At<Name>),
    ReplacePrefixMatch(At<Name>),
    Unknown(At<Name>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Mirror {
    pub backend: Reference,
    pub percent: Option<At<u32>>,
    /// (numerator, denominator)
    pub fraction: Option<At<(u32, u32)>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cors {
    pub allow_origins: Vec<At<Name>>,
    pub allow_credentials: bool,
    pub allow_methods: Vec<At<Name>>,
    pub allow_headers: Vec<At<Name>>,
    pub expose_headers: Vec<At<Name>>,
    /// Seconds.
    pub max_age: Option<At<u32>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct BackendRef {
    pub reference: Reference,
    /// 1 where nothing is written.
    pub weight: At<u32>,
    pub filters: Vec<Filter>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeouts {
    pub request: Option<At<Duration>>,
    pub backend_request: Option<At<Duration>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Retry {
    pub codes: Vec<At<u16>>,
    pub attempts: Option<At<u32>>,
    pub backoff: Option<At<Duration>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SessionPersistence {
    pub place: Place,
    pub session_name: Option<At<Name>>,
    pub absolute_timeout: Option<At<Duration>>,
    pub idle_timeout: Option<At<Duration>>,
    /// `Cookie` or `Header`.
    pub kind: At<Name>,
    /// `cookieConfig.lifetimeType`: `Session` or `Permanent`.
    pub cookie_lifetime: At<Name>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceGrant {
    /// (group, kind, namespace)
    pub from: Vec<(Name, Name, Name)>,
    /// (group, kind, name)
    pub to: Vec<(Name, Name, Option<Name>)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct BackendTlsPolicy {
    /// `sectionName` is a Service port's name.
    pub targets: Vec<Reference>,
    pub hostname: At<Name>,
    pub ca_certificate_refs: Vec<Reference>,
    pub well_known_ca: Option<At<Name>>,
    /// (type, value): `Hostname` or `URI`.
    pub subject_alt_names: Vec<(At<Name>, At<Name>)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// `ClusterIP`, `NodePort`, `LoadBalancer` or `ExternalName`.
    pub kind: At<Name>,
    pub external_name: Option<At<Name>>,
    /// `None` for a headless Service.
    pub cluster_ip: Option<Name>,
    pub ports: Vec<ServicePort>,
    pub has_selector: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ServicePort {
    pub name: Option<Name>,
    pub port: At<u16>,
    /// A number, or a container port's name.
    pub target_port: Option<TargetPort>,
    pub protocol: Name,
    pub app_protocol: Option<At<Name>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetPort {
    Number(u16),
    Name(Name),
}

#[derive(Clone, Debug, PartialEq)]
pub struct EndpointSlice {
    /// The `kubernetes.io/service-name` label.
    pub service: Option<Name>,
    pub address_type: At<Name>,
    /// (name, port)
    pub ports: Vec<(Option<Name>, Option<u16>)>,
    pub endpoints: Vec<SliceEndpoint>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SliceEndpoint {
    pub addresses: Vec<At<Name>>,
    pub ready: Option<bool>,
    pub serving: Option<bool>,
    pub terminating: Option<bool>,
    pub zone: Option<Name>,
}

/// `data` (decoded from base64), `stringData`, and the files of `meshctl.dev/from-files`.
#[derive(Clone, PartialEq)]
pub struct Secret {
    pub kind: At<Name>,
    pub data: BTreeMap<Name, At<Arc<[u8]>>>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret").field("keys", &self.data.keys()).finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ConfigMap {
    pub data: BTreeMap<Name, At<Arc<[u8]>>>,
}

/// Its labels are in the object's metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct Namespace {}
