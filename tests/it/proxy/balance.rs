//! Which endpoint gets how much.

use std::time::Duration;

use meshctl::telemetry::Family;

use crate::support::Mesh;
use crate::support::client::Client;
use crate::support::clock::Watch;
use crate::support::server::{self, Answer};
use crate::support::words::{policy, simple};
use crate::support::{mesh, until};

/// An endpoint ten times slower than its two neighbours gets under a fifth of its equal share.
async fn slow_endpoint(workers: usize) {
    let answer =
        |wait: u64| move |_: &server::Seen| Answer::text("x").after(Duration::from_millis(wait));
    // Long enough that a busy machine, which slows all of them alike, leaves it ten times slower.
    let fast = [server::http1(answer(20)).await, server::http1(answer(20)).await];
    let slow = server::http1(answer(200)).await;
    let mesh = Mesh::of(&simple(&[&fast[0].address, &slow.address, &fast[1].address]))
        .workers(workers)
        .start();
    // The first requests are how it is found out.
    ask(&mesh, 6, 10).await;
    let before = (slow.count(), fast[0].count() + fast[1].count());
    ask(&mesh, 6, 130).await;
    let (slow, fast) = (slow.count() - before.0, fast[0].count() + fast[1].count() - before.1);
    let share = slow as f64 / (slow + fast) as f64;
    assert!(share < 1.0 / 3.0 / 5.0, "{slow} of {}: {share:.3}", slow + fast);
}

async fn ask(mesh: &Mesh, clients: usize, requests: usize) {
    let address = mesh.port(80);
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            tokio::spawn(async move {
                let mut client = Client::connect(address).await;
                for _ in 0..requests {
                    client.get("h", "/").await.expect(200);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn a_slow_endpoint_gets_little_from_one_worker() {
    slow_endpoint(1).await;
}

#[tokio::test]
async fn a_slow_endpoint_gets_little_from_four_workers() {
    slow_endpoint(4).await;
}

/// How long a new endpoint takes to its whole share.
const WINDOW: Duration = Duration::from_secs(3);

/// A new endpoint gets a tenth of its share at first, under load too, and all of it at last.
async fn slow_start(balance: &str) {
    let answer = |_: &server::Seen| Answer::text("x").after(Duration::from_millis(5));
    let (old, new) = (server::http1(answer).await, server::http1(answer).await);
    let policy = policy("up", &format!("slowStart: 3s\nbalance: {{type: {balance}}}"));
    let mut mesh = Mesh::of(&(simple(&[&old.address]) + &policy)).start();
    ask(&mesh, 1, 1).await;
    // The old one is new as well until its own window is over.
    tokio::time::sleep(WINDOW).await;
    mesh.apply(&(simple(&[&old.address, &new.address]) + &policy)).await;
    let watch = Watch::start();
    ask(&mesh, 8, 50).await;
    let grown = 0.1 + 0.9 * (watch.elapsed().as_secs_f64() / WINDOW.as_secs_f64()).min(1.0);
    let (most, count) = (grown / (1.0 + grown), new.count());
    let bound = 400.0 * most + 6.0 * (400.0 * most * (1.0 - most)).sqrt();
    assert!(count > 0 && (count as f64) < bound, "{balance}: {count} of 400, {bound:.0} at most");
    let mut share = 0.0;
    crate::support::within("an equal share", async {
        while share < 0.4 {
            let before = (old.count(), new.count());
            ask(&mesh, 8, 25).await;
            let (old, new) = (old.count() - before.0, new.count() - before.1);
            share = new as f64 / (old + new) as f64;
        }
    })
    .await;
    assert!(watch.elapsed() > WINDOW / 4, "{balance}: {share} after {:?}", watch.elapsed());
}

#[tokio::test]
async fn a_new_endpoint_starts_slowly() {
    tokio::join!(slow_start("LeastRequest"), slow_start("RoundRobin"), slow_start("Random"));
}

/// Weights are shares of the traffic, also where requests wait at both.
#[tokio::test]
async fn weights_of_endpoints_hold_under_load() {
    let answer = |_: &server::Seen| Answer::text("x").after(Duration::from_millis(5));
    let (heavy, light) = (server::http1(answer).await, server::http1(answer).await);
    let endpoints = format!(
        "endpoints: [{{address: {:?}, weight: 9}}, {{address: {:?}, weight: 1}}]",
        heavy.address, light.address
    );
    let mesh = Mesh::of(&simple(&[]).replace("endpoints: []", &endpoints)).start();
    ask(&mesh, 8, 100).await;
    // 80, and one at a time where a share of eight is less than one.
    assert!((40..160).contains(&light.count()), "{} of 800", light.count());
}

async fn three() -> [server::Upstream; 3] {
    [server::named("a").await, server::named("b").await, server::named("c").await]
}

fn addresses(ups: &[server::Upstream; 3]) -> [&str; 3] {
    [&ups[0].address, &ups[1].address, &ups[2].address]
}

#[tokio::test]
async fn round_robin_goes_round() {
    for workers in [1, 4] {
        let ups = three().await;
        let yaml = simple(&addresses(&ups)) + &policy("up", "balance: {type: RoundRobin}");
        let mesh = Mesh::of(&yaml).workers(workers).start();
        ask(&mesh, 3, 100).await;
        for up in &ups {
            assert_eq!(up.count(), 100, "{workers} workers");
        }
    }
}

#[tokio::test]
async fn a_hash_brings_the_same_to_the_same() {
    let ups = three().await;
    let yaml = simple(&addresses(&ups))
        + &policy("up", "balance: {type: ConsistentHash, hashOn: {type: Header, name: x-user}}");
    let mesh = Mesh::of(&yaml).workers(4).start();
    let mut found = std::collections::BTreeSet::new();
    for user in 0..30 {
        let line = format!("x-user: {user}");
        let mut homes = std::collections::BTreeSet::new();
        for _ in 0..4 {
            let mut client = Client::connect(mesh.port(80)).await;
            homes.insert(client.ask("GET", "h", "/", &[&line]).await.expect(200).text());
        }
        assert_eq!(homes.len(), 1, "{user}");
        found.extend(homes);
    }
    assert_eq!(found.len(), 3);
}

#[tokio::test]
async fn equal_endpoints_share_one_request_at_a_time() {
    // What tells them apart then is noise alone.
    for workers in [1, 4] {
        let ups = [server::named("a").await, server::named("b").await];
        let yaml = simple(&[&ups[0].address, &ups[1].address]);
        let mesh = Mesh::of(&yaml).workers(workers).start();
        ask(&mesh, 1, 1_000).await;
        for up in &ups {
            assert!(up.count() >= 300, "{workers} workers: {} of 1,000", up.count());
        }
    }
}

#[tokio::test]
async fn one_request_a_second_finds_every_endpoint() {
    // So few that each worker sees hardly any: what decides is shared.
    for workers in [1, 4] {
        let ups = three().await;
        let mesh = Mesh::of(&simple(&addresses(&ups))).workers(workers).start();
        for _ in 0..60 {
            crate::support::client::get(mesh.port(80), "h", "/").await.expect(200);
        }
        for up in &ups {
            assert!(up.count() >= 1, "{workers} workers: {}", up.count());
        }
    }
}

/// Takes every Upgrade, and answers everything else.
async fn switching() -> server::Upstream {
    server::raw(|mut wire, _| async move {
        while let Ok(Some(head)) = wire.head().await {
            if head.get("upgrade").is_none() {
                let _ = wire.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
                continue;
            }
            let switch =
                "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
            let _ = wire.write(switch).await;
            while wire.fill().await.is_ok_and(|read| read > 0) {}
            return;
        }
    })
    .await
}

async fn tunnel(mesh: &Mesh) -> Client {
    let mut client = Client::connect(mesh.port(80)).await;
    client
        .send("GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
        .await;
    assert_eq!(client.head().await.0, 101);
    client
}

#[tokio::test]
async fn a_tunnel_weighs_on_its_endpoint_until_it_closes() {
    let (laden, free) = (switching().await, server::named("free").await);
    let mut mesh = Mesh::of(&simple(&[&laden.address])).workers(1).start();
    let mut tunnels = Vec::new();
    for _ in 0..10 {
        tunnels.push(tunnel(&mesh).await);
    }
    mesh.apply(&simple(&[&laden.address, &free.address])).await;
    let mut client = Client::connect(mesh.port(80)).await;
    for _ in 0..200 {
        client.get("h", "/").await.expect(200);
    }
    // Eleven times the load has odds of one to some ten thousand.
    assert!(free.count() > 197, "{} of 200", free.count());
    tunnels.clear();
    until("the tunnels' end", || laden.open() <= 1).await;
    let before = free.count();
    for _ in 0..200 {
        client.get("h", "/").await.expect(200);
    }
    assert!(free.count() - before < 200, "{} of 200", free.count() - before);
}

#[tokio::test]
async fn a_tunnel_counts_against_the_requests_that_a_backend_takes() {
    let up = switching().await;
    let mesh = mesh(&(simple(&[&up.address]) + &policy("up", "maxRequests: 2")));
    let tunnels = [tunnel(&mesh).await, tunnel(&mesh).await];
    assert_eq!(mesh.metric(Family::UpstreamConnections, &["state=\"active\""]), 2);
    let mut client = Client::connect(mesh.port(80)).await;
    let answer = client.get("h", "/").await.expect(503);
    assert_eq!(answer.cause(), Some("upstream_overloaded"));
    drop(tunnels);
    let active = || mesh.metric(Family::UpstreamConnections, &["state=\"active\""]);
    until("the tunnels' end", || active() == 0).await;
    client.get("h", "/").await.expect(200);
}
