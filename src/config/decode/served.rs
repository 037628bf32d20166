//! Which documents are ours: the kinds, groups and versions that are read.

use super::findings::Findings;
use crate::config::{codes, suggest};
use crate::model::Kind;
use crate::names::{GROUP_DISCOVERY, GROUP_GATEWAY_API, GROUP_MESHCTL};
use crate::yaml::{Node, Value};

pub(super) enum Recognised {
    Served(Kind),
    /// `v1`, `kind: List`.
    List,
    /// Ours, but not in a form that can be read; reported. The kind that was meant.
    Broken(Option<Kind>),
    Foreign,
    NotAnObject,
}

/// Kinds of our groups that this version passes over, and whether that is an error.
const NOT_SERVED: &[(&str, &str, bool)] = &[
    (GROUP_GATEWAY_API, "TLSRoute", false),
    (GROUP_GATEWAY_API, "TCPRoute", false),
    (GROUP_GATEWAY_API, "UDPRoute", false),
    (GROUP_MESHCTL, "AccessPolicy", true),
    (GROUP_MESHCTL, "ApiProduct", true),
    (GROUP_MESHCTL, "Consumer", true),
];

/// The versions in which a kind has the shape that is decoded, the preferred one first.
pub fn versions(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::GatewayClass | Kind::Gateway | Kind::HttpRoute | Kind::ReferenceGrant => {
            &["v1", "v1beta1", "v1alpha2"]
        }
        Kind::GrpcRoute => &["v1", "v1alpha2"],
        Kind::BackendTlsPolicy => &["v1", "v1alpha3"],
        Kind::Backend | Kind::TrafficPolicy | Kind::MeshConfig | Kind::TrafficRollout => {
            &["v1alpha1"]
        }
        Kind::ListenerSet
        | Kind::Service
        | Kind::EndpointSlice
        | Kind::Secret
        | Kind::ConfigMap
        | Kind::Namespace => &["v1"],
    }
}

pub(super) fn recognise(doc: &Node, findings: &Findings<'_>) -> Recognised {
    let Value::Map(_) = doc.value else { return Recognised::NotAnObject };
    let (api_version, kind) = (doc.get("apiVersion"), doc.get("kind"));
    match (api_version.and_then(Node::as_str), kind.and_then(Node::as_str)) {
        (Some(version), Some(name)) => by_name(version, name, doc, findings),
        (None, None) => Recognised::NotAnObject,
        // A Helm chart has an apiVersion too; metadata makes an object.
        (version, name) if doc.get("metadata").is_some() => {
            let ours = name.is_none_or(|name| Kind::ALL.iter().any(|kind| kind.as_str() == name))
                && version.is_none_or(|version| is_ours(group_of(version).0) && version != "v1");
            if !ours {
                return Recognised::NotAnObject;
            }
            let missing = if name.is_none() { "kind" } else { "apiVersion" };
            let kind = Kind::ALL.into_iter().find(|kind| name == Some(kind.as_str()));
            let help = match kind {
                Some(kind) => format!("write `apiVersion: {}`", preferred(kind)),
                None => format!("write `{missing}`"),
            };
            let message = format!("this object has no `{missing}`");
            findings.error_help(codes::NOT_AN_OBJECT, doc, message, help);
            Recognised::Broken(kind)
        }
        _ => Recognised::NotAnObject,
    }
}

fn by_name(version: &str, name: &str, doc: &Node, findings: &Findings<'_>) -> Recognised {
    let (group, version) = group_and_version(version);
    if group.is_empty() && name == "List" {
        return Recognised::List;
    }
    let version_node = doc.get("apiVersion").unwrap_or(doc);
    let kind_node = doc.get("kind").unwrap_or(doc);
    // What an implementation's conformance run writes: of the group, but no cluster's object.
    if name == "ConformanceReport" {
        return Recognised::Foreign;
    }
    if !is_ours(group) {
        return misspelled_group(group, name, version_node, findings);
    }
    if let Some((.., error)) = NOT_SERVED.iter().find(|(g, kind, _)| *g == group && *kind == name) {
        let message = format!("this version of meshctl doesn't serve {name}");
        if *error {
            findings.error(codes::NOT_SERVED, kind_node, message);
            return Recognised::Broken(None);
        }
        findings.warning(codes::NOT_SERVED, kind_node, message, "it is passed over");
        return Recognised::Foreign;
    }
    let kinds = || Kind::ALL.into_iter().filter(|kind| kind.group() == group);
    if let Some(kind) = kinds().find(|kind| kind.as_str() == name) {
        return in_version(kind, version, version_node, findings);
    }
    let nearest = suggest::nearest(name, kinds().map(Kind::as_str));
    // Kubernetes' own groups have many kinds that aren't ours.
    if matches!(group, "" | GROUP_DISCOVERY) && nearest.is_none() {
        return Recognised::Foreign;
    }
    let help = match nearest {
        Some(kind) => format!("did you mean `{kind}`?"),
        None => format!(
            "its kinds are {}",
            suggest::all_of(&kinds().map(Kind::as_str).collect::<Vec<_>>())
        ),
    };
    let message = format!("unknown kind {}", findings.value(name));
    findings.error_help(codes::UNKNOWN_KIND, kind_node, message, help);
    let meant = kinds().find(|kind| nearest == Some(kind.as_str()));
    Recognised::Broken(meant)
}

fn in_version(kind: Kind, version: &str, node: &Node, findings: &Findings<'_>) -> Recognised {
    if versions(kind).contains(&version) {
        return Recognised::Served(kind);
    }
    let message = match version {
        "" => "the API group has no version".to_owned(),
        _ => format!("{kind} isn't read in version {}", findings.value(version)),
    };
    let help = format!("write `apiVersion: {}`", preferred(kind));
    findings.error_help(codes::UNKNOWN_VERSION, node, message, help);
    Recognised::Broken(Some(kind))
}

/// `gateway.network.k8s.io` is nobody's group.
fn misspelled_group(group: &str, name: &str, node: &Node, findings: &Findings<'_>) -> Recognised {
    let Some(kind) = meant(group, name) else { return Recognised::Foreign };
    let message = format!("unknown API group {}", findings.value(group));
    let help = format!("did you mean `{}`?", preferred(kind));
    findings.error_help(codes::UNKNOWN_VERSION, node, message, help);
    Recognised::Broken(Some(kind))
}

/// The kind of ours that goes by this name in a group whose name is a slip. Kubernetes' own groups
/// for networks have no kinds of the Gateway API; other people's groups may.
fn meant(group: &str, name: &str) -> Option<Kind> {
    const MISTAKEN: [&str; 3] = ["networking.k8s.io", "networking.x-k8s.io", "gateway.k8s.io"];
    Kind::ALL.into_iter().filter(|kind| kind.as_str() == name && !kind.group().is_empty()).find(
        |kind| {
            let mistaken = kind.group() == GROUP_GATEWAY_API && MISTAKEN.contains(&group);
            mistaken || suggest::nearest(group, [kind.group()]).is_some()
        },
    )
}

/// The kind that these two words most likely mean.
pub(super) fn kind_of(api_version: &str, name: &str) -> Option<Kind> {
    let group = group_and_version(api_version).0;
    if !is_ours(group) {
        return meant(group, name);
    }
    let kinds = || Kind::ALL.into_iter().filter(|kind| kind.group() == group);
    let nearest = suggest::nearest(name, kinds().map(Kind::as_str))?;
    kinds().find(|kind| kind.as_str() == nearest)
}

/// As [`group_of`]; a group of ours that lost its version is still that group.
fn group_and_version(api_version: &str) -> (&str, &str) {
    match api_version {
        GROUP_DISCOVERY | GROUP_GATEWAY_API | GROUP_MESHCTL => (api_version, ""),
        _ => group_of(api_version),
    }
}

pub(super) fn preferred(kind: Kind) -> String {
    match kind.group() {
        "" => versions(kind)[0].into(),
        group => format!("{group}/{}", versions(kind)[0]),
    }
}

fn group_of(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

fn is_ours(group: &str) -> bool {
    matches!(group, "" | GROUP_DISCOVERY | GROUP_GATEWAY_API | GROUP_MESHCTL)
}

/// Whether any line of the document may be one that nobody should see.
pub(super) fn holds_secret(doc: &Node) -> bool {
    if doc.get("kind").and_then(Node::as_str).is_some_and(looks_secret) {
        return true;
    }
    match doc.get("items").map(|items| &items.value) {
        Some(Value::List(items)) => items.iter().any(holds_secret),
        _ => false,
    }
}

/// The same of a text that can't be read: by its own `kind:` line where it has one, else by any
/// word that looks like it. A Gateway that names a Secret keeps its excerpts.
pub(super) fn may_hold_secret(text: &str) -> bool {
    let kinds: Vec<&str> = text
        .split(['\n', '\r'])
        .filter_map(|line| line.strip_prefix("kind:"))
        .map(|kind| kind.trim_matches([' ', '\t', '"', '\'']))
        .collect();
    let is_single = !kinds.is_empty() && !kinds.contains(&"List");
    if is_single {
        return kinds.into_iter().any(looks_secret);
    }
    let lower = text.to_ascii_lowercase();
    lower.contains("secret") || lower.contains("stringdata") || lower.starts_with("data:")
}

/// Generous: a kind that only looks like a Secret hides its lines too.
fn looks_secret(kind: &str) -> bool {
    kind.to_ascii_lowercase().contains("secret") || suggest::nearest(kind, ["Secret"]).is_some()
}
