//! A tiny language for raw objects: what a test doesn't say has the API's default.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::config::address::endpoint;
use crate::config::raw::*;
use crate::model::{Address, Kind, Name, ObjectKey, Store};
use crate::names;

pub(super) fn at(text: &str) -> At<Name> {
    At::nowhere(text.into())
}

pub(super) fn seconds(seconds: u64) -> Option<At<Duration>> {
    Some(At::nowhere(Duration::from_secs(seconds)))
}

pub(super) fn object(kind: Kind, name: &str, spec: Spec) -> Object {
    let namespace = if kind.is_cluster_scoped() { "" } else { "default" };
    Object {
        key: ObjectKey::new(Store::Files, kind, namespace, name),
        origin: Origin { file: "mesh.yaml".into(), line_offset: 0 },
        meta: Meta::default(),
        spec,
    }
}

impl Object {
    pub(super) fn within(mut self, namespace: &str) -> Self {
        self.key.namespace = namespace.into();
        self
    }

    pub(super) fn created(mut self, created: i64) -> Self {
        self.meta.created = created;
        self
    }

    pub(super) fn file(mut self, file: &str) -> Self {
        self.origin.file = file.into();
        self
    }

    pub(super) fn label(mut self, key: &str, value: &str) -> Self {
        self.meta.labels.insert(key.into(), value.into());
        self
    }

    pub(super) fn gateway(mut self, edit: impl FnOnce(&mut Gateway)) -> Self {
        let Spec::Gateway(spec) = &mut self.spec else { panic!("a Gateway") };
        edit(spec);
        self
    }

    pub(super) fn route(mut self, edit: impl FnOnce(&mut HttpRoute)) -> Self {
        let Spec::HttpRoute(spec) = &mut self.spec else { panic!("an HTTPRoute") };
        edit(spec);
        self
    }

    pub(super) fn service(mut self, edit: impl FnOnce(&mut Service)) -> Self {
        let Spec::Service(spec) = &mut self.spec else { panic!("a Service") };
        edit(spec);
        self
    }
}

pub(super) fn gateway(name: &str, listeners: Vec<Listener>) -> Object {
    let spec = Gateway {
        class: at("meshctl"),
        addresses: Vec::new(),
        listeners,
        allowed_listeners: FromNamespaces::None,
        infrastructure: Infrastructure::default(),
        frontend_default: None,
        frontend_per_port: Vec::new(),
        backend_client_certificate: None,
    };
    object(Kind::Gateway, name, Spec::Gateway(spec))
}

pub(super) fn address(kind: &str, value: &str) -> GatewayAddress {
    GatewayAddress { kind: at(kind), value: at(value) }
}

pub(super) fn listener(name: &str, port: u16) -> Listener {
    Listener {
        name: at(name),
        hostname: None,
        port: At::nowhere(port),
        protocol: at("HTTP"),
        tls: None,
        allowed_namespaces: FromNamespaces::Same,
        allowed_kinds: Vec::new(),
    }
}

pub(super) fn https(name: &str, port: u16, secrets: &[&str]) -> Listener {
    let tls = ListenerTls {
        place: Place::default(),
        mode: at("Terminate"),
        certificate_refs: secrets.iter().map(|name| to("", "Secret", name)).collect(),
        options: BTreeMap::new(),
    };
    Listener { protocol: at("HTTPS"), tls: Some(tls), ..listener(name, port) }
}

impl Listener {
    pub(super) fn host(self, host: &str) -> Self {
        Self { hostname: Some(at(host)), ..self }
    }

    pub(super) fn from(self, from: FromNamespaces) -> Self {
        Self { allowed_namespaces: from, ..self }
    }

    pub(super) fn kind(mut self, kind: &str) -> Self {
        let group = names::GROUP_GATEWAY_API.into();
        self.allowed_kinds.push(At::nowhere((group, kind.into())));
        self
    }
}

/// A reference that may name a namespace: `shop/cart`.
pub(super) fn to(group: &str, kind: &str, name: &str) -> Reference {
    let (namespace, name) = match name.split_once('/') {
        Some((namespace, name)) => (Some(namespace.into()), name),
        None => (None, name),
    };
    Reference {
        place: Place::default(),
        group: group.into(),
        kind: kind.into(),
        namespace,
        name: name.into(),
        section_name: None,
        port: None,
    }
}

pub(super) fn to_gateway(name: &str) -> Reference {
    to(names::GROUP_GATEWAY_API, "Gateway", name)
}

pub(super) fn to_service(name: &str, port: u16) -> Reference {
    Reference { port: Some(port), ..to("", "Service", name) }
}

pub(super) fn to_backend(name: &str) -> Reference {
    to(names::GROUP_MESHCTL, "Backend", name)
}

pub(super) fn listener_set(name: &str, parent: &str, listeners: Vec<Listener>) -> Object {
    let spec = ListenerSet { parent: to_gateway(parent), listeners };
    object(Kind::ListenerSet, name, Spec::ListenerSet(spec))
}

pub(super) fn class(name: &str, controller: &str, parameters: Option<Reference>) -> Object {
    let spec = GatewayClass { controller_name: at(controller), parameters_ref: parameters };
    object(Kind::GatewayClass, name, Spec::GatewayClass(spec))
}

/// One rule that takes everything to the backends.
pub(super) fn route(name: &str, gateway: &str, backends: Vec<Reference>) -> Object {
    let spec = HttpRoute {
        parents: vec![to_gateway(gateway)],
        hostnames: Vec::new(),
        rules: vec![rule(backends)],
    };
    object(Kind::HttpRoute, name, Spec::HttpRoute(spec))
}

pub(super) fn hosts(hosts: &[&str]) -> Vec<At<Name>> {
    hosts.iter().map(|host| at(host)).collect()
}

pub(super) fn rule(backends: Vec<Reference>) -> HttpRule {
    HttpRule {
        place: Place::default(),
        name: None,
        matches: Vec::new(),
        filters: Vec::new(),
        backends: backends.into_iter().map(|one| weighted(one, 1)).collect(),
        timeouts: Timeouts::default(),
        retry: None,
        session_persistence: None,
    }
}

pub(super) fn weighted(reference: Reference, weight: u32) -> BackendRef {
    BackendRef { reference, weight: At::nowhere(weight), filters: Vec::new() }
}

pub(super) fn matching(kind: &str, path: &str) -> HttpMatch {
    HttpMatch {
        place: Place::default(),
        path: Some((at(kind), at(path))),
        method: None,
        headers: Vec::new(),
        query_params: Vec::new(),
    }
}

pub(super) fn value(kind: &str, name: &str, value: &str) -> ValueMatch {
    ValueMatch { kind: at(kind), name: at(name), value: at(value) }
}

pub(super) fn filter(kind: FilterKind) -> Filter {
    Filter { place: Place::default(), kind }
}

pub(super) fn grpc_route(name: &str, gateway: &str, backends: Vec<Reference>) -> Object {
    let rule = GrpcRule {
        place: Place::default(),
        name: None,
        matches: Vec::new(),
        filters: Vec::new(),
        backends: backends.into_iter().map(|one| weighted(one, 1)).collect(),
        session_persistence: None,
    };
    let spec =
        GrpcRoute { parents: vec![to_gateway(gateway)], hostnames: Vec::new(), rules: vec![rule] };
    object(Kind::GrpcRoute, name, Spec::GrpcRoute(spec))
}

pub(super) fn service(name: &str, port: u16) -> Object {
    let port = ServicePort {
        name: None,
        port: At::nowhere(port),
        target_port: None,
        protocol: "TCP".into(),
        app_protocol: None,
    };
    let spec = Service {
        kind: at("ClusterIP"),
        external_name: None,
        cluster_ip: None,
        ports: vec![port],
        has_selector: true,
    };
    object(Kind::Service, name, Spec::Service(spec))
}

/// `10.0.0.1`, ready; `!10.0.0.1`, not ready; `-10.0.0.1`, terminating and serving.
pub(super) fn slice(name: &str, service: &str, port: u16, addresses: &[&str]) -> Object {
    let endpoint = |text: &&str| SliceEndpoint {
        addresses: vec![at(text.trim_start_matches(['!', '-']))],
        ready: text.starts_with(['!', '-']).then_some(false),
        serving: text.starts_with('-').then_some(true),
        terminating: text.starts_with('-').then_some(true),
        zone: None,
    };
    let spec = EndpointSlice {
        service: Some(service.into()),
        address_type: at("IPv4"),
        ports: vec![(None, Some(port))],
        endpoints: addresses.iter().map(endpoint).collect(),
    };
    object(Kind::EndpointSlice, name, Spec::EndpointSlice(spec))
}

fn endpoint_at(text: &str) -> At<Address> {
    At::nowhere(endpoint(text).expect("an endpoint"))
}

pub(super) fn backend(name: &str, endpoints: &[&str]) -> Object {
    let spec = Backend {
        endpoints: endpoints.iter().map(|text| (endpoint_at(text), 1)).collect(),
        protocol: at("HTTP"),
        tls: None,
    };
    object(Kind::Backend, name, Spec::Backend(spec))
}

pub(super) fn secret(name: &str, entries: &[(&str, &str)]) -> Object {
    let spec = Secret { kind: at("kubernetes.io/tls"), data: data(entries) };
    object(Kind::Secret, name, Spec::Secret(spec))
}

pub(super) fn config_map(name: &str, entries: &[(&str, &str)]) -> Object {
    object(Kind::ConfigMap, name, Spec::ConfigMap(ConfigMap { data: data(entries) }))
}

fn data(entries: &[(&str, &str)]) -> BTreeMap<Name, At<Arc<[u8]>>> {
    let entry = |(key, text): &(&str, &str)| ((*key).into(), At::nowhere(text.as_bytes().into()));
    entries.iter().map(entry).collect()
}

/// From (kind, namespace) to kind, in the namespace of the object it is put `within`.
pub(super) fn grant(name: &str, from: (Kind, &str), to: Kind) -> Object {
    let spec = ReferenceGrant {
        from: vec![(from.0.group().into(), from.0.as_str().into(), from.1.into())],
        to: vec![(to.group().into(), to.as_str().into(), None)],
    };
    object(Kind::ReferenceGrant, name, Spec::ReferenceGrant(spec))
}

pub(super) fn namespace(name: &str) -> Object {
    object(Kind::Namespace, name, Spec::Namespace(Namespace {}))
}

pub(super) fn traffic_policy(name: &str, target: Reference) -> TrafficPolicyObject {
    let spec = TrafficPolicy {
        targets: vec![target],
        balance: None,
        connect_timeout: None,
        request_timeout: None,
        backend_request_timeout: None,
        stream_idle_timeout: None,
        retry_budget: None,
        ejection: None,
        slow_start: None,
        proxy_protocol: None,
        max_requests: None,
    };
    TrafficPolicyObject { name: name.to_owned(), spec }
}

/// A TrafficPolicy whose fields are still to be set.
pub(super) struct TrafficPolicyObject {
    name: String,
    pub(super) spec: TrafficPolicy,
}

impl TrafficPolicyObject {
    pub(super) fn set(mut self, edit: impl FnOnce(&mut TrafficPolicy)) -> Object {
        edit(&mut self.spec);
        object(Kind::TrafficPolicy, &self.name, Spec::TrafficPolicy(self.spec))
    }
}

pub(super) fn tls_of(target: Reference, ca: &[&str]) -> BackendTlsPolicy {
    BackendTlsPolicy {
        targets: vec![target],
        hostname: at("backend.example"),
        ca_certificate_refs: ca.iter().map(|name| to("", "ConfigMap", name)).collect(),
        well_known_ca: None,
        subject_alt_names: Vec::new(),
    }
}

pub(super) fn tls_policy(name: &str, spec: BackendTlsPolicy) -> Object {
    object(Kind::BackendTlsPolicy, name, Spec::BackendTlsPolicy(spec))
}

pub(super) fn mesh_config(name: &str, edit: impl FnOnce(&mut MeshConfig)) -> Object {
    let mut spec = MeshConfig::default();
    edit(&mut spec);
    object(Kind::MeshConfig, name, Spec::MeshConfig(spec))
}

/// A Gateway `web` on port 80, a route `web` to the Service `web`, which has one endpoint.
pub(super) fn shop() -> Vec<Object> {
    vec![
        gateway("web", vec![listener("http", 80)]),
        route("web", "web", vec![to_service("web", 8080)]),
        service("web", 8080),
        slice("web-1", "web", 3000, &["10.0.0.1"]),
    ]
}

/// The shop with another route in place of its own.
pub(super) fn shop_with(route: Object) -> Vec<Object> {
    let mut objects = shop();
    objects[1] = route;
    objects
}

/// PEM of a certificate for the hosts and of its key, by seconds since the epoch.
pub(super) fn pem(hosts: &[&str], valid: (i64, i64)) -> (String, String) {
    let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    let mut params = rcgen::CertificateParams::new(hosts).expect("literal hosts");
    let day = |time: i64| {
        let from_1970 = Duration::from_secs(u64::try_from(time).expect("after 1970"));
        (std::time::UNIX_EPOCH + from_1970).into()
    };
    params.not_before = day(valid.0);
    params.not_after = day(valid.1);
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}

pub(super) fn tls_secret(name: &str) -> Object {
    let (certificate, key) = pem(&["shop.example"], (super::NOW - 86_400, super::NOW + 86_400));
    secret(name, &[("tls.crt", &certificate), ("tls.key", &key)])
}

pub(super) fn ca_map(name: &str) -> Object {
    let (certificate, _) = pem(&["ca.example"], (super::NOW - 86_400, super::NOW + 86_400));
    config_map(name, &[("ca.crt", &certificate)])
}
