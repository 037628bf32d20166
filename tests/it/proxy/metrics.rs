//! What was counted is what happened.

use meshctl::telemetry::Family;

use crate::support::client::Client;
use crate::support::server::{self, Answer};
use crate::support::words::simple;
use crate::support::{Mesh, h2, until};

#[tokio::test]
async fn counters_add_up() {
    let up = server::http1(|seen| match &*seen.target {
        "/500" => Answer::status(500),
        _ => Answer::text(seen.body.clone()),
    })
    .await;
    for workers in [1, 4] {
        let mesh = Mesh::of(&simple(&[&up.address])).workers(workers).start();
        let before = up.count();
        for _ in 0..5 {
            let mut client = Client::connect(mesh.port(80)).await;
            let mut streams = h2::Client::connect(mesh.port(80)).await;
            for _ in 0..4 {
                client.post("h", "/", "12345").await.expect(200);
                streams.post("h", "/", &[], "123").await.expect(200);
                streams.get("h", "/500").await.expect(500);
            }
            client.ask("GET", "h", "/\\", &[]).await.expect(400);
        }
        until("the last request to be counted", || mesh.metric(Family::Requests, &[]) == 65).await;
        assert_eq!(mesh.metric(Family::Requests, &["code=\"200\"", "cause=\"\""]), 40);
        assert_eq!(mesh.metric(Family::Requests, &["code=\"500\"", "cause=\"\""]), 20);
        assert_eq!(mesh.metric(Family::Requests, &["code=\"400\"", "cause=\"bad_path\""]), 5);
        let elsewhere = mesh.metric(Family::Requests, &["backend=\"\""]);
        assert_eq!(elsewhere, 5);
        assert_eq!(mesh.metric(Family::RequestDuration, &[]), 65);
        assert_eq!(mesh.metric(Family::RequestBody, &[]), 5 * 4 * (5 + 3));
        let refused = mesh.metric(Family::ResponseBody, &["backend=\"\""]);
        assert_eq!(mesh.metric(Family::ResponseBody, &[]) - refused, 5 * 4 * (5 + 3));
        assert_eq!(mesh.metric(Family::UpstreamAttempts, &["outcome=\"ok\""]), 60);
        assert_eq!(mesh.metric(Family::UpstreamAttempts, &[]), 60);
        assert_eq!(up.count() - before, 60);
        assert_eq!(mesh.metric(Family::ConnectionsAccepted, &[]), 10);
        until("the connections' end", || mesh.metric(Family::ConnectionsActive, &[]) == 0).await;
        until("them to be counted", || mesh.metric(Family::ConnectionsClosed, &[]) == 10).await;
        assert_eq!(mesh.metric(Family::UpstreamConnections, &["active"]), 0);
        assert!(mesh.metric(Family::UpstreamConnections, &["idle"]) >= 1);
        assert!(mesh.metric(Family::UpstreamConnectDuration, &[]) >= 1);
        assert_eq!(mesh.metric(Family::Panics, &[]), 0);
    }
}

#[tokio::test]
async fn a_cause_is_told_to_those_near_alone() {
    // The client is on this machine, so it is told; the header never comes from a backend.
    let up = server::http1(|_| Answer::status(503).field("meshctl-cause", "lie")).await;
    let mesh = crate::support::mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    let answer = client.get("h", "/").await.expect(503);
    assert_eq!(answer.cause(), Some("lie"), "an inner proxy's word for a trusted client");
    let answer = client.ask("GET", "h", "/\\", &[]).await.expect(400);
    assert_eq!(answer.cause(), Some("bad_path"));
}
