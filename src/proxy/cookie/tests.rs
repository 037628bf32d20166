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
