//! The observation door's way from one process to the next: whoever asks finds it open.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::board::Board;
use super::{Offer, lock};
use crate::limits;
use crate::telemetry::door::ObservationDoor;

/// The door as long as this process has it.
pub(super) struct Observation {
    pub(super) at: SocketAddr,
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Where the door's socket comes from.
pub(super) enum From {
    /// The process that is taken over gave it.
    Given(TcpListener),
    /// It gave none: it may be older than that, and have the address until it has drained.
    Former(SocketAddr),
    Nobody(SocketAddr),
}

impl Observation {
    /// Opens the door, and offers its socket to the next process.
    pub(super) async fn open(
        from: From,
        board: Arc<Board>,
        offer: Arc<std::sync::Mutex<Offer>>,
    ) -> io::Result<Self> {
        let (end, ended) = oneshot::channel();
        let ended = async move {
            let _ = ended.await;
        };
        let (opened, later) = match from {
            From::Given(listener) => (ObservationDoor::on(listener, Vec::new()), None),
            From::Former(at) => (ObservationDoor::bind(at, Vec::new()).await, Some(at)),
            From::Nobody(at) => (ObservationDoor::bind(at, Vec::new()).await, None),
        };
        let (at, task) = match (opened, later) {
            (Ok(door), _) => {
                let at = door.local_addr()?;
                lock(&offer).door = Some(door.socket()?);
                (at, tokio::spawn(door.serve(board, ended)))
            }
            (Err(error), Some(at)) if error.kind() == io::ErrorKind::AddrInUse => {
                tracing::warn!("the former proxy shows its own metrics on {at} until it has ended");
                (at, tokio::spawn(open_later(at, board, offer, ended)))
            }
            (Err(error), _) => return Err(error),
        };
        Ok(Self { at, end, task })
    }

    /// Accepts no more, for another process does.
    pub(super) fn hand_on(self) -> JoinHandle<()> {
        let _ = self.end.send(());
        self.task
    }

    pub(super) fn close(self) {
        self.task.abort();
    }
}

async fn open_later(
    at: SocketAddr,
    board: Arc<Board>,
    offer: Arc<std::sync::Mutex<Offer>>,
    ended: impl Future<Output = ()>,
) {
    let free = async {
        loop {
            match ObservationDoor::bind(at, Vec::new()).await {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    sleep(limits::TAKEOVER_DOOR_LOOK).await;
                }
                other => return other,
            }
        }
    };
    let opened = timeout(limits::TAKEOVER_DOOR_TIMEOUT, free).await;
    let opened = opened.unwrap_or_else(|_| Err(io::ErrorKind::AddrInUse.into()));
    match opened.and_then(|door| Ok((door.socket()?, door))) {
        Ok((socket, door)) => {
            tracing::info!("metrics are shown on {at}");
            lock(&offer).door = Some(socket);
            door.serve(board, ended).await;
        }
        Err(error) => tracing::error!("metrics can't be shown on {at}: {error}"),
    }
}
