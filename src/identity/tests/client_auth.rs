//! Thirty ways past client validation (R25), in both versions and both modes.

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair,
    NameConstraints, SanType, date_time_ymd,
};
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

use super::authority::{Authority, build, ca, certificate, fallback, leaf, listener, only_valid};
use super::wire::{Browser, handshake};
use crate::identity::{PeerCertificate, Servers};
use crate::model::{Cause, Certificate, ClientAuth, ClientAuthMode};

const VERSIONS: [&[&SupportedProtocolVersion]; 2] = [&[&TLS13], &[&TLS12]];

fn admitted(
    auth: Option<ClientAuth>,
    identity: Option<&Certificate>,
    versions: &'static [&'static SupportedProtocolVersion],
) -> Result<Option<PeerCertificate>, Cause> {
    let server = Authority::new("server").server("server", &["shop.example"]);
    let mut servers = Servers::new();
    let tls = build(&mut servers, &listener("https", &[&server], auth), &[&server]).unwrap();
    let browser = Browser { identity, versions, ..Browser::default() };
    handshake(&browser.config(), "shop.example", &tls).admitted(&tls)
}

fn client_params() -> CertificateParams {
    leaf(&["client.example"], ExtendedKeyUsagePurpose::ClientAuth)
}

fn changed(change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = client_params();
    change(&mut params);
    params
}

fn ca_changed(change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = ca("intermediate");
    change(&mut params);
    params
}

/// A certificate that is trusted in all respects but one.
fn impostors(root: &Authority) -> Vec<(&'static str, Certificate)> {
    let with = |change: fn(&mut CertificateParams)| root.issue(&changed(change));
    let behind = |change: fn(&mut CertificateParams)| {
        root.intermediate(ca_changed(change)).issue(&client_params())
    };
    let named = |san: fn(rcgen::string::Ia5String) -> SanType, name: &str| {
        root.issue(&changed(|p| p.subject_alt_names = vec![san(name.try_into().unwrap())]))
    };
    let key = KeyPair::generate().unwrap();
    let self_signed = client_params().self_signed(&key).unwrap();
    let mut flipped = root.client();
    *flipped.chain[0].last_mut().unwrap() ^= 1;
    let mut renamed = root.client();
    let at = memchr::memmem::find(&renamed.chain[0], b"client.example").unwrap();
    renamed.chain[0][at] = b'x';
    let root_itself = {
        let key = KeyPair::generate().unwrap();
        let issuer = ca("root itself").self_signed(&key).unwrap();
        certificate("root", vec![issuer.der().to_vec()], &key)
    };
    let namesake = Authority::new("root");
    let foreign_leaf_then_ours = {
        let mut part = namesake.client();
        part.chain.extend(root.client().chain);
        part
    };
    vec![
        ("expired", with(|p| p.not_after = date_time_ymd(2021, 1, 1))),
        ("not valid yet", with(|p| p.not_before = date_time_ymd(2090, 1, 1))),
        (
            "a server's usage",
            with(|p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]),
        ),
        (
            "mail's usage",
            with(|p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection]),
        ),
        ("a CA as a client", with(|p| p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained))),
        ("another CA's", Authority::new("other").client()),
        ("another CA's of the same name", namesake.client()),
        ("another CA's with ours behind it", foreign_leaf_then_ours),
        ("self-signed", certificate("self", vec![self_signed.der().to_vec()], &key)),
        ("a self-signed CA", root_itself),
        ("a wrong signature", flipped),
        ("a changed name", renamed),
        ("NUL in a DNS name", named(SanType::DnsName, "admin.example\0.evil.example")),
        ("line break in a DNS name", named(SanType::DnsName, "admin\r\nx")),
        ("space in a DNS name", named(SanType::DnsName, "admin evil")),
        ("NUL in a URI", named(SanType::URI, "spiffe://mesh/admin\0evil")),
        ("line break in a URI", named(SanType::URI, "spiffe://mesh/a\nb")),
        ("an intermediate left out", {
            root.intermediate(ca("intermediate")).without_chain().issue(&client_params())
        }),
        ("an expired intermediate", behind(|p| p.not_after = date_time_ymd(2021, 1, 1))),
        ("an intermediate of the future", behind(|p| p.not_before = date_time_ymd(2090, 1, 1))),
        ("an intermediate that is no CA", behind(|p| p.is_ca = IsCa::ExplicitNoCa)),
        ("an intermediate without basic constraints", behind(|p| p.is_ca = IsCa::NoCa)),
        (
            "an intermediate for servers",
            behind(|p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]),
        ),
        ("an intermediate too many", {
            let short = ca_changed(|p| p.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
            root.intermediate(short).intermediate(ca("second")).issue(&client_params())
        }),
        (
            "outside of the name constraints",
            behind(|p| {
                let only = GeneralSubtree::DnsName("inside.example".into());
                p.name_constraints = Some(NameConstraints {
                    permitted_subtrees: vec![only],
                    excluded_subtrees: Vec::new(),
                });
            }),
        ),
        ("a chain of a hundred", {
            let mut part = Authority::new("other").client();
            let more = root.client().chain[0].clone();
            part.chain.extend(vec![more; 100]);
            part
        }),
    ]
}

#[test]
fn only_valid_certificates_are_let_in() {
    let root = Authority::new("root");
    let impostors = impostors(&root);
    assert!(impostors.len() >= 26);
    for versions in VERSIONS {
        for (what, part) in &impostors {
            let refused = admitted(only_valid(&[&root]), Some(part), versions);
            assert_eq!(refused, Err(Cause::ClientCertificateRefused), "{what} {versions:?}");
        }
        let nobody = admitted(only_valid(&[&root]), None, versions);
        assert_eq!(nobody, Err(Cause::ClientCertificateRefused));
    }
}

#[test]
fn valid_certificates_are_let_in() {
    let (root, second) = (Authority::new("root"), Authority::new("second"));
    let deep = root.intermediate(ca("one")).intermediate(ca("two"));
    let spiffe = changed(|p| {
        p.subject_alt_names = vec![SanType::URI("spiffe://mesh/ns/a/sa/b".try_into().unwrap())];
    });
    let any_usage = changed(|p| p.extended_key_usages.clear());
    // What directories and mail put there is nothing to be suspicious of.
    let office = changed(|p| {
        p.subject_alt_names.extend([
            SanType::Rfc822Name("ann@example.com".try_into().unwrap()),
            SanType::IpAddress("2001:db8::1".parse().unwrap()),
            SanType::OtherName((vec![1, 3, 6, 1, 4, 1, 311, 20, 2, 3], "ann@corp".into())),
        ]);
    });
    for versions in VERSIONS {
        for (part, name) in [
            (root.client(), "client.example"),
            (second.client(), "client.example"),
            (deep.client(), "client.example"),
            (root.issue(&any_usage), "client.example"),
            (root.issue(&office), "client.example"),
            (root.issue(&spiffe), "spiffe://mesh/ns/a/sa/b"),
        ] {
            for auth in [only_valid(&[&root, &second]), fallback(&[&root, &second])] {
                let peer = admitted(auth, Some(&part), versions).unwrap().unwrap();
                assert!(peer.verified);
                assert_eq!(peer.leaf.name(), name);
            }
        }
    }
}

/// GEP-91: AllowInsecureFallback takes connections without a certificate, or with one that fails
/// validation. What it says must not be believed.
#[test]
fn the_insecure_fallback_lets_everybody_in_and_believes_nobody() {
    let root = Authority::new("root");
    for versions in VERSIONS {
        for (what, part) in impostors(&root) {
            let peer = admitted(fallback(&[&root]), Some(&part), versions);
            assert!(
                peer.as_ref().is_ok_and(|peer| peer.as_ref().is_none_or(|p| !p.verified)),
                "{what}: {peer:?}"
            );
        }
        assert_eq!(admitted(fallback(&[&root]), None, versions), Ok(None));
    }
}

#[test]
fn a_stolen_certificate_is_worth_nothing_without_its_key() {
    let root = Authority::new("root");
    let thief = Certificate { private_key: root.client().private_key, ..root.client() };
    for versions in VERSIONS {
        for auth in [only_valid(&[&root]), fallback(&[&root])] {
            assert!(admitted(auth, Some(&thief), versions).is_err());
        }
    }
}

/// A reference that is missing closes the listener, whatever the mode.
#[test]
fn without_roots_nobody_is_let_in() {
    let root = Authority::new("root");
    let client = root.client();
    for versions in VERSIONS {
        for mode in [ClientAuthMode::AllowValidOnly, ClientAuthMode::AllowInsecureFallback] {
            for roots in [vec![], vec![b"no certificate".to_vec()]] {
                for identity in [None, Some(&client)] {
                    let auth = ClientAuth { roots: roots.clone().into(), mode };
                    let refused = admitted(Some(auth), identity, versions);
                    assert_eq!(refused, Err(Cause::ClientCertificateRefused), "{mode:?}");
                }
            }
        }
    }
}

#[test]
fn a_root_that_cannot_be_read_takes_no_other_with_it() {
    let root = Authority::new("root");
    let roots = vec![b"no certificate".to_vec(), root.root()];
    let auth = ClientAuth { roots: roots.into(), mode: ClientAuthMode::AllowValidOnly };
    let client = root.client();
    assert!(admitted(Some(auth.clone()), Some(&client), VERSIONS[0]).is_ok());
    assert!(admitted(Some(auth), None, VERSIONS[0]).is_err());
}

#[test]
fn without_validation_no_certificate_is_asked_for() {
    let client = Authority::new("root").client();
    assert_eq!(admitted(None, Some(&client), VERSIONS[0]), Ok(None));
}
