//! What a certificate says about its holder, for logs, metrics and name checks.
//!
//! Nothing here decides whether a certificate is trusted: that is webpki's work.

use std::fmt;

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::limits;

/// The facts of an end-entity certificate. Texts hold no control characters: they are safe in a
/// log line, whatever the certificate holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The subject as RFC 4514 writes it, cut at `limits::CERTIFICATE_NAME_BYTES`; often empty.
    pub subject: String,
    /// dNSName entries, lower case. A name with a byte that no host name has is left out.
    pub dns_names: Vec<String>,
    /// uniformResourceIdentifier entries, as they are. One with a byte outside of visible ASCII
    /// is left out.
    pub uris: Vec<String>,
    /// An alternative name held a byte that it must not (NUL, control, not ASCII) or could not be
    /// read: a certificate that may be meant to look like another's (CVE-2025-66220).
    pub suspicious: bool,
    /// Seconds since the epoch.
    pub not_before: i64,
    pub not_after: i64,
}

/// The certificate that a client showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    pub leaf: Leaf,
    /// It chains to the listener's roots. `false` happens with AllowInsecureFallback alone: then
    /// nothing that the certificate says may be believed.
    pub verified: bool,
}

/// Why a certificate could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeafError {
    NotDer,
    TrailingBytes,
    BadAlternativeNames,
}

impl fmt::Display for LeafError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotDer => "it is not an X.509 certificate in DER",
            Self::TrailingBytes => "bytes follow the certificate",
            Self::BadAlternativeNames => "its subjectAltName extension cannot be read",
        })
    }
}

impl Leaf {
    pub fn read(der: &[u8]) -> Result<Self, LeafError> {
        let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| LeafError::NotDer)?;
        if !rest.is_empty() {
            return Err(LeafError::TrailingBytes);
        }
        let names =
            certificate.subject_alternative_name().map_err(|_| LeafError::BadAlternativeNames)?;
        let mut leaf = Self {
            subject: printable(&certificate.subject().to_string()),
            dns_names: Vec::new(),
            uris: Vec::new(),
            suspicious: false,
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
        };
        if let Some(names) = names {
            for name in &names.value.general_names {
                leaf.take(name);
            }
        }
        Ok(leaf)
    }

    fn take(&mut self, name: &GeneralName<'_>) {
        match name {
            GeneralName::DNSName(name) if is_dns_pattern(name) => {
                self.dns_names.push(name.to_ascii_lowercase());
            }
            GeneralName::URI(uri) if is_visible(uri) => self.uris.push((*uri).to_owned()),
            GeneralName::DNSName(_) | GeneralName::URI(_) | GeneralName::Invalid(..) => {
                self.suspicious = true;
            }
            _ => {}
        }
    }

    /// The first URI, else the first DNS name, else the subject: whom a log line names.
    pub fn name(&self) -> &str {
        self.uris
            .first()
            .or_else(|| self.dns_names.first())
            .map_or(self.subject.as_str(), String::as_str)
    }
}

/// A host name, or a wildcard as its whole first label, in any case.
fn is_dns_pattern(name: &str) -> bool {
    let host = name.strip_prefix("*.").unwrap_or(name);
    !host.is_empty()
        && host.len() <= 253
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Bounded, and without control characters or direction marks: what an attacker wrote into a
/// subject cannot forge a log line.
fn printable(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let c = if c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric() { c } else { '?' };
        if out.len() + c.len_utf8() > limits::CERTIFICATE_NAME_BYTES {
            break;
        }
        out.push(c);
    }
    out
}
