//! Secrets into certificates: PEM is read, the key must belong to the leaf, and a certificate that
//! isn't valid now is told about with its date.

use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::codes;
use super::unit::{Made, Output};
use super::view::View;
use crate::config::raw::{At, Object, Secret, Spec};
use crate::model::{Cause, Certificate, Name, ObjectKey, Part, PartKey, PartKind, PrivateKey};

pub(super) fn certificate(view: &mut View<'_>, key: &ObjectKey) -> Made {
    let object = view.object(key);
    let Some((object, secret)) = object.as_ref().and_then(|object| match &object.spec {
        Spec::Secret(secret) => Some((object, secret)),
        _ => None,
    }) else {
        return Output::Certificate(Err(Cause::CertificateMissing)).into();
    };
    let pair = pair(secret).and_then(|pair| {
        tell_validity(view, object, pair.at, &pair.chain[0]).map_err(|why| (CHAIN, why))?;
        Ok(pair)
    });
    match pair {
        Ok(Pair { chain, private_key, .. }) => {
            let key = PartKey::new(PartKind::Certificate, key.clone(), "");
            let chain = chain.into_iter().map(|der| der.to_vec()).collect();
            let part = Certificate { key: key.clone(), chain, private_key };
            let parts = vec![Part::Certificate(Arc::new(part))];
            Made { output: Output::Certificate(Ok(key)), parts }
        }
        Err((entry, why)) => {
            let place = secret.data.get(entry).map_or(object.meta.place, |entry| entry.place);
            let message = format!("`{entry}` of {key} can't be used: {why}");
            view.error(object, codes::CERTIFICATE_INVALID, &place, message);
            Output::Certificate(Err(Cause::CertificateInvalid)).into()
        }
    }
}

const CHAIN: &str = "tls.crt";
const KEY: &str = "tls.key";

/// Whether a Secret's certificate and key, of which it has both, belong together and can be used;
/// else why not, as a sentence's end. Whoever puts them together from two files asks before one of
/// them is used.
pub fn check_pair(secret: &Secret) -> Result<(), String> {
    if !secret.data.contains_key(CHAIN) || !secret.data.contains_key(KEY) {
        return Ok(());
    }
    pair(secret).map(|_| ()).map_err(|(_, why)| why)
}

/// A certificate, leaf first, and the leaf's key.
struct Pair<'s> {
    at: &'s At<Arc<[u8]>>,
    chain: Vec<CertificateDer<'static>>,
    private_key: PrivateKey,
}

/// The entry that is wrong, and why.
type Refused = (&'static str, String);

fn pair(secret: &Secret) -> Result<Pair<'_>, Refused> {
    let entry = |name: &'static str| {
        secret.data.get(name).ok_or_else(|| (name, "it is missing".to_owned()))
    };
    let (at, key) = (entry(CHAIN)?, entry(KEY)?);
    let chain = chain(&at.value).map_err(|why| (CHAIN, why))?;
    let key = PrivateKeyDer::from_pem_slice(&key.value)
        .map_err(|_| (KEY, "it holds no PEM private key".to_owned()))?;
    let private_key = PrivateKey(key.secret_der().into());
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let signing = provider
        .key_provider
        .load_private_key(key)
        .map_err(|_| (KEY, "its kind of key is not supported".to_owned()))?;
    rustls::sign::CertifiedKey::new(chain.clone(), signing).keys_match().or_else(|error| {
        match error {
            // Some keys can't tell their public half; the handshake will.
            rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown) => Ok(()),
            rustls::Error::InconsistentKeys(_) => {
                Err((KEY, "the key does not belong to the certificate".to_owned()))
            }
            error => Err((CHAIN, error.to_string())),
        }
    })?;
    Ok(Pair { at, chain, private_key })
}

/// The certificates of a PEM text, never none.
fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| "it is not valid PEM".to_owned())?;
    if chain.is_empty() { Err("it holds no PEM certificate".to_owned()) } else { Ok(chain) }
}

/// CA certificates as DER; each must be one that chains can be checked against.
pub(super) fn authorities(pem: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let chain = chain(pem).map_err(|why| format!("`ca.crt`: {why}"))?;
    let mut store = rustls::RootCertStore::empty();
    for (position, der) in chain.iter().enumerate() {
        store
            .add(der.clone())
            .map_err(|_| format!("certificate {} of `ca.crt` can't be read", position + 1))?;
    }
    Ok(chain.into_iter().map(|der| der.to_vec()).collect())
}

fn tell_validity(
    view: &mut View<'_>,
    object: &Object,
    entry: &At<Arc<[u8]>>,
    leaf: &CertificateDer<'_>,
) -> Result<(), String> {
    let (_, parsed) =
        X509Certificate::from_der(leaf).map_err(|_| "the leaf is not X.509".to_owned())?;
    let validity = parsed.validity();
    let (from, until) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    let subject: Name = parsed.subject().to_string().into();
    let said = if view.now > until {
        Some(format!("certificate `{subject}` expired on {}", day(&validity.not_after)))
    } else if view.now < from {
        view.wake_at(from);
        Some(format!("certificate `{subject}` is not valid before {}", day(&validity.not_before)))
    } else {
        None
    };
    if let Some(message) = said {
        view.warning(object, codes::CERTIFICATE_EXPIRED, &entry.place, message);
    }
    view.wake_at(until.saturating_add(1));
    Ok(())
}

/// `2026-01-31`
fn day(time: &x509_parser::time::ASN1Time) -> String {
    time.to_datetime().date().to_string()
}
