//! Copies of requests.

use std::time::Duration;

use bytes::Bytes;
use meshctl::telemetry::Family;

use crate::support::client::{Client, get};
use crate::support::clock::Watch;
use crate::support::words::{GATEWAY, backend, route, to};
use crate::support::{h2, mesh, server, until};

fn mirror(name: &str, more: &str) -> String {
    format!("{{type: RequestMirror, requestMirror: {{backendRef: {}{more}}}}}", to(name))
}

fn rules(filters: &[String]) -> String {
    format!("- filters: [{}]\n  backendRefs: [{}]\n", filters.join(", "), to("up"))
}

#[tokio::test]
async fn a_mirror_gets_the_same_request() {
    let (up, copy) = (server::echo().await, server::named("nobody reads this").await);
    let mesh = mesh(&format!(
        "{GATEWAY}{}{}{}",
        route("r", &[], &rules(&[mirror("copy", "")])),
        backend("up", &[&up.address], ""),
        backend("copy", &[&copy.address], "")
    ));
    let mut client = Client::connect(mesh.port(80)).await;
    let answer = client.post("shop.example", "/a?b", "a body").await.expect(200);
    assert_eq!(answer.text(), "a body");
    client.get("shop.example", "/c").await.expect(200);
    until("the mirror", || copy.count() == 2).await;
    let mut seen = copy.seen();
    seen.sort_by(|a, b| a.target.cmp(&b.target));
    assert_eq!(
        (&*seen[0].method, &*seen[0].target, &*seen[0].body),
        ("POST", "/a?b", &b"a body"[..])
    );
    assert_eq!((&*seen[1].method, &*seen[1].target), ("GET", "/c"));
    assert_eq!(seen[0].host, "shop.example");
    assert_eq!(seen[0].get("x-request-id"), up.seen()[0].get("x-request-id"));
    until("the count", || mesh.metric(Family::Mirrors, &["outcome=\"ok\""]) == 2).await;
}

#[tokio::test]
async fn several_mirrors_with_chunks_and_trailers() {
    let up = server::echo().await;
    let (a, b) = (server::named("a").await, server::named("b").await);
    let mesh = mesh(&format!(
        "{GATEWAY}{}{}{}{}",
        route("r", &[], &rules(&[mirror("a", ""), mirror("b", ", percent: 100")])),
        backend("up", &[&up.address], ""),
        backend("a", &[&a.address], ""),
        backend("b", &[&b.address], "")
    ));
    let mut client = Client::connect(mesh.port(80)).await;
    client
        .send("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
        .await;
    client.send("3\r\ndef\r\n0\r\nx-sum: 6\r\n\r\n").await;
    assert_eq!(client.response().await.expect(200).text(), "abcdef");
    until("both mirrors", || a.count() == 1 && b.count() == 1).await;
    assert_eq!(a.last().body, b"abcdef");
    assert_eq!(b.last().body, b"abcdef");
    for one in [&up, &a, &b] {
        assert_eq!(one.last().trailers, [("x-sum".to_owned(), "6".to_owned())]);
    }
}

#[tokio::test]
async fn a_share_of_the_requests_is_mirrored() {
    let up = server::named("up").await;
    let (none, some) = (server::named("none").await, server::named("some").await);
    let filters = [
        mirror("none", ", percent: 0"),
        mirror("some", ", fraction: {numerator: 1, denominator: 4}"),
    ];
    let mesh = mesh(&format!(
        "{GATEWAY}{}{}{}{}",
        route("r", &[], &rules(&filters)),
        backend("up", &[&up.address], ""),
        backend("none", &[&none.address], ""),
        backend("some", &[&some.address], "")
    ));
    let mut client = Client::connect(mesh.port(80)).await;
    for _ in 0..400 {
        client.get("h", "/").await.expect(200);
    }
    until("the mirrors", || {
        let ok = mesh.metric(Family::Mirrors, &["outcome=\"ok\""]);
        usize::try_from(ok).unwrap() == some.count()
    })
    .await;
    assert_eq!(none.count(), 0);
    // Six standard deviations of a binomial.
    assert!((48..152).contains(&some.count()), "{}", some.count());
}

#[tokio::test]
async fn what_a_mirror_does_is_nobodys_business() {
    let up = server::echo().await;
    let broken = server::canned("HTTP/1.1 500 Oh\r\ncontent-length: x\r\n\r\n").await;
    let nobody = server::nobody().await.to_string();
    let mesh = mesh(
        &format!(
            "{GATEWAY}{}{}{}{}",
            route(
                "r",
                &[],
                &rules(&[mirror("broken", ""), mirror("nobody", ""), mirror("gone", "")])
            ),
            backend("up", &[&up.address], ""),
            backend("broken", &[&broken.address], ""),
            backend("nobody", &[&nobody], ""),
        )
        .as_str()
        .replace("kind: Backend, name: gone", "kind: Backend, name: broken"),
    );
    for _ in 0..5 {
        assert_eq!(get(mesh.port(80), "h", "/").await.expect(200).text(), "");
    }
    until("the counts", || mesh.metric(Family::Mirrors, &["outcome=\"failed\""]) == 15).await;
}

/// A mirror that takes the connection and never reads: the upload keeps its rate, and what the
/// process holds stays below a window. A process of its own takes 1 GiB in tests/peers/upload.rs.
#[tokio::test]
async fn a_mirror_that_never_reads_holds_nothing_up() {
    const MIB: usize = 64;
    if !crate::support::alone("proxy::mirror::a_mirror_that_never_reads_holds_nothing_up") {
        return;
    }
    let up = server::http1(|seen| server::Answer::text(seen.length.to_string())).await;
    let stuck = server::socket(|stream, _| async move {
        let _stream = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let yaml = |filters: &[String]| {
        format!(
            "{GATEWAY}{}{}{}",
            route("r", &[], &rules(filters)),
            backend("up", &[&up.address], ""),
            backend("stuck", &[&stuck.address], "")
        )
    };
    let mut mesh = mesh(&yaml(&[]));
    upload(&mesh, 8).await;
    let alone = upload(&mesh, MIB).await;
    mesh.apply(&yaml(&[mirror("stuck", "")])).await;
    let before = resident();
    let beside = upload(&mesh, MIB).await;
    let grown = resident().saturating_sub(before);
    assert!(beside < alone * 3 + Duration::from_secs(1), "{alone:?} alone, {beside:?} with it");
    assert!(grown < 8 << 20, "{grown} bytes more");
    until("the drop", || mesh.metric(Family::Mirrors, &["outcome=\"dropped\""]) == 1).await;
}

async fn upload(mesh: &crate::support::Mesh, mib: usize) -> Duration {
    let watch = Watch::start();
    let mut client = Client::connect(mesh.port(80)).await;
    let length = mib << 20;
    client.send(format!("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: {length}\r\n\r\n")).await;
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..mib {
        client.send(&piece).await;
    }
    assert_eq!(client.response().await.expect(200).text(), length.to_string());
    watch.elapsed()
}

/// This process's memory: that of the proxy, its client and its upstreams.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[tokio::test]
async fn http2_requests_are_mirrored_alike() {
    let up = server::http2(|seen| server::Answer::text(seen.body.clone())).await;
    let copy = server::http2(|_| server::Answer::text("x")).await;
    let mesh = mesh(&format!(
        "{GATEWAY}{}{}{}",
        route("r", &[], &rules(&[mirror("copy", "")])),
        backend("up", &[&up.address], "protocol: H2C"),
        backend("copy", &[&copy.address], "protocol: H2C")
    ));
    let mut client = h2::Client::connect(mesh.port(80)).await;
    let body = Bytes::from(vec![b'y'; 40_000]);
    let answer = client.post("h", "/m", &[], body.clone()).await.expect(200);
    assert_eq!(answer.body, body);
    until("the mirror", || copy.count() == 1).await;
    assert_eq!(copy.last().body, body);
    let mut exchange = client.start("POST", "h", "/t", &[], false).await.unwrap();
    let mut trailers = http::HeaderMap::new();
    trailers.insert("x-sum", "7".parse().unwrap());
    h2::send(&mut exchange.body, body.clone(), Some(trailers)).await.unwrap();
    exchange.finish().await.unwrap().expect(200);
    until("the mirror", || copy.count() == 2).await;
    assert_eq!(copy.last().body, body);
    for one in [&up, &copy] {
        assert_eq!(one.last().trailers, [("x-sum".to_owned(), "7".to_owned())]);
    }
}
