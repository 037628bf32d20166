//! TLS: who we are, whom we believe, and how a refused handshake reads in words.
//!
//! Everything is built on the control thread from parts ([`Servers`] for listeners, [`Clients`]
//! for backends) and handed to workers as shared, immutable configurations. This module must not
//! know sockets, tokio, snapshots or routes: the proxy drives the handshakes.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::time_provider::TimeProvider;
use rustls_pki_types::UnixTime;

mod choice;
mod client_auth;
mod clients;
mod leaf;
mod reason;
mod roots;
mod server_names;
mod servers;
mod sni;
mod ticketer;

pub use clients::{Alpn, ClientTls, ClientTlsError, Clients};
pub use leaf::{Leaf, LeafError, PeerCertificate};
pub use reason::{Failure, Side, failure};
pub use roots::{SystemRoots, SystemRootsError};
pub use servers::{ServerTls, Servers};
pub use sni::{Sni, sni_host};

/// Makes aws-lc-rs the process's provider. To be called once, first thing; calling it again, or
/// after somebody else installed one, changes nothing.
pub fn install_provider() {
    // The error is the provider that is there already: configurations here name theirs anyway.
    drop(aws_lc_rs::default_provider().install_default());
}

fn provider() -> Arc<CryptoProvider> {
    CryptoProvider::get_default().cloned().unwrap_or_else(|| aws_lc_rs::default_provider().into())
}

/// rustls' questions for the time go through the one door, too.
#[derive(Debug)]
struct WallClock;

impl TimeProvider for WallClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(crate::clock::since_epoch()))
    }
}

#[cfg(test)]
mod tests;
