//! A proxy in this process, told what to serve by YAML text.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use meshctl::clock;
use meshctl::config::decode::{self, Decoded};
use meshctl::config::flags;
use meshctl::config::index::{Content, Index};
use meshctl::config::lower::Lowering;
use meshctl::config::{Diagnostic, Severity};
use meshctl::model::{Address, BindAddress, Part, Store};
use meshctl::proxy::drain::Drain;
use meshctl::proxy::process::{Options, Proxy};
use meshctl::proxy::takeover::Listening;
use meshctl::snapshot::{Changes, Snapshot};
use meshctl::source::Resolver;
use meshctl::telemetry::access_log::{AccessLog, Sink};
use meshctl::telemetry::{Family, Registry, SampleValue};
use meshctl::yaml;

use super::until;

/// The ports that a test's YAML may name. Each stands for a free one of this machine.
const PORTS: [u16; 4] = [80, 81, 443, 8443];

/// A running proxy. Dropping it ends it.
pub struct Mesh {
    proxy: Option<Proxy>,
    index: Index,
    lowering: Lowering,
    snapshot: Arc<Snapshot>,
    moved: BTreeMap<u16, u16>,
}

/// How a proxy is started.
pub struct Start {
    yaml: String,
    workers: usize,
    log: Option<PathBuf>,
    ip: IpAddr,
}

/// A proxy that serves what `yaml` says, with two workers.
pub fn mesh(yaml: &str) -> Mesh {
    Mesh::of(yaml).start()
}

impl Start {
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// Writes the access log there.
    pub fn log(mut self, path: PathBuf) -> Self {
        self.log = Some(path);
        self
    }

    /// Listens on both families, as a process does that is told no address.
    pub fn dual_stack(mut self) -> Self {
        self.ip = Ipv6Addr::UNSPECIFIED.into();
        self
    }

    pub fn start(self) -> Mesh {
        // Held from now on, so no other test and no client's own port can take them.
        let sockets: Vec<(u16, TcpListener)> =
            PORTS.map(|port| (port, TcpListener::bind((self.ip, 0)).unwrap())).into();
        let moved =
            |(port, socket): &(u16, TcpListener)| (*port, socket.local_addr().unwrap().port());
        let moved: BTreeMap<u16, u16> = sockets.iter().map(moved).collect();
        let inherited = sockets
            .into_iter()
            .map(|(port, socket)| Listening {
                bind: BindAddress { ip: None, port: moved[&port] },
                socket: socket.into(),
            })
            .collect();
        let metrics = Registry::new();
        let dropped = metrics.counter(Family::LogLinesDropped, &[]);
        let access_log = self.log.map(|path| AccessLog::start(Sink::File(path), dropped).unwrap());
        let proxy = Proxy::start(Options {
            workers: NonZeroUsize::new(self.workers).unwrap(),
            access_log,
            metrics,
            inherited,
            passed: Vec::new(),
            drain: Drain::new(),
        })
        .unwrap();
        let options = flags::Options { port_moves: moved.clone(), ..flags::Options::default() };
        let mut mesh = Mesh {
            proxy: Some(proxy),
            index: Index::new(),
            lowering: Lowering::new(options),
            snapshot: Arc::new(Snapshot::empty()),
            moved,
        };
        mesh.publish(&self.yaml);
        mesh
    }
}

impl Mesh {
    pub fn of(yaml: &str) -> Start {
        Start { yaml: yaml.to_owned(), workers: 2, log: None, ip: Ipv4Addr::LOCALHOST.into() }
    }

    /// What it decides by.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Where the listener with this port of the YAML is.
    pub fn port(&self, port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.moved[&port]))
    }

    /// Serves `yaml` instead; over once every worker does.
    pub async fn apply(&mut self, yaml: &str) {
        self.publish(yaml);
        until("the workers to serve it", || self.serves_newest()).await;
    }

    /// Whether every worker serves what was published last.
    pub fn serves_newest(&self) -> bool {
        self.proxy.as_ref().unwrap().served() >= self.snapshot.generation
    }

    fn publish(&mut self, yaml: &str) {
        let diagnostics = self.take(yaml);
        let errors: Vec<_> =
            diagnostics.iter().filter(|one| one.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }

    /// Serves `yaml`, mistakes and all, and says which there are.
    pub fn take(&mut self, yaml: &str) -> Vec<Diagnostic> {
        let file: Arc<str> = "test.yaml".into();
        let mut found = Vec::new();
        let mut contents = Vec::new();
        for document in yaml::documents(yaml) {
            for decoded in decode::read(&document, &file, Store::Files, &mut found).flatten() {
                match decoded {
                    Decoded::Object(object) => contents.push(Content::Good((*object).into())),
                    Decoded::Broken(Some(key)) => contents.push(Content::Broken(key)),
                    _ => {}
                }
            }
        }
        self.index.replace(&file, contents, found);
        let now = clock::since_epoch().as_secs().cast_signed();
        let lowered = self.lowering.commit(&mut self.index, now);
        self.snapshot = Arc::new(self.snapshot.apply(&resolved(lowered.changes)));
        let refused = self.proxy.as_mut().unwrap().publish(Arc::clone(&self.snapshot));
        assert!(refused.is_empty(), "{refused:?}");
        lowered.diagnostics
    }

    /// The sum of a metric's values whose labels hold all of `labels`, such as `code="200"`.
    pub fn metric(&self, family: Family, labels: &[&str]) -> i64 {
        let registry = self.proxy.as_ref().unwrap().metrics();
        let collected = registry.collect(clock::now());
        let samples = collected.iter().filter(|one| one.family == family);
        let matching = samples
            .flat_map(|one| &one.samples)
            .filter(|sample| labels.iter().all(|label| sample.labels.contains(label)));
        matching.map(|sample| number(&sample.value)).sum()
    }

    pub fn connections(&self) -> usize {
        self.proxy.as_ref().unwrap().connections()
    }

    /// What SIGTERM does, with this much time.
    pub fn drain(&mut self, within: Duration) {
        self.proxy.as_mut().unwrap().drain(clock::now() + within);
    }

    /// Ends it at once, with a complete log.
    pub async fn stop(mut self) {
        self.drain(Duration::ZERO);
        self.join().await;
    }

    /// What a process does after draining: waits for its workers.
    pub async fn join(mut self) {
        let proxy = self.proxy.take().unwrap();
        let joined = tokio::task::spawn_blocking(move || proxy.join());
        super::within("the workers to end", joined).await.unwrap();
    }

    /// What a process does about once a second.
    pub fn tick(&self) {
        self.proxy.as_ref().unwrap().tick(clock::now());
    }
}

/// The same changes without names. What is named here stands in /etc/hosts, so asking once is all.
fn resolved(changes: Changes) -> Changes {
    let is_name = |part: &Part| match part {
        Part::EndpointSet(set) => {
            set.endpoints.iter().any(|one| matches!(one.address, Address::Dns { .. }))
        }
        _ => false,
    };
    if !changes.upserted.iter().any(is_name) {
        return changes;
    }
    // A thread of its own, because tests publish from within a runtime.
    let resolve = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut resolver = Resolver::system(fastrand::Rng::new());
        runtime.block_on(resolver.resolve(changes))
    };
    std::thread::spawn(resolve).join().unwrap()
}

impl Drop for Mesh {
    fn drop(&mut self) {
        if let Some(mut proxy) = self.proxy.take() {
            proxy.drain(clock::now());
            proxy.join();
        }
    }
}

fn number(value: &SampleValue) -> i64 {
    match value {
        SampleValue::Count(count) => count.cast_signed(),
        SampleValue::Level(level) => *level,
        SampleValue::Seconds(seconds) => *seconds as i64,
        SampleValue::Histogram { buckets, .. } => buckets.iter().sum::<u64>().cast_signed(),
    }
}
