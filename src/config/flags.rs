//! What the command line says about the configuration, and "no file at all": the objects that
//! `--listen` and `--to` stand for, and the same as documents for `meshctl init`.
//!
//! This module must not know how arguments are parsed beyond the values of these flags.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Value, json};

use super::lower::{AddressError, parse_address};
use super::raw::{
    At, Backend, BackendRef, FromNamespaces, Gateway, GatewayAddress, HttpRoute, HttpRule,
    Listener, Meta, Object, Origin, Place, Reference, Spec, Timeouts,
};
use crate::model::{AccessLogFormat, Address, Kind, Name, ObjectKey, Store};
use crate::names;

#[cfg(test)]
mod tests;

/// What changes the meaning of a directory without editing it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `--class NAME`: these classes are ours too.
    pub classes: Vec<Name>,
    /// `--port 80=8080`: a listener's port to the one that is bound.
    pub port_moves: BTreeMap<u16, u16>,
    /// `--endpoint [NS/]SERVICE=HOST:PORT`, repeatable: (namespace, Service) to its endpoints.
    pub endpoints: BTreeMap<(Name, Name), Vec<Address>>,
    /// `--access-log`: every listener's, whatever its MeshConfig says.
    pub access_log: Option<Option<AccessLogFormat>>,
}

/// Why the value of a flag can't be read, as a sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlagError {
    Endpoint { text: String, why: AddressError },
    EndpointShape { text: String },
    PortMove { text: String },
    Listen { text: String },
    To { text: String, why: AddressError },
    Weight { text: String },
}

impl std::fmt::Display for FlagError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Endpoint { text, why } | Self::To { text, why } => {
                write!(f, "`{text}` is not an endpoint: {why}")
            }
            Self::EndpointShape { text } => {
                write!(f, "`{text}` is not of the form [NAMESPACE/]SERVICE=HOST:PORT")
            }
            Self::PortMove { text } => write!(f, "`{text}` is not of the form 80=8080"),
            Self::Listen { text } => {
                write!(f, "`{text}` is not of the form :PORT, IP:PORT or [IPV6]:PORT")
            }
            Self::Weight { text } => {
                write!(f, "`{text}` is not a weight: a number from 0 to 1000000")
            }
        }
    }
}

impl std::error::Error for FlagError {}

impl Options {
    /// `--endpoint [NS/]SERVICE=HOST:PORT`
    pub fn add_endpoint(&mut self, text: &str) -> Result<(), FlagError> {
        let shape = || FlagError::EndpointShape { text: text.to_owned() };
        let (service, endpoint) = text.split_once('=').ok_or_else(shape)?;
        let (namespace, service) =
            service.split_once('/').unwrap_or((names::NAMESPACE_DEFAULT, service));
        if namespace.is_empty() || service.is_empty() || service.contains('/') {
            return Err(shape());
        }
        let address = parse_address(endpoint)
            .map_err(|why| FlagError::Endpoint { text: endpoint.to_owned(), why })?;
        self.endpoints.entry((namespace.into(), service.into())).or_default().push(address);
        Ok(())
    }

    /// `--port 80=8080`
    pub fn add_port_move(&mut self, text: &str) -> Result<(), FlagError> {
        let wrong = || FlagError::PortMove { text: text.to_owned() };
        let (from, to) = text.split_once('=').ok_or_else(wrong)?;
        let (from, to) = (port(from).ok_or_else(wrong)?, port(to).ok_or_else(wrong)?);
        self.port_moves.insert(from, to);
        Ok(())
    }
}

/// A number from 1 to 65535, digits alone.
fn port(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

/// `:8080`, `127.0.0.1:8080`, `[::1]:8080`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    pub ip: Option<IpAddr>,
    pub port: u16,
}

impl std::str::FromStr for Listen {
    type Err = FlagError;

    fn from_str(text: &str) -> Result<Self, FlagError> {
        let wrong = || FlagError::Listen { text: text.to_owned() };
        if let Some(number) = text.strip_prefix(':') {
            return Ok(Self { ip: None, port: port(number).ok_or_else(wrong)? });
        }
        match parse_address(text) {
            Ok(Address::Socket(address)) => {
                Ok(Self { ip: Some(address.ip()), port: address.port() })
            }
            _ => Err(wrong()),
        }
    }
}

/// `localhost:3000=90`; a weight of 1 when none is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct To {
    pub endpoint: Address,
    pub weight: u32,
}

/// The API's own bound.
const MAX_WEIGHT: u32 = 1_000_000;

impl std::str::FromStr for To {
    type Err = FlagError;

    fn from_str(text: &str) -> Result<Self, FlagError> {
        // A path of a Unix socket may hold a `=`; what follows the last one is a number then.
        let split = text.rsplit_once('=').filter(|(endpoint, weight)| {
            !endpoint.starts_with("unix:") || weight.bytes().all(|byte| byte.is_ascii_digit())
        });
        let (endpoint, weight) = split.unwrap_or((text, "1"));
        let digits = !weight.is_empty() && weight.bytes().all(|byte| byte.is_ascii_digit());
        let weight = weight.parse().ok().filter(|weight| digits && *weight <= MAX_WEIGHT);
        let weight = weight.ok_or_else(|| FlagError::Weight { text: text.to_owned() })?;
        let endpoint = parse_address(endpoint)
            .map_err(|why| FlagError::To { text: endpoint.to_owned(), why })?;
        Ok(Self { endpoint, weight })
    }
}

const GATEWAY: &str = "gateway";
const ROUTE: &str = "route";

/// The objects of `--listen … --to …`: Gateways with a listener per port, one HTTPRoute on all of
/// them, and a Backend per `--to`.
pub fn quick(listen: &[Listen], to: &[To]) -> Vec<Object> {
    let gateways = gateways(listen);
    let mut objects: Vec<Object> =
        gateways.iter().map(|(name, ip, ports)| gateway(name, *ip, ports)).collect();
    let parents = gateways.iter().map(|(name, ..)| parent(name)).collect();
    objects.push(route(parents, to));
    objects.extend(to.iter().enumerate().map(|(position, one)| backend(position, to.len(), one)));
    objects
}

/// The same as [`quick`], as documents to be written to a file.
pub fn quick_documents(listen: &[Listen], to: &[To]) -> Vec<Value> {
    let gateways = gateways(listen);
    let mut documents: Vec<Value> =
        gateways.iter().map(|(name, ip, ports)| gateway_document(name, *ip, ports)).collect();
    let parents: Vec<Value> = gateways.iter().map(|(name, ..)| json!({ "name": name })).collect();
    let refs: Vec<Value> = to
        .iter()
        .enumerate()
        .map(|(position, one)| {
            json!({
                "group": names::GROUP_MESHCTL,
                "kind": Kind::Backend.as_str(),
                "name": backend_name(position, to.len()),
                "weight": one.weight,
            })
        })
        .collect();
    documents.push(json!({
        "apiVersion": format!("{}/v1", names::GROUP_GATEWAY_API),
        "kind": Kind::HttpRoute.as_str(),
        "metadata": { "name": ROUTE },
        "spec": { "parentRefs": parents, "rules": [{ "backendRefs": refs }] },
    }));
    for (position, one) in to.iter().enumerate() {
        documents.push(json!({
            "apiVersion": names::API_VERSION_MESHCTL,
            "kind": Kind::Backend.as_str(),
            "metadata": { "name": backend_name(position, to.len()) },
            "spec": { "endpoints": [spelled(&one.endpoint)] },
        }));
    }
    documents
}

/// A Gateway's addresses hold for all of its listeners, so there is one for each address.
type Gateways = Vec<(String, Option<IpAddr>, Vec<u16>)>;

fn gateways(listen: &[Listen]) -> Gateways {
    let mut ports: BTreeMap<Option<IpAddr>, Vec<u16>> = BTreeMap::new();
    for one in listen {
        let of_ip = ports.entry(one.ip).or_default();
        if !of_ip.contains(&one.port) {
            of_ip.push(one.port);
        }
    }
    let name = |position: usize| match position {
        0 => GATEWAY.to_owned(),
        _ => format!("{GATEWAY}-{}", position + 1),
    };
    let numbered = ports.into_iter().enumerate();
    numbered.map(|(position, (ip, ports))| (name(position), ip, ports)).collect()
}

fn backend_name(position: usize, of: usize) -> String {
    if of == 1 { "backend".to_owned() } else { format!("backend-{}", position + 1) }
}

/// As `parse_address` reads it.
fn spelled(address: &Address) -> String {
    address.to_string()
}

fn listener_name(port: u16) -> String {
    format!("http-{port}")
}

fn at(text: &str) -> At<Name> {
    At::nowhere(text.into())
}

fn object(kind: Kind, name: &str, spec: Spec) -> Object {
    Object {
        key: ObjectKey::new(Store::Flags, kind, names::NAMESPACE_DEFAULT, name),
        origin: Origin { file: Arc::from(""), line_offset: 0 },
        meta: Meta::default(),
        spec,
    }
}

fn gateway(name: &str, ip: Option<IpAddr>, ports: &[u16]) -> Object {
    let address = |ip: IpAddr| GatewayAddress { kind: at("IPAddress"), value: at(&ip.to_string()) };
    let listener = |port: &u16| Listener {
        name: at(&listener_name(*port)),
        hostname: None,
        port: At::nowhere(*port),
        protocol: at("HTTP"),
        tls: None,
        allowed_namespaces: FromNamespaces::Same,
        allowed_kinds: Vec::new(),
    };
    let spec = Gateway {
        class: at(names::GATEWAY_CLASS),
        addresses: ip.into_iter().map(address).collect(),
        listeners: ports.iter().map(listener).collect(),
        allowed_listeners: FromNamespaces::None,
        parameters_ref: None,
        frontend_default: None,
        frontend_per_port: Vec::new(),
        backend_client_certificate: None,
    };
    object(Kind::Gateway, name, Spec::Gateway(spec))
}

fn gateway_document(name: &str, ip: Option<IpAddr>, ports: &[u16]) -> Value {
    let listener =
        |port: &u16| json!({ "name": listener_name(*port), "protocol": "HTTP", "port": *port });
    let mut spec = json!({
        "gatewayClassName": names::GATEWAY_CLASS,
        "listeners": ports.iter().map(listener).collect::<Vec<_>>(),
    });
    if let Some(ip) = ip {
        spec["addresses"] = json!([{ "type": "IPAddress", "value": ip.to_string() }]);
    }
    json!({
        "apiVersion": format!("{}/v1", names::GROUP_GATEWAY_API),
        "kind": Kind::Gateway.as_str(),
        "metadata": { "name": name },
        "spec": spec,
    })
}

fn reference(group: &str, kind: Kind, name: &str) -> Reference {
    Reference {
        place: Place::default(),
        group: group.into(),
        kind: kind.as_str().into(),
        namespace: None,
        name: name.into(),
        section_name: None,
        port: None,
    }
}

fn parent(gateway: &str) -> Reference {
    reference(names::GROUP_GATEWAY_API, Kind::Gateway, gateway)
}

fn route(parents: Vec<Reference>, to: &[To]) -> Object {
    let backends = to
        .iter()
        .enumerate()
        .map(|(position, one)| BackendRef {
            reference: reference(
                names::GROUP_MESHCTL,
                Kind::Backend,
                &backend_name(position, to.len()),
            ),
            weight: At::nowhere(one.weight),
            filters: Vec::new(),
        })
        .collect();
    let rule = HttpRule {
        place: Place::default(),
        name: None,
        matches: Vec::new(),
        filters: Vec::new(),
        backends,
        timeouts: Timeouts::default(),
        retry: None,
        session_persistence: None,
    };
    let spec = HttpRoute { parents, hostnames: Vec::new(), rules: vec![rule] };
    object(Kind::HttpRoute, ROUTE, Spec::HttpRoute(spec))
}

fn backend(position: usize, of: usize, to: &To) -> Object {
    let spec = Backend {
        endpoints: vec![(at(&spelled(&to.endpoint)), 1)],
        protocol: at("HTTP"),
        tls: None,
    };
    object(Kind::Backend, &backend_name(position, of), Spec::Backend(spec))
}
