//! TLS towards backends (BackendTLSPolicy).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Weak};

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::sign::SingleCertAndKey;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};

use super::roots::{SystemRoots, SystemRootsError};
use super::server_names::AlternativeNames;
use super::{WallClock, provider, servers};
use crate::limits;
use crate::model::{BackendTls, Cause, Certificate, PartHash, PartKey, TrustRoots};

/// The protocols that are offered to a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Alpn {
    /// HTTP/2 or HTTP/1.1, as the backend likes.
    Any,
    /// HTTP/1.1 alone: what must be able to Upgrade.
    Http1,
    /// HTTP/2 alone: gRPC.
    H2,
}

impl Alpn {
    fn protocols(self) -> Vec<Vec<u8>> {
        match self {
            Self::Any => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Self::Http1 => vec![b"http/1.1".to_vec()],
            Self::H2 => vec![b"h2".to_vec()],
        }
    }
}

/// Makes the configurations and shares them: backends with equal settings share sessions, others
/// never do. Lives on the control thread.
#[derive(Debug)]
pub struct Clients {
    provider: Arc<CryptoProvider>,
    time: Arc<dyn TimeProvider>,
    system: SystemRoots,
    built: HashMap<PartHash, Weak<ClientTls>>,
}

/// TLS towards one backend, ready for handshakes.
#[derive(Debug)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
    server_name: ServerName<'static>,
}

impl ClientTls {
    pub fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }

    /// Whether the endpoint may choose HTTP/2.
    pub fn offers_h2(&self) -> bool {
        self.config.alpn_protocols.iter().any(|name| name == b"h2")
    }

    /// What is sent as SNI, and found in the certificate where no alternative names are listed.
    pub fn server_name(&self) -> &ServerName<'static> {
        &self.server_name
    }
}

/// Why no connection may be made: plain text would be unsafe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientTlsError {
    System(SystemRootsError),
    NoRoots,
    ServerName(String),
    IdentityMissing(PartKey),
    IdentityInvalid(PartKey),
    Unsupported(String),
}

impl ClientTlsError {
    pub fn cause(&self) -> Cause {
        Cause::BackendTlsInvalid
    }
}

impl fmt::Display for ClientTlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(error) => error.fmt(f),
            Self::NoRoots => f.write_str("no CA certificate of the policy can be used"),
            Self::ServerName(name) => write!(f, "{name:?} is not a server name"),
            Self::IdentityMissing(key) => {
                write!(f, "the client certificate {key} does not exist")
            }
            Self::IdentityInvalid(key) => write!(
                f,
                "the client certificate {key} cannot be read, or its key belongs to another"
            ),
            Self::Unsupported(reason) => write!(f, "TLS cannot be set up: {reason}"),
        }
    }
}

impl From<SystemRootsError> for ClientTlsError {
    fn from(error: SystemRootsError) -> Self {
        Self::System(error)
    }
}

impl Clients {
    pub fn new(system: SystemRoots) -> Self {
        Self { provider: provider(), time: Arc::new(WallClock), system, built: HashMap::new() }
    }

    /// TLS for a backend. Equal settings (the client certificate's content included) bring the
    /// same `Arc`, and with it the same resumable sessions, for as long as somebody holds it.
    pub fn build(
        &mut self,
        tls: &BackendTls,
        alpn: Alpn,
        certificate: impl Fn(&PartKey) -> Option<Arc<Certificate>>,
    ) -> Result<Arc<ClientTls>, ClientTlsError> {
        let identity = match &tls.identity {
            Some(identity) => Some(
                certificate(&identity.0)
                    .ok_or_else(|| ClientTlsError::IdentityMissing(identity.0.clone()))?,
            ),
            None => None,
        };
        let hash = PartHash::of(&(tls, alpn, &identity));
        if let Some(built) = self.built.get(&hash).and_then(Weak::upgrade) {
            return Ok(built);
        }
        let built = Arc::new(self.assemble(tls, alpn, identity.as_deref())?);
        self.built.retain(|_, built| built.strong_count() > 0);
        self.built.insert(hash, Arc::downgrade(&built));
        Ok(built)
    }

    fn assemble(
        &mut self,
        tls: &BackendTls,
        alpn: Alpn,
        identity: Option<&Certificate>,
    ) -> Result<ClientTls, ClientTlsError> {
        let server_name = ServerName::try_from(tls.server_name.to_string())
            .map_err(|_| ClientTlsError::ServerName(tls.server_name.to_string()))?;
        let verifier = self.verifier(tls)?;
        let builder =
            ClientConfig::builder_with_details(Arc::clone(&self.provider), Arc::clone(&self.time))
                .with_safe_default_protocol_versions()
                .map_err(|error| ClientTlsError::Unsupported(error.to_string()))?
                .dangerous()
                .with_custom_certificate_verifier(verifier);
        let mut config = match identity {
            Some(part) => {
                let certified = servers::parse(part, &self.provider)
                    .map_err(|_| ClientTlsError::IdentityInvalid(part.key.clone()))?;
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified.key)))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.protocols();
        config.resumption = Resumption::in_memory_sessions(limits::TLS_CLIENT_SESSIONS);
        Ok(ClientTls { config: Arc::new(config), server_name })
    }

    fn verifier(
        &mut self,
        tls: &BackendTls,
    ) -> Result<Arc<dyn ServerCertVerifier>, ClientTlsError> {
        let roots = match &tls.roots {
            TrustRoots::System => self.system.load()?,
            TrustRoots::Bundle(bundle) => Arc::new(bundled(bundle)?),
        };
        if !tls.subject_alt_names.is_empty() {
            return Ok(Arc::new(AlternativeNames::new(
                roots,
                self.provider.signature_verification_algorithms,
                tls.subject_alt_names.clone(),
            )));
        }
        let verifier =
            WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&self.provider))
                .build()
                .map_err(|error| ClientTlsError::Unsupported(error.to_string()))?;
        Ok(verifier)
    }
}

/// One that can't be read is left out, which only trusts less.
fn bundled(bundle: &[Vec<u8>]) -> Result<RootCertStore, ClientTlsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(bundle.iter().map(|der| CertificateDer::from(der.as_slice())));
    if roots.is_empty() { Err(ClientTlsError::NoRoots) } else { Ok(roots) }
}
