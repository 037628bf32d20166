//! Validation of client certificates (Gateway `spec.tls.frontend`).

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::leaf::Leaf;
use super::provider;
use crate::model::{ClientAuth, ClientAuthMode};

/// Says whether a chain is a client's that we trust.
///
/// Chain, dates and usage are webpki's. On top, a certificate whose alternative names hold a byte
/// that no name has is refused: whatever reads them later (a log, a policy, the backend) must not
/// be able to read two names out of one.
pub(super) struct ClientVerifier {
    /// `None` refuses everybody: the roots are missing.
    webpki: Option<Arc<dyn ClientCertVerifier>>,
    /// Signatures are checked also when there are no roots.
    signatures: rustls::crypto::WebPkiSupportedAlgorithms,
    mode: ClientAuthMode,
}

impl ClientVerifier {
    pub(super) fn new(auth: &ClientAuth) -> Arc<Self> {
        let mut roots = RootCertStore::empty();
        // One that can't be read is left out, which only refuses more.
        roots.add_parsable_certificates(
            auth.roots.iter().map(|der| CertificateDer::from(der.as_slice())),
        );
        let provider = provider();
        let webpki =
            WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
                .build()
                .ok();
        let signatures = provider.signature_verification_algorithms;
        // Without roots the mode doesn't count: a missing reference fails closed.
        let mode = if webpki.is_some() { auth.mode } else { ClientAuthMode::AllowValidOnly };
        Arc::new(Self { webpki, signatures, mode })
    }

    pub(super) fn mode(&self) -> ClientAuthMode {
        self.mode
    }

    /// What AllowValidOnly asks for; also asked again for resumed sessions and, under
    /// AllowInsecureFallback, to say what may be believed.
    pub(super) fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Leaf, Error> {
        let webpki = self.webpki.as_ref().ok_or(CertificateError::UnknownIssuer)?;
        webpki.verify_client_cert(end_entity, intermediates, now)?;
        let leaf = Leaf::read(end_entity).map_err(|_| CertificateError::BadEncoding)?;
        if leaf.suspicious {
            return Err(CertificateError::BadEncoding.into());
        }
        Ok(leaf)
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.mode == ClientAuthMode::AllowValidOnly
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.webpki.as_ref().map_or(&[], |webpki| webpki.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match self.mode {
            ClientAuthMode::AllowValidOnly => {
                self.verify(end_entity, intermediates, now)?;
            }
            // Any certificate, or none. That the client holds its key is still proven below: a
            // broken proof is an attack or a defect, not a certificate that isn't valid.
            ClientAuthMode::AllowInsecureFallback => {}
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.signatures)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.signatures)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signatures.supported_schemes()
    }
}

impl fmt::Debug for ClientVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientVerifier").field("mode", &self.mode).finish_non_exhaustive()
    }
}
