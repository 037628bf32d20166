use super::build::*;
use super::*;
use crate::config::raw::{FromNamespaces, Listener as Written, Reference};
use crate::names;

/// `listener host` of each attachment.
fn attachments(world: &World) -> Vec<String> {
    let one = |rule: &&Rule| {
        let of = |attachment: &crate::model::Attachment| {
            let host = attachment.hostname.as_ref().map_or("*", |host| host.as_str());
            format!("{} {host}", attachment.listener.section)
        };
        rule.attachments.iter().map(of).collect::<Vec<_>>()
    };
    world.rules().iter().flat_map(one).collect()
}

#[test]
fn a_route_is_attached_for_the_hosts_that_both_mean() {
    let check = |listener_host: Option<&str>, route_hosts: &[&str], expected: &[&str], code| {
        let mut objects = shop();
        let listener = match listener_host {
            Some(host) => listener("l", 80).host(host),
            None => listener("l", 80),
        };
        objects[0] = gateway("web", vec![listener]);
        let host_list = hosts(route_hosts);
        objects[1] = objects[1].clone().route(|route| route.hostnames = host_list);
        let world = World::of(objects);
        assert_eq!(attachments(&world), expected, "{listener_host:?} {route_hosts:?}");
        world.codes(Option::as_slice(&code));
    };
    let disjoint = Some(codes::HOSTNAMES_DISJOINT);
    check(None, &[], &["l *"], None);
    check(None, &["a.example"], &["l a.example"], None);
    check(Some("a.example"), &[], &["l a.example"], None);
    check(Some("*.example"), &["a.example", "b.test"], &["l a.example"], None);
    check(Some("a.example"), &["*.example"], &["l a.example"], None);
    check(Some("*.example"), &["*.a.example", "example"], &["l *.a.example"], None);
    check(Some("a.example"), &["b.example"], &[], disjoint);
    check(Some("*.example"), &["example"], &[], disjoint);
    // One bad hostname is left out; when all are bad, the route isn't one of every host.
    check(None, &["a.example", "10.0.0.1"], &["l a.example"], Some(codes::HOSTNAME_UNUSABLE));
    check(None, &["10.0.0.1"], &[], Some(codes::HOSTNAME_UNUSABLE));
}

#[test]
fn parents_choose_among_listeners_by_name_and_port() {
    let check = |section: Option<&str>, port: Option<u16>, expected: &[&str], code| {
        let mut objects = shop();
        objects[0] = gateway("web", vec![listener("a", 80), listener("b", 81).host("b.example")]);
        let parent = Reference { section_name: section.map(Into::into), port, ..to_gateway("web") };
        objects[1] = objects[1].clone().route(|route| route.parents = vec![parent]);
        let world = World::of(objects);
        assert_eq!(attachments(&world), expected, "{section:?} {port:?}");
        world.codes(Option::as_slice(&code));
    };
    check(None, None, &["a *", "b b.example"], None);
    check(Some("a"), None, &["a *"], None);
    check(None, Some(81), &["b b.example"], None);
    check(Some("b"), Some(81), &["b b.example"], None);
    check(Some("b"), Some(80), &[], Some(codes::SECTION_MISSING));
    check(Some("c"), None, &[], Some(codes::SECTION_MISSING));
    check(None, Some(82), &[], Some(codes::SECTION_MISSING));
}

#[test]
fn a_listener_that_was_refused_is_told_about_once() {
    let mut objects = shop();
    objects[0] = gateway("web", vec![Written { protocol: at("TCP"), ..listener("a", 80) }]);
    World::of(objects).codes(&[codes::PROTOCOL_NOT_SERVED]);
}

#[test]
fn parents_of_other_kinds_and_missing_ones_are_diagnosed() {
    let check = |parent: Reference, code: Option<Code>| {
        let route = shop()[1].clone().route(|route| route.parents = vec![parent]);
        let world = World::of(shop_with(route));
        assert_eq!(world.rules().len(), 0);
        world.codes(Option::as_slice(&code));
    };
    check(to_gateway("other"), Some(codes::PARENT_MISSING));
    check(to("", "Service", "web"), Some(codes::PARENT_NOT_SERVED));
    check(to("", "Pod", "web"), Some(codes::REFERENCE_KIND));
    let orphan = shop()[1].clone().route(|route| route.parents.clear());
    World::of(shop_with(orphan)).codes(&[codes::PARENT_MISSING]).says("has no parentRefs");
    let passed_over = gateway("web", vec![listener("a", 80)]).gateway(|g| g.class = at("nginx"));
    let mut objects = shop();
    objects[0] = passed_over;
    World::of(objects).codes(&[codes::CLASS_NOT_OURS]);
}

#[test]
fn other_namespaces_are_let_in_by_the_listener() {
    let check = |from: FromNamespaces, attached: bool| {
        let mut objects = shop();
        objects[0] = gateway("web", vec![listener("a", 80).from(from)]).within("infra");
        objects[1] =
            objects[1].clone().route(|route| route.parents = vec![to_gateway("infra/web")]);
        let world = World::of(objects);
        assert_eq!(world.rules().len(), usize::from(attached));
        world.codes(if attached { &[] } else { &[codes::ROUTE_NOT_ALLOWED] });
    };
    check(FromNamespaces::Same, false);
    check(FromNamespaces::All, true);
    check(FromNamespaces::None, false);
}

#[test]
fn listeners_choose_kinds_of_routes() {
    let check = |listener: Written, http: bool, grpc: bool, expected: &[Code]| {
        let backend = || vec![to_service("web", 8080)];
        let mut objects = shop();
        objects[0] = gateway("web", vec![listener]);
        objects[1] = objects[1].clone().route(|route| route.hostnames = hosts(&["a.example"]));
        let mut grpc_route = grpc_route("rpc", "web", backend());
        if let crate::config::raw::Spec::GrpcRoute(route) = &mut grpc_route.spec {
            route.hostnames = hosts(&["b.example"]);
        }
        objects.push(grpc_route);
        let world = World::of(objects);
        let has = |kind: Kind| world.rules().iter().any(|rule| rule.key.object.kind == kind);
        assert_eq!((has(Kind::HttpRoute), has(Kind::GrpcRoute)), (http, grpc));
        world.codes(expected);
    };
    check(listener("a", 80), true, true, &[]);
    check(listener("a", 80).kind("HTTPRoute"), true, false, &[codes::ROUTE_NOT_ALLOWED]);
    check(listener("a", 80).kind("GRPCRoute"), false, true, &[codes::ROUTE_NOT_ALLOWED]);
    let refused = [codes::ROUTE_KIND, codes::ROUTE_NOT_ALLOWED, codes::ROUTE_NOT_ALLOWED];
    check(listener("a", 80).kind("TCPRoute"), false, false, &refused);
}

#[test]
fn a_route_attaches_to_a_listener_set_by_name_alone() {
    let set = listener_set("more", "web", vec![listener("extra", 81)]);
    let to_set = to(names::GROUP_GATEWAY_API, "ListenerSet", "more");
    let mut objects = shop();
    objects[0] = objects[0].clone().gateway(|g| g.allowed_listeners = FromNamespaces::Same);
    objects.push(set);
    assert_eq!(attachments(&World::of(objects.clone())), ["http *"]);
    objects[1] = objects[1].clone().route(|route| route.parents = vec![to_set]);
    let world = World::of(objects);
    assert_eq!(attachments(&world), ["extra *"]);
    assert_eq!(world.rule().attachments[0].listener.object.kind, Kind::ListenerSet);
}

#[test]
fn of_http_and_grpc_routes_with_common_hosts_the_oldest_is_taken() {
    let check = |http: (&[&str], i64), grpc: (&[&str], i64), left: &[Kind]| {
        let backend = || vec![to_service("web", 8080)];
        let route = route("web", "web", backend())
            .created(http.1)
            .route(|route| route.hostnames = hosts(http.0));
        let mut rpc = grpc_route("rpc", "web", backend()).created(grpc.1);
        if let crate::config::raw::Spec::GrpcRoute(route) = &mut rpc.spec {
            route.hostnames = hosts(grpc.0);
        }
        let mut objects = shop_with(route);
        objects.push(rpc);
        let world = World::of(objects);
        let kinds: Vec<Kind> = world.rules().iter().map(|rule| rule.key.object.kind).collect();
        assert_eq!(kinds, left, "{http:?} {grpc:?}");
        world.codes(&vec![codes::ROUTE_TYPE_CONFLICT; 2 - left.len()]);
    };
    let both = [Kind::HttpRoute, Kind::GrpcRoute];
    check((&["a.example"], 1), (&["b.example"], 2), &both);
    check((&["a.example"], 1), (&["a.example"], 2), &[Kind::HttpRoute]);
    check((&["a.example"], 2), (&["a.example"], 1), &[Kind::GrpcRoute]);
    // `rpc` comes before `web`.
    check((&["a.example"], 1), (&["a.example"], 1), &[Kind::GrpcRoute]);
    check((&["*.example"], 1), (&["a.example"], 2), &[Kind::HttpRoute]);
    check((&["a.b.example"], 1), (&["*.example"], 2), &[Kind::HttpRoute]);
    check((&["*.b.example"], 1), (&["*.example"], 2), &[Kind::HttpRoute]);
    check((&[], 1), (&["a.example"], 2), &[Kind::HttpRoute]);
    check((&["a.example"], 1), (&[], 2), &[Kind::HttpRoute]);
    check((&["example"], 1), (&["*.example"], 2), &both);
}

#[test]
fn a_refused_route_refuses_nobody() {
    // Oldest first: HTTP takes `a`, GRPC wants `a` and `b` and is refused, HTTP gets `b`.
    let backend = || vec![to_service("web", 8080)];
    let http = |name: &str, host: &str, age| {
        route(name, "web", backend()).created(age).route(|route| route.hostnames = hosts(&[host]))
    };
    let mut rpc = grpc_route("rpc", "web", backend()).created(2);
    if let crate::config::raw::Spec::GrpcRoute(route) = &mut rpc.spec {
        route.hostnames = hosts(&["a.example", "b.example"]);
    }
    let mut objects = shop_with(http("one", "a.example", 1));
    objects.extend([rpc, http("three", "b.example", 3)]);
    let mut world = World::of(objects);
    assert_eq!(
        world.keys(PartKind::Rule),
        ["HTTPRoute default/one#0", "HTTPRoute default/three#0"]
    );
    world.delete(&http("one", "a.example", 1));
    assert_eq!(world.keys(PartKind::Rule), ["GRPCRoute default/rpc#0"]);
    world.codes(&[codes::ROUTE_TYPE_CONFLICT]);
}
