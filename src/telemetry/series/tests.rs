use std::collections::BTreeMap;

use super::*;
use crate::clock;
use crate::model::{Kind, ObjectKey, PartKind, Store};
use crate::telemetry::{Registry, SampleValue};

fn counts(registry: &Registry, family: Family) -> BTreeMap<String, u64> {
    let families = registry.collect(clock::now());
    let samples = families.into_iter().filter(|of| of.family == family);
    samples
        .flat_map(|of| of.samples)
        .map(|sample| match sample.value {
            SampleValue::Count(count) => (sample.labels.to_string(), count),
            SampleValue::Level(level) => (sample.labels.to_string(), level.unsigned_abs()),
            other => panic!("{family:?} is neither counter nor gauge: {other:?}"),
        })
        .collect()
}

fn shop() -> RouteNames {
    RouteNames {
        gateway: "infra/edge".into(),
        listener: "http".into(),
        route: "shop/cart".into(),
        rule: "0".into(),
        backend: "shop/cart:80".into(),
    }
}

fn cart() -> PartKey {
    let service = ObjectKey::new(Store::Files, Kind::Service, "shop", "cart");
    PartKey::new(PartKind::Backend, service, "80")
}

#[test]
fn requests_are_counted_by_status_and_cause() {
    let registry = Registry::new();
    let route = RouteSeries::new(&registry.worker(), shop());
    let failed = Record { status: 504, cause: Some(Cause::RequestTimeout), ..Record::default() };
    let passed_on = Record { status: 504, request_body: 10, response_body: 3, ..Record::default() };
    for record in [&failed, &passed_on, &failed] {
        route.count(record);
    }
    let way = r#"gateway="infra/edge",listener="http",route="shop/cart",backend="shop/cart:80""#;
    let expected = [
        (format!("{way},code=\"504\",cause=\"\""), 1),
        (format!("{way},code=\"504\",cause=\"request_timeout\""), 2),
    ];
    assert_eq!(counts(&registry, Family::Requests), BTreeMap::from(expected));
    assert_eq!(counts(&registry, Family::RequestBody), BTreeMap::from([(way.to_owned(), 10)]));
    assert_eq!(counts(&registry, Family::ResponseBody), BTreeMap::from([(way.to_owned(), 3)]));
}

#[test]
fn a_backend_that_answers_with_every_number_makes_a_bounded_number_of_series() {
    let registry = Registry::new();
    let route = RouteSeries::new(&registry.worker(), shop());
    for _ in 0..2 {
        for status in 100..1000 {
            route.count(&Record { status, ..Record::default() });
        }
    }
    let counts = counts(&registry, Family::Requests);
    assert_eq!(counts.len(), limits::STATUS_SERIES + 1);
    assert_eq!(counts.values().sum::<u64>(), 1800);
    let other = counts.iter().find(|(labels, _)| labels.contains("code=\"other\""));
    assert_eq!(other.map(|(_, count)| *count), Some(1800 - 2 * limits::STATUS_SERIES as u64));
}

#[test]
fn connections_are_counted_by_how_they_ended() {
    let registry = Registry::new();
    let metrics = registry.worker();
    let port = PortSeries::new(&metrics, BindAddress { ip: None, port: 8080 });
    for cause in [None, Some(Cause::IdleTimeout), Some(Cause::IdleTimeout)] {
        port.accepted.inc();
        port.active.inc();
        port.active.dec();
        port.closed(cause);
    }
    let address = "address=\"*:8080\"";
    assert_eq!(counts(&registry, Family::ConnectionsAccepted)[address], 3);
    assert_eq!(counts(&registry, Family::ConnectionsActive)[address], 0);
    let closed = counts(&registry, Family::ConnectionsClosed);
    assert_eq!(closed[&format!("{address},cause=\"\"")], 1);
    assert_eq!(closed[&format!("{address},cause=\"idle_timeout\"")], 2);
    ListenerSeries::new(&metrics, None).handshake(Some(Cause::TlsHandshakeTimeout));
    let handshakes = counts(&registry, Family::TlsHandshakes);
    let expected = r#"gateway="",listener="",outcome="tls_handshake_timeout""#;
    assert_eq!(handshakes, BTreeMap::from([(expected.to_owned(), 1)]));
}

#[test]
fn attempts_retries_and_mirrors_are_counted_by_outcome() {
    let registry = Registry::new();
    let metrics = registry.worker();
    let address = Address::Socket(([10, 0, 0, 1], 80).into());
    let endpoint = EndpointSeries::new(&metrics, &cart(), &address);
    endpoint.attempt(None);
    endpoint.attempt(Some(Cause::UpstreamReset));
    endpoint.attempt(None);
    endpoint.idle.inc();
    let way = r#"backend="shop/cart:80",endpoint="10.0.0.1:80""#;
    let attempts = counts(&registry, Family::UpstreamAttempts);
    assert_eq!(attempts[&format!("{way},outcome=\"ok\"")], 2);
    assert_eq!(attempts[&format!("{way},outcome=\"upstream_reset\"")], 1);
    assert_eq!(counts(&registry, Family::UpstreamConnections)[&format!("{way},state=\"idle\"")], 1);

    let backend = BackendSeries::new(&metrics, &cart());
    backend.retry(RetryOutcome::Sent);
    backend.retry(RetryOutcome::Denied);
    backend.retry(RetryOutcome::Denied);
    let retries = counts(&registry, Family::Retries);
    assert_eq!(retries.into_values().collect::<Vec<_>>(), [2, 1], "denied, sent");

    let route = ObjectKey::new(Store::Files, Kind::HttpRoute, "shop", "cart");
    let mirror =
        MirrorSeries::new(&metrics, &PartKey::new(PartKind::Rule, route, "0"), Some(&cart()));
    mirror.count(MirrorOutcome::Dropped, None, Duration::ZERO);
    let mirrors = counts(&registry, Family::Mirrors);
    let dropped = r#"route="shop/cart",backend="shop/cart:80",outcome="dropped""#;
    assert_eq!((mirrors.len(), mirrors[dropped]), (3, 1));
}
