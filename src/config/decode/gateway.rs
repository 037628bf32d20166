//! GatewayClass, Gateway, ListenerSet.

use super::fields::{Fields, text};
use super::filters::near_miss;
use super::findings::Findings;
use super::references::{self, reference};
use super::{formats, routes};
use crate::config::codes;
use crate::config::raw::{
    At, FromNamespaces, FrontendValidation, Gateway, GatewayAddress, GatewayClass, Infrastructure,
    LabelSelector, Listener, ListenerSet, ListenerTls, Reference,
};
use crate::limits;
use crate::model::Name;
use crate::names::GROUP_GATEWAY_API;
use crate::yaml::Node;

pub(super) fn class(object: &mut Fields<'_, '_>) -> Option<GatewayClass> {
    let mut spec = object.required_map("spec")?;
    let class = GatewayClass {
        controller_name: spec.required_text("controllerName", &formats::CONTROLLER),
        parameters_ref: of(&mut spec, "parametersRef", &references::ANY_NAMESPACE),
    };
    spec.text("description", &formats::DESCRIPTION);
    spec.finish();
    Some(class)
}

fn of(
    fields: &mut Fields<'_, '_>,
    name: &'static str,
    shape: &references::Shape,
) -> Option<Reference> {
    let node = fields.take(name)?;
    reference(node, shape, fields.findings)
}

pub(super) fn gateway(object: &mut Fields<'_, '_>) -> Option<Gateway> {
    let mut spec = object.required_map("spec")?;
    let findings = spec.findings;
    let class = spec.required_text("gatewayClassName", &formats::FILLED);
    let addresses = spec.list("addresses", 16, |node| address(node, findings));
    let same = addresses.iter().filter(|address| !address.value.value.is_empty());
    routes::distinct(
        findings,
        same.map(|a| (&a.value, format!("{} {}", a.kind.value, a.value.value))),
    );
    let listeners = listeners(&mut spec);
    spec.choice("defaultScope", &["All", "None"]);
    let GatewayTls { frontend_default, frontend_per_port, backend_client_certificate } =
        gateway_tls(&mut spec);
    let gateway = Gateway {
        class,
        addresses,
        listeners,
        allowed_listeners: allowed_listeners(&mut spec),
        infrastructure: infrastructure(&mut spec),
        frontend_default,
        frontend_per_port,
        backend_client_certificate,
    };
    spec.finish();
    Some(gateway)
}

fn address(node: &Node, findings: &Findings<'_>) -> Option<GatewayAddress> {
    let mut fields = Fields::open(node, findings)?;
    let kind =
        fields.text("type", &formats::FILLED).unwrap_or_else(|| At::nowhere("IPAddress".into()));
    let format = match &*kind.value {
        "IPAddress" => &formats::IP_ADDRESS,
        "Hostname" => &formats::ADDRESS_HOSTNAME,
        "NamedAddress" => &formats::ADDRESS,
        other if other.contains('/') => &formats::ADDRESS,
        _ => {
            let help = "it can be `IPAddress`, `Hostname`, `NamedAddress` or a domain and a name";
            let message = format!("unknown value {}", findings.value(&kind.value));
            findings.error_help(codes::UNKNOWN_VALUE, &kind, message, help);
            &formats::ADDRESS
        }
    };
    let value = fields.text("value", format).unwrap_or_else(|| At::nowhere("".into()));
    fields.finish();
    Some(GatewayAddress { kind, value })
}

fn allowed_listeners(spec: &mut Fields<'_, '_>) -> FromNamespaces {
    let Some(mut fields) = spec.map("allowedListeners") else { return FromNamespaces::None };
    let from = namespaces(&mut fields, FromNamespaces::None);
    fields.finish();
    from
}

fn namespaces(fields: &mut Fields<'_, '_>, default: FromNamespaces) -> FromNamespaces {
    let Some(mut fields) = fields.map("namespaces") else { return default };
    let findings = fields.findings;
    let selector = fields.map("selector").map(selector);
    let from = match fields.text("from", &formats::FILLED) {
        None => default,
        Some(from) => match &*from.value {
            "None" => FromNamespaces::None,
            "Same" => FromNamespaces::Same,
            "All" => FromNamespaces::All,
            // Without one it would select nothing for the API and everything for a careless reader.
            "Selector" if selector.is_none() => {
                let help = "without it no namespace is selected";
                findings.warning(codes::MISSING_FIELD, &from, "missing field `selector`", help);
                FromNamespaces::None
            }
            "Selector" => FromNamespaces::Selector(selector.unwrap_or_default()),
            _ => {
                near_miss(&from, ["None", "Same", "All", "Selector"].into_iter(), findings);
                FromNamespaces::Unknown(from)
            }
        },
    };
    fields.finish();
    from
}

fn selector(mut fields: Fields<'_, '_>) -> LabelSelector {
    let findings = fields.findings;
    let match_labels = fields.text_map("matchLabels").into_iter().map(|(key, at)| (key, at.value));
    let selector = LabelSelector {
        match_labels: match_labels.collect(),
        match_expressions: fields.list("matchExpressions", 64, |node| expression(node, findings)),
    };
    fields.finish();
    selector
}

fn expression(node: &Node, findings: &Findings<'_>) -> Option<(Name, At<Name>, Vec<Name>)> {
    let mut fields = Fields::open(node, findings)?;
    let key = fields.required_text("key", &formats::FILLED);
    let operator = fields.required_choice("operator", &["In", "NotIn", "Exists", "DoesNotExist"]);
    let values = fields.texts("values", 256, &formats::ANY);
    let wants_values = matches!(&*operator.value, "In" | "NotIn");
    if fields.has("operator") && wants_values == values.is_empty() {
        let (message, help) = if wants_values {
            ("needs `values`", "write `values`, or use Exists or DoesNotExist")
        } else {
            ("has no `values`", "remove `values`, or use In or NotIn")
        };
        fields.conflict(&operator, format!("operator `{}` {message}", operator.value), help);
    }
    fields.finish();
    Some((key.value, operator, values.into_iter().map(|at| at.value).collect()))
}

/// Labels and annotations are for objects that only a cluster has.
fn infrastructure(spec: &mut Fields<'_, '_>) -> Infrastructure {
    let Some(mut fields) = spec.map("infrastructure") else { return Infrastructure::default() };
    let mut texts = |name| {
        let texts = fields.text_map(name).into_iter();
        texts.map(|(key, at)| (key, at.value)).collect()
    };
    let (labels, annotations) = (texts("labels"), texts("annotations"));
    let parameters_ref = of(&mut fields, "parametersRef", &references::LOCAL);
    fields.finish();
    Infrastructure { labels, annotations, parameters_ref }
}

/// `spec.tls`.
#[derive(Default)]
struct GatewayTls {
    frontend_default: Option<FrontendValidation>,
    frontend_per_port: Vec<(At<u16>, Option<FrontendValidation>)>,
    backend_client_certificate: Option<Reference>,
}

fn gateway_tls(spec: &mut Fields<'_, '_>) -> GatewayTls {
    let mut found = GatewayTls::default();
    let Some(mut tls) = spec.map("tls") else { return found };
    let findings = tls.findings;
    if let Some(mut backend) = tls.map("backend") {
        found.backend_client_certificate =
            of(&mut backend, "clientCertificateRef", &references::SECRET);
        backend.finish();
    }
    if let Some(mut frontend) = tls.map("frontend") {
        found.frontend_default = frontend.required_map("default").and_then(frontend_validation);
        found.frontend_per_port = frontend.list("perPort", 64, |node| {
            let mut fields = Fields::open(node, findings)?;
            if !fields.has("port") {
                let message = "missing field `port`";
                findings.lost(codes::MISSING_FIELD, fields.place, message, "write `port` here");
            }
            let port = fields.port("port");
            let validation = fields.required_map("tls").and_then(frontend_validation);
            fields.finish();
            Some((port?, validation))
        });
        let ports = found.frontend_per_port.iter().map(|(port, _)| (port.place, port.value));
        routes::distinct(findings, ports);
        frontend.finish();
    }
    tls.finish();
    found
}

fn frontend_validation(mut fields: Fields<'_, '_>) -> Option<FrontendValidation> {
    let findings = fields.findings;
    let validation = fields.map("validation").map(|mut fields| {
        let validation = FrontendValidation {
            place: fields.place,
            ca_certificate_refs: fields.required_list("caCertificateRefs", 16, |node| {
                reference(node, &references::ANY_NAMESPACE, findings)
            }),
            mode: fields.choice_or(
                "mode",
                &["AllowValidOnly", "AllowInsecureFallback"],
                "AllowValidOnly",
            ),
        };
        fields.finish();
        validation
    });
    fields.finish();
    validation
}

pub(super) fn listener_set(object: &mut Fields<'_, '_>) -> Option<ListenerSet> {
    let mut spec = object.required_map("spec")?;
    let parent = spec.require("parentRef");
    let parent =
        parent.and_then(|node| reference(node, &references::PARENT_GATEWAY, spec.findings));
    let listeners = listeners(&mut spec);
    spec.finish();
    Some(ListenerSet { parent: parent?, listeners })
}

fn listeners(spec: &mut Fields<'_, '_>) -> Vec<Listener> {
    let findings = spec.findings;
    let listeners =
        spec.required_list("listeners", limits::LISTENERS, |node| listener(node, findings));
    routes::distinct(findings, listeners.iter().map(|l| (&l.name, &*l.name.value)));
    let socket = |l: &Listener| {
        let hostname = l.hostname.as_ref().map_or("", |hostname| &hostname.value);
        format!("{} {} {hostname}", l.port.value, l.protocol.value)
    };
    let sockets: Vec<_> = listeners.iter().map(socket).collect();
    // More were reported, and are compared with nothing.
    for (at, listener) in listeners.iter().enumerate().take(limits::LISTENERS) {
        if let Some(other) = sockets[..at].iter().position(|socket| *socket == sockets[at]) {
            let message = format!(
                "listener `{}` has the port, protocol and hostname of `{}`",
                listener.name.value, listeners[other].name.value
            );
            let help = "give it a hostname or a port of its own";
            findings.error_help(codes::REPEATED, &listener.name, message, help);
        }
    }
    listeners
}

fn listener(node: &Node, findings: &Findings<'_>) -> Option<Listener> {
    let mut fields = Fields::open(node, findings)?;
    let name = fields.required_text("name", &formats::SUBDOMAIN);
    let hostname = fields.text("hostname", &formats::WILDCARD_HOSTNAME);
    if !fields.has("port") {
        fields.missing("port");
    }
    let port = fields.port("port");
    let protocol = fields.required_text("protocol", &formats::PROTOCOL);
    let has_mode = mode_is_written(&fields);
    let tls = fields.map("tls").map(|tls| listener_tls(tls, &protocol));
    let (allowed_namespaces, allowed_kinds) = allowed_routes(&mut fields);
    check_protocol(&protocol, tls.as_ref(), has_mode, hostname.as_ref(), &fields);
    fields.finish();
    let port = port?;
    Some(Listener { name, hostname, port, protocol, tls, allowed_namespaces, allowed_kinds })
}

fn mode_is_written(listener: &Fields<'_, '_>) -> bool {
    listener.peek("tls").is_some_and(|tls| tls.get("mode").is_some())
}

fn check_protocol(
    protocol: &At<Name>,
    tls: Option<&ListenerTls>,
    has_mode: bool,
    hostname: Option<&At<Name>>,
    fields: &Fields<'_, '_>,
) {
    let written = &*protocol.value;
    match (written, tls) {
        ("HTTP" | "TCP" | "UDP", Some(tls)) => {
            let message = format!("a listener of protocol `{written}` can't have `tls`");
            let help =
                if written == "HTTP" { "did you mean `protocol: HTTPS`?" } else { "remove it" };
            fields.findings.error_help(codes::CONFLICT, tls.place, message, help);
        }
        ("HTTPS", Some(tls)) if &*tls.mode.value == "Passthrough" => {
            let message = "protocol `HTTPS` terminates TLS; `Passthrough` goes with protocol `TLS`";
            fields.conflict(&tls.mode, message, "write `mode: Terminate`, or `protocol: TLS`");
        }
        ("TLS", _) if !has_mode => {
            let message = "a listener of protocol `TLS` needs `tls.mode`";
            let help = "write `mode: Passthrough` or `mode: Terminate` in `tls`";
            fields.findings.error_help(codes::MISSING_FIELD, protocol, message, help);
        }
        _ => {}
    }
    if let ("TCP" | "UDP", Some(hostname)) = (written, hostname) {
        let message = format!("a listener of protocol `{written}` has no hostname");
        fields.conflict(hostname, message, "remove `hostname`");
    }
}

fn listener_tls(mut fields: Fields<'_, '_>, protocol: &At<Name>) -> ListenerTls {
    let findings = fields.findings;
    let tls = ListenerTls {
        place: fields.place,
        mode: fields.choice_or("mode", &["Terminate", "Passthrough"], "Terminate"),
        certificate_refs: fields
            .list("certificateRefs", 64, |node| reference(node, &references::SECRET, findings)),
        options: fields.text_map("options"),
    };
    if tls.options.len() > 16 {
        findings.error(codes::BAD_LENGTH, tls.place, "`options` has more than 16 entries");
    }
    let terminates = &*tls.mode.value == "Terminate" && matches!(&*protocol.value, "HTTPS" | "TLS");
    if terminates && !fields.has("certificateRefs") && tls.options.is_empty() {
        let help = "a listener that terminates TLS needs a certificate";
        let message = "missing field `certificateRefs`";
        findings.error_help(codes::MISSING_FIELD, tls.place, message, help);
    }
    fields.finish();
    tls
}

fn allowed_routes(listener: &mut Fields<'_, '_>) -> (FromNamespaces, Vec<At<(Name, Name)>>) {
    let Some(mut fields) = listener.map("allowedRoutes") else {
        return (FromNamespaces::Same, Vec::new());
    };
    let findings = fields.findings;
    let from = namespaces(&mut fields, FromNamespaces::Same);
    let kinds = fields.list("kinds", 8, |node| {
        let mut fields = Fields::open(node, findings)?;
        let group = fields.take("group").and_then(|node| text(node, &formats::GROUP, findings));
        let group = group.map_or_else(|| GROUP_GATEWAY_API.into(), |at| at.value);
        let kind = match fields.require("kind") {
            Some(node) => text(node, &formats::KIND, findings),
            None => None,
        };
        fields.finish();
        kind.map(|kind| At::new((group, kind.value), kind.place))
    });
    fields.finish();
    (from, kinds)
}
