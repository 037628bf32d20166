//! Clients that are slow, on purpose or not.

use std::time::Duration;

use meshctl::telemetry::Family;

use crate::support::client::Client;
use crate::support::clock::Watch;
use crate::support::server::{self, Answer};
use crate::support::words::{settings, simple};
use crate::support::{h2, mesh, until, within};

#[tokio::test]
async fn a_head_has_one_time_whatever_drips() {
    let up = server::named("up").await;
    let mesh = mesh(&(simple(&[&up.address]) + &settings("timeouts: {requestHead: 200ms}")));
    let mut client = Client::connect(mesh.port(80)).await;
    let watch = Watch::start();
    client.send("GET / HTTP/1.1\r\nhost: h\r\n").await;
    // A byte now and then moves no deadline.
    let dripping = async {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if client.wire.write("x").await.is_err() || watch.elapsed() > Duration::from_secs(2) {
                return;
            }
        }
    };
    within("the deadline", dripping).await;
    let answer = client.try_response("GET").await;
    if let Ok(answer) = answer {
        assert_eq!(answer.expect(408).cause(), Some("request_head_timeout"));
    }
    assert_eq!(up.count(), 0);
    // In good time, in pieces.
    let mut client = Client::connect(mesh.port(80)).await;
    for byte in b"GET / HTTP/1.1\r\nhost: h\r\n\r\n" {
        client.send([*byte]).await;
    }
    client.response().await.expect(200);
}

#[tokio::test]
async fn a_head_that_stops_is_408() {
    let up = server::named("up").await;
    let mesh = mesh(&(simple(&[&up.address]) + &settings("timeouts: {requestHead: 100ms}")));
    let mut client = Client::connect(mesh.port(80)).await;
    client.get("h", "/").await.expect(200);
    client.send("GET / HTTP/1.1\r\nho").await;
    let answer = client.response().await.expect(408);
    assert_eq!(answer.cause(), Some("request_head_timeout"));
    assert_eq!(answer.get("connection"), Some("close"));
    assert_eq!(client.rest().await, b"");
}

/// What may still become HTTP/2's preface has the time of a head, and no more.
#[tokio::test]
async fn letters_that_may_be_either_protocol_have_a_heads_time() {
    let up = server::named("up").await;
    let mesh = mesh(&(simple(&[&up.address]) + &settings("timeouts: {requestHead: 200ms}")));
    for letters in ["P", "PRI * HTTP"] {
        let mut client = Client::connect(mesh.port(80)).await;
        client.send(letters).await;
        let answer = client.response().await.expect(408);
        assert_eq!(answer.cause(), Some("request_head_timeout"), "{letters:?}");
    }
    // A letter at a time.
    let mut client = Client::connect(mesh.port(80)).await;
    let watch = Watch::start();
    for letter in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".chunks(1) {
        tokio::time::sleep(Duration::from_millis(40)).await;
        if client.wire.write(letter).await.is_err() {
            break;
        }
    }
    let _ = client.rest().await;
    assert!(watch.elapsed() < Duration::from_secs(5), "{:?}", watch.elapsed());
    assert_eq!(up.count(), 0);
    // In time.
    let mut client = Client::connect(mesh.port(80)).await;
    client.send("P").await;
    client.send("UT / HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n").await;
    client.response().await.expect(200);
}

#[tokio::test]
async fn a_connection_without_a_byte_is_idle() {
    let up = server::named("up").await;
    let mesh = mesh(&(simple(&[&up.address]) + &settings("timeouts: {idle: 200ms}")));
    let mut client = Client::connect(mesh.port(80)).await;
    assert_eq!(client.rest().await, b"");
    until("the count", || mesh.metric(Family::ConnectionsClosed, &["idle_timeout"]) == 1).await;
}

/// One empty line before a request is passed over (RFC 9112 §2.2), and begins its time.
#[tokio::test]
async fn empty_lines_buy_no_time() {
    let up = server::named("up").await;
    let mesh = mesh(&(simple(&[&up.address]) + &settings("timeouts: {requestHead: 200ms}")));
    for (lines, status) in [("\r\n", 408), ("\r\n\r\n", 400)] {
        let mut client = Client::connect(mesh.port(80)).await;
        client.send(lines).await;
        client.response().await.expect(status);
        assert_eq!(client.rest().await, b"");
    }
    let mut client = Client::connect(mesh.port(80)).await;
    client.send("\r\nGET / HTTP/1.1\r\nhost: h\r\n\r\n").await;
    client.response().await.expect(200);
}

#[tokio::test]
async fn an_idle_connection_is_closed_without_a_word() {
    let up = server::named("up").await;
    let mesh = mesh(&(simple(&[&up.address]) + &settings("timeouts: {idle: 100ms}")));
    let mut client = Client::connect(mesh.port(80)).await;
    client.get("h", "/").await.expect(200);
    assert_eq!(client.rest().await, b"");
    let mut client = h2::Client::connect(mesh.port(80)).await;
    client.get("h", "/").await.expect(200);
    until("the goodbye", || client.is_over()).await;
    until("the count", || mesh.metric(Family::ConnectionsClosed, &["idle_timeout"]) == 2).await;
}

#[tokio::test]
async fn a_stalled_body_is_given_up() {
    let up = server::echo().await;
    let mesh = mesh(&(simple(&[&up.address]) + &settings("timeouts: {streamIdle: 150ms}")));
    let mut client = Client::connect(mesh.port(80)).await;
    client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\nhalf").await;
    let answer = client.response().await;
    assert_eq!(answer.get("connection"), Some("close"));
    assert!(matches!(answer.status, 408 | 504), "{answer:?}");
    until("the backend to be let go", || up.open() == 0).await;
    assert!(up.last().broken);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_let_go() {
    let up = server::http1(|_| Answer::text(vec![b'x'; 32 << 20])).await;
    let mesh = mesh(&(simple(&[&up.address]) + &settings("timeouts: {streamIdle: 1s}")));
    let mut client = Client::connect(mesh.port(80)).await;
    client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n").await;
    until("the request", || up.count() == 1).await;
    until("the client's end", || mesh.metric(Family::ConnectionsActive, &[]) == 0).await;
    until("the backend's end", || up.open() == 0).await;
    let broken = client.try_response("GET").await;
    assert!(broken.is_err());
}

#[tokio::test]
async fn a_slow_reader_gets_all_of_it() {
    let up = server::http1(|_| Answer::text(vec![b'x'; 8 << 20])).await;
    let mesh = mesh(&(simple(&[&up.address]) + &settings("timeouts: {streamIdle: 2s}")));
    let mut client = Client::connect(mesh.port(80)).await;
    client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n").await;
    let (status, head) = client.head().await;
    assert_eq!((status, head.get("content-length")), (200, Some("8388608")));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let body = within("a body", client.wire.body(head.framing())).await.unwrap();
    assert_eq!(body.length, 8 << 20);
}

#[tokio::test]
async fn two_requests_with_time_between_them_have_a_time_each() {
    let up = server::named("up").await;
    let mesh = mesh(
        &(simple(&[&up.address]) + &settings("timeouts: {requestHead: 150ms, streamIdle: 150ms}")),
    );
    let mut client = Client::connect(mesh.port(80)).await;
    let mut streams = h2::Client::connect(mesh.port(80)).await;
    for _ in 0..3 {
        client.get("h", "/").await.expect(200);
        streams.get("h", "/").await.expect(200);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn an_upload_that_takes_longer_than_the_idle_time_is_no_idle_one() {
    let up = server::http1(|seen| Answer::text(seen.length.to_string())).await;
    let mesh = mesh(&(simple(&[&up.address]) + &settings("timeouts: {streamIdle: 200ms}")));
    let mut client = Client::connect(mesh.port(80)).await;
    client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\n").await;
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(60)).await;
        client.send("x").await;
    }
    assert_eq!(client.response().await.expect(200).text(), "10");
}
