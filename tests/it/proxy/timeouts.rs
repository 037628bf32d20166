//! Timeouts of rules, each with its cause.

use std::time::Duration;

use meshctl::telemetry::Family;

use crate::support::client::{Client, get};
use crate::support::clock::Watch;
use crate::support::server::{self, Answer};
use crate::support::words::{GATEWAY, backend, policy, route, to};
use crate::support::{h2, mesh, until};

const SHORT: Duration = Duration::from_millis(150);
const LONG: Duration = Duration::from_secs(30);

fn timed(address: &str, timeouts: &str, more: &str) -> String {
    let rules = format!("- backendRefs: [{}]\n  timeouts: {timeouts}\n", to("up"));
    format!("{GATEWAY}{}{}", route("r", &[], &rules), backend("up", &[address], more))
}

#[tokio::test]
async fn a_slow_backend_is_given_up_with_504() {
    let up = server::http1(|seen| match &*seen.target {
        "/slow" => Answer::text("late").after(LONG),
        _ => Answer::text("soon"),
    })
    .await;
    for (timeouts, cause) in [
        ("{request: 150ms}", "request_timeout"),
        ("{backendRequest: 150ms}", "backend_request_timeout"),
        ("{request: 5s, backendRequest: 150ms}", "backend_request_timeout"),
    ] {
        let mesh = mesh(&timed(&up.address, timeouts, ""));
        let mut client = Client::connect(mesh.port(80)).await;
        let watch = Watch::start();
        let answer = client.get("h", "/slow").await.expect(504);
        assert_eq!(answer.cause(), Some(cause));
        assert!(watch.elapsed() >= SHORT && watch.elapsed() < LONG / 3);
        // The client's connection is kept, the backend's is not used again.
        client.get("h", "/fast").await.expect(200);
        until("the slow connection's end", || up.streams() == 0 || up.open() == 1).await;
    }
}

#[tokio::test]
async fn the_whole_request_has_one_time_whatever_the_attempts() {
    let up = server::http1(|_| Answer::text("late").after(LONG)).await;
    let rules = format!(
        "- backendRefs: [{}]\n  timeouts: {{request: 300ms, backendRequest: 100ms}}\n  \
         retry: {{attempts: 9, codes: [503]}}\n",
        to("up")
    );
    let mesh =
        mesh(&format!("{GATEWAY}{}{}", route("r", &[], &rules), backend("up", &[&up.address], "")));
    let watch = Watch::start();
    let answer = get(mesh.port(80), "h", "/").await.expect(504);
    assert_eq!(answer.cause(), Some("request_timeout"));
    assert!(watch.elapsed() >= Duration::from_millis(300));
    assert!((2..=4).contains(&up.connections()), "{}", up.connections());
}

#[tokio::test]
async fn an_answer_that_stalls_is_broken_off() {
    let up = server::raw(|mut wire, _| async move {
        let _ = wire.head().await;
        let _ = wire.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
        tokio::time::sleep(LONG).await;
    })
    .await;
    let mesh = mesh(&timed(&up.address, "{request: 200ms}", ""));
    let mut client = Client::connect(mesh.port(80)).await;
    client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n").await;
    let broken = client.try_response("GET").await;
    assert!(broken.is_err(), "{broken:?}");
    let mut client = h2::Client::connect(mesh.port(80)).await;
    let error = client.try_get("h", "/").await.expect_err("a broken stream");
    assert!(error.is_reset(), "{error}");
}

/// httproute_types.go, `backendRequest`: up to when the full response has been received.
#[tokio::test]
async fn a_backend_has_its_time_for_the_whole_answer() {
    // Bytes keep coming, so that nothing is idle.
    let up = server::raw(|mut wire, _| async move {
        let head = wire.head().await.unwrap().unwrap();
        let (start, end) = match head.line.contains("/events") {
            true => ("transfer-encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
            false => ("content-length: 10000\r\n\r\n", "x"),
        };
        let _ = wire.write(format!("HTTP/1.1 200 OK\r\n{start}")).await;
        while wire.write(end).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let mesh = mesh(&timed(&up.address, "{backendRequest: 200ms}", ""));
    for target in ["/", "/events"] {
        let mut client = Client::connect(mesh.port(80)).await;
        let watch = Watch::start();
        client.send(format!("GET {target} HTTP/1.1\r\nhost: h\r\n\r\n")).await;
        let broken = client.try_response("GET").await;
        assert!(broken.is_err(), "{broken:?}");
        assert!(watch.elapsed() >= SHORT);
        let mut client = h2::Client::connect(mesh.port(80)).await;
        let error = client.try_get("h", target).await.expect_err("a broken stream");
        assert!(error.is_reset(), "{error}");
    }
    let counted = || mesh.metric(Family::Requests, &["backend_request_timeout", "code=\"200\""]);
    until("the counts", || counted() == 4).await;
    until("the backend to be let go", || up.open() == 0).await;
}

#[tokio::test]
async fn a_tunnel_is_no_answer_that_could_be_late() {
    let up = server::raw(|mut wire, _| async move {
        let _ = wire.head().await;
        let switch =
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
        let _ = wire.write(switch).await;
        while wire.fill().await.is_ok_and(|read| read > 0) {
            let read = std::mem::take(&mut wire.read);
            let _ = wire.write(read).await;
        }
    })
    .await;
    let mesh = mesh(&timed(&up.address, "{backendRequest: 150ms}", ""));
    let mut client = Client::connect(mesh.port(80)).await;
    let lines = "connection: upgrade\r\nupgrade: websocket\r\n";
    client.send(format!("GET / HTTP/1.1\r\nhost: h\r\n{lines}\r\n")).await;
    assert_eq!(client.head().await.0, 101);
    tokio::time::sleep(SHORT * 2).await;
    client.send("still there?").await;
    client.finish().await;
    assert_eq!(client.rest().await, b"still there?");
}

#[tokio::test]
async fn a_stream_without_a_byte_ends() {
    let up = server::http1(|_| Answer::text("late").after(LONG)).await;
    let idle = "
---
apiVersion: meshctl.dev/v1alpha1
kind: MeshConfig
metadata: {name: default, namespace: meshctl-system}
spec:
  timeouts: {streamIdle: 150ms}
";
    let mesh = mesh(&(timed(&up.address, "{request: 10s}", "") + idle));
    let answer = get(mesh.port(80), "h", "/").await.expect(504);
    assert_eq!(answer.cause(), Some("stream_idle_timeout"));
}

#[tokio::test]
async fn a_route_has_its_own_patience_with_silence() {
    let up = server::http1(|_| Answer::text("late").after(2 * SHORT)).await;
    let policies = |gateway: &str, route: &str| {
        let policy = |name: &str, kind: &str, idle: &str| {
            format!(
                "---
apiVersion: meshctl.dev/v1alpha1
kind: TrafficPolicy
metadata: {{name: {name}}}
spec:
  targetRefs: [{{group: gateway.networking.k8s.io, kind: {kind}, name: {name}}}]
  timeouts: {{streamIdle: {idle}}}
"
            )
        };
        policy("gw", "Gateway", gateway) + &policy("r", "HTTPRoute", route)
    };
    let mesh = |gateway, route| {
        mesh(&(timed(&up.address, "{request: 10s}", "") + &policies(gateway, route)))
    };
    let patient = mesh("50ms", "20s");
    get(patient.port(80), "h", "/").await.expect(200);
    let hasty = mesh("20s", "50ms");
    let answer = get(hasty.port(80), "h", "/").await.expect(504);
    assert_eq!(answer.cause(), Some("stream_idle_timeout"));
}

#[tokio::test]
async fn a_connection_that_never_comes_has_a_time() {
    // A listening socket whose queue is full takes no more.
    let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    full.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap().as_socket().unwrap();
    let _queued = tokio::net::TcpStream::connect(address).await.unwrap();
    let mesh = mesh(
        &(timed(&address.to_string(), "{request: 20s}", "")
            + &policy("up", "timeouts: {connect: 150ms}")),
    );
    let watch = Watch::start();
    let answer = get(mesh.port(80), "h", "/").await.expect(504);
    assert_eq!(answer.cause(), Some("upstream_connect_timeout"));
    assert!(watch.elapsed() < LONG / 3);
}

#[tokio::test]
async fn a_grpc_client_is_told_by_a_status() {
    let up = server::http2(|_| Answer::text("late").after(LONG)).await;
    let mesh = mesh(&timed(&up.address, "{request: 150ms}", "protocol: H2C"));
    let mut client = h2::Client::connect(mesh.port(80)).await;
    let fields = [("content-type", "application/grpc"), ("te", "trailers")];
    let answer = client.post("h", "/shop.Cart/Get", &fields, &b"\0\0\0\0\0"[..]).await.expect(200);
    assert_eq!(answer.get("grpc-status"), Some("4"));
    assert_eq!(answer.get("content-type"), Some("application/grpc"));
    until("the stream's end", || up.streams() == 0).await;
}
