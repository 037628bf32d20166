//! A controller that runs, and what a test asks of a proxy.

use std::path::PathBuf;
use std::time::Duration;

use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use tempfile::TempDir;

use super::super::*;
use crate::controller::fixture::{named, scope};
use crate::controller::fleets::Fleets;
use crate::controller::proxies::Proxy;
use crate::model::{Part, PartKey};
use crate::snapshot::Changes;
use crate::source::remote::{self, Link, Remote, RemoteUpdate};

/// Longer than anything takes that works.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    match timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

/// Takes `FLEET:POD` for a token, and `replica:NAME`.
#[derive(Clone)]
pub(super) struct Words;

impl Authenticate for Words {
    async fn authenticate(&self, token: &str) -> Result<Admitted, Refused> {
        match token.split_once(':') {
            Some(("away", _)) => Err(Refused::Unavailable("nobody can tell".to_owned())),
            Some(("replica", name)) => Ok(Admitted::Replica { name: name.into() }),
            Some((fleet, pod)) => {
                let name = (!pod.is_empty()).then(|| format!("edge/{pod}").into());
                Ok(Admitted::Proxy { scope: scope(fleet), name })
            }
            None => Err(Refused::Token("it is nobody's".to_owned())),
        }
    }
}

pub(super) struct Controller {
    pub(super) distribution: Arc<Distribution>,
    pub(super) fleets: Fleets,
    pub(super) generation: u64,
    pub(super) port: u16,
    task: Option<tokio::task::JoinHandle<()>>,
    identity: Arc<ServerIdentity>,
    pub(super) files: TempDir,
}

impl Controller {
    pub(super) async fn start() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::DnsName("localhost".try_into().unwrap())];
        let pair = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&pair, &issuer).unwrap();
        let pem = (leaf.pem(), pair.serialize_pem());
        let identity = ServerIdentity::from_pem(pem.0.as_bytes(), pem.1.as_bytes()).unwrap();
        let files = TempDir::new().unwrap();
        std::fs::write(files.path().join("ca"), issuer.pem()).unwrap();
        let mut controller = Self {
            distribution: Arc::new(Distribution::new()),
            fleets: Fleets::default(),
            generation: 0,
            port: 0,
            task: None,
            identity: Arc::new(identity),
            files,
        };
        controller.serve().await;
        controller
    }

    /// On the same port as before.
    pub(super) async fn serve(&mut self) {
        self.serve_within(Times { hello: PATIENCE, age: PATIENCE }).await;
    }

    pub(super) async fn serve_within(&mut self, times: Times) {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(([127, 0, 0, 1], self.port).into()).unwrap();
        let listener = socket.listen(64).unwrap();
        self.port = listener.local_addr().unwrap().port();
        let (identity, distribution) = (self.identity.clone(), self.distribution.clone());
        let rng = fastrand::Rng::with_seed(7);
        self.task =
            Some(tokio::spawn(serve_within(times, listener, identity, distribution, Words, rng)));
    }

    /// Gone with all its connections and all it knows.
    pub(super) async fn crash(&mut self) {
        let task = self.task.take().unwrap();
        task.abort();
        let _ = task.await;
        self.distribution = Arc::new(Distribution::new());
        self.fleets = Fleets::default();
    }

    pub(super) fn publish(&mut self, upserted: Vec<Part>, removed: Vec<PartKey>) {
        self.generation += 1;
        let changes = self.fleets.apply(&Changes { upserted, removed });
        self.distribution.publish(self.generation, &changes);
    }

    pub(super) fn options(&self, token: &str) -> remote::Options {
        let path = |name: &str| self.files.path().join(name);
        let token_file = path(&format!("token {token}"));
        std::fs::write(&token_file, format!("{token}\n")).unwrap();
        remote::Options {
            url: format!("https://localhost:{}", self.port),
            ca: path("ca"),
            token: token_file,
            node: remote::Node {
                namespace: "claimed".into(),
                name: "pod".into(),
                version: "1.2.3".into(),
            },
            state: None,
        }
    }

    pub(super) fn proxy(&self, token: &str) -> Remote {
        Remote::start(self.options(token), fastrand::Rng::with_seed(1))
    }

    /// All that are connected, by fleet and name.
    pub(super) fn proxies(&self) -> Vec<Proxy> {
        self.distribution.proxies()
    }

    pub(super) async fn until(&self, what: &str, holds: impl Fn(&[Proxy]) -> bool) -> Vec<Proxy> {
        let mut watch = self.distribution.watch();
        within(what, async {
            loop {
                let proxies = self.proxies();
                if holds(&proxies) {
                    return proxies;
                }
                watch.changed().await.unwrap();
            }
        })
        .await
    }

    pub(super) fn state(&self) -> PathBuf {
        self.files.path().join("state")
    }
}

pub(super) async fn next(remote: &mut Remote) -> RemoteUpdate {
    within("a transaction", remote.next()).await
}

pub(super) async fn served(remote: &mut Remote) -> RemoteUpdate {
    let update = next(remote).await;
    remote.acknowledge(update.transaction, Ok(()));
    update
}

pub(super) async fn away(remote: &Remote) -> String {
    let mut link = remote.link();
    let says = |link: &Link| matches!(link, Link::Away(why) if !why.contains("not answered yet"));
    match within("the link to break", link.wait_for(says)).await.unwrap().clone() {
        Link::Away(why) => why.to_string(),
        Link::Connected => unreachable!(),
    }
}

pub(super) fn names(update: &RemoteUpdate) -> Vec<String> {
    let mut names: Vec<_> =
        update.changes.upserted.iter().map(|part| named(part).to_string()).collect();
    names.sort();
    names
}
