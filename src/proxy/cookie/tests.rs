use super::*;

fn check(cookies: &[&str], name: &str, expected: &[&str]) {
    let mut fields = Fields::new();
    fields.push(b"x-before", b"sid=no");
    cookies.iter().for_each(|cookie| fields.push(b"Cookie", cookie.as_bytes()));
    let found: Vec<_> = values(&fields, name).map(String::from_utf8_lossy).collect();
    assert_eq!(found, expected, "{cookies:?}");
}

#[test]
fn values_are_found_by_their_exact_name() {
    check(&[], "sid", &[]);
    check(&["sid=1"], "sid", &["1"]);
    check(&["a=b; sid=1; c=d"], "sid", &["1"]);
    check(&["a=b;sid=1;c=d"], "sid", &["1"]);
    check(&["  sid = 1  ;"], "sid", &["1"]);
    check(&["SID=1; sidx=2; xsid=3; si=4"], "sid", &[]);
    check(&["sid=a=b=="], "sid", &["a=b=="]);
    check(&["a=sid=1"], "sid", &[]);
}

#[test]
fn every_cookie_of_the_name_in_every_field() {
    check(&["sid=1; a=b; sid=2", "sid=3"], "sid", &["1", "2", "3"]);
}

#[test]
fn odd_cookies_are_passed_over() {
    check(&[""], "sid", &[]);
    check(&[";;; ; =; ==;sid;=sid; sid=1"], "sid", &["1"]);
    check(&["sid="], "sid", &[""]);
    check(&["sid=\"1\"; sid=\"; sid=\"\"; sid=\"2"], "sid", &["1", "\"", "", "\"2"]);
    check(&["\u{fffd}=1; sid=ü"], "sid", &["ü"]);
    check(&[&"a;=".repeat(20_000)], "sid", &[]);
}

/// The fragments that a parser of cookies trips over, in any order.
#[test]
fn any_bytes_are_read_as_a_strict_split_reads_them() {
    let fragments: [&[u8]; 9] = [b"sid", b"=", b";", b" ", b"\"", b"x", b"\t", b"\xff", b"sid=1; "];
    for seed in 0..20_000 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let length = rng.usize(..12);
        let field: Vec<u8> =
            (0..length).flat_map(|_| fragments[rng.usize(..fragments.len())]).copied().collect();
        let mut fields = Fields::new();
        fields.push(b"cookie", &field);
        let found: Vec<&[u8]> = values(&fields, "sid").collect();

        let strict = field.split(|&byte| byte == b';').filter_map(|pair| {
            let equals = pair.iter().position(|&byte| byte == b'=')?;
            let value = pair[equals + 1..].trim_ascii();
            let is_quoted = value.len() >= 2 && value[0] == b'"' && value.ends_with(b"\"");
            let value = if is_quoted { &value[1..value.len() - 1] } else { value };
            (pair[..equals].trim_ascii() == b"sid").then_some(value)
        });
        assert_eq!(found, strict.collect::<Vec<_>>(), "{}", field.escape_ascii());
    }
}
