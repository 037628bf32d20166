//! Changes of the configuration under load: nobody loses an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use meshctl::telemetry::Family;

use crate::support::client::Client;
use crate::support::server::{self, Answer};
use crate::support::words::{
    GATEWAY, all_to, backend, gateway, policy, route, simple, to, weighed,
};
use crate::support::{Mesh, h2, mesh, until};

/// Clients of every kind, asking until they are told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    fn start(mesh: &Mesh) -> Self {
        let address = mesh.port(80);
        let (stop, asked) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let mut tasks = Vec::new();
        for kind in 0..6 {
            let (stop, asked) = (stop.clone(), asked.clone());
            tasks.push(tokio::spawn(async move {
                let mut kept = Client::connect(address).await;
                let mut streams = h2::Client::connect(address).await;
                while !stop.load(Ordering::SeqCst) {
                    let answer = match kind % 3 {
                        0 => kept.get("h", "/").await,
                        1 => streams.get("h", "/").await,
                        _ => Client::connect(address).await.post("h", "/", "body").await,
                    };
                    assert_eq!(answer.status, 200, "{answer:?} {}", answer.text());
                    assert_eq!(answer.get("connection"), None);
                    asked.fetch_add(1, Ordering::SeqCst);
                }
            }));
        }
        Self { stop, asked, tasks }
    }

    /// Waits for as many more answers.
    async fn answers(&self, more: usize) {
        let until_here = self.asked.load(Ordering::SeqCst) + more;
        until("answers", || {
            self.asked.load(Ordering::SeqCst) >= until_here
                || self.tasks.iter().any(tokio::task::JoinHandle::is_finished)
        })
        .await;
    }

    /// Fails with the first loss.
    async fn end(self) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        for task in self.tasks {
            task.await.unwrap();
        }
        self.asked.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn changes_of_every_kind_lose_nothing() {
    let mut ups = Vec::new();
    for name in ["a", "b", "c"] {
        ups.push(server::named(name).await);
    }
    let (a, b, c) = (&*ups[0].address, &*ups[1].address, &*ups[2].address);
    let http = "{name: http, port: 80, protocol: HTTP}";
    let more = "{name: more, port: 81, protocol: HTTP, hostname: more.example}";
    let filter = format!(
        "- filters: [{{type: ResponseHeaderModifier, responseHeaderModifier: {{set: [{{name: x, \
         value: z}}]}}}}]\n  backendRefs: [{}]\n",
        to("up")
    );
    let split = |one: u32| {
        format!("- backendRefs: [{}, {}]", weighed("up", one), weighed("other", 10 - one))
    };
    let states = [
        gateway(&[http]) + &route("r", &[], &all_to("up")) + &backend("up", &[a], ""),
        gateway(&[http]) + &route("r", &[], &all_to("up")) + &backend("up", &[a, b], ""),
        gateway(&[http]) + &route("r", &[], &all_to("up")) + &backend("up", &[b, c], ""),
        gateway(&[http]) + &route("r", &[], &filter) + &backend("up", &[c], ""),
        gateway(&[http, more]) + &route("other", &[], &filter) + &backend("up", &[c, a], ""),
        gateway(&[http])
            + &route("r", &[], &split(9))
            + &backend("up", &[a], "")
            + &backend("other", &[b], ""),
        gateway(&[http])
            + &route("r", &[], &split(1))
            + &backend("up", &[a], "")
            + &backend("other", &[b, c], "")
            + &policy("up", "balance: {type: RoundRobin}"),
    ];
    let mut mesh = mesh(&states[0]);
    let load = Load::start(&mesh);
    for round in 0..5 {
        for at in 0..states.len() {
            mesh.apply(&states[(at * 3 + round) % states.len()]).await;
            load.answers(60).await;
        }
    }
    let asked = load.end().await;
    assert!(asked >= 2_000, "{asked}");
    let answered = || usize::try_from(mesh.metric(Family::Requests, &["code=\"200\""])).unwrap();
    until("the counts", || answered() == asked).await;
    assert_eq!(usize::try_from(mesh.metric(Family::Requests, &[])).unwrap(), asked);
    let seen: usize = ups.iter().map(server::Upstream::count).sum();
    assert_eq!(seen, asked, "nothing was asked twice");
}

#[tokio::test]
async fn a_broken_document_changes_nothing() {
    let up = server::named("up").await;
    let good = simple(&[&up.address]);
    let mut mesh = mesh(&good);
    let load = Load::start(&mesh);
    for broken in [
        good.replace("backendRefs", "backendRfs"),
        good.replace("endpoints: [", "endpoints: [\"nonsense\", "),
        good.replace("protocol: HTTP", "protocol: 7"),
    ] {
        assert!(!mesh.take(&broken).is_empty());
        load.answers(100).await;
    }
    load.end().await;
}

/// A rule and a Backend's endpoints, the first of each with this weight.
fn weights(weight: u32, endpoints: &[&str], other: &str) -> String {
    let refs = format!("- backendRefs: [{}, {}]", weighed("up", weight), weighed("none", 0));
    let endpoint = |(at, address): (usize, &&str)| {
        let weight = if at == 0 { weight } else { 5 };
        format!("{{address: {address:?}, weight: {weight}}}")
    };
    let endpoints: Vec<String> = endpoints.iter().enumerate().map(endpoint).collect();
    let up = backend("up", &[], "")
        .replace("endpoints: []", &format!("endpoints: [{}]", endpoints.join(", ")));
    format!("{GATEWAY}{}{up}{}", route("r", &[], &refs), backend("none", &[other], ""))
}

/// What is known of a slow endpoint is known after the change: it gets no more requests than
/// before. Forgetting would send it one in three until it has answered again.
#[tokio::test]
async fn a_changed_weight_forgets_no_average() {
    let quick = |_: &server::Seen| Answer::text("x");
    let slow = |_: &server::Seen| Answer::text("x").after(Duration::from_millis(50));
    let (a, b) = (server::http1(quick).await, server::http1(quick).await);
    let slow = server::http1(slow).await;
    let yaml = |weight: u32| weights(weight, &[&a.address, &b.address, &slow.address], &a.address);
    let mut mesh = Mesh::of(&yaml(1)).workers(1).start();
    let mut client = Client::connect(mesh.port(80)).await;
    while a.count() == 0 || b.count() == 0 || slow.count() == 0 {
        client.get("h", "/").await.expect(200);
    }
    let before = slow.count();
    for change in 0..100 {
        mesh.apply(&yaml(4 + change % 3)).await;
        for _ in 0..3 {
            client.get("h", "/").await.expect(200);
        }
    }
    // One in thirty, to see whether it has recovered: 10 of 300, six standard deviations below 30.
    let asked = slow.count() - before;
    assert!(asked < 30, "{asked} of 300");
}

#[tokio::test]
async fn a_changed_weight_resets_nothing() {
    let (a, b) = (server::named("a").await, server::named("b").await);
    let dead = server::nobody().await.to_string();
    let ejection = policy("up", "ejection: {consecutiveFailures: 1, baseTime: 1h, maxTime: 1h}");
    let yaml =
        |weight: u32| weights(weight, &[&a.address, &b.address, &dead], &a.address) + &ejection;
    let mut mesh = Mesh::of(&yaml(1)).workers(1).start();
    let mut client = Client::connect(mesh.port(80)).await;
    for _ in 0..200 {
        client.get("h", "/").await.expect(200);
    }
    assert_eq!(mesh.metric(Family::EndpointEjected, &[]), 1, "the dead one is out");
    // An answer is counted once it has left.
    let answered = || mesh.metric(Family::Requests, &["code=\"200\""]);
    until("the count", || answered() == 200).await;
    let connections = a.connections() + b.connections();
    let refused = mesh.metric(Family::UpstreamAttempts, &["refused"]);
    for weight in [5, 50, 1, 7] {
        mesh.apply(&yaml(weight)).await;
        for _ in 0..50 {
            client.get("h", "/").await.expect(200);
        }
    }
    assert_eq!(a.connections() + b.connections(), connections, "pools stay");
    assert_eq!(mesh.metric(Family::EndpointEjected, &[]), 1, "ejections stay");
    assert_eq!(mesh.metric(Family::UpstreamAttempts, &["refused"]), refused);
    until("counters to go on", || mesh.metric(Family::Requests, &["code=\"200\""]) == 400).await;
}

#[tokio::test]
async fn a_removed_endpoint_finishes_what_it_began() {
    for protocol in ["HTTP", "H2C"] {
        let answer = |_: &server::Seen| Answer::text("whole").after(Duration::from_millis(300));
        let old = match protocol {
            "HTTP" => server::http1(answer).await,
            _ => server::http2(answer).await,
        };
        let new = match protocol {
            "HTTP" => server::named("new").await,
            _ => server::http2(|_| Answer::text("new")).await,
        };
        let yaml =
            |up: &server::Upstream| simple(&[&up.address]) + &format!("  protocol: {protocol}\n");
        let mut mesh = mesh(&yaml(&old));
        let mut client = Client::connect(mesh.port(80)).await;
        client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n").await;
        until("the request", || old.streams() == 1).await;
        mesh.apply(&yaml(&new)).await;
        let mut other = Client::connect(mesh.port(80)).await;
        assert_eq!(other.get("h", "/").await.expect(200).text(), "new");
        assert_eq!(client.response().await.expect(200).text(), "whole");
        until("the old connections' end", || old.open() == 0).await;
        assert_eq!(old.count(), 1);
    }
}

#[tokio::test]
async fn a_stream_outlives_its_route() {
    let up = server::raw(|mut wire, _| async move {
        let _ = wire.head().await;
        let _ = wire.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        for _ in 0..40 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            if wire.write("4\r\ntick\r\n").await.is_err() {
                return;
            }
        }
        let _ = wire.write("0\r\n\r\n").await;
    })
    .await;
    let mut mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n").await;
    until("the request", || up.streams() == 1).await;
    mesh.apply(GATEWAY).await;
    let mut other = Client::connect(mesh.port(80)).await;
    other.get("h", "/").await.expect(404);
    assert_eq!(client.response().await.expect(200).length, 160);
}

#[tokio::test]
async fn a_backend_without_endpoints_is_503_until_one_comes() {
    let up = server::named("up").await;
    let service = |ready: bool| {
        format!(
            "{GATEWAY}{}
---
apiVersion: v1
kind: Service
metadata: {{name: shop}}
spec: {{ports: [{{port: 80, targetPort: {port}}}], selector: {{app: shop}}}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: shop-1, labels: {{kubernetes.io/service-name: shop}}}}
addressType: IPv4
ports: [{{port: {port}}}]
endpoints: [{{addresses: [127.0.0.1], conditions: {{ready: {ready}}}}}]
",
            route("r", &[], "- backendRefs: [{name: shop, port: 80}]\n"),
            port = up.address.rsplit(':').next().unwrap()
        )
    };
    let mut mesh = mesh(&service(true));
    let mut client = Client::connect(mesh.port(80)).await;
    client.get("h", "/").await.expect(200);
    mesh.apply(&service(false)).await;
    let answer = client.get("h", "/").await.expect(503);
    assert!(answer.cause().unwrap().starts_with("no_"), "{answer:?}");
    mesh.apply(&service(true)).await;
    client.get("h", "/").await.expect(200);
}
