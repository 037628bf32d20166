use proptest::prelude::*;

use super::*;

fn check(raw: &str, expected: Result<&str, PathError>) {
    let mut out = String::from("left over");
    let result = normalise(raw.as_bytes(), &mut out);
    assert_eq!(result.map(|()| out.as_str()), expected, "{raw}");
}

#[test]
fn a_path_has_one_spelling() {
    for (raw, expected) in [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a/b/", "/a/b/"),
        ("/%41%7a%2D%5f%7E%30", "/Az-_~0"),
        ("/a%2fb", "/a%2Fb"),
        ("/a%2Fb", "/a%2Fb"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/a%20b%25c%3fd%23e", "/a%20b%25c%3Fd%23e"),
        ("/a|b^c{d}\"e`<f>", "/a%7Cb%5Ec%7Bd%7D%22e%60%3Cf%3E"),
        ("/a%7cb", "/a%7Cb"),
        // Reserved characters are not the same as their escapes (RFC 3986 §2.2).
        ("/a;v=1,2:@!$&'()*+", "/a;v=1,2:@!$&'()*+"),
        ("/a%3Bb", "/a%3Bb"),
        ("//", "//"),
        ("//a//b//", "//a//b//"),
        ("/.well-known/x", "/.well-known/x"),
        ("/a/...", "/a/..."),
        ("/a/..b/c..", "/a/..b/c.."),
        ("/v;q=1.1/x%252Fy", "/v;q=1.1/x%252Fy"),
        // A parameter is no segment.
        ("/x/;../y", "/x/;../y"),
        ("/x/a;..", "/x/a;.."),
    ] {
        check(raw, Ok(expected));
    }
}

/// RFC 3986 §5.2.4, with escapes in any mix.
#[test]
fn dot_segments_are_resolved() {
    for (raw, expected) in [
        ("/.", "/"),
        ("/a/.", "/a/"),
        ("/a/./b", "/a/b"),
        ("/a/b/..", "/a/"),
        ("/a/b/../", "/a/"),
        ("/a/b/../../c", "/c"),
        ("/a/%2e%2e/b", "/b"),
        ("/a/.%2E/b", "/b"),
        ("/a/%2e./b", "/b"),
        ("/a/%2e/b", "/a/b"),
        ("/a//../b", "/a/b"),
        ("/a/b//..", "/a/b/"),
        ("/.//a", "//a"),
        ("/a/b/c/./../../g", "/a/g"),
        ("/%61/../%61/.%2e/x%2f", "/x%2F"),
    ] {
        check(raw, Ok(expected));
    }
}

#[test]
fn what_hides_where_it_leads_is_refused() {
    use PathError::*;
    for (raw, error) in [
        ("", NotAbsolute),
        ("a", NotAbsolute),
        ("*", NotAbsolute),
        ("%2fa", NotAbsolute),
        ("\\a", NotAbsolute),
        ("/a\\b", Backslash),
        ("/a%5cb", Backslash),
        ("/a%5Cb", Backslash),
        ("/..\\x", Backslash),
        ("/a%00", ControlByte),
        ("/a%0d%0ab", ControlByte),
        ("/a%1f", ControlByte),
        ("/a%7f", ControlByte),
        ("/a b", ControlByte),
        ("/a\tb", ControlByte),
        ("/a\0b", ControlByte),
        ("/a\x7fb", ControlByte),
        ("/a#b", Fragment),
        ("/a?b", Fragment),
        ("/a%", BadEscape),
        ("/a%4", BadEscape),
        ("/a%zz", BadEscape),
        ("/a%4/1", BadEscape),
        ("/a%+1", BadEscape),
        ("/a%u002e", BadEscape),
        ("/a%%32e", BadEscape),
        ("/é", NotAscii),
        ("/..", AboveRoot),
        ("/../a", AboveRoot),
        ("/%2e%2e", AboveRoot),
        ("/a/../../b", AboveRoot),
        ("/./..", AboveRoot),
        ("/..;/a", HiddenDots),
        ("/a/..;/b", HiddenDots),
        ("/a/.;x=1/b", HiddenDots),
        ("/a/%2e%2e;/b", HiddenDots),
        ("/a/..%3b/b", HiddenDots),
        ("/a/..%2fb", HiddenDots),
        ("/a/..%2Fb", HiddenDots),
        ("/a/b%2f..%2fc", HiddenDots),
        ("/a/b%2f..", HiddenDots),
        ("/a/b%2f.%2fc", HiddenDots),
        ("/a/%252e%252e/b", HiddenDots),
        ("/a/.%252e/b", HiddenDots),
        ("/a/%25252e./b", HiddenDots),
        ("/a/%25%32%65%25%32%65/b", HiddenDots),
        ("/a/..%252fb", HiddenDots),
        ("/a/..%255cb", HiddenDots),
        ("/a/..%2500", HiddenDots),
        ("/a/%c0%ae%c0%ae/b", HiddenDots),
        ("/a/%c0%afb", HiddenDots),
        ("/a/%c1%9cb", HiddenDots),
        ("/a/%e0%80%ae/b", HiddenDots),
        ("/a/%f0%80%80%ae", HiddenDots),
    ] {
        check(raw, Err(error));
    }
}

#[test]
fn a_query_is_checked_and_not_rewritten() {
    for query in ["", "a=b&c=%zz", "x=/../..//\\", "a=|^{}\"<>`", "%00", "a??b"] {
        assert_eq!(check_query(query.as_bytes()), Ok(()), "{query}");
    }
    for (query, error) in [
        ("a#b", PathError::Fragment),
        ("a b", PathError::ControlByte),
        ("a\r\nb", PathError::ControlByte),
        ("a\0", PathError::ControlByte),
        ("a\x7f", PathError::ControlByte),
        ("é", PathError::NotAscii),
    ] {
        assert_eq!(check_query(query.as_bytes()), Err(error), "{query}");
    }
}

#[test]
fn every_single_byte_has_its_verdict() {
    for byte in 0..=255u8 {
        let mut out = String::new();
        let raw = normalise(&[b'/', b'a', byte], &mut out).is_ok();
        let visible = byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#' | b'?' | b'%');
        assert_eq!(raw, visible, "{byte:#x} raw");
        let escaped = normalise(format!("/a%{byte:02x}").as_bytes(), &mut out).is_ok();
        let allowed = !byte.is_ascii_control() && !matches!(byte, b'\\' | 0xc0 | 0xc1);
        assert_eq!(escaped, allowed, "{byte:#x} escaped");
    }
}

/// Decodes like the most eager backend: all escapes, again and again, parameters cut off.
fn segments_of_an_eager_backend(path: &str) -> Vec<String> {
    let mut bytes = path.as_bytes().to_vec();
    loop {
        let mut decoded = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let pair = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
            match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
                Some(byte) if bytes[at] == b'%' && !pair.is_some_and(|p| p.starts_with('+')) => {
                    decoded.push(byte);
                    at += 3;
                }
                _ => {
                    decoded.push(bytes[at]);
                    at += 1;
                }
            }
        }
        if decoded == bytes {
            break;
        }
        bytes = decoded;
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let cut = |segment: &str| segment.split([';', '\0']).next().unwrap_or("").to_owned();
    text.split(['/', '\\']).map(cut).collect()
}

/// Text made of the pieces that attacks are made of.
fn hostile_path() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "/", "/", "/", "a", "b", ".", ".", "..", "%2e", "%2E", "%2f", "%2F", "%5c", "\\", ";",
        "%3b", "%", "%25", "2", "e", "2e", "%00", "%41", "%c3%a9", "%c0%ae", "|", "#", "//", "%20",
        "~",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| format!("/{}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_result_is_a_fixed_point_without_dot_segments(raw in hostile_path()) {
        let (mut once, mut twice) = (String::new(), String::new());
        if normalise(raw.as_bytes(), &mut once).is_ok() {
            prop_assert_eq!(normalise(once.as_bytes(), &mut twice), Ok(()), "{} -> {}", raw, once);
            prop_assert_eq!(&once, &twice);
            prop_assert!(once.starts_with('/') && once.bytes().all(|byte| byte.is_ascii_graphic()));
            for segment in segments_of_an_eager_backend(&once) {
                prop_assert!(segment != "." && segment != "..", "{raw} -> {once}");
            }
        }
    }

    /// RFC 3986 §6.2.2.2: an escape of an unreserved character changes nothing.
    #[test]
    fn equal_paths_have_one_verdict(raw in hostile_path(), escaped in any::<u64>()) {
        let mut other = String::new();
        for (at, byte) in raw.bytes().enumerate() {
            let in_escape = raw[..at].bytes().rev().take(2).any(|before| before == b'%');
            let unreserved = matches!(byte, b'a' | b'b' | b'e' | b'.' | b'~' | b'2');
            if unreserved && !in_escape && escaped >> (at % 64) & 1 == 1 {
                other.push_str(&format!("%{byte:02x}"));
            } else {
                other.push(char::from(byte));
            }
        }
        let (mut one, mut two) = (String::new(), String::new());
        let verdicts = (normalise(raw.as_bytes(), &mut one), normalise(other.as_bytes(), &mut two));
        prop_assert_eq!(verdicts.0, verdicts.1, "{} and {}", raw, other);
        prop_assert!(verdicts.0.is_err() || one == two, "{raw} and {other}");
    }

    #[test]
    fn any_bytes_are_taken_or_refused_without_a_panic(raw in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut out = String::new();
        let _ = normalise(&raw, &mut out);
        let _ = check_query(&raw);
    }
}
