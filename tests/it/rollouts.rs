//! Rollouts of a directory, whole: a real proxy, two real versions, the real commands, and a load
//! that counts what is lost.

mod plans;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::support::answer::Answer;
use super::support::client::Client;
use super::support::ports::free_addresses;
use super::support::server::{self, Upstream};
use super::support::within;
use super::support::words::{GATEWAY, backend};
use super::{MESHCTL, shell};

/// As a person writes it: what isn't a weight must never change.
const ROUTE: &str = "\
# Ours, by hand.
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}   # the shop
spec:
  parentRefs: [{name: gw}]
  rules:
  - backendRefs:
      - {group: meshctl.dev, kind: Backend, name: shop-v1}
";

pub struct Process(Child);

impl Process {
    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.0.id()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A directory that is served, and its two versions.
pub struct Shop {
    root: tempfile::TempDir,
    pub address: SocketAddr,
    pub proxy: Option<Process>,
    /// Whether the new version fails.
    broken: Arc<AtomicBool>,
    versions: [Upstream; 2],
}

impl Shop {
    pub async fn open() -> Self {
        let mut shop = Self::closed().await;
        shop.serve().await;
        shop
    }

    /// Nobody serves it.
    async fn closed() -> Self {
        let root = tempfile::tempdir().unwrap();
        let broken = Arc::new(AtomicBool::new(false));
        let fails = Arc::clone(&broken);
        let versions = [
            server::http1(|_| Answer::text("v1")).await,
            server::http1(move |_| match fails.load(Ordering::SeqCst) {
                true => Answer::status(500).field("x-version", "v2"),
                false => Answer::text("v2"),
            })
            .await,
        ];
        fs::create_dir_all(root.path().join(".meshctl")).unwrap();
        let mesh = [
            GATEWAY.to_owned(),
            backend("shop-v1", &[&versions[0].address], ""),
            backend("shop-v2", &[&versions[1].address], ""),
        ];
        fs::write(root.path().join("mesh.yaml"), mesh.concat()).unwrap();
        fs::write(root.path().join("route.yaml"), ROUTE).unwrap();
        let [address] = free_addresses();
        Self { root, address, proxy: None, broken, versions }
    }

    /// Another test may have taken the port that was free a moment ago: then it is another one.
    async fn serve(&mut self) {
        let [mut address] = free_addresses();
        let mut child = self.spawn(address);
        within("the proxy", async {
            while tokio::net::TcpStream::connect(address).await.is_err() {
                if child.0.try_wait().unwrap().is_some() {
                    [address] = free_addresses();
                    child = self.spawn(address);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        // Whoever took it would answer too.
        assert!(child.0.try_wait().unwrap().is_none(), "another process has {address}");
        (self.address, self.proxy) = (address, Some(child));
    }

    fn spawn(&self, address: SocketAddr) -> Process {
        let child = Command::new(MESHCTL)
            .current_dir(self.root.path())
            .env_clear()
            .env("XDG_RUNTIME_DIR", self.path(".run"))
            .args(["proxy", "run", "-f", ".", "--observe", "off", "--workers", "2"])
            .args(["--access-log", "off", "--port", &format!("80={}", address.port())])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Process(child.unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn route(&self) -> String {
        fs::read_to_string(self.path("route.yaml")).unwrap()
    }

    pub fn command(&self, line: &str) -> Command {
        let mut command = shell(self.root.path(), line);
        command.env("XDG_RUNTIME_DIR", self.path(".run")).stdin(Stdio::null());
        command
    }

    /// A command's exit code and all that it said.
    async fn told(&self, line: &str) -> (Option<i32>, String) {
        let mut command = self.command(line);
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    /// The same where it has to be good.
    pub async fn done(&self, line: &str) -> String {
        let (code, said) = self.told(line).await;
        assert_eq!(code, Some(0), "{line}\n{said}");
        said
    }

    fn start(&self, line: &str) -> Process {
        let mut command = self.command(&format!("exec {line}"));
        Process(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    async fn status(&self) -> Value {
        let (_, said) = self.told("meshctl canary status shop -o json").await;
        // Before there is one, it says so.
        serde_json::from_str(&said).unwrap_or_default()
    }

    /// Once its status is what `condition` says.
    async fn until(&self, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
        within(what, async {
            loop {
                let status = self.status().await;
                if condition(&status) {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
        .await
    }

    pub fn load(&self) -> Load {
        let counts = Arc::new(Counts::default());
        let ask = |_| tokio::spawn(ask_on(self.address, Arc::clone(&counts)));
        let tasks = (0..4).map(ask).collect();
        Load { counts, tasks }
    }
}

#[derive(Default)]
struct Counts {
    v1: AtomicU64,
    v2: AtomicU64,
    /// The new version's own 500.
    failed: AtomicU64,
    /// Anything that neither version said.
    lost: AtomicU64,
}

/// Some hundred requests a second, each on its own legs.
pub struct Load {
    counts: Arc<Counts>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    fn read(&self) -> [u64; 4] {
        let Counts { v1, v2, failed, lost } = &*self.counts;
        [v1, v2, failed, lost].map(|count| count.load(Ordering::SeqCst))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

async fn ask_on(address: SocketAddr, counts: Arc<Counts>) {
    let mut client = Client::connect(address).await;
    loop {
        client.send("GET / HTTP/1.1\r\nhost: shop\r\n\r\n").await;
        let answer = client.try_response("GET").await;
        let count = match &answer {
            Ok(answer) if answer.status == 200 && answer.body == b"v1" => &counts.v1,
            Ok(answer) if answer.status == 200 && answer.body == b"v2" => &counts.v2,
            Ok(answer) if answer.get("x-version") == Some("v2") => &counts.failed,
            _ => &counts.lost,
        };
        count.fetch_add(1, Ordering::SeqCst);
        if answer.is_err() {
            client = Client::connect(address).await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub const START: &str = "meshctl canary start --route shop --stable shop-v1 --canary shop-v2";

#[tokio::test]
async fn a_good_version_is_promoted_though_its_runner_is_killed() {
    let shop = Shop::open().await;
    let load = shop.load();
    let steps = "--steps 20,60 --interval 2s --min-requests 20";
    let runner = shop.start(&format!("{START} {steps}"));
    let on_its_way = shop.until("the first step", |status| status["weight"] == 20).await;
    assert_eq!(on_its_way["runner"], runner.0.id());
    runner.signal(Signal::KILL);
    drop(runner);
    assert_eq!(weights(&shop.route()), [80, 20]);
    let left = shop.status().await;
    assert_eq!((&left["runner"], &left["phase"]), (&Value::Null, &"Progressing".into()));
    let said = shop.done("meshctl canary run").await;
    assert!(said.contains("shop 20% → 60%, Progressing: step 2 of 2"), "{said}");
    assert!(said.contains("shop 60% → 100%, Promoted: every step has passed"), "{said}");
    let [_, before, ..] = load.read();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let [v1, v2, failed, lost] = load.read();
    assert!(v2 > before && v1 > 0, "{v1} {v2}");
    assert_eq!((failed, lost), (0, 0), "of {}", v1 + v2);
    assert_eq!(shop.told("meshctl canary status shop").await.0, Some(0));
    // Promoted and over, but still to be taken back: first to the step before, then as it was.
    let said = shop.done("meshctl canary undo").await;
    assert!(said.contains("shop 100% → 60%; back: meshctl canary undo"), "{said}");
    shop.done("meshctl canary abort").await;
    assert_eq!(shop.route(), ROUTE);
    assert_eq!(load.read()[3], 0);
    assert_eq!(shop.told("meshctl canary status shop").await.0, Some(1));
}

#[tokio::test]
async fn a_bad_version_is_taken_back() {
    let shop = Shop::open().await;
    shop.broken.store(true, Ordering::SeqCst);
    let load = shop.load();
    let line = format!("{START} --steps 20,60 --interval 2s --min-requests 20");
    let (code, said) = shop.told(&line).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("shop 20% → 0%, RolledBack: "), "{said}");
    assert!(said.contains(" requests failed, more than 1%"), "{said}");
    assert_eq!(shop.route(), ROUTE, "byte for byte");
    let [.., failed, _] = load.read();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let [v1, v2, still, lost] = load.read();
    assert_eq!((v2, lost, still), (0, 0, failed), "of {v1}");
    let status = shop.status().await;
    assert_eq!((&status["phase"], &status["weight"]), (&"RolledBack".into(), &0.into()));
    // Its name is free again.
    shop.broken.store(false, Ordering::SeqCst);
    shop.done(START).await;
}

#[tokio::test]
async fn weights_are_set_by_hand_and_served_when_the_command_returns() {
    let shop = Shop::open().await;
    let (code, said) = shop.told("meshctl canary shift 10%").await;
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("begin one: meshctl canary start"), "{said}");
    let said = shop.done(START).await;
    assert!(said.contains("shop begins at 0%; back: meshctl canary abort shop"), "{said}");
    assert_eq!(shop.route(), ROUTE);
    let (code, said) = shop.told(START).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("HTTPRoute default/shop has a canary already: shop goes on (Paused, 0%)"),
        "{said}"
    );
    let said = shop.done("meshctl canary shift 100%").await;
    assert!(said.contains("shop 0% → 100%; back: meshctl canary undo"), "{said}");
    let mut client = Client::connect(shop.address).await;
    for _ in 0..20 {
        assert_eq!(client.get("shop", "/").await.text(), "v2");
    }
    let dry = shop.done("meshctl canary shift 10% --dry-run").await;
    assert!(dry.contains("weight: 90}\n"), "{dry}");
    assert_eq!(weights(&shop.route()), [0, 100]);
    let served = shop.route();
    shop.done("meshctl canary shift 25").await;
    assert_ne!(shop.route(), served);
    shop.done("meshctl canary undo").await;
    assert_eq!(shop.route(), served, "byte for byte");
    // What nobody sits at a terminal for is not asked.
    shop.done("meshctl canary shift 5%").await;
    let (code, said) = shop.told("meshctl canary promote").await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("would skip the steps 25%, 50% and their gates"), "{said}");
    shop.done("meshctl canary promote --yes").await;
    let said = shop.done("meshctl canary undo").await;
    assert!(said.contains("shop 100% → 5%"), "{said}");
    shop.done("meshctl canary abort").await;
    assert_eq!(shop.route(), ROUTE);
    let history = shop.done("meshctl canary history").await;
    for what in ["started", "set to 25% by hand", "promoted by hand", "aborted"] {
        assert!(history.contains(what), "{what} in {history}");
    }
}

#[tokio::test]
async fn a_runner_answers_to_verbs_and_to_somebody_elses_edit() {
    let shop = Shop::open().await;
    let line = format!("{START} --steps 20,60 --interval 10m");
    let runner = shop.start(&line);
    shop.until("the first step", |status| status["weight"] == 20 && !status["since"].is_null())
        .await;
    let (code, said) = shop.told("meshctl canary run").await;
    let by = format!(
        "another process advances the rollouts of this directory: process {}",
        runner.0.id()
    );
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains(&by), "{said}");
    shop.done("meshctl canary shift 30%").await;
    assert_eq!(weights(&shop.route()), [70, 30]);
    shop.done("meshctl canary resume").await;
    assert_eq!(weights(&shop.route()), [40, 60]);
    let edited = shop.route().replace("weight: 60", "weight: 7");
    fs::write(shop.path("route.yaml"), &edited).unwrap();
    let seen = shop.until("the edit to be seen", |status| status["phase"] == "Paused").await;
    let message = seen["message"].as_str().unwrap();
    assert!(message.starts_with("somebody else edited the weights, from 60% to "), "{message}");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(shop.route(), edited, "it stays");
    let (code, said) = shop.told("meshctl canary undo").await;
    assert_eq!(code, Some(1), "{said}");
    // Whoever leaves the runner is told what stays.
    runner.signal(Signal::INT);
    shop.until("the runner to leave", |status| status["runner"].is_null()).await;
    assert_eq!(shop.route(), edited);
    let (code, said) = shop.told("timeout -s INT --preserve-status 1 meshctl canary run").await;
    assert_eq!(code, Some(130), "{said}");
    let stays = "`meshctl canary run shop` goes on, `meshctl canary abort shop` takes it back";
    assert!(said.contains(stays), "{said}");
    shop.done("meshctl canary abort").await;
}

#[tokio::test]
async fn who_is_not_there_is_told() {
    let mut shop = Shop::closed().await;
    shop.done(START).await;
    let said = shop.done("meshctl canary shift 10%").await;
    assert!(said.contains("no proxy serves it: it is written"), "{said}");
    assert_eq!(weights(&shop.route()), [90, 10]);
    shop.serve().await;
    // One that doesn't answer can't be said to serve it.
    shop.proxy.as_ref().unwrap().signal(Signal::STOP);
    let (code, said) = shop.told("meshctl canary shift 20%").await;
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("after 10 s it is not served yet: proxy "), "{said}");
    shop.proxy.as_ref().unwrap().signal(Signal::CONT);
    // A version that nobody answers for gets no request.
    let said = shop.done("meshctl canary abort").await;
    assert!(said.contains("served by the proxy"), "{said}");
    let [nobody] = free_addresses();
    let line = format!("meshctl canary start --route shop --canary {nobody}");
    shop.done(&line).await;
    let (code, said) = shop.told("meshctl canary shift 10%").await;
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("has no endpoint that is ready"), "{said}");
    assert_eq!(weights(&shop.route()), [100, 0], "it is looked for, and sent nothing");
}

#[tokio::test]
async fn copies_are_sent_and_stopped() {
    let shop = Shop::open().await;
    let load = shop.load();
    let said = shop.done("meshctl dark-launch start --route shop --to shop-v2 --percent 50%").await;
    assert!(said.contains("shop-dark 0% → 50% of the requests"), "{said}");
    assert!(said.contains("served by the proxy"), "{said}");
    let (code, said) = shop.told("meshctl dark-launch status -o json").await;
    assert_eq!(code, Some(3), "{said}");
    let status: Value = serde_json::from_str(&said).unwrap();
    assert!(status[0]["seen"]["canary"]["requests"].as_u64().unwrap() > 0, "{said}");
    let said = shop.done("meshctl dark-launch stop").await;
    assert!(said.contains("shop-dark 50% → 0%"), "{said}");
    assert_eq!(shop.route(), ROUTE);
    let [v1, v2, failed, lost] = load.read();
    assert_eq!((v2, failed, lost), (0, 0, 0), "of {v1}: nobody is answered by a copy");
}

/// Whatever moment a process dies in, the next one goes on, and the bytes come back.
#[tokio::test]
async fn killed_at_any_moment_it_goes_on() {
    let shop = Shop::open().await;
    let load = shop.load();
    let steps = "--steps 10,20,30,40,50 --interval 1s --min-requests 1 --detach";
    shop.done(&format!("{START} {steps}")).await;
    for after in [5, 40, 120, 400, 900, 1_400] {
        let runner = shop.start("meshctl canary run");
        tokio::time::sleep(Duration::from_millis(after)).await;
        runner.signal(Signal::KILL);
        drop(runner);
        let shares = weights(&shop.route());
        assert!(shares.is_empty() || shares.iter().sum::<u64>() == 100, "{}", shop.route());
    }
    shop.done("meshctl canary abort").await;
    assert_eq!(shop.route(), ROUTE);
    assert_eq!(load.read()[2..], [0, 0]);
    assert!(left_beside(&shop.path("")).is_empty(), "{:?}", left_beside(&shop.path("")));
}

fn weights(route: &str) -> Vec<u64> {
    let words = route.split("weight: ").skip(1);
    words.map(|rest| rest.split(['}', '\n']).next().unwrap().trim().parse().unwrap()).collect()
}

/// What the help shows, on a shop of which nobody serves anything: each as it stands. What stays
/// until it is over is stopped.
#[tokio::test]
async fn examples_of_the_help_do_what_they_show() {
    let examples = Shop::closed().await.done("meshctl help examples").await;
    let ours = |line: &&str| {
        line.starts_with("meshctl canary ") || line.starts_with("meshctl dark-launch ")
    };
    let examples: Vec<&str> = examples.lines().map(str::trim).filter(ours).collect();
    assert!(examples.len() >= 20, "{examples:?}");
    for example in examples {
        let shop = Shop::closed().await;
        if !example.contains(" start ") {
            shop.done(START).await;
            shop.done("meshctl canary shift 5%").await;
            shop.done("meshctl dark-launch start --route shop --to shop-v2").await;
        }
        let stays = example.contains(" run") || example.contains("--steps");
        let line = if stays { format!("timeout -s INT 1 {example}") } else { example.to_owned() };
        let (code, said) = shop.told(&line).await;
        // 3: a rollout that goes on. 124: of timeout.
        let fine: &[i32] = match (stays, example.contains(" status")) {
            (true, _) => &[124],
            (_, true) => &[3],
            _ => &[0],
        };
        assert!(code.is_some_and(|code| fine.contains(&code)), "{example}: {code:?}\n{said}");
    }
}

/// What an interrupted change would leave.
fn left_beside(root: &Path) -> Vec<String> {
    let names = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".meshctl") && name != ".meshctl").collect()
}
