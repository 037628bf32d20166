//! The controller's certificate, which may be renewed while it serves.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// What the controller proves itself with.
pub struct ServerIdentity {
    config: ArcSwap<ServerConfig>,
}

/// Why a certificate and key can't be used.
#[derive(Debug)]
pub enum ServerIdentityError {
    Chain(rustls_pki_types::pem::Error),
    Key(rustls_pki_types::pem::Error),
    /// They don't belong together, or are of a kind that isn't served.
    Pair(rustls::Error),
}

impl fmt::Display for ServerIdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain(error) => write!(f, "the certificate is no PEM: {error}"),
            Self::Key(error) => write!(f, "the key is no PEM: {error}"),
            Self::Pair(error) => write!(f, "the certificate and its key can't be used: {error}"),
        }
    }
}

impl std::error::Error for ServerIdentityError {}

impl ServerIdentity {
    /// `chain` has the leaf first.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, ServerIdentityError> {
        Ok(Self { config: ArcSwap::from(read(chain, key)?) })
    }

    /// For connections from now on.
    pub fn renew(&self, chain: &[u8], key: &[u8]) -> Result<(), ServerIdentityError> {
        self.config.store(read(chain, key)?);
        Ok(())
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        self.config.load_full()
    }
}

impl fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerIdentity").finish_non_exhaustive()
    }
}

fn read(chain: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, ServerIdentityError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
    let chain = chain.map_err(ServerIdentityError::Chain)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(ServerIdentityError::Key)?;
    let provider = CryptoProvider::get_default().cloned();
    let provider = provider.unwrap_or_else(|| aws_lc_rs::default_provider().into());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(ServerIdentityError::Pair)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(ServerIdentityError::Pair)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}
