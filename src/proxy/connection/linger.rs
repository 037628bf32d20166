//! The end of a connection whose peer shall read what was written last.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::limits;

/// Says that nothing more comes, and takes for a moment what the peer still sends: closing on
/// unread bytes sends a reset that can overtake the last words (RFC 9112 §9.6). The moment is the
/// caller's, [`limits::LINGER`].
pub(super) async fn shut(io: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    if io.shutdown().await.is_err() {
        return;
    }
    let mut discarded = 0;
    let mut buffer = [0; 2048];
    while discarded < limits::DISCARD_BYTES {
        match io.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => discarded += read,
        }
    }
}
