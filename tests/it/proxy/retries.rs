//! What is tried again, and what never is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use meshctl::telemetry::Family;

use crate::support::client::{Client, get};
use crate::support::clock::Watch;
use crate::support::server::{self, Answer};
use crate::support::words::{GATEWAY, backend, policy, route, simple, to};
use crate::support::{h2, mesh, until};

fn retried(addresses: &[&str], retry: &str, more: &str) -> String {
    let rules = format!("- backendRefs: [{}]\n  retry: {retry}\n", to("up"));
    format!("{GATEWAY}{}{}", route("r", &[], &rules), backend("up", addresses, more))
}

/// Answers this many requests of all connections with `status`, the rest with 200.
async fn failing(status: u16, times: usize) -> server::Upstream {
    let left = Arc::new(AtomicUsize::new(times));
    server::http1(move |seen| {
        let take = |left: usize| left.checked_sub(1);
        match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take) {
            Ok(_) => Answer::status(status),
            Err(_) => Answer::text(seen.body.clone()),
        }
    })
    .await
}

#[tokio::test]
async fn a_refused_connection_is_tried_elsewhere() {
    let (up, nobody) = (server::echo().await, server::nobody().await.to_string());
    let mesh = mesh(&simple(&[&nobody, &up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    for _ in 0..20 {
        // Nothing was sent: any method may be tried again, body and all.
        assert_eq!(client.post("h", "/", "a body").await.expect(200).text(), "a body");
    }
    assert_eq!(up.count(), 20);
    assert!(mesh.metric(Family::Retries, &["outcome=\"sent\""]) > 0);
}

#[tokio::test]
async fn a_refused_connection_without_another_endpoint_is_502() {
    let nobody = server::nobody().await.to_string();
    let mesh = mesh(&simple(&[&nobody]));
    let answer = get(mesh.port(80), "h", "/").await.expect(502);
    assert_eq!(answer.cause(), Some("upstream_connect_refused"));
    assert_eq!(mesh.metric(Family::UpstreamAttempts, &["upstream_connect_refused"]), 2);
}

/// Reads a request and closes, `times` times; then answers.
async fn closing(times: usize) -> server::Upstream {
    server::raw(move |mut wire, number| async move {
        while let Ok(Some(head)) = wire.head().await {
            if wire
                .body(match head.get("content-length") {
                    Some(length) => crate::support::h1::Framing::Length(length.parse().unwrap()),
                    None => crate::support::h1::Framing::None,
                })
                .await
                .is_err()
                || number < times
            {
                return;
            }
            let _ = wire.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        }
    })
    .await
}

#[tokio::test]
async fn a_reset_before_the_answer_is_tried_again_only_where_that_is_safe() {
    for (method, retry, expected) in [
        ("GET", "{attempts: 2, codes: [503]}", 200),
        ("PUT", "{attempts: 2, codes: [503]}", 200),
        ("POST", "{attempts: 2, codes: [503]}", 502),
        ("PATCH", "{attempts: 2, codes: [503]}", 502),
    ] {
        let up = closing(1).await;
        let mesh = mesh(&retried(&[&up.address], retry, ""));
        let mut client = Client::connect(mesh.port(80)).await;
        let answer = client.ask(method, "h", "/", &["content-length: 0"]).await.expect(expected);
        if expected == 502 {
            assert_eq!(answer.cause(), Some("upstream_closed"));
            assert_eq!(up.connections(), 1);
        }
    }
    // Without a retry policy what may have been acted on is nobody's to repeat.
    let up = closing(1).await;
    let mesh = mesh(&simple(&[&up.address]));
    get(mesh.port(80), "h", "/").await.expect(502);
    assert_eq!(up.connections(), 1);
}

#[tokio::test]
async fn a_kept_connection_that_had_closed_costs_nobody_an_answer() {
    // Answers once on each connection and closes it without saying so.
    let up = server::raw(|mut wire, _| async move {
        let _ = wire.head().await;
        let _ = wire.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    })
    .await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    for _ in 0..100 {
        client.get("h", "/").await.expect(200);
    }
    assert_eq!(mesh.metric(Family::Ejections, &[]), 0);
    // Nor does it use up what is there for a dead endpoint.
    let other = server::named("other").await;
    let mesh = crate::support::mesh(&simple(&[&up.address, &other.address]));
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = Client::connect(mesh.port(80)).await;
        client.get("h", "/").await.expect(200);
        clients.push(client);
    }
    up.gone().await;
    for client in &mut clients {
        client.get("h", "/").await.expect(200);
    }
}

#[tokio::test]
async fn statuses_are_tried_again_as_the_rule_says() {
    for (method, attempts, failures, expected) in [
        ("GET", 1, 1, 200),
        ("GET", 1, 2, 503),
        ("GET", 3, 3, 200),
        ("GET", 3, 4, 503),
        ("POST", 3, 1, 503),
        ("PUT", 3, 1, 200),
        ("DELETE", 3, 1, 200),
    ] {
        let up = failing(503, failures).await;
        let retry = format!("{{attempts: {attempts}, codes: [503]}}");
        let mesh = mesh(&retried(&[&up.address], &retry, ""));
        let mut client = Client::connect(mesh.port(80)).await;
        client.ask(method, "h", "/", &["content-length: 0"]).await.expect(expected);
        let tries = if method == "POST" {
            1
        } else {
            failures.min(attempts) + usize::from(expected == 200)
        };
        assert!(up.count() >= tries, "{method} {attempts} {failures}: {}", up.count());
    }
    let up = failing(500, 1).await;
    let mesh = mesh(&retried(&[&up.address], "{attempts: 3, codes: [503]}", ""));
    get(mesh.port(80), "h", "/").await.expect(500);
    assert_eq!(up.count(), 1);
}

#[tokio::test]
async fn a_body_is_sent_again_whole_with_its_trailers() {
    let up = failing(503, 2).await;
    let mesh = mesh(&retried(&[&up.address], "{attempts: 3, codes: [503]}", ""));
    let mut client = Client::connect(mesh.port(80)).await;
    client
        .send("PUT / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")
        .await;
    client.send("6\r\n world\r\n0\r\nx-sum: 11\r\n\r\n").await;
    assert_eq!(client.response().await.expect(200).text(), "hello world");
    assert_eq!(up.count(), 3);
    for seen in up.seen() {
        assert_eq!(seen.body, b"hello world");
        assert_eq!(seen.trailers, [("x-sum".to_owned(), "11".to_owned())]);
    }
    // A long one, in its pieces.
    let up = failing(503, 2).await;
    let mesh = crate::support::mesh(&retried(&[&up.address], "{attempts: 3, codes: [503]}", ""));
    let mut client = Client::connect(mesh.port(80)).await;
    let body: Vec<u8> = (0..60_000_u32).map(|at| (at % 251) as u8).collect();
    client.send("PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: 60000\r\n\r\n").await;
    client.send(&body).await;
    assert_eq!(client.response().await.expect(200).body, body);
    assert!(up.seen().iter().all(|seen| seen.body == body));
}

#[tokio::test]
async fn a_body_that_is_too_long_to_hold_is_sent_once() {
    let up = failing(503, 1).await;
    let mesh = mesh(&retried(&[&up.address], "{attempts: 3, codes: [503]}", ""));
    let mut client = Client::connect(mesh.port(80)).await;
    let body = vec![b'x'; 200_000];
    client.send("PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: 200000\r\n\r\n").await;
    client.send(&body).await;
    client.response().await.expect(503);
    assert_eq!(up.count(), 1);
    assert_eq!(up.last().body, body);
}

#[tokio::test]
async fn the_budget_bounds_what_retries_add() {
    let up = server::http1(|_| Answer::status(503)).await;
    let mesh = mesh(
        &(retried(&[&up.address], "{attempts: 3, codes: [503]}", "")
            + &policy("up", "retryBudget: {percent: 10, minPerSecond: 0}")),
    );
    let mut client = Client::connect(mesh.port(80)).await;
    for _ in 0..200 {
        client.get("h", "/").await.expect(503);
    }
    let extra = up.count() - 200;
    assert!((10..=20).contains(&extra), "{extra} retries for 200 requests");
    assert!(mesh.metric(Family::Retries, &["outcome=\"denied\""]) > 100);
    let sent = mesh.metric(Family::Retries, &["outcome=\"sent\""]);
    assert_eq!(usize::try_from(sent).unwrap(), extra);
}

#[tokio::test]
async fn an_http2_upstream_is_retried_alike() {
    let left = Arc::new(AtomicUsize::new(2));
    let up = server::http2(move |seen| {
        let take = |left: usize| left.checked_sub(1);
        match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take) {
            Ok(_) => Answer::status(503),
            Err(_) => Answer::text(seen.body.clone()),
        }
    })
    .await;
    let mesh = mesh(&retried(&[&up.address], "{attempts: 2, codes: [503]}", "protocol: H2C"));
    let mut client = h2::Client::connect(mesh.port(80)).await;
    let mut exchange = client.start("PUT", "h", "/", &[], false).await.unwrap();
    let mut trailers = http::HeaderMap::new();
    trailers.insert("x-sum", "1".parse().unwrap());
    h2::send(&mut exchange.body, "again".into(), Some(trailers)).await.unwrap();
    assert_eq!(exchange.finish().await.unwrap().expect(200).text(), "again");
    assert_eq!(up.count(), 3);
    for seen in up.seen() {
        assert_eq!(seen.body, b"again");
        assert_eq!(seen.trailers, [("x-sum".to_owned(), "1".to_owned())]);
    }
}

/// A rule whose attempts have this long each, with this wait between them.
fn waiting(addresses: &[&str], attempt: &str, backoff: &str) -> String {
    let rules = format!(
        "- backendRefs: [{}]\n  timeouts: {{backendRequest: {attempt}}}\n  retry: {{attempts: 2, \
         codes: [503], backoff: {backoff}}}\n",
        to("up")
    );
    format!("{GATEWAY}{}{}", route("r", &[], &rules), backend("up", addresses, ""))
}

/// An attempt's time is over with it: no wait behind it is held to it.
#[tokio::test]
async fn an_attempt_that_took_too_long_is_followed_by_another() {
    let late = Duration::from_secs(30);
    let up = server::http1(move |_| Answer::text("late").after(late)).await;
    let mesh = mesh(&waiting(&[&up.address], "150ms", "50ms"));
    let watch = Watch::start();
    let answer = get(mesh.port(80), "h", "/").await.expect(504);
    assert_eq!(answer.cause(), Some("backend_request_timeout"));
    assert_eq!(up.count(), 3);
    assert!(watch.elapsed() >= Duration::from_millis(3 * 150 + 2 * 50), "{:?}", watch.elapsed());
}

#[tokio::test]
async fn the_wait_may_be_longer_than_an_attempt() {
    let up = failing(503, 1).await;
    let mesh = mesh(&waiting(&[&up.address], "300ms", "500ms"));
    let watch = Watch::start();
    get(mesh.port(80), "h", "/").await.expect(200);
    assert_eq!(up.count(), 2);
    assert!(watch.elapsed() >= Duration::from_millis(500), "{:?}", watch.elapsed());
    // Nothing was sent.
    let (up, nobody) = (server::echo().await, server::nobody().await.to_string());
    let mesh = crate::support::mesh(&waiting(&[&nobody, &up.address], "200ms", "300ms"));
    let mut client = Client::connect(mesh.port(80)).await;
    for _ in 0..6 {
        client.get("h", "/").await.expect(200);
    }
    assert!(mesh.metric(Family::Retries, &["outcome=\"sent\""]) > 0);
}

/// Nobody waits for a client that has gone.
#[tokio::test]
async fn a_client_that_leaves_during_the_wait_ends_it() {
    let up = failing(503, 9).await;
    let mesh = mesh(&waiting(&[&up.address], "30s", "15s"));
    let mut client = Client::connect(mesh.port(80)).await;
    client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n").await;
    until("the first attempt", || up.count() == 1).await;
    drop(client);
    let watch = Watch::start();
    until("the end", || mesh.connections() == 0).await;
    assert!(watch.elapsed() < Duration::from_secs(10), "{:?}", watch.elapsed());
    assert_eq!(up.count(), 1);
}
