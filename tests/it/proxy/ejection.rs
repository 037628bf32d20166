//! Endpoints that can't be reached.

use meshctl::telemetry::Family;

use crate::support::client::Client;
use crate::support::server::{self, Answer};
use crate::support::words::{policy, simple};
use crate::support::{mesh, until};

#[tokio::test]
async fn an_endpoint_that_refuses_is_left_out_and_comes_back() {
    let up = server::named("up").await;
    let other = server::named("other").await;
    let address = other.address.clone();
    other.gone().await;
    let mesh = mesh(
        &(simple(&[&up.address, &address])
            + &policy("up", "ejection: {consecutiveFailures: 2, baseTime: 300ms, maxTime: 300ms}")),
    );
    let mut client = Client::connect(mesh.port(80)).await;
    let mut asked = 0;
    while mesh.metric(Family::EndpointEjected, &[]) == 0 {
        client.get("h", "/").await.expect(200);
        asked += 1;
        assert!(asked < 2_000, "never ejected");
    }
    let refused = mesh.metric(Family::UpstreamAttempts, &["upstream_connect_refused"]);
    assert_eq!(refused, 2);
    assert_eq!(mesh.metric(Family::Ejections, &[]), 1);
    for _ in 0..50 {
        client.get("h", "/").await.expect(200);
    }
    let other = server::http1_at(&address, |_| Answer::text("other")).await;
    until("the return", || {
        mesh.tick();
        mesh.metric(Family::EndpointEjected, &[]) == 0
    })
    .await;
    let mut asked = 0;
    while other.count() == 0 {
        client.get("h", "/").await.expect(200);
        asked += 1;
        assert!(asked < 2_000, "never asked again");
    }
}

#[tokio::test]
async fn statuses_and_the_last_endpoint_are_never_ejected() {
    let up = server::http1(|_| Answer::status(500)).await;
    let mesh =
        mesh(&(simple(&[&up.address]) + &policy("up", "ejection: {consecutiveFailures: 1}")));
    let mut client = Client::connect(mesh.port(80)).await;
    for _ in 0..20 {
        client.get("h", "/").await.expect(500);
    }
    assert_eq!(mesh.metric(Family::Ejections, &[]), 0);
    up.gone().await;
    for _ in 0..20 {
        client.get("h", "/").await.expect(502);
    }
    assert_eq!(mesh.metric(Family::EndpointEjected, &[]), 0);
}
