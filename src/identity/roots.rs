//! The machine's own trust store, for `wellKnownCACertificates: System`.
//!
//! The store is the bundle file that the distribution keeps. No list of roots is compiled in: one
//! that ages inside a binary trusts whom the machine's owner has long removed. A container
//! without a store gets an error that says what to mount.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::limits;

/// Where distributions keep the bundle: Debian and Alpine, Fedora and RHEL, openSUSE, Alpine's
/// link, RHEL's extracted store.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

/// The machine's roots, read when the first backend asks for them. A failure is not kept: the
/// store may be mounted later.
#[derive(Debug)]
pub struct SystemRoots {
    bundles: Vec<PathBuf>,
    loaded: Option<Arc<RootCertStore>>,
}

/// Why there is no trust store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SystemRootsError {
    NoBundle { looked_at: Vec<PathBuf> },
    Unreadable { path: PathBuf, reason: String },
    Empty { path: PathBuf },
}

impl fmt::Display for SystemRootsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBundle { looked_at } => {
                f.write_str("this machine has no bundle of CA certificates; install the package ca-certificates, or mount a bundle at one of")?;
                for path in looked_at {
                    write!(f, " {}", path.display())?;
                }
                Ok(())
            }
            Self::Unreadable { path, reason } => {
                write!(f, "the CA bundle {} cannot be read: {reason}", path.display())
            }
            Self::Empty { path } => {
                write!(f, "the CA bundle {} holds no certificate that can be used", path.display())
            }
        }
    }
}

impl SystemRoots {
    /// The places that distributions use.
    pub fn standard() -> Self {
        Self { bundles: BUNDLES.iter().map(PathBuf::from).collect(), loaded: None }
    }

    /// Exactly this bundle (`SSL_CERT_FILE`, which `cmd/` reads).
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { bundles: vec![path.into()], loaded: None }
    }

    /// Reads the bundle again at the next question: after a reload by hand.
    pub fn forget(&mut self) {
        self.loaded = None;
    }

    pub(super) fn load(&mut self) -> Result<Arc<RootCertStore>, SystemRootsError> {
        if let Some(roots) = &self.loaded {
            return Ok(Arc::clone(roots));
        }
        let Some(path) = self.bundles.iter().find(|path| path.is_file()) else {
            return Err(SystemRootsError::NoBundle { looked_at: self.bundles.clone() });
        };
        let roots = Arc::new(read(path)?);
        self.loaded = Some(Arc::clone(&roots));
        Ok(roots)
    }
}

/// Old stores hold certificates that webpki can't read: they are passed over.
fn read(path: &Path) -> Result<RootCertStore, SystemRootsError> {
    let unreadable =
        |reason: String| SystemRootsError::Unreadable { path: path.to_owned(), reason };
    let length = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if length > limits::CONFIG_FILE_BYTES {
        return Err(unreadable(format!("it is larger than {} bytes", limits::CONFIG_FILE_BYTES)));
    }
    let pem = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok));
    if roots.is_empty() {
        return Err(SystemRootsError::Empty { path: path.to_owned() });
    }
    Ok(roots)
}
