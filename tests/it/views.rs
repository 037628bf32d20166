//! What commands show of proxies that run: their last failures, and what they do right now.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::support::client::{Client, Response};
use super::support::ports::free_addresses;
use super::support::words::{GATEWAY, backend, route, to};
use super::support::{answer::Answer, server, within};
use super::{MESHCTL, shell};

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A proxy over `mesh.yaml` of a directory, and where commands find it.
struct Place {
    root: PathBuf,
    address: SocketAddr,
    _directory: tempfile::TempDir,
    running: Running,
}

impl Place {
    async fn start(yaml: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        std::fs::write(root.join("mesh.yaml"), yaml).unwrap();
        let [address] = free_addresses();
        let running = Running(
            Command::new(MESHCTL)
                .current_dir(&root)
                .env_clear()
                .env("MESHCTL_RUN_DIR", root.join("known"))
                .args(["proxy", "run", "--observe", "off", "--workers", "2", "-f", "mesh.yaml"])
                .args(["--port", &format!("80={}", address.port())])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
        let place = Self { root, address, _directory: directory, running };
        within("the proxy", async {
            while place.run("meshctl proxy status").0 != Some(0) {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
        .await;
        place
    }

    fn command(&self, line: &str) -> Command {
        let mut command = shell(Path::new("/"), line);
        command.env("MESHCTL_RUN_DIR", self.root.join("known"));
        command
    }

    /// Its exit code, and what it says on both outputs.
    fn run(&self, line: &str) -> (Option<i32>, String) {
        let output = self.command(line).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    fn json(&self, line: &str) -> Value {
        let output = self.command(&format!("{line} -o json")).output().unwrap();
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{line}: {error}: {output:?}"))
    }
}

fn id(response: &Response) -> String {
    response.get("x-request-id").unwrap().to_owned()
}

/// A backend that answers 500, one that refuses, and one that isn't there.
async fn failing() -> (Place, server::Upstream) {
    let bad = server::http1(|_| Answer::status(500)).await;
    let nobody = server::nobody().await.to_string();
    let rule = |path: &str, to: &str| {
        format!("- matches: [{{path: {{value: {path}}}}}]\n  backendRefs: [{to}]\n")
    };
    let rules =
        [rule("/bad", &to("bad")), rule("/nobody", &to("nobody")), rule("/none", &to("none"))];
    let yaml = GATEWAY.to_owned()
        + &route("r", &["h"], &rules.concat())
        + &backend("bad", &[&bad.address], "")
        + &backend("nobody", &[&nobody], "");
    (Place::start(&yaml).await, bad)
}

#[tokio::test]
async fn failures_are_told_with_their_tries() {
    let (place, _bad) = failing().await;
    let (code, said) = place.run("meshctl why");
    assert!(code == Some(0) && said.contains("no such failure is remembered"), "{said}");
    let mut client = Client::connect(place.address).await;
    client.get("h", "/bad?secret=1").await.expect(500);
    let refused = client.get("h", "/nobody").await.expect(502);
    let missing = client.get("h", "/none").await.expect(500);
    let lost = client.get("h", "/lost").await.expect(404);
    client.get("h", "/%zz").await.expect(400);
    let all = place.json("meshctl why");
    assert!(!all.to_string().contains("secret"), "queries are nobody's business: {all:#}");
    let failures = all["failures"].as_array().unwrap();
    let causes: Vec<&str> =
        failures.iter().map(|one| one["cause"].as_str().unwrap_or("")).collect();
    let expected =
        ["", "upstream_connect_refused", "backend_not_found", "route_not_found", "bad_path"];
    assert_eq!(causes, expected, "{all:#}");
    let own = [&refused, &missing, &lost].map(id);
    assert_eq!(
        own.each_ref().map(|id| id.as_str()),
        [1, 2, 3].map(|at| text(&failures[at], "requestId"))
    );
    let of_refused = &failures[1];
    assert_eq!(of_refused["tries"].as_array().map(Vec::len), Some(2), "one retry: {of_refused:#}");
    assert_eq!(text(&of_refused["tries"][1], "cause"), "upstream_connect_refused");
    assert_eq!(
        (text(of_refused, "route"), text(of_refused, "backend")),
        ("default/r", "default/nobody")
    );
    assert_eq!(
        text(&failures[4], "reason"),
        "a % in the path without two hexadecimal digits (RFC 3986 §2.1)"
    );

    let names = |filter: &str| place.run(&format!("meshctl why -o name {filter}"));
    let one = |id: &String| (Some(0), format!("{id}\n"));
    assert_eq!(names("--cause backend_not_found"), one(&own[1]));
    assert_eq!(names("--status 502 --route r --since 1m"), one(&own[0]));
    assert_eq!(names("--status 4xx --cause route_not_found"), one(&own[2]));
    assert!(names("--route other").1.contains("no such failure"));
    let (code, story) = place.run(&format!("meshctl why {}", own[0]));
    assert_eq!(code, Some(0));
    for part in ["502 upstream_connect_refused", "try 1", "try 2", "Connection refused", "rule 1"] {
        assert!(story.contains(part), "{part}: {story}");
    }
    let (code, said) = place.run("meshctl why nobody-sent-this");
    assert!(code == Some(1) && said.contains("no failure with the id"), "{said}");
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no {field}: {value:#}"))
}

#[tokio::test]
async fn failures_are_followed_as_they_come() {
    let (place, _bad) = failing().await;
    let mut following = place
        .command("exec meshctl why -w -o json --cause upstream_connect_refused")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut client = Client::connect(place.address).await;
    for _ in 0..2 {
        client.get("h", "/none").await.expect(500);
        let sent = client.get("h", "/nobody").await.expect(502);
        let (read, line) = tokio::task::spawn_blocking(move || {
            let line = lines.next().unwrap().unwrap();
            (lines, line)
        })
        .await
        .unwrap();
        lines = read;
        let told: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(text(&told, "requestId"), id(&sent));
    }
    let pid = rustix::process::Pid::from_child(&following);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(following.wait().unwrap().code(), Some(130));
}

/// Asks for `path` again and again until it is dropped.
fn traffic(address: SocketAddr, path: &'static str) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let mut client = Client::connect(address).await;
        loop {
            client.get("h", path).await;
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
}

/// A row by the text of one of its fields.
fn row<'a>(table: &'a Value, field: &str, is: &str) -> &'a Value {
    let mut rows = table["rows"].as_array().unwrap().iter();
    rows.find(|row| row[field] == is).unwrap_or_else(|| panic!("no {is}: {table:#}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_on_is_shown_as_rates() {
    let (place, bad) = failing().await;
    let traffic = [traffic(place.address, "/bad"), traffic(place.address, "/nobody")];
    // What begins after the first look counts from zero, so that it has begun is waited for.
    super::support::until("traffic", || bad.count() > 2).await;
    let look = |kind: &str| place.json(&format!("meshctl top {kind} --interval 1s"));
    let routes = look("routes");
    let of_route = row(&routes, "name", "default/r");
    let number = |row: &Value, field: &str| row[field].as_f64().unwrap();
    let requests = number(of_route, "requestsPerSecond");
    assert!(requests > 2.0 && number(of_route, "errorPercent") == 100.0, "{routes:#}");
    assert!(number(of_route, "retriesPerSecond") > 0.0, "{routes:#}");
    assert!(number(of_route, "p99Seconds") >= number(of_route, "p50Seconds"), "{routes:#}");
    let backends = look("backends");
    let of_bad = row(&backends, "name", "default/bad");
    assert!(number(of_bad, "requestsPerSecond") < requests, "{backends:#}");
    assert_eq!(number(of_bad, "retriesPerSecond"), 0.0);
    let endpoints = look("endpoints");
    let tried = row(&endpoints, "endpoint", &bad.address);
    assert_eq!((number(tried, "failuresPerSecond"), text(tried, "backend")), (0.0, "default/bad"));
    assert!(number(tried, "triesPerSecond") > 1.0, "{endpoints:#}");
    let failed = row(&endpoints, "backend", "default/nobody");
    assert_eq!(number(failed, "failuresPerSecond"), number(failed, "triesPerSecond"));
    let (code, table) = place.run("meshctl top routes --interval 1s");
    assert!(code == Some(0) && table.contains("REQ/S") && table.contains("default/r"), "{table}");
    traffic.iter().for_each(tokio::task::JoinHandle::abort);
}

/// What runs answers, if it can; which of both it was is said.
#[tokio::test]
async fn a_request_is_explained_by_the_proxy_that_would_take_it() {
    let (place, bad) = failing().await;
    let port = place.address.port();
    let file = place.root.join("mesh.yaml");
    let asked = |more: &str| format!("meshctl explain request GET http://h:{port}/bad {more}");
    let of_file = asked(&format!("-f {}", file.display()));
    let (code, story) = place.run(&of_file);
    let pid = place.running.0.id().to_string();
    assert!(code == Some(0) && story.contains(&format!("by        the proxy {pid}\n")), "{story}");
    assert!(story.contains("HTTPRoute default/r, rule 0") && story.contains("100 %"), "{story}");
    // The file alone says port 80.
    let (code, story) = place.run(&format!("{of_file} --no-proxy"));
    assert!(code == Some(1) && story.contains("no listener is on port"), "{story}");
    assert!(story.contains("by        the configuration of "), "{story}");
    let (code, story) = place.run(&format!("{of_file} --port 80={port}"));
    assert!(code == Some(0) && story.contains("by        the configuration of "), "{story}");
    // Named, it answers from anywhere.
    let of_proxy = asked(&format!("--proxy {pid}"));
    let told = place.json(&of_proxy);
    assert_eq!(
        (text(&told, "by"), text(&told["outcome"], "is")),
        (format!("the proxy {pid}").as_str(), "forwarded")
    );
    assert_eq!(told["route"]["backends"][0]["endpoints"][0], bad.address.as_str());
    // What can't be read isn't served: the last good state is what requests meet.
    std::fs::write(&file, "kind: [").unwrap();
    assert_eq!(place.json(&of_proxy)["route"], told["route"]);
    assert_eq!(place.json(&of_file)["route"], told["route"]);
    let (code, said) = place.run(&asked("--proxy 1"));
    assert!(code == Some(4) && said.contains("no proxy of process 1 was found"), "{said}");
    let (code, said) = place.run(&format!("{of_proxy} --gateway gw"));
    assert_eq!(code, Some(2), "{said}");
}

#[tokio::test]
async fn a_namespace_narrows_what_is_shown() {
    let (place, _bad) = failing().await;
    let mut client = Client::connect(place.address).await;
    client.get("h", "/nobody").await.expect(502);
    client.get("h", "/lost").await.expect(404);
    let count = |line: &str, field: &str| place.json(line)[field].as_array().map(Vec::len);
    let file = format!("-f {}", place.root.join("mesh.yaml").display());
    for (namespace, of) in [("default", [2, 2, 1]), ("other", [0, 0, 0])] {
        let narrowed = format!("{file} -n {namespace}");
        assert_eq!(count(&format!("meshctl why {narrowed}"), "failures"), Some(of[0]));
        let status = place.json(&format!("meshctl status {narrowed}"));
        let all = |field: &str| status[field].as_array().map(Vec::len);
        assert_eq!([all("failures"), all("routes")], [Some(of[1]), Some(of[2])], "{status:#}");
        assert_eq!(all("proxies"), Some(1), "a process is in no namespace");
        assert_eq!(status["configuration"]["errors"] == 0, namespace == "other", "{status:#}");
        let top = format!("meshctl top routes {narrowed} --once --interval 10ms");
        assert_eq!(count(&top, "rows"), Some(of[2]));
    }
    let top = format!("meshctl top backends nobody {file} --once --interval 10ms");
    assert_eq!(count(&top, "rows"), Some(1));
}

#[tokio::test]
async fn one_screen_shows_how_it_stands() {
    let (place, _bad) = failing().await;
    Client::connect(place.address).await.get("h", "/nobody").await.expect(502);
    let file = place.root.join("mesh.yaml");
    let (code, screen) = place.run(&format!("meshctl status -f {}", file.display()));
    assert_eq!(code, Some(1), "a backend is missing: {screen}");
    let address = place.address.port().to_string();
    for part in ["ready", &address, "1 route, 1 error", "MC0110", "upstream_connect_refused"] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    // From elsewhere the proxies are seen all the same.
    let all = place.json("meshctl status");
    assert_eq!((&all["proxies"][0]["ready"], &all["configuration"]), (&true.into(), &Value::Null));
    assert_eq!(text(&all["failures"][0], "route"), "default/r");
    let root = place.root.clone();
    drop(place.running);
    let status = |line: &str| {
        let mut command = shell(Path::new("/"), line);
        command.env("MESHCTL_RUN_DIR", root.join("known")).output().unwrap()
    };
    assert_eq!(status("meshctl status").status.code(), Some(4), "nobody is there");
    let alone = status(&format!("meshctl status -f {}", file.display()));
    let said = String::from_utf8_lossy(&alone.stdout).into_owned();
    assert_eq!(alone.status.code(), Some(4));
    assert!(said.contains("no proxy") && said.contains("1 route, 1 error"), "{said}");
}
