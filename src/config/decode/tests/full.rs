//! Manifests that use everything: nothing is reported, and every field of them is really read.

use super::*;
use crate::config::codes;
use crate::config::raw::{FilterKind, Spec};
use crate::yaml::{Entry, Place};

const FULL: &str = include_str!("full.yaml");

#[test]
fn every_field_of_every_kind_is_known() {
    let (decoded, diagnostics) = decoded(FULL);
    assert_eq!(render::lines(&diagnostics), Vec::<String>::new());
    let kinds: Vec<Kind> = decoded.iter().map(|d| object(d).key.kind).collect();
    for kind in Kind::ALL {
        assert!(kinds.contains(&kind), "no {kind} in the manifests");
    }
}

fn object(decoded: &Decoded) -> &Object {
    match decoded {
        Decoded::Object(object) => object,
        other => panic!("not an object: {other:?}"),
    }
}

#[test]
fn values_arrive() {
    let (decoded, _) = decoded(FULL);
    let objects: Vec<&Object> = decoded.iter().map(object).collect();
    let find = |kind, name: &str| {
        objects.iter().find(|o| o.key.kind == kind && &*o.key.name == name).expect("it is there")
    };
    assert_eq!(find(Kind::GatewayClass, "meshctl").key.to_string(), "GatewayClass meshctl");
    assert_eq!(find(Kind::GatewayClass, "meshctl").meta.created, 1_769_860_800);
    assert_eq!(find(Kind::Gateway, "edge").key.to_string(), "Gateway infra/edge");

    let Spec::HttpRoute(route) = &find(Kind::HttpRoute, "shop").spec else { panic!() };
    assert_eq!(route.hostnames[1].value, "*.shop.example.com".into());
    assert_eq!(route.parents[1].port, Some(80));
    let rule = &route.rules[0];
    assert_eq!(rule.backends[1].weight.value, 10);
    assert_eq!(rule.timeouts.request.as_ref().map(|t| t.value.as_secs()), Some(5400));
    assert_eq!(rule.timeouts.backend_request.as_ref().map(|t| t.value.as_millis()), Some(500));
    assert!(
        matches!(&rule.filters[6].kind, FilterKind::Unknown(name) if &**name == "ExtensionRef")
    );
    assert!(
        matches!(&rule.filters[3].kind, FilterKind::RequestMirror(m) if m.fraction.as_ref().is_some_and(|f| f.value == (1, 3)))
    );

    let Spec::Secret(secret) = &find(Kind::Secret, "cert").spec else { panic!() };
    assert_eq!(&*secret.data["tls.crt"].value, b"hello");
    assert_eq!(&*secret.data["tls.key"].value, b"secret");
    let files: Vec<_> = from_files(&find(Kind::Secret, "cert").meta).collect();
    assert_eq!(files, [("tls.crt", "cert.pem"), ("tls.key", "key.pem")]);

    let Spec::MeshConfig(config) = &find(Kind::MeshConfig, "default").spec else { panic!() };
    assert_eq!(config.max_header_bytes.as_ref().map(|at| at.value), Some(32 * 1024));
    assert_eq!(config.access_log.as_ref().map(|at| &*at.value), Some("off"));
    assert_eq!(&*config.proxy_protocol_from[1].value, "192.0.2.1/32");
    let texts = |map: &std::collections::BTreeMap<crate::model::Name, _>| -> Vec<String> {
        map.iter()
            .map(|(name, at): (_, &crate::config::raw::At<crate::model::Name>)| {
                format!("{name}={}", at.value)
            })
            .collect()
    };
    let deployment = &config.deployment;
    assert_eq!(texts(&deployment.requests), ["cpu=100m", "memory=64Mi"]);
    assert_eq!(texts(&deployment.limits), ["cpu=1"]);
    assert_eq!(deployment.min_available.as_ref().map(|at| &*at.value), Some("50%"));
    let Spec::Backend(backend) = &find(Kind::Backend, "legacy").spec else { panic!() };
    assert_eq!(backend.endpoints[2].1, 3);
    let Spec::EndpointSlice(slice) = &find(Kind::EndpointSlice, "shop-a").spec else { panic!() };
    assert_eq!(slice.service.as_deref(), Some("shop"));
}

/// Places count from the document's own first line, diagnostics from the file's.
#[test]
fn places_are_the_documents_own() {
    let text = "# first\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n";
    let (decoded, _) = decoded(text);
    let object = object(&decoded[0]);
    assert_eq!(object.origin.line_offset, 1);
    assert_eq!(object.meta.place, Place { line: 4, column: 18 });
}

/// Fields whose insides are data, or nobody's business.
const OPAQUE: &[&str] = &[
    "status",
    "managedFields",
    "ownerReferences",
    "finalizers",
    "labels",
    "annotations",
    "selector",
    "matchLabels",
    "options",
    "data",
    "stringData",
    "binaryData",
    "sessionAffinityConfig",
    "hints",
    "targetRef",
    "uid",
    "selfLink",
    "clusterName",
    "generateName",
    "resourceVersion",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "nodePort",
    "nodeName",
    "clusterIPs",
    "ipFamilies",
    "ipFamilyPolicy",
    "externalIPs",
    "externalTrafficPolicy",
    "internalTrafficPolicy",
    "healthCheckNodePort",
    "allocateLoadBalancerNodePorts",
    "loadBalancerClass",
    "loadBalancerIP",
    "loadBalancerSourceRanges",
    "publishNotReadyAddresses",
    "sessionAffinity",
    "trafficDistribution",
    "apiVersion",
    "kind",
];

/// Fields that are passed over in one place and read in another.
fn is_opaque(path: &[String], key: &str) -> bool {
    let within = |parent: &str| path.iter().any(|part| part == parent);
    match key {
        "kind" => path.is_empty(),
        "selector" => !within("namespaces"),
        "hostname" => within("endpoints") && !within("tls"),
        "requests" => true,
        "limits" => within("resources"),
        "protocol" | "appProtocol" => within("ports") && !within("spec"),
        _ => OPAQUE.contains(&key),
    }
}

#[test]
fn an_unknown_field_is_found_in_every_map() {
    let mut tried = 0;
    each_mutation(
        &mut |node| match &node.value {
            Value::Map(entries) => {
                let value = Node { value: Value::Int(1), ..node.clone() };
                let extra = Entry { key: "zzz".into(), key_place: node.place, key_width: 1, value };
                let more = entries.iter().cloned().chain([extra]).collect();
                Some(Node { value: Value::Map(more), ..node.clone() })
            }
            _ => None,
        },
        &mut |path, diagnostics| {
            tried += 1;
            let found = diagnostics.iter().filter(|d| d.code == codes::UNKNOWN_FIELD).count();
            assert_eq!(found, 1, "at {path:?}");
        },
    );
    assert!(tried > 150, "{tried}");
}

#[test]
fn a_value_of_another_type_is_found_everywhere() {
    let mut tried = 0;
    each_mutation(
        &mut |node| {
            let value = if node.is_scalar() { Value::List([].into()) } else { Value::Bool(true) };
            Some(Node { value, ..node.clone() })
        },
        &mut |path, diagnostics| {
            tried += 1;
            assert!(any_error(diagnostics), "at {path:?}");
            assert!(diagnostics.iter().any(|d| d.code == codes::WRONG_TYPE), "at {path:?}");
        },
    );
    assert!(tried > 500, "{tried}");
}

/// Decodes every document once for each of its nodes that `change` answers for, with that one
/// changed.
fn each_mutation(
    change: &mut dyn FnMut(&Node) -> Option<Node>,
    judge: &mut dyn FnMut(&[String], &[Diagnostic]),
) {
    let origin = Origin { file: FILE.into(), line_offset: 0 };
    for document in yaml::documents(FULL) {
        let root = yaml::parse(document.text, &mut Vec::new()).expect("it is YAML");
        let mut whole = |path: &[String], changed: Node| {
            let mut diagnostics = Vec::new();
            decode(&changed, &origin, Store::Files, &mut diagnostics);
            judge(path, &diagnostics);
        };
        visit(&root, &mut Vec::new(), change, &mut whole);
    }
}

/// Calls `whole` with the root that results from changing `node` or one of the nodes below it.
fn visit(
    node: &Node,
    path: &mut Vec<String>,
    change: &mut dyn FnMut(&Node) -> Option<Node>,
    whole: &mut dyn FnMut(&[String], Node),
) {
    if !path.is_empty() || matches!(node.value, Value::Map(_)) {
        let is_root = path.is_empty();
        if let Some(changed) = change(node).filter(|n| !is_root || matches!(n.value, Value::Map(_)))
        {
            whole(path, changed);
        }
    }
    match &node.value {
        Value::Map(entries) => {
            for (at, entry) in entries.iter().enumerate() {
                if is_opaque(path, &entry.key) {
                    continue;
                }
                let mut replace = |path: &[String], value: Node| {
                    let mut entries = entries.to_vec();
                    entries[at].value = value;
                    whole(path, Node { value: Value::Map(entries.into()), ..node.clone() });
                };
                path.push(entry.key.to_string());
                visit(&entry.value, path, change, &mut replace);
                path.pop();
            }
        }
        Value::List(items) => {
            for (at, item) in items.iter().enumerate() {
                let mut replace = |path: &[String], value: Node| {
                    let mut items = items.to_vec();
                    items[at] = value;
                    whole(path, Node { value: Value::List(items.into()), ..node.clone() });
                };
                path.push(at.to_string());
                visit(item, path, change, &mut replace);
                path.pop();
            }
        }
        _ => {}
    }
}
