//! What is too much, and what is no HTTP at all.

use crate::support::client::{Client, get};
use crate::support::server;
use crate::support::words::{settings, simple};
use crate::support::{h2, mesh};

#[tokio::test]
async fn too_much_has_its_status() {
    let up = server::named("up").await;
    let mesh = mesh(&simple(&[&up.address]));
    let field = |size| format!("GET / HTTP/1.1\r\nhost: h\r\nx: {}\r\n\r\n", "y".repeat(size));
    let many = |count: usize| {
        let lines: String = (0..count).map(|at| format!("x-{at}: 1\r\n")).collect();
        format!("GET / HTTP/1.1\r\nhost: h\r\n{lines}\r\n")
    };
    let target = |size| format!("GET /{} HTTP/1.1\r\nhost: h\r\n\r\n", "y".repeat(size));
    for (text, status, cause) in [
        (field(50_000), 200, None),
        (field(70_000), 431, Some("head_too_large")),
        (many(80), 200, None),
        (many(120), 431, Some("head_too_large")),
        (target(8_000), 200, None),
        (target(9_000), 414, Some("target_too_long")),
        (target(100_000), 414, Some("target_too_long")),
    ] {
        let mut client = Client::connect(mesh.port(80)).await;
        client.send(&text).await;
        let answer = client.response().await.expect(status);
        assert_eq!(answer.cause(), cause);
        if status != 200 {
            assert_eq!(answer.get("connection"), Some("close"));
            assert_eq!(client.rest().await, b"");
        }
    }
}

#[tokio::test]
async fn a_gateway_may_take_less() {
    let up = server::named("up").await;
    let mesh = mesh(&(simple(&[&up.address]) + &settings("limits: {headerBytes: 2Ki}")));
    let mut client = Client::connect(mesh.port(80)).await;
    let line = format!("x: {}", "y".repeat(1_500));
    client.ask("GET", "h", "/", &[&line]).await.expect(200);
    let line = format!("x: {}", "y".repeat(2_500));
    client.ask("GET", "h", "/", &[&line]).await.expect(431);
}

#[tokio::test]
async fn what_is_no_http_is_refused_and_closed() {
    let up = server::named("up").await;
    let mesh = mesh(&simple(&[&up.address]));
    for (text, status) in [
        ("nonsense\r\n\r\n", 400),
        ("GET /\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nhost: a b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nhost: h\r\nx : 1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nhost: h\r\n x: 1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nhost: h\r\nx: a\0b\r\n\r\n", 400),
        ("GET /a\\b HTTP/1.1\r\nhost: h\r\n\r\n", 400),
        ("GET /%5c HTTP/1.1\r\nhost: h\r\n\r\n", 400),
        ("GET /../x HTTP/1.1\r\nhost: h\r\n\r\n", 400),
        ("GET /a/../x HTTP/1.1\r\nhost: h\r\n\r\n", 200),
        (
            "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
            400,
        ),
        ("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd", 400),
        ("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: gzip, chunked\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: +3\r\n\r\nabc", 400),
        ("GET / HTTP/2.0\r\nhost: h\r\n\r\n", 505),
        ("GET / HTTP/1.1\r\nhost: h\r\nexpect: magic\r\n\r\n", 417),
        ("TRACE / HTTP/1.1\r\nhost: h\r\n\r\n", 405),
        ("CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n", 405),
    ] {
        let mut client = Client::connect(mesh.port(80)).await;
        client.send(format!("{text}GET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n")).await;
        let answer = client.response().await;
        let fits = answer.status == status || (status == 400 && answer.status == 501);
        assert!(fits, "{text:?}: {answer:?}");
        if status >= 400 {
            assert_eq!(answer.get("connection"), Some("close"), "{text:?}");
            assert_eq!(client.rest().await, b"", "{text:?}");
        }
    }
    assert!(up.seen().iter().all(|seen| seen.target == "/x" || seen.target == "/smuggled"));
    assert_eq!(up.count(), 2);
}

#[tokio::test]
async fn a_body_that_is_no_chunks_ends_everything() {
    let up = server::echo().await;
    let mesh = mesh(&simple(&[&up.address]));
    for body in ["xyz\r\n", "3\r\nabcd\r\n0\r\n\r\n", "-1\r\n", "10000000000000000\r\n"] {
        let mut client = Client::connect(mesh.port(80)).await;
        client
            .send(format!("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n{body}"))
            .await;
        client.response().await.expect(400);
        assert_eq!(client.rest().await, b"");
    }
    crate::support::until("the backend to be let go", || up.open() == 0).await;
    assert!(up.seen().iter().all(|seen| seen.broken));
}

#[tokio::test]
async fn http2_has_bounds_of_its_own() {
    let up = server::named("up").await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = h2::Client::connect(mesh.port(80)).await;
    let long = format!("/{}", "y".repeat(9_000));
    client.get("h", &long).await.expect(414);
    let names: Vec<String> = (0..120).map(|at| format!("x-{at}")).collect();
    let fields: Vec<(&str, &str)> = names.iter().map(|name| (&**name, "1")).collect();
    let exchange = client.start("GET", "h", "/", &fields, true).await.unwrap();
    exchange.finish().await.unwrap().expect(431);
    // Past the header list's bound the h2 crate answers itself.
    let big = "y".repeat(20_000);
    let exchange = client.start("GET", "h", "/", &[("x", &big)], true).await.unwrap();
    if let Ok(answer) = exchange.finish().await {
        answer.expect(431);
    }
    client.get("h", "/").await.expect(200);
    assert_eq!(up.count(), 1);
}

#[tokio::test]
async fn a_backend_has_only_so_many_requests() {
    use crate::support::words::policy;
    let up = server::http1(|seen| match &*seen.target {
        "/slow" => server::Answer::text("x").after(std::time::Duration::from_secs(30)),
        _ => server::Answer::text("x"),
    })
    .await;
    let mesh = mesh(&(simple(&[&up.address]) + &policy("up", "maxRequests: 2")));
    let mut waiting = Vec::new();
    for at in 0..2 {
        let mut client = Client::connect(mesh.port(80)).await;
        client.send("GET /slow HTTP/1.1\r\nhost: h\r\n\r\n").await;
        crate::support::until("the request", || up.streams() == at + 1).await;
        waiting.push(client);
    }
    let answer = get(mesh.port(80), "h", "/").await.expect(503);
    assert_eq!(answer.cause(), Some("upstream_overloaded"));
    waiting.pop();
    crate::support::until("room", || up.streams() == 1).await;
    get(mesh.port(80), "h", "/").await.expect(200);
}
