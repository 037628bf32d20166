use super::*;

const FINE: &str = "Accepted=True Accepted, ResolvedRefs=True ResolvedRefs";

#[test]
fn the_gateways_that_send_to_a_target_are_its_policys_ancestors() {
    let policy = tls_policy("tls", tls_of(to("", "Service", "web"), &["ca"]));
    let mut world = cluster(shop().into_iter().chain([policy, ca_map("ca")]));
    let entries = |world: &World| world.entries(Kind::BackendTlsPolicy, "tls");
    assert_eq!(entries(&world), [format!("web: {FINE}")]);
    // Another route of the same Gateway changes nothing, one of another Gateway does.
    world.apply([route("more", "web", vec![to_service("web", 8080)])]);
    assert!(!world.last.statuses.keys().any(|key| key.kind == Kind::BackendTlsPolicy));
    let second = gateway("second", vec![listener("http", 80)]);
    let copied = {
        let mirror = crate::config::raw::Mirror {
            backend: to_service("web", 8080),
            percent: None,
            fraction: None,
        };
        route("copied", "second", vec![]).route(|route| {
            route.rules[0].filters =
                vec![filter(crate::config::raw::FilterKind::RequestMirror(mirror))];
        })
    };
    world.apply([second, copied.clone()]);
    assert_eq!(entries(&world), [format!("second: {FINE}"), format!("web: {FINE}")]);
    world.delete(&copied);
    assert_eq!(entries(&world), [format!("web: {FINE}")]);
    world.delete(&shop()[1]);
    assert_eq!(entries(&world), [format!("web: {FINE}")]);
    world.delete(&route("more", "web", vec![]));
    assert_eq!(entries(&world), [""; 0]);
}

#[test]
fn ca_certificates_of_a_backend_tls_policy() {
    let check = |refs: Vec<crate::config::raw::Reference>, expected: &str| {
        let mut policy = tls_of(to("", "Service", "web"), &[]);
        policy.ca_certificate_refs = refs;
        let bad = config_map("bad", &[("ca.crt", "no PEM")]);
        let objects = [tls_policy("tls", policy), ca_map("ca"), bad];
        let world = cluster(shop().into_iter().chain(objects));
        let entries = world.entries(Kind::BackendTlsPolicy, "tls");
        assert_eq!(entries, [format!("web: {expected}")]);
    };
    let map = |name: &str| to("", "ConfigMap", name);
    let none = "Accepted=False NoValidCACertificate, ResolvedRefs=False";
    check(vec![map("ca")], FINE);
    check(vec![map("no")], &format!("{none} InvalidCACertificateRef"));
    check(vec![map("bad")], &format!("{none} InvalidCACertificateRef"));
    check(vec![to("", "Service", "web")], &format!("{none} InvalidKind"));
    check(
        vec![map("ca"), map("no")],
        "Accepted=True Accepted, ResolvedRefs=False InvalidCACertificateRef",
    );
    check(vec![], "Accepted=False Invalid, ResolvedRefs=True ResolvedRefs");
}

#[test]
fn of_two_policies_on_one_target_the_second_conflicts() {
    let of = |name: &str, section: Option<&str>| {
        let mut policy = tls_of(to("", "Service", "web"), &["ca"]);
        policy.targets[0].section_name = section.map(Into::into);
        tls_policy(name, policy)
    };
    let named = service("web", 8080).service(|service| service.ports[0].name = Some("http".into()));
    let world = |policies: [Object; 2]| {
        cluster(shop().into_iter().chain(policies).chain([ca_map("ca"), named.clone()]))
    };
    let second = "web: Accepted=False Conflicted, ResolvedRefs=True ResolvedRefs".to_owned();
    let fine = format!("web: {FINE}");
    for section in [None, Some("http")] {
        let world = world([of("b", section).created(1), of("a", section).created(2)]);
        assert_eq!(world.entries(Kind::BackendTlsPolicy, "b").concat(), fine);
        assert_eq!(world.entries(Kind::BackendTlsPolicy, "a").concat(), second);
    }
    let world = world([of("b", None), of("a", Some("http"))]);
    assert_eq!(world.entries(Kind::BackendTlsPolicy, "b").concat(), fine);
    assert_eq!(world.entries(Kind::BackendTlsPolicy, "a").concat(), fine);
}

#[test]
fn a_traffic_policy_answers_for_each_of_its_targets() {
    let policy = traffic_policy("p", to("", "Service", "web")).set(|policy| {
        policy.targets.push(to("", "Service", "nowhere"));
        policy.targets.push(to("", "Pod", "web"));
    });
    let older = traffic_policy("old", to("", "Service", "web")).set(|_| {}).created(-1);
    let mut world = cluster(shop().into_iter().chain([policy]));
    let entries = |world: &World| world.entries(Kind::TrafficPolicy, "p");
    let rest = ["nowhere: Accepted=False TargetNotFound", "web: Accepted=False Invalid"];
    assert_eq!(entries(&world)[0], "web: Accepted=True Accepted");
    assert_eq!(entries(&world)[1..], rest);
    world.apply([older]);
    assert_eq!(entries(&world)[0], "web: Accepted=False Conflicted");
    let bad = traffic_policy("p", to("", "Service", "web")).set(|policy| {
        policy.connect_timeout = seconds(0);
    });
    let world = cluster(shop().into_iter().chain([bad]));
    assert_eq!(entries(&world), ["web: Accepted=False Invalid"]);
}
