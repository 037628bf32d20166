//! Which endpoint gets how much.

use std::time::Duration;

use crate::support::Mesh;
use crate::support::client::Client;
use crate::support::clock::Watch;
use crate::support::server::{self, Answer};
use crate::support::words::{policy, simple};

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
