//! Kubernetes' own kinds: Service, EndpointSlice, Secret, ConfigMap, Namespace.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::base64;
use super::fields::{Fields, number, string, text};
use super::findings::Findings;
use super::{formats, routes};
use crate::config::codes;
use crate::config::raw::{
    At, ConfigMap, EndpointSlice, Meta, Namespace, Secret, Service, ServicePort, SliceEndpoint,
    TargetPort,
};
use crate::limits;
use crate::model::Name;
use crate::names::LABEL_SERVICE_NAME;
use crate::yaml::{Node, Value};

pub(super) fn service(object: &mut Fields<'_, '_>) -> Option<Service> {
    let mut spec = object.required_map("spec")?;
    let findings = spec.findings;
    let types = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"];
    let kind = spec.choice_or("type", &types, "ClusterIP");
    let external_name = spec.text("externalName", &formats::EXTERNAL_NAME);
    let cluster_ip = spec.text("clusterIP", &formats::ANY).map(|at| at.value);
    let selector = spec.text_map("selector");
    let ports = spec.list("ports", usize::MAX, |node| service_port(node, findings));
    if &*kind.value == "ExternalName" {
        if external_name.is_none() && !spec.has("externalName") {
            spec.missing("externalName");
        }
    } else if cluster_ip.as_deref() != Some("None") && !spec.has("ports") {
        spec.missing("ports");
    }
    if ports.len() > 1 {
        for port in ports.iter().filter(|port| port.name.is_none()) {
            findings.error(
                codes::MISSING_FIELD,
                port.port.place,
                "ports need a `name` where there are several",
            );
        }
    }
    let named = ports.iter().filter_map(|port| Some((port.port.place, port.name.clone()?)));
    routes::distinct(findings, named);
    routes::distinct(
        findings,
        ports.iter().map(|p| (p.port.place, format!("{}/{}", p.port.value, p.protocol))),
    );
    spec.ignore(SERVICE_IGNORED);
    spec.finish();
    Some(Service { kind, external_name, cluster_ip, ports, has_selector: !selector.is_empty() })
}

const SERVICE_IGNORED: &[&str] = &[
    "allocateLoadBalancerNodePorts",
    "clusterIPs",
    "externalIPs",
    "externalTrafficPolicy",
    "healthCheckNodePort",
    "internalTrafficPolicy",
    "ipFamilies",
    "ipFamily",
    "ipFamilyPolicy",
    "loadBalancerClass",
    "loadBalancerIP",
    "loadBalancerSourceRanges",
    "publishNotReadyAddresses",
    "sessionAffinity",
    "sessionAffinityConfig",
    "topologyKeys",
    "trafficDistribution",
];

fn service_port(node: &Node, findings: &Findings<'_>) -> Option<ServicePort> {
    let mut fields = Fields::open(node, findings)?;
    if !fields.has("port") {
        fields.missing("port");
    }
    let port = fields.port("port");
    let found = ServicePort {
        name: fields.text("name", &formats::LABEL).map(|at| at.value),
        port: port.unwrap_or(At::nowhere(0)),
        target_port: fields.take("targetPort").and_then(|node| target_port(node, findings)),
        protocol: fields.choice_or("protocol", &["TCP", "UDP", "SCTP"], "TCP").value,
        app_protocol: fields.text("appProtocol", &formats::ANY),
    };
    fields.ignore(&["nodePort"]);
    fields.finish();
    Some(found)
}

fn target_port(node: &Node, findings: &Findings<'_>) -> Option<TargetPort> {
    match &node.value {
        Value::String(_) => string(node, findings).map(TargetPort::Name),
        Value::Int(_) | Value::Float(_) => {
            number(node, &(1..=u16::MAX), findings).map(|at| TargetPort::Number(at.value))
        }
        _ => {
            findings.wrong_type(node, "a port's number or name");
            None
        }
    }
}

pub(super) fn endpoint_slice(object: &mut Fields<'_, '_>, meta: Option<&Meta>) -> EndpointSlice {
    let findings = object.findings;
    EndpointSlice {
        service: meta.and_then(|meta| meta.labels.get(LABEL_SERVICE_NAME)).cloned(),
        address_type: object.required_choice("addressType", &["IPv4", "IPv6", "FQDN"]),
        ports: object.list("ports", 100, |node| {
            let mut fields = Fields::open(node, findings)?;
            let name = fields.text("name", &formats::ANY).map(|at| at.value);
            let port = fields.port("port").map(|at| at.value);
            fields.ignore(&["protocol", "appProtocol"]);
            fields.finish();
            Some((name, port))
        }),
        endpoints: object.list("endpoints", 1000, |node| slice_endpoint(node, findings)),
    }
}

fn slice_endpoint(node: &Node, findings: &Findings<'_>) -> Option<SliceEndpoint> {
    let mut fields = Fields::open(node, findings)?;
    let addresses =
        fields.required_list("addresses", 100, |node| text(node, &formats::FILLED, findings));
    let mut conditions = fields.map("conditions");
    let mut condition = |name| conditions.as_mut()?.boolean(name).map(|at| at.value);
    let found = SliceEndpoint {
        addresses,
        ready: condition("ready"),
        serving: condition("serving"),
        terminating: condition("terminating"),
        zone: fields.text("zone", &formats::ANY).map(|at| at.value),
    };
    if let Some(conditions) = conditions {
        conditions.finish();
    }
    fields.ignore(&["hostname", "nodeName", "targetRef", "hints", "deprecatedTopology"]);
    fields.finish();
    Some(found)
}

type Data = BTreeMap<Name, At<Arc<[u8]>>>;

pub(super) fn secret(object: &mut Fields<'_, '_>) -> Secret {
    let kind = object.text("type", &formats::ANY).unwrap_or_else(|| At::nowhere("Opaque".into()));
    let mut data = encoded(object, "data");
    // `stringData` wins, as for the API server.
    data.extend(plain(object, "stringData"));
    object.boolean("immutable");
    bounded(&data, object);
    Secret { kind, data }
}

pub(super) fn config_map(object: &mut Fields<'_, '_>) -> ConfigMap {
    let mut data = plain(object, "data");
    for (key, value) in encoded(object, "binaryData") {
        if data.contains_key(&key) {
            object.conflict(
                value.place,
                format!("the key `{key}` is in `data` and in `binaryData`"),
                "remove one of them",
            );
        }
        data.insert(key, value);
    }
    object.boolean("immutable");
    bounded(&data, object);
    ConfigMap { data }
}

fn encoded(object: &mut Fields<'_, '_>, name: &'static str) -> Data {
    let findings = object.findings;
    let mut data = Data::new();
    for (key, value) in texts(object, name) {
        match base64::decode(&value.value) {
            Some(bytes) => {
                data.insert(key, At::new(bytes.into(), value.place));
            }
            None => {
                let help = match name {
                    "data" => "plain text goes into `stringData`",
                    _ => "plain text goes into `data`",
                };
                let message = format!("the value of `{key}` is not base64");
                findings.lost(codes::BAD_BASE64, value.place, message, help);
            }
        }
    }
    data
}

fn plain(object: &mut Fields<'_, '_>, name: &'static str) -> Data {
    let bytes = |at: At<Name>| At::new(Arc::from(at.value.as_bytes()), at.place);
    texts(object, name).into_iter().map(|(key, value)| (key, bytes(value))).collect()
}

fn texts(object: &mut Fields<'_, '_>, name: &'static str) -> BTreeMap<Name, At<Name>> {
    let findings = object.findings;
    for entry in object.pairs(name) {
        if !(formats::DATA_KEY.holds)(&entry.key) {
            let message = format!("this is not {}", formats::DATA_KEY.what);
            findings.error_help(formats::DATA_KEY.code, entry, message, formats::DATA_KEY.rule);
        }
    }
    object.text_map(name)
}

fn bounded(data: &Data, object: &Fields<'_, '_>) {
    let bytes: usize = data.values().map(|value| value.value.len()).sum();
    if bytes > limits::DATA_BYTES {
        let message = format!("the values have {bytes} bytes in all, at most 1 MiB is allowed");
        object.findings.error(codes::BAD_LENGTH, object.place, message);
    }
}

/// Its labels are what counts, and they are metadata.
pub(super) fn namespace(object: &mut Fields<'_, '_>) -> Namespace {
    if let Some(mut spec) = object.map("spec") {
        spec.ignore(&["finalizers"]);
        spec.finish();
    }
    Namespace {}
}
