//! A part: the unit of lowering, of the wire, of carry-over and of `explain`.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3Default;

use super::{Backend, EndpointSet, Listener, PartKey, Rule};

/// A keyed piece of the mesh. Cloning shares.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    Listener(Arc<Listener>),
    Rule(Arc<Rule>),
    Backend(Arc<Backend>),
    EndpointSet(Arc<EndpointSet>),
    Certificate(Arc<Certificate>),
}

impl Part {
    pub fn key(&self) -> &PartKey {
        match self {
            Self::Listener(part) => &part.key,
            Self::Rule(part) => &part.key,
            Self::Backend(part) => &part.key,
            Self::EndpointSet(part) => &part.key,
            Self::Certificate(part) => &part.key,
        }
    }

    pub fn hash(&self) -> PartHash {
        PartHash::of(self)
    }
}

/// XXH3-128 over what the part says. Equal hashes mean "nothing to do", so 128 bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartHash(u128);

impl PartHash {
    pub fn of(value: &impl Hash) -> Self {
        let mut hasher = Xxh3Default::new();
        value.hash(&mut hasher);
        Self(hasher.digest128())
    }
}

impl fmt::Debug for PartHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for PartHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", (self.0 >> 64) as u64)
    }
}

/// A certificate with its key, from a Secret: they belong together, lowering has checked it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Certificate {
    pub key: PartKey,
    /// DER, leaf first.
    pub chain: Vec<Vec<u8>>,
    pub private_key: PrivateKey,
}

/// DER bytes of a private key (PKCS#8, PKCS#1 or SEC1). Never printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PrivateKey(pub Arc<[u8]>);

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(masked)")
    }
}
