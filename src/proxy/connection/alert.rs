//! Handshakes that are refused before there is anything to shake hands with: the client is told
//! by an alert, the operator now and then by a line.

use std::cell::Cell;

use rustls::AlertDescription;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::linger;
use crate::clock::{self, Instant};
use crate::limits;
use crate::model::{BindAddress, Cause};
use crate::proxy::codec::io::Socket;

/// What a client is told. Why a listener has no certificate is nobody's business but ours.
pub(super) fn description(cause: Cause, server_name: Option<&str>) -> AlertDescription {
    match (cause, server_name) {
        // RFC 6066 §3.
        (Cause::ListenerNotFound, Some(_)) => AlertDescription::UnrecognisedName,
        // RFC 8446 §9.2.
        (Cause::ListenerNotFound, None) => AlertDescription::MissingExtension,
        _ => AlertDescription::InternalError,
    }
}

/// Says no in a plaintext record (RFC 8446 §5.1), as long before the ServerHello no other can be
/// sent, and closes so that the client reads it.
pub(super) async fn refuse(mut socket: Socket, description: AlertDescription) {
    // Alert, TLS 1.2 as all say there, two bytes: fatal, and what.
    let record = [21, 3, 3, 0, 2, 2, description.into()];
    let work = async {
        if socket.write_all(&record).await.is_ok() {
            // Early data, say, that nobody reads.
            linger::shut(&mut socket).await;
        }
    };
    let _ = timeout(limits::LINGER, Box::pin(work)).await;
}

/// Clients decide how often this happens, so that of many refusals one is told.
#[derive(Default)]
pub struct Refusals {
    next: Cell<Option<Instant>>,
    unsaid: Cell<u64>,
}

impl Refusals {
    pub(super) fn tell(&self, listen: BindAddress, cause: Cause, server_name: Option<&str>) {
        let Some(more) = self.due(clock::now()) else { return };
        let server_name = server_name.unwrap_or("(none)");
        tracing::warn!(%listen, server_name, %cause, more, "handshake refused");
    }

    /// How many went untold since the last line, where it is time for the next.
    fn due(&self, now: Instant) -> Option<u64> {
        if self.next.get().is_some_and(|next| now < next) {
            self.unsaid.set(self.unsaid.get() + 1);
            return None;
        }
        self.next.set(Some(now + limits::REFUSAL_LOG));
        Some(self.unsaid.take())
    }
}

#[cfg(test)]
mod tests;
