use super::*;
use crate::proxy::message::Target;

fn response(status: u16, body: BodyLength, fields: &[(&str, &str)]) -> ResponseHead {
    let mut head = ResponseHead::default();
    head.clear();
    head.status = StatusCode::from_u16(status).expect("a status");
    head.body = body;
    for (name, value) in fields {
        head.fields.push(name.as_bytes(), value.as_bytes());
    }
    head
}

const OPTIONS: ResponseOptions<'_> = ResponseOptions {
    keep_alive: true,
    client_version: Version::HTTP_11,
    to_head: false,
    takes_trailers: false,
    date: None,
};

#[track_caller]
fn check(
    head: &ResponseHead,
    options: ResponseOptions<'_>,
    wire: &str,
    body: BodyLength,
    keep_alive: bool,
) {
    let mut out = b"before".to_vec();
    let sending = write_response(head, options, &mut out);
    assert_eq!(String::from_utf8_lossy(&out), format!("before{wire}"));
    assert_eq!(sending, Sending { body, keep_alive });
}

#[test]
fn a_response_is_framed_for_its_client() {
    use BodyLength::*;
    let to_10 = ResponseOptions { client_version: Version::HTTP_10, ..OPTIONS };
    let closing = ResponseOptions { keep_alive: false, ..OPTIONS };
    let ok = "HTTP/1.1 200 OK\r\n";
    for (length, options, lines, body, keep_alive) in [
        (Sized(5), OPTIONS, "content-length: 5\r\n", Sized(5), true),
        (Empty, OPTIONS, "content-length: 0\r\n", Sized(0), true),
        (Streamed, OPTIONS, "transfer-encoding: chunked\r\n", Streamed, true),
        (UntilClose, OPTIONS, "transfer-encoding: chunked\r\n", Streamed, true),
        (Sized(5), closing, "content-length: 5\r\nconnection: close\r\n", Sized(5), false),
        (Streamed, closing, "transfer-encoding: chunked\r\nconnection: close\r\n", Streamed, false),
        (Sized(5), to_10, "content-length: 5\r\nconnection: keep-alive\r\n", Sized(5), true),
        (Streamed, to_10, "connection: close\r\n", UntilClose, false),
        (UntilClose, to_10, "connection: close\r\n", UntilClose, false),
    ] {
        check(&response(200, length, &[]), options, &format!("{ok}{lines}\r\n"), body, keep_alive);
    }
}

#[test]
fn a_response_without_a_body_promises_none() {
    use BodyLength::*;
    let to_head = ResponseOptions { to_head: true, ..OPTIONS };
    let length = [("content-length", "5")];
    for (status, body, fields, options, wire) in [
        (200, Empty, &length[..], to_head, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"),
        (200, Empty, &[], to_head, "HTTP/1.1 200 OK\r\n\r\n"),
        (200, Sized(5), &length, to_head, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"),
        (200, Streamed, &[], to_head, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"),
        (304, Empty, &length, OPTIONS, "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n"),
        (304, Sized(0), &[], OPTIONS, "HTTP/1.1 304 Not Modified\r\n\r\n"),
        (204, Empty, &length, OPTIONS, "HTTP/1.1 204 No Content\r\n\r\n"),
        (204, Sized(0), &[], OPTIONS, "HTTP/1.1 204 No Content\r\n\r\n"),
        (204, Streamed, &[], OPTIONS, "HTTP/1.1 204 No Content\r\n\r\n"),
        (103, Empty, &[("link", "x")], OPTIONS, "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"),
        (100, Empty, &length, OPTIONS, "HTTP/1.1 100 Continue\r\n\r\n"),
    ] {
        check(&response(status, body, fields), options, wire, Empty, true);
    }
}

#[test]
fn no_field_can_speak_for_the_hop() {
    let fields = [
        ("Content-Length", "6"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "close"),
        ("Keep-Alive", "x"),
        ("Upgrade", "h2c"),
        ("Proxy-Connection", "x"),
        ("Server", "s"),
    ];
    let wire = "HTTP/1.1 200 OK\r\nserver: s\r\ncontent-length: 5\r\n\r\n";
    check(&response(200, BodyLength::Sized(5), &fields), OPTIONS, wire, BodyLength::Sized(5), true);

    let mut head = RequestHead {
        authority: "a".to_owned(),
        target: Target::new("/", None),
        ..RequestHead::default()
    };
    for (name, value) in fields.iter().chain(&[("Host", "b")]) {
        head.fields.push(name.as_bytes(), value.as_bytes());
    }
    let mut out = Vec::new();
    write_request(&head, Persistence::Close, &mut out);
    assert_eq!(
        String::from_utf8_lossy(&out),
        "GET / HTTP/1.1\r\nhost: a\r\nserver: s\r\nconnection: close\r\n\r\n"
    );
}

#[test]
fn a_date_is_added_once() {
    let dated = ResponseOptions { date: Some("now"), ..OPTIONS };
    let sized = BodyLength::Sized(0);
    let wire = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\ndate: now\r\n\r\n";
    check(&response(200, sized, &[]), dated, wire, sized, true);
    let wire = "HTTP/1.1 200 OK\r\ndate: then\r\ncontent-length: 0\r\n\r\n";
    check(&response(200, sized, &[("Date", "then")]), dated, wire, sized, true);
    check(
        &response(100, BodyLength::Empty, &[]),
        dated,
        "HTTP/1.1 100 Continue\r\n\r\n",
        BodyLength::Empty,
        true,
    );
}

#[test]
fn a_switch_names_its_protocol() {
    let mut head = response(101, BodyLength::Empty, &[]);
    head.upgrade.push_str("websocket");
    let wire =
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    check(&head, OPTIONS, wire, BodyLength::Empty, true);
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "line end")]
fn a_value_with_a_line_end_is_a_bug_that_shows() {
    let head = response(200, BodyLength::Sized(0), &[("x", "a\r\nset-cookie: b")]);
    write_response(&head, OPTIONS, &mut Vec::new());
}

#[test]
fn a_status_without_a_phrase_keeps_its_space() {
    let wire = "HTTP/1.1 599 \r\ncontent-length: 0\r\n\r\n";
    check(&response(599, BodyLength::Sized(0), &[]), OPTIONS, wire, BodyLength::Sized(0), true);
}
