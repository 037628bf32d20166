//! Controller and proxy over real sockets, with TLS.

use std::path::PathBuf;
use std::time::Duration;

use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use tempfile::TempDir;

use super::*;
use crate::controller::fixture::{backend, endpoints, key, listener, named, rule, scope};
use crate::controller::fleets::Fleets;
use crate::controller::proxies::Proxy;
use crate::model::{Part, PartKind};
use crate::snapshot::Changes;
use crate::source::remote::{self, Link, Remote, RemoteUpdate};

/// Longer than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(20);

async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    match timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

/// Takes `FLEET:POD` for a token.
#[derive(Clone)]
struct Words;

impl Authenticate for Words {
    async fn authenticate(&self, token: &str) -> Result<Admitted, Refused> {
        match token.split_once(':') {
            Some(("away", _)) => Err(Refused::Unavailable("nobody can tell".to_owned())),
            Some((fleet, pod)) => {
                let name = (!pod.is_empty()).then(|| format!("edge/{pod}").into());
                Ok(Admitted { scope: scope(fleet), name })
            }
            None => Err(Refused::Token("it is nobody's".to_owned())),
        }
    }
}

struct Controller {
    distribution: Arc<Distribution>,
    fleets: Fleets,
    generation: u64,
    port: u16,
    task: Option<tokio::task::JoinHandle<()>>,
    identity: Arc<ServerIdentity>,
    files: TempDir,
}

impl Controller {
    async fn start() -> Self {
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
    async fn serve(&mut self) {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(([127, 0, 0, 1], self.port).into()).unwrap();
        let listener = socket.listen(64).unwrap();
        self.port = listener.local_addr().unwrap().port();
        let (identity, distribution) = (self.identity.clone(), self.distribution.clone());
        let rng = fastrand::Rng::with_seed(7);
        self.task = Some(tokio::spawn(super::serve(listener, identity, distribution, Words, rng)));
    }

    /// Gone with all its connections and all it knows.
    async fn crash(&mut self) {
        let task = self.task.take().unwrap();
        task.abort();
        let _ = task.await;
        self.distribution = Arc::new(Distribution::new());
        self.fleets = Fleets::default();
    }

    fn publish(&mut self, upserted: Vec<Part>, removed: Vec<crate::model::PartKey>) {
        self.generation += 1;
        let changes = self.fleets.apply(&Changes { upserted, removed });
        self.distribution.publish(self.generation, &changes);
    }

    fn options(&self, token: &str) -> remote::Options {
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

    fn proxy(&self, token: &str) -> Remote {
        Remote::start(self.options(token), fastrand::Rng::with_seed(1))
    }

    async fn until(&self, what: &str, holds: impl Fn(&[Proxy]) -> bool) -> Vec<Proxy> {
        let mut watch = self.distribution.watch();
        within(what, async {
            loop {
                let proxies = self.distribution.proxies();
                if holds(&proxies) {
                    return proxies;
                }
                watch.changed().await.unwrap();
            }
        })
        .await
    }

    fn state(&self) -> PathBuf {
        self.files.path().join("state")
    }
}

async fn next(remote: &mut Remote) -> RemoteUpdate {
    within("a transaction", remote.next()).await
}

async fn served(remote: &mut Remote) -> RemoteUpdate {
    let update = next(remote).await;
    remote.acknowledge(update.transaction, Ok(()));
    update
}

async fn away(remote: &Remote) -> String {
    let mut link = remote.link();
    let says = |link: &Link| matches!(link, Link::Away(why) if !why.contains("not answered yet"));
    match within("the link to break", link.wait_for(says)).await.unwrap().clone() {
        Link::Away(why) => why.to_string(),
        Link::Connected => unreachable!(),
    }
}

fn names(update: &RemoteUpdate) -> Vec<String> {
    let mut names: Vec<_> =
        update.changes.upserted.iter().map(|part| named(part).to_string()).collect();
    names.sort();
    names
}

fn shop(count: u16) -> Vec<Part> {
    vec![
        listener("web", "one", &[]),
        rule("shop", &["web"], &["shop"], None),
        backend("shop", "shop", None),
        endpoints("shop", count),
    ]
}

#[tokio::test]
async fn a_proxy_gets_everything_then_what_changes() {
    let mut controller = Controller::start().await;
    controller.publish(shop(1), vec![]);
    let mut proxy = controller.proxy("one:pod-1");
    let first = served(&mut proxy).await;
    assert_eq!(names(&first), ["backend shop", "endpoints shop", "listener web", "rule shop"]);
    assert_eq!((first.generation, first.refused.len()), (Some(1), 0));
    controller.publish(vec![endpoints("shop", 2)], vec![]);
    let second = served(&mut proxy).await;
    assert_eq!(second.changes.upserted, [endpoints("shop", 2)], "one part and no other");
    controller.publish(vec![], vec![key(PartKind::Rule, "shop")]);
    let third = served(&mut proxy).await;
    assert_eq!(third.changes.removed.len(), 3, "{third:?}");
    assert!(third.changes.upserted.is_empty(), "{third:?}");
    let proxies =
        controller.until("the last word", |proxies| proxies[0].acknowledged == Some(3)).await;
    let [proxy] = proxies.as_slice() else { panic!("{proxies:?}") };
    assert_eq!((&*proxy.name, &proxy.scope), ("edge/pod-1", &scope("one")));
    assert_eq!((&*proxy.version, proxy.sent, &proxy.trouble), ("1.2.3", Some(3), &None));
    assert_eq!(controller.distribution.fleet(&scope("one")).behind().count(), 0);
}

#[tokio::test]
async fn a_proxy_that_comes_back_is_sent_what_it_missed() {
    let mut controller = Controller::start().await;
    controller.publish(shop(1), vec![]);
    let mut proxy = controller.proxy("one:pod-1");
    served(&mut proxy).await;
    controller.crash().await;
    let why = away(&proxy).await;
    assert!(why.contains(&format!("https://localhost:{}", controller.port)), "{why}");
    controller.serve().await;
    // Its index isn't read yet: nothing may be taken away.
    controller.until("the proxy", |proxies| !proxies.is_empty()).await;
    controller.generation = 40;
    controller.publish(shop(1), vec![]);
    let same = served(&mut proxy).await;
    assert_eq!((same.generation, names(&same)), (Some(41), vec![]), "nothing has changed");
    assert!(same.changes.removed.is_empty());
    controller.crash().await;
    away(&proxy).await;
    controller.publish(vec![listener("web", "one", &[]), listener("new", "one", &[])], vec![]);
    controller.serve().await;
    let missed = served(&mut proxy).await;
    assert_eq!(names(&missed), ["listener new"]);
    assert_eq!(missed.changes.removed.len(), 3, "{missed:?}");
}
