use super::super::worth_parsing;
use super::super::write::{Persistence, write_request};
use super::*;

fn parse(raw: &[u8]) -> Result<(Parsed, RequestHead), RequestError> {
    let mut head = RequestHead::default();
    parse_request(raw, &HeadLimits::default(), &mut head).map(|parsed| (parsed, head))
}

#[track_caller]
fn accepted(raw: &str) -> RequestHead {
    match parse(raw.as_bytes()) {
        Ok((Parsed::Complete { consumed }, head)) => {
            assert_eq!(consumed, raw.len(), "{raw:?}");
            head
        }
        other => panic!("{raw:?}: {other:?}"),
    }
}

/// The error's cause, and the section that its sentence names.
#[track_caller]
fn refused(raw: &[u8], cause: Cause, section: &str) {
    match parse(raw) {
        Err(error) => {
            assert_eq!(error.cause, cause, "{}: {}", raw.escape_ascii(), error.reason);
            assert!(error.reason.contains(section), "{}: {}", raw.escape_ascii(), error.reason);
        }
        Ok((parsed, _)) => panic!("{}: {parsed:?}", raw.escape_ascii()),
    }
}

/// What a backend gets of the request.
#[track_caller]
fn forwarded(raw: &str) -> String {
    let head = accepted(raw);
    let mut out = Vec::new();
    write_request(&head, Persistence::KeepAlive, &mut out);
    String::from_utf8(out).expect("the case is text")
}

#[test]
fn a_request_goes_on_as_it_came_but_for_its_hop() {
    let raw = "GET /a/./b?c=%zz HTTP/1.1\r\nUser-Agent: t\r\nHost: Shop.Example:8080\r\nKeep-Alive: 5\r\n\
               Proxy-Connection: x\r\nProxy-Authorization: y\r\nProxy: z\r\nTE: gzip, trailers\r\n\
               HTTP2-Settings: a\r\nTrailer: x\r\nConnection: keep-alive, X-Hop,, te\r\nx-hop: 1\r\nX-Kept: \t2 \r\n\
               grpc_x: 3\r\nX_Forwarded_For: 4\r\nEmpty:\r\n\r\n";
    assert_eq!(
        forwarded(raw),
        "GET /a/b?c=%zz HTTP/1.1\r\nhost: shop.example:8080\r\nuser-agent: t\r\nx-kept: 2\r\ngrpc_x: 3\r\nempty: \r\n\
         te: trailers\r\nconnection: te\r\n\r\n"
    );
}

#[test]
fn framing_is_canonical() {
    for (fields, body, line) in [
        ("", BodyLength::Empty, "content-length: 0\r\n"),
        ("Content-Length: 0\r\n", BodyLength::Sized(0), "content-length: 0\r\n"),
        ("Content-Length: 007\r\n", BodyLength::Sized(7), "content-length: 7\r\n"),
        ("Content-Length:\t7 \r\n", BodyLength::Sized(7), "content-length: 7\r\n"),
        ("Transfer-Encoding: CHUNKED \r\n", BodyLength::Streamed, "transfer-encoding: chunked\r\n"),
        (
            "Content-Length: 9223372036854775807\r\n",
            BodyLength::Sized(9_223_372_036_854_775_807),
            "content-length: 9223372036854775807\r\n",
        ),
    ] {
        let raw = format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        assert_eq!(accepted(&raw).body, body, "{fields}");
        assert_eq!(forwarded(&raw), format!("POST / HTTP/1.1\r\nhost: a\r\n{line}\r\n"));
    }
}

/// Every rule with a request that breaks it and the section that says so.
#[test]
fn what_two_parsers_could_read_in_two_ways_is_refused() {
    let line = "GET / HTTP/1.1\r\n";
    for (fields, section) in [
        // Host.
        ("", "§3.2"),
        ("Host: a\r\nHost: a\r\n", "§3.2"),
        ("Host: a\r\nHOST: b\r\n", "§3.2"),
        ("Host:\r\n", "§4.2.1"),
        ("Host: :80\r\n", "§4.2.1"),
        ("Host: user@a\r\n", "§4.2.4"),
        ("Host: a b\r\n", "§3.2.2"),
        ("Host: a,b\r\n", "§3.2.2"),
        ("Host: a/b\r\n", "§3.2.2"),
        ("Host: a%00\r\n", "§3.2.2"),
        ("Host: a:b\r\n", "§3.2.3"),
        ("Host: http://a\r\n", "§3.2.3"),
        ("Host: [::1\r\n", "§3.2.2"),
        ("Host: é\r\n", "§3.2.2"),
        // Field lines.
        ("Host : a\r\n", "§5"),
        ("Host\t: a\r\n", "§5"),
        (" Host: a\r\n", "§5"),
        ("Host: a\r\n b\r\n", "§5"),
        ("Host: a\r\n\tb: c\r\n", "§5"),
        ("Host: a\r\nX-A: b\r\n c\r\n", "§5"),
        ("Host: a\r\n: b\r\n", "§5"),
        ("Host: a\r\nno colon\r\n", "§5"),
        ("Host: a\r\nname\r\n", "§5"),
        ("Host: a\r\nX(A): b\r\n", "§5"),
        ("Host: a\r\nX\"A: b\r\n", "§5"),
        ("Host: a\r\nXé: b\r\n", "§5"),
        ("Host: a\r\nX\0: b\r\n", "§5"),
        ("Host: a\r\nX: b\0c\r\n", "§5.5"),
        ("Host: a\r\nX: b\rc\r\n", "§5.5"),
        ("Host: a\r\nX: b\r\r\n", "§5.5"),
        ("Host: a\r\nX: \x0bb\r\n", "§5.5"),
        ("Host: a\r\nX: b\x7f\r\n", "§5.5"),
        ("Host: a\r\nX: \x1b[31m\r\n", "§5.5"),
        ("Host: a\nX: b\r\n", "§2.2"),
        ("Host: a\r\nX: b\n", "§2.2"),
        // Transfer-Encoding.
        ("Host: a\r\nTransfer-Encoding:\r\n", "§6.1"),
        ("Host: a\r\nTransfer-Encoding: identity\r\n", "§6.1"),
        ("Host: a\r\nTransfer-Encoding: gzip, chunked\r\n", "§6.1"),
        ("Host: a\r\nTransfer-Encoding: chunked, chunked\r\n", "§6.1"),
        ("Host: a\r\nTransfer-Encoding: ,chunked\r\n", "§6.1"),
        ("Host: a\r\nTransfer-Encoding: chunked,\r\n", "§6.1"),
        ("Host: a\r\nTransfer-Encoding: chunked;q=1\r\n", "§6.1"),
        ("Host: a\r\nTransfer-Encoding: \"chunked\"\r\n", "§6.1"),
        ("Host: a\r\nTransfer-Encoding: xchunked\r\n", "§6.1"),
        ("Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "§6.1"),
        ("Host: a\r\nTransfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n", "§6.1"),
        ("Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", "§6.1"),
        ("Host: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n", "§6.1"),
        // Content-Length.
        ("Host: a\r\nContent-Length:\r\n", "§6.3"),
        ("Host: a\r\nContent-Length: 5, 5\r\n", "§6.3"),
        ("Host: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n", "§6.3"),
        ("Host: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n", "§6.3"),
        ("Host: a\r\nContent-Length: +5\r\n", "§6.3"),
        ("Host: a\r\nContent-Length: -5\r\n", "§6.3"),
        ("Host: a\r\nContent-Length: 0x5\r\n", "§6.3"),
        ("Host: a\r\nContent-Length: 5 5\r\n", "§6.3"),
        ("Host: a\r\nContent-Length: 5;\r\n", "§6.3"),
        ("Host: a\r\nContent-Length: 5_0\r\n", "§6.3"),
        ("Host: a\r\nContent-Length: 1e1\r\n", "§6.3"),
        ("Host: a\r\nContent-Length: \u{665}\r\n", "§6.3"),
        ("Host: a\r\nContent-Length: 9223372036854775808\r\n", "§8.6"),
        ("Host: a\r\nContent-Length: 18446744073709551621\r\n", "§8.6"),
        ("Host: a\r\nContent-Length: 00000000000000000005\r\n", "§8.6"),
        // Connection.
        ("Host: a\r\nConnection: Host\r\n", "§7.6.1"),
        ("Host: a\r\nConnection: close, X-Forwarded-For\r\n", "§7.6.1"),
        ("Host: a\r\nConnection: content-length\r\n", "§7.6.1"),
        ("Host: a\r\nConnection: close\r\nConnection: Authorization\r\n", "§7.6.1"),
        ("Host: a\r\nConnection: \"close\"\r\n", "§7.6.1"),
        ("Host: a\r\nConnection: a b\r\n", "§7.6.1"),
    ] {
        refused(format!("{line}{fields}\r\n").as_bytes(), Cause::BadRequest, section);
    }
    let many = vec!["x"; limits::CONNECTION_OPTIONS + 1].join(",");
    let raw = format!("{line}Host: a\r\nConnection: {many}\r\n\r\n");
    refused(raw.as_bytes(), Cause::BadRequest, "Connection");
}

#[test]
fn request_lines_are_read_strictly() {
    use Cause::*;
    for (line, cause, section) in [
        ("GET  / HTTP/1.1", BadRequest, "§3"),
        ("GET /  HTTP/1.1", BadRequest, "§2.3"),
        ("GET\t/ HTTP/1.1", BadRequest, "§3"),
        (" GET / HTTP/1.1", BadRequest, "§3"),
        ("GET / HTTP/1.1 ", BadRequest, "§2.2"),
        ("GET / HTTP/1.1 x", BadRequest, "§2.2"),
        ("GET /", BadRequest, "§3"),
        ("GET", BadRequest, "§3"),
        ("GET / ", BadRequest, "§2.3"),
        ("GET HTTP/1.1", BadRequest, "§3"),
        ("G(T / HTTP/1.1", BadRequest, "§3"),
        ("GET\0 / HTTP/1.1", BadRequest, "§3"),
        ("GET / http/1.1", BadRequest, "§2.3"),
        ("GET / HTTP/x.1", BadRequest, "§2.3"),
        ("GET / HTTP/1.2", UnsupportedVersion, "§15.6.6"),
        ("GET / HTTP/0.9", UnsupportedVersion, "§15.6.6"),
        ("GET / HTTP/2.0", UnsupportedVersion, "§15.6.6"),
        ("GET / HTTP/1.", UnsupportedVersion, "§15.6.6"),
        ("GET / HTTP/11", UnsupportedVersion, "§15.6.6"),
        ("PRI * HTTP/2.0", UnsupportedVersion, "§15.6.6"),
        ("GET * HTTP/1.1", BadRequest, "§3.2.4"),
        ("PRI * HTTP/1.1", BadRequest, "§3.2.4"),
        ("CONNECT a:443 HTTP/1.1", MethodNotAllowed, ""),
        ("CONNECT / HTTP/1.1", MethodNotAllowed, ""),
        ("TRACE / HTTP/1.1", MethodNotAllowed, ""),
        ("GET a HTTP/1.1", BadRequest, "§3.2"),
        ("GET a:80 HTTP/1.1", BadRequest, "§3.2"),
        ("GET ?a HTTP/1.1", BadRequest, "§3.2"),
        ("GET #a HTTP/1.1", BadRequest, "§3.2"),
        ("GET \\ HTTP/1.1", BadRequest, "§3.2"),
        ("GET ftp://a/ HTTP/1.1", BadRequest, "§3.2"),
        ("GET http:/a/ HTTP/1.1", BadRequest, "§3.2"),
        ("GET httpé://a/ HTTP/1.1", BadRequest, "§3.2"),
        ("GET http:// HTTP/1.1", BadRequest, "§4.2.1"),
        ("GET http:///x HTTP/1.1", BadRequest, "§4.2.1"),
        ("GET http://u@a/ HTTP/1.1", BadRequest, "§4.2.4"),
        ("GET http://b/ HTTP/1.1", BadRequest, "§3.2.2"),
        ("GET http://a:80/ HTTP/1.1", BadRequest, "§3.2.2"),
        ("GET http://a\\/ HTTP/1.1", BadRequest, "§3.2.2"),
        ("GET http://a#x HTTP/1.1", BadPath, "§3.2"),
        ("GET /a#b HTTP/1.1", BadPath, "§3.2"),
        ("GET /a?b#c HTTP/1.1", BadPath, "§3.2"),
        ("GET /é HTTP/1.1", BadPath, "§2"),
        ("GET /?é HTTP/1.1", BadPath, "§2"),
        ("GET /\\ HTTP/1.1", BadPath, ""),
        ("GET /a\x7f HTTP/1.1", BadRequest, "§3"),
        ("GET /a\0 HTTP/1.1", BadRequest, "§3"),
        ("GET /a\rb HTTP/1.1", BadRequest, "§3"),
        ("GET /.. HTTP/1.1", BadPath, ""),
        ("GET /%00 HTTP/1.1", BadPath, ""),
    ] {
        let raw = format!("{line}\r\nHost: a\r\n\r\n");
        refused(raw.as_bytes(), cause, section);
    }
    refused(b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", BadRequest, "§3");
    refused(b"GET / HTTP/1.1\nHost: a\n\n", BadRequest, "§2.2");
    refused(b"GET / HTTP/1.1\rHost: a\r\r", BadRequest, "§2.2");
    refused(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", BadRequest, "§3");
}

#[test]
fn targets_of_every_form() {
    for (line, authority, target) in [
        ("GET / HTTP/1.1", "a", "/"),
        ("GET /?x HTTP/1.1", "a", "/?x"),
        ("GET /? HTTP/1.1", "a", "/?"),
        ("GET //b/c HTTP/1.1", "a", "//b/c"),
        ("GET /http://b/ HTTP/1.1", "a", "/http://b/"),
        ("GET /a%2f%2e%2E/../c HTTP/1.0", "a", ""),
        ("OPTIONS * HTTP/1.1", "a", "*"),
        ("OPTIONS / HTTP/1.1", "a", "/"),
        ("GET http://a/b?c HTTP/1.1", "a", "/b?c"),
        ("GET HTTPS://A/b/../c HTTP/1.1", "a", "/c"),
        ("GET http://a HTTP/1.1", "a", "/"),
        ("GET http://a?c HTTP/1.1", "a", "/?c"),
        ("OPTIONS http://a HTTP/1.1", "a", "*"),
        ("OPTIONS http://a/ HTTP/1.1", "a", "/"),
        ("OPTIONS http://a?b HTTP/1.1", "a", "/?b"),
        ("M-SEARCH / HTTP/1.1", "a", "/"),
    ] {
        let raw = format!("{line}\r\nHost: a\r\n\r\n");
        if target.is_empty() {
            refused(raw.as_bytes(), Cause::BadPath, "hidden");
            continue;
        }
        let head = accepted(&raw);
        assert_eq!((head.authority.as_str(), head.target.as_str()), (authority, target), "{line}");
    }
}

#[test]
fn http_10_has_its_own_rules() {
    let head = accepted("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(
        (head.version, head.authority.as_str(), head.keep_alive),
        (Version::HTTP_10, "", false)
    );
    assert_eq!(accepted("GET http://B/ HTTP/1.0\r\n\r\n").authority, "b");
    refused(b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Cause::BadRequest, "§6.1");
    refused(b"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", Cause::BadRequest, "§3.2");
    let head = accepted(
        "POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    );
    assert!(!head.expect_continue && head.upgrade.is_empty());
}

#[test]
fn persistence_is_what_version_and_connection_say() {
    for (version, connection, keep_alive) in [
        ("1.1", "x", true),
        ("1.1", "close", false),
        ("1.1", "Close", false),
        ("1.1", "keep-alive, close", false),
        ("1.1", "x,\tCLOSE ,y", false),
        ("1.1", "closed", true),
        ("1.0", "x", false),
        ("1.0", "Keep-Alive", true),
        ("1.0", "keep-alive, close", false),
    ] {
        let raw = format!("GET / HTTP/{version}\r\nHost: a\r\nConnection: {connection}\r\n\r\n");
        assert_eq!(accepted(&raw).keep_alive, keep_alive, "{version} {connection}");
    }
}

#[test]
fn expectations() {
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n";
    assert!(accepted(&format!("{post}Expect: 100-Continue\r\n\r\n")).expect_continue);
    assert!(
        forwarded(&format!("{post}Expect: 100-continue\r\n\r\n"))
            .contains("expect: 100-continue\r\n")
    );
    // Without a body there is nothing to wait for (0.CL desync).
    let bare = accepted("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n");
    assert!(!bare.expect_continue && !bare.fields.contains("expect"));
    for fields in [
        "Expect: y 100-continue\r\n",
        "Expect: 100-continue, x\r\n",
        "Expect:\r\n",
        "Expect: 200-ok\r\n",
        "Expect: 100-continue\r\nExpect: 100-continue\r\n",
    ] {
        refused(format!("{post}{fields}\r\n").as_bytes(), Cause::ExpectationFailed, "§10.1.1");
    }
    assert_eq!(Cause::ExpectationFailed.status(), 417);
}

#[test]
fn an_upgrade_is_asked_for_properly_or_forgotten() {
    let wire = forwarded(
        "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Key: k\r\n\r\n",
    );
    assert_eq!(
        wire,
        "GET /ws HTTP/1.1\r\nhost: a\r\nsec-websocket-key: k\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
    );
    assert_eq!(
        accepted("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\nContent-Length: 0\r\n\r\n").upgrade,
        "websocket"
    );
    for fields in [
        "Upgrade: websocket\r\n",
        "Upgrade: websocket\r\nConnection: close\r\n",
        "Upgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 5\r\n",
        "Upgrade: websocket\r\nConnection: upgrade\r\nTransfer-Encoding: chunked\r\n",
        "Upgrade: websocket\r\nUpgrade: websocket\r\nConnection: upgrade\r\n",
        "Upgrade: websocket, x\r\nConnection: upgrade\r\n",
        "Upgrade: h2c\r\nConnection: upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAA\r\n",
        "Upgrade: H2C\r\nConnection: upgrade\r\n",
        "Upgrade: TLS/1.0\r\nConnection: upgrade\r\n",
        "Upgrade: HTTP/2.0\r\nConnection: upgrade\r\n",
        "Upgrade:\r\nConnection: upgrade\r\n",
        "Upgrade: a/b/c\r\nConnection: upgrade\r\n",
        "Upgrade: SPDY/3.1\r\nConnection: upgrade\r\n",
        "Upgrade: websocket/13\r\nConnection: upgrade\r\n",
        "Connection: upgrade\r\n",
    ] {
        let raw = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        assert_eq!(accepted(&raw).upgrade, "", "{fields}");
        let wire = forwarded(&raw).to_ascii_lowercase();
        assert!(!wire.contains("upgrade") && !wire.contains("http2-settings"), "{wire}");
    }
}

#[test]
fn trailer_is_kept_only_with_a_body_that_can_have_trailers() {
    let raw = "POST / HTTP/1.1\r\nHost: a\r\nTrailer: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(accepted(raw).fields.get("trailer"), Some(&b"x"[..]));
    let raw = "POST / HTTP/1.1\r\nHost: a\r\nTrailer: x\r\nContent-Length: 1\r\n\r\n";
    assert!(accepted(raw).fields.is_empty());
}

#[test]
fn one_empty_line_may_come_first() {
    assert_eq!(accepted("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").authority, "a");
    refused(b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Cause::BadRequest, "§2.2");
    refused(b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Cause::BadRequest, "§2.2");
    refused(b"\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Cause::BadRequest, "§2.2");
    refused(b"\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", Cause::BadRequest, "§2.2");
}

#[test]
fn limits_are_exact() {
    let limits = HeadLimits { head_bytes: 200, target_bytes: 50, fields: 3 };
    let verdict = |raw: &str| {
        let mut head = RequestHead::default();
        parse_request(raw.as_bytes(), &limits, &mut head).map_err(|error| error.cause)
    };
    let target = |len: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(len - 1));
    assert!(matches!(verdict(&target(50)), Ok(Parsed::Complete { .. })));
    assert_eq!(verdict(&target(51)), Err(Cause::TargetTooLong));
    assert_eq!(verdict(&target(51)[..60]), Err(Cause::TargetTooLong));
    assert_eq!(verdict(&target(5000)), Err(Cause::TargetTooLong));
    let fields =
        |count: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(count - 1));
    assert!(matches!(verdict(&fields(3)), Ok(Parsed::Complete { .. })));
    assert_eq!(verdict(&fields(4)), Err(Cause::HeadTooLarge));
    let weight = |bytes: usize| {
        let bare = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n".len();
        format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "y".repeat(bytes - bare))
    };
    assert!(matches!(verdict(&weight(200)), Ok(Parsed::Complete { consumed: 200 })));
    assert_eq!(verdict(&weight(201)), Err(Cause::HeadTooLarge));
    assert_eq!(verdict(&weight(201)[..199]), Ok(Parsed::Partial));
    assert_eq!(verdict(&weight(201)[..200]), Err(Cause::HeadTooLarge));
    let method = |len: usize| format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "X".repeat(len));
    assert!(matches!(verdict(&method(limits::METHOD_BYTES)), Ok(Parsed::Complete { .. })));
    assert_eq!(verdict(&method(limits::METHOD_BYTES + 1)), Err(Cause::BadRequest));
    // An empty line before the head does count.
    let behind_a_line = |bytes: usize| format!("\r\n{}", weight(bytes - 2));
    assert_eq!(verdict(&behind_a_line(200)), Ok(Parsed::Complete { consumed: 200 }));
    assert_eq!(verdict(&behind_a_line(201)[..200]), Err(Cause::HeadTooLarge));
    // A body behind the head doesn't count.
    let with_body = format!("{}{}", weight(200), "z".repeat(1000));
    assert!(matches!(verdict(&with_body), Ok(Parsed::Complete { consumed: 200 })));
}

/// httparse scans several bytes at once; each byte is tried at each place of its lanes.
#[test]
fn no_byte_slips_through_a_wide_scan() {
    for byte in 0..=255u8 {
        for place in 0..40 {
            let mut raw = b"GET / HTTP/1.1\r\nHost: a\r\nX: ".to_vec();
            raw.extend(std::iter::repeat_n(b'v', place));
            raw.push(byte);
            raw.extend_from_slice(b"vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv\r\n\r\n");
            let fine = byte == b'\t' || (byte >= b' ' && byte != 0x7f);
            assert_eq!(parse(&raw).is_ok(), fine, "{byte:#x} at {place} of a value");

            let mut raw = b"GET / HTTP/1.1\r\nHost: a\r\n".to_vec();
            raw.extend(std::iter::repeat_n(b'n', place));
            raw.push(byte);
            raw.extend_from_slice(b"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn: v\r\n\r\n");
            // A colon ends the name, and the rest is a value.
            let fine = name::is_token(&[byte]) || (byte == b':' && place > 0);
            assert_eq!(parse(&raw).is_ok(), fine, "{byte:#x} at {place} of a name");

            let mut raw = b"GET /".to_vec();
            raw.extend(std::iter::repeat_n(b'p', place));
            raw.push(byte);
            raw.extend_from_slice(
                b"pppppppppppppppppppppppppppppppppppppppp HTTP/1.1\r\nHost: a\r\n\r\n",
            );
            let fine = byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#' | b'%');
            assert_eq!(parse(&raw).is_ok(), fine, "{byte:#x} at {place} of a target");
        }
    }
}

#[test]
fn a_reused_head_keeps_nothing() {
    let mut head = RequestHead::default();
    let first = b"POST /a?b HTTP/1.0\r\nHost: a\r\nContent-Length: 3\r\nX: y\r\n\r\n";
    let second = b"GET / HTTP/1.1\r\nHost: b\r\n\r\n";
    for raw in [&first[..], &second[..]] {
        assert!(parse_request(raw, &HeadLimits::default(), &mut head).is_ok());
    }
    let (_, fresh) = parse(second).expect("valid");
    assert_eq!(format!("{head:?}"), format!("{fresh:?}"));
}

/// What a client is told doesn't depend on how its bytes were cut.
#[test]
fn a_prefix_has_the_verdict_of_the_whole() {
    let long = "x".repeat(limits::TARGET_BYTES);
    for raw in [
        "\r\nPOST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: a\r\nX: b\0\r\n\r\n".to_owned(),
        "GET / HTTP/2.0\r\nHost: a\r\n\r\n".to_owned(),
        "GET / HTTX/1.1\r\nHost: a\r\n\r\n".to_owned(),
        format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("GET /\u{e9}{long} HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("GET /\0{long} HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("GET\t/{long} HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("G\"T /{long} HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("{long} / HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(limits::HEADERS)),
    ] {
        let verdict = |end: usize| {
            parse(&raw.as_bytes()[..end]).map(|(parsed, _)| parsed).map_err(|error| error.cause)
        };
        let whole = verdict(raw.len());
        for end in (0..raw.len()).filter(|end| *end < 100 || end % 97 == 0 || end + 100 > raw.len())
        {
            let part = verdict(end);
            assert!(
                part == Ok(Parsed::Partial) || part == whole,
                "{end} of {:?}: {part:?}",
                &raw[..40]
            );
        }
    }
}

#[test]
fn a_drip_is_looked_at_once_per_line() {
    let limits = HeadLimits::default();
    let raw = b"GET / HTTP/1.1\r\nHost: a\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n\r\n";
    let looks = (1..=raw.len()).filter(|&end| worth_parsing(&raw[..end], end - 1, &limits)).count();
    assert_eq!(looks, 1 + 4, "the first byte and four lines");
    assert!(worth_parsing(raw, raw.len() - 1, &limits));
    let tight = HeadLimits { head_bytes: 10, ..limits };
    assert!(worth_parsing(&raw[..10], 9, &tight), "a full buffer has its verdict");
}
