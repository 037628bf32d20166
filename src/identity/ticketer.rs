//! Session tickets of a bearable size.

use std::sync::Arc;

use rustls::Error;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::ProducesTickets;

use crate::limits;

/// rustls' rotating ticketer (new keys every 6 hours, each accepted for 6 hours more), with a
/// bound: a ticket holds the client's whole chain, which the client may have padded with 60 KiB of
/// certificates that nobody looks at. Such a client resumes nothing.
#[derive(Debug)]
pub(super) struct BoundedTickets(Arc<dyn ProducesTickets>);

impl BoundedTickets {
    /// # Errors
    /// The system gave no randomness.
    pub(super) fn new() -> Result<Self, Error> {
        Ticketer::new().map(Self)
    }
}

impl ProducesTickets for BoundedTickets {
    fn enabled(&self) -> bool {
        self.0.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.0.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        if plain.len() > limits::TLS_TICKET_BYTES { None } else { self.0.encrypt(plain) }
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.0.decrypt(cipher)
    }
}
