//! A proxy process that serves what a controller says, as in a pod: before the controller is
//! there, while it is, after it has gone, and after a restart without it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use meshctl::config::decode::{self, Decoded};
use meshctl::config::flags;
use meshctl::config::index::{Content, Index};
use meshctl::config::lower::Lowering;
use meshctl::controller::fleets::Fleets;
use meshctl::controller::proxies::Proxy;
use meshctl::controller::xds::{self, Admitted, Authenticate, Distribution, Refused};
use meshctl::model::{Scope, Store};
use meshctl::yaml;

use super::MESHCTL;
use super::support::authority::Authority;
use super::support::client::{self, Client};
use super::support::ports::free_addresses;
use super::support::{server, within};

/// All that are connected.
fn proxies(distribution: &Distribution) -> Vec<Proxy> {
    distribution.fleets().into_iter().flat_map(|fleet| fleet.proxies).collect()
}

struct Pod(Child);

impl Drop for Pod {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(root: &Path, controller: SocketAddr, observe: SocketAddr) -> Pod {
    let child = Command::new(MESHCTL)
        .current_dir(root)
        .env_clear()
        .env("MESHCTL_RUN_DIR", root.join("run"))
        .env("POD_NAME", "web-1")
        .env("POD_NAMESPACE", "shop")
        .args(["proxy", "run", "--workers", "2"])
        .args(["--controller", &format!("https://localhost:{}", controller.port())])
        .args(["--controller-ca", "ca.crt", "--token", "token", "--state", "state"])
        .args(["--observe", &observe.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Pod(child)
}

/// Whether the proxy says that it is connected, once it says so.
async fn connected(observe: SocketAddr, expected: bool) {
    let line = format!("meshctl_controller_connected {}\n", i32::from(expected));
    within(&line, async {
        while !client::get(observe, "localhost", "/metrics").await.text().contains(&line) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

/// What `/ready` says, once it is this.
async fn ready(observe: SocketAddr, status: u16) -> String {
    let what = format!("/ready to answer {status}");
    within(&what, async {
        loop {
            if tokio::net::TcpStream::connect(observe).await.is_ok() {
                let response = client::get(observe, "localhost", "/ready").await;
                if response.status == status {
                    return response.text();
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
}

struct OnlyOne;

impl Authenticate for OnlyOne {
    async fn authenticate(&self, token: &str) -> Result<Admitted, Refused> {
        match token {
            "secret" => Ok(Admitted::Proxy { scope: Scope::default(), name: None }),
            _ => Err(Refused::Token("it is nobody's".to_owned())),
        }
    }
}

/// The controller's half, from YAML to the socket.
struct Controller {
    index: Index,
    lowering: Lowering,
    fleets: Fleets,
    generation: u64,
    distribution: Arc<Distribution>,
}

impl Controller {
    fn new() -> Self {
        Self {
            index: Index::new(),
            lowering: Lowering::new(flags::Options::default()),
            fleets: Fleets::default(),
            generation: 0,
            distribution: Arc::new(Distribution::new()),
        }
    }

    fn publish(&mut self, text: &str) {
        let file: Arc<str> = "test.yaml".into();
        let mut found = Vec::new();
        let mut contents = Vec::new();
        for document in yaml::documents(text) {
            for decoded in decode::read(&document, &file, Store::Files, &mut found).flatten() {
                if let Decoded::Object(object) = decoded {
                    contents.push(Content::Good((*object).into()));
                }
            }
        }
        assert!(found.is_empty(), "{found:#?}");
        self.index.replace(&file, contents, found);
        let lowered = self.lowering.commit(&mut self.index, 0);
        assert!(lowered.diagnostics.is_empty(), "{:#?}", lowered.diagnostics);
        self.generation += 1;
        self.distribution.publish(self.generation, &self.fleets.apply(&lowered.changes));
    }

    fn serve(&self, at: SocketAddr, identity: (&str, &str)) -> tokio::task::JoinHandle<()> {
        let (chain, key) = identity;
        let identity = xds::ServerIdentity::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
        let distribution = Arc::clone(&self.distribution);
        tokio::spawn(async move {
            let listener = tokio::net::TcpListener::bind(at).await.unwrap();
            let rng = fastrand::Rng::with_seed(1);
            xds::serve(listener, Arc::new(identity), distribution, OnlyOne, rng).await;
        })
    }

    async fn acknowledged(&self, generation: u64) {
        let mut watch = self.distribution.watch();
        within("the proxy to serve it", async {
            let serves = |distribution: &Distribution| {
                proxies(distribution).iter().any(|proxy| proxy.acknowledged == Some(generation))
            };
            while !serves(&self.distribution) {
                watch.changed().await.unwrap();
            }
        })
        .await;
    }
}

fn mesh(listen: SocketAddr, to: &str) -> String {
    format!(
        "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{ name: web }}
spec:
  gatewayClassName: meshctl
  addresses: [{{ type: IPAddress, value: {} }}]
  listeners: [{{ name: http, port: {}, protocol: HTTP }}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{ name: web }}
spec:
  parentRefs: [{{ name: web }}]
  rules: [{{ backendRefs: [{{ group: meshctl.dev, kind: Backend, name: app }}] }}]
---
apiVersion: meshctl.dev/v1alpha1
kind: Backend
metadata: {{ name: app }}
spec: {{ endpoints: [\"{to}\"] }}
",
        listen.ip(),
        listen.port()
    )
}

#[tokio::test]
async fn a_pod_serves_with_its_controller_and_without() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let [listen, observe, at] = free_addresses();
    let (one, two) = (server::named("one").await, server::named("two").await);
    let authority = Authority::new("controllers");
    let leaf = authority.server(&["localhost"]);
    let identity = (leaf.certificate.as_str(), leaf.key.as_str());
    std::fs::write(root.join("ca.crt"), authority.pem()).unwrap();
    std::fs::write(root.join("token"), "stolen").unwrap();

    // Nobody is there: it says so, and lives.
    let pod = start(root, at, observe);
    let why = ready(observe, 503).await;
    assert!(why.contains("no configuration has come yet: the controller at"), "{why}");
    assert_eq!(client::get(observe, "localhost", "/live").await.status, 200);

    // Its token is no good until it is renewed.
    let mut controller = Controller::new();
    controller.publish(&mesh(listen, &one.address));
    let served = controller.serve(at, identity);
    let refused = async { while !ready(observe, 503).await.contains("does not take the token") {} };
    within("the refusal", refused).await;
    std::fs::write(root.join("token"), "secret").unwrap();
    ready(observe, 200).await;
    controller.acknowledged(1).await;
    let proxies = proxies(&controller.distribution);
    assert_eq!(&*proxies[0].name, "shop/web-1");
    assert_eq!(client::get(listen, "x", "/").await.text(), "one");

    connected(observe, true).await;

    // An edit is served when it is acknowledged, also on a connection that is open.
    let mut open = Client::connect(listen).await;
    assert_eq!(open.get("x", "/").await.text(), "one");
    controller.publish(&mesh(listen, &two.address));
    controller.acknowledged(2).await;
    assert_eq!(open.get("x", "/").await.text(), "two");
    assert_eq!(client::get(listen, "x", "/").await.text(), "two");

    // What it did is told, in its time.
    let now = || self::proxies(&controller.distribution);
    within("a report", async {
        let told = || now()[0].totals.map(|totals| totals.requests);
        while told() != Some(4) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;

    // The controller goes: nobody notices.
    served.abort();
    let _ = served.await;
    for _ in 0..20 {
        assert_eq!(open.get("x", "/").await.text(), "two");
    }
    assert_eq!(client::get(observe, "localhost", "/ready").await.status, 200);

    connected(observe, false).await;

    // A restarted container doesn't need it either.
    saved(&root.join("state/parts"), &two.address).await;
    drop(pod);
    let _pod = start(root, at, observe);
    ready(observe, 200).await;
    assert_eq!(client::get(listen, "x", "/").await.text(), "two");
}

async fn saved(file: &Path, endpoint: &str) {
    within("the parts to be saved", async {
        loop {
            let bytes = std::fs::read(file).unwrap_or_default();
            if bytes.windows(endpoint.len()).any(|part| part == endpoint.as_bytes()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}
