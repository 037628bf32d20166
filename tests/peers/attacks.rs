//! HTTP/2 attacks on one connection: what each may cost, and when it has to be over.
//!
//! The origin never sees more requests at once than the streams that we allow, memory stays where
//! it was, another client is served meanwhile, and who resets streams without end is sent away.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use meshctl::clock;

use crate::alone;
use crate::frames::{
    CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, METHOD_GET, METHOD_POST, PING,
    PRIORITY, RST_STREAM, Raw, SETTINGS, WINDOW_UPDATE, frame, request,
};
use crate::origin::Origin;
use crate::process::{Mesh, Proxy};

const MEMORY: u64 = 4 * 1024 * 1024;
const STREAMS: usize = 100;
/// A client that behaves is answered this soon while the attack goes on.
const GOOD_ANSWER: Duration = Duration::from_secs(1);
/// How often it asks, and memory is looked at.
const LOOK_EVERY: u32 = 25;
const RULES: &str = "  - backendRefs: [{group: meshctl.dev, kind: Backend, name: origin}]\n";

struct Attack {
    name: &'static str,
    /// What the attacker's settings say.
    settings: &'static [(u16, u32)],
    /// Sent once.
    first: fn() -> Vec<u8>,
    /// Sent in each round; the first round is 0.
    round: fn(u32) -> Vec<u8>,
    /// Abusive frames in a round.
    frames: u32,
    rounds: u32,
    pace: Pace,
    /// Resident bytes that it may cost.
    memory: u64,
    /// Frames after which the connection has to be closed; `None`: it may be taken for ever.
    closed_within: Option<u32>,
}

#[derive(Clone, Copy, PartialEq)]
enum Pace {
    /// As fast as the socket takes it, and nothing is read.
    Deaf,
    /// As fast as the socket takes it.
    Flood,
    /// Each round waits until the server has dealt with the one before, so that no count hides
    /// in a buffer.
    Rounds,
}

/// Zero windows: what is answered has to wait in the proxy.
const ZERO_WINDOW: &[(u16, u32)] = &[(4, 0)];

fn attacks() -> Vec<Attack> {
    let attack = Attack {
        name: "",
        settings: &[],
        first: Vec::new,
        round: |_| Vec::new(),
        frames: 1,
        rounds: 100,
        pace: Pace::Rounds,
        memory: MEMORY,
        closed_within: Some(1_000),
    };
    let flood =
        Attack { frames: 100, rounds: 2_000, pace: Pace::Deaf, closed_within: None, ..attack };
    vec![
        // CVE-2023-44487
        Attack {
            name: "rapid reset, in bursts",
            round: |round| (0..50).flat_map(|n| reset(round * 50 + n)).collect(),
            frames: 50,
            ..attack
        },
        Attack { name: "rapid reset, one by one", round: reset, rounds: 2_000, ..attack },
        Attack {
            name: "rapid reset, once taken up",
            first: || open(0, METHOD_GET),
            round: |round| [cancel(round), open(round + 1, METHOD_GET)].concat(),
            rounds: 2_000,
            ..attack
        },
        Attack {
            name: "rapid reset of uploads",
            first: || open(0, METHOD_POST),
            round: |round| [cancel(round), open(round + 1, METHOD_POST)].concat(),
            rounds: 2_000,
            ..attack
        },
        // CVE-2025-8671: the client's error makes the server reset.
        Attack {
            name: "MadeYouReset, no increment",
            round: |round| made_you_reset(round, WINDOW_UPDATE, &[0; 4]),
            rounds: 2_000,
            ..attack
        },
        Attack {
            name: "MadeYouReset, window overflow",
            round: |round| made_you_reset(round, WINDOW_UPDATE, &[0x7f, 0xff, 0xff, 0xff]),
            rounds: 2_000,
            ..attack
        },
        Attack {
            name: "MadeYouReset, data after the end",
            round: |round| made_you_reset(round, DATA, b"more"),
            rounds: 2_000,
            ..attack
        },
        Attack {
            name: "MadeYouReset, own parent",
            round: |round| {
                let parent = [&id(round).to_be_bytes()[..], &[0]].concat();
                made_you_reset(round, PRIORITY, &parent)
            },
            rounds: 2_000,
            ..attack
        },
        Attack {
            name: "heads that are refused",
            round: |round| {
                let block = [request(METHOD_GET), literal("connection", "close")].concat();
                frame(HEADERS, END_HEADERS | END_STREAM, id(round), &block)
            },
            rounds: 2_000,
            ..attack
        },
        Attack {
            name: "CONTINUATION flood",
            first: || frame(HEADERS, END_STREAM, 1, &request(METHOD_GET)),
            round: |_| frame(CONTINUATION, 0, 1, &literal("x-more", &"a".repeat(16_000))),
            rounds: 4_000,
            pace: Pace::Flood,
            ..attack
        },
        Attack {
            name: "empty CONTINUATION flood",
            first: || frame(HEADERS, END_STREAM, 1, &request(METHOD_GET)),
            round: |_| frame(CONTINUATION, 0, 1, &[]),
            rounds: 100_000,
            pace: Pace::Flood,
            // What the socket's buffers take before the end is seen counts too.
            closed_within: Some(50_000),
            ..attack
        },
        Attack {
            name: "HPACK bomb",
            settings: ZERO_WINDOW,
            // A field of 4,000 bytes, then a byte for each time it is meant again: 40 MB.
            round: |round| bomb(round, 10_000),
            rounds: 200,
            ..attack
        },
        Attack {
            name: "cookie bomb",
            settings: ZERO_WINDOW,
            // `cookie` with nothing in it is the static entry 32.
            round: |round| {
                let block = [request(METHOD_GET), vec![0x80 | 32; 16_000]].concat();
                frame(HEADERS, END_HEADERS | END_STREAM, id(round), &block)
            },
            rounds: 200,
            closed_within: None,
            ..attack
        },
        Attack {
            name: "full heads, zero window",
            settings: ZERO_WINDOW,
            round: |round| bomb(round, 3),
            rounds: 100,
            // No more than anyone may do: 100 requests in flight, each with the longest head.
            closed_within: None,
            ..attack
        },
        Attack {
            name: "empty DATA flood",
            first: || frame(HEADERS, END_HEADERS, 1, &request(METHOD_POST)),
            round: |_| frame(DATA, 0, 1, &[]).repeat(100),
            pace: Pace::Flood,
            ..flood
        },
        Attack { name: "PING flood", round: |_| frame(PING, 0, 0, &[0; 8]).repeat(100), ..flood },
        Attack {
            name: "SETTINGS flood",
            round: |_| frame(SETTINGS, 0, 0, &[]).repeat(100),
            ..flood
        },
        Attack {
            name: "SETTINGS flood, table sizes",
            round: |_| frame(SETTINGS, 0, 0, &[0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 16, 0]).repeat(100),
            ..flood
        },
        Attack {
            name: "PRIORITY flood",
            round: |round| {
                let stream = |n| id(round * 100 + n);
                (0..100).flat_map(|n| frame(PRIORITY, 0, stream(n), &[0, 0, 0, 0, 16])).collect()
            },
            ..flood
        },
        Attack {
            name: "WINDOW_UPDATE flood",
            round: |_| frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]).repeat(100),
            ..flood
        },
        Attack {
            name: "flood of unknown frames",
            round: |_| frame(0x42, 0, 0, &[0; 100]).repeat(100),
            ..flood
        },
    ]
}

#[test]
fn no_attack_costs_more_than_it_may() {
    let _alone = alone();
    let origin = Origin::start(Duration::from_millis(300));
    let quick = Origin::start(Duration::ZERO);
    let rules = format!(
        "{RULES}  - matches: [{{path: {{value: /good}}}}]
    backendRefs: [{{group: meshctl.dev, kind: Backend, name: quick}}]\n"
    );
    let proxy = Proxy::start(&Mesh {
        settings: "",
        rules: &rules,
        backends: &[("origin", origin.address), ("quick", quick.address)],
    });
    warm_up(&proxy);
    let mut missed = String::new();
    for attack in attacks() {
        let before = origin.counts.requests.load(SeqCst);
        origin.counts.most_open.store(0, SeqCst);
        let outcome = run(&attack, &proxy);
        let most_open = origin.counts.most_open.load(SeqCst);
        let reached = origin.counts.requests.load(SeqCst) - before;
        let Outcome { frames, closed, goaway, memory, slowest } = outcome;
        println!(
            "{:32} {frames:7} frames, closed {closed:5}, GOAWAY {goaway:?}, {reached} reached the \
             origin, {most_open} at once, {} KiB more, good client {slowest:?}",
            attack.name,
            memory / 1024
        );
        let wrong = [
            (most_open > STREAMS, "too many requests at once at the origin"),
            (memory > attack.memory, "memory"),
            (slowest > GOOD_ANSWER, "the good client waited"),
            (attack.closed_within.is_some_and(|most| !closed || frames > most), "not sent away"),
        ];
        for (_, what) in wrong.iter().filter(|(wrong, _)| *wrong) {
            writeln!(missed, "{}: {what}", attack.name).unwrap();
        }
    }
    assert!(missed.is_empty(), "{missed}{}", proxy.log());
    assert!(proxy.metric("meshctl_panics_total") == 0.0, "a panic: {}", proxy.log());
}

struct Outcome {
    frames: u32,
    closed: bool,
    goaway: Option<u32>,
    /// Resident bytes beyond those from before.
    memory: u64,
    slowest: Duration,
}

fn run(attack: &Attack, proxy: &Proxy) -> Outcome {
    let before = proxy.memory();
    let (mut memory, mut slowest) = (0, Duration::ZERO);
    let mut raw = Raw::connect(proxy.http, attack.settings, attack.pace != Pace::Deaf);
    let mut frames = 0;
    let mut taken = raw.send(&(attack.first)());
    for round in 0..attack.rounds {
        if !taken || raw.seen().closed {
            break;
        }
        taken = raw.send(&(attack.round)(round));
        frames += attack.frames;
        if attack.pace == Pace::Rounds {
            taken = taken && raw.barrier();
        }
        if round % LOOK_EVERY == 0 {
            memory = memory.max(proxy.memory().saturating_sub(before));
            slowest = slowest.max(good_request(proxy.http));
        }
    }
    memory = memory.max(proxy.memory().saturating_sub(before));
    slowest = slowest.max(good_request(proxy.http));
    // Whoever was sent away hears of it.
    let seen = if attack.closed_within.is_some() { raw.wait(|_| false) } else { raw.seen() };
    Outcome { frames, closed: seen.closed, goaway: seen.goaway, memory, slowest }
}

/// Buffers, pools and tables are there before memory is looked at.
fn warm_up(proxy: &Proxy) {
    let mut raw = Raw::connect(proxy.http, &[], true);
    for round in 0..100 {
        raw.send(&open(round, METHOD_GET));
    }
    let seen = raw.wait(|seen| seen.heads == 100);
    assert_eq!(seen.heads, 100, "{seen:?}");
    for _ in 0..100 {
        good_request(proxy.http);
    }
}

/// How long a request of an innocent client takes, on a connection of its own.
fn good_request(address: SocketAddr) -> Duration {
    let started = clock::now();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(b"GET /good HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    clock::now() - started
}

fn id(number: u32) -> u32 {
    2 * number + 1
}

fn open(number: u32, method: u8) -> Vec<u8> {
    let end = if method == METHOD_GET { END_STREAM } else { 0 };
    frame(HEADERS, END_HEADERS | end, id(number), &request(method))
}

fn cancel(number: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, id(number), &CANCEL)
}

fn reset(number: u32) -> Vec<u8> {
    [open(number, METHOD_GET), cancel(number)].concat()
}

fn made_you_reset(number: u32, kind: u8, payload: &[u8]) -> Vec<u8> {
    [open(number, METHOD_GET), frame(kind, 0, id(number), payload)].concat()
}

/// A literal that enters no table (RFC 7541 §6.2.2).
fn literal(name: &str, value: &str) -> Vec<u8> {
    [&[0][..], &string(name), &string(value)].concat()
}

/// RFC 7541 §5.2, without Huffman.
fn string(text: &str) -> Vec<u8> {
    let mut coded = integer(text.len(), 7);
    coded.extend_from_slice(text.as_bytes());
    coded
}

/// RFC 7541 §5.1, the bits above the prefix unset.
fn integer(mut value: usize, prefix: u32) -> Vec<u8> {
    let most = (1 << prefix) - 1;
    if value < most {
        return vec![u8::try_from(value).unwrap()];
    }
    let mut coded = vec![u8::try_from(most).unwrap()];
    value -= most;
    while value >= 128 {
        coded.push(u8::try_from(value % 128).unwrap() | 0x80);
        value /= 128;
    }
    coded.push(u8::try_from(value).unwrap());
    coded
}

/// A field that enters the table, and then `times` one byte that means it.
fn bomb(number: u32, times: usize) -> Vec<u8> {
    let mut block = request(METHOD_GET);
    block.push(0x40);
    block.extend(string("x-bomb"));
    block.extend(string(&"b".repeat(4_000)));
    block.resize(block.len() + times, 0x80 | 62);
    frame(HEADERS, END_HEADERS | END_STREAM, id(number), &block)
}
