//! Which of a listener's certificates a client gets.

use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::leaf::{Leaf, LeafError};
use super::{Sni, sni_host};

/// A certificate with its parsed key and the names that it is for.
#[derive(Debug)]
pub(super) struct Certified {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) leaf: Leaf,
}

impl Certified {
    pub(super) fn new(key: CertifiedKey) -> Result<Self, LeafError> {
        let der = key.cert.first().ok_or(LeafError::NotDer)?;
        let leaf = Leaf::read(der)?;
        Ok(Self { key: Arc::new(key), leaf })
    }

    fn fit(&self, host: &str) -> Fit {
        let parent = host.split_once('.').map(|(_, parent)| parent);
        let mut fit = Fit::Other;
        for name in &self.leaf.dns_names {
            match name.strip_prefix("*.") {
                None if name == host => return Fit::Exact,
                // RFC 9525 §6.3: a wildcard stands for exactly one label.
                Some(suffix) if Some(suffix) == parent => fit = Fit::Wildcard,
                _ => {}
            }
        }
        fit
    }
}

/// Better fits are smaller.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Exact,
    Wildcard,
    Other,
}

/// Chooses by name, then by what the client can verify, then by the order of the list. A client
/// whose name no certificate carries gets the first: it will complain in words that the user
/// knows, where a refused handshake would say nothing.
#[derive(Debug)]
pub(super) struct Choice {
    certificates: Vec<Arc<Certified>>,
}

impl Choice {
    /// `certificates` is not empty.
    pub(super) fn new(certificates: Vec<Arc<Certified>>) -> Self {
        Self { certificates }
    }

    pub(super) fn leaves(&self) -> impl Iterator<Item = &Leaf> {
        self.certificates.iter().map(|certified| &certified.leaf)
    }
}

impl ResolvesServerCert for Choice {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let sni = sni_host(hello.server_name());
        let host = match &sni {
            Sni::Host(host) => Some(host.as_ref()),
            Sni::Absent => None,
            Sni::Invalid => return None,
        };
        let rank = |certified: &&Arc<Certified>| {
            let fit = host.map_or(Fit::Other, |host| certified.fit(host));
            let verifiable = certified.key.key.choose_scheme(hello.signature_schemes()).is_some();
            // A certificate that the client can't verify ends the handshake: any other is better.
            (!verifiable, fit)
        };
        // `min_by_key` keeps the first of equals.
        self.certificates.iter().min_by_key(rank).map(|certified| Arc::clone(&certified.key))
    }
}
