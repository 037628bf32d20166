use std::collections::HashSet;

use super::*;

fn head(path: &str, fields: &[(&str, &str)]) -> RequestHead {
    let mut head = RequestHead::default();
    head.target.set(path, Some("q=1"));
    fields.iter().for_each(|(name, value)| head.fields.push(name.as_bytes(), value.as_bytes()));
    head
}

fn of_header(fields: &[(&str, &str)]) -> Option<u64> {
    of_request(&HashSource::Header("x-user".into()), &head("/", fields), None)
}

#[test]
fn different_values_hash_apart_and_equal_ones_alike() {
    let hashes: HashSet<_> =
        (0..1_000).map(|user| of_header(&[("x-user", &user.to_string())])).collect();
    assert_eq!(hashes.len(), 1_000);
    assert_eq!(of_header(&[("X-User", "a")]), of_header(&[("x-user", "a"), ("x-other", "b")]));
    assert_eq!(
        of_header(&[("x-user", "a"), ("x-user", "b")]),
        of_header(&[("x-user", "a, b")]),
        "fields of one name are one list"
    );
}

#[test]
fn a_request_without_the_source_has_no_hash() {
    assert_eq!(of_header(&[("x-users", "a")]), None);
    let empty = head("/", &[("cookie", "a=b")]);
    assert_eq!(of_request(&HashSource::ClientAddress, &empty, None), None);
    assert_eq!(of_request(&HashSource::Cookie("sid".into()), &empty, None), None);
}

#[test]
fn an_address_is_the_same_client_in_both_its_forms() {
    let of = |address: &str| {
        let client = address.parse().expect("a literal");
        of_request(&HashSource::ClientAddress, &head("/", &[]), Some(client))
    };
    assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
    assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    assert_ne!(of("2001:db8::1"), of("2001:db8::2"));
}

#[test]
fn cookie_and_path_are_what_they_say() {
    let of_cookie = |cookie: &str| {
        of_request(&HashSource::Cookie("sid".into()), &head("/", &[("cookie", cookie)]), None)
    };
    assert_eq!(of_cookie("a=b; sid=1"), of_cookie("sid=1; c=d"));
    assert_ne!(of_cookie("sid=1"), of_cookie("sid=2"));
    let of_path = |path| of_request(&HashSource::Path, &head(path, &[]), None);
    assert_ne!(of_path("/a"), of_path("/b"));
    let mut other_query = head("/a", &[]);
    other_query.target.set("/a", None);
    assert_eq!(of_path("/a"), of_request(&HashSource::Path, &other_query, None));
}

#[test]
fn hashes_are_the_same_in_every_release() {
    assert_eq!(of_header(&[("x-user", "a")]), Some(0xd24e_c4f1_a98c_6e5b));
}
