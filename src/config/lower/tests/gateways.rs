use super::build::*;
use super::*;
use crate::config::flags::PortMove;
use crate::config::raw::{FromNamespaces, LabelSelector, Listener as Written};
use crate::limits;
use crate::model::AccessLogFormat;
use crate::names;

fn binds(world: &World) -> Vec<String> {
    let one = |listener: &&Listener| {
        let host = listener.hostname.as_ref().map_or("", |host| host.as_str());
        format!("{} {} {host}", listener.key, listener.bind).trim_end().to_owned()
    };
    world.listeners().iter().map(one).collect()
}

#[test]
fn a_gateway_is_ours_by_its_class() {
    let check = |world: &World, ours: bool| {
        assert_eq!(world.listeners().len(), usize::from(ours));
        world.codes(if ours { &[] } else { &[codes::CLASS_NOT_OURS] });
    };
    let of =
        |class: &str| gateway("web", vec![listener("http", 80)]).gateway(|g| g.class = at(class));
    check(&World::of([of("meshctl")]), true);
    let other = World::of([of("nginx")]);
    check(&other, false);
    other.says("`--class nginx`");
    let options = || Options { classes: vec!["nginx".into()], ..Options::default() };
    check(&World::with(options(), [of("nginx")]), true);
    check(&World::of([of("own"), class("own", names::CONTROLLER, None)]), true);
    check(&World::of([of("own"), class("own", "example.com/other", None)]), false);
    check(&World::of([of("meshctl"), class("meshctl", "example.com/other", None)]), false);
}

#[test]
fn addresses_and_moved_ports_say_where_to_listen() {
    let check = |addresses: &[(&str, &str)], expected: &[&str], errors: usize| {
        let gateway = gateway("web", vec![listener("http", 80)]).gateway(|gateway| {
            gateway.addresses = addresses.iter().map(|(kind, ip)| address(kind, ip)).collect();
        });
        let mut options = Options::default();
        options.add_port_move(PortMove { listener: 80, here: 8080 });
        let world = World::with(options, [gateway]);
        assert_eq!(binds(&world), expected, "{addresses:?}");
        world.codes(&vec![codes::ADDRESS_UNUSABLE; errors]);
        assert!(world.listeners().iter().all(|listener| listener.port == 80));
    };
    check(&[], &["Gateway default/web#http *:8080"], 0);
    check(&[("IPAddress", "127.0.0.1")], &["Gateway default/web#http 127.0.0.1:8080"], 0);
    check(
        &[("IPAddress", "127.0.0.1"), ("IPAddress", "::1")],
        &["Gateway default/web#http 127.0.0.1:8080", "Gateway default/web#http@::1 [::1]:8080"],
        0,
    );
    check(&[("IPAddress", "")], &["Gateway default/web#http *:8080"], 0);
    check(&[("IPAddress", "::")], &["Gateway default/web#http *:8080"], 0);
    check(&[("IPAddress", "::ffff:10.0.0.1")], &["Gateway default/web#http 10.0.0.1:8080"], 0);
    // What was asked for can't be had: listening everywhere would be more than was asked for.
    check(&[("IPAddress", "127.0.0.1x")], &[], 1);
    check(&[("Hostname", "web.example")], &[], 1);
    check(
        &[("Hostname", "web.example"), ("IPAddress", "10.1.2.3")],
        &["Gateway default/web#http 10.1.2.3:8080"],
        1,
    );
}

#[test]
fn listeners_that_cannot_be_served_are_refused_alone() {
    let check = |one: Written, code: Code| {
        let world = World::of([gateway("web", vec![listener("good", 8000), one])]);
        assert_eq!(binds(&world), ["Gateway default/web#good *:8000"]);
        world.codes(&[code]);
    };
    let protocol = |name: &str| Written { protocol: at(name), ..listener("bad", 80) };
    check(protocol("TCP"), codes::PROTOCOL_NOT_SERVED);
    check(protocol("TLS"), codes::PROTOCOL_NOT_SERVED);
    check(protocol("example.com/odd"), codes::PROTOCOL_NOT_SERVED);
    check(listener("bad", 80).host("10.0.0.1"), codes::HOSTNAME_UNUSABLE);
    check(Written { protocol: at("HTTP"), ..https("bad", 80, &["x"]) }, codes::BAD_LISTENER_TLS);
    let mut passthrough = https("bad", 443, &["x"]);
    passthrough.tls.as_mut().expect("https").mode = at("Passthrough");
    check(passthrough, codes::BAD_LISTENER_TLS);
}

#[test]
fn of_listeners_in_one_object_that_conflict_none_is_served() {
    let check = |listeners: Vec<Written>, left: &[&str], conflicts: usize| {
        let world = World::of([gateway("web", listeners), tls_secret("s")]);
        assert_eq!(binds(&world), left);
        world.codes(&vec![codes::LISTENER_CONFLICT; conflicts]);
    };
    check(
        vec![
            listener("a", 80),
            listener("b", 80).host("*.example"),
            listener("c", 80).host("a.example"),
        ],
        &[
            "Gateway default/web#a *:80",
            "Gateway default/web#b *:80 *.example",
            "Gateway default/web#c *:80 a.example",
        ],
        0,
    );
    check(vec![listener("a", 80), listener("b", 80)], &[], 2);
    check(
        vec![
            listener("a", 80).host("a.example"),
            listener("b", 80).host("A.Example"),
            listener("c", 80),
        ],
        &["Gateway default/web#c *:80"],
        2,
    );
    check(
        vec![listener("a", 443).host("a.example"), https("b", 443, &["s"]).host("b.example")],
        &[],
        2,
    );
}

#[test]
fn ports_that_were_moved_together_conflict_too() {
    let mut options = Options::default();
    options.add_port_move(PortMove { listener: 80, here: 8080 });
    let objects = [gateway("web", vec![listener("a", 80), listener("b", 8080)])];
    World::with(options, objects).codes(&[codes::LISTENER_CONFLICT, codes::LISTENER_CONFLICT]);
}

#[test]
fn gateways_on_one_port_merge_and_the_oldest_wins() {
    let old = gateway("old", vec![listener("http", 80).host("a.example")]).created(100);
    let young = gateway(
        "a-young",
        vec![listener("same", 80).host("a.example"), listener("other", 80).host("b.example")],
    )
    .created(200);
    let world = World::of([young, old]);
    assert_eq!(
        binds(&world),
        ["Gateway default/a-young#other *:80 b.example", "Gateway default/old#http *:80 a.example"]
    );
    world.codes(&[codes::LISTENER_CONFLICT]).says("Gateway default/old");
}

#[test]
fn a_listener_set_needs_the_gateways_permission() {
    let check = |from: FromNamespaces, namespace_of_set: &str, taken: bool| {
        let world = World::of([
            gateway("web", vec![]).gateway(|gateway| gateway.allowed_listeners = from),
            listener_set("more", "default/web", vec![listener("http", 80)])
                .within(namespace_of_set),
            namespace("team").label("tier", "front"),
        ]);
        assert_eq!(world.listeners().len(), usize::from(taken), "{namespace_of_set}");
        world.codes(if taken { &[] } else { &[codes::LISTENER_SET_REFUSED] });
    };
    let selector = |value: &str| {
        let mut selector = LabelSelector::default();
        selector.match_labels.insert("tier".into(), value.into());
        FromNamespaces::Selector(selector)
    };
    check(FromNamespaces::None, "default", false);
    check(FromNamespaces::Same, "default", true);
    check(FromNamespaces::Same, "team", false);
    check(FromNamespaces::All, "team", true);
    check(selector("front"), "team", true);
    check(selector("back"), "team", false);
    World::of([listener_set("more", "nobody", vec![listener("http", 80)])])
        .codes(&[codes::LISTENER_SET_REFUSED]);
}

#[test]
fn selectors_know_four_operators_and_the_namespaces_own_name() {
    let check = |key: &str, operator: &str, values: &[&str], taken: bool, unknown: bool| {
        let values = values.iter().map(|value| (*value).into()).collect();
        let selector = LabelSelector {
            match_expressions: vec![(key.into(), at(operator), values)],
            ..LabelSelector::default()
        };
        let mut objects = shop();
        let from = FromNamespaces::Selector(selector);
        objects[0] = gateway("web", vec![listener("http", 80).from(from)]);
        objects.push(namespace("default").label("tier", "front"));
        let world = World::of(objects);
        assert_eq!(world.rules().len(), usize::from(taken), "{key} {operator}");
        let mut expected = vec![];
        expected.extend((!taken).then_some(codes::ROUTE_NOT_ALLOWED));
        expected.extend(unknown.then_some(codes::BAD_SELECTOR));
        world.codes(&expected);
    };
    check("tier", "In", &["front", "back"], true, false);
    check("tier", "In", &["back"], false, false);
    check("tier", "NotIn", &["back"], true, false);
    check("other", "NotIn", &["back"], true, false);
    check("tier", "Exists", &[], true, false);
    check("other", "Exists", &[], false, false);
    check("other", "DoesNotExist", &[], true, false);
    check("tier", "Like", &["front"], false, true);
    check("kubernetes.io/metadata.name", "In", &["default"], true, false);
}

#[test]
fn the_gateway_comes_before_its_sets_and_older_sets_before_younger() {
    let set = |name: &str, created| {
        listener_set(name, "web", vec![listener("http", 80).host("a.example")]).created(created)
    };
    let gateway_with = |listeners| {
        gateway("web", listeners)
            .created(900)
            .gateway(|gateway| gateway.allowed_listeners = FromNamespaces::Same)
    };
    let world = World::of([gateway_with(vec![]), set("b", 1), set("a", 2)]);
    assert_eq!(binds(&world), ["ListenerSet default/b#http *:80 a.example"]);
    world.codes(&[codes::LISTENER_CONFLICT]);
    let own = vec![listener("own", 80).host("a.example")];
    let world = World::of([gateway_with(own), set("b", 1), set("a", 2)]);
    assert_eq!(binds(&world), ["Gateway default/web#own *:80 a.example"]);
    world.codes(&[codes::LISTENER_CONFLICT, codes::LISTENER_CONFLICT]);
}

#[test]
fn settings_come_from_the_nearest_mesh_config() {
    let config = |name: &str, hops: u32| {
        mesh_config(name, |config| {
            config.trusted_hops = Some(crate::config::raw::At::nowhere(hops))
        })
    };
    let reference = |name: &str| Some(to(names::GROUP_MESHCTL, "MeshConfig", name));
    let web = || gateway("web", vec![listener("http", 80)]);
    let check = |objects: Vec<Object>, hops: u8, expected: &[Code]| {
        let world = World::of(objects);
        assert_eq!(world.listeners()[0].settings.trusted_hops, hops);
        world.codes(expected);
    };
    let system = || config("default", 3).within("meshctl-system");
    check(vec![web()], 0, &[]);
    check(vec![web(), config("only", 1)], 1, &[]);
    check(vec![web(), config("one", 1), config("two", 2)], 0, &[codes::MESH_CONFIG_REFERENCE]);
    check(vec![web(), config("one", 1), config("two", 2), system()], 3, &[]);
    let by_class = class("meshctl", names::CONTROLLER, reference("default/one"));
    // A GatewayClass has no namespace of its own.
    check(vec![web(), config("one", 1), system(), by_class], 1, &[]);
    let own = web().gateway(|gateway| gateway.infrastructure.parameters_ref = reference("two"));
    check(vec![own, config("two", 2), system()], 2, &[]);
    let dangling =
        web().gateway(|gateway| gateway.infrastructure.parameters_ref = reference("none"));
    check(vec![dangling, system()], 0, &[codes::MESH_CONFIG_REFERENCE]);
}

#[test]
fn values_of_a_mesh_config_are_checked_one_by_one() {
    let world = World::of([
        gateway("web", vec![listener("http", 80)]),
        mesh_config("only", |config| {
            config.trusted_hops = Some(crate::config::raw::At::nowhere(300));
            config.proxy_protocol_from = hosts(&["10.1.2.3/8", "::1", "everyone"]);
            config.idle_timeout = seconds(0);
            config.drain_timeout = seconds(0);
            config.max_header_bytes = Some(crate::config::raw::At::nowhere(10));
            config.access_log = Some(at("xml"));
            config.request_head_timeout = seconds(7);
        }),
    ]);
    let settings = &world.listeners()[0].settings;
    assert_eq!(settings.trusted_hops, 0);
    assert_eq!(
        settings.proxy_protocol_from,
        [("10.0.0.0".parse().expect("ip"), 8), ("::1".parse().expect("ip"), 128)]
    );
    assert_eq!(settings.idle_timeout, limits::IDLE_TIMEOUT);
    assert!(settings.drain_timeout.is_zero());
    assert_eq!(settings.request_head_timeout.as_secs(), 7);
    assert_eq!(settings.access_log, Some(AccessLogFormat::Json));
    world.codes(&[codes::POLICY_VALUE; 5]);
}
