use super::*;
use crate::config::raw::FromNamespaces;
use crate::config::status::{self, Refusal};

#[test]
fn nothing_is_told_of_a_directory() {
    assert!(World::of(shop()).statuses.is_empty());
}

#[test]
fn a_gateway_is_programmed_when_its_proxies_say_so() {
    let check = |facts: Option<Facts>, gateway: &str, listener: &str| {
        let mut world = cluster(shop());
        know(&mut world, "web", facts);
        let expected = ["Accepted=True Accepted", gateway, "ResolvedRefs=True ResolvedRefs"];
        assert_eq!(world.conditions(Kind::Gateway, "web"), expected);
        let line = world.listener_line(Kind::Gateway, "web", "http");
        assert_eq!(line, format!("http 1 HTTPRoute+GRPCRoute {listener}").trim_end());
    };
    let facts = |addresses: &[&str], ready, nacked: Option<&str>| {
        let addresses = addresses.iter().map(|one| ("IPAddress".into(), (*one).into())).collect();
        Some(Facts { addresses, ready, nacked: nacked.map(str::to_owned) })
    };
    let one = ["192.0.2.1"];
    let why = |reason| Err(Refusal::new(reason, "because"));
    check(None, "Programmed=False Pending", "Programmed=False Pending");
    check(facts(&one, Ok(()), None), "Programmed=True Programmed", "");
    check(facts(&[], Ok(()), None), "Programmed=False AddressNotAssigned", "");
    check(
        facts(&one, why(status::NO_RESOURCES), None),
        "Programmed=False NoResources",
        "Programmed=False Pending",
    );
    check(
        facts(&one, why(status::ADDRESS_NOT_USABLE), None),
        "Programmed=False AddressNotUsable",
        "",
    );
    check(
        facts(&one, Ok(()), Some("no such part")),
        "Programmed=False Invalid",
        "Programmed=False Pending",
    );
}

#[test]
fn a_changed_fact_runs_what_asked_for_it() {
    let mut world = cluster(shop());
    programmed(&mut world, "web");
    assert_eq!(world.last.counters.units_run, 1);
    let changed: Vec<String> = world.last.statuses.keys().map(ToString::to_string).collect();
    assert_eq!(changed, ["Gateway default/web"]);
    programmed(&mut world, "web");
    assert_eq!(world.last.counters.units_run, 0);
}

#[test]
fn another_controllers_gateway_has_no_status_and_no_mistake() {
    let foreign = |of: &str| {
        gateway("other", vec![listener("http", 80)]).gateway(|gateway| gateway.class = at(of))
    };
    for name in ["nginx", "theirs"] {
        let world = cluster([
            foreign(name),
            route("r", "other", vec![]),
            class("theirs", "example.com/controller", None),
        ]);
        world.codes(&[codes::NO_BACKEND]);
        let told: Vec<String> = world.statuses.keys().map(ToString::to_string).collect();
        assert_eq!(told, ["GatewayClass meshctl", "HTTPRoute default/r"]);
        assert_eq!(world.entries(Kind::HttpRoute, "r"), [""; 0]);
    }
    // Without its object the class isn't there.
    let mut world = cluster(shop());
    world.delete(&class("meshctl", "", None));
    assert!(world.listeners().is_empty());
}

#[test]
fn conditions_are_of_the_generation_that_was_looked_at() {
    let mut object = gateway("web", vec![listener("http", 80)]);
    object.meta.generation = 7;
    let world = cluster([object]);
    let Status::Gateway(status) = world.status(Kind::Gateway, "web") else { panic!() };
    let listeners = status.listeners.iter().flat_map(|one| &one.conditions);
    for condition in status.conditions.iter().chain(listeners) {
        assert_eq!(condition.observed_generation, 7, "{condition:?}");
    }
}

#[test]
fn listeners_that_cant_be_served() {
    let check = |listeners: Vec<Listener>, gateways: &str, expected: &[&str]| {
        let mut world = cluster([gateway("web", listeners)]);
        programmed(&mut world, "web");
        let conditions = world.conditions(Kind::Gateway, "web");
        assert!(conditions.contains(&gateways.to_owned()), "{conditions:?}");
        let line = |one: &&str| {
            let name = one.split(' ').next().expect("a name");
            world.listener_line(Kind::Gateway, "web", name)
        };
        assert_eq!(expected.iter().map(line).collect::<Vec<_>>(), expected);
    };
    use crate::config::raw::Listener;
    let odd = |name: &str, port, protocol: &str| Listener {
        protocol: at(protocol),
        ..listener(name, port)
    };
    let both = "HTTPRoute+GRPCRoute";
    check(
        vec![odd("a", 1111, "INVALID")],
        "Accepted=False ListenersNotValid",
        &["a 0  Accepted=False UnsupportedProtocol, Programmed=False Invalid"],
    );
    check(
        vec![odd("a", 1111, "INVALID"), listener("b", 80)],
        "Accepted=True ListenersNotValid",
        &[
            "a 0  Accepted=False UnsupportedProtocol, Programmed=False Invalid",
            &format!("b 0 {both}"),
        ],
    );
    // What stands in the way of one that is served says so; datagrams don't.
    check(
        vec![listener("b", 80), odd("a", 80, "TCP"), odd("c", 80, "UDP")],
        "Accepted=True ListenersNotValid",
        &[
            "a 0  Accepted=False ProtocolConflict, Programmed=False ProtocolConflict, Conflicted=True ProtocolConflict",
            "c 0  Accepted=False UnsupportedProtocol, Programmed=False Invalid",
            &format!("b 0 {both}"),
        ],
    );
    check(
        vec![listener("a", 80), listener("b", 80), listener("c", 81)],
        "Accepted=True ListenersNotValid",
        &[
            "a 0  Accepted=False HostnameConflict, Programmed=False HostnameConflict, Conflicted=True HostnameConflict",
            "b 0  Accepted=False HostnameConflict, Programmed=False HostnameConflict, Conflicted=True HostnameConflict",
            &format!("c 0 {both}"),
        ],
    );
    check(
        vec![
            listener("a", 80).kind("InvalidRoute"),
            listener("b", 81).kind("Odd").kind("HTTPRoute"),
        ],
        "ResolvedRefs=False ListenersNotResolved",
        &[
            "a 0  ResolvedRefs=False InvalidRouteKinds",
            "b 0 HTTPRoute ResolvedRefs=False InvalidRouteKinds",
        ],
    );
}

#[test]
fn certificates_of_listeners() {
    let check = |secret: &str, extra: Vec<Object>, expected: &str| {
        let mut objects = vec![gateway("web", vec![https("https", 443, &[secret])])];
        objects.push(route("r", "web", vec![]));
        objects.extend(extra);
        let mut world = cluster(objects);
        programmed(&mut world, "web");
        let line = world.listener_line(Kind::Gateway, "web", "https");
        assert_eq!(line, format!("https 1 HTTPRoute+GRPCRoute {expected}").trim_end());
        assert_eq!(world.conditions(Kind::Gateway, "web")[0], "Accepted=True Accepted");
    };
    let bad = "Programmed=False Invalid, ResolvedRefs=False InvalidCertificateRef";
    let refused = "Programmed=False Invalid, ResolvedRefs=False RefNotPermitted";
    check("cert", vec![tls_secret("cert")], "");
    check("cert", vec![], bad);
    check("cert", vec![secret("cert", &[("tls.crt", "x"), ("tls.key", "y")])], bad);
    let other = || tls_secret("cert").within("other");
    check("other/cert", vec![other()], refused);
    let allowed = grant("g", (Kind::Gateway, "default"), Kind::Secret).within("other");
    check("other/cert", vec![other(), allowed], "");
}

#[test]
fn addresses_and_parameters_of_another_kind_are_refused() {
    let check = |edit: fn(&mut crate::config::raw::Gateway), reason: &str| {
        let world = cluster([gateway("web", vec![listener("http", 80)]).gateway(edit)]);
        let conditions = world.conditions(Kind::Gateway, "web");
        assert_eq!(conditions[0], format!("Accepted=False {reason}"));
        assert_eq!(conditions[1], "Programmed=False Invalid");
    };
    check(|gateway| gateway.addresses = vec![address("test/odd", "x")], "UnsupportedAddress");
    check(
        |gateway| {
            gateway.infrastructure.parameters_ref = Some(to("invalid.io", "Parameters", "x"));
        },
        "InvalidParameters",
    );
    check(
        |gateway| {
            gateway.infrastructure.parameters_ref = Some(to("meshctl.dev", "MeshConfig", "x"));
        },
        "InvalidParameters",
    );
    // A proxy of a cluster listens on all its addresses.
    let world = cluster([gateway("web", vec![listener("http", 80)])
        .gateway(|gateway| gateway.addresses = vec![address("IPAddress", "192.0.2.9")])]);
    assert_eq!(world.listeners()[0].bind.to_string(), "*:80");
    assert_eq!(world.conditions(Kind::Gateway, "web")[0], "Accepted=True Accepted");
}

#[test]
fn fleets_share_no_sockets() {
    let of = |name: &str, class: &str| {
        gateway(name, vec![listener("http", 80)]).gateway(|gateway| gateway.class = at(class))
    };
    let shared = class("meshctl-shared", crate::names::CONTROLLER, None);
    let world = cluster([
        of("a", "meshctl"),
        of("b", "meshctl"),
        of("c", "meshctl-shared").created(1),
        of("d", "meshctl-shared").created(2),
        // Called like the fleet that is shared, and yet one of its own.
        of("meshctl-shared", "meshctl").within("meshctl-system"),
        shared,
    ]);
    world.codes(&[codes::LISTENER_CONFLICT]);
    let scopes: Vec<String> =
        world.listeners().iter().map(|one| format!("{} {}", one.key, one.scope)).collect();
    assert_eq!(
        scopes,
        [
            "Gateway default/a#http default/a",
            "Gateway default/b#http default/b",
            "Gateway default/c#http meshctl-system/meshctl-shared",
            "Gateway meshctl-system/meshctl-shared#http meshctl-system/meshctl-shared",
        ]
    );
    let different: BTreeSet<_> = world.listeners().iter().map(|one| one.scope.clone()).collect();
    assert_eq!(different.len(), scopes.len(), "{different:?}");
    let line = world.listener_line(Kind::Gateway, "d", "http");
    assert!(line.contains("Conflicted=True HostnameConflict"), "{line}");
}

#[test]
fn one_gateway_of_many_is_lowered_alone() {
    let one = |n: usize| gateway(&format!("g{n}"), vec![listener("http", 80)]);
    let mut world = cluster((0..200).map(one));
    let edited = gateway("g7", vec![listener("http", 80), listener("more", 81)]);
    world.apply([edited]);
    assert_eq!(world.last.counters.parts_lowered, 2);
    assert!(world.last.counters.units_run < 12, "{:?}", world.last.counters);
    assert_eq!(world.last.statuses.len(), 1);
    // Nor does one route of many run more than itself, its listener's count and its Gateway's status.
    world.apply((0..2_000).map(|n| route(&format!("r{n}"), "g9", vec![])));
    world.apply([route("one-more", "g9", vec![])]);
    assert!(world.last.counters.units_run < 8, "{:?}", world.last.counters);
    let changed: Vec<String> = world.last.statuses.keys().map(ToString::to_string).collect();
    assert_eq!(changed, ["Gateway default/g9", "HTTPRoute default/one-more"]);
    assert_eq!(world.told(Kind::Gateway, "g9", "http").attached_routes, 2_001);
}

#[test]
fn listener_sets() {
    let set =
        |name: &str, host: &str| listener_set(name, "web", vec![listener(name, 80).host(host)]);
    let allowing = |from: FromNamespaces| {
        gateway("web", vec![listener("own", 80).host("own.example")])
            .gateway(|gateway| gateway.allowed_listeners = from)
    };
    let attached = |world: &World| match world.status(Kind::Gateway, "web") {
        Status::Gateway(status) => status.attached_listener_sets,
        _ => panic!("a Gateway"),
    };
    let refused = ["Accepted=False NotAllowed", "Programmed=False NotAllowed"];
    let world = cluster([allowing(FromNamespaces::None), set("s", "s.example")]);
    assert_eq!(world.conditions(Kind::ListenerSet, "s"), refused);
    assert_eq!(attached(&world), 0);

    let two = listener_set(
        "two",
        "web",
        vec![listener("a", 80).host("two.example"), listener("b", 80).host("own.example")],
    );
    let mut world = cluster([
        allowing(FromNamespaces::Same),
        set("s", "s.example").created(1),
        set("late", "s.example").created(2),
        two,
    ]);
    programmed(&mut world, "web");
    let fine = ["Accepted=True Accepted", "Programmed=True Programmed"];
    assert_eq!(world.conditions(Kind::ListenerSet, "s"), fine);
    let partly = ["Accepted=True ListenersNotValid", "Programmed=True Programmed"];
    assert_eq!(world.conditions(Kind::ListenerSet, "two"), partly);
    let none = ["Accepted=False ListenersNotValid", "Programmed=False ListenersNotValid"];
    assert_eq!(world.conditions(Kind::ListenerSet, "late"), none);
    assert_eq!(attached(&world), 2);
    assert_eq!(
        world.listener_line(Kind::ListenerSet, "two", "b"),
        "b 0  Accepted=False HostnameConflict, Programmed=False HostnameConflict, Conflicted=True HostnameConflict"
    );
    // A set whose certificate it may not have is not accepted.
    let secure = listener_set("tls", "web", vec![https("tls", 443, &["other/cert"])]);
    world.apply([secure, tls_secret("cert").within("other")]);
    assert_eq!(world.conditions(Kind::ListenerSet, "tls"), none);
    assert_eq!(
        world.listener_line(Kind::ListenerSet, "tls", "tls"),
        "tls 0 HTTPRoute+GRPCRoute Programmed=False Invalid, ResolvedRefs=False RefNotPermitted"
    );
    assert_eq!(attached(&world), 2);
}

#[test]
fn hostnames_of_https_listeners_that_overlap() {
    let one = |name: &str, host: &str| https(name, 443, &["cert"]).host(host);
    let world = cluster([
        gateway(
            "web",
            vec![
                one("a", "foo.example.com"),
                one("b", "foo.example.org"),
                one("c", "*.example.com"),
            ],
        ),
        tls_secret("cert"),
    ]);
    let overlaps = |name: &str| {
        world.listener_line(Kind::Gateway, "web", name).contains("OverlappingTLSConfig=True")
    };
    assert_eq!(["a", "b", "c"].map(overlaps), [true, false, true]);
}

#[test]
fn a_class_of_ours_is_accepted() {
    let mut world = cluster([]);
    let of = |world: &World| world.conditions(Kind::GatewayClass, "meshctl");
    assert_eq!(of(&world), ["Accepted=True Accepted", "SupportedVersion=Unknown Pending"]);
    for (versions, expected) in [
        (&["v1.6.3"][..], "SupportedVersion=True SupportedVersion"),
        (&["v1.6.3", "v1.60.0"], "SupportedVersion=False UnsupportedVersion"),
        (&["v1.6.0", ""], "SupportedVersion=False UnsupportedVersion"),
        (&[], "SupportedVersion=False UnsupportedVersion"),
    ] {
        world.lowering.set_versions(versions.iter().map(|one| (*one).into()).collect());
        world.commit();
        assert_eq!(of(&world)[1], expected, "{versions:?}");
    }
    let nowhere = Some(to("meshctl.dev", "MeshConfig", "meshctl-system/none"));
    world.apply([class("meshctl", crate::names::CONTROLLER, nowhere)]);
    assert_eq!(of(&world)[0], "Accepted=False InvalidParameters");
    assert!(status::SUPPORTED_FEATURES.is_sorted());
}

/// Each port has a rule of its own for its clients' certificates.
#[test]
fn authorities_of_clients() {
    use crate::config::raw::{At, FrontendValidation, Place, Reference};
    let validation = |reference: Reference, mode: &str| FrontendValidation {
        place: Place::default(),
        ca_certificate_refs: vec![reference],
        mode: at(mode),
    };
    let check = |reference: Reference, mode: &str, listener: &str, conditions: &[&str]| {
        let listeners = vec![https("own", 443, &["cert"]), https("other", 444, &["cert"])];
        let object = gateway("web", listeners).gateway(|gateway| {
            gateway.frontend_default =
                Some(validation(to("", "ConfigMap", "ca"), "AllowValidOnly"));
            let own = Some(validation(reference, mode));
            gateway.frontend_per_port = vec![(At::nowhere(443), own)];
        });
        let far = ca_map("ca").within("other");
        let mut world = cluster([object, tls_secret("cert"), ca_map("ca"), far]);
        programmed(&mut world, "web");
        let both = "HTTPRoute+GRPCRoute";
        let line = world.listener_line(Kind::Gateway, "web", "own");
        assert_eq!(line, format!("own 0 {both} {listener}").trim_end());
        let line = world.listener_line(Kind::Gateway, "web", "other");
        assert_eq!(line, format!("other 0 {both}"));
        let mut expected = vec!["Programmed=True Programmed"];
        expected.extend(conditions);
        let mut found = world.conditions(Kind::Gateway, "web");
        found.sort();
        expected.sort_unstable();
        assert_eq!(found, expected);
    };
    let fine = ["Accepted=True Accepted", "ResolvedRefs=True ResolvedRefs"];
    let partly = ["Accepted=True ListenersNotValid", "ResolvedRefs=False ListenersNotResolved"];
    let bad = |reason: &str| {
        format!(
            "Accepted=False NoValidCACertificate, Programmed=False Invalid, ResolvedRefs=False {reason}"
        )
    };
    let map = |name: &str| to("", "ConfigMap", name);
    check(map("ca"), "AllowValidOnly", "", &fine);
    check(map("no"), "AllowValidOnly", &bad("InvalidCACertificateRef"), &partly);
    check(to("", "Service", "ca"), "AllowValidOnly", &bad("InvalidCACertificateKind"), &partly);
    check(map("other/ca"), "AllowValidOnly", &bad("RefNotPermitted"), &partly);
    let insecure = "InsecureFrontendValidationMode=True ConfigurationChanged";
    check(map("ca"), "AllowInsecureFallback", "", &[fine[0], fine[1], insecure]);
}

#[test]
fn the_certificate_that_backends_are_shown() {
    let check = |secret: Reference, expected: &str| {
        let object = gateway("web", vec![listener("http", 80)])
            .gateway(|gateway| gateway.backend_client_certificate = Some(secret));
        let world = cluster([
            object,
            tls_secret("cert"),
            tls_secret("cert").within("other"),
            secret_without_key(),
        ]);
        let conditions = world.conditions(Kind::Gateway, "web");
        assert_eq!((&*conditions[0], &*conditions[2]), ("Accepted=True Accepted", expected));
    };
    use crate::config::raw::Reference;
    let secret_named = |name: &str| to("", "Secret", name);
    check(secret_named("cert"), "ResolvedRefs=True ResolvedRefs");
    check(secret_named("no"), "ResolvedRefs=False InvalidClientCertificateRef");
    check(secret_named("half"), "ResolvedRefs=False InvalidClientCertificateRef");
    check(to("", "ConfigMap", "cert"), "ResolvedRefs=False InvalidClientCertificateRef");
    check(secret_named("other/cert"), "ResolvedRefs=False RefNotPermitted");
}

fn secret_without_key() -> Object {
    secret("half", &[("tls.crt", "nothing")])
}
