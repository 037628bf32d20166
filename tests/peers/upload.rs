//! A large upload beside a mirror that takes the connection and never reads: it keeps its rate, and
//! the proxy holds no more for it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use meshctl::clock;

use crate::alone;
use crate::origin::Origin;
use crate::process::{Mesh, Proxy};

const BYTES: u64 = 1 << 30;
/// Resident bytes that the mirror may add.
const ADDED: u64 = 1 << 20;
/// Uploads of each kind; the best of each is what the machine can do.
const ROUNDS: usize = 2;
/// What the best beside the mirror has of the best without: nothing in the way would be 1, and
/// other tenants of the machine take what they like.
const RATE: f64 = 0.7;
const DROPPED: &str =
    "meshctl_mirrors_total{route=\"default/all\",backend=\"default/stuck\",outcome=\"dropped\"}";
const RULES: &str = "  - backendRefs: [{group: meshctl.dev, kind: Backend, name: origin}]
  - matches: [{path: {value: /mirrored}}]
    filters:
    - type: RequestMirror
      requestMirror: {backendRef: {group: meshctl.dev, kind: Backend, name: stuck}}
    backendRefs: [{group: meshctl.dev, kind: Backend, name: origin}]\n";

/// Takes every connection and reads from none.
fn stuck() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().flatten().collect::<Vec<_>>());
    address
}

struct Outcome {
    took: Duration,
    /// The most resident bytes while it lasted.
    memory: u64,
}

fn upload(proxy: &Proxy, path: &str, bytes: u64) -> Outcome {
    let mut stream = TcpStream::connect(proxy.http).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let (over, memory) = (AtomicBool::new(false), AtomicU64::new(0));
    let look = || memory.fetch_max(proxy.memory(), SeqCst);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(SeqCst) {
                look();
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let started = clock::now();
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {bytes}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let piece = vec![b'x'; 1 << 20];
        for _ in 0..bytes >> 20 {
            stream.write_all(&piece).unwrap();
        }
        look();
        let mut answer = [0; 4096];
        let read = stream.read(&mut answer).unwrap();
        let took = clock::now() - started;
        over.store(true, SeqCst);
        let answer = String::from_utf8_lossy(&answer[..read]);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}{}", proxy.log());
        Outcome { took, memory: memory.load(SeqCst) }
    })
}

#[test]
fn a_mirror_that_never_reads_costs_an_upload_nothing() {
    let _alone = alone();
    let origin = Origin::start(Duration::ZERO);
    let proxy = Proxy::start(&Mesh {
        settings: "",
        rules: RULES,
        backends: &[("origin", origin.address), ("stuck", stuck())],
    });
    // Buffers and pools are there before memory is looked at; no mirror has been asked yet.
    upload(&proxy, "/", BYTES / 4);
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.push(upload(&proxy, "/", BYTES));
        beside.push(upload(&proxy, "/mirrored", BYTES));
    }
    let best = |all: &[Outcome]| all.iter().map(|one| one.took).min().unwrap();
    let most = beside.iter().map(|one| one.memory).max().unwrap();
    let rate = best(&alone).as_secs_f64() / best(&beside).as_secs_f64();
    let added = most.saturating_sub(alone[0].memory);
    println!(
        "{} MiB: {:?} alone, {:?} beside the mirror ({rate:.2} of the rate), {} KiB resident, {} \
         KiB more",
        BYTES >> 20,
        best(&alone),
        best(&beside),
        alone[0].memory / 1024,
        added / 1024
    );
    assert!(rate >= RATE, "{rate:.2} of the rate");
    assert!(added <= ADDED, "{added} bytes more");
    // It was asked each time, and each time given up.
    let dropped = proxy.metric(DROPPED);
    assert_eq!(dropped as usize, ROUNDS, "{}", proxy.log());
}
