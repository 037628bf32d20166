//! The small parsers by themselves.

use super::super::base64;
use super::super::formats::{self, quantity, timestamp};

#[test]
fn quantities_and_timestamps() {
    assert_eq!(quantity("64Ki"), Some(65_536));
    assert_eq!(quantity("1M"), Some(1_000_000));
    assert_eq!(quantity("12"), Some(12));
    for text in ["", "Ki", "-1", "1.5Ki", "64KB", "99999999999Gi", "1 k"] {
        assert_eq!(quantity(text), None, "{text}");
    }
    assert_eq!(timestamp("1970-01-01T00:00:00Z"), Some(0));
    assert_eq!(timestamp("2000-02-29T23:59:59Z"), Some(951_868_799));
    assert_eq!(timestamp("2026-11-23T19:00:00.123456Z"), Some(1_795_460_400));
    assert_eq!(timestamp("1970-01-01T01:00:00+01:30"), Some(-1800));
    assert_eq!(timestamp("1969-12-31T23:59:59Z"), Some(-1));
    for text in [
        "",
        "2026-11-23",
        "2026-13-01T00:00:00Z",
        "2026-11-23T19:00:00",
        "2026-11-23 19:00:00Z",
        "2026-11-23T19:00:00é",
        "2026-11-23T19:00:00+1:00",
        "2026-11-23T19:00:00+é0:00",
    ] {
        assert_eq!(timestamp(text), None, "{text}");
    }
}

#[test]
fn forms() {
    let cases: [(&formats::Format, &[&str], &[&str]); 11] = [
        (&formats::LABEL, &["a", "a-1", "1a"], &["", "-a", "a-", "A", "a.b", "a_b"]),
        (&formats::SUBDOMAIN, &["a.b-c.d"], &["", ".a", "a.", "a..b", "a.-b"]),
        (
            &formats::HOSTNAME,
            &["a.example.com", "localhost"],
            &["*.a", "1.2.3.4", "::1", "a:80", "a."],
        ),
        (&formats::WILDCARD_HOSTNAME, &["*.a", "a"], &["*", "*.*.a", "a.*", "*a.b", "*.1.2.3.4"]),
        (&formats::GROUP, &["", "example.com"], &["Example.com", "/"]),
        (&formats::KIND, &["HTTPRoute", "a-b"], &["", "1a", "a-", "a.b"]),
        (&formats::HEADER_NAME, &["x-a", "*", "X_Y"], &["", "a b", "a:", "é"]),
        (&formats::HEADER_VALUE, &["a", "a b", "a\tb"], &["", " a", "a ", "a  b", "a\r\nb", "é"]),
        (
            &formats::PATH,
            &["/", "/a/b", "/a%20b", "/a.", "/..a", "/~(x)"],
            &[
                "", "a", "//", "/./a", "/a/..", "/a/.", "/a?b", "/a#", "/%2F", "/%2", "/a b",
                "/%zz", "/é",
            ],
        ),
        (
            &formats::ORIGIN,
            &["*", "https://a", "http://*.a.b:80", "https://*"],
            &[
                "",
                "a",
                "https://",
                "https://a/b",
                "ftp://a",
                "https://a:123456",
                "https://*a",
                "null",
            ],
        ),
        (&formats::PROTOCOL, &["HTTP", "example.com/x", "2x"], &["", "a b", "/x", "example.com/"]),
    ];
    for (format, good, bad) in cases {
        for text in good {
            assert!((format.holds)(text), "{text:?} should be {}", format.what);
        }
        for text in bad {
            assert!(!(format.holds)(text), "{text:?} should not be {}", format.what);
        }
    }
}

#[test]
fn base64_is_strict() {
    let good: [(&str, &[u8]); 6] = [
        ("", b""),
        ("YQ==", b"a"),
        ("YWI=", b"ab"),
        ("YWJj", b"abc"),
        ("YW\r\nJj\n", b"abc"),
        ("+/+/", &[251, 255, 191]),
    ];
    for (text, bytes) in good {
        assert_eq!(base64::decode(text).as_deref(), Some(bytes), "{text:?}");
    }
    for text in [
        "Y", "YQ", "YQ=", "YR==", "YWJ=", "=", "====", "Y===", "YQ==YQ==", "YQ=a", "-_-_", "Y Q=",
        "é",
    ] {
        assert_eq!(base64::decode(text), None, "{text:?}");
    }
}
