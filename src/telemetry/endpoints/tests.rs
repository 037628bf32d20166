use super::*;

#[test]
fn outcomes_add_up_by_endpoint() {
    let registry = Registry::new();
    let worker = registry.worker();
    let tried = |backend: &str, endpoint: &str, outcome: &str, times: u64| {
        worker.counter(Family::UpstreamAttempts, &[backend, endpoint, outcome]).add(times);
    };
    tried("shop/cart:80", "10.0.0.1:80", "ok", 7);
    tried("shop/cart:80", "10.0.0.1:80", "upstream_reset", 2);
    tried("shop/cart:80", "unix:/a\"b\\c", "upstream_closed", 1);
    let open =
        worker.gauge(Family::UpstreamConnections, &["shop/cart:80", "10.0.0.1:80", "active"]);
    open.add(3);
    let all = registry.endpoints();
    let expected = EndpointCounts {
        backend: "shop/cart:80".to_owned(),
        endpoint: "10.0.0.1:80".to_owned(),
        attempts: 9,
        failures: 2,
        ejections: 0,
        active: 3,
        idle: 0,
        ..EndpointCounts::default()
    };
    assert_eq!(all[0], expected);
    assert_eq!((all[1].endpoint.as_str(), all[1].failures), ("unix:/a\"b\\c", 1));
    assert_eq!(all.len(), 2);
}
