//! Certificates, with their private keys: whatever carries them is encrypted, whatever keeps them
//! is for its owner's eyes.

use super::check::invalid;
use super::key;
use super::{WireError, messages};
use crate::model::{Certificate, PartKind, PrivateKey};

pub(super) fn write(certificate: &Certificate) -> messages::Certificate {
    let Certificate { key, chain, private_key: PrivateKey(private_key) } = certificate;
    messages::Certificate {
        key: Some(key::write(key)),
        chain: chain.clone(),
        private_key: private_key.to_vec(),
    }
}

/// Whether key and chain belong together is seen where they are used, and costs that listener.
pub(super) fn read(certificate: messages::Certificate) -> Result<Certificate, WireError> {
    let messages::Certificate { key, chain, private_key } = certificate;
    if chain.is_empty() || private_key.is_empty() {
        return Err(invalid("certificate", "chain or key is empty"));
    }
    Ok(Certificate {
        key: key::read_of(key, PartKind::Certificate)?,
        chain,
        private_key: PrivateKey(private_key.into()),
    })
}
