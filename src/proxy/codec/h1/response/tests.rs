use super::*;

const GET: Sent<'_> = Sent { method: &Method::GET, upgrade: "" };
const HEAD: Sent<'_> = Sent { method: &Method::HEAD, upgrade: "" };
const WEBSOCKET: Sent<'_> = Sent { method: &Method::GET, upgrade: "websocket" };

fn parse(raw: &str, sent: Sent<'_>) -> Result<ResponseHead, ResponseError> {
    let mut head = ResponseHead::default();
    match parse_response(raw.as_bytes(), sent, &HeadLimits::default(), &mut head)? {
        Parsed::Complete { consumed } => assert_eq!(consumed, raw.len(), "{raw:?}"),
        Parsed::Partial => panic!("partial: {raw:?}"),
    }
    Ok(head)
}

/// RFC 9112 §6.3: the body's length and whether the connection may be used again.
#[test]
fn the_body_ends_where_rfc_9112_says() {
    use BodyLength::*;
    for (sent, status, fields, body, reusable) in [
        (GET, "200 OK", "Content-Length: 5\r\n", Sized(5), true),
        (GET, "200 OK", "Content-Length: 0\r\n", Sized(0), true),
        (GET, "200", "Content-Length: 5\r\n", Sized(5), true),
        (GET, "200 ", "Content-Length: 5\r\n", Sized(5), true),
        (GET, "200 caf\u{e9}", "Content-Length: 5\r\n", Sized(5), true),
        (GET, "200 OK", "Transfer-Encoding: Chunked\r\n", Streamed, true),
        (GET, "200 OK", "", UntilClose, false),
        (GET, "200 OK", "Connection: keep-alive\r\n", UntilClose, false),
        (GET, "200 OK", "Content-Length: 5\r\nConnection: close\r\n", Sized(5), false),
        (GET, "205 R", "Content-Length: 0\r\n", Sized(0), true),
        (GET, "599 x", "Content-Length: 0\r\n", Sized(0), true),
        (GET, "204 N", "", Empty, true),
        (GET, "204 N", "Content-Length: 0\r\n", Empty, true),
        (GET, "204 N", "Content-Length: 5\r\n", Empty, false),
        (GET, "204 N", "Transfer-Encoding: chunked\r\n", Empty, false),
        (GET, "304 N", "Content-Length: 5\r\n", Empty, true),
        (GET, "304 N", "Transfer-Encoding: chunked\r\n", Empty, true),
        (GET, "304 N", "", Empty, true),
        (HEAD, "200 OK", "Content-Length: 5\r\n", Empty, true),
        (HEAD, "200 OK", "Transfer-Encoding: chunked\r\n", Empty, true),
        (HEAD, "200 OK", "", Empty, true),
        (HEAD, "404 N", "Content-Length: 5\r\nConnection: close\r\n", Empty, false),
        (GET, "100 Continue", "", Empty, true),
        (GET, "103 Early Hints", "Link: x\r\n", Empty, true),
    ] {
        let raw = format!("HTTP/1.1 {status}\r\n{fields}\r\n");
        let head = parse(&raw, sent).unwrap_or_else(|error| panic!("{raw:?}: {error:?}"));
        assert_eq!((head.body, head.keep_alive), (body, reusable), "{raw:?}");
    }
}

#[test]
fn a_length_without_a_body_is_data() {
    for (sent, status) in [(HEAD, "200 OK"), (GET, "304 N")] {
        let head = parse(&format!("HTTP/1.1 {status}\r\nContent-Length: 05\r\n\r\n"), sent)
            .expect("valid");
        assert_eq!(head.fields.get("content-length"), Some(&b"5"[..]));
    }
    let head = parse("HTTP/1.1 204 N\r\nContent-Length: 5\r\n\r\n", GET).expect("valid");
    assert!(head.fields.is_empty());
}

#[test]
fn http_10_upstreams() {
    for (fields, body, reusable) in [
        ("", BodyLength::UntilClose, false),
        ("Content-Length: 5\r\n", BodyLength::Sized(5), false),
        ("Content-Length: 5\r\nConnection: keep-alive\r\n", BodyLength::Sized(5), true),
    ] {
        let head = parse(&format!("HTTP/1.0 200 OK\r\n{fields}\r\n"), GET).expect("valid");
        assert_eq!((head.body, head.keep_alive, head.version), (body, reusable, Version::HTTP_10));
    }
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    for (raw, section) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "§6.3"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", "§6.3"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", "§6.3"),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "§6.3"),
        ("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", "§6.3"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "§8.6"),
        ("HTTP/1.1 304 N\r\nContent-Length: x\r\n\r\n", "§6.3"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "§6.1",
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "§6.1"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n", "§6.1"),
        ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "§6.1"),
        ("HTTP/1.1 100 C\r\nContent-Length: 5\r\n\r\n", "§6.3"),
        ("HTTP/1.1 103 C\r\nTransfer-Encoding: chunked\r\n\r\n", "§6.3"),
        ("HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", "§15.2.2"),
        ("HTTP/1.1 099 x\r\n\r\n", "§15"),
        ("HTTP/1.1 600 x\r\n\r\n", "§15"),
        ("HTTP/1.1 999 x\r\n\r\n", "§15"),
        ("HTTP/1.1 20 x\r\n\r\n", "§4"),
        ("HTTP/1.1 2000 x\r\n\r\n", "§4"),
        ("HTTP/1.1  200 x\r\n\r\n", "§4"),
        ("HTTP/1.1 200 a\0b\r\n\r\n", "§4"),
        ("HTTP/1.1 200 a\rb\r\n\r\n", "§4"),
        ("HTTP/2.0 200 OK\r\n\r\n", "§4"),
        ("HTTP/1.2 200 OK\r\n\r\n", "§4"),
        ("ICY 200 OK\r\n\r\n", "§4"),
        ("200 OK\r\n\r\n", "§4"),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n", "§4"),
        ("\nHTTP/1.1 200 OK\r\n\r\n", "§4"),
        ("HTTP/1.1 200 OK\n\n", "§2.2"),
        ("HTTP/1.1 200 OK\r\nA: b\n\r\n", "§2.2"),
        ("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "§5"),
        ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "§5"),
        ("HTTP/1.1 200 OK\r\n: b\r\n\r\n", "§5"),
        ("HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n", "§5.5"),
        ("HTTP/1.1 200 OK\r\nA: b\rSet-Cookie: c\r\n\r\n", "§5.5"),
        ("HTTP/1.1 200 OK\r\nConnection: a b\r\n\r\n", "§7.6.1"),
    ] {
        let error = parse(raw, GET).expect_err(raw);
        assert_eq!(error.cause, Cause::UpstreamProtocolError, "{raw:?}");
        assert!(error.reason.contains(section), "{raw:?}: {}", error.reason);
    }
}

#[test]
fn what_ends_at_this_hop_goes() {
    let head = parse(
        "HTTP/1.1 200 OK\r\nServer: s\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nProxy-Authenticate: x\r\n\
         Upgrade: h2c\r\nTrailer: t\r\nTE: x\r\nContent-Length: 0\r\nX_Y: kept\r\n\r\n",
        GET,
    )
    .expect("valid");
    let names: Vec<_> = head.fields.iter().map(|(name, _)| name).collect();
    assert_eq!(names, [&b"server"[..], b"x_y"]);
    assert_eq!(head.upgrade, "");
}

#[test]
fn a_switch_is_the_one_that_was_asked_for() {
    let raw = "HTTP/1.1 101 S\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n";
    let head = parse(raw, WEBSOCKET).expect("asked for");
    assert_eq!((head.upgrade.as_str(), head.body), ("websocket", BodyLength::Empty));
    for raw in [
        "HTTP/1.1 101 S\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 101 S\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/1.0 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 5\r\n\r\n",
    ] {
        assert!(parse(raw, WEBSOCKET).is_err(), "{raw:?}");
    }
}

#[test]
fn limits_are_exact_and_have_their_own_cause() {
    let limits = HeadLimits { head_bytes: 100, target_bytes: 0, fields: 2 };
    let verdict = |raw: &str| {
        let mut head = ResponseHead::default();
        parse_response(raw.as_bytes(), GET, &limits, &mut head).map_err(|error| error.cause)
    };
    let weight = |bytes: usize| {
        let bare = "HTTP/1.1 200 OK\r\nX: \r\n\r\n".len();
        format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(bytes - bare))
    };
    assert_eq!(verdict(&weight(100)), Ok(Parsed::Complete { consumed: 100 }));
    assert_eq!(verdict(&weight(101)), Err(Cause::UpstreamHeadTooLarge));
    assert_eq!(verdict(&weight(101)[..99]), Ok(Parsed::Partial));
    assert_eq!(
        verdict("HTTP/1.1 200 OK\r\nA: b\r\nA: b\r\nA: b\r\n\r\n"),
        Err(Cause::UpstreamHeadTooLarge)
    );
}

#[test]
fn a_prefix_has_the_verdict_of_the_whole() {
    for raw in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "\rHTTP/1.1 200 OK\r\n\r\n",
    ] {
        let mut head = ResponseHead::default();
        let mut look = |end: usize| {
            parse_response(&raw.as_bytes()[..end], GET, &HeadLimits::default(), &mut head)
        };
        let whole = look(raw.len());
        for end in 0..raw.len() {
            let part = look(end);
            assert!(part == Ok(Parsed::Partial) || part == whole, "{:?}: {part:?}", &raw[..end]);
        }
    }
}
