//! No upstream can make the client see another number of responses than the proxy sent.
//!
//! Valid responses are mutated as requests are in `smuggling`. What the codec takes is written
//! for a client and read naively: one status line, one framing field that says what was promised.

use meshctl::proxy::codec::h1::{
    HeadLimits, Parsed, ResponseOptions, Sending, Sent, parse_response, write_response,
};
use meshctl::proxy::message::{BodyLength, Method, ResponseHead, StatusCode, Version};

use crate::oracle;
use crate::smuggling::mutation;

fn response(rng: &mut fastrand::Rng) -> Vec<u8> {
    let mut pick = |of: &[&'static str]| of[rng.usize(..of.len())];
    let status = pick(&[
        "200 OK",
        "204 No Content",
        "304 Not Modified",
        "100 Continue",
        "101 Switching",
        "404",
        "200 ",
    ]);
    let framing = pick(&[
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Content-Length: 0\r\n",
        "",
    ]);
    let field = pick(&["Server: s\r\n", "Set-Cookie: a=b\r\nSet-Cookie: c\r\n", "X:\r\n", ""]);
    let hop = pick(&[
        "Connection: close\r\n",
        "Upgrade: websocket\r\nConnection: upgrade\r\n",
        "Trailer: x\r\n",
        "",
    ]);
    let body = pick(&[
        "hello",
        "5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "",
    ]);
    format!("HTTP/1.1 {status}\r\n{field}{framing}{hop}\r\n{body}").into_bytes()
}

/// What a client makes of a head that the proxy wrote.
fn check_head(head: &ResponseHead, options: ResponseOptions<'_>, shown: &str) {
    let mut wire = Vec::new();
    let sending = write_response(head, options, &mut wire);
    let end = wire.iter().position(|&byte| byte == b'\n').expect("a status line") + 1;
    let (status, rest) = wire.split_at(end);
    let text = std::str::from_utf8(status).expect("a status line of ours is text");
    assert!(text.starts_with("HTTP/1.1 ") && text.ends_with("\r\n"), "{shown}: {text:?}");
    assert!(!text[..end - 2].contains(|char: char| char.is_control()), "{shown}: {text:?}");
    let (fields, rest) = oracle::field_lines(rest)
        .unwrap_or_else(|wrong| panic!("{shown}: {wrong}: {}", wire.escape_ascii()))
        .expect("a whole head");
    assert!(rest.is_empty(), "{shown}: two heads: {}", wire.escape_ascii());
    let all = |name: &str| -> Vec<_> {
        fields.iter().filter(|field| field.0 == name).map(|field| field.1.as_slice()).collect()
    };
    let lengths = all("content-length");
    let codings = all("transfer-encoding");
    assert!(lengths.len() + codings.len() <= 1, "{shown}: {}", wire.escape_ascii());
    match sending.body {
        BodyLength::Sized(length) => {
            assert_eq!(lengths, [length.to_string().as_bytes()], "{shown}")
        }
        BodyLength::Streamed => assert_eq!(codings, [b"chunked"], "{shown}"),
        BodyLength::UntilClose => {
            assert!(lengths.is_empty() && codings.is_empty() && !sending.keep_alive, "{shown}");
        }
        BodyLength::Empty => check_bodiless(head.status, options, &sending, lengths.len()),
    }
    assert!(all("connection").len() <= 1 && all("keep-alive").is_empty(), "{shown}");
}

/// RFC 9112 §6.3: a client expects no body here, whatever the fields say.
fn check_bodiless(
    status: StatusCode,
    options: ResponseOptions<'_>,
    sending: &Sending,
    lengths: usize,
) {
    let bare = status.is_informational() || status == StatusCode::NO_CONTENT;
    assert!(bare || options.to_head || status == StatusCode::NOT_MODIFIED, "{status} {sending:?}");
    assert!(!bare || lengths == 0, "{status} with a length");
}

#[test]
fn mutated_responses_have_one_reading() {
    const CASES: usize = 12_000;
    let mut rng = fastrand::Rng::with_seed(9111);
    let limits = HeadLimits::default();
    let (mut passed, mut refused) = (0, 0);
    let mut head = ResponseHead::default();
    for _ in 0..CASES {
        let mutated = mutation::mutate(&response(&mut rng), &mut rng);
        let shown = mutated.escape_ascii().to_string();
        let method = if rng.bool() { Method::GET } else { Method::HEAD };
        let sent = Sent { method: &method, upgrade: if rng.bool() { "websocket" } else { "" } };
        let cut = rng.usize(..=mutated.len());
        let part = parse_response(&mutated[..cut], sent, &limits, &mut head);
        let whole = parse_response(&mutated, sent, &limits, &mut head);
        assert!(part == Ok(Parsed::Partial) || part == whole, "cut at {cut}: {shown}");
        match whole {
            Ok(Parsed::Complete { consumed }) => {
                assert!(mutated[..consumed].ends_with(b"\r\n\r\n"), "{shown}");
                let client_version = if rng.bool() { Version::HTTP_11 } else { Version::HTTP_10 };
                let to_head = method == Method::HEAD;
                let options = ResponseOptions {
                    keep_alive: true,
                    client_version,
                    to_head,
                    takes_trailers: rng.bool(),
                    date: Some("now"),
                };
                check_head(&head, options, &shown);
                passed += 1;
            }
            Ok(Parsed::Partial) => {}
            Err(_) => refused += 1,
        }
    }
    assert!(passed > CASES / 5 && refused > CASES / 5, "{passed} passed, {refused} refused");
}
