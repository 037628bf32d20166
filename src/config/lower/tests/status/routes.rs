use super::*;
use crate::config::raw::{FilterKind, FromNamespaces, Redirect, Reference, Rewrite};

const FINE: &str = "Accepted=True Accepted, ResolvedRefs=True ResolvedRefs";

#[test]
fn a_parent_says_why_it_does_not_take_a_route() {
    let check = |edit: fn(&mut crate::config::raw::HttpRoute), accepted: &str| {
        let mut objects = shop_with(route("web", "web", vec![to_service("web", 8080)]).route(edit));
        objects[0] = gateway(
            "web",
            vec![
                listener("http", 80).host("*.example"),
                listener("grpc", 81).kind("GRPCRoute"),
                crate::config::raw::Listener { protocol: at("TCP"), ..listener("tcp", 82) },
            ],
        );
        let world = cluster(objects);
        let entries = world.entries(Kind::HttpRoute, "web");
        let rest = entries[0].split_once(": ").expect("a name").1;
        assert_eq!(rest, format!("Accepted={accepted}, ResolvedRefs=True ResolvedRefs"));
    };
    check(|_| {}, "True Accepted");
    check(|route| route.parents[0].port = Some(80), "True Accepted");
    check(|route| route.parents[0].port = Some(8), "False NoMatchingParent");
    check(|route| route.parents[0].section_name = Some("no".into()), "False NoMatchingParent");
    check(|route| route.parents[0].section_name = Some("tcp".into()), "False NoMatchingParent");
    check(
        |route| route.parents[0].section_name = Some("grpc".into()),
        "False NotAllowedByListeners",
    );
    check(|route| route.hostnames = hosts(&["a.test"]), "False NoMatchingListenerHostname");
}

#[test]
fn an_entry_for_each_parent_that_is_ours_as_it_is_written() {
    let both = route("r", "web", vec![to_service("web", 8080)]).within("shop").route(|route| {
        route.parents = vec![
            to_gateway("default/web"),
            Reference { section_name: Some("http".into()), ..to_gateway("default/web") },
            to_gateway("default/nobody"),
            to_gateway("default/foreign"),
            to("", "Service", "web"),
            to_gateway("default/closed"),
        ];
    });
    let world = cluster([
        gateway("web", vec![listener("http", 80).from(FromNamespaces::All)]),
        gateway("closed", vec![listener("http", 80)]),
        gateway("foreign", vec![listener("http", 80)]).gateway(|one| one.class = at("theirs")),
        both,
        service("web", 8080).within("shop"),
    ]);
    assert_eq!(
        world.entries(Kind::HttpRoute, "shop/r"),
        [
            format!("web: {FINE}"),
            format!("web#http: {FINE}"),
            "closed: Accepted=False NotAllowedByListeners, ResolvedRefs=True ResolvedRefs"
                .to_owned(),
        ]
    );
    assert_eq!(world.told(Kind::Gateway, "web", "http").attached_routes, 1);
    let json = world.status(Kind::HttpRoute, "shop/r").to_json();
    assert_eq!(
        json["parents"][1]["parentRef"],
        serde_json::json!({
            "group": "gateway.networking.k8s.io",
            "kind": "Gateway",
            "namespace": "default",
            "name": "web",
            "sectionName": "http",
        })
    );
    assert_eq!(json["parents"][1]["controllerName"], crate::names::CONTROLLER);
}

#[test]
fn references_that_lead_nowhere() {
    let check = |backends: Vec<Reference>, resolved: &str| {
        let world = cluster(
            shop_with(route("web", "web", backends))
                .into_iter()
                .chain([service("web", 80).within("other")]),
        );
        let expected = format!("web: Accepted=True Accepted, ResolvedRefs={resolved}");
        assert_eq!(world.entries(Kind::HttpRoute, "web"), [expected]);
    };
    let good = || to_service("web", 8080);
    check(vec![], "True ResolvedRefs");
    check(vec![good()], "True ResolvedRefs");
    check(vec![good(), to_service("no", 80)], "False BackendNotFound");
    check(vec![to_service("web", 81)], "False BackendNotFound");
    check(vec![to("", "Pod", "web")], "False InvalidKind");
    check(vec![to_service("other/web", 80)], "False RefNotPermitted");
    check(vec![to_service("other/web", 80), to("", "Pod", "x")], "False RefNotPermitted");
}

#[test]
fn rules_that_cant_be_served_are_told() {
    let bad = || {
        let mut rule = rule(vec![to_service("web", 8080)]);
        rule.filters = vec![filter(FilterKind::Unknown("Odd".into()))];
        rule
    };
    let check = |rules: Vec<crate::config::raw::HttpRule>, expected: &str, attached: u32| {
        let object = route("web", "web", vec![]).route(|route| route.rules = rules);
        let world = cluster(shop_with(object));
        assert_eq!(world.entries(Kind::HttpRoute, "web"), [format!("web: {expected}")]);
        assert_eq!(world.told(Kind::Gateway, "web", "http").attached_routes, attached);
    };
    let good = || rule(vec![to_service("web", 8080)]);
    check(vec![good()], FINE, 1);
    check(vec![good(), bad()], &format!("{FINE}, PartiallyInvalid=True UnsupportedValue"), 1);
    check(vec![bad()], "Accepted=False UnsupportedValue, ResolvedRefs=True ResolvedRefs", 0);
    let mut both = good();
    let redirect = Redirect { scheme: None, hostname: None, path: None, port: None, status: None };
    both.filters = vec![
        filter(FilterKind::RequestRedirect(redirect)),
        filter(FilterKind::UrlRewrite(Rewrite { hostname: None, path: None })),
    ];
    check(vec![both], "Accepted=False IncompatibleFilters, ResolvedRefs=True ResolvedRefs", 0);
    let mut unmatched = good();
    unmatched.matches = vec![matching("RegularExpression", "(")];
    check(vec![unmatched], "Accepted=False UnsupportedValue, ResolvedRefs=True ResolvedRefs", 0);
}

#[test]
fn of_two_kinds_of_routes_the_younger_is_told_so() {
    let mut world = cluster(shop());
    let grpc = grpc_route("calls", "web", vec![to_service("web", 8080)]).created(5);
    world.apply([grpc.clone()]);
    assert_eq!(
        world.entries(Kind::GrpcRoute, "calls"),
        ["web: Accepted=False HostnameConflict, ResolvedRefs=True ResolvedRefs"]
    );
    assert_eq!(world.told(Kind::Gateway, "web", "http").attached_routes, 1);
    let web = shop()[1].clone();
    world.delete(&web);
    assert_eq!(world.entries(Kind::GrpcRoute, "calls"), [format!("web: {FINE}")]);
    assert_eq!(world.told(Kind::Gateway, "web", "http").attached_routes, 1);
}

#[test]
fn routes_of_listener_sets() {
    let to_set = |name: &str| to(crate::names::GROUP_GATEWAY_API, "ListenerSet", name);
    let at_set = |name: &str, set: &str| {
        route(name, "", vec![]).route(|route| route.parents = vec![to_set(set)])
    };
    let world = cluster([
        gateway("web", vec![listener("own", 80)])
            .gateway(|gateway| gateway.allowed_listeners = FromNamespaces::Same),
        listener_set("set", "web", vec![listener("more", 81)]),
        listener_set("far", "default/web", vec![listener("more", 82)]).within("other"),
        at_set("in", "set"),
        at_set("out", "other/far"),
        route("section", "web", vec![])
            .route(|route| route.parents[0].section_name = Some("more".into())),
        route("whole", "web", vec![]),
    ]);
    assert_eq!(world.entries(Kind::HttpRoute, "in"), [format!("set: {FINE}")]);
    let nowhere = "Accepted=False NoMatchingParent, ResolvedRefs=True ResolvedRefs";
    assert_eq!(world.entries(Kind::HttpRoute, "out"), [format!("far: {nowhere}")]);
    assert_eq!(world.entries(Kind::HttpRoute, "section"), [format!("web#more: {nowhere}")]);
    // A Gateway's routes are not its sets'.
    assert_eq!(world.told(Kind::Gateway, "web", "own").attached_routes, 1);
    assert_eq!(world.told(Kind::ListenerSet, "set", "more").attached_routes, 1);
}

#[test]
fn backends_that_no_route_may_reach() {
    use crate::config::raw::Service;
    use crate::model::{Address, Cause, Reach};
    let api: std::net::IpAddr = "10.96.0.1".parse().expect("an address");
    let check = |allowed: bool, object: Object, reference: Reference, refused: bool| {
        let options = Options {
            cluster: true,
            allow_local_backends: allowed,
            allow_external_names: allowed,
            forbidden: [api].into(),
            ..Options::default()
        };
        let mut world = World::new(options);
        let ours = class("meshctl", crate::names::CONTROLLER, None);
        world.apply(
            shop_with(route("web", "web", vec![reference])).into_iter().chain([ours, object]),
        );
        let entry = world.entries(Kind::HttpRoute, "web").concat();
        let key = &world.rule().backends[0].backend;
        if refused {
            assert_eq!(entry, "web: Accepted=True Accepted, ResolvedRefs=False BackendNotAllowed");
            assert_eq!(*key, Err(Cause::BackendAddressRefused));
            assert!(world.endpoint_sets().is_empty());
        } else {
            assert_eq!(entry, format!("web: {FINE}"));
            assert!(key.is_ok());
            // The rule goes where names are resolved.
            let set = world.endpoint_sets()[0];
            let named = set.endpoints.iter().any(|one| matches!(one.address, Address::Dns { .. }));
            let reach = Reach { local: allowed, closed: [api].into() };
            assert_eq!(set.reach.as_deref(), named.then_some(&reach));
        }
    };
    for (endpoint, refused, allowed) in [
        ("10.1.2.3:80", false, false),
        ("shop.example:80", false, false),
        ("127.0.0.1:80", true, false),
        ("127.9.9.9:80", true, false),
        ("[::1]:80", true, false),
        ("[::ffff:127.0.0.1]:80", true, false),
        ("0.0.0.0:80", true, false),
        ("169.254.169.254:80", true, false),
        ("[fe80::1]:80", true, false),
        ("[fd00:ec2::254]:80", true, false),
        ("224.0.0.1:80", true, false),
        ("unix:/run/meshctl/control.sock", true, false),
        ("localhost:80", true, false),
        ("a.localhost:80", true, false),
        ("kubernetes.default.svc:443", true, false),
        ("10.96.0.1:443", true, true),
        ("[::ffff:10.96.0.1]:443", true, true),
    ] {
        let object = || backend("b", &["10.0.0.9:1", endpoint]);
        check(false, object(), to_backend("b"), refused);
        check(true, object(), to_backend("b"), allowed);
    }
    let external = || {
        service("out", 80).service(|service: &mut Service| {
            service.kind = at("ExternalName");
            service.external_name = Some(at("other.svc.example"));
        })
    };
    check(false, external(), to_service("out", 80), true);
    check(true, external(), to_service("out", 80), false);
    // Files are written by whoever runs the proxy.
    let files = shop_with(route("web", "web", vec![to_backend("b")]));
    let world = World::of(files.into_iter().chain([backend("b", &["127.0.0.1:80"])]));
    world.codes(&[]);
}

#[test]
fn endpoint_slices_lead_to_pods_alone() {
    let options = Options {
        cluster: true,
        forbidden: ["10.96.0.1".parse().expect("ip")].into(),
        ..Options::default()
    };
    let mut world = World::new(options);
    let ours = class("meshctl", crate::names::CONTROLLER, None);
    world.apply(shop().into_iter().chain([ours]));
    let addresses = |world: &World| {
        let set = world.endpoint_sets()[0];
        let all = set.endpoints.iter().map(|one| one.address.to_string());
        (all.collect::<Vec<_>>().join(" "), set.empty)
    };
    for (ips, expected) in [
        (&["10.0.0.1", "10.96.0.1", "169.254.169.254", "127.0.0.1"][..], "10.0.0.1:3000"),
        // Terminating endpoints serve only where no other is ready.
        (&["10.0.0.1", "-10.0.0.2", "!10.0.0.3"], "10.0.0.1:3000"),
        (&["!10.0.0.1", "-10.0.0.2"], "10.0.0.2:3000"),
    ] {
        world.apply([slice("web-1", "web", 3000, ips)]);
        assert_eq!(addresses(&world), (expected.to_owned(), None));
    }
    world.apply([slice("web-1", "web", 3000, &["10.96.0.1"])]);
    assert_eq!(addresses(&world), (String::new(), Some(crate::model::Cause::NoHealthyEndpoint)));
    world.apply([slice("web-1", "web", 3000, &[])]);
    assert_eq!(addresses(&world), (String::new(), Some(crate::model::Cause::NoEndpoint)));
    // A headless Service is sent to like another.
    let headless = service("web", 8080).service(|service| service.cluster_ip = Some("None".into()));
    world.apply([headless, slice("web-1", "web", 3000, &["10.0.0.7"])]);
    assert_eq!(addresses(&world).0, "10.0.0.7:3000");
}

#[test]
fn what_is_too_large_to_be_sent_is_said() {
    let mut world = cluster(shop_with(route("web", "web", vec![to_service("web", 8080)])));
    let key = ObjectKey::new(crate::model::Store::Files, Kind::HttpRoute, "default", "web");
    for (unsent, expected) in [
        (true, format!("web: {FINE}, PartiallyInvalid=True UnsupportedValue")),
        (false, format!("web: {FINE}")),
    ] {
        world.lowering.set_unsent(&key, unsent);
        world.commit();
        assert_eq!(world.entries(Kind::HttpRoute, "web").concat(), expected);
    }
}
