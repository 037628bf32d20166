use std::time::Duration;

use super::build::*;
use super::*;
use crate::config::raw::{
    At, Balance as RawBalance, Ejection as RawEjection, RetryBudget as RawBudget,
};
use crate::model::{
    BackendPolicy, Balance, Ejection, HashSource, ProxyProtocolVersion, RetryBudget, SlowStart,
};
use crate::names::GROUP_GATEWAY_API;

fn with(policies: Vec<Object>) -> World {
    let mut objects = shop();
    objects.extend(policies);
    World::of(objects)
}

fn to_route(name: &str) -> crate::config::raw::Reference {
    to(GROUP_GATEWAY_API, "HTTPRoute", name)
}

fn whole<T>(value: T) -> Option<At<T>> {
    Some(At::nowhere(value))
}

#[test]
fn a_service_s_policy_is_its_backends() {
    let policy = traffic_policy("p", to("", "Service", "web")).set(|policy| {
        policy.balance = Some(RawBalance { kind: at("RoundRobin"), hash_on: None });
        policy.connect_timeout = seconds(1);
        policy.retry_budget = Some(RawBudget { percent: whole(50), min_per_second: None });
        policy.ejection = Some(RawEjection {
            enabled: None,
            consecutive_failures: whole(7),
            base: seconds(20),
            max: None,
            max_percent: whole(10),
        });
        policy.slow_start = seconds(30);
        policy.proxy_protocol = Some(at("v2"));
        policy.max_requests = whole(99);
    });
    let world = with(vec![policy]);
    let expected = BackendPolicy {
        balance: Balance::RoundRobin,
        connect_timeout: Duration::from_secs(1),
        retry_budget: RetryBudget { percent: 50, floor_per_second: 10 },
        ejection: Ejection {
            consecutive_failures: 7,
            base: Duration::from_secs(20),
            max: Duration::from_secs(300),
            max_percent: 10,
        },
        slow_start: Some(SlowStart { window: Duration::from_secs(30) }),
        proxy_protocol: Some(ProxyProtocolVersion::V2),
        max_requests: 99,
        ..BackendPolicy::standard()
    };
    assert_eq!(*world.backend().policy, expected);
    world.codes(&[]);
}

#[test]
fn bad_values_leave_the_default_and_are_told_one_by_one() {
    let policy = traffic_policy("p", to("", "Service", "web")).set(|policy| {
        policy.balance = Some(RawBalance { kind: at("Fastest"), hash_on: None });
        policy.connect_timeout = seconds(0);
        policy.retry_budget = Some(RawBudget { percent: whole(101), min_per_second: None });
        policy.ejection = Some(RawEjection {
            base: seconds(20),
            max: seconds(10),
            max_percent: whole(200),
            ..RawEjection::default()
        });
        policy.proxy_protocol = Some(at("v3"));
    });
    let world = with(vec![policy]);
    let standard = BackendPolicy::standard();
    let base = Duration::from_secs(20);
    let ejection = Ejection { base, max: base, ..standard.ejection };
    assert_eq!(*world.backend().policy, BackendPolicy { ejection, ..standard });
    world.codes(&[codes::POLICY_VALUE; 6]);
}

#[test]
fn consistent_hashing_needs_something_to_hash() {
    let check = |kind: &str, name: Option<&str>, expected: HashSource, code: Option<Code>| {
        let policy = traffic_policy("p", to("", "Service", "web")).set(|policy| {
            let hash_on = Some((at(kind), name.map(at)));
            policy.balance = Some(RawBalance { kind: at("ConsistentHash"), hash_on });
        });
        let world = with(vec![policy]);
        assert_eq!(world.backend().policy.balance, Balance::ConsistentHash(expected));
        world.codes(Option::as_slice(&code));
    };
    let bad = Some(codes::POLICY_VALUE);
    check("ClientAddress", None, HashSource::ClientAddress, None);
    check("Path", None, HashSource::Path, None);
    check("Header", Some("X-User"), HashSource::Header("x-user".into()), None);
    check("Cookie", Some("Session"), HashSource::Cookie("Session".into()), None);
    check("Header", None, HashSource::ClientAddress, bad);
    check("Cookie", Some("a;b"), HashSource::ClientAddress, bad);
    check("Method", None, HashSource::ClientAddress, bad);
}

#[test]
fn ejection_can_be_switched_off() {
    let policy = traffic_policy("p", to("", "Service", "web")).set(|policy| {
        policy.ejection = Some(RawEjection { enabled: whole(false), ..RawEjection::default() });
    });
    assert_eq!(with(vec![policy]).backend().policy.ejection.consecutive_failures, 0);
}

#[test]
fn timeouts_come_from_the_rule_then_the_route_then_the_gateway() {
    let policy = |name: &str, target, request: u64| {
        traffic_policy(name, target).set(|policy| policy.request_timeout = seconds(request))
    };
    let rule_name = |name: &str| {
        let reference = to_route("web");
        crate::config::raw::Reference { section_name: Some(name.into()), ..reference }
    };
    let check = |own: Option<u64>, policies: Vec<Object>, expected: Option<u64>| {
        let mut objects = shop();
        objects[1] = objects[1].clone().route(|route| {
            route.rules[0].name = Some(at("first"));
            route.rules[0].timeouts.request = own.and_then(seconds);
        });
        objects.extend(policies);
        let world = World::of(objects);
        let found = world.rule().timeouts.request.map(|time| time.as_secs());
        assert_eq!(found, expected);
        world.codes(&[]);
    };
    let gateway = || policy("g", to_gateway("web"), 30);
    let route = || policy("r", to_route("web"), 20);
    let rule = || policy("s", rule_name("first"), 10);
    check(None, vec![], None);
    check(None, vec![gateway()], Some(30));
    check(None, vec![gateway(), route()], Some(20));
    check(None, vec![gateway(), route(), rule()], Some(10));
    check(Some(5), vec![gateway(), route(), rule()], Some(5));
    check(Some(0), vec![gateway(), route()], None);
    check(None, vec![gateway(), policy("r", to_route("web"), 0)], None);
}

#[test]
fn a_policy_of_another_rule_has_no_effect() {
    let mut target = to_route("web");
    target.section_name = Some("other".into());
    let policy = traffic_policy("p", target).set(|policy| policy.request_timeout = seconds(1));
    let world = with(vec![policy]);
    assert_eq!(world.rule().timeouts.request, None);
    world.codes(&[codes::POLICY_TARGET]);
}

#[test]
fn the_stream_idle_of_a_gateway_is_its_listeners() {
    let policy = traffic_policy("p", to_gateway("web"))
        .set(|policy| policy.stream_idle_timeout = seconds(9));
    let world = with(vec![policy]);
    assert_eq!(world.listeners()[0].settings.stream_idle_timeout.as_secs(), 9);
    world.codes(&[]);
}

#[test]
fn the_stream_idle_of_a_route_goes_before_its_gateway_s() {
    let idle = |name: &str, target, idle| {
        traffic_policy(name, target).set(|policy| policy.stream_idle_timeout = seconds(idle))
    };
    let mut world = with(vec![idle("gateway", to_gateway("web"), 9)]);
    assert_eq!(world.rule().timeouts.stream_idle, None, "the listener knows");
    world.apply([idle("route", to_route("web"), 5)]);
    assert_eq!(world.rule().timeouts.stream_idle, Some(Duration::from_secs(5)));
    assert_eq!(world.listeners()[0].settings.stream_idle_timeout.as_secs(), 9);
    world.codes(&[]);
}

#[test]
fn gateways_with_different_timeouts_make_parts_of_their_own() {
    let mut objects = shop();
    objects[1] = objects[1]
        .clone()
        .route(|route| route.parents = vec![to_gateway("web"), to_gateway("alt")]);
    objects.push(gateway("alt", vec![listener("http", 81)]));
    let mut world = World::of(objects);
    assert_eq!(world.rules().len(), 1);
    let policy =
        traffic_policy("p", to_gateway("web")).set(|policy| policy.request_timeout = seconds(9));
    world.apply([policy.clone()]);
    let requests: Vec<_> = world.rules().iter().map(|rule| rule.timeouts.request).collect();
    assert_eq!(requests, [None, Some(Duration::from_secs(9))]);
    world.delete(&policy);
    assert_eq!(world.rule().attachments.len(), 2);
}

#[test]
fn targets_are_checked() {
    let check = |target, expected: &[Code]| {
        let policy = traffic_policy("p", target).set(|_| {});
        with(vec![policy]).codes(expected);
    };
    check(to("", "Service", "web"), &[]);
    check(to("", "Service", "nobody"), &[codes::POLICY_TARGET]);
    check(to("", "Pod", "web"), &[codes::POLICY_TARGET]);
    let listener =
        crate::config::raw::Reference { section_name: Some("http".into()), ..to_gateway("web") };
    check(listener, &[codes::POLICY_TARGET]);
    let no_port = crate::config::raw::Reference {
        section_name: Some("htp".into()),
        ..to("", "Service", "web")
    };
    check(no_port.clone(), &[codes::POLICY_TARGET]);
    let of_port = tls_policy("p", tls_of(no_port, &["ca"]));
    with(vec![of_port, ca_map("ca")]).codes(&[codes::POLICY_TARGET]).says("no port or rule");
    let of_gateway = tls_of(to_gateway("web"), &["ca"]);
    with(vec![tls_policy("p", of_gateway), ca_map("ca")]).codes(&[codes::POLICY_TARGET]);
}

#[test]
fn the_oldest_policy_counts_and_the_other_is_told() {
    let policy = |name: &str, age, most: u32| {
        traffic_policy(name, to("", "Service", "web"))
            .set(|policy| policy.max_requests = whole(most))
            .created(age)
    };
    let mut world = with(vec![policy("a", 2, 10), policy("b", 1, 20)]);
    assert_eq!(world.backend().policy.max_requests, 20);
    world.codes(&[codes::POLICY_CONFLICT]).says("TrafficPolicy default/b");
    world.delete(&policy("b", 1, 20));
    assert_eq!(world.backend().policy.max_requests, 10);
    world.codes(&[]);
}

#[test]
fn fields_without_effect_are_told() {
    let check = |target, fields: usize| {
        let policy = traffic_policy("p", target).set(|policy| {
            policy.max_requests = whole(1);
            policy.slow_start = seconds(1);
            policy.request_timeout = seconds(1);
            policy.backend_request_timeout = seconds(1);
            policy.stream_idle_timeout = seconds(1);
        });
        with(vec![policy]).codes(&vec![codes::POLICY_FIELD_UNUSED; fields]);
    };
    check(to("", "Service", "web"), 3);
    check(to_route("web"), 2);
    check(to_gateway("web"), 2);
}
