use std::sync::Arc;

use super::build::*;
use super::*;
use crate::config::raw::{
    At, BackendTls as RawTls, FrontendValidation, Gateway, Listener as Written, Place, Spec,
};
use crate::model::{
    BackendTls, Cause, ClientAuth, ClientAuthMode, ListenerProtocol, ListenerTls, SubjectAltName,
    TlsVersion, TrustRoots,
};

#[track_caller]
fn tls(world: &World) -> &ListenerTls {
    match &world.listeners()[0].protocol {
        ListenerProtocol::Https(tls) => tls,
        ListenerProtocol::Http => panic!("an HTTPS listener"),
    }
}

fn secure(listener: Written, more: Vec<Object>) -> World {
    let mut objects = vec![gateway("web", vec![listener])];
    objects.extend(more);
    World::of(objects)
}

#[test]
fn certificates_come_from_secrets_or_are_refused_with_their_cause() {
    let (certificate, key) = pem(&["a.example"], (NOW - 100, NOW + 100));
    let (_, other_key) = pem(&["a.example"], (NOW - 100, NOW + 100));
    let check = |entries: &[(&str, &str)], expected: Option<Cause>, text: &str| {
        let world = secure(https("s", 443, &["cert"]), vec![secret("cert", entries)]);
        assert_eq!(tls(&world).certificates[0].clone().err(), expected, "{text}");
        assert_eq!(world.keys(PartKind::Certificate).len(), usize::from(expected.is_none()));
        if expected.is_some() {
            world.codes(&[codes::CERTIFICATE_INVALID]).says(text);
        } else {
            world.codes(&[]);
        }
    };
    let invalid = Some(Cause::CertificateInvalid);
    check(&[("tls.crt", &certificate), ("tls.key", &key)], None, "");
    check(&[("tls.key", &key)], invalid, "`tls.crt` of Secret default/cert");
    check(&[("tls.crt", &certificate)], invalid, "`tls.key`");
    check(&[("tls.crt", ""), ("tls.key", &key)], invalid, "no PEM certificate");
    check(&[("tls.crt", &key), ("tls.key", &key)], invalid, "no PEM certificate");
    check(&[("tls.crt", &certificate), ("tls.key", "x")], invalid, "no PEM private key");
    check(&[("tls.crt", &certificate), ("tls.key", &other_key)], invalid, "does not belong");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    check(&[("tls.crt", broken), ("tls.key", &key)], invalid, "`tls.crt`");
    let broken = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    check(&[("tls.crt", &certificate), ("tls.key", broken)], invalid, "not supported");
}

#[test]
fn a_secret_never_shows_in_an_excerpt() {
    let world = secure(https("s", 443, &["cert"]), vec![secret("cert", &[("tls.crt", "hunter2")])]);
    let said = &world.last.diagnostics[0];
    assert_eq!(said.width, 0);
    assert!(!format!("{said:?}").contains("hunter2"));
}

#[test]
fn a_certificate_that_is_not_valid_now_is_told_about_when_its_time_comes() {
    let (certificate, key) = pem(&["a.example"], (NOW + 50, NOW + 100));
    let secret = secret("cert", &[("tls.crt", &certificate), ("tls.key", &key)]);
    let mut world = secure(https("s", 443, &["cert"]), vec![secret]);
    world.codes(&[codes::CERTIFICATE_EXPIRED]).says("is not valid before 2026-01-01");
    assert!(tls(&world).certificates[0].is_ok(), "it is shown all the same");
    world.now = NOW + 60;
    world.commit();
    world.codes(&[]);
    world.now = NOW + 100;
    world.commit();
    world.codes(&[]);
    world.now = NOW + 101;
    world.commit();
    world.codes(&[codes::CERTIFICATE_EXPIRED]).says("expired on 2026-01-01");
    assert_eq!(world.last.changes.upserted.len(), 0);
}

#[test]
fn missing_certificates_leave_a_listener_that_refuses() {
    let check = |references: &[&str], more: Vec<Object>, expected: &[Option<Cause>], code| {
        let world = secure(https("s", 443, references), more);
        let found: Vec<_> = tls(&world).certificates.iter().map(|one| one.clone().err()).collect();
        assert_eq!(found, expected);
        world.codes(Option::as_slice(&code));
    };
    let missing = || Some(Cause::CertificateMissing);
    check(&["none"], vec![], &[missing()], Some(codes::REFERENCE_MISSING));
    check(
        &["a", "none"],
        vec![tls_secret("a")],
        &[None, missing()],
        Some(codes::REFERENCE_MISSING),
    );
    check(&["a", "b"], vec![tls_secret("a"), tls_secret("b")], &[None, None], None);
    check(&[], vec![], &[], Some(codes::BAD_LISTENER_TLS));
    let elsewhere = || tls_secret("a").within("vault");
    let granted = grant("g", (Kind::Gateway, "default"), Kind::Secret).within("vault");
    check(&["vault/a"], vec![elsewhere()], &[missing()], Some(codes::REFERENCE_NOT_PERMITTED));
    check(&["vault/a"], vec![elsewhere(), granted], &[None], None);
    let without = Written { tls: None, ..https("s", 443, &[]) };
    assert_eq!(tls(&secure(without, vec![])).certificates, []);
}

#[test]
fn the_least_tls_version_is_an_option() {
    let check = |name: &str, value: &str, expected: TlsVersion, code: Option<Code>| {
        let mut listener = https("s", 443, &["a"]);
        let options = &mut listener.tls.as_mut().expect("https").options;
        options.insert(name.into(), at(value));
        let world = secure(listener, vec![tls_secret("a")]);
        assert_eq!(tls(&world).min_version, expected);
        world.codes(Option::as_slice(&code));
    };
    let name = "meshctl.dev/min-tls-version";
    check(name, "1.2", TlsVersion::V1_2, None);
    check(name, "1.3", TlsVersion::V1_3, None);
    check(name, "1.1", TlsVersion::V1_3, Some(codes::TLS_OPTION));
    check("example.com/ciphers", "x", TlsVersion::V1_2, Some(codes::TLS_OPTION));
}

fn validation(kind: &str, names: &[&str], mode: &str) -> FrontendValidation {
    FrontendValidation {
        place: Place::default(),
        ca_certificate_refs: names.iter().map(|name| to("", kind, name)).collect(),
        mode: at(mode),
    }
}

#[test]
fn clients_are_validated_by_port_or_by_default_and_fail_closed() {
    let check = |edit: &dyn Fn(&mut Gateway),
                 expected: Option<(usize, ClientAuthMode)>,
                 expected_codes: &[Code]| {
        let gateway = gateway("web", vec![https("s", 443, &["a"])]).gateway(edit);
        let (certificate, _) = pem(&["ca.example"], (NOW - 100, NOW + 100));
        let world = World::of([
            gateway,
            tls_secret("a"),
            ca_map("ca"),
            config_map("empty", &[]),
            secret("ca-secret", &[("ca.crt", &certificate)]),
        ]);
        let of = |auth: &ClientAuth| (auth.roots.len(), auth.mode);
        assert_eq!(tls(&world).client_auth.as_ref().map(of), expected);
        world.codes(expected_codes);
    };
    use ClientAuthMode::{AllowInsecureFallback, AllowValidOnly};
    let valid = |kind: &'static str, names: &'static [&'static str]| {
        move |gateway: &mut Gateway| {
            gateway.frontend_default = Some(validation(kind, names, "AllowValidOnly"));
        }
    };
    check(&|_| {}, None, &[]);
    check(&valid("ConfigMap", &["ca"]), Some((1, AllowValidOnly)), &[]);
    check(&valid("Secret", &["ca-secret"]), Some((1, AllowValidOnly)), &[]);
    check(
        &valid("ConfigMap", &["ca", "none"]),
        Some((1, AllowValidOnly)),
        &[codes::REFERENCE_MISSING],
    );
    check(
        &valid("ConfigMap", &["none"]),
        Some((0, AllowValidOnly)),
        &[codes::REFERENCE_MISSING, codes::CA_INVALID],
    );
    check(
        &valid("ConfigMap", &["empty"]),
        Some((0, AllowValidOnly)),
        &[codes::CA_INVALID, codes::CA_INVALID],
    );
    check(
        &valid("Service", &["ca"]),
        Some((0, AllowValidOnly)),
        &[codes::REFERENCE_KIND, codes::CA_INVALID],
    );
    check(
        &|gateway| gateway.frontend_default = Some(validation("ConfigMap", &["ca"], "Never")),
        Some((1, AllowValidOnly)),
        &[codes::BAD_LISTENER_TLS],
    );
    let own = Some(validation("ConfigMap", &["ca"], "AllowInsecureFallback"));
    check(
        &|gateway| {
            gateway.frontend_default = Some(validation("ConfigMap", &["none"], "AllowValidOnly"));
            gateway.frontend_per_port = vec![(At::nowhere(443), own.clone())];
        },
        Some((1, AllowInsecureFallback)),
        &[],
    );
    // A port without validation is one without, whatever the default says.
    check(
        &|gateway| {
            gateway.frontend_default = Some(validation("ConfigMap", &["ca"], "AllowValidOnly"));
            gateway.frontend_per_port = vec![(At::nowhere(443), None)];
        },
        None,
        &[],
    );
}

fn backend_tls(world: &World) -> Result<Option<Arc<BackendTls>>, Cause> {
    world.backend().tls.clone()
}

#[test]
fn a_backend_tls_policy_is_whole_or_refuses() {
    let check = |edit: &dyn Fn(&mut crate::config::raw::BackendTlsPolicy),
                 good: bool,
                 code: Option<Code>| {
        let mut policy = tls_of(to("", "Service", "web"), &["ca"]);
        edit(&mut policy);
        let mut objects = shop();
        objects.extend([tls_policy("p", policy), ca_map("ca")]);
        let world = World::of(objects);
        let tls = backend_tls(&world);
        assert_eq!(tls.is_ok(), good, "{tls:?}");
        if let Err(cause) = tls {
            assert_eq!(cause, Cause::BackendTlsInvalid);
        }
        world.codes(Option::as_slice(&code));
    };
    check(&|_| {}, true, None);
    check(&|policy| policy.ca_certificate_refs.clear(), false, Some(codes::BACKEND_TLS_INVALID));
    check(
        &|policy| policy.ca_certificate_refs.push(to("", "ConfigMap", "none")),
        false,
        Some(codes::REFERENCE_MISSING),
    );
    check(
        &|policy| {
            policy.ca_certificate_refs.clear();
            policy.well_known_ca = Some(at("System"));
        },
        true,
        None,
    );
    check(
        &|policy| policy.well_known_ca = Some(at("System")),
        false,
        Some(codes::BACKEND_TLS_INVALID),
    );
    check(
        &|policy| {
            policy.ca_certificate_refs.clear();
            policy.well_known_ca = Some(at("Mozilla"));
        },
        false,
        Some(codes::BACKEND_TLS_INVALID),
    );
    check(&|policy| policy.hostname = at("*.example"), false, Some(codes::BACKEND_TLS_INVALID));
    let names = |kind: &'static str, name: &'static str| {
        move |policy: &mut crate::config::raw::BackendTlsPolicy| {
            policy.subject_alt_names = vec![(at(kind), at(name))];
        }
    };
    check(&names("Hostname", "*.example"), true, None);
    check(&names("URI", "spiffe://mesh/ns/a"), true, None);
    check(&names("URI", "no scheme"), false, Some(codes::BACKEND_TLS_INVALID));
    check(&names("IP", "10.0.0.1"), false, Some(codes::BACKEND_TLS_INVALID));
}

#[test]
fn the_policy_says_what_is_asked_of_the_backend() {
    let mut policy = tls_of(to("", "Service", "web"), &[]);
    policy.well_known_ca = Some(at("System"));
    policy.subject_alt_names =
        vec![(at("Hostname"), at("A.example")), (at("URI"), at("spiffe://a"))];
    let mut objects = shop();
    objects.push(tls_policy("p", policy));
    let expected = BackendTls {
        roots: TrustRoots::System,
        server_name: "backend.example".into(),
        subject_alt_names: vec![
            SubjectAltName::Dns("a.example".into()),
            SubjectAltName::Uri("spiffe://a".into()),
        ],
        identity: None,
    };
    assert_eq!(backend_tls(&World::of(objects)), Ok(Some(Arc::new(expected))));
}

#[test]
fn the_policy_of_the_port_comes_before_the_service_s_and_the_oldest_counts() {
    let policy = |name: &str, host: &str, section: Option<&str>, age| {
        let mut policy = tls_of(to("", "Service", "web"), &["ca"]);
        policy.targets[0].section_name = section.map(Into::into);
        policy.hostname = at(host);
        tls_policy(name, policy).created(age)
    };
    let check = |policies: Vec<Object>, host: &str, expected: &[Code]| {
        let mut objects = shop();
        objects[2] =
            objects[2].clone().service(|service| service.ports[0].name = Some("http".into()));
        let Spec::EndpointSlice(slice) = &mut objects[3].spec else { panic!("a slice") };
        slice.ports[0].0 = Some("http".into());
        objects.push(ca_map("ca"));
        objects.extend(policies);
        let world = World::of(objects);
        let tls = backend_tls(&world).expect("valid").expect("there");
        assert_eq!(&*tls.server_name, host);
        world.codes(expected);
    };
    let port = || policy("z-port", "port.example", Some("http"), 9);
    check(vec![policy("a", "a.example", None, 1), port()], "port.example", &[]);
    check(
        vec![policy("a", "a.example", None, 2), policy("b", "b.example", None, 1)],
        "b.example",
        &[codes::POLICY_CONFLICT],
    );
    check(
        vec![policy("b", "b.example", None, 1), policy("a", "a.example", None, 1)],
        "a.example",
        &[codes::POLICY_CONFLICT],
    );
}

#[test]
fn an_older_policy_that_is_broken_refuses_all_the_same() {
    let mut objects = shop();
    let policy = |name: &str, ca: &str, age| {
        tls_policy(name, tls_of(to("", "Service", "web"), &[ca])).created(age)
    };
    objects.extend([policy("old", "none", 1), policy("young", "ca", 2), ca_map("ca")]);
    assert_eq!(backend_tls(&World::of(objects)), Err(Cause::BackendTlsInvalid));
}

#[test]
fn a_backend_brings_tls_of_its_own() {
    let tls = || RawTls {
        place: Place::default(),
        hostname: None,
        ca_certificate_refs: Vec::new(),
        well_known_ca: Some(at("System")),
        subject_alt_names: Vec::new(),
        client_certificate_ref: None,
    };
    let check = |endpoints: &[&str], tls: RawTls, expected: Result<&str, Cause>| {
        let mut written = backend("b", endpoints);
        let Spec::Backend(spec) = &mut written.spec else { panic!("a Backend") };
        spec.tls = Some(tls);
        let mut objects = shop_with(route("web", "web", vec![to_backend("b")]));
        objects.extend([written, tls_secret("client")]);
        let world = World::of(objects);
        let found = backend_tls(&world).map(|tls| tls.expect("asked for").server_name.to_string());
        assert_eq!(found, expected.map(str::to_owned));
        assert_eq!(world.errors() > 0, expected.is_err());
    };
    check(&["api.example:443"], tls(), Ok("api.example"));
    check(&["a.example:443", "b.example:443"], tls(), Err(Cause::BackendTlsInvalid));
    check(&["10.0.0.1:443"], tls(), Err(Cause::BackendTlsInvalid));
    check(&["10.0.0.1:443"], RawTls { hostname: Some(at("x.example")), ..tls() }, Ok("x.example"));
    let client = |name: &str| Some(to("", "Secret", name));
    check(&["a:443"], RawTls { client_certificate_ref: client("client"), ..tls() }, Ok("a"));
    check(
        &["a:443"],
        RawTls { client_certificate_ref: client("none"), ..tls() },
        Err(Cause::BackendTlsInvalid),
    );
}

#[test]
fn the_gateways_client_certificate_is_worn_towards_tls_backends_alone() {
    let with_certificate = |gateway: Object, secret: &str| {
        let reference = to("", "Secret", secret);
        gateway.gateway(|gateway| gateway.backend_client_certificate = Some(reference))
    };
    let objects = |secret: &str| {
        let mut objects = shop();
        objects[0] = with_certificate(objects[0].clone(), secret);
        objects.extend([ca_map("ca"), tls_secret("client")]);
        objects
    };
    let policy = tls_policy("p", tls_of(to("", "Service", "web"), &["ca"]));
    let plain = World::of(objects("client"));
    assert_eq!(plain.keys(PartKind::Backend), ["Service default/web#8080"]);
    let mut worn = objects("client");
    worn.push(policy.clone());
    let mut world = World::of(worn);
    assert_eq!(world.keys(PartKind::Backend), ["Service default/web#8080~default/client"]);
    let identity = backend_tls(&world).expect("valid").expect("there").identity.clone();
    assert_eq!(identity.map(|one| one.0.to_string()), Some("Secret default/client".to_owned()));
    assert_eq!(world.keys(PartKind::Certificate), ["Secret default/client"]);
    // Without the certificate it was told to show, it doesn't go there.
    world.delete(&tls_secret("client"));
    assert_eq!(backend_tls(&world), Err(Cause::BackendTlsInvalid));
    world.codes(&[codes::REFERENCE_MISSING]);
}

#[test]
fn gateways_with_different_certificates_have_backends_of_their_own() {
    let second = gateway("two", vec![listener("http", 81)])
        .gateway(|gateway| gateway.backend_client_certificate = Some(to("", "Secret", "client")));
    let mut objects = shop();
    objects[1] = objects[1]
        .clone()
        .route(|route| route.parents = vec![to_gateway("web"), to_gateway("two")]);
    objects.extend([second, ca_map("ca"), tls_secret("client")]);
    let mut world = World::of(objects);
    assert_eq!(world.rule().attachments.len(), 2, "in plain text they are the same");
    world.apply([tls_policy("p", tls_of(to("", "Service", "web"), &["ca"]))]);
    assert_eq!(
        world.keys(PartKind::Rule),
        ["HTTPRoute default/web#0", "HTTPRoute default/web#0~default/web"]
    );
    assert_eq!(
        world.keys(PartKind::Backend),
        ["Service default/web#8080", "Service default/web#8080~default/client"]
    );
}
