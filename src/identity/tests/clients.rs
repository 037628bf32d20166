//! Which backends are believed.

use std::sync::Arc;

use rcgen::{ExtendedKeyUsagePurpose, SanType, date_time_ymd};
use rustls::HandshakeKind;
use rustls::version::TLS12;

use super::authority::{Authority, among, build, ca, leaf, listener, only_valid};
use super::wire::{Outcome, handshake};
use crate::identity::{
    Alpn, ClientTls, ClientTlsError, Clients, Servers, Side, SystemRoots, failure,
};
use crate::model::{
    BackendTls, Cause, Certificate, ClientAuth, ClientIdentity, SubjectAltName, TrustRoots,
};

fn dns(name: &str) -> SubjectAltName {
    SubjectAltName::Dns(name.into())
}

fn uri(name: &str) -> SubjectAltName {
    SubjectAltName::Uri(name.into())
}

fn policy(root: &Authority, server_name: &str, names: &[SubjectAltName]) -> BackendTls {
    BackendTls {
        roots: TrustRoots::Bundle(vec![root.root()].into()),
        server_name: server_name.into(),
        subject_alt_names: names.to_vec(),
        identity: None,
    }
}

fn clients() -> Clients {
    Clients::new(SystemRoots::standard())
}

fn connect(tls: &ClientTls, backend: &Certificate, auth: Option<ClientAuth>) -> Outcome {
    let mut servers = Servers::new();
    let server = build(&mut servers, &listener("https", &[backend], auth), &[backend]).unwrap();
    let name = tls.server_name().to_str().into_owned();
    handshake(tls.config(), &name, &server)
}

/// Why a backend isn't believed; empty for one that is.
fn refusal(tls: &ClientTls, backend: &Certificate) -> String {
    let outcome = connect(tls, backend, None);
    let Some(error) = outcome.client_error else { return String::new() };
    let error = std::io::Error::new(std::io::ErrorKind::InvalidData, error);
    let failure = failure(&error, Side::Client);
    assert_eq!(failure.cause, Cause::UpstreamTlsFailed);
    failure.sentence
}

fn check(root: &Authority, names: &[SubjectAltName], backend: &Certificate, accepted: bool) {
    let policy = policy(root, "shop.example", names);
    let tls = clients().build(&policy, Alpn::Any, among(&[])).unwrap();
    let refusal = refusal(&tls, backend);
    assert_eq!(refusal.is_empty(), accepted, "{names:?}: {refusal}");
}

#[test]
fn the_hostname_is_found_in_the_certificate() {
    let root = Authority::new("root");
    for (name, accepted) in [
        ("shop.example", true),
        ("SHOP.example", true),
        // webpki takes no wildcard directly under a top-level domain.
        ("*.example", false),
        ("www.shop.example", false),
        ("*.shop.example", false),
        ("shop.example\0.evil.example", false),
        ("*", false),
        ("s*.example", false),
    ] {
        check(&root, &[], &root.server("backend", &[name]), accepted);
    }
    check(&root, &[], &root.server("backend", &["a.example", "shop.example"]), true);
    check(&root, &[], &root.server("backend", &[]), false);
}

#[test]
fn alternative_names_stand_in_for_the_hostname() {
    let root = Authority::new("root");
    let table: &[(&[SubjectAltName], &str, bool)] = &[
        (&[dns("other.example")], "other.example", true),
        (&[dns("other.example")], "Other.EXAMPLE", true),
        (&[dns("other.example")], "*.example", false),
        (&[dns("a.other.example")], "*.other.example", true),
        (&[dns("a.b.other.example")], "*.other.example", false),
        // The hostname must not be used for authentication then.
        (&[dns("other.example")], "shop.example", false),
        (&[dns("other.example"), dns("shop.example")], "shop.example", true),
        (&[dns("other.example")], "a.other.example", false),
        (&[dns("a.b.example")], "*.example", false),
        (&[dns("other.example")], "other.example\0.evil.example", false),
        (&[dns("other.example")], "other.example.evil.example", false),
        (&[dns("*.shop.example")], "a.shop.example", true),
        (&[dns("*.Shop.example")], "a.b.SHOP.example", true),
        (&[dns("*.shop.example")], "*.shop.example", true),
        (&[dns("*.shop.example")], "*.b.shop.example", true),
        (&[dns("*.shop.example")], "shop.example", false),
        (&[dns("*.shop.example")], "evilshop.example", false),
        (&[dns("*.shop.example")], "*.example", false),
        (&[dns("*.shop.example")], "a.shop.example\0", false),
        (&[uri("spiffe://mesh/a")], "spiffe", false),
    ];
    for (names, presented, accepted) in table {
        check(&root, names, &root.server("backend", &[presented]), *accepted);
    }
}

#[test]
fn uris_are_compared_octet_by_octet() {
    let root = Authority::new("root");
    let backend = |name: &str| {
        let mut params = leaf(&["shop.example"], ExtendedKeyUsagePurpose::ServerAuth);
        params.subject_alt_names.push(SanType::URI(name.try_into().unwrap()));
        root.issue(&params)
    };
    let wanted = [uri("spiffe://mesh/ns/a/sa/b"), uri("spiffe://mesh/ns/a/sa/c")];
    for (presented, accepted) in [
        ("spiffe://mesh/ns/a/sa/b", true),
        ("spiffe://mesh/ns/a/sa/c", true),
        ("spiffe://mesh/ns/a/sa/bb", false),
        ("spiffe://mesh/ns/a/sa/", false),
        ("spiffe://MESH/ns/a/sa/b", false),
        ("SPIFFE://mesh/ns/a/sa/b", false),
        ("spiffe://mesh/ns/a/sa/b\0", false),
        ("spiffe://mesh/ns/a/sa/%62", false),
        ("spiffe://mesh/ns/a/sa/b/", false),
    ] {
        check(&root, &wanted, &backend(presented), accepted);
    }
    // A DNS name that reads like the URI is none.
    check(&root, &[uri("shop.example")], &root.server("backend", &["shop.example"]), false);
}

#[test]
fn the_chain_is_checked_with_and_without_alternative_names() {
    let root = Authority::new("root");
    let server = || leaf(&["shop.example"], ExtendedKeyUsagePurpose::ServerAuth);
    let mut expired = server();
    expired.not_after = date_time_ymd(2021, 1, 1);
    let mut early = server();
    early.not_before = date_time_ymd(2090, 1, 1);
    let for_clients = leaf(&["shop.example"], ExtendedKeyUsagePurpose::ClientAuth);
    let mut flipped = root.issue(&server());
    *flipped.chain[0].last_mut().unwrap() ^= 1;
    let behind = root.intermediate(ca("intermediate"));
    for names in [&[][..], &[dns("shop.example")]] {
        check(&root, names, &root.issue(&server()), true);
        check(&root, names, &behind.issue(&server()), true);
        check(&root, names, &Authority::new("root").issue(&server()), false);
        check(&root, names, &flipped, false);
        let policy = policy(&root, "shop.example", names);
        let tls = clients().build(&policy, Alpn::Any, among(&[])).unwrap();
        for (backend, words) in [
            (root.issue(&expired), "has expired"),
            (root.issue(&early), "not valid yet"),
            (root.issue(&for_clients), "usage"),
            (Authority::new("other").issue(&server()), "no trusted CA"),
        ] {
            let refusal = refusal(&tls, &backend);
            assert!(refusal.contains(words), "{refusal}");
        }
    }
    let policy = policy(&root, "shop.example", &[dns("a.example")]);
    let tls = clients().build(&policy, Alpn::Any, among(&[])).unwrap();
    assert!(refusal(&tls, &root.issue(&server())).contains("none of the expected names"));
}

#[test]
fn we_show_who_we_are_where_the_gateway_has_an_identity() {
    let root = Authority::new("root");
    let backend = root.server("backend", &["shop.example"]);
    let identity = root.client();
    let with = BackendTls {
        identity: Some(ClientIdentity(identity.key.clone())),
        ..policy(&root, "shop.example", &[])
    };
    let mut clients = clients();
    let tls = clients.build(&with, Alpn::Any, among(&[&identity])).unwrap();
    assert!(connect(&tls, &backend, only_valid(&[&root])).server.is_ok());
    let without =
        clients.build(&policy(&root, "shop.example", &[]), Alpn::Any, among(&[])).unwrap();
    assert!(connect(&without, &backend, only_valid(&[&root])).server.is_err());

    let key = identity.key.clone();
    let missing = clients.build(&with, Alpn::Any, among(&[])).unwrap_err();
    assert_eq!(missing, ClientTlsError::IdentityMissing(key.clone()));
    let broken = Certificate { private_key: root.client().private_key, ..identity };
    let invalid = clients.build(&with, Alpn::Any, among(&[&broken])).unwrap_err();
    assert_eq!(invalid, ClientTlsError::IdentityInvalid(key));
    assert_eq!(invalid.cause(), Cause::BackendTlsInvalid);
}

#[test]
fn protocols_are_offered_as_asked() {
    let root = Authority::new("root");
    let backend = root.server("backend", &["shop.example"]);
    let policy = policy(&root, "shop.example", &[]);
    for (alpn, expected) in [(Alpn::Any, "h2"), (Alpn::Http1, "http/1.1"), (Alpn::H2, "h2")] {
        let tls = clients().build(&policy, alpn, among(&[])).unwrap();
        let outcome = connect(&tls, &backend, None);
        assert_eq!(outcome.client.alpn_protocol(), Some(expected.as_bytes()), "{alpn:?}");
    }
}

/// Equal settings share sessions; a changed identity, name or root never finds one.
#[test]
fn sessions_belong_to_their_settings() {
    let root = Authority::new("root");
    let backend = root.server("backend", &["shop.example"]);
    let mut servers = Servers::new();
    let server = build(&mut servers, &listener("https", &[&backend], None), &[&backend]).unwrap();
    let kind = |tls: &ClientTls| {
        handshake(tls.config(), "shop.example", &server).client.handshake_kind().unwrap()
    };
    let mut clients = clients();
    let plain = policy(&root, "shop.example", &[]);
    let first = clients.build(&plain, Alpn::Any, among(&[])).unwrap();
    assert_ne!(kind(&first), HandshakeKind::Resumed);
    let again = clients.build(&plain, Alpn::Any, among(&[])).unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    assert_eq!(kind(&again), HandshakeKind::Resumed);

    let identity = root.client();
    let with = BackendTls { identity: Some(ClientIdentity(identity.key.clone())), ..plain.clone() };
    let shown = clients.build(&with, Alpn::Any, among(&[&identity])).unwrap();
    assert_ne!(kind(&shown), HandshakeKind::Resumed);
    // Renewed under the same key.
    let renewed = root.client();
    let renewed = clients.build(&with, Alpn::Any, among(&[&renewed])).unwrap();
    assert_ne!(kind(&renewed), HandshakeKind::Resumed);
    let named = policy(&root, "shop.example", &[dns("shop.example")]);
    let named = clients.build(&named, Alpn::Any, among(&[])).unwrap();
    assert_ne!(kind(&named), HandshakeKind::Resumed);
    let http1 = clients.build(&plain, Alpn::Http1, among(&[])).unwrap();
    assert_ne!(kind(&http1), HandshakeKind::Resumed);
    // Nobody holds it any more: it is forgotten.
    drop((first, again));
    let rebuilt = clients.build(&plain, Alpn::Any, among(&[])).unwrap();
    assert_ne!(kind(&rebuilt), HandshakeKind::Resumed);
}

#[test]
fn tls_1_2_backends_are_reached_too() {
    let root = Authority::new("root");
    let backend = root.server("backend", &["shop.example"]);
    let tls = clients()
        .build(&policy(&root, "shop.example", &[dns("shop.example")]), Alpn::Any, among(&[]))
        .unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(backend.private_key.0.to_vec()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(crate::identity::provider())
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![backend.chain[0].clone().into()], key)
        .unwrap();
    let server = rustls::ServerConnection::new(Arc::new(config)).unwrap();
    let outcome = super::wire::run(super::wire::client(tls.config(), "shop.example"), server, 1);
    assert!(outcome.server.is_ok(), "{}", outcome.server_error());
}

#[test]
fn roots_are_never_taken_for_granted() {
    let root = Authority::new("root");
    let build = |roots: TrustRoots, system: SystemRoots| {
        let policy = BackendTls { roots, ..policy(&root, "shop.example", &[]) };
        Clients::new(system).build(&policy, Alpn::Any, among(&[]))
    };
    let bundle = |list: &[&[u8]]| TrustRoots::Bundle(list.iter().map(|der| der.to_vec()).collect());
    for empty in [bundle(&[]), bundle(&[b"no certificate"])] {
        assert_eq!(build(empty, SystemRoots::standard()).unwrap_err(), ClientTlsError::NoRoots);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bundle.pem");
    let missing = build(TrustRoots::System, SystemRoots::file(&path)).unwrap_err().to_string();
    assert!(missing.contains("ca-certificates") && missing.contains("bundle.pem"), "{missing}");
    std::fs::write(&path, "# no certificate\n").unwrap();
    let empty = build(TrustRoots::System, SystemRoots::file(&path)).unwrap_err().to_string();
    assert!(empty.contains("holds no certificate"), "{empty}");
    // One that can't be read takes no other with it.
    let rotten = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    std::fs::write(&path, format!("{rotten}{}", root.pem())).unwrap();
    let tls = build(TrustRoots::System, SystemRoots::file(&path)).unwrap();
    assert_eq!(refusal(&tls, &root.server("backend", &["shop.example"])), "");
    let other = Authority::new("other").server("backend", &["shop.example"]);
    assert_ne!(refusal(&tls, &other), "");
}

#[test]
fn a_bad_server_name_is_said_in_words() {
    let root = Authority::new("root");
    let error = clients().build(&policy(&root, "a b", &[]), Alpn::Any, among(&[])).unwrap_err();
    assert_eq!(error.to_string(), "\"a b\" is not a server name");
}

#[test]
fn failures_are_one_line_of_words() {
    use rustls::{AlertDescription, CertificateError, Error};
    let say = |error: Error, side| {
        let failure = failure(&std::io::Error::new(std::io::ErrorKind::InvalidData, error), side);
        (failure.cause, failure.sentence)
    };
    let (cause, sentence) = say(Error::NoCertificatesPresented, Side::Server);
    assert_eq!(cause, Cause::ClientCertificateRefused);
    assert_eq!(sentence, "the client showed no certificate");
    let (cause, sentence) = say(Error::AlertReceived(AlertDescription::UnknownCA), Side::Client);
    assert_eq!(cause, Cause::UpstreamTlsFailed);
    assert_eq!(sentence, "the endpoint refused the handshake: UnknownCA");
    let context = CertificateError::NotValidForNameContext {
        expected: "shop.example".try_into().unwrap(),
        presented: vec!["evil\r\nlevel=error".into(), "x".repeat(5000)],
    };
    let (_, sentence) = say(Error::InvalidCertificate(context), Side::Client);
    assert!(!sentence.contains(['\r', '\n']) && sentence.chars().count() <= 512);
    let gone = failure(&std::io::ErrorKind::UnexpectedEof.into(), Side::Server);
    assert_eq!(gone.cause, Cause::TlsHandshakeFailed);
    assert_eq!(gone.sentence, "the client closed the connection during the handshake");
}
