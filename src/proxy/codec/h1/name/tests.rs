use super::*;

#[test]
fn special_names_are_known_in_any_case() {
    for (name, expected) in [
        ("Host", Meaning::Host),
        ("HOST", Meaning::Host),
        ("Content-Length", Meaning::ContentLength),
        ("Content_Length", Meaning::EndToEnd),
        ("transfer-ENCODING", Meaning::TransferEncoding),
        ("Connection", Meaning::Connection),
        ("Keep-Alive", Meaning::Dropped),
        ("Proxy-Connection", Meaning::Dropped),
        ("Proxy-Authorization", Meaning::Dropped),
        ("Proxy-Authenticate", Meaning::Dropped),
        ("Proxy-Authentication-Info", Meaning::Dropped),
        ("HTTP2-Settings", Meaning::Dropped),
        ("Proxy", Meaning::Dropped),
        ("TE", Meaning::Te),
        ("Trailer", Meaning::Trailer),
        ("Upgrade", Meaning::Upgrade),
        ("Expect", Meaning::Expect),
        ("Accept", Meaning::EndToEnd),
        ("ost", Meaning::EndToEnd),
    ] {
        assert_eq!(meaning(name.as_bytes()), expected, "{name}");
    }
}

#[test]
fn aliases_of_protected_names_are_found() {
    for name in [
        "X_Forwarded_For",
        "x.forwarded.for",
        "X-Forwarded_For",
        "X_Auth_User",
        "X.Auth-User",
        "x!auth!user",
        "Content_Length",
        "Transfer.Encoding",
        "X_Real_IP",
        "X_Request_Id",
        "meshctl_cause",
        "SSL_CLIENT_S_DN",
        "Remote_User",
        "Proxy_Authorization",
        "x~user",
        "cache.control",
    ] {
        assert!(is_alias(name.as_bytes()), "{name}");
    }
    for name in [
        "X-Forwarded-For",
        "Authorization",
        "user_id",
        "grpc.trace",
        "x_tenant",
        "a_b",
        "_",
        "accept",
    ] {
        assert!(!is_alias(name.as_bytes()), "{name}");
    }
}

#[test]
fn what_connection_may_not_list() {
    for name in [
        "Host",
        "Content-Length",
        "transfer-encoding",
        "X-Forwarded-For",
        "x-forwarded-proto",
        "Forwarded",
        "Via",
        "Authorization",
        "Cookie",
        "X-Real-IP",
        "x-request-id",
        "Meshctl-Cause",
        "traceparent",
        "Content-Type",
        "Cache-Control",
        "X_Forwarded_For",
        "X-Auth-User",
        "Sec-WebSocket-Key",
        "Expect",
    ] {
        assert!(is_protected(name.as_bytes()), "{name}");
    }
    for name in
        ["close", "keep-alive", "upgrade", "TE", "Trailer", "X-Hop", "HTTP2-Settings", "x-tenant"]
    {
        assert!(!is_protected(name.as_bytes()), "{name}");
    }
}

#[test]
fn trailers_carry_no_framing_routing_or_credentials() {
    for name in [
        "grpc-status",
        "grpc-message",
        "grpc-status-details-bin",
        "x-checksum",
        "server-timing",
        "user_id",
    ] {
        assert!(may_trail(name.as_bytes()), "{name}");
    }
    for name in [
        "Content-Length",
        "Transfer-Encoding",
        "Host",
        "Connection",
        "TE",
        "Trailer",
        "Upgrade",
        "Authorization",
        "Proxy-Authorization",
        "Cookie",
        "Set-Cookie",
        "WWW-Authenticate",
        "X-Forwarded-For",
        "Forwarded",
        "Expect",
        "If-Match",
        "Range",
        "Content-Type",
        "Content-Encoding",
        "Cache-Control",
        "Location",
        "Age",
        "Date",
        "X_Forwarded_For",
        "Content_Length",
        "Proxy",
        "proxy-foo",
        "Max-Forwards",
    ] {
        assert!(!may_trail(name.as_bytes()), "{name}");
    }
}

#[test]
fn lists_have_elements_and_nothing_else() {
    let elements = |value: &'static str| list(value.as_bytes()).collect::<Vec<_>>();
    assert_eq!(elements("a, b\t,,c ,"), [b"a", b"b", b"c"]);
    assert!(elements(" , ").is_empty());
    assert_eq!(trim(b"\x0ba\x0b"), b"\x0ba\x0b");
    assert!(is_token(b"a!#z") && !is_token(b"a b") && !is_token(b"") && !is_token(b"a\x80"));
}
