//! A proxy process, as `meshctl proxy run` starts it, over a directory that may be edited.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use meshctl::clock;
use rustix::process::{Pid, Signal, kill_process};

use crate::authority::Authority;
use crate::ports::free_addresses;

pub(crate) const MESHCTL: &str = env!("CARGO_BIN_EXE_meshctl");
/// For a debug build on two busy cores.
const START: Duration = Duration::from_secs(20);

/// The directory, the ports, and whatever process serves them now.
pub(crate) struct Proxy {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) http: SocketAddr,
    pub(crate) https: SocketAddr,
    /// Where every process of it shows its metrics.
    pub(crate) observe: SocketAddr,
    /// For a listener that comes and goes.
    extra: SocketAddr,
    /// Of every certificate that it serves.
    pub(crate) authority: Authority,
    /// Processes that have been taken over from and drain.
    former: Vec<Running>,
    running: Option<Running>,
}

/// A process that is ready.
pub(crate) struct Running {
    child: Child,
}

/// What a mesh of two listeners needs; `rules` are those of its one HTTPRoute.
pub(crate) struct Mesh<'a> {
    pub(crate) settings: &'a str,
    pub(crate) rules: &'a str,
    /// `name: address`
    pub(crate) backends: &'a [(&'a str, SocketAddr)],
}

impl Proxy {
    pub(crate) fn start(mesh: &Mesh<'_>) -> Self {
        let mut proxy = Self::prepare(mesh);
        proxy.running = Some(proxy.run(&[]));
        proxy
    }

    /// All that a process needs, and no process.
    pub(crate) fn prepare(mesh: &Mesh<'_>) -> Self {
        let [http] = free_addresses();
        Self::prepare_at(http, mesh)
    }

    /// The same, with the HTTP listener's port where the test wants it.
    pub(crate) fn prepare_at(http: SocketAddr, mesh: &Mesh<'_>) -> Self {
        let [https, extra, observe] = free_addresses();
        // Over a control socket in a folder of everyone's the proxy could be steered by anyone.
        let ours = std::fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().permissions(ours).tempdir().unwrap();
        let authority = Authority::new("a test's authority");
        let (former, running) = (Vec::new(), None);
        let proxy = Self { folder, http, https, observe, extra, authority, former, running };
        std::fs::create_dir(proxy.mesh()).unwrap();
        proxy.write("gateway.yaml", &proxy.gateway(mesh.settings, false));
        proxy.write("certificate.yaml", &certificate(&proxy.authority));
        proxy.write("route.yaml", &route(mesh.rules));
        for (name, address) in mesh.backends {
            proxy.write(&format!("{name}.yaml"), &backend(name, &[*address]));
        }
        proxy
    }

    /// Serves with this process from now on.
    pub(crate) fn serve(&mut self, running: Running) {
        self.running = Some(running);
    }

    pub(crate) fn mesh(&self) -> PathBuf {
        self.folder.path().join("mesh")
    }

    /// Replaces a file as careful editors do.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let new = self.folder.path().join("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, self.mesh().join(name)).unwrap();
    }

    /// The Gateway, with a listener more or without it, and its settings.
    pub(crate) fn gateway(&self, settings: &str, extra: bool) -> String {
        let [http, https, port] = [self.http, self.https, self.extra].map(|address| address.port());
        let extra =
            format!("  - {{name: extra, port: {port}, protocol: HTTP}}\n").repeat(extra.into());
        format!(
            "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: edge}}
spec:
  gatewayClassName: meshctl
  listeners:
  - {{name: http, port: {http}, protocol: HTTP}}
  - {{name: https, port: {https}, protocol: HTTPS, tls: {{certificateRefs: [{{name: tls}}]}}}}
{extra}---
apiVersion: meshctl.dev/v1alpha1
kind: MeshConfig
metadata: {{name: edge}}
spec: {{accessLog: none, {settings}}}
"
        )
    }

    /// A new process takes the sockets; the former one drains meanwhile.
    pub(crate) fn take_over(&mut self) {
        let next = self.run(&["--takeover"]);
        self.former.extend(self.running.replace(next));
    }

    /// Waits for those that were taken over from; each has to end well.
    pub(crate) fn wait_for_former(&mut self) {
        for mut former in self.former.drain(..) {
            let until = clock::now() + Duration::from_secs(60);
            while former.child.try_wait().unwrap().is_none() {
                assert!(clock::now() < until, "a process that drains does not end");
                std::thread::sleep(Duration::from_millis(20));
            }
            assert!(former.child.wait().unwrap().success());
        }
    }

    fn run(&self, more: &[&str]) -> Running {
        self.run_as(|mut command| {
            command.args(more);
            command
        })
    }

    /// A process over these files, started as `change` makes it of the plain command.
    pub(crate) fn run_as(&self, change: impl FnOnce(Command) -> Command) -> Running {
        let started = self.started();
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        let mut command = Command::new(MESHCTL);
        command
            .args(["proxy", "run", "--workers", "2", "--observe", &self.observe.to_string(), "-f"])
            .arg(self.mesh())
            .arg("--control")
            .arg(self.folder.path().join("control"))
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .stdin(Stdio::null());
        let mut command = change(command);
        let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut running = Running { child };
        let until = clock::now() + START;
        // A former process may answer at the same door.
        while self.started() == started || !self.is_ready() {
            let ended = running.child.try_wait().unwrap();
            assert!(ended.is_none() && clock::now() < until, "not ready: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        running
    }

    /// How many of its processes have said that they serve.
    fn started(&self) -> usize {
        self.log().matches("serving listening=").count()
    }

    fn is_ready(&self) -> bool {
        let answer = ask(self.observe, "/ready");
        answer.is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.running().signal(signal);
    }

    /// What `systemctl stop` does; the process has to end well.
    pub(crate) fn stop(&mut self) {
        let running = self.running.take().expect("it has been started");
        running.signal(Signal::TERM);
        self.former.push(running);
        self.wait_for_former();
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Resident bytes.
    pub(crate) fn memory(&self) -> u64 {
        let status = format!("/proc/{}/status", self.running().child.id());
        let status = std::fs::read_to_string(status).expect("the proxy is alive");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// A metric, summed over its series; with labels, that series.
    pub(crate) fn metric(&self, family: &str) -> f64 {
        let scrape = ask(self.observe, "/metrics").unwrap();
        let samples = scrape.lines().filter(|line| {
            line.strip_prefix(family).is_some_and(|rest| rest.starts_with([' ', '{']))
        });
        samples.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }

    pub(crate) fn running(&self) -> &Running {
        self.running.as_ref().expect("it has been started")
    }
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().cast_signed()).expect("a process");
        kill_process(pid, signal).expect("it is there");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One request to the observation door.
pub(crate) fn ask(observe: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(observe).ok()?;
    stream.set_read_timeout(Some(START)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

pub(crate) fn route(rules: &str) -> String {
    format!(
        "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: all}}
spec:
  parentRefs: [{{name: edge}}]
  rules:
{rules}"
    )
}

pub(crate) fn backend(name: &str, addresses: &[SocketAddr]) -> String {
    let endpoints = addresses.iter().fold(String::new(), |mut list, address| {
        write!(list, "\"{address}\", ").expect("a String takes everything");
        list
    });
    format!(
        "apiVersion: meshctl.dev/v1alpha1
kind: Backend
metadata: {{name: {name}}}
spec: {{endpoints: [{endpoints}]}}
"
    )
}

/// A Secret with a new certificate for localhost.
pub(crate) fn certificate(authority: &Authority) -> String {
    let leaf = authority.server(&["localhost"]);
    let indented = |pem: &str| pem.lines().map(|line| format!("    {line}\n")).collect::<String>();
    format!(
        "apiVersion: v1
kind: Secret
metadata: {{name: tls}}
type: kubernetes.io/tls
stringData:
  tls.crt: |
{}  tls.key: |
{}",
        indented(&leaf.certificate),
        indented(&leaf.key)
    )
}

/// Waits until `holds` does.
pub(crate) fn wait_until(
    what: &str,
    within: Duration,
    mut holds: impl FnMut() -> bool,
) -> Duration {
    let started = clock::now();
    while !holds() {
        assert!(clock::now() - started < within, "{what}: not within {within:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
    clock::now() - started
}

/// One request on a connection of its own, and the whole answer.
pub(crate) fn get(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(START))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
