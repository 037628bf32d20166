//! Backends that are known by alternative names (BackendTLSPolicy `subjectAltNames`).

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::leaf::Leaf;
use crate::model::SubjectAltName;

/// webpki's check of chain, dates and usage; the name is one of the list instead of the one that
/// was sent as SNI.
#[derive(Debug)]
pub(super) struct AlternativeNames {
    roots: Arc<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
    names: Vec<SubjectAltName>,
}

impl AlternativeNames {
    pub(super) fn new(
        roots: Arc<RootCertStore>,
        algorithms: WebPkiSupportedAlgorithms,
        names: Vec<SubjectAltName>,
    ) -> Self {
        Self { roots, algorithms, names }
    }

    fn matches(&self, certificate: &ParsedCertificate<'_>, leaf: &Leaf) -> bool {
        self.names.iter().any(|name| match name {
            SubjectAltName::Dns(host) => match host.strip_prefix('*') {
                Some(suffix) => leaf.dns_names.iter().any(|name| is_under(name, suffix)),
                None => ServerName::try_from(&**host)
                    .is_ok_and(|host| verify_server_name(certificate, &host).is_ok()),
            },
            // Octet by octet: a SPIFFE ID has one spelling, and folding could only take more.
            SubjectAltName::Uri(uri) => leaf.uris.iter().any(|name| **name == **uri),
        })
    }
}

/// Whether `name` stands for hosts under `suffix` (`.shop.example`) only. A wildcard of the
/// policy takes one or more labels, as everywhere in the Gateway API.
fn is_under(name: &str, suffix: &str) -> bool {
    let suffix = suffix.to_ascii_lowercase();
    match name.strip_prefix('*') {
        Some(wildcard) => wildcard.ends_with(&suffix),
        None => name.len() > suffix.len() && name.ends_with(&suffix),
    }
}

impl ServerCertVerifier for AlternativeNames {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _sent: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        )?;
        let leaf = Leaf::read(end_entity).map_err(|_| CertificateError::BadEncoding)?;
        if self.matches(&certificate, &leaf) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::NotValidForName.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
