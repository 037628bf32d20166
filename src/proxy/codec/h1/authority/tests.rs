use super::*;

#[test]
fn an_authority_has_one_spelling() {
    for (raw, expected) in [
        ("shop.example", "shop.example"),
        ("Shop.EXAMPLE:8080", "shop.example:8080"),
        ("shop.example.", "shop.example."),
        ("shop.example:", "shop.example"),
        ("a_b-c.d", "a_b-c.d"),
        ("127.0.0.1:1", "127.0.0.1:1"),
        ("[::1]", "[::1]"),
        ("[0:0:0:0:0:0:0:1]:80", "[::1]:80"),
        ("[2001:DB8::A]:65535", "[2001:db8::a]:65535"),
    ] {
        let mut out = String::new();
        assert_eq!(write_authority(raw.as_bytes(), &mut out), Ok(()), "{raw}");
        assert_eq!(out, expected, "{raw}");
        out.clear();
        assert_eq!(write_authority(expected.as_bytes(), &mut out), Ok(()), "{raw}");
        assert_eq!(out, expected, "{raw} again");
    }
}

#[test]
fn what_no_listener_could_be_called_is_refused() {
    let long = "a".repeat(limits::AUTHORITY_BYTES + 1);
    for raw in [
        "",
        ":80",
        ".",
        "..",
        ".a",
        "a..b",
        "a..",
        "user@a",
        "user:pw@a",
        "a@b",
        "a b",
        "a\tb",
        "a/b",
        "a?b",
        "a#b",
        "a\\b",
        "a,b",
        "a;b",
        "a%2eb",
        "a%00",
        "*",
        "*.a",
        "é",
        "a:0",
        "a:080",
        "a:65536",
        "a:999999",
        "a:+80",
        "a:-1",
        "a:8o",
        "a:80:80",
        "a: 80",
        "a:http",
        "[::1",
        "::1",
        "[::1]x",
        "[::1]:0",
        "[]",
        "[::g]",
        "[fe80::1%eth0]",
        "[fe80::1%25eth0]",
        "[v1.x]",
        "[127.0.0.1]",
        "[[::1]]",
        "a[::1]",
        "a\0",
        "a\x7f",
        &long,
    ] {
        assert!(write_authority(raw.as_bytes(), &mut String::new()).is_err(), "{raw:?}");
    }
}
