//! One edit among 10,000 routes lowers fewer than 10 parts, whatever its kind.

use super::build::*;
use super::*;
use crate::config::raw::{At, Spec};
use crate::names::GROUP_GATEWAY_API;

const ROUTES: usize = 10_000;
const SERVICES: usize = 100;

fn service_name(position: usize) -> String {
    format!("svc-{}", position % SERVICES)
}

fn numbered(position: usize) -> Object {
    let services = vec![
        to_service(&service_name(position), 8080),
        to_service(&service_name(position + 1), 8080),
    ];
    route(&format!("r-{position}"), "web", services).route(|route| {
        route.hostnames = hosts(&[&format!("h{position}.example")]);
        route.rules[0].matches = vec![matching("PathPrefix", &format!("/p{position}"))];
    })
}

fn slice_of(position: usize, ip: &str) -> Object {
    slice(&format!("{}-1", service_name(position)), &service_name(position), 3000, &[ip])
}

fn big() -> World {
    let listeners = vec![https("https", 443, &["cert"]), listener("http", 80)];
    let mut objects = vec![gateway("web", listeners), tls_secret("cert"), ca_map("ca")];
    objects.extend((0..ROUTES).map(numbered));
    for position in 0..SERVICES {
        objects.push(service(&service_name(position), 8080));
        objects.push(slice_of(position, "10.0.0.1"));
    }
    World::of(objects)
}

#[test]
fn one_edit_lowers_fewer_than_ten_parts() {
    let mut world = big();
    world.codes(&[]);
    assert_eq!(world.rules().len(), ROUTES);
    assert_eq!(world.rules()[0].attachments.len(), 2);
    let weight = numbered(5000).route(|route| route.rules[0].backends[1].weight = At::nowhere(9));
    let mut with_port = service(&service_name(7), 8080);
    if let Spec::Service(service) = &mut with_port.spec {
        let mut second = service.ports[0].clone();
        second.name = Some("metrics".into());
        second.port = At::nowhere(9090);
        service.ports.push(second);
    }
    let to_one = |name: &str| to("", "Service", name);
    let edits: Vec<(&str, Object, usize)> = vec![
        ("weight", weight, 1),
        ("route", numbered(ROUTES), 1),
        ("moved route", numbered(1).route(|route| route.hostnames = hosts(&["x.example"])), 1),
        ("endpoint", slice_of(3, "10.0.0.2"), 1),
        ("certificate", tls_secret("cert"), 1),
        ("service", with_port, 0),
        ("listener", gateway("two", vec![listener("http", 81)]), 1),
        ("policy", traffic_policy("p", to_one("svc-1")).set(|p| p.connect_timeout = seconds(9)), 1),
        (
            "policy of a route",
            traffic_policy("q", to(GROUP_GATEWAY_API, "HTTPRoute", "r-9"))
                .set(|policy| policy.request_timeout = seconds(9)),
            1,
        ),
        ("tls policy", tls_policy("t", tls_of(to_one("svc-2"), &["ca"])), 1),
        ("unused secret", tls_secret("other"), 0),
        ("unused grant", grant("g", (Kind::HttpRoute, "x"), Kind::Service), 0),
        ("namespace", namespace("default").label("a", "b"), 0),
        ("unused backend", backend("b", &["localhost:80"]), 0),
    ];
    for (what, object, changed) in edits {
        world.apply([object]);
        let lowered = world.last.counters.parts_lowered;
        assert!(lowered < 10, "{what}: {lowered} parts lowered");
        let changes = &world.last.changes;
        assert_eq!(changes.upserted.len() + changes.removed.len(), changed, "{what}");
    }
    let route = numbered(77);
    world.delete(&route);
    assert_eq!(world.last.changes.removed.len(), 1);
    assert!(world.last.counters.units_run < 10, "{:?}", world.last.counters);
}
