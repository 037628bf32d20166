//! Which certificate, which versions, which protocols.

use std::sync::Arc;

use rustls::version::{TLS12, TLS13};
use rustls::{ProtocolVersion, SignatureScheme};

use super::authority::{Authority, among, build, https, leaf, listener};
use super::wire::{Browser, accept, handshake, hello, in_pieces, one_byte_records, run};
use crate::identity::{Servers, Sni, provider, sni_host};
use crate::model::{Cause, Certificate, ListenerProtocol, ListenerTls, TlsVersion};

/// The certificate that a handshake for `name` brings.
fn shown(browser: &Browser<'_>, name: &str, parts: &[&Certificate]) -> Vec<u8> {
    let mut servers = Servers::new();
    let tls = build(&mut servers, &listener("https", parts, None), parts).unwrap();
    let outcome = handshake(&browser.config(), name, &tls);
    assert!(outcome.server.is_ok(), "{name}: {}", outcome.server_error());
    outcome.client.peer_certificates().unwrap()[0].to_vec()
}

#[test]
fn certificates_are_chosen_by_name() {
    let ca = Authority::new("ca");
    let first = ca.server("first", &["first.example"]);
    let wild = ca.server("wild", &["*.shop.example"]);
    let exact = ca.server("exact", &["www.shop.example", "Other.Example"]);
    let all = [&first, &wild, &exact];
    for (name, expected) in [
        ("first.example", &first),
        ("www.shop.example", &exact),
        ("WWW.Shop.EXAMPLE", &exact),
        ("other.example", &exact),
        ("api.shop.example", &wild),
        // A wildcard stands for exactly one label, and not for none.
        ("a.b.shop.example", &first),
        ("shop.example", &first),
        ("unknown.example", &first),
        // No server name is sent for an address.
        ("192.0.2.1", &first),
    ] {
        assert_eq!(shown(&Browser::default(), name, &all), expected.chain[0], "{name}");
    }
}

#[test]
fn certificates_are_chosen_by_what_the_client_can_verify() {
    let ca = Authority::new("ca");
    let params = leaf(&["shop.example"], rcgen::ExtendedKeyUsagePurpose::ServerAuth);
    let rsa = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let rsa = ca.issue_for(&params, &rsa);
    let ecdsa = ca.server("ecdsa", &["shop.example"]);
    let other = ca.server("other", &["other.example"]);
    let check = |schemes: &[SignatureScheme], parts: &[&Certificate], expected: &Certificate| {
        for versions in [&[&TLS13], &[&TLS12]] {
            let browser = Browser { schemes, versions, ..Browser::default() };
            assert_eq!(shown(&browser, "shop.example", parts), expected.chain[0], "{schemes:?}");
        }
    };
    let only_rsa = [SignatureScheme::RSA_PSS_SHA256];
    let only_ecdsa = [SignatureScheme::ECDSA_NISTP256_SHA256];
    check(&only_rsa, &[&ecdsa, &rsa], &rsa);
    check(&only_ecdsa, &[&rsa, &ecdsa], &ecdsa);
    check(&[], &[&rsa, &ecdsa], &rsa);
    check(&[], &[&ecdsa, &rsa], &ecdsa);
    // Better a certificate of another name than none that can be verified.
    check(&only_ecdsa, &[&rsa, &other], &other);

    let mut servers = Servers::new();
    let tls = build(&mut servers, &listener("https", &[&ecdsa], None), &[&ecdsa]).unwrap();
    let browser = Browser { schemes: &only_rsa, ..Browser::default() };
    assert!(handshake(&browser.config(), "shop.example", &tls).server.is_err());
}

/// Every spelling of a name, and every way to cut up a ClientHello, is one and the same to the
/// choice of listener and certificate (CVE-2026-32305, CVE-2026-53622).
#[test]
fn a_client_hello_has_no_second_reading() {
    let ca = Authority::new("ca");
    let first = ca.server("first", &["first.example"]);
    let shop = ca.server("shop", &["shop.example"]);
    let mut servers = Servers::new();
    let parts = [&first, &shop];
    let tls = build(&mut servers, &listener("https", &parts, None), &parts).unwrap();
    let resolver = Arc::clone(&tls.config().cert_resolver);
    let config = Browser::default().config();

    let spell = |template: &str, name: &str| {
        assert_eq!(template.len(), name.len());
        let mut bytes = hello(&config, template);
        let at = memchr::memmem::find(&bytes, template.as_bytes()).unwrap();
        bytes[at..at + name.len()].copy_from_slice(name.as_bytes());
        bytes
    };
    for (template, name, expected) in [
        ("shop.example", "shop.example", Some(&shop)),
        ("shop.example", "SHOP.EXAMPLE", Some(&shop)),
        ("shop.examplex", "shop.example.", Some(&shop)),
        ("shop.examplex", "sHoP.eXaMpLe.", Some(&shop)),
        ("shop.examplex", "shop.examplex", Some(&first)),
        ("shop.examplex", "192.168.101.1", Some(&first)),
        ("shop.examplex", "shop.example\0", None),
        ("shop.examplex", "shop..example", None),
        ("shop.examplex", "shop.example ", None),
        ("shop.examplex", "*.op.examplex", None),
        ("shop.examplex", "shop.exampl\u{e9}", None),
    ] {
        let whole = spell(template, name);
        for (bytes, piece) in
            [(whole.clone(), usize::MAX), (whole.clone(), 1), (one_byte_records(&whole), 7)]
        {
            let Ok(Some(accepted)) = accept(&bytes, piece) else {
                assert!(expected.is_none(), "{name:?}");
                continue;
            };
            let hello = accepted.client_hello();
            let host = sni_host(hello.server_name());
            assert_ne!(host, Sni::Invalid);
            let chosen = resolver.resolve(accepted.client_hello()).unwrap();
            let expected = expected.unwrap_or_else(|| panic!("{name:?} was taken as {host:?}"));
            assert_eq!(chosen.cert[0].as_ref(), expected.chain[0], "{name:?}");
        }
    }
}

#[test]
fn handshakes_survive_single_bytes() {
    let ca = Authority::new("ca");
    let part = ca.server("shop", &["shop.example"]);
    let mut servers = Servers::new();
    let tls = build(&mut servers, &listener("https", &[&part], None), &[&part]).unwrap();
    for versions in [&[&TLS13], &[&TLS12]] {
        let config = Browser { versions, ..Browser::default() }.config();
        assert!(in_pieces(&config, "shop.example", &tls, 1).server.is_ok());
    }
}

#[test]
fn versions_begin_at_1_2_or_1_3() {
    let ca = Authority::new("ca");
    let part = ca.server("shop", &["shop.example"]);
    let mut servers = Servers::new();
    let mut check = |min_version, versions: &[_], expected: Option<ProtocolVersion>| {
        let tls = ListenerTls {
            certificates: vec![Ok(part.key.clone())],
            client_auth: None,
            min_version,
        };
        let tls = build(&mut servers, &https("https", tls), &[&part]).unwrap();
        let config = Browser { versions, ..Browser::default() }.config();
        let outcome = handshake(&config, "shop.example", &tls);
        let version = outcome.server.ok().and_then(|server| server.protocol_version());
        assert_eq!(version, expected, "{min_version:?} {versions:?}");
    };
    check(TlsVersion::V1_2, &[&TLS12], Some(ProtocolVersion::TLSv1_2));
    check(TlsVersion::V1_2, &[&TLS13, &TLS12], Some(ProtocolVersion::TLSv1_3));
    check(TlsVersion::V1_3, &[&TLS13, &TLS12], Some(ProtocolVersion::TLSv1_3));
    check(TlsVersion::V1_3, &[&TLS12], None);
}

/// A ClientHello as old clients send it: no extension, and `version` the newest that they know.
fn old_hello(version: [u8; 2]) -> Vec<u8> {
    let suites = [0xc0, 0x13, 0xc0, 0x09, 0x00, 0x2f, 0x00, 0x35, 0x00, 0x0a];
    let body = [&version[..], &[7; 32], &[0], &[0, 10], &suites, &[1, 0]].concat();
    let length = u8::try_from(body.len()).unwrap();
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length], &body[..]].concat()
}

#[test]
fn older_versions_and_other_protocols_are_refused() {
    let ca = Authority::new("ca");
    let part = ca.server("shop", &["shop.example"]);
    let mut servers = Servers::new();
    let tls = build(&mut servers, &listener("https", &[&part], None), &[&part]).unwrap();
    let sslv2 = [0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, 1, 0, 0x80];
    for (what, bytes) in [
        ("TLS 1.1", old_hello([3, 2])),
        ("TLS 1.0", old_hello([3, 1])),
        ("SSL 3", old_hello([3, 0])),
        ("SSL 2", [&sslv2[..], &[0; 64]].concat()),
        ("plain text", b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n".to_vec()),
        ("PROXY", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n".to_vec()),
    ] {
        let refused = match accept(&bytes, usize::MAX) {
            Err(_) => true,
            Ok(None) => panic!("{what}: more bytes are waited for"),
            Ok(Some(accepted)) => accepted.into_connection(Arc::clone(tls.config())).is_err(),
        };
        assert!(refused, "{what}");
    }
}

#[test]
fn protocols_are_agreed_upon() {
    let ca = Authority::new("ca");
    let part = ca.server("shop", &["shop.example"]);
    let mut servers = Servers::new();
    let tls = build(&mut servers, &listener("https", &[&part], None), &[&part]).unwrap();
    for (offered, expected) in [
        (&["h2", "http/1.1"][..], Ok(Some("h2"))),
        (&["http/1.1", "h2"], Ok(Some("h2"))),
        (&["http/1.1"], Ok(Some("http/1.1"))),
        (&["spdy/3", "http/1.1"], Ok(Some("http/1.1"))),
        (&[], Ok(None)),
        (&["imap"], Err(())),
    ] {
        let config = Browser { alpn: offered, ..Browser::default() }.config();
        let outcome = handshake(&config, "shop.example", &tls);
        let agreed =
            outcome.server.as_ref().map_err(|_| ()).map(|server| {
                server.alpn_protocol().map(|name| std::str::from_utf8(name).unwrap())
            });
        assert_eq!(agreed, expected, "{offered:?}");
    }
    assert_eq!(tls.config().max_early_data_size, 0);
}

#[test]
fn unusable_certificates_refuse_or_step_aside() {
    let ca = Authority::new("ca");
    let good = ca.server("good", &["shop.example"]);
    let other = ca.server("other", &["shop.example"]);
    let mixed = Certificate { private_key: other.private_key.clone(), ..good.clone() };
    let broken = Certificate { chain: vec![b"no DER".to_vec()], ..good.clone() };
    let empty = Certificate { chain: Vec::new(), ..good.clone() };
    let keyless = Certificate {
        private_key: crate::model::PrivateKey(Arc::from(&b"no key"[..])),
        ..good.clone()
    };
    let mut servers = Servers::new();
    let mut causes = |keys: &[Result<&Certificate, Cause>], parts: &[&Certificate]| {
        let certificates =
            keys.iter().map(|key| key.map(|part| part.key.clone())).collect::<Vec<_>>();
        let tls = ListenerTls { certificates, client_auth: None, min_version: TlsVersion::V1_2 };
        build(&mut servers, &https("https", tls), parts).map(|tls| tls.leaves().count())
    };
    assert_eq!(causes(&[Ok(&good)], &[&good]), Ok(1));
    assert_eq!(causes(&[], &[]), Err(Cause::CertificateMissing));
    assert_eq!(causes(&[Ok(&good)], &[]), Err(Cause::CertificateMissing));
    for bad in [&mixed, &broken, &empty, &keyless] {
        assert_eq!(causes(&[Ok(bad)], &[bad]), Err(Cause::CertificateInvalid));
    }
    let not_permitted = Err(Cause::BackendNotPermitted);
    assert_eq!(causes(&[not_permitted], &[]), Err(Cause::BackendNotPermitted));
    assert_eq!(causes(&[not_permitted, Ok(&other)], &[&other]), Ok(1));
    assert_eq!(causes(&[Ok(&good), Ok(&other)], &[&good, &other]), Ok(2));
}

#[test]
fn what_did_not_change_is_not_built_again() {
    let ca = Authority::new("ca");
    let old = ca.server("shop", &["shop.example"]);
    let new = ca.server("shop", &["shop.example"]);
    let mut servers = Servers::new();
    let https = listener("https", &[&old], None);
    let built = build(&mut servers, &https, &[&old]).unwrap();
    assert!(Arc::ptr_eq(&built, &build(&mut servers, &https, &[&old]).unwrap()));
    let renewed = build(&mut servers, &https, &[&new]).unwrap();
    assert!(!Arc::ptr_eq(&built, &renewed));
    assert_eq!(built.admission(), renewed.admission(), "no connection needs to end");
    // A listener that breaks doesn't go on with what it had, and nobody keeps its keys.
    assert_eq!(build(&mut servers, &https, &[]).unwrap_err(), Cause::CertificateMissing);
    assert_eq!(Arc::strong_count(&renewed), 1);
    let mut http = https;
    http.protocol = ListenerProtocol::Http;
    assert!(servers.build(&http, among(&[])).unwrap().is_none());
}

#[test]
fn keys_are_parsed_once_and_forgotten_with_their_last_listener() {
    let ca = Authority::new("ca");
    let part = ca.server("shop", &["shop.example"]);
    let mut servers = Servers::new();
    let [a, b] = ["a", "b"].map(|name| listener(name, &[&part], None));
    let key = |servers: &mut Servers, listener| {
        let tls = build(servers, listener, &[&part]).unwrap();
        let config = Browser::default().config();
        let accepted = accept(&hello(&config, "shop.example"), usize::MAX).unwrap().unwrap();
        tls.config().cert_resolver.resolve(accepted.client_hello()).unwrap()
    };
    let first = key(&mut servers, &a);
    assert!(Arc::ptr_eq(&first, &key(&mut servers, &b)));
    servers.retain(|_| false);
    assert!(!Arc::ptr_eq(&first, &key(&mut servers, &a)));
}

#[test]
fn the_provider_is_there_with_and_without_being_installed() {
    crate::identity::install_provider();
    crate::identity::install_provider();
    let group = provider().kx_groups[0].name();
    assert_eq!(group, rustls::NamedGroup::X25519MLKEM768);
    let ca = Authority::new("ca");
    let part = ca.server("shop", &["shop.example"]);
    let tls = build(&mut Servers::new(), &listener("https", &[&part], None), &[&part]).unwrap();
    let server = rustls::ServerConnection::new(Arc::clone(tls.config())).unwrap();
    let client = super::wire::client(&Browser::default().config(), "shop.example");
    let outcome = run(client, server, usize::MAX);
    let agreed = outcome.server.unwrap().negotiated_key_exchange_group().unwrap().name();
    assert_eq!(agreed, group);
}
