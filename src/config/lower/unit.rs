//! The units of lowering: small pure functions whose results are kept, and what they say to each
//! other. The order of the keys is the order of the layers: a unit asks only units of earlier
//! layers for their output.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::config::raw;
use crate::config::status::{Refusal, Status};
use crate::model::{
    BackendPolicy, BackendTls, BindAddress, Cause, Hostname, ListenerSettings, Name, ObjectKey,
    Part, PartKey, PartKind, Scope, Timeouts,
};
use crate::names;

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum UnitKey {
    /// What a MeshConfig says.
    MeshConfig(ObjectKey),
    /// What a TrafficPolicy or BackendTLSPolicy says.
    Policy(ObjectKey),
    /// Whether a Gateway is ours, and its own listeners.
    Gateway(ObjectKey),
    /// Whether a ListenerSet is attached, and its listeners.
    ListenerSet(ObjectKey),
    /// All listeners of one fleet against each other.
    Ports(Fleet),
    /// The listeners of one Gateway or ListenerSet that are left.
    Parent(ObjectKey),
    /// A Secret's certificate and key.
    Certificate(ObjectKey),
    /// What a Gateway brings to every rule that it takes.
    Traits(ObjectKey),
    /// The settings of a Gateway's connections.
    Settings(ObjectKey),
    Listener(PartKey),
    /// Where a route would be attached if it were alone.
    Attach(ObjectKey),
    /// HTTPRoutes against GRPCRoutes on one listener.
    Arbiter(PartKey),
    /// What a backendRef means: Service or Backend, and port.
    Target(ObjectKey, Option<u16>),
    /// Whether a target is spoken to with the Gateway's client certificate, where there is one.
    Wears(ObjectKey, Option<u16>),
    /// The rules of a route.
    Route(ObjectKey),
    Backend(BackendKey),
    Endpoints(ObjectKey, Option<u16>),
    /// What a cluster is told about an object.
    Status(ObjectKey),
}

/// The Gateways whose listeners share sockets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Fleet {
    /// All of a directory.
    Everything,
    /// One Gateway of a cluster.
    Of(ObjectKey),
    /// The Gateways of a cluster's shared class.
    Shared,
}

impl Fleet {
    pub(super) fn scope(&self) -> Scope {
        match self {
            Self::Everything => Scope::default(),
            Self::Of(gateway) => Scope {
                namespace: gateway.namespace.clone(),
                name: gateway.name.clone(),
                shared: false,
            },
            Self::Shared => Scope {
                namespace: names::NAMESPACE_SYSTEM.into(),
                name: names::GATEWAY_CLASS_SHARED.into(),
                shared: true,
            },
        }
    }
}

impl UnitKey {
    /// The object whose existence alone keeps the unit; the others live while they are asked for.
    pub(super) fn root(&self) -> Option<&ObjectKey> {
        match self {
            Self::MeshConfig(object)
            | Self::Policy(object)
            | Self::Gateway(object)
            | Self::ListenerSet(object)
            | Self::Attach(object)
            | Self::Route(object)
            | Self::Status(object) => Some(object),
            Self::Traits(_)
            | Self::Ports(_)
            | Self::Parent(_)
            | Self::Certificate(_)
            | Self::Settings(_)
            | Self::Listener(_)
            | Self::Arbiter(_)
            | Self::Target(..)
            | Self::Wears(..)
            | Self::Backend(_)
            | Self::Endpoints(..) => None,
        }
    }
}

/// One way of talking to a Service's port or a Backend.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct BackendKey {
    pub(super) object: ObjectKey,
    pub(super) port: Option<u16>,
    /// Asked for by a GRPCRoute where the Service doesn't name a protocol: HTTP/2.
    pub(super) grpc: bool,
    pub(super) identity: Identity,
}

/// The client certificate that the Gateway of a route wants to be shown to backends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Identity {
    #[default]
    Nobody,
    Certificate(PartKey),
    /// It is asked for and can't be had.
    Refused,
}

impl BackendKey {
    /// `8080` for most; `8080/grpc`, `8080~ns/secret` where one Service is used in several ways.
    pub(super) fn part(&self) -> PartKey {
        let mut section = section_of(self.port);
        if self.grpc {
            section.push_str("/grpc");
        }
        match &self.identity {
            Identity::Nobody => {}
            Identity::Certificate(key) => {
                section.push_str(&format!("~{}/{}", key.object.namespace, key.object.name));
            }
            Identity::Refused => section.push_str("~refused"),
        }
        PartKey::new(PartKind::Backend, self.object.clone(), &section)
    }
}

/// The port of a Service; empty for a Backend.
pub(super) fn section_of(port: Option<u16>) -> String {
    port.map(|port| port.to_string()).unwrap_or_default()
}

/// What other units see of a unit. Equal outputs end the spread of a change.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Output {
    #[default]
    Nothing,
    Gateway(Arc<GatewayShape>),
    ListenerSet(Arc<SetShape>),
    Ports(Arc<BTreeMap<ObjectKey, Arc<ParentShape>>>),
    Parent(Arc<ParentShape>),
    Settings(Arc<ListenerSettings>),
    Certificate(Result<PartKey, Cause>),
    Traits(Arc<GatewayTraits>),
    Listener(Arc<ListenerState>),
    Attach(Arc<Attached>),
    /// How many routes are attached to a listener.
    Arbiter(u32),
    Route(Arc<RouteShape>),
    Status(Arc<Status>),
    Target(Result<TargetShape, TargetError>),
    Wears(bool),
    Traffic(Arc<TrafficShape>),
    BackendTls(Result<Arc<BackendTls>, Cause>),
}

/// A unit's result.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub(super) output: Output,
    pub(super) parts: Vec<Part>,
}

impl From<Output> for Made {
    fn from(output: Output) -> Self {
        Self { output, parts: Vec::new() }
    }
}

#[derive(Debug, PartialEq)]
pub(super) struct GatewayShape {
    /// `None` for a Gateway of another class.
    pub(super) fleet: Option<Fleet>,
    pub(super) binds: Vec<Option<std::net::IpAddr>>,
    pub(super) listeners: Listeners,
}

#[derive(Debug, PartialEq)]
pub(super) struct SetShape {
    /// The Gateway that takes the set, and its fleet; else why not, unless that is nobody's of us.
    pub(super) gateway: Result<(ObjectKey, Fleet), Option<Refusal>>,
    pub(super) listeners: Listeners,
}

/// What an object writes: what can be served, and what can't.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Listeners {
    pub(super) served: Vec<Arc<ListenerShape>>,
    pub(super) refused: Vec<Arc<RefusedListener>>,
}

#[derive(Debug, PartialEq)]
pub(super) struct RefusedListener {
    pub(super) name: Name,
    pub(super) binds: Vec<BindAddress>,
    /// UDP shares no port with the others.
    pub(super) datagrams: bool,
    pub(super) why: Refusal,
}

/// A listener as far as routes and other listeners see it.
#[derive(Debug, PartialEq)]
pub(super) struct ListenerShape {
    pub(super) name: Name,
    pub(super) gateway: ObjectKey,
    pub(super) scope: Scope,
    /// One key per address; the first has the listener's name as its section.
    pub(super) binds: Vec<(PartKey, BindAddress)>,
    pub(super) port: u16,
    pub(super) https: bool,
    pub(super) hostname: Option<Hostname>,
    pub(super) namespaces: raw::FromNamespaces,
    pub(super) takes_http: bool,
    pub(super) takes_grpc: bool,
    /// Why some of `allowedRoutes.kinds` are passed over.
    pub(super) other_kinds: Option<Refusal>,
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct ParentShape {
    pub(super) state: ParentState,
    pub(super) listeners: Vec<Arc<ListenerShape>>,
    /// Listeners that are written and were refused: reported already.
    pub(super) refused: BTreeMap<Name, Refusal>,
    /// HTTPS listeners whose hostname is also another's on their port, and whose.
    pub(super) overlapping: BTreeMap<Name, Name>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ParentState {
    #[default]
    Missing,
    /// A Gateway of another class, or a ListenerSet of one: reported already.
    PassedOver,
    /// A ListenerSet that its Gateway, one of ours, doesn't take: reported already.
    NotAttached,
    Served,
}

/// What a listener got of what it refers to.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ListenerState {
    /// Why a certificate can't be had, and whether there is another.
    pub(super) certificates: Option<Refusal>,
    pub(super) without_certificate: bool,
    /// The same of the CA certificates that clients are checked against.
    pub(super) authorities: Option<Refusal>,
    pub(super) without_authority: bool,
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct GatewayTraits {
    pub(super) identity: Identity,
    pub(super) timeouts: Timeouts,
    pub(super) stream_idle: Option<Duration>,
}

/// Where a route would be attached, and what its parents say to it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Attached {
    pub(super) claims: Vec<Claim>,
    /// By position of the parentRef; none for those that aren't ours.
    pub(super) parents: Vec<Option<Result<Vec<PartKey>, Refusal>>>,
}

/// What a route's rules came to.
#[derive(Debug, Default, PartialEq)]
pub(super) struct RouteShape {
    /// The first backend that can't be had.
    pub(super) refs: Option<Refusal>,
    /// The first rule that can't be served as it is written.
    pub(super) invalid: Option<Refusal>,
    /// Every rule is so.
    pub(super) wholly_invalid: bool,
    /// The objects that its rules send to, and the Gateways that do; in a cluster alone.
    pub(super) uses: BTreeSet<(ObjectKey, ObjectKey)>,
}

/// A route on one bind of a listener.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Claim {
    pub(super) listener: PartKey,
    pub(super) gateway: ObjectKey,
    /// Age of the route.
    pub(super) created: i64,
    pub(super) hosts: BTreeSet<Option<Hostname>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TargetShape {
    /// Nobody says which protocol is spoken: a GRPCRoute then means HTTP/2.
    pub(super) protocol_open: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TargetError {
    Missing,
    NoSuchPort,
    NotTcp,
    /// It leads where no route of a cluster may; why, as a sentence's end.
    Forbidden(String),
}

/// A TrafficPolicy with its values checked.
#[derive(Debug, PartialEq)]
pub(super) struct TrafficShape {
    pub(super) backend: BackendPolicy,
    /// The outer `None` leaves the question to a wider target, the inner one is "no limit".
    pub(super) request: Option<Option<Duration>>,
    pub(super) backend_request: Option<Option<Duration>>,
    pub(super) stream_idle: Option<Duration>,
}
