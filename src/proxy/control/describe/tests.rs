use std::sync::Arc;

use super::*;
use crate::model::{
    Address, BindAddress, Hostname, Kind, ObjectKey, PartKey, PartKind, Pattern, PrivateKey,
    RouteProtocol, Store,
};

fn key(part: PartKind, kind: Kind, name: &str, section: &str) -> PartKey {
    PartKey::new(part, ObjectKey::new(Store::Files, kind, "shop", name), section)
}

fn rule_with(filters: Vec<Filter>, headers: Vec<HeaderMatch>) -> Part {
    Part::Rule(Arc::new(Rule {
        key: key(PartKind::Rule, Kind::HttpRoute, "cart", "0"),
        protocol: RouteProtocol::Http,
        order: RuleOrder { created: 0, namespace: "shop".into(), name: "cart".into(), rule: 0 },
        attachments: vec![Attachment {
            listener: key(PartKind::Listener, Kind::Gateway, "edge", "http"),
            hostname: Some(Hostname::parse("*.shop.example").expect("a literal")),
        }],
        matches: vec![Match {
            path: PathMatch::Prefix("".into()),
            method: Some("GET".into()),
            headers,
            query: vec![],
        }],
        filters,
        backends: vec![
            WeightedBackend {
                weight: 9,
                backend: Ok(key(PartKind::Backend, Kind::Service, "cart", "80")),
                filters: vec![],
            },
            WeightedBackend { weight: 1, backend: Err(Cause::BackendNotFound), filters: vec![] },
        ],
        timeouts: Timeouts {
            request: Some(Duration::from_millis(1500)),
            backend_request: None,
            stream_idle: None,
        },
        retry: RetryPolicy::standard(),
        session_persistence: None,
    }))
}

#[test]
fn a_rule_reads_as_the_proxy_believes_it() {
    let described = describe(&rule_with(vec![Filter::Refuse(Cause::FilterUnknown)], vec![]));
    assert_eq!(described["part"], "rule");
    assert_eq!(described["key"], "HTTPRoute shop/cart#0");
    let expected = json!({
        "protocol": "Http",
        "created": 0,
        "position": 0,
        "attachments": [{ "listener": "Gateway shop/edge#http", "hostname": "*.shop.example" }],
        "matches": [{ "path": { "prefix": "/" }, "method": "GET", "headers": [], "query": [] }],
        "filters": [{ "refuse": "filter_unknown" }],
        "backends": [
            { "weight": 9, "backend": "Service shop/cart#80", "filters": [] },
            { "weight": 1, "backend": { "cause": "backend_not_found" }, "filters": [] },
        ],
        "timeouts": { "request": "1.5s", "backendRequest": null, "streamIdle": null },
        "retry": { "attempts": 1, "backoff": null, "statuses": [], "onFailure": false },
        "sessionPersistence": null,
    });
    assert_eq!(described["spec"], expected);
}

#[test]
fn no_secret_is_shown() {
    let secret = "hunter2hunter2";
    let edit = HeaderEdit {
        set: vec![("authorization".into(), secret.into()), ("x-tier".into(), "gold".into())],
        add: vec![("x-api-key".into(), secret.into()), ("set-cookie".into(), secret.into())],
        remove: vec!["cookie".into()],
    };
    let filters = vec![Filter::RequestHeaders(edit.clone()), Filter::ResponseHeaders(edit)];
    let headers = vec![
        HeaderMatch::Exact { name: "x-auth-token".into(), value: secret.into() },
        HeaderMatch::Regex { name: "cookie".into(), pattern: Pattern::checked(secret) },
    ];
    let certificate = Part::Certificate(Arc::new(Certificate {
        key: key(PartKind::Certificate, Kind::Secret, "tls", ""),
        chain: vec![vec![1], vec![2]],
        private_key: PrivateKey(secret.as_bytes().into()),
    }));
    for part in [rule_with(filters, headers), certificate] {
        let text = describe(&part).to_string();
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains(MASK), "{text}");
        assert!(!text.contains("x-tier") || text.contains("gold"), "{text}");
    }
}

#[test]
fn the_other_parts_read_too() {
    let listener = Listener {
        key: key(PartKind::Listener, Kind::Gateway, "edge", "http"),
        gateway: ObjectKey::new(Store::Files, Kind::Gateway, "shop", "edge"),
        scope: Default::default(),
        bind: BindAddress { ip: None, port: 8080 },
        port: 80,
        hostname: None,
        protocol: ListenerProtocol::Https(ListenerTls {
            certificates: vec![Err(Cause::CertificateMissing)],
            client_auth: None,
            min_version: crate::model::TlsVersion::V1_2,
        }),
        settings: Arc::new(ListenerSettings {
            trusted_hops: 1,
            proxy_protocol_from: vec![([10, 0, 0, 0].into(), 8)],
            idle_timeout: Duration::from_secs(3600),
            request_head_timeout: Duration::from_secs(30),
            stream_idle_timeout: Duration::from_secs(300),
            drain_timeout: Duration::from_secs(30),
            max_header_bytes: 61_440,
            access_log: None,
            via: "meshctl".into(),
        }),
    };
    let spec = &describe(&Part::Listener(Arc::new(listener)))["spec"];
    assert_eq!((&spec["bind"], &spec["port"]), (&json!("*:8080"), &json!(80)));
    assert_eq!(spec["tls"]["certificates"], json!([{ "cause": "certificate_missing" }]));
    assert_eq!(spec["settings"]["proxyProtocolFrom"], json!(["10.0.0.0/8"]));

    let endpoints = key(PartKind::EndpointSet, Kind::Service, "cart", "80");
    let backend = Backend {
        key: key(PartKind::Backend, Kind::Service, "cart", "80"),
        endpoints: endpoints.clone(),
        protocol: BackendProtocol::H2c,
        tls: Err(Cause::BackendTlsInvalid),
        policy: Arc::new(BackendPolicy::standard()),
    };
    let spec = &describe(&Part::Backend(Arc::new(backend)))["spec"];
    assert_eq!(spec["tls"], json!({ "cause": "backend_tls_invalid" }));
    assert_eq!(spec["policy"]["ejection"]["base"], "10s");

    let address = Address::Socket(([10, 0, 0, 1], 80).into());
    let endpoints = EndpointSet {
        key: endpoints,
        endpoints: vec![Endpoint { address, alternate: "[fd00::1]:80".parse().ok(), weight: 1 }],
        empty: None,
        reach: None,
    };
    let spec = &describe(&Part::EndpointSet(Arc::new(endpoints)))["spec"];
    let shown = json!([{ "address": "10.0.0.1:80", "alternate": "[fd00::1]:80", "weight": 1 }]);
    assert_eq!(spec["endpoints"], shown);
}
