//! Taking over from another process, and being taken over from.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::StartError;
use crate::names;
use crate::proxy::control::Existing;
use crate::proxy::takeover::{self, Handover, Offer, TakeoverDoor};

pub(super) async fn take_over(
    from: Option<&Path>,
    observe: Option<SocketAddr>,
) -> Result<(Option<Handover>, Vec<takeover::Listening>), StartError> {
    let Some(path) = from else { return Ok((None, Vec::new())) };
    let failed = |error| StartError::Takeover { path: path.to_owned(), error };
    let mut handover = takeover::request(path, observe).await.map_err(failed)?;
    let sockets = std::mem::take(&mut handover.sockets);
    tracing::info!(pid = handover.pid, sockets = sockets.len(), "taking over");
    Ok((Some(handover), sockets))
}

/// Stands beside the control socket.
pub fn takeover_path(control: &Path) -> PathBuf {
    let mut path = control.as_os_str().to_owned();
    path.push(names::TAKEOVER_SOCKET_SUFFIX);
    path.into()
}

/// Nothing panics while it holds this; if it did, the sockets would still be right.
pub(super) fn lock(offer: &Mutex<Offer>) -> MutexGuard<'_, Offer> {
    offer.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn open_takeover(
    control: &Path,
    existing: Existing,
) -> Result<TakeoverDoor, StartError> {
    let path = takeover_path(control);
    TakeoverDoor::bind(&path, existing).map_err(|error| StartError::Control { path, error })
}
