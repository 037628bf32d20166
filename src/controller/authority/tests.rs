use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// 2026-11-24
const TODAY: Duration = Duration::from_secs(1_795_478_400);

/// Whether a proxy that holds this authority believes the certificate at the time.
fn believes(authority: &str, chain: &str, now: Duration) -> bool {
    crate::identity::install_provider();
    let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(der(authority)).unwrap();
    let verifier = WebPkiServerVerifier::builder(roots.into()).build().unwrap();
    let service = ServerName::try_from("meshctl-controller.meshctl-system.svc").unwrap();
    let now = UnixTime::since_unix_epoch(now);
    verifier.verify_server_cert(&der(chain), &[], &service, &[], now).is_ok()
}

fn served(secret: &Secret, now: Duration) -> Served {
    sign(secret, "meshctl-system", now).unwrap()
}

#[test]
fn a_certificate_is_signed_by_what_the_secret_holds() {
    let secret = make(TODAY).unwrap();
    let served = served(&secret, TODAY);
    assert!(believes(&served.authority, &served.chain, TODAY));
    let stranger = make(TODAY).unwrap();
    assert!(!believes(&field(&stranger, CERTIFICATE).unwrap(), &served.chain, TODAY));
    let mut wrong = secret.clone();
    let nonsense = ByteString(b"nonsense".to_vec());
    wrong.data.as_mut().unwrap().insert(CERTIFICATE.to_owned(), nonsense);
    assert!(sign(&wrong, "meshctl-system", TODAY).is_err());
    assert!(renewed(&wrong, TODAY).is_err());
}

#[test]
fn nothing_runs_out_in_thirty_years() {
    let first = make(TODAY).unwrap();
    let oldest = field(&first, CERTIFICATE).unwrap();
    let (mut secret, mut shown) = (first.clone(), served(&first, TODAY));
    let (mut authorities, mut leaves) = (0, 0);
    for day in 0..30 * 365 {
        let now = TODAY + day * DAY;
        if let Some(new) = renewed(&secret, now).unwrap() {
            assert_eq!(field(&new, KEY).unwrap(), field(&secret, KEY).unwrap());
            secret = new;
            authorities += 1;
        }
        if now >= shown.renew {
            shown = served(&secret, now);
            leaves += 1;
        }
        let (from, until) = validity(&field(&secret, CERTIFICATE).unwrap()).unwrap();
        assert!(from <= now && now + 365 * DAY < until, "the authority on day {day}");
        let (from, until) = validity(&shown.chain).unwrap();
        assert!(from < now && now + 7 * DAY < until, "the certificate on day {day}");
        // Whoever has heard of no change since the first day goes on as well.
        for authority in [&oldest, &shown.authority] {
            assert!(believes(authority, &shown.chain, now), "on day {day}");
        }
    }
    assert!((3..6).contains(&authorities), "{authorities}");
    assert!((150..200).contains(&leaves), "{leaves}");
    assert!(!believes(&oldest, &shown.chain, TODAY), "it begins later");
}

#[test]
fn an_authority_of_somebody_else_is_left_alone() {
    let mut secret = make(TODAY).unwrap();
    let late = TODAY + limits::AUTHORITY_LIFETIME;
    assert!(renewed(&secret, late).unwrap().is_some());
    secret.metadata.labels = None;
    assert_eq!(renewed(&secret, late).unwrap(), None);
}
