//! How long certificates are still good.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::time::ASN1Time;

use crate::install::{Need, State};
use crate::limits;

/// What is to be said of a certificate, in PEM with the leaf first, at `now` in seconds since the
/// epoch. Nothing of one that is good, nor of one that can't be read: lowering says that.
pub(super) fn judge(secret: &str, pem: &[u8], now: i64) -> Option<Need> {
    let leaf = CertificateDer::pem_slice_iter(pem).next()?.ok()?;
    let (_, leaf) = X509Certificate::from_der(&leaf).ok()?;
    let (from, until) = (&leaf.validity().not_before, &leaf.validity().not_after);
    let lasts = until.timestamp().saturating_sub(from.timestamp());
    let left = until.timestamp().saturating_sub(now);
    let soon = limits::CERTIFICATE_SOON.as_secs().cast_signed().min(lasts / 3);
    let (state, found) = match left {
        ..0 => (State::Wrong, format!("expired on {}", day(until))),
        _ if now < from.timestamp() => (State::Wrong, format!("not valid before {}", day(from))),
        left if left < soon => {
            (State::Warning, format!("expires on {}, in {} days", day(until), left / 86_400))
        }
        _ => return None,
    };
    Some(Need {
        what: format!("certificate {secret}"),
        state,
        found: format!("`{}` {found}", leaf.subject()),
        advice: "renew it: what is in the Secret is served at once".to_owned(),
    })
}

/// `2026-01-31`
fn day(time: &ASN1Time) -> String {
    time.to_datetime().date().to_string()
}
