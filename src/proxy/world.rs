//! What the proxy believes, behind one pointer.
//!
//! The control thread publishes; workers read. A World is a Snapshot with what only the process
//! can make of it: TLS configurations. Old Worlds are freed on the control thread, which keeps
//! each until no worker needs it.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::identity::{Alpn, ClientTls, Clients, ServerTls, Servers};
use crate::model::{Backend, BackendProtocol, Cause, PartKey};
use crate::snapshot::{BackendEntry, Snapshot};

/// One state of the world, never changed.
pub struct World {
    pub snapshot: Arc<Snapshot>,
    servers: HashMap<PartKey, Result<Arc<ServerTls>, Cause>>,
    clients: HashMap<PartKey, Client>,
}

/// TLS towards a backend, with the part that it was made from.
struct Client {
    backend: Arc<Backend>,
    tls: Result<Arc<ClientTls>, Cause>,
}

impl World {
    fn empty() -> Self {
        Self {
            snapshot: Arc::new(Snapshot::empty()),
            servers: HashMap::new(),
            clients: HashMap::new(),
        }
    }

    /// TLS of a listener; a listener that has none is refused like one whose certificate is
    /// missing, never served in plain text.
    pub fn server_tls(&self, listener: &PartKey) -> Result<&Arc<ServerTls>, Cause> {
        match self.servers.get(listener) {
            Some(Ok(tls)) => Ok(tls),
            Some(Err(cause)) => Err(*cause),
            None => Err(Cause::CertificateMissing),
        }
    }

    /// TLS towards a backend, `None` where plain text is meant.
    pub fn client_tls(&self, backend: &Backend) -> Result<Option<Arc<ClientTls>>, Cause> {
        match &backend.tls {
            Err(cause) => Err(*cause),
            Ok(None) => Ok(None),
            Ok(Some(_)) => match self.clients.get(&backend.key) {
                Some(client) => client.tls.clone().map(Some),
                None => Err(Cause::BackendTlsInvalid),
            },
        }
    }

    /// Every listener's TLS that can be used, for the metric of certificates' ends.
    pub fn servers(&self) -> impl Iterator<Item = (&PartKey, &Arc<ServerTls>)> {
        self.servers.iter().filter_map(|(key, tls)| Some((key, tls.as_ref().ok()?)))
    }
}

/// The one writer.
pub struct Publisher {
    servers: Servers,
    clients: Clients,
    current: Arc<ArcSwap<World>>,
    /// Worlds that a worker may still hold: dropped here, not on the worker's time.
    old: Vec<Arc<World>>,
    generation: watch::Sender<u64>,
}

/// What every worker holds.
#[derive(Clone)]
pub struct Reader {
    current: Arc<ArcSwap<World>>,
    generation: watch::Receiver<u64>,
}

impl Publisher {
    pub fn new(clients: Clients) -> (Self, Reader) {
        let current = Arc::new(ArcSwap::from_pointee(World::empty()));
        let (generation, receiver) = watch::channel(0);
        let publisher = Self {
            servers: Servers::new(),
            clients,
            current: Arc::clone(&current),
            old: Vec::new(),
            generation,
        };
        (publisher, Reader { current, generation: receiver })
    }

    pub fn current(&self) -> Arc<World> {
        self.current.load_full()
    }

    /// Makes the Snapshot what every request from now on is decided by.
    pub fn publish(&mut self, snapshot: Arc<Snapshot>) {
        let former = self.current.load_full();
        let generation = snapshot.generation;
        let servers = self.build_servers(&snapshot);
        let clients = self.build_clients(&snapshot, &former);
        self.current.store(Arc::new(World { snapshot, servers, clients }));
        self.generation.send_replace(generation);
        self.old.push(former);
        self.old.retain(|world| Arc::strong_count(world) > 1);
    }

    fn build_servers(
        &mut self,
        snapshot: &Snapshot,
    ) -> HashMap<PartKey, Result<Arc<ServerTls>, Cause>> {
        let mut built = HashMap::new();
        for port in snapshot.ports() {
            for table in port.listeners() {
                let listener = &table.listener;
                let tls =
                    self.servers.build(listener, |key| snapshot.certificate(key).map(Arc::clone));
                if let Some(tls) = tls.transpose() {
                    built.insert(listener.key.clone(), tls);
                }
            }
        }
        self.servers.retain(|key| snapshot.listener(key).is_some());
        built
    }

    fn build_clients(&mut self, snapshot: &Snapshot, former: &World) -> HashMap<PartKey, Client> {
        let mut built = HashMap::new();
        for BackendEntry { backend, .. } in snapshot.backends() {
            let Ok(Some(tls)) = &backend.tls else { continue };
            let unchanged = former
                .clients
                .get(&backend.key)
                .filter(|client| Arc::ptr_eq(&client.backend, backend) && tls.identity.is_none());
            let made = match unchanged {
                Some(client) => client.tls.clone(),
                None => {
                    let alpn = match backend.protocol {
                        BackendProtocol::Http => Alpn::Any,
                        BackendProtocol::H2c => Alpn::H2,
                        BackendProtocol::WebSocket => Alpn::Http1,
                    };
                    self.clients
                        .build(tls, alpn, |key| snapshot.certificate(key).map(Arc::clone))
                        .map_err(|error| {
                            tracing::warn!(backend = %backend.key, %error, "no TLS to the backend");
                            error.cause()
                        })
                }
            };
            let client = Client { backend: Arc::clone(backend), tls: made };
            built.insert(backend.key.clone(), client);
        }
        built
    }
}

impl Reader {
    pub fn current(&self) -> Arc<World> {
        self.current.load_full()
    }

    /// Waits for the next World; an error when there will be none.
    pub async fn changed(&mut self) -> Result<(), watch::error::RecvError> {
        self.generation.changed().await
    }
}
