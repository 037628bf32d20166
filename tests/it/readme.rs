//! The tour in README.md, command by command, as somebody would follow it.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use meshctl::clock;
use rustix::process::{Pid, Signal, kill_process_group};

use super::support::ports::free_addresses;
use super::{in_repository, present, shell};

/// For a debug build on busy cores.
const PATIENCE: Duration = Duration::from_secs(20);
/// The tour's ports, each of which stands for a free one here.
const PORTS: [&str; 4] = ["3000", "3001", "8080", "15020"];
/// What the tour takes for granted in `manifests`.
const MANIFESTS: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec:
  gatewayClassName: meshctl
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: cart, namespace: shop}
spec:
  parentRefs: [{name: edge}]
  rules: [{backendRefs: [{name: cart, port: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {ports: [{port: 80}]}
";

/// The shell blocks of the section, in order.
fn blocks(section: &str) -> Vec<String> {
    let readme = fs::read_to_string(in_repository("README.md")).unwrap();
    let (_, rest) = readme.split_once(&format!("\n## {section}\n")).expect("the section is there");
    let section = rest.split("\n## ").next().unwrap();
    let mut blocks: Vec<String> = Vec::new();
    let mut inside = false;
    for line in section.lines() {
        match (line.strip_prefix("    "), inside) {
            (Some(command), true) => *blocks.last_mut().unwrap() += &format!("\n{command}"),
            (Some(command), false) => blocks.push(command.to_owned()),
            (None, _) => {}
        }
        inside = line.starts_with("    ");
    }
    blocks
}

/// Everything that runs, in process groups of its own.
struct Tour {
    directory: PathBuf,
    ports: [String; 4],
    groups: Vec<Child>,
    proxy: Option<Child>,
}

impl Tour {
    /// A line as it is typed, with this machine's free ports; nothing outside of the directory is
    /// written.
    fn here(&self, line: &str) -> String {
        let mut line = line.to_owned();
        for (port, free) in PORTS.iter().zip(&self.ports) {
            line = line.replace(port, free);
        }
        let observe = format!("proxy run --observe 127.0.0.1:{}", self.ports[3]);
        let line = line.replace("proxy run", &observe).replace("curl ", &format!("{CURL} "));
        line.replace("> /etc/systemd/system/", "> ")
    }

    fn start(&self, line: &str) -> Child {
        let output = File::options().create(true).append(true).open(self.output()).unwrap();
        let mut command = shell(&self.directory, &self.here(line));
        // Among its own proxies only.
        command.env("XDG_RUNTIME_DIR", self.directory.join("run"));
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        command.process_group(0).spawn().unwrap()
    }

    fn run(&mut self, line: &str) {
        if line.contains("proxy run") {
            return self.serve(line);
        }
        let mut child = self.start(line);
        let status = child.wait().unwrap();
        self.groups.push(child);
        assert!(status.success(), "{line}: {status}\n{}", self.said());
    }

    /// What would be typed after Ctrl-C, unless it takes over itself.
    fn serve(&mut self, line: &str) {
        if !line.contains("--takeover") {
            self.interrupt();
        }
        let serving = |said: &str| said.matches("serving listening").count();
        let before = serving(&self.said());
        let former = self.proxy.replace(self.start(&format!("exec {line}")));
        let until = clock::now() + PATIENCE;
        while serving(&self.said()) == before {
            let ended = self.proxy.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none() && clock::now() < until, "{line}: {ended:?}\n{}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
        if let Some(mut former) = former {
            assert!(former.wait().unwrap().success(), "{line}\n{}", self.said());
        }
    }

    fn interrupt(&mut self) {
        let Some(mut proxy) = self.proxy.take() else { return };
        signal(&proxy, Signal::INT);
        assert!(proxy.wait().unwrap().success(), "{}", self.said());
    }

    fn output(&self) -> PathBuf {
        self.directory.join("output")
    }

    fn said(&self) -> String {
        fs::read_to_string(self.output()).unwrap_or_default()
    }
}

impl Drop for Tour {
    fn drop(&mut self) {
        for child in self.groups.iter_mut().chain(&mut self.proxy) {
            signal(child, Signal::KILL);
            let _ = child.wait();
        }
    }
}

fn signal(child: &Child, signal: Signal) {
    let group = Pid::from_raw(child.id().cast_signed()).expect("a process");
    // All of it may have ended.
    let _ = kill_process_group(group, signal);
}

/// Whoever takes the connection and says nothing fails the test instead of holding it up.
const CURL: &str = "curl --max-time 20";

fn free_ports() -> [String; 4] {
    free_addresses::<4>().map(|address| address.port().to_string())
}

fn wait_for(directory: &Path, url: &str) {
    let line = format!("{CURL} -sf --retry 40 --retry-all-errors --retry-max-time 60 {url}");
    assert!(shell(directory, &line).output().unwrap().status.success(), "{url}");
}

#[test]
fn the_tour_leads_where_it_says() {
    if !(present("python3") && present("curl")) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("manifests")).unwrap();
    fs::write(directory.path().join("manifests/shop.yaml"), MANIFESTS).unwrap();
    let blocks = blocks("A tour of five minutes");
    let ports = free_ports();
    let mut tour =
        Tour { directory: directory.path().into(), ports, groups: Vec::new(), proxy: None };
    assert!(blocks.len() >= 8, "{blocks:#?}");
    let lines = blocks.iter().flat_map(|block| block.lines());
    for line in lines.clone() {
        tour.run(line);
        if line.contains("http.server 3001") {
            let [one, two, ..] = &tour.ports;
            for port in [one, two] {
                wait_for(&tour.directory, &format!("http://127.0.0.1:{port}"));
            }
        }
    }
    // What was served last needs no cluster.
    let url = format!("http://127.0.0.1:{}", tour.ports[2]);
    let answer = shell(&tour.directory, &format!("{CURL} -s {url}")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&answer.stdout), "one\n", "{}", tour.said());
    let said = tour.said();
    for part in ["no mistake found", "ready", "\"parts\"", "meshctl_reloads_total", "MC0012"] {
        assert!(said.contains(part), "{part} is missing\n{said}");
    }
    assert!(directory.path().join("meshctl.service").is_file());
    assert_eq!(lines.filter(|line| line.contains("proxy run")).count(), 4);
    tour.interrupt();
}
