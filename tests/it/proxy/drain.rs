//! The way out.

use std::io::{Read, Write};
use std::time::Duration;

use crate::support::client::Client;
use crate::support::clock::Watch;
use crate::support::server::{self, Answer};
use crate::support::words::{all_to, backend, gateway, route, simple};
use crate::support::{Mesh, h2, mesh, until, within};

const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn what_runs_finishes_and_says_goodbye() {
    let up = server::http1(|_| Answer::text("done").after(Duration::from_millis(300))).await;
    let mut mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    let mut streams = h2::Client::connect(mesh.port(80)).await;
    client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n").await;
    let stream = streams.start("GET", "h", "/", &[], true).await.unwrap();
    until("both requests", || up.streams() == 2).await;
    let address = mesh.port(80);
    let watch = Watch::start();
    mesh.drain(LONG);
    let answer = client.response().await.expect(200);
    assert_eq!(answer.get("connection"), Some("close"));
    assert_eq!(client.rest().await, b"");
    assert_eq!(stream.finish().await.unwrap().expect(200).text(), "done");
    until("GOAWAY", || streams.is_over()).await;
    mesh.join().await;
    assert!(watch.elapsed() < Duration::from_secs(5), "{:?}", watch.elapsed());
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_request_on_its_way_to_an_idle_connection_is_answered() {
    let up = server::named("up").await;
    let mut mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    client.get("h", "/").await.expect(200);
    mesh.drain(LONG);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let answer = client.get("h", "/").await.expect(200);
    assert_eq!(answer.get("connection"), Some("close"));
    within("the end", mesh.join()).await;
}

/// What the kernel has accepted, or a worker for another one, is a client that believes itself
/// connected: it may have sent its request already.
#[tokio::test]
async fn connections_that_nobody_has_taken_up_are_served() {
    let up = server::named("up").await;
    for round in 0..20 {
        let mut mesh = Mesh::of(&simple(&[&up.address])).workers(1 + round % 4).start();
        mesh.apply(&simple(&[&up.address])).await;
        let address = mesh.port(80);
        // Blocking, so that nothing of this process's own waits in between.
        let clients: Vec<_> = (0..100)
            .map(|_| {
                let mut stream = std::net::TcpStream::connect(address).unwrap();
                stream.write_all(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").unwrap();
                stream
            })
            .collect();
        mesh.drain(LONG);
        for mut stream in clients {
            let text = tokio::task::spawn_blocking(move || {
                let mut text = String::new();
                stream.read_to_string(&mut text).map(|_| text)
            });
            let text = within("an answer", text).await.unwrap();
            assert!(
                text.as_ref().is_ok_and(|text| text.ends_with("up")),
                "round {round}: {text:?}"
            );
        }
        mesh.join().await;
    }
}

#[tokio::test]
async fn an_idle_http2_connection_is_told_at_once() {
    let up = server::named("up").await;
    let mut mesh = mesh(&simple(&[&up.address]));
    let mut client = h2::Client::connect(mesh.port(80)).await;
    client.get("h", "/").await.expect(200);
    let watch = Watch::start();
    mesh.drain(LONG);
    until("GOAWAY", || client.is_over()).await;
    mesh.join().await;
    assert!(watch.elapsed() < Duration::from_secs(2), "{:?}", watch.elapsed());
}

#[tokio::test]
async fn the_deadline_ends_what_does_not_end() {
    let up = server::http1(|_| Answer::text("late").after(LONG)).await;
    let mut mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n").await;
    until("the request", || up.streams() == 1).await;
    let watch = Watch::start();
    mesh.drain(Duration::from_millis(200));
    mesh.join().await;
    assert!(watch.elapsed() < Duration::from_secs(2), "{:?}", watch.elapsed());
    let answer = client.response().await.expect(503);
    assert_eq!(answer.get("meshctl-cause"), Some("draining"));
    assert_eq!(answer.get("connection"), Some("close"));
    assert_eq!(client.rest().await, b"");
}

/// Whoever looks for the lost request finds it: in its client, in the log and in the metrics.
#[tokio::test]
async fn what_is_cut_leaves_a_trace() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("access.log");
    let never = server::http1(|_| Answer::text("late").after(LONG)).await;
    let endless = server::raw(async |mut wire, _| {
        let _ = wire.head().await;
        let _ = wire.write(&b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"[..]).await;
        std::future::pending::<()>().await;
    })
    .await;
    let yaml = gateway(&["{name: http, port: 80, protocol: HTTP}"])
        + &route("never", &["never"], &all_to("never"))
        + &route("endless", &["endless"], &all_to("endless"))
        + &backend("never", &[&never.address], "")
        + &backend("endless", &[&endless.address], "");
    let mut mesh = Mesh::of(&yaml).log(log.clone()).start();
    let mut waiting = Client::connect(mesh.port(80)).await;
    waiting.send("GET /one HTTP/1.1\r\nhost: never\r\n\r\n").await;
    let mut streams = h2::Client::connect(mesh.port(80)).await;
    let stream = streams.start("GET", "never", "/two", &[], true).await.unwrap();
    let mut reading = Client::connect(mesh.port(80)).await;
    reading.send("GET /three HTTP/1.1\r\nhost: endless\r\n\r\n").await;
    until("the requests", || never.streams() == 2 && endless.streams() == 1).await;
    // So that the half has come.
    tokio::time::sleep(Duration::from_millis(50)).await;
    mesh.drain(Duration::from_millis(300));
    let waited = waiting.response();
    assert_eq!(waited.await.expect(503).get("meshctl-cause"), Some("draining"));
    let answer = stream.finish().await.unwrap().expect(503);
    assert_eq!(answer.get("meshctl-cause"), Some("draining"));
    let broken = reading.try_response("GET").await;
    assert!(broken.is_err(), "an answer that is cut must not look complete: {broken:?}");
    mesh.join().await;
    let log = std::fs::read_to_string(log).unwrap();
    assert_eq!(log.lines().count(), 3, "{log}");
    for (path, status) in [("/one", 503), ("/two", 503), ("/three", 200)] {
        let line = log.lines().find(|line| line.contains(path)).expect("it is logged");
        let status = format!("\"http.response.status_code\":{status}");
        assert!(line.contains("draining") && line.contains(&status), "{line}");
    }
}

#[tokio::test]
async fn a_connection_that_never_spoke_holds_nothing_up() {
    let up = server::named("up").await;
    let mut mesh = mesh(&simple(&[&up.address]));
    let _silent = Client::connect(mesh.port(80)).await;
    until("the connection", || mesh.connections() == 1).await;
    let watch = Watch::start();
    mesh.drain(LONG);
    mesh.join().await;
    assert!(watch.elapsed() < Duration::from_secs(10), "{:?}", watch.elapsed());
}

#[tokio::test]
async fn a_gone_listener_drains_its_own_connections_alone() {
    let up = server::named("up").await;
    let yaml = |listeners: &[&str]| {
        gateway(listeners) + &route("r", &[], &all_to("up")) + &backend("up", &[&up.address], "")
    };
    let (one, two) =
        ("{name: one, port: 80, protocol: HTTP}", "{name: two, port: 81, protocol: HTTP}");
    let mut mesh = mesh(&yaml(&[one, two]));
    let mut first = Client::connect(mesh.port(80)).await;
    let mut second = Client::connect(mesh.port(81)).await;
    let mut streams = h2::Client::connect(mesh.port(81)).await;
    first.get("h", "/").await.expect(200);
    second.get("h", "/").await.expect(200);
    streams.get("h", "/").await.expect(200);
    mesh.apply(&yaml(&[one])).await;
    until("GOAWAY", || streams.is_over()).await;
    let answer = second.get("h", "/").await;
    assert_eq!(answer.get("connection"), Some("close"));
    assert_eq!(first.get("h", "/").await.expect(200).get("connection"), None);
    let address = mesh.port(81);
    until("the socket's end", || std::net::TcpStream::connect(address).is_err()).await;
}
