use meshctl::telemetry::EndpointCounts;
use serde_json::{Value, json};

use super::arms::{Arms, Row};
use super::endpoints::Endpoints;
use super::rate;
use crate::wanted::Wanted;

fn settled(arms: &mut Arms, seconds: f64) -> Vec<Row> {
    arms.settle();
    arms.rows(&Wanted::default(), seconds)
}

fn report(process: &str, requests: u64, errors: u64, dark: bool) -> Value {
    let object = |kind: &str, name: &str| json!({ "store": "files", "kind": kind, "namespace": "shop", "name": name });
    json!({
        "process": process, "born": 1, "requests": requests, "errors": errors,
        "connections": 0, "leftOut": 0,
        "arms": [{
            "route": object("HTTPRoute", "web"), "rule": "0",
            "backend": object("Service", "v1"), "port": "80",
            "dark": dark, "born": 1, "requests": requests, "attempts": requests + 2,
            "errors": errors, "serverErrors": errors, "cancelled": 0, "inFlight": 1,
            "latencies": [[24, requests]],
        }],
    })
}

#[test]
fn two_looks_make_a_rate() {
    let mut arms = Arms::by_route();
    arms.take("a", &report("1", 100, 10, false)).expect("a report");
    arms.take("b", &report("2", 50, 0, false)).expect("a report");
    assert!(
        settled(&mut arms, 1.0).iter().all(|row| row.requests_per_second == 0.0),
        "since when?"
    );
    arms.take("a", &report("1", 130, 13, false)).expect("a report");
    arms.take("b", &report("2", 60, 0, false)).expect("a report");
    let rows = settled(&mut arms, 2.0);
    assert_eq!((rows.len(), rows[0].name.as_str()), (1, "shop/web"));
    assert_eq!((rows[0].requests_per_second, rows[0].errors_per_second), (20.0, 1.5));
    assert_eq!((rows[0].error_percent, rows[0].in_flight), (7.5, 2));
    assert!(rows[0].p50_seconds.is_some_and(|p50| p50 > 0.0));
    // The same again is no news, and another process counts from its first look.
    arms.take("a", &report("1", 130, 13, false)).expect("a report");
    arms.take("b", &report("3", 90, 0, false)).expect("a report");
    let rows = settled(&mut arms, 2.0);
    assert_eq!((rows[0].requests_per_second, rows[0].p99_seconds), (0.0, None));
}

#[test]
fn copies_are_a_row_of_their_own() {
    let mut arms = Arms::by_backend();
    arms.take("a", &report("1", 0, 0, true)).expect("a report");
    arms.settle();
    arms.take("a", &report("1", 5, 0, true)).expect("a report");
    assert_eq!(settled(&mut arms, 1.0)[0].name, "shop/v1:80 (copies)");
    let mut arms = Arms::by_route();
    arms.take("a", &report("1", 0, 0, true)).expect("a report");
    arms.take("a", &report("1", 5, 0, true)).expect("a report");
    assert!(settled(&mut arms, 1.0).is_empty(), "no client waits for them");
}

#[test]
fn a_name_and_a_namespace_narrow() {
    let mut arms = Arms::by_backend();
    arms.take("a", &report("1", 0, 0, false)).expect("a report");
    arms.settle();
    let shown = |name: Option<&str>, namespace: Option<&str>| {
        let [name, namespace] = [name, namespace].map(|text| text.map(str::to_owned));
        arms.rows(&Wanted { name, namespace }, 1.0).len()
    };
    assert_eq!([shown(Some("v1"), None), shown(Some("v2"), None)], [1, 0]);
    assert_eq!([shown(None, Some("shop")), shown(None, Some("other"))], [1, 0]);
}

#[test]
fn endpoints_of_all_proxies_add_up() {
    let look = |proxy: &str, attempts, failures| {
        let endpoint = "10.0.0.1:80".to_owned();
        let counts = EndpointCounts {
            backend: "shop/v1".to_owned(),
            endpoint,
            attempts,
            failures,
            active: 1,
            out: proxy == "a",
            latency_micros: (proxy == "a").then_some(1_500),
            ..EndpointCounts::default()
        };
        (proxy.to_owned(), vec![counts])
    };
    let mut endpoints = Endpoints::default();
    endpoints.take(vec![look("a", 10, 1)]);
    endpoints.take(vec![look("a", 30, 3), look("late", 1_000, 0)]);
    let rows = endpoints.rows(&Wanted::default(), 2.0);
    assert_eq!((rows[0].tries_per_second, rows[0].failures_per_second), (10.0, 1.0));
    assert_eq!(rows[0].active_connections, 2);
    assert_eq!((rows[0].latency_seconds, rows[0].out), (Some(0.0015), 1));
    endpoints.take(vec![look("a", 5, 0), look("late", 1_004, 0)]);
    assert_eq!(endpoints.rows(&Wanted::default(), 1.0)[0].tries_per_second, 4.0, "one began again");
}

#[test]
fn rates_have_as_many_digits_as_they_mean() {
    let rates = [(0, 2.0), (1, 3.0), (100, 3.0), (1_000, 3.0)].map(|(n, s)| rate(n, s));
    assert_eq!(rates, [0.0, 0.3, 33.3, 333.0]);
}
