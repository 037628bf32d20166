//! The signals that end what serves: a second one is heard like the first.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

pub struct Stop {
    /// Ctrl-C, a service manager, a terminal that was closed.
    signals: [Signal; 3],
}

impl Stop {
    pub fn new() -> io::Result<Self> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [first, second, third] = kinds.map(signal);
        Ok(Self { signals: [first?, second?, third?] })
    }

    pub async fn wait(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
