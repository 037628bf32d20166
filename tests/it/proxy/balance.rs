//! Which endpoint gets how much.

use std::time::Duration;

use crate::support::Mesh;
use crate::support::client::Client;
use crate::support::server::{self, Answer};
use crate::support::words::{policy, simple};

/// An endpoint ten times slower than its two neighbours gets under a fifth of its equal share.
async fn slow_endpoint(workers: usize) {
    let answer =
        |wait: u64| move |_: &server::Seen| Answer::text("x").after(Duration::from_millis(wait));
    let fast = [server::http1(answer(10)).await, server::http1(answer(10)).await];
    let slow = server::http1(answer(100)).await;
    let mesh = Mesh::of(&simple(&[&fast[0].address, &slow.address, &fast[1].address]))
        .workers(workers)
        .start();
    // The first requests are how it is found out.
    ask(&mesh, 8, 10).await;
    let before = (slow.count(), fast[0].count() + fast[1].count());
    ask(&mesh, 8, 100).await;
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
