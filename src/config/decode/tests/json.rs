//! Objects of an API server: taken as far as they can be held, and never a panic.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::config::raw::{FilterKind, Spec};

const FULL: &str = include_str!("full.yaml");

fn documents_of(text: &str) -> Vec<Json> {
    yaml::documents(text).map(|doc| serde_yaml::from_str(doc.text).expect("YAML")).collect()
}

#[track_caller]
fn taken(value: &Json) -> (Object, Vec<Diagnostic>) {
    let (decoded, diagnostics) = from_json(value, Store::Cluster);
    assert!(!any_error(&diagnostics), "{diagnostics:#?}");
    match decoded {
        Decoded::Object(object) => (*object, diagnostics),
        other => panic!("{other:?} {diagnostics:#?}"),
    }
}

fn gateway(listener: Json) -> Json {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "uid": "6ad1",
            "generation": 4,
            "managedFields": [{"manager": "kubectl"}],
        },
        "spec": {"gatewayClassName": "meshctl", "listeners": [listener]},
        "status": {"conditions": []},
    })
}

fn route(rule: Json) -> Json {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"rules": [rule]},
    })
}

#[test]
fn what_a_file_may_say_an_api_server_may_say() {
    let mut objects = 0;
    for doc in documents_of(FULL) {
        let (decoded, diagnostics) = from_json(&doc, Store::Cluster);
        assert_eq!(diagnostics, [], "{doc}");
        for one in decoded.flatten() {
            assert!(matches!(one, Decoded::Object(_)), "{one:?}");
            objects += 1;
        }
    }
    assert!(objects >= Kind::ALL.len());
}

#[test]
fn metadata_arrives() {
    let listener = json!({"name": "http", "port": 80, "protocol": "HTTP"});
    let (object, said) = taken(&gateway(listener));
    assert_eq!(said, []);
    assert_eq!(object.key, ObjectKey::new(Store::Cluster, Kind::Gateway, "shop", "web"));
    assert_eq!((object.meta.generation, &*object.meta.uid), (4, "6ad1"));
}

#[test]
fn a_newer_api_breaks_nothing_that_is_known() {
    let listener = json!({
        "name": "http", "port": 80, "protocol": "INVALID", "brandNew": {"a": 1},
    });
    let (object, said) = taken(&gateway(listener));
    let Spec::Gateway(gateway) = &object.spec else { panic!() };
    assert_eq!(&*gateway.listeners[0].protocol.value, "INVALID");
    assert_eq!(said.len(), 1, "{said:#?}");

    let (object, _) = taken(&route(json!({
        "filters": [
            {"type": "Compress", "compress": {}},
            {"type": "URLRewrit"},
            {"type": "RequestRedirect", "requestRedirect": {"statusCode": 304, "scheme": "ftp"}},
        ],
        "matches": [{"method": "QUERY", "path": {"type": "Glob", "value": "*"}}],
        "backendRefs": [{"name": "shop"}, {"name": "shop", "port": 80, "weight": 5_000_000}],
        "retry": {"attempts": 0},
    })));
    let Spec::HttpRoute(route) = &object.spec else { panic!() };
    let rule = &route.rules[0];
    assert!(matches!(&rule.filters[0].kind, FilterKind::Unknown(kind) if &**kind == "Compress"));
    assert!(matches!(&rule.filters[1].kind, FilterKind::Unknown(kind) if &**kind == "URLRewrit"));
    let FilterKind::RequestRedirect(redirect) = &rule.filters[2].kind else { panic!() };
    assert_eq!(redirect.status.as_ref().map(|at| at.value), Some(304));
    assert_eq!(rule.matches[0].method.as_ref().map(|at| &*at.value), Some("QUERY"));
    assert_eq!(rule.backends.len(), 2);
    assert_eq!(rule.backends[1].weight.value, 1_000_000);
}

/// Dropped, each of these would let more through than its author wrote.
#[test]
fn what_cant_be_held_breaks_the_object() {
    let broken = |value: Json| {
        let (decoded, diagnostics) = from_json(&value, Store::Cluster);
        assert!(matches!(decoded, Decoded::Broken(Some(_))), "{value}: {decoded:?}");
        assert!(any_error(&diagnostics), "{value}");
    };
    broken(route(json!({"filters": ["RequestRedirect"]})));
    broken(route(json!({"matches": [1]})));
    broken(route(json!({"timeouts": {"request": "soon"}})));
    broken(json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "web"},
        "spec": {
            "gatewayClassName": "meshctl",
            "listeners": [{"name": "https", "port": 443, "protocol": "HTTPS"}],
            "tls": {"frontend": {"default": {}, "perPort": [{"tls": {"validation": {
                "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "ca"}],
            }}}]}},
        },
    }));
    broken(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}}));
}

#[test]
fn secrets_are_not_quoted() {
    let (_, said) = from_json(
        &json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"},
            "data": {"tls.crt": "not base64!"},
        }),
        Store::Cluster,
    );
    assert!(!said.is_empty());
    assert!(said.iter().all(|one| !one.message.contains("not base64!")), "{said:?}");
}

/// Every value of a document in turn, replaced.
fn replaced(doc: &Json, at: &mut usize, with: &Json) -> Json {
    if *at == 0 {
        *at = usize::MAX;
        return with.clone();
    }
    *at -= 1;
    match doc {
        Json::Array(items) => items.iter().map(|item| replaced(item, at, with)).collect(),
        Json::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (key.clone(), replaced(value, at, with)));
            Json::Object(fields.collect())
        }
        other => other.clone(),
    }
}

fn odd_values() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(json!(null)),
        Just(json!(-1)),
        Just(json!(0)),
        Just(json!(u64::MAX)),
        Just(json!(1.5)),
        Just(json!(true)),
        Just(json!("")),
        Just(json!("10.0.0.1")),
        Just(json!([])),
        Just(json!([null])),
        Just(json!({})),
        Just(json!({"": {}})),
        "\\PC{0,12}".prop_map(Json::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_arrives_panics(
        edits in proptest::collection::vec((any::<u16>(), odd_values()), 1..4),
    ) {
        for doc in documents_of(FULL) {
            let mut doc = doc;
            for (at, with) in &edits {
                let mut at = usize::from(*at) % 120;
                doc = replaced(&doc, &mut at, with);
            }
            let (decoded, said) = from_json(&doc, Store::Cluster);
            let whole = decoded.flatten().iter().all(|one| !matches!(one, Decoded::Broken(_)));
            prop_assert_eq!(whole, !any_error(&said), "{}", doc);
        }
    }
}
