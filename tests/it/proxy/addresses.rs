//! Where connections come from and go to: Unix sockets, IPv6, names of both families, the PROXY
//! protocol.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use meshctl::limits;
use meshctl::telemetry::Family;
use socket2::{Domain, SockRef, Socket, Type};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::client::{Client, get};
use crate::support::clock::Watch;
use crate::support::h1::Wire;
use crate::support::server::{self, Answer};
use crate::support::words::{policy, settings, simple};
use crate::support::{Mesh, h2, mesh, within};

#[tokio::test]
async fn a_backend_on_a_unix_socket() {
    let up = server::unix(|seen| Answer::text(seen.body.clone())).await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    for _ in 0..3 {
        assert_eq!(client.post("h", "/", "over a path").await.expect(200).text(), "over a path");
    }
    assert_eq!(up.connections(), 1);
    assert_eq!(up.last().host, "h");
}

#[tokio::test]
async fn a_backend_on_ipv6() {
    let up = server::http1_at("[::1]:0", |_| Answer::text("six")).await;
    assert!(up.address.starts_with("[::1]:"));
    let mesh = mesh(&simple(&[&up.address]));
    assert_eq!(get(mesh.port(80), "[::1]:80", "/").await.expect(200).text(), "six");
    assert_eq!(up.last().host, "[::1]:80");
}

const LOOPBACKS: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// A server on one loopback address, and a socket that holds its port on the other one. As long
/// as that one doesn't listen, the other one refuses.
async fn one_sided(serves: usize) -> (server::Upstream, Socket) {
    loop {
        let other = LOOPBACKS[1 - serves];
        let held = Socket::new(Domain::for_address((other, 0).into()), Type::STREAM, None).unwrap();
        held.bind(&SocketAddr::from((other, 0)).into()).unwrap();
        let port = held.local_addr().unwrap().as_socket().unwrap().port();
        let at = SocketAddr::from((LOOPBACKS[serves], port));
        // The port may be somebody's already.
        if tokio::net::TcpListener::bind(at).await.is_ok() {
            return (here(at).await, held);
        }
    }
}

async fn here(at: SocketAddr) -> server::Upstream {
    let answer = |_: &server::Seen| Answer::text("here").after(Duration::from_millis(20));
    server::http1_at(&at.to_string(), answer).await
}

fn port_of(up: &server::Upstream) -> u16 {
    up.address.parse::<SocketAddr>().unwrap().port()
}

#[tokio::test]
async fn a_name_of_both_families_is_one_endpoint_that_listens_where_it_likes() {
    for serves in [0, 1] {
        let (up, _held) = one_sided(serves).await;
        let mesh = mesh(&simple(&[&format!("localhost:{}", port_of(&up))]));
        for _ in 0..50 {
            assert_eq!(get(mesh.port(80), "h", "/").await.expect(200).text(), "here");
        }
        assert_eq!(mesh.metric(Family::Retries, &[]), 0, "nothing failed");
        assert_eq!(mesh.metric(Family::Ejections, &[]), 0);
        assert_eq!(up.count(), 50);
    }
}

#[tokio::test]
async fn a_name_of_both_families_survives_a_move_to_the_other_one() {
    let (first, held) = one_sided(1).await;
    let mesh = Mesh::of(&simple(&[&format!("localhost:{}", port_of(&first))])).workers(1).start();
    get(mesh.port(80), "h", "/").await.expect(200);
    let address = held.local_addr().unwrap().as_socket().unwrap();
    drop(held);
    first.gone().await;
    let second = server::http1_at(&address.to_string(), |_| Answer::text("there")).await;
    for _ in 0..10 {
        assert_eq!(get(mesh.port(80), "h", "/").await.expect(200).text(), "there");
    }
    assert_eq!(second.count(), 10);
}

#[tokio::test]
async fn a_family_that_stays_silent_costs_a_moment_once() {
    let (up, silent) = one_sided(1).await;
    // A full accept queue answers no SYN.
    silent.listen(0).unwrap();
    let address = silent.local_addr().unwrap().as_socket().unwrap();
    let mut filling = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(300), tokio::net::TcpStream::connect(address))
            .await
    {
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        filling.push(stream);
    }
    let name = format!("localhost:{}", port_of(&up));
    let mesh = Mesh::of(&simple(&[&name])).workers(1).start();
    let watch = Watch::start();
    get(mesh.port(80), "h", "/").await.expect(200);
    let first = watch.elapsed();
    assert!(first < Duration::from_secs(2), "{first:?}");
    // Who connects next knows better.
    let asked = Watch::start();
    let mut clients: Vec<_> = (0..10).map(|_| tokio::spawn(get(mesh.port(80), "h", "/"))).collect();
    for client in clients.drain(..) {
        assert_eq!(client.await.unwrap().expect(200).text(), "here");
    }
    assert!(up.connections() > 1, "a new connection was needed");
    assert!(asked.elapsed() < limits::CONNECT_HEAD_START, "{:?}", asked.elapsed());
    assert_eq!(mesh.metric(Family::Ejections, &[]), 0);
}

#[tokio::test]
async fn a_name_where_nobody_listens_says_so_for_both() {
    let (up, _held) = one_sided(0).await;
    let name = format!("localhost:{}", port_of(&up));
    up.gone().await;
    let mesh = mesh(&simple(&[&name]));
    let answer = get(mesh.port(80), "h", "/").await;
    assert_eq!((answer.status, answer.cause()), (502, Some("upstream_connect_refused")));
}

#[tokio::test]
async fn a_proxy_header_is_believed_from_listed_sources() {
    let up = server::named("up").await;
    let mesh = mesh(&(simple(&[&up.address]) + &settings("proxyProtocol: {from: [127.0.0.0/8]}")));
    let request = "GET / HTTP/1.1\r\nhost: h\r\n\r\n";
    let mut client = Client::connect(mesh.port(80)).await;
    client.send(format!("PROXY TCP4 192.0.2.9 192.0.2.1 4711 8000\r\n{request}")).await;
    client.response().await.expect(200);
    assert_eq!(up.last().get("x-forwarded-for"), Some("192.0.2.9"));
    assert_eq!(up.last().get("x-forwarded-port"), Some("8000"));
    // In pieces, and version 2.
    let mut client = Client::connect(mesh.port(80)).await;
    for byte in b"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n" {
        client.send([*byte]).await;
    }
    client.send(request).await;
    client.response().await.expect(200);
    assert_eq!(up.last().get("x-forwarded-for"), Some("2001:db8::1"));
    let mut client = Client::connect(mesh.port(80)).await;
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    header.extend_from_slice(&[198, 51, 100, 7, 198, 51, 100, 1, 0x10, 0, 0, 80]);
    header.extend_from_slice(request.as_bytes());
    client.send(header).await;
    client.response().await.expect(200);
    assert_eq!(up.last().get("x-forwarded-for"), Some("198.51.100.7"));
    // HTTP/2 behind one.
    let mut stream = tokio::net::TcpStream::connect(mesh.port(80)).await.unwrap();
    stream.write_all(b"PROXY TCP4 192.0.2.8 192.0.2.1 1 2\r\nPRI * HT").await.unwrap();
    stream.write_all(b"TP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut settings = [0; 9];
    within("settings", stream.read_exact(&mut settings)).await.unwrap();
    assert_eq!(settings[3], 4);
    // Without one the connection ends, and nothing is asked.
    let asked = up.count();
    let mut client = Client::connect(mesh.port(80)).await;
    client.send(request).await;
    assert_eq!(client.rest().await, b"");
    assert_eq!(up.count(), asked);
}

#[tokio::test]
async fn a_proxy_header_of_a_stranger_is_a_bad_request() {
    let up = server::named("up").await;
    let mesh = mesh(&(simple(&[&up.address]) + &settings("proxyProtocol: {from: [192.0.2.0/24]}")));
    let mut client = Client::connect(mesh.port(80)).await;
    client
        .send("PROXY TCP4 192.0.2.9 192.0.2.1 4711 80\r\nGET / HTTP/1.1\r\nhost: h\r\n\r\n")
        .await;
    client.response().await.expect(400);
    get(mesh.port(80), "h", "/").await.expect(200);
    assert_eq!(up.count(), 1);
}

#[tokio::test]
async fn a_backend_is_told_the_client_by_a_proxy_header() {
    for (version, start) in [
        ("v1", &b"PROXY TCP4 127.0.0.1 127.0.0.1 "[..]),
        ("v2", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01"),
    ] {
        let up = server::raw(move |mut wire: Wire, _| async move {
            while wire.read.len() < start.len() + 8 {
                if wire.fill().await.is_ok_and(|read| read == 0) {
                    return;
                }
            }
            assert_eq!(&wire.read[..start.len()], start);
            wire.read.drain(..start.len());
            if start.starts_with(b"PROXY") {
                wire.line().await.unwrap();
            } else {
                wire.read.drain(..4);
            }
            while let Ok(Some(_)) = wire.head().await {
                let _ = wire.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            }
        })
        .await;
        let mesh =
            mesh(&(simple(&[&up.address]) + &policy("up", &format!("proxyProtocol: {version}"))));
        for _ in 0..3 {
            let mut client = Client::connect(mesh.port(80)).await;
            client.get("h", "/").await.expect(200);
            client.get("h", "/").await.expect(200);
        }
        // A connection that began with one client's header is never another's.
        assert!(up.connections() >= 3, "{version}: {}", up.connections());
    }
}

#[tokio::test]
async fn an_http2_backend_with_proxy_headers_keeps_no_connection() {
    let up = server::socket(|mut stream, _| async move {
        let mut header = [0; 28];
        stream.read_exact(&mut header).await.unwrap();
        assert_eq!(&header[..12], b"\r\n\r\n\0\r\nQUIT\n");
        let mut connection = ::h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            let _ = respond.send_response(http::Response::new(()), true);
        }
    })
    .await;
    let yaml = simple(&[&up.address]) + "  protocol: H2C\n" + &policy("up", "proxyProtocol: v2");
    let mesh = mesh(&yaml);
    let mut client = h2::Client::connect(mesh.port(80)).await;
    for _ in 0..5 {
        client.get("h", "/").await.expect(200);
    }
    assert_eq!(up.connections(), 5);
    crate::support::until("the connections' end", || up.open() == 0).await;
}
