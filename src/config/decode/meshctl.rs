//! meshctl's own kinds. Their spellings are set here; `crds/` says the same.

use std::net::IpAddr;
use std::time::Duration;

use super::fields::{Fields, string, text};
use super::findings::{Findings, Spot};
use super::http_route::longer_than_request;
use super::policy::{self, Validation};
use super::references::{self, reference};
use super::{deployment, formats, rollout, routes};
use crate::config::raw::{
    At, Backend, BackendTls, Balance, Ejection, MeshConfig, Reference, RetryBudget, Timeouts,
    TrafficPolicy,
};
use crate::config::{address, codes, suggest};
use crate::limits;
use crate::model::{Address, Kind, Name};
use crate::yaml::{Node, Value};

/// A service that Kubernetes doesn't know, with exactly one source of endpoints.
///
/// ```yaml
/// spec:
///   endpoints:                      # HOST:PORT, [IPv6]:PORT, unix:/path
///   - legacy.example.com:8080
///   - {address: "10.0.0.2:8080", weight: 3}
///   protocol: HTTP                  # HTTP, H2C or WebSocket
///   tls:                            # as in XBackend; without validation: what the system trusts
///     mode: ServerOnly              # None, ServerOnly or ClientAndServer
///     validation: {hostname: legacy.example.com, wellKnownCACertificates: System}
///     clientCertificateRef: {name: client}
/// ```
pub(super) fn backend(object: &mut Fields<'_, '_>) -> Option<Backend> {
    let mut spec = object.required_map("spec")?;
    let findings = spec.findings;
    let mut discovered = false;
    for source in ["eureka", "consul", "localPort"] {
        if let Some(node) = spec.take(source) {
            discovered |= source != "localPort";
            let message = format!("this version of meshctl doesn't serve `{source}`");
            findings.error_help(codes::NOT_SERVED, node, message, "list the `endpoints`");
        }
    }
    let endpoints = if discovered {
        spec.list("endpoints", limits::BACKEND_ENDPOINTS, |node| endpoint(node, findings))
    } else {
        spec.required_list("endpoints", limits::BACKEND_ENDPOINTS, |node| endpoint(node, findings))
    };
    routes::distinct(findings, endpoints.iter().map(|(spot, address, _)| (*spot, &address.value)));
    let endpoints = endpoints.into_iter().map(|(_, address, weight)| (address, weight)).collect();
    let protocol = spec.choice_or("protocol", &["HTTP", "H2C", "WebSocket"], "HTTP");
    let tls = spec.map("tls").and_then(backend_tls);
    if let (Some(tls), "H2C") = (&tls, &*protocol.value) {
        spec.conflict(
            tls.place,
            "`H2C` is HTTP/2 without TLS",
            "leave out `protocol`: with `tls`, HTTP/2 is agreed on by ALPN",
        );
    }
    spec.finish();
    Some(Backend { endpoints, protocol, tls })
}

fn endpoint(node: &Node, findings: &Findings<'_>) -> Option<(Spot, At<Address>, u32)> {
    let Value::Map(_) = node.value else {
        return Some((node.into(), address_of(node, findings)?, 1));
    };
    let mut fields = Fields::open(node, findings)?;
    let node = fields.require("address");
    let weight = fields.number("weight", 0..=limits::WEIGHT).map_or(1, |at| at.value);
    fields.finish();
    let node = node?;
    Some((node.into(), address_of(node, findings)?, weight))
}

fn address_of(node: &Node, findings: &Findings<'_>) -> Option<At<Address>> {
    let text = string(node, findings)?;
    match address::endpoint(&text) {
        Ok(address) => Some(At::new(address, node.place)),
        Err(why) => {
            let message = format!("{} is not an endpoint", findings.value(&text));
            findings.lost(codes::BAD_ADDRESS, node, message, why.to_string());
            None
        }
    }
}

fn backend_tls(mut fields: Fields<'_, '_>) -> Option<BackendTls> {
    let place = fields.place;
    let mode = fields.choice("mode", &["None", "ServerOnly", "ClientAndServer"]);
    let validation = fields.map("validation").map(policy::validation);
    let client = fields.take("clientCertificateRef");
    let client_certificate_ref =
        client.and_then(|node| reference(node, &references::SECRET, fields.findings));
    if let Some(mode) = &mode
        && (&*mode.value == "ClientAndServer") != client.is_some()
    {
        let message = "`clientCertificateRef` and mode `ClientAndServer` need each other";
        fields.conflict(mode, message, "write both, or neither");
    }
    fields.finish();
    if mode.is_some_and(|mode| &*mode.value == "None") {
        return None;
    }
    let Validation { hostname, ca_certificate_refs, well_known_ca, subject_alt_names } = validation
        .unwrap_or_else(|| Validation {
            hostname: None,
            ca_certificate_refs: Vec::new(),
            well_known_ca: Some(At::nowhere("System".into())),
            subject_alt_names: Vec::new(),
        });
    Some(BackendTls {
        place,
        hostname,
        ca_certificate_refs,
        well_known_ca,
        subject_alt_names,
        client_certificate_ref,
    })
}

/// How a Service, Backend, route or Gateway is used.
///
/// ```yaml
/// spec:
///   targetRefs: [{group: "", kind: Service, name: shop}]
///   balance:
///     type: ConsistentHash          # LeastRequest, RoundRobin, Random, ConsistentHash
///     hashOn: {type: Header, name: x-user}   # ClientAddress, Header, Cookie, Path
///   timeouts: {connect: 1s, request: 30s, backendRequest: 10s, streamIdle: 5m}
///   retryBudget: {percent: 20, minPerSecond: 10}
///   ejection: {enabled: true, consecutiveFailures: 3, baseTime: 10s, maxTime: 5m, maxPercent: 50}
///   slowStart: 30s
///   proxyProtocol: v2               # v1 or v2
///   maxRequests: 1000               # in flight; 0 is no limit
/// ```
pub(super) fn traffic_policy(object: &mut Fields<'_, '_>) -> Option<TrafficPolicy> {
    let mut spec = object.required_map("spec")?;
    let findings = spec.findings;
    let targets = spec.required_list("targetRefs", policy::TARGETS, |node| {
        reference(node, &references::POLICY_TARGET, findings)
    });
    targets.iter().for_each(|target| check_target(target, findings));
    policy::distinct_targets(&targets, findings);
    let PolicyTimeouts { connect, request, backend_request, stream_idle } =
        spec.map("timeouts").map(policy_timeouts).unwrap_or_default();
    let policy = TrafficPolicy {
        targets,
        balance: spec.map("balance").map(balance),
        connect_timeout: connect,
        request_timeout: request,
        backend_request_timeout: backend_request,
        stream_idle_timeout: stream_idle,
        retry_budget: spec.map("retryBudget").map(retry_budget),
        ejection: spec.map("ejection").map(ejection),
        slow_start: spec.duration("slowStart"),
        proxy_protocol: spec.choice("proxyProtocol", &["v1", "v2"]),
        max_requests: spec.number("maxRequests", 0..=u32::MAX),
    };
    spec.finish();
    Some(policy)
}

#[derive(Default)]
struct PolicyTimeouts {
    connect: Option<At<Duration>>,
    request: Option<At<Duration>>,
    backend_request: Option<At<Duration>>,
    stream_idle: Option<At<Duration>>,
}

fn policy_timeouts(mut fields: Fields<'_, '_>) -> PolicyTimeouts {
    let (connect, stream_idle) = (fields.duration("connect"), fields.duration("streamIdle"));
    let timeouts = Timeouts {
        request: fields.duration("request"),
        backend_request: fields.duration("backendRequest"),
    };
    longer_than_request(&timeouts, &fields);
    fields.finish();
    let Timeouts { request, backend_request } = timeouts;
    PolicyTimeouts { connect, request, backend_request, stream_idle }
}

fn check_target(target: &Reference, findings: &Findings<'_>) {
    const KINDS: [Kind; 5] =
        [Kind::Service, Kind::Backend, Kind::HttpRoute, Kind::GrpcRoute, Kind::Gateway];
    let known = |kind: &&Kind| kind.as_str() == &*target.kind;
    match KINDS.iter().find(known) {
        Some(kind) if kind.group() == &*target.group => {}
        Some(kind) => {
            let message = format!("{kind} is not of the group {}", findings.value(&target.group));
            let help = format!("write `group: \"{}\"`", kind.group());
            findings.error_help(codes::UNKNOWN_VALUE, target.place, message, help);
        }
        None => {
            let message =
                format!("a policy can't have the target kind {}", findings.value(&target.kind));
            let help = format!("it can be {}", suggest::one_of(&KINDS.map(Kind::as_str)));
            findings.error_help(codes::UNKNOWN_VALUE, target.place, message, help);
        }
    }
}

fn balance(mut fields: Fields<'_, '_>) -> Balance {
    let kind =
        fields.required_choice("type", &["LeastRequest", "RoundRobin", "Random", "ConsistentHash"]);
    let hash_on = fields.map("hashOn").map(|mut fields| {
        let kind = fields.required_choice("type", &["ClientAddress", "Header", "Cookie", "Path"]);
        let name = fields.text("name", &formats::HEADER_NAME);
        if fields.has("type") && matches!(&*kind.value, "Header" | "Cookie") != fields.has("name") {
            let message = match &name {
                None => format!("`hashOn` of type `{}` needs a `name`", kind.value),
                Some(_) => format!("`hashOn` of type `{}` has no `name`", kind.value),
            };
            let help = match &name {
                None => "write the `name` of the header or cookie",
                Some(_) => "remove `name`, or use type `Header` or `Cookie`",
            };
            fields.conflict(&kind, message, help);
        }
        fields.finish();
        (kind, name)
    });
    if fields.has("type") && (&*kind.value == "ConsistentHash") != fields.has("hashOn") {
        let message = "`hashOn` and type `ConsistentHash` need each other";
        fields.conflict(&kind, message, "write both, or neither");
    }
    fields.finish();
    Balance { kind, hash_on }
}

fn retry_budget(mut fields: Fields<'_, '_>) -> RetryBudget {
    let budget = RetryBudget {
        percent: fields.number("percent", 0..=100),
        min_per_second: fields.number("minPerSecond", 0..=1_000_000),
    };
    fields.finish();
    budget
}

fn ejection(mut fields: Fields<'_, '_>) -> Ejection {
    let ejection = Ejection {
        enabled: fields.boolean("enabled"),
        consecutive_failures: fields.number("consecutiveFailures", 1..=1_000),
        base: fields.duration("baseTime"),
        max: fields.duration("maxTime"),
        max_percent: fields.number("maxPercent", 0..=100),
    };
    if let (Some(base), Some(max)) = (&ejection.base, &ejection.max)
        && base.value > max.value
    {
        let message = "`baseTime` can't be longer than `maxTime`";
        fields.conflict(base.place, message, "shorten `baseTime`, or lengthen `maxTime`");
    }
    fields.finish();
    ejection
}

/// Settings of Gateways.
///
/// ```yaml
/// spec:
///   trustedHops: 1                  # proxies in front whose X-Forwarded-For is believed
///   proxyProtocol: {from: [10.0.0.0/8]}
///   timeouts: {idle: 1h, requestHead: 30s, streamIdle: 5m, drain: 30s}
///   limits: {headerBytes: 32Ki}     # 1Ki to 60Ki
///   accessLog: json                 # json, text or "off"; `none` is the same without quotes
///   deployment:                     # how the proxies run in a cluster
///     replicas: 2
///     serviceType: LoadBalancer     # LoadBalancer, ClusterIP or NodePort
///     minAvailable: 50%             # what a PodDisruptionBudget keeps: a number or a percentage
///     resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 256Mi}}
///   rollouts:                       # of the MeshConfig meshctl-system/default alone
///     webhook:                      # each change of phase is posted there, as {"text": …}
///       url: https://chat.example/hook
///       secretRef: {name: hook}     # or its `url`; a bearer `token`, and whom to believe: `ca.crt`
/// ```
pub(super) fn mesh_config(object: &mut Fields<'_, '_>) -> Option<MeshConfig> {
    let mut spec = object.required_map("spec")?;
    let findings = spec.findings;
    let trusted_hops = spec.number("trustedHops", 0..=255);
    let proxy_protocol_from = spec.map("proxyProtocol").map(|mut fields| {
        let from = fields.required_list("from", 256, |node| network(node, findings));
        fields.finish();
        from
    });
    let [idle_timeout, request_head_timeout, stream_idle_timeout, drain_timeout] =
        spec.map("timeouts").map(mesh_timeouts).unwrap_or_default();
    let max_header_bytes = spec.map("limits").and_then(|mut fields| {
        let bytes = fields.take("headerBytes").and_then(|node| header_bytes(node, findings));
        fields.finish();
        bytes
    });
    let config = MeshConfig {
        trusted_hops,
        proxy_protocol_from: proxy_protocol_from.unwrap_or_default(),
        idle_timeout,
        request_head_timeout,
        stream_idle_timeout,
        drain_timeout,
        max_header_bytes,
        access_log: spec.choice("accessLog", &["json", "text", "off", "none"]).map(none_is_off),
        deployment: spec.map("deployment").map(deployment::deployment).unwrap_or_default(),
        webhook: spec.map("rollouts").and_then(rollout::notified),
    };
    spec.finish();
    Some(config)
}

fn mesh_timeouts(mut fields: Fields<'_, '_>) -> [Option<At<Duration>>; 4] {
    let timeouts = ["idle", "requestHead", "streamIdle", "drain"].map(|name| fields.duration(name));
    fields.finish();
    timeouts
}

fn none_is_off(at: At<Name>) -> At<Name> {
    if &*at.value == "none" { At::new("off".into(), at.place) } else { at }
}

/// An address alone is a network of one.
fn network(node: &Node, findings: &Findings<'_>) -> Option<At<Name>> {
    let network = text(node, &formats::CIDR, findings)?;
    Some(match network.value.parse::<IpAddr>() {
        Ok(address) => At::new(ipnet::IpNet::from(address).to_string().into(), network.place),
        Err(_) => network,
    })
}

fn header_bytes(node: &Node, findings: &Findings<'_>) -> Option<At<u32>> {
    let bytes = match &node.value {
        Value::Int(value) => u64::try_from(*value).ok(),
        _ => formats::quantity(&string(node, findings)?),
    };
    let Some(bytes) = bytes else {
        let help = "write it as `65536` or `64Ki`";
        findings.error_help(codes::BAD_QUANTITY, node, "this is not a quantity", help);
        return None;
    };
    let most = limits::HEAD_BYTES as u64;
    match u32::try_from(bytes) {
        Ok(narrow) if (1024..=most).contains(&bytes) => Some(At::new(narrow, node.place)),
        _ => {
            let help = format!("it can be 1Ki to {}Ki", most / 1024);
            findings.error_help(
                codes::OUT_OF_RANGE,
                node,
                format!("{bytes} bytes are out of range"),
                help,
            );
            None
        }
    }
}
