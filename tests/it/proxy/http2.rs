//! HTTP/2 on either side.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::Semaphore;

use crate::support::client::Client;
use crate::support::server::{self, Answer};
use crate::support::words::simple;
use crate::support::{Mesh, h2, mesh, until, within};

/// A mesh in front of an upstream that speaks HTTP/2 with prior knowledge.
fn h2c(address: &str) -> Mesh {
    mesh(&(simple(&[address]) + "  protocol: H2C\n"))
}

fn bytes(size: u32) -> Bytes {
    (0..size).map(|at| (at % 253) as u8).collect::<Vec<u8>>().into()
}

/// Both upstreams and what each needs.
async fn both(
    answer: impl Fn(&server::Seen) -> Answer + Clone + Send + Sync + 'static,
) -> [(Mesh, server::Upstream); 2] {
    let one = server::http1(answer.clone()).await;
    let two = server::http2(answer).await;
    [(mesh(&simple(&[&one.address])), one), (h2c(&two.address), two)]
}

#[tokio::test]
async fn each_protocol_reaches_the_other() {
    for (mesh, up) in both(|seen| Answer::text(seen.body.clone())).await {
        let mut first = Client::connect(mesh.port(80)).await;
        let answer = first.post("shop.example", "/a?b", "one").await.expect(200);
        assert_eq!(answer.text(), "one");
        let mut second = h2::Client::connect(mesh.port(80)).await;
        let answer = second.post("shop.example", "/a?b", &[], "two").await.expect(200);
        assert_eq!(answer.text(), "two");
        for seen in up.seen() {
            assert_eq!((&*seen.host, &*seen.target), ("shop.example", "/a?b"));
        }
        let answer = second.get("shop.example", "/").await.expect(200);
        assert_eq!(answer.length, 0);
        assert!(answer.get("date").is_some());
    }
}

#[tokio::test]
async fn big_bodies_flow_both_ways() {
    for (mesh, up) in both(|seen| Answer::text(seen.body.clone())).await {
        let body = bytes(1_000_000);
        let mut client = h2::Client::connect(mesh.port(80)).await;
        for _ in 0..3 {
            let answer = client.post("h", "/", &[], body.clone()).await.expect(200);
            assert!(answer.body == body);
        }
        let mut client = Client::connect(mesh.port(80)).await;
        let answer = client.post("h", "/", &body).await.expect(200);
        assert!(answer.body == body);
        assert_eq!(up.count(), 4);
    }
}

#[tokio::test]
async fn many_streams_share_a_connection() {
    for (mesh, up) in both(|seen| Answer::text(seen.target.clone())).await {
        let mut client = h2::Client::connect(mesh.port(80)).await;
        let mut exchanges = Vec::new();
        for at in 0..90 {
            let target = format!("/{at}");
            exchanges.push(client.start("GET", "h", &target, &[], true).await.unwrap());
        }
        for (at, exchange) in exchanges.into_iter().enumerate() {
            assert_eq!(exchange.finish().await.unwrap().expect(200).text(), format!("/{at}"));
        }
        assert_eq!(up.count(), 90);
        assert_eq!(mesh.connections(), 1);
        if up.last().version == "2" {
            assert_eq!(up.connections(), 1);
        }
    }
}

#[tokio::test]
async fn trailers_go_both_ways() {
    let answer = |seen: &server::Seen| {
        let sum = seen.trailers.first().map(|field| field.1.clone()).unwrap_or_default();
        Answer::text(seen.body.clone()).trailer("x-back", &sum)
    };
    for (mesh, _up) in both(answer).await {
        let mut client = h2::Client::connect(mesh.port(80)).await;
        let mut exchange = client.start("POST", "h", "/", &[], false).await.unwrap();
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", "42".parse().unwrap());
        h2::send(&mut exchange.body, "body".into(), Some(trailers)).await.unwrap();
        let answer = exchange.finish().await.unwrap().expect(200);
        assert_eq!(answer.text(), "body");
        assert_eq!(answer.trailers, [("x-back".to_owned(), "42".to_owned())]);
        let mut client = Client::connect(mesh.port(80)).await;
        client.send("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n").await;
        client.send("4\r\nbody\r\n0\r\nx-sum: 43\r\n\r\n").await;
        let answer = client.response().await.expect(200);
        assert_eq!(answer.trailers, [("x-back".to_owned(), "43".to_owned())]);
    }
}

/// What is waited for at once has a bound in bytes as well as in streams; whoever is refused may
/// ask again, and nothing was done (RFC 9113 §8.7).
#[tokio::test]
async fn long_heads_at_once_are_refused_beyond_a_mebibyte() {
    let (gate, reached) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let (closed, counter) = (Arc::clone(&gate), Arc::clone(&reached));
    let up = server::raw(move |mut wire, _| {
        let (closed, counter) = (Arc::clone(&closed), Arc::clone(&counter));
        async move {
            while let Ok(Some(head)) = wire.head().await {
                if head.line.contains("/wait") {
                    counter.fetch_add(1, Ordering::SeqCst);
                    let _ = closed.acquire().await;
                }
                let _ = wire.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            }
        }
    })
    .await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = h2::Client::connect(mesh.port(80)).await;
    let long = "b".repeat(15_000);
    let long = [("x-long", &*long)];
    let mut exchanges = Vec::new();
    for _ in 0..100 {
        exchanges.push(client.start("GET", "h", "/wait", &long, true).await.unwrap());
    }
    // Streams are taken in order: when this one is answered, all before it have been seen.
    client.get("h", "/").await.expect(200);
    until("what may wait", || reached.load(Ordering::SeqCst) == 69).await;
    gate.close();
    let (mut answered, mut refused) = (0, 0);
    for exchange in exchanges {
        match exchange.finish().await {
            Ok(answer) => {
                answer.expect(200);
                answered += 1;
            }
            Err(error) => {
                assert_eq!(error.reason(), Some(::h2::Reason::REFUSED_STREAM), "{error}");
                refused += 1;
            }
        }
    }
    assert_eq!((answered, refused), (69, 31));
    assert_eq!(reached.load(Ordering::SeqCst), 69, "refused streams reach nobody");
    // One after another there is room.
    for _ in 0..100 {
        client.start("GET", "h", "/", &long, true).await.unwrap().finish().await.unwrap();
    }
    assert!(!client.is_over());
}

/// HTTP/2 has trailers beside a length, HTTP/1 behind chunks alone: what was announced comes.
#[tokio::test]
async fn announced_trailers_come_in_chunks() {
    let up = server::http1(|_| Answer::status(200)).await;
    let mesh_one = mesh(&simple(&[&up.address]));
    let mut client = h2::Client::connect(mesh_one.port(80)).await;
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "42".parse().unwrap());
    let announced = [("content-length", "4"), ("trailer", "x-sum")];
    let mut exchange = client.start("POST", "h", "/", &announced, false).await.unwrap();
    h2::send(&mut exchange.body, "body".into(), Some(trailers)).await.unwrap();
    exchange.finish().await.unwrap().expect(200);
    let seen = up.last();
    assert_eq!(
        (seen.get("content-length"), seen.get("transfer-encoding")),
        (None, Some("chunked"))
    );
    assert_eq!((seen.get("trailer"), &*seen.body), (Some("x-sum"), &b"body"[..]));
    assert_eq!(seen.trailers, [("x-sum".to_owned(), "42".to_owned())]);
    // Where there is no body to trail, nothing is announced.
    let exchange = client.start("GET", "h", "/", &[("trailer", "x-sum")], true).await.unwrap();
    exchange.finish().await.unwrap().expect(200);
    assert_eq!((up.last().get("trailer"), up.last().get("transfer-encoding")), (None, None));

    let up = server::http2(|_| {
        let answer = Answer::text("12345").field("content-length", "5").field("trailer", "x-back");
        answer.trailer("x-back", "1")
    })
    .await;
    let mesh = h2c(&up.address);
    let mut client = Client::connect(mesh.port(80)).await;
    let te = ["connection: te", "te: trailers"];
    let answer = client.ask("GET", "h", "/", &te).await.expect(200);
    assert_eq!(
        (answer.get("transfer-encoding"), answer.get("content-length")),
        (Some("chunked"), None)
    );
    assert_eq!((answer.get("trailer"), &*answer.text()), (Some("x-back"), "12345"));
    assert_eq!(answer.trailers, [("x-back".to_owned(), "1".to_owned())]);
    // A client that didn't ask for them keeps the length, and is promised none.
    let answer = client.get("h", "/").await.expect(200);
    assert_eq!((answer.get("content-length"), answer.get("trailer")), (Some("5"), None));
    assert_eq!((&*answer.text(), answer.trailers.len()), ("12345", 0));
    // Nor does an answer that ends with its connection have any.
    let up = server::http2(|_| Answer::text("1").field("trailer", "x-back").trailer("x-back", "1"));
    let up = up.await;
    let mesh = h2c(&up.address);
    let mut old = Client::connect(mesh.port(80)).await;
    old.send("GET / HTTP/1.0\r\nhost: h\r\nte: trailers\r\n\r\n").await;
    assert_eq!(old.response().await.get("trailer"), None);
}

#[tokio::test]
async fn interim_answers_and_empty_ones() {
    let answer = |seen: &server::Seen| match &*seen.target {
        "/hints" => Answer::text("x").interim(103, &[("link", "</a>")]),
        "/204" => Answer::status(204),
        "/304" => Answer::status(304).field("etag", "\"x\""),
        _ => Answer::text("12345"),
    };
    for (mesh, _up) in both(answer).await {
        let mut client = h2::Client::connect(mesh.port(80)).await;
        let mut exchange = client.start("GET", "h", "/hints", &[], true).await.unwrap();
        let hints =
            within("hints", std::future::poll_fn(|cx| exchange.response.poll_informational(cx)))
                .await
                .unwrap()
                .unwrap();
        assert_eq!(hints.status().as_u16(), 103);
        assert_eq!(hints.headers()["link"], "</a>");
        exchange.finish().await.unwrap().expect(200);
        let mut old = Client::connect(mesh.port(80)).await;
        old.get("h", "/hints").await.expect(200);
        assert_eq!(old.interim.len(), 1);
        for (target, status) in [("/204", 204), ("/304", 304)] {
            let answer = client.get("h", target).await.expect(status);
            assert_eq!((answer.length, answer.get("content-length")), (0, None));
            old.get("h", target).await.expect(status);
        }
        let exchange = client.start("HEAD", "h", "/", &[], true).await.unwrap();
        assert_eq!(exchange.finish().await.unwrap().expect(200).length, 0);
        client.get("h", "/").await.expect(200);
    }
}

#[tokio::test]
async fn a_reset_cancels_the_backends_work() {
    for (mesh, up) in both(|_| Answer::text("late").after(Duration::from_secs(30))).await {
        let mut client = h2::Client::connect(mesh.port(80)).await;
        let mut exchange = client.start("GET", "h", "/", &[], true).await.unwrap();
        until("the request", || up.streams() == 1).await;
        exchange.body.send_reset(::h2::Reason::CANCEL);
        until("the end of its work", || up.streams() == 0).await;
        // Its neighbours live on.
        assert_eq!(mesh.connections(), 1);
        assert!(!client.is_over());
    }
}

#[tokio::test]
async fn an_early_answer_is_complete_although_the_body_is_not() {
    let up = server::raw(|mut wire, _| async move {
        let _ = wire.head().await;
        let answer =
            server::spell(&Answer { status: 413, ..Answer::text(vec![b'e'; 50_000]) }, "POST");
        let _ = wire.write(answer).await;
        tokio::time::sleep(Duration::from_secs(30)).await;
    })
    .await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = h2::Client::connect(mesh.port(80)).await;
    for _ in 0..20 {
        let mut exchange = client.start("POST", "h", "/", &[], false).await.unwrap();
        exchange.body.reserve_capacity(10_000);
        exchange.body.send_data(bytes(10_000), false).unwrap();
        let answer = exchange.finish().await.unwrap().expect(413);
        assert_eq!(answer.length, 50_000);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_a_reset() {
    let up = server::canned("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = h2::Client::connect(mesh.port(80)).await;
    for _ in 0..3 {
        let error = client.try_get("h", "/").await.expect_err("half an answer");
        assert_eq!(error.reason(), Some(::h2::Reason::INTERNAL_ERROR));
    }
    assert!(!client.is_over());
}

#[tokio::test]
async fn a_reset_by_the_backend_is_502_and_its_connection_lives() {
    let up = server::socket(|stream, _| async move {
        let mut connection = ::h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            match request.uri().path() {
                "/reset" => respond.send_reset(::h2::Reason::INTERNAL_ERROR),
                "/refused" => respond.send_reset(::h2::Reason::REFUSED_STREAM),
                _ => drop(respond.send_response(http::Response::new(()), true)),
            }
        }
    })
    .await;
    let mesh = Mesh::of(&(simple(&[&up.address]) + "  protocol: H2C\n")).workers(1).start();
    let mut client = Client::connect(mesh.port(80)).await;
    let answer = client.get("h", "/reset").await.expect(502);
    assert_eq!(answer.cause(), Some("upstream_reset"));
    client.get("h", "/").await.expect(200);
    client.get("h", "/refused").await.expect(502);
    client.get("h", "/").await.expect(200);
    assert_eq!(up.connections(), 1);
}

#[tokio::test]
async fn a_backend_that_says_goodbye_is_asked_on_a_new_connection() {
    let up = server::socket(|stream, _| async move {
        let mut connection = ::h2::server::handshake(stream).await.unwrap();
        let mut answered = 0;
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            let _ = respond.send_response(http::Response::new(()), true);
            answered += 1;
            if answered == 3 {
                connection.graceful_shutdown();
            }
        }
    })
    .await;
    let mesh = Mesh::of(&(simple(&[&up.address]) + "  protocol: H2C\n")).workers(1).start();
    let mut client = h2::Client::connect(mesh.port(80)).await;
    for _ in 0..60 {
        client.get("h", "/").await.expect(200);
    }
    assert!(up.connections() > 2, "{}", up.connections());
}

#[tokio::test]
async fn malformed_requests_are_refused_alone() {
    let up = server::named("up").await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = h2::Client::connect(mesh.port(80)).await;
    for (method, fields, target, status) in [
        ("GET", &[("host", "other")][..], "/", 400),
        ("GET", &[("content-length", "3")], "/", 400),
        ("GET", &[("expect", "magic")], "/", 417),
        ("TRACE", &[], "/", 405),
        ("GET", &[], "/%00", 400),
        ("GET", &[], "/a%5cb", 400),
    ] {
        let exchange = match client.start(method, "h", target, fields, true).await {
            Ok(exchange) => exchange,
            Err(error) => panic!("{method} {target}: {error}"),
        };
        match exchange.finish().await {
            Ok(answer) => assert_eq!(answer.status, status, "{method} {target} {fields:?}"),
            // The h2 crate may have said no before us.
            Err(error) => assert!(error.is_reset(), "{error}"),
        }
    }
    client.get("h", "/").await.expect(200);
    assert_eq!(up.count(), 1);
}

#[tokio::test]
async fn a_stalled_reader_stalls_only_itself() {
    for (mesh, _up) in both(|seen| match &*seen.target {
        "/big" => Answer::text(vec![b'x'; 4 << 20]),
        _ => Answer::text("small"),
    })
    .await
    {
        let mut client = h2::Client::connect(mesh.port(80)).await;
        let stalled = client.start("GET", "h", "/big", &[], true).await.unwrap();
        let (_, stream) = within("a head", stalled.response).await.unwrap().into_parts();
        // Its window is full and nobody reads.
        for _ in 0..20 {
            assert_eq!(client.get("h", "/small").await.expect(200).text(), "small");
        }
        let (_, length, _) = within("the rest", h2::read(stream)).await.unwrap();
        assert_eq!(length, 4 << 20);
    }
}
