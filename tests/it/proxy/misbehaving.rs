//! Upstreams that break the rules: the client gets one answer, nobody else gets a byte of it.

use crate::support::client::{Client, get};
use crate::support::server;
use crate::support::words::simple;
use crate::support::{Mesh, h2, mesh, until};

/// Bytes of an answer, and the cause that the client hears.
const BROKEN: &[(&str, &str)] = &[
    ("", "upstream_closed"),
    ("HTTP/1.1 200 OK\r\ncontent-len", "upstream_closed"),
    ("garbage\r\n\r\n", "upstream_protocol_error"),
    ("\x16\x03\x01\x02\x00\x01\x00", "upstream_protocol_error"),
    ("HTTP/2.0 200 OK\r\n\r\n", "upstream_protocol_error"),
    ("HTTP/1.1 999999 What\r\n\r\n", "upstream_protocol_error"),
    ("HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", "upstream_protocol_error"),
    ("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "upstream_protocol_error"),
    (
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "upstream_protocol_error",
    ),
    (
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "upstream_protocol_error",
    ),
    ("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n", "upstream_protocol_error"),
    ("HTTP/1.1 200 OK\r\nna me: x\r\n\r\n", "upstream_protocol_error"),
    ("HTTP/1.1 200 OK\r\nname : x\r\ncontent-length: 0\r\n\r\n", "upstream_protocol_error"),
    (
        "HTTP/1.1 200 OK\r\nname: a\r\n folded\r\ncontent-length: 0\r\n\r\n",
        "upstream_protocol_error",
    ),
    (
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        "upstream_protocol_error",
    ),
];

#[tokio::test]
async fn a_broken_head_is_one_502() {
    for (bytes, cause) in BROKEN {
        let up = server::canned(*bytes).await;
        let mesh = mesh(&simple(&[&up.address]));
        let mut client = Client::connect(mesh.port(80)).await;
        for _ in 0..2 {
            let answer = client.get("h", "/").await.expect(502);
            assert_eq!(answer.cause(), Some(*cause), "{bytes:?}");
        }
        assert_eq!(up.connections(), 2, "{bytes:?}");
        let mut client = h2::Client::connect(mesh.port(80)).await;
        let answer = client.get("h", "/").await.expect(502);
        assert_eq!(answer.cause(), Some(*cause), "{bytes:?}");
    }
}

#[tokio::test]
async fn a_head_without_an_end_is_502() {
    let up = server::canned(format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(70_000))).await;
    let mesh_one = mesh(&simple(&[&up.address]));
    let answer = get(mesh_one.port(80), "h", "/").await.expect(502);
    assert_eq!(answer.cause(), Some("upstream_head_too_large"));
    let fields: String = (0..200).map(|at| format!("x-{at}: 1\r\n")).collect();
    let up = server::canned(format!("HTTP/1.1 200 OK\r\n{fields}\r\n")).await;
    let mesh_two = mesh(&simple(&[&up.address]));
    let answer = get(mesh_two.port(80), "h", "/").await.expect(502);
    assert_eq!(answer.cause(), Some("upstream_head_too_large"));
}

#[tokio::test]
async fn a_flood_of_1xx_is_502() {
    let flood = "HTTP/1.1 103 Hints\r\nlink: </a>\r\n\r\n".repeat(1_000);
    let up = server::canned(flood + "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    let answer = client.get("h", "/").await.expect(502);
    assert_eq!(answer.cause(), Some("upstream_protocol_error"));
    assert!(client.interim.len() <= 16, "{}", client.interim.len());
}

/// Answers that are complete, and bytes behind them that nobody asked for.
#[tokio::test]
async fn what_stands_behind_an_answer_is_nobodys() {
    let evil = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\ncontent-length: 52\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
    ] {
        let up = server::raw(move |mut wire, _| async move {
            let _ = wire.head().await;
            let _ = wire.write(format!("{answer}{evil}")).await;
            let _ = wire.rest().await;
        })
        .await;
        let mesh = Mesh::of(&simple(&[&up.address])).workers(1).start();
        let mut client = Client::connect(mesh.port(80)).await;
        for _ in 0..5 {
            let answer = client.get("h", "/").await;
            assert!(matches!(answer.status, 200 | 204 | 304), "{answer:?}");
            assert_ne!(answer.text(), "evil");
            assert!(answer.text() == "ok" || answer.length == 0);
        }
        assert_eq!(up.connections(), 5, "no connection is used twice");
    }
}

#[tokio::test]
async fn bytes_on_an_idle_connection_end_it() {
    let up = server::raw(|mut wire, _| async move {
        let _ = wire.head().await;
        let _ = wire.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        let _ = wire.write("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil").await;
        let _ = wire.rest().await;
    })
    .await;
    let mesh = Mesh::of(&simple(&[&up.address])).workers(1).start();
    let mut client = Client::connect(mesh.port(80)).await;
    for _ in 0..3 {
        assert_eq!(client.get("h", "/").await.expect(200).text(), "ok");
        tokio::time::sleep(std::time::Duration::from_millis(60)).await;
    }
    assert_eq!(up.connections(), 3);
}

#[tokio::test]
async fn a_body_that_breaks_the_rules_breaks_off() {
    for body in [
        "transfer-encoding: chunked\r\n\r\n2\r\nok\r\nxyz\r\n",
        "transfer-encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nok",
        "content-length: 20\r\n\r\nshort",
    ] {
        let up = server::canned(format!("HTTP/1.1 200 OK\r\n{body}")).await;
        let mesh = mesh(&simple(&[&up.address]));
        let mut client = Client::connect(mesh.port(80)).await;
        client
            .send("GET / HTTP/1.1\r\nhost: h\r\n\r\nGET /second HTTP/1.1\r\nhost: h\r\n\r\n")
            .await;
        assert!(client.try_response("GET").await.is_err(), "{body:?}");
        assert_eq!(client.rest().await, b"", "no second answer on a broken connection");
        until("the connection's end", || mesh.connections() == 0).await;
    }
}

#[tokio::test]
async fn an_answer_before_the_request_is_nobodys() {
    // Speaks first: such bytes must never become the answer to what is asked later.
    let up = server::raw(|mut wire, number| async move {
        if number == 0 {
            let _ = wire.write("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil").await;
        }
        while let Ok(Some(_)) = wire.head().await {
            let _ = wire.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        }
    })
    .await;
    let mesh = Mesh::of(&simple(&[&up.address])).workers(1).start();
    let mut client = Client::connect(mesh.port(80)).await;
    client.get("h", "/").await;
    for _ in 0..5 {
        assert_eq!(client.get("h", "/").await.expect(200).text(), "ok");
    }
}

#[tokio::test]
async fn an_http2_upstream_that_speaks_something_else_is_502() {
    let up = server::canned("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
    let mesh = mesh(&(simple(&[&up.address]) + "  protocol: H2C\n"));
    let answer = get(mesh.port(80), "h", "/").await.expect(502);
    assert!(answer.cause().unwrap().starts_with("upstream_"), "{answer:?}");
}
