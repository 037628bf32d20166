//! Valid pipelines, and what random hostility makes of them.

use fastrand::Rng;

/// One to four valid requests; only the last may close the connection.
pub(crate) fn pipeline(rng: &mut Rng) -> Vec<u8> {
    let count = rng.usize(1..=4);
    (0..count).flat_map(|at| request(rng, at + 1 == count)).collect()
}

fn request(rng: &mut Rng, last: bool) -> Vec<u8> {
    let method = pick(rng, &["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"]);
    let target = pick(
        rng,
        &["/", "/a/b", "/a%2Fb?c=d&e", "/x/../y", "//z", "http://shop.example/abs", "/?"],
    );
    let mut out = format!("{method} {target} HTTP/1.1\r\nHost: shop.example\r\n").into_bytes();
    for _ in 0..rng.usize(..4) {
        let field = pick(
            rng,
            &[
                "Accept: */*",
                "User-Agent: t",
                "X-Trace:1",
                "Cookie: a=b; c=d",
                "TE: trailers",
                "X-Empty:",
                "user_id: 7",
                "Connection: keep-alive",
                "Connection: X-Hop",
                "X-Hop: 1",
                "Trailer: x-sum",
                "Via: 1.1 x",
            ],
        );
        out.extend_from_slice(field.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    if last && rng.u8(..4) == 0 {
        out.extend_from_slice(b"Connection: close\r\n");
    }
    match rng.u8(..3) {
        0 => out.extend_from_slice(b"\r\n"),
        1 => {
            let body = body(rng);
            out.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
            out.extend_from_slice(&body);
        }
        _ => {
            out.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
            push_chunks(rng, &mut out);
        }
    }
    out
}

/// Bodies that look like requests, chunks and line ends.
fn body(rng: &mut Rng) -> Vec<u8> {
    pick(
        rng,
        &[
            "",
            "x",
            "hello",
            "0\r\n\r\n",
            "GET /evil HTTP/1.1\r\nHost: shop.example\r\n\r\n",
            "\r\n",
            "a=b&c=d\n",
        ],
    )
    .as_bytes()
    .to_vec()
}

fn push_chunks(rng: &mut Rng, out: &mut Vec<u8>) {
    for _ in 0..rng.usize(..4) {
        let data = body(rng);
        if data.is_empty() {
            continue;
        }
        let extension = pick(rng, &["", "", ";a", ";a=b", ";a=\"b c\""]);
        out.extend_from_slice(format!("{:x}{extension}\r\n", data.len()).as_bytes());
        out.extend_from_slice(&data);
        out.extend_from_slice(b"\r\n");
    }
    let trailers =
        pick(rng, &["", "", "X-Sum: 1\r\n", "Host: evil\r\nX-Sum: 1\r\n", "Content-Length: 9\r\n"]);
    out.extend_from_slice(format!("0\r\n{trailers}\r\n").as_bytes());
}

fn pick<'a>(rng: &mut Rng, of: &[&'a str]) -> &'a str {
    of[rng.usize(..of.len())]
}

/// Applies one to three mutators.
pub(crate) fn mutate(valid: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = valid.to_vec();
    for _ in 0..rng.usize(1..=3) {
        if bytes.is_empty() {
            break;
        }
        MUTATORS[rng.usize(..MUTATORS.len())](&mut bytes, rng);
    }
    bytes
}

type Mutator = fn(&mut Vec<u8>, &mut Rng);

const MUTATORS: &[Mutator] = &[
    flip_a_bit,
    delete_a_byte,
    repeat_a_byte,
    insert_a_hostile_byte,
    delete_a_line,
    repeat_a_line,
    swap_two_lines,
    change_a_line_end,
    insert_a_hostile_line,
    change_the_case,
    space_a_colon,
    fold_a_line,
    truncate,
    change_a_number,
    splice,
    insert_a_request,
    replace_a_word,
    escape_a_byte,
];

#[expect(clippy::ptr_arg, reason = "all mutators have one type")]
fn flip_a_bit(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let at = rng.usize(..bytes.len());
    bytes[at] ^= 1 << rng.u8(..8);
}

fn delete_a_byte(bytes: &mut Vec<u8>, rng: &mut Rng) {
    bytes.remove(rng.usize(..bytes.len()));
}

fn repeat_a_byte(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let at = rng.usize(..bytes.len());
    bytes.insert(at, bytes[at]);
}

fn insert_a_hostile_byte(bytes: &mut Vec<u8>, rng: &mut Rng) {
    const HOSTILE: &[u8] = b"\0\r\n \t\x0b\x0c\x1b:,;_.#\\%\"'\x7f\x80\x85\xa0\xff+-0x/@";
    bytes.insert(rng.usize(..=bytes.len()), HOSTILE[rng.usize(..HOSTILE.len())]);
}

/// Where each line starts and ends, its LF included.
fn lines(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut start = 0;
    let ends = bytes.split_inclusive(|&byte| byte == b'\n');
    ends.map(|line| {
        let span = (start, start + line.len());
        start = span.1;
        span
    })
    .collect()
}

fn a_line(bytes: &[u8], rng: &mut Rng) -> (usize, usize) {
    let lines = lines(bytes);
    lines[rng.usize(..lines.len())]
}

fn delete_a_line(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let (start, end) = a_line(bytes, rng);
    bytes.drain(start..end);
}

fn repeat_a_line(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let (start, end) = a_line(bytes, rng);
    let line = bytes[start..end].to_vec();
    let (at, _) = a_line(bytes, rng);
    bytes.splice(at..at, line);
}

fn swap_two_lines(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let (one, other) = (a_line(bytes, rng), a_line(bytes, rng));
    let (first, second) = (one.min(other), one.max(other));
    if first.1 <= second.0 {
        let moved: Vec<u8> =
            [&bytes[second.0..second.1], &bytes[first.1..second.0], &bytes[first.0..first.1]]
                .concat();
        bytes.splice(first.0..second.1, moved);
    }
}

fn change_a_line_end(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let (_, end) = a_line(bytes, rng);
    let start = end
        - bytes[..end].iter().rev().take_while(|byte| matches!(byte, b'\r' | b'\n')).count().min(2);
    let other = pick(rng, &["\n", "\r", "\r\r\n", "\n\r", "\r\n\r\n", "", "\r\n\n", "\0\r\n"]);
    bytes.splice(start..end, other.bytes());
}

fn insert_a_hostile_line(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let line = pick(
        rng,
        &[
            "Transfer-Encoding: chunked",
            "Transfer-Encoding : chunked",
            "Transfer-Encoding: xchunked",
            "Transfer_Encoding: chunked",
            "Transfer-Encoding:\tchunked",
            "transfer-encoding: identity",
            "Transfer-Encoding: chunked, chunked",
            "TE: chunked",
            "Content-Length: 0",
            "Content-Length: 5",
            "Content-Length: 4, 4",
            "Content-Length: +1",
            "content_length: 3",
            "Host: evil",
            "Host: shop.example",
            "host : evil",
            " Host: evil",
            "Connection: close, X-Forwarded-For",
            "Connection: Content-Length",
            "Connection: te, Transfer-Encoding",
            "Upgrade: websocket",
            "Connection: upgrade",
            "Expect: 100-continue",
            "Expect: x",
            "X: a\0b",
            "X: a\rb",
            ": empty",
            "GET / HTTP/1.1",
            "HTTP/1.1 200 OK",
            "0",
            "",
            "Proxy-Connection: keep-alive",
            "Keep-Alive: timeout=5",
            "X-Forwarded-For: 1.2.3.4",
            "x.forwarded.for: 1.2.3.4",
        ],
    );
    let (at, _) = a_line(bytes, rng);
    bytes.splice(at..at, format!("{line}\r\n").into_bytes());
}

#[expect(clippy::ptr_arg, reason = "all mutators have one type")]
fn change_the_case(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let start = rng.usize(..bytes.len());
    let end = (start + rng.usize(1..20)).min(bytes.len());
    for byte in &mut bytes[start..end] {
        *byte = if byte.is_ascii_lowercase() {
            byte.to_ascii_uppercase()
        } else {
            byte.to_ascii_lowercase()
        };
    }
}

fn space_a_colon(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let colons: Vec<_> = (0..bytes.len()).filter(|&at| bytes[at] == b':').collect();
    if let Some(&at) = colons.get(rng.usize(..colons.len().max(1))) {
        let at = at + usize::from(rng.bool());
        bytes.splice(at..at, pick(rng, &[" ", "\t", "  ", "\x0b", "\r\n "]).bytes());
    }
}

fn fold_a_line(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let at = rng.usize(..bytes.len());
    bytes.splice(at..at, pick(rng, &["\r\n ", "\r\n\t", "\n "]).bytes());
}

fn truncate(bytes: &mut Vec<u8>, rng: &mut Rng) {
    bytes.truncate(rng.usize(..bytes.len()));
}

fn change_a_number(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let starts: Vec<_> = (0..bytes.len()).filter(|&at| bytes[at].is_ascii_digit()).collect();
    if let Some(&start) = starts.get(rng.usize(..starts.len().max(1))) {
        let digits = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let other = pick(
            rng,
            &[
                "0",
                "1",
                "5",
                "00",
                "05",
                "+5",
                "-5",
                "0x5",
                "5 ",
                " 5",
                "5,5",
                "5;",
                "1e1",
                "5.0",
                "5_0",
                "99",
                "18446744073709551621",
                "9223372036854775808",
                "ffffffffffffffff",
                "10000000000000005",
                "",
            ],
        );
        bytes.splice(start..start + digits, other.bytes());
    }
}

fn splice(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let start = rng.usize(..bytes.len());
    let end = (start + rng.usize(1..60)).min(bytes.len());
    let part = bytes[start..end].to_vec();
    let at = rng.usize(..=bytes.len());
    bytes.splice(at..at, part);
}

fn insert_a_request(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let other = request(rng, false);
    let at = if rng.bool() { a_line(bytes, rng).0 } else { rng.usize(..=bytes.len()) };
    bytes.splice(at..at, other);
}

fn replace_a_word(bytes: &mut Vec<u8>, rng: &mut Rng) {
    const WORDS: &[(&str, &[&str])] = &[
        (
            "chunked",
            &[
                "Chunked",
                "chunke",
                "chunked;q=1",
                "\"chunked\"",
                "chunked,",
                ",chunked",
                "\x0bchunked",
                "identity",
            ],
        ),
        (
            "HTTP/1.1",
            &["HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/0.9", "HTTP/1.1 ", " HTTP/1.1"],
        ),
        ("Host", &["host", "H\u{f6}st", "Host\0", "X-Host", "Host\t"]),
        (
            "Content-Length",
            &[
                "Content_Length",
                "Content-Length ",
                "content-length",
                "Content-Lengt\u{212a}",
                "Transfer-Encoding",
            ],
        ),
        (
            "Transfer-Encoding",
            &["Transfer_Encoding", "Transfer-Encoding\x0b", "TRANSFER-ENCODING", "Content-Length"],
        ),
        (
            "shop.example",
            &[
                "evil",
                "shop.example:80",
                "u@shop.example",
                "shop.example,evil",
                "",
                "[::1]",
                "shop example",
            ],
        ),
        ("GET", &["CONNECT", "TRACE", "get", "G\tET", "GET ", "PRI"]),
        ("/", &["*", "\\", "//", "/../", "/%2e%2e/", "/#", "/..;/", "/%00", "x", "/?", "/%5c"]),
    ];
    let (word, others) = WORDS[rng.usize(..WORDS.len())];
    let places: Vec<_> =
        (0..bytes.len()).filter(|&at| bytes[at..].starts_with(word.as_bytes())).collect();
    if let Some(&at) = places.get(rng.usize(..places.len().max(1))) {
        bytes.splice(at..at + word.len(), pick(rng, others).bytes());
    }
}

fn escape_a_byte(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let at = rng.usize(..bytes.len());
    let escaped = format!("%{:02x}", bytes[at]);
    bytes.splice(at..=at, escaped.into_bytes());
}
