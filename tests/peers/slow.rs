//! Slow clients: each may hold a connection for a bounded time, and no other client waits for it.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use meshctl::{clock, limits};

use crate::alone;
use crate::frames::{
    CONTINUATION, END_HEADERS, HEADERS, METHOD_POST, PING, PREFACE, SETTINGS, frame, request,
};
use crate::origin::Origin;
use crate::process::{Mesh, Proxy};

/// What the MeshConfig says; the defaults differ, the code is the same.
const IDLE: Duration = Duration::from_secs(2);
const REQUEST_HEAD: Duration = Duration::from_secs(3);
const STREAM_IDLE: Duration = Duration::from_secs(4);
const SETTINGS_TEXT: &str = "timeouts: {idle: 2s, requestHead: 3s, streamIdle: 4s}";
/// Past the deadline: the answer, and a moment in which the client may read it.
const SLACK: Duration = Duration::from_secs(1).saturating_add(limits::LINGER);
/// Where a PROXY header has to come first.
const PROXIED: &str = "proxyProtocol: {from: [127.0.0.0/8]}";
const DRIP_EVERY: Duration = Duration::from_millis(200);
/// Connections that drip while another client is timed.
const DRIPPING: usize = 1_000;
const RULES: &str = "  - backendRefs: [{group: meshctl.dev, kind: Backend, name: origin}]\n";

/// Which listener a client goes to.
#[derive(Clone, Copy)]
enum To {
    Http,
    Https,
    Proxied,
}

struct Slow {
    name: &'static str,
    to: To,
    first: Vec<u8>,
    /// Sent again and again.
    drip: Vec<u8>,
    /// When it is over, counted from the connection's start.
    after: Duration,
    /// What has to be in the answer.
    answer: &'static [u8],
}

fn clients() -> Vec<Slow> {
    let head = b"GET / HTTP/1.1\r\nHost: localhost\r\n".to_vec();
    let upload = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nsome";
    let slow = |name, first: &[u8], after, answer| Slow {
        name,
        to: To::Http,
        first: first.to_vec(),
        drip: Vec::new(),
        after,
        answer,
    };
    let h2 = [PREFACE.to_vec(), frame(SETTINGS, 0, 0, &[])].concat();
    let opened = frame(HEADERS, END_HEADERS, 1, &request(METHOD_POST));
    let unfinished = frame(HEADERS, 0, 1, &request(METHOD_POST));
    let handshake = limits::TLS_HANDSHAKE_TIMEOUT;
    // The start of a ClientHello record of 512 bytes.
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let tls = |name, first: &[u8], drip: &[u8]| Slow {
        to: To::Https,
        drip: drip.to_vec(),
        ..slow(name, first, handshake, b"")
    };
    let proxied = |name, first: &[u8], drip: &[u8]| Slow {
        to: To::Proxied,
        drip: drip.to_vec(),
        ..slow(name, first, limits::PROXY_PROTOCOL_TIMEOUT, b"")
    };
    let ping = frame(PING, 0, 0, &[0; 8]);
    // The first byte of a frame that is to have a hundred.
    let continued = frame(CONTINUATION, END_HEADERS, 1, &[0; 100]);
    let dripping = [&frame(HEADERS, 0, 1, &request(METHOD_POST))[..], &continued[..10]].concat();
    vec![
        slow("a head that stops", &head, REQUEST_HEAD, b"HTTP/1.1 408 "),
        Slow {
            drip: b"X-More: 1\r\n".to_vec(),
            ..slow("a head that drips", &head, REQUEST_HEAD, b"HTTP/1.1 408 ")
        },
        Slow {
            drip: b"a".to_vec(),
            ..slow("a target that drips", b"GET /", REQUEST_HEAD, b"HTTP/1.1 408 ")
        },
        slow("an empty line", b"\r\n", REQUEST_HEAD, b"HTTP/1.1 408 "),
        slow("a letter of either protocol", b"P", REQUEST_HEAD, b"HTTP/1.1 408 "),
        slow("not a byte", b"", IDLE, b""),
        slow("keep-alive", &[&head[..], b"\r\n"].concat(), IDLE, b"HTTP/1.1 200 "),
        slow("a body that stops", upload, STREAM_IDLE, b"HTTP/1.1 "),
        slow("HTTP/2 without settings", PREFACE, REQUEST_HEAD, b""),
        slow("HTTP/2 without a request", &h2, IDLE, b""),
        slow("HTTP/2, a head that stops", &[&h2[..], &unfinished].concat(), IDLE, b""),
        Slow { drip: ping, ..slow("HTTP/2 that only pings", &h2, IDLE, b"") },
        Slow {
            drip: b"\0".to_vec(),
            ..slow("HTTP/2, a head that drips", &[&h2[..], &dripping].concat(), IDLE, b"")
        },
        slow("HTTP/2, a body that stops", &[h2, opened].concat(), STREAM_IDLE + IDLE, b""),
        tls("no ClientHello", b"", b""),
        tls("a ClientHello that stops", hello, b""),
        tls("a ClientHello that drips", hello, b"\0"),
        proxied("no PROXY header", b"", b""),
        proxied("a PROXY header that stops", b"PROXY TCP4 ", b""),
        proxied("a PROXY header that drips", b"PROXY TCP4 192.0.2.1 ", b"1"),
    ]
}

#[test]
fn slow_clients_cost_a_bounded_time() {
    let _alone = alone();
    let (proxy, proxied) = (start(SETTINGS_TEXT), start(PROXIED));
    let cases = clients();
    let total = cases.len();
    let running: Vec<_> = cases
        .into_iter()
        .map(|slow| {
            let address = match slow.to {
                To::Http => proxy.http,
                To::Https => proxy.https,
                To::Proxied => proxied.http,
            };
            std::thread::spawn(move || {
                let (lasted, answer) = hold(address, &slow, slow.after + 2 * SLACK);
                (slow, lasted, answer)
            })
        })
        .collect();
    let mut missed = String::new();
    for thread in running {
        let (slow, lasted, answer) = thread.join().unwrap();
        println!("{:28} closed after {lasted:?}", slow.name);
        // Timers of the proxy start a moment after ours, never before.
        let in_time = lasted >= slow.after && lasted <= slow.after + SLACK;
        if !in_time || !answer.starts_with(slow.answer) {
            let answer = String::from_utf8_lossy(&answer).into_owned();
            writeln!(missed, "{}: {lasted:?}, {answer:?}", slow.name).unwrap();
        }
    }
    println!("slow clients: {} of {total} held to their time", total - missed.lines().count());
    assert!(missed.is_empty(), "{missed}");
}

#[test]
fn slow_clients_hold_up_nobody() {
    let _alone = alone();
    // A head's 30 seconds are longer than all of this.
    let proxy = start("");
    let (alone, _) = good_client(proxy.http);
    let before = proxy.memory();
    let mut dripping: Vec<TcpStream> =
        (0..DRIPPING).map(|_| TcpStream::connect(proxy.http).unwrap()).collect();
    for stream in &mut dripping {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-").unwrap();
    }
    // The least of three: what the machine's other tenants take now, they don't take all the time.
    let (among, slowest) = (0..3).map(|_| good_client(proxy.http)).min().unwrap();
    let open = proxy.metric("meshctl_connections_active");
    assert!(open as usize >= DRIPPING, "{open} connections: they did not drip all the time");
    let each = proxy.memory().saturating_sub(before) / u64::try_from(DRIPPING).unwrap();
    println!(
        "good client: p99 {alone:?} alone, {among:?} among {DRIPPING} slow ones (slowest \
         {slowest:?}), {each} bytes for each slow one"
    );
    // A tenth more, and what the scheduler of a busy machine adds.
    assert!(among <= alone.mul_f64(1.1) + Duration::from_millis(5), "{among:?} after {alone:?}");
    assert!(each <= 32 * 1024, "{each} bytes for each slow client");
}

fn start(settings: &str) -> Proxy {
    let origin = Origin::start(Duration::ZERO);
    let backends = [("origin", origin.address)];
    Proxy::start(&Mesh { settings, rules: RULES, backends: &backends })
}

/// How long the server bears it, and what it has said by then.
fn hold(address: SocketAddr, slow: &Slow, patience: Duration) -> (Duration, Vec<u8>) {
    let started = clock::now();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(DRIP_EVERY)).unwrap();
    stream.write_all(&slow.first).unwrap();
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    while clock::now() - started < patience {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => answer.extend_from_slice(&buffer[..read]),
            // The drip is refused once the server has closed; what it said comes first.
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                let _ = stream.write_all(&slow.drip);
            }
            Err(_) => break,
        }
    }
    (clock::now() - started, answer)
}

/// The 99th percentile and the longest of a thousand requests on one connection.
fn good_client(address: SocketAddr) -> (Duration, Duration) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut times = Vec::new();
    for _ in 0..1_000 {
        let started = clock::now();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\nhello\n") {
            let mut buffer = [0; 4096];
            let read = stream.read(&mut buffer).unwrap();
            assert!(read > 0, "closed after {}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&buffer[..read]);
        }
        times.push(clock::now() - started);
    }
    times.sort_unstable();
    (times[989], times[999])
}
