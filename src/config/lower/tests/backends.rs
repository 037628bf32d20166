use super::build::*;
use super::*;
use crate::config::flags::endpoint_override;
use crate::config::raw::{At, EndpointSlice, GrpcRoute, Reference, Service, Spec, TargetPort};
use crate::model::{Address, BackendProtocol, Cause, Endpoint, Store};

fn with_backend(reference: Reference) -> World {
    World::of(shop_with(route("web", "web", vec![reference])))
}

fn addresses(world: &World) -> Vec<String> {
    let sets = world.endpoint_sets();
    sets.iter().flat_map(|set| &set.endpoints).map(|one| one.address.to_string()).collect()
}

#[test]
fn a_reference_that_leads_nowhere_keeps_its_share_and_its_cause() {
    let check = |reference: Reference, cause: Cause, code: Code| {
        let world = with_backend(reference);
        assert_eq!(world.rule().backends[0].backend, Err(cause));
        assert_eq!(world.rule().backends[0].weight, 1);
        assert_eq!(world.backends().len(), 0, "what nobody refers to is not lowered");
        world.codes(&[code]);
    };
    use Cause::{BackendKindUnknown, BackendNotFound, BackendNotPermitted};
    check(to_service("nobody", 80), BackendNotFound, codes::REFERENCE_MISSING);
    check(to_service("web", 81), BackendNotFound, codes::BACKEND_PORT);
    check(to("", "Service", "web"), BackendNotFound, codes::BACKEND_PORT);
    check(to_backend("nobody"), BackendNotFound, codes::REFERENCE_MISSING);
    check(to("", "ConfigMap", "web"), BackendKindUnknown, codes::REFERENCE_KIND);
    check(to("other.example", "Service", "web"), BackendKindUnknown, codes::REFERENCE_KIND);
    check(to_service("other/web", 8080), BackendNotPermitted, codes::REFERENCE_NOT_PERMITTED);
}

#[test]
fn only_tcp_ports_are_spoken_to() {
    let mut objects = shop();
    objects[2] = service("web", 8080).service(|service| service.ports[0].protocol = "UDP".into());
    World::of(objects).codes(&[codes::BACKEND_PORT]).says("does not speak TCP");
}

#[test]
fn grants_open_a_namespace_and_their_removal_closes_it() {
    let mut objects = shop_with(route("web", "web", vec![to_service("other/api", 80)]));
    objects.push(service("api", 80).within("other"));
    let permitted = |world: &World| world.rule().backends[0].backend.is_ok();
    let mut world = World::of(objects);
    assert!(!permitted(&world));
    let grants = [
        (grant("g", (Kind::GrpcRoute, "default"), Kind::Service), false),
        (grant("g", (Kind::HttpRoute, "third"), Kind::Service), false),
        (grant("g", (Kind::HttpRoute, "default"), Kind::Secret), false),
        (grant("g", (Kind::HttpRoute, "default"), Kind::Service), true),
    ];
    for (grant, expected) in grants {
        let grant = grant.within("other");
        world.apply([grant.clone()]);
        assert_eq!(permitted(&world), expected);
        world.delete(&grant);
        assert!(!permitted(&world), "revoked");
    }
    let grant = grant("g", (Kind::HttpRoute, "default"), Kind::Service);
    let named = |name: &str| {
        let mut grant = grant.clone().within("other");
        let Spec::ReferenceGrant(spec) = &mut grant.spec else { panic!("a ReferenceGrant") };
        spec.to[0].2 = Some(name.into());
        grant
    };
    world.apply([named("else")]);
    assert!(!permitted(&world));
    world.apply([named("api")]);
    assert!(permitted(&world));
    // The grant of another namespace says nothing about this one.
    world.delete(&named("api"));
    world.apply([grant.within("third")]);
    assert!(!permitted(&world));
}

#[test]
fn a_rule_without_backends_is_told_about() {
    let mut objects = shop_with(route("web", "web", vec![]));
    World::of(objects.clone()).codes(&[codes::NO_BACKEND]);
    objects[1] = route("web", "web", vec![to_service("web", 8080)])
        .route(|route| route.rules[0].backends[0].weight = At::nowhere(0));
    let world = World::of(objects);
    world.codes(&[codes::NO_BACKEND]);
    assert_eq!(world.rule().backends[0].weight, 0);
}

#[test]
fn ready_endpoints_count_and_terminating_ones_are_the_last_resort() {
    let check = |slices: &[&[&str]], expected: &[&str], empty: Option<Cause>| {
        let mut objects = shop();
        objects.pop();
        for (position, addresses) in slices.iter().enumerate() {
            objects.push(slice(&format!("web-{position}"), "web", 3000, addresses));
        }
        let world = World::of(objects);
        assert_eq!(addresses(&world), expected, "{slices:?}");
        assert_eq!(world.endpoint_sets()[0].empty, empty, "{slices:?}");
    };
    check(&[&["10.0.0.2", "10.0.0.1"]], &["10.0.0.1:3000", "10.0.0.2:3000"], None);
    check(&[&["10.0.0.1", "!10.0.0.2", "-10.0.0.3"]], &["10.0.0.1:3000"], None);
    check(&[&["!10.0.0.2", "-10.0.0.3"]], &["10.0.0.3:3000"], None);
    check(&[&["!10.0.0.2"]], &[], Some(Cause::NoHealthyEndpoint));
    check(&[&[]], &[], Some(Cause::NoEndpoint));
    check(&[], &[], Some(Cause::NoEndpoint));
    check(&[&["10.0.0.1"], &["10.0.0.1", "10.0.0.2"]], &["10.0.0.1:3000", "10.0.0.2:3000"], None);
    // A broken address is left out.
    check(&[&["10.0.0.1", "localhost", "::1"]], &["10.0.0.1:3000"], None);
}

#[test]
fn slices_are_found_by_the_name_of_the_port_and_of_the_family() {
    let check = |edit: fn(&mut Service, &mut EndpointSlice), expected: &[&str]| {
        let no_port = expected.is_empty();
        let mut objects = shop();
        let (mut service, mut slice) = (objects[2].clone(), objects[3].clone());
        let (Spec::Service(of_service), Spec::EndpointSlice(of_slice)) =
            (&mut service.spec, &mut slice.spec)
        else {
            panic!("the shop has both")
        };
        edit(of_service, of_slice);
        (objects[2], objects[3]) = (service, slice);
        let world = World::of(objects);
        assert_eq!(addresses(&world), expected);
        world.codes(if no_port { &[codes::NO_ENDPOINT] } else { &[] });
    };
    check(|_, slice| slice.ports[0].1 = None, &["10.0.0.1:8080"]);
    check(
        |service, slice| {
            service.ports[0].target_port = Some(TargetPort::Number(4000));
            slice.ports[0].1 = None;
        },
        &["10.0.0.1:4000"],
    );
    check(
        |service, slice| {
            service.ports[0].name = Some("http".into());
            service.ports[0].target_port = Some(TargetPort::Name("web".into()));
            slice.ports =
                vec![(Some("metrics".into()), Some(9)), (Some("http".into()), Some(3001))];
        },
        &["10.0.0.1:3001"],
    );
    check(|service, _| service.ports[0].name = Some("http".into()), &[]);
    check(|_, slice| slice.ports[0].0 = Some("".into()), &["10.0.0.1:3000"]);
    check(|service, _| service.cluster_ip = Some("None".into()), &["10.0.0.1:3000"]);
    check(
        |_, slice| {
            slice.address_type = at("IPv6");
            slice.endpoints[0].addresses = hosts(&["fd00::1"]);
        },
        &["[fd00::1]:3000"],
    );
    check(
        |_, slice| {
            slice.address_type = at("FQDN");
            slice.endpoints[0].addresses = hosts(&["web.internal"]);
        },
        &["web.internal:3000"],
    );
}

#[test]
fn a_service_of_a_directory_without_slices_is_told_how_to_get_endpoints() {
    let check = |namespace: &str, flag: &str, help: &str| {
        let objects: Vec<_> =
            shop().into_iter().take(3).map(|object| object.within(namespace)).collect();
        let world = World::of(objects.clone());
        world.codes(&[codes::NO_ENDPOINT]).says(help);
        let mut options = Options::default();
        options.add_endpoint(endpoint_override(flag).expect("a literal"));
        let other = flag.replace("3000", "3001");
        options.add_endpoint(endpoint_override(&other).expect("a literal"));
        let world = World::with(options, objects);
        world.codes(&[]);
        assert_eq!(addresses(&world), ["127.0.0.1:3000", "127.0.0.1:3001"]);
    };
    check("default", "web=127.0.0.1:3000", "`--endpoint web=HOST:PORT`");
    check("shop", "shop/web=127.0.0.1:3000", "`--endpoint shop/web=HOST:PORT`");
    let mut in_cluster: Vec<_> = shop().into_iter().take(3).collect();
    for object in &mut in_cluster {
        object.key.store = Store::Cluster;
    }
    World::of(in_cluster).codes(&[]);
}

#[test]
fn external_names_are_names_to_resolve() {
    let check = |name: Option<&str>, expected: &[&str], code: Option<Code>| {
        let mut objects = shop();
        objects[2] = service("web", 8080).service(|service| {
            service.kind = at("ExternalName");
            service.external_name = name.map(at);
            service.ports[0].target_port = Some(TargetPort::Number(443));
        });
        let world = World::of(objects);
        assert_eq!(addresses(&world), expected);
        world.codes(Option::as_slice(&code));
    };
    check(Some("api.example."), &["api.example:443"], None);
    check(Some("*.example"), &[], Some(codes::BAD_ENDPOINT));
    check(Some("10.0.0.1"), &[], Some(codes::BAD_ENDPOINT));
    check(None, &[], Some(codes::BAD_ENDPOINT));
}

#[test]
fn endpoints_of_a_backend_are_hosts_addresses_or_sockets() {
    let written = backend("b", &["localhost:3000", "[::1]:80", "unix:/run/a", "10.0.0.1:80"]);
    let mut objects = shop_with(route("web", "web", vec![to_backend("b")]));
    objects.push(written);
    let world = World::of(objects);
    assert_eq!(addresses(&world), ["10.0.0.1:80", "[::1]:80", "unix:/run/a", "localhost:3000"]);
    world.codes(&[]);
    assert_eq!(world.keys(PartKind::EndpointSet), ["Backend default/b"]);
}

#[test]
fn equal_endpoints_of_a_backend_add_their_weights() {
    let mut written = backend("b", &["a:80", "a:80"]);
    let Spec::Backend(spec) = &mut written.spec else { panic!("a Backend") };
    spec.endpoints[1].1 = 4;
    let mut objects = shop_with(route("web", "web", vec![to_backend("b")]));
    objects.push(written);
    let address = Address::Dns { host: "a".into(), port: 80 };
    let expected = Endpoint { address, alternate: None, weight: 5 };
    assert_eq!(World::of(objects).endpoint_sets()[0].endpoints, [expected]);
}

#[test]
fn app_protocols_say_what_is_spoken() {
    let check = |app: &str,
                 protocol: BackendProtocol,
                 tls: Result<(), Cause>,
                 code: Option<Code>| {
        let mut objects = shop();
        objects[2] =
            service("web", 8080).service(|service| service.ports[0].app_protocol = Some(at(app)));
        let world = World::of(objects);
        let backend = world.backend();
        assert_eq!((backend.protocol, backend.tls.clone().map(|_| ())), (protocol, tls), "{app}");
        world.codes(Option::as_slice(&code));
    };
    let invalid = || (Err(Cause::BackendTlsInvalid), Some(codes::BACKEND_TLS_INVALID));
    check("kubernetes.io/h2c", BackendProtocol::H2c, Ok(()), None);
    check("kubernetes.io/ws", BackendProtocol::WebSocket, Ok(()), None);
    check("kubernetes.io/wss", BackendProtocol::WebSocket, invalid().0, invalid().1);
    check("https", BackendProtocol::Http, invalid().0, invalid().1);
    check("HTTPS", BackendProtocol::Http, invalid().0, invalid().1);
    check("http", BackendProtocol::Http, Ok(()), None);
    check("mongo", BackendProtocol::Http, Ok(()), Some(codes::APP_PROTOCOL));
}

#[test]
fn grpc_routes_mean_http2_where_nothing_else_is_said() {
    let mut rpc = grpc_route("rpc", "web", vec![to_service("web", 8080)]);
    let Spec::GrpcRoute(GrpcRoute { hostnames, .. }) = &mut rpc.spec else { panic!("a GRPCRoute") };
    *hostnames = hosts(&["rpc.example"]);
    let mut objects = shop();
    objects[1] = objects[1].clone().route(|route| route.hostnames = hosts(&["web.example"]));
    objects.push(rpc);
    let world = World::of(objects.clone());
    let protocols: Vec<_> =
        world.backends().iter().map(|one| (one.key.section.to_string(), one.protocol)).collect();
    assert_eq!(
        protocols,
        [
            ("8080".to_owned(), BackendProtocol::Http),
            ("8080/grpc".to_owned(), BackendProtocol::H2c)
        ]
    );
    assert_eq!(world.endpoint_sets().len(), 1, "both share the endpoints");
    objects[2] = service("web", 8080)
        .service(|service| service.ports[0].app_protocol = Some(at("kubernetes.io/h2c")));
    assert_eq!(World::of(objects).backend().protocol, BackendProtocol::H2c);
}

#[test]
fn what_nobody_refers_to_any_more_is_removed() {
    let mut world = World::of(shop());
    assert_eq!(world.parts.len(), 4);
    world.delete(&shop()[1]);
    assert_eq!(world.keys(PartKind::Listener).len(), 1);
    assert_eq!(world.parts.len(), 1, "rule, backend and endpoints are gone");
    world.apply([shop()[1].clone()]);
    assert_eq!(world.parts.len(), 4);
    world.delete(&shop()[0]);
    assert_eq!(world.parts.len(), 0, "a route that nobody takes brings no backend");
    world.codes(&[codes::PARENT_MISSING]);
}
