use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::{clock, limits};

#[derive(Default)]
struct Proxy {
    draining: AtomicBool,
}

impl Observed for Proxy {
    fn ready(&self) -> Result<(), String> {
        if self.draining.load(Ordering::Relaxed) { Err("draining".into()) } else { Ok(()) }
    }

    fn metrics(&self, format: Format) -> String {
        format!("{format:?}\n")
    }
}

async fn open() -> (SocketAddr, Arc<Proxy>) {
    let names = vec!["gateway.internal".to_owned()];
    let door = ObservationDoor::bind(([127, 0, 0, 1], 0).into(), names).await.expect("a port");
    let address = door.local_addr().expect("an address");
    let proxy = Arc::new(Proxy::default());
    tokio::spawn(door.serve(proxy.clone(), std::future::pending()));
    (address, proxy)
}

/// Sends bytes and reads what comes back until the door closes.
async fn say(address: SocketAddr, bytes: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the door is open");
    stream.write_all(bytes.as_bytes()).await.expect("the door reads");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).expect("an answer is text")
}

fn status(answer: &str) -> u16 {
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

#[tokio::test]
async fn probes_and_prometheus_are_answered() {
    let (address, proxy) = open().await;
    let get = async |path: &str, more: &str| {
        say(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{more}\r\n")).await
    };
    assert_eq!(status(&get("/live", "").await), 200);
    assert_eq!(status(&get("/ready", "").await), 200);
    let metrics = get("/metrics", "").await;
    assert!(metrics.contains("content-type: text/plain; version=0.0.4"), "{metrics}");
    assert!(metrics.ends_with("\r\n\r\nPrometheus\n"), "{metrics}");
    let metrics = get("/metrics?x=1", "Accept: application/openmetrics-text\r\n").await;
    assert!(metrics.ends_with("\r\n\r\nOpenMetrics\n"), "{metrics}");
    assert_eq!(status(&get("/", "").await), 404);
    assert_eq!(status(&get("/metrics/", "").await), 404);
    proxy.draining.store(true, Ordering::Relaxed);
    let ready = get("/ready", "").await;
    assert_eq!(status(&ready), 503);
    assert!(ready.ends_with("\r\n\r\ndraining\n"), "{ready}");
    assert_eq!(status(&get("/live", "").await), 200);
    assert_eq!(status(&say(address, "GET /live HTTP/1.0\r\n\r\n").await), 200);
}

#[tokio::test]
async fn nothing_but_get_is_taken() {
    let (address, _) = open().await;
    for method in ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "FOO"] {
        let request = format!(
            "{method} /metrics HTTP/1.1\r\nHost: {address}\r\nContent-Length: 4\r\n\r\nbody"
        );
        let answer = say(address, &request).await;
        assert_eq!(status(&answer), 405, "{method}");
        assert!(answer.contains("allow: GET\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn a_name_that_was_rebound_to_us_is_refused() {
    let (address, _) = open().await;
    let check = async |head: &str, expected: u16| {
        let answer = say(address, &format!("GET {head}\r\n\r\n")).await;
        assert_eq!(status(&answer), expected, "{head:?}: {answer}");
    };
    for host in [
        "localhost",
        "LocalHost:15020",
        "127.0.0.1",
        "10.1.2.3:80",
        "[::1]:15020",
        "[::1]",
        "gateway.internal",
        "Gateway.Internal:15020",
    ] {
        check(&format!("/live HTTP/1.1\r\nHost: {host}"), 200).await;
    }
    for host in [
        "evil.example",
        "evil.example:15020",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "a@127.0.0.1",
        "localhost@evil.example",
        "",
        "127.0.0.1, evil.example",
        "[::1",
    ] {
        check(&format!("/live HTTP/1.1\r\nHost: {host}"), 421).await;
    }
    check("/live HTTP/1.1\r\nHost: localhost\r\nHost: localhost", 421).await;
    check("http://evil.example/live HTTP/1.1\r\nHost: localhost", 421).await;
    check("http://localhost/live HTTP/1.1\r\nHost: localhost", 200).await;
    check("/live HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example", 421).await;
    check("/live HTTP/1.1\r\nHost: localhost\r\nOrigin: null", 421).await;
    check("/live HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:15020", 200).await;
}

#[tokio::test]
async fn a_head_has_a_bound() {
    let (address, _) = open().await;
    let long = "a".repeat(2 * limits::DOOR_HEAD_BYTES);
    let answer = say(address, &format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
    assert!(answer.is_empty() || (400..500).contains(&status(&answer)), "{answer}");
    let many = "x: y\r\n".repeat(limits::HEADERS + 1);
    let answer =
        say(address, &format!("GET /live HTTP/1.1\r\nHost: localhost\r\n{many}\r\n")).await;
    assert!(answer.is_empty() || status(&answer) == 431, "{answer}");
    assert_eq!(status(&say(address, "GET /live HTTP/1.0\r\n\r\n").await), 200);
}

/// Nobody holds the door: a thousand silent clients come first, the probe behind them is answered
/// at once, and few of them are left.
#[tokio::test]
async fn a_thousand_silent_clients_are_bounded_and_keep_no_probe_waiting() {
    crate::telemetry::process::raise_open_files().expect("there are enough files");
    let (address, _) = open().await;
    let begun = clock::now();
    let mut silent = Vec::new();
    for n in 0..1_000 {
        let mut stream = TcpStream::connect(address).await.expect("the kernel's queue takes it");
        if n % 2 == 0 {
            stream.write_all(b"GET /live HT").await.expect("the kernel takes it");
        }
        silent.push(stream);
    }
    assert_eq!(status(&say(address, "GET /live HTTP/1.0\r\n\r\n").await), 200);
    assert!(clock::now() - begun < limits::DOOR_HEAD_TIMEOUT, "it waited until others were cut");
    let mut left = 0;
    for mut stream in silent {
        let read = tokio::time::timeout(Duration::from_millis(20), stream.read_u8()).await;
        left += usize::from(read.is_err());
    }
    assert!((1..limits::DOOR_CONNECTIONS).contains(&left), "{left} silent clients are left");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_drips_is_cut_at_the_deadline() {
    let (address, _) = open().await;
    let mut stream = TcpStream::connect(address).await.expect("the door is open");
    let begun = clock::now();
    for byte in b"GET /live HTTP/1.1\r\nHost: localhost\r\n".iter().cycle() {
        if stream.write_all(&[*byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(clock::now() - begun < 2 * limits::DOOR_HEAD_TIMEOUT, "a drip keeps it open");
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains(" 200 "));
}
