//! HTTP/1 between client and backend.

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;

use crate::support::client::{Client, get};
use crate::support::server::{self, Answer};
use crate::support::words::simple;
use crate::support::{mesh, until, within};

#[tokio::test]
async fn connections_are_kept_on_both_sides() {
    let up = server::echo().await;
    let mesh = crate::support::Mesh::of(&simple(&[&up.address])).workers(1).start();
    let mut client = Client::connect(mesh.port(80)).await;
    for _ in 0..50 {
        client.post("h", "/", "again").await.expect(200);
    }
    assert!(up.seen().iter().all(|seen| seen.connection == 0));
    assert_eq!(mesh.connections(), 1);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let up = server::http1(|seen| Answer::text(seen.target.clone())).await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    let mut text = String::new();
    for at in 0..100 {
        text += &match at % 3 {
            0 => format!("GET /{at} HTTP/1.1\r\nhost: h\r\n\r\n"),
            1 => format!("POST /{at} HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc"),
            _ => format!(
                "POST /{at} HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
            ),
        };
    }
    client.send(text).await;
    for at in 0..100 {
        assert_eq!(client.response().await.expect(200).text(), format!("/{at}"));
    }
}

#[tokio::test]
async fn bodies_go_both_ways_whatever_their_framing() {
    let up = server::http1(|seen| {
        let answer = Answer::text(seen.body.clone());
        match &*seen.target {
            "/chunked" => answer.chunked(),
            "/trailers" => answer.trailer("x-sum", "12"),
            _ => answer,
        }
    })
    .await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    for size in [0, 1, 5_000, 16_384, 100_000, 900_000] {
        let body: Vec<u8> = (0..size).map(|at: u32| (at % 253) as u8).collect();
        for target in ["/", "/chunked", "/trailers"] {
            let answer = client.post("h", target, &body).await.expect(200);
            assert!(answer.body == body, "{target} {size}");
            if target == "/trailers" {
                assert_eq!(answer.trailers, [("x-sum".to_owned(), "12".to_owned())]);
            }
        }
        // The same in chunks.
        client.send("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n").await;
        for piece in body.chunks(30_001) {
            client.send(format!("{:X};ext=1\r\n", piece.len())).await;
            client.send(piece).await;
            client.send("\r\n").await;
        }
        client.send("0\r\nX-Sum: 7\r\nContent-Length: 9\r\n\r\n").await;
        assert!(client.response().await.expect(200).body == body);
        let seen = up.last();
        assert_eq!(seen.trailers, [("x-sum".to_owned(), "7".to_owned())]);
    }
}

#[tokio::test]
async fn a_head_request_gets_the_head_alone() {
    let up =
        server::http1(|seen| Answer::text(if seen.method == "HEAD" { "12345" } else { "x" })).await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    let answer = client.ask("HEAD", "h", "/", &[]).await.expect(200);
    assert_eq!((answer.get("content-length"), answer.length), (Some("5"), 0));
    client.get("h", "/").await.expect(200);
    // Failures of our own, too.
    let answer = client.ask("HEAD", "h", "/\\x", &[]).await;
    assert_eq!((answer.status, answer.length), (400, 0));
}

#[tokio::test]
async fn statuses_without_a_body_have_none() {
    let up = server::http1(|seen| {
        let status = seen.target[1..].parse().unwrap();
        let answer = Answer::status(status);
        if status == 304 {
            answer.field("content-length", "1234").field("etag", "\"x\"")
        } else {
            answer
        }
    })
    .await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    for _ in 0..3 {
        assert_eq!(client.get("h", "/204").await.expect(204).get("content-length"), None);
        assert_eq!(client.get("h", "/304").await.expect(304).get("etag"), Some("\"x\""));
        assert_eq!(client.get("h", "/205").await.status, 205);
        client.get("h", "/299").await.expect(299);
    }
}

#[tokio::test]
async fn a_client_waits_for_100_and_gets_it_from_the_backend() {
    let up = server::echo().await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    client
        .send("PUT / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n")
        .await;
    assert_eq!(client.head().await.0, 100);
    client.send("hello").await;
    assert_eq!(client.response().await.expect(200).text(), "hello");
    assert_eq!(up.last().get("expect"), Some("100-continue"));
    // A backend that refuses at once spares the client its body.
    let up = server::raw(|mut wire, _| async move {
        let _ = wire.head().await;
        let _ = wire.write("HTTP/1.1 417 No\r\ncontent-length: 0\r\n\r\n").await;
        let _ = wire.rest().await;
    })
    .await;
    let mesh = crate::support::mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    client
        .send("PUT / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n")
        .await;
    let answer = client.response().await.expect(417);
    assert_eq!(answer.get("connection"), Some("close"), "nobody knows whether a body follows");
}

#[tokio::test]
async fn interim_answers_are_passed_on() {
    let up = server::http1(|_| {
        Answer::text("done")
            .interim(102, &[])
            .interim(103, &[("link", "</a.css>; rel=preload"), ("connection", "x")])
    })
    .await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    for _ in 0..2 {
        assert_eq!(client.get("h", "/").await.expect(200).text(), "done");
        let statuses: Vec<u16> = client.interim.iter().map(|one| one.0).collect();
        assert_eq!(statuses, [102, 103]);
        let hints = &client.interim[1].1;
        assert_eq!(hints.get("link"), Some("</a.css>; rel=preload"));
        assert_eq!(hints.get("connection"), None);
        assert_eq!(hints.get("date"), None);
    }
    // An HTTP/1.0 client was never told of them.
    let mut client = Client::connect(mesh.port(80)).await;
    client.send("GET / HTTP/1.0\r\nhost: h\r\n\r\n").await;
    client.response().await.expect(200);
    assert!(client.interim.is_empty());
}

#[tokio::test]
async fn http_10_is_answered_in_its_own_way() {
    let up = server::http1(|seen| match &*seen.target {
        "/chunked" => Answer::text("chunks").chunked(),
        _ => Answer::text("sized"),
    })
    .await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    client.send("GET /sized HTTP/1.0\r\nhost: h\r\n\r\n").await;
    let answer = client.response().await.expect(200);
    assert_eq!((answer.get("connection"), &*answer.text()), (Some("close"), "sized"));
    assert_eq!(client.rest().await, b"");
    let mut client = Client::connect(mesh.port(80)).await;
    for _ in 0..2 {
        client.send("GET /sized HTTP/1.0\r\nhost: h\r\nconnection: keep-alive\r\n\r\n").await;
        let answer = client.response().await.expect(200);
        assert_eq!(answer.get("connection"), Some("keep-alive"));
    }
    client.send("GET /chunked HTTP/1.0\r\nhost: h\r\nconnection: keep-alive\r\n\r\n").await;
    let answer = client.response().await.expect(200);
    assert_eq!(answer.get("transfer-encoding"), None);
    assert_eq!(answer.get("connection"), Some("close"));
    assert_eq!(answer.text(), "chunks");
    assert_eq!(up.last().version, "1.1");
    // Without a Host there is no listener with a name, but one for every host.
    let mut client = Client::connect(mesh.port(80)).await;
    client.send("GET /sized HTTP/1.0\r\n\r\n").await;
    client.response().await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_never_looks_complete() {
    let up = server::raw(|mut wire, _| async move {
        let head = wire.head().await.unwrap().unwrap();
        let text = if head.line.contains("/chunked") {
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"
        } else {
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"
        };
        let _ = wire.write(text).await;
    })
    .await;
    let mesh = mesh(&simple(&[&up.address]));
    for (version, target) in
        [("1.1", "/sized"), ("1.1", "/chunked"), ("1.0", "/sized"), ("1.0", "/chunked")]
    {
        let mut client = Client::connect(mesh.port(80)).await;
        client.send(format!("GET {target} HTTP/{version}\r\nhost: h\r\n\r\n")).await;
        let answer = client.try_response("GET").await;
        assert!(answer.is_err(), "HTTP/{version} {target}: {answer:?}");
    }
}

#[tokio::test]
async fn a_body_up_to_the_connections_end_is_framed_for_the_client() {
    let up = server::canned("HTTP/1.1 200 OK\r\nx-old: 1\r\n\r\nuntil the end").await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    for _ in 0..3 {
        let answer = client.get("h", "/").await.expect(200);
        assert_eq!(answer.text(), "until the end");
        assert_eq!(answer.get("transfer-encoding"), Some("chunked"));
    }
}

#[tokio::test]
async fn websockets_go_both_ways() {
    let up = server::socket(|stream, _| async move {
        let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
        while let Some(Ok(message)) = socket.next().await {
            if message.is_close() {
                break;
            }
            if message.is_text() || message.is_binary() {
                socket.send(message).await.unwrap();
            }
        }
        let _ = socket.close(None).await;
    })
    .await;
    let mesh = mesh(&simple(&[&up.address]));
    let stream = tokio::net::TcpStream::connect(mesh.port(80)).await.unwrap();
    let (mut socket, answer) =
        within("the handshake", tokio_tungstenite::client_async("ws://shop.example/chat", stream))
            .await
            .unwrap();
    assert_eq!(answer.status().as_u16(), 101);
    for size in [0, 1, 1_000, 200_000] {
        let message = Message::binary(vec![7; size]);
        socket.send(message.clone()).await.unwrap();
        let back = within("an echo", socket.next()).await.unwrap().unwrap();
        assert_eq!(back, message);
    }
    socket.send(Message::text("bye")).await.unwrap();
    within("an echo", socket.next()).await.unwrap().unwrap();
    socket.close(None).await.unwrap();
    within("the end", async { while let Some(Ok(_)) = socket.next().await {} }).await;
    drop(socket);
    until("the tunnel's end", || mesh.connections() == 0 && up.open() == 0).await;
}

#[tokio::test]
async fn an_upgrade_that_is_not_taken_is_an_ordinary_answer() {
    let up = server::named("no, thanks").await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    let lines = ["connection: upgrade", "upgrade: websocket"];
    let answer = client.ask("GET", "h", "/", &lines).await.expect(200);
    assert_eq!(answer.text(), "no, thanks");
    assert_eq!(up.last().get("upgrade"), Some("websocket"));
    client.get("h", "/").await.expect(200);
}

/// A tunnel is a way past every rule behind it: only WebSocket gets one. RFC 9110 §7.8 lets a
/// server ignore any other, and a request with one is a request.
#[tokio::test]
async fn only_websocket_becomes_a_tunnel() {
    // Takes whatever it is asked for.
    let up = server::raw(|mut wire, _| async move {
        while let Ok(Some(head)) = wire.head().await {
            let answer = match head.get("upgrade") {
                Some(protocol) => format!(
                    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: \
                     {protocol}\r\n\r\n"
                ),
                None => "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nplain".to_owned(),
            };
            assert_eq!((head.get("connection"), head.get("http2-settings")), (None, None));
            let _ = wire.write(answer).await;
        }
    })
    .await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    for (method, protocol) in [
        ("GET", "echo"),
        ("GET", "SPDY/3.1"),
        ("GET", "connect-udp"),
        ("GET", "h2c"),
        ("GET", "websockets"),
        ("GET", "websocket/13"),
        ("GET", "websocket, echo"),
        // RFC 6455 §4.1.
        ("DELETE", "websocket"),
        ("OPTIONS", "websocket"),
    ] {
        let upgrade = format!("upgrade: {protocol}");
        let lines = ["connection: upgrade, http2-settings", "http2-settings: AAA", &upgrade];
        let answer = client.ask(method, "h", "/", &lines).await.expect(200);
        assert_eq!(answer.text(), "plain", "{method} {protocol}");
    }
}

#[tokio::test]
async fn what_follows_a_switch_belongs_to_the_new_protocol() {
    let up = server::raw(|mut wire, _| async move {
        let _ = wire.head().await;
        let switch =
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nhello";
        let _ = wire.write(switch).await;
        while wire.fill().await.is_ok_and(|read| read > 0) {
            let read = std::mem::take(&mut wire.read);
            let _ = wire.write(read).await;
        }
        let _ = wire.write("the end").await;
    })
    .await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    client
        .send("GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nearly")
        .await;
    let (status, head) = client.head().await;
    assert_eq!((status, head.get("upgrade")), (101, Some("websocket")));
    // Half-closing is kept: the other half still comes.
    client.send("late").await;
    client.finish().await;
    let rest = String::from_utf8(client.rest().await).unwrap();
    assert_eq!(rest.replace("earlylate", "late"), "hellolatethe end", "{rest}");
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_backends_work() {
    let up =
        server::http1(|_| Answer::text("late").after(std::time::Duration::from_secs(30))).await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n").await;
    until("the request", || up.streams() == 1).await;
    drop(client);
    until("the end of its work", || up.open() == 0 && mesh.connections() == 0).await;
    let logged = mesh.metric(meshctl::telemetry::Family::Requests, &["client_disconnected"]);
    assert_eq!(logged, 1);
}

#[tokio::test]
async fn an_early_answer_is_read_before_the_connection_closes() {
    let up = server::raw(|mut wire, _| async move {
        let _ = wire.head().await;
        let _ = wire.write("HTTP/1.1 413 Enough\r\ncontent-length: 6\r\n\r\nenough").await;
        tokio::time::sleep(std::time::Duration::from_secs(30)).await;
    })
    .await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 100000000\r\n\r\n").await;
    client.send(vec![b'x'; 100_000]).await;
    let answer = client.response().await.expect(413);
    assert_eq!(answer.text(), "enough");
    until("the connection's end", || mesh.connections() == 0).await;
}

#[tokio::test]
async fn a_connection_to_a_gone_backend_is_never_reused() {
    let up = server::named("one").await;
    let address = up.address.clone();
    let mesh = mesh(&simple(&[&address]));
    get(mesh.port(80), "h", "/").await.expect(200);
    up.gone().await;
    get(mesh.port(80), "h", "/").await.expect(502);
    let _up = server::http1_at(&address, |_| Answer::text("two")).await;
    assert_eq!(get(mesh.port(80), "h", "/").await.expect(200).text(), "two");
}
