//! What a session ticket survives, and what it doesn't.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind};

use super::authority::{Authority, build, fallback, leaf, listener, only_valid};
use super::wire::{Browser, handshake};
use crate::identity::{ServerTls, Servers};
use crate::model::Cause;

/// How a client that has been here before comes in.
fn kind(config: &Arc<ClientConfig>, tls: &ServerTls) -> HandshakeKind {
    let outcome = handshake(config, "shop.example", tls);
    let kind = outcome.server.as_ref().unwrap().handshake_kind().unwrap();
    assert_eq!(outcome.client.handshake_kind(), Some(kind));
    kind
}

fn is_full(kind: HandshakeKind) -> bool {
    matches!(kind, HandshakeKind::Full | HandshakeKind::FullWithHelloRetryRequest)
}

#[test]
fn sessions_resume_over_certificates_but_not_over_client_settings() {
    let root = Authority::new("root");
    let (old, new) =
        (root.server("shop", &["shop.example"]), root.server("shop", &["shop.example"]));
    let client = root.client();
    for versions in [&[&TLS13], &[&TLS12]] {
        let mut servers = Servers::new();
        let browser = Browser { versions, identity: Some(&client), ..Browser::default() };
        let config = browser.config();
        let mut come = |auth, part| {
            let tls = build(&mut servers, &listener("https", &[part], auth), &[part]).unwrap();
            servers.retain(|_| true);
            kind(&config, &tls)
        };
        assert!(is_full(come(None, &old)));
        assert_eq!(come(None, &old), HandshakeKind::Resumed);
        assert_eq!(come(None, &new), HandshakeKind::Resumed, "a renewed certificate");
        // A session without validation is worth nothing where it is asked for, and so on.
        assert!(is_full(come(only_valid(&[&root]), &new)));
        assert_eq!(come(only_valid(&[&root]), &new), HandshakeKind::Resumed);
        assert_eq!(come(only_valid(&[&root]), &old), HandshakeKind::Resumed);
        assert!(is_full(come(fallback(&[&root]), &old)));
        assert!(is_full(come(only_valid(&[&root]), &old)));
        let second = Authority::new("second");
        assert!(is_full(come(only_valid(&[&root, &second]), &old)));
    }
}

#[test]
fn sessions_never_cross_listeners() {
    let root = Authority::new("root");
    let part = root.server("shop", &["shop.example"]);
    for versions in [&[&TLS13], &[&TLS12]] {
        for auth in [None, only_valid(&[&root])] {
            let client = root.client();
            let browser = Browser { versions, identity: Some(&client), ..Browser::default() };
            let config = browser.config();
            let mut servers = Servers::new();
            // Alike in everything but the name.
            let [a, b] = ["a", "b"].map(|name| listener(name, &[&part], auth.clone()));
            let a = build(&mut servers, &a, &[&part]).unwrap();
            let b = build(&mut servers, &b, &[&part]).unwrap();
            assert!(is_full(kind(&config, &a)));
            assert_eq!(kind(&config, &a), HandshakeKind::Resumed);
            assert!(is_full(kind(&config, &b)));
        }
    }
}

#[test]
fn a_removed_listener_takes_its_keys_along() {
    let root = Authority::new("root");
    let part = root.server("shop", &["shop.example"]);
    let mut servers = Servers::new();
    let https = listener("https", &[&part], None);
    let config = Browser::default().config();
    assert!(is_full(kind(&config, &build(&mut servers, &https, &[&part]).unwrap())));
    servers.retain(|key| *key != https.key);
    assert!(is_full(kind(&config, &build(&mut servers, &https, &[&part]).unwrap())));
}

#[test]
fn a_padded_chain_gets_no_ticket() {
    let root = Authority::new("root");
    let part = root.server("shop", &["shop.example"]);
    for versions in [&[&TLS13], &[&TLS12]] {
        let mut client = root.client();
        let more = client.chain[0].clone();
        for (padding, resumes) in [(3, true), (110, false)] {
            client.chain.resize(1 + padding, more.clone());
            let browser = Browser { versions, identity: Some(&client), ..Browser::default() };
            let config = browser.config();
            let https = listener("https", &[&part], only_valid(&[&root]));
            let tls = build(&mut Servers::new(), &https, &[&part]).unwrap();
            assert!(is_full(kind(&config, &tls)));
            assert_eq!(is_full(kind(&config, &tls)), !resumes, "{padding}");
        }
    }
}

#[derive(Debug)]
struct Hours(AtomicU64);

impl TimeProvider for Hours {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = self.0.load(Ordering::Relaxed) * 3600;
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)))
    }
}

/// A handshake that resumes validates nothing: a client whose certificate has expired since must
/// be stopped behind it.
#[test]
fn an_expired_client_does_not_come_back_by_its_ticket() {
    let root = Authority::new("root");
    let part = root.server("shop", &["shop.example"]);
    let mut params = leaf(&["client.example"], rcgen::ExtendedKeyUsagePurpose::ClientAuth);
    params.not_after = rcgen::date_time_ymd(2026, 1, 2);
    let client = root.issue(&params);
    let last_hour = 1_767_312_000 / 3600 - 1;
    for versions in [&[&TLS13], &[&TLS12]] {
        let hours = Arc::new(Hours(AtomicU64::new(last_hour)));
        let mut servers = Servers::with_time(Arc::clone(&hours) as _);
        let https = listener("https", &[&part], only_valid(&[&root]));
        let tls = build(&mut servers, &https, &[&part]).unwrap();
        let browser = Browser { versions, identity: Some(&client), ..Browser::default() };
        let config = browser.config();
        for (hour, resumed, admitted) in [
            (last_hour, false, Ok(())),
            (last_hour, true, Ok(())),
            (last_hour + 2, true, Err(Cause::ClientCertificateRefused)),
        ] {
            hours.0.store(hour, Ordering::Relaxed);
            let outcome = handshake(&config, "shop.example", &tls);
            let kind = outcome.server.as_ref().unwrap().handshake_kind().unwrap();
            assert_eq!(kind == HandshakeKind::Resumed, resumed);
            assert_eq!(
                outcome.admitted(&tls).map(|peer| assert!(peer.unwrap().verified)),
                admitted
            );
        }
    }
}
