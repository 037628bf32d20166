use super::*;

#[test]
fn fields_keep_their_order_and_fold_their_names() {
    let mut fields = Fields::new();
    fields.push(b"Accept", b"a");
    fields.push(b"X-One", b"1");
    fields.push(b"accept", b"b");
    assert_eq!(fields.get_all("accept").collect::<Vec<_>>(), [b"a", b"b"]);
    fields.set("x-one", b"2");
    assert_eq!(fields.get("x-one"), Some(&b"2"[..]));
    assert_eq!(fields.remove("accept"), 2);
    assert_eq!(fields.iter().collect::<Vec<_>>(), [(&b"x-one"[..], &b"2"[..])]);
}

#[test]
fn a_host_is_the_authority_without_its_port() {
    for (authority, host) in [
        ("shop.example", "shop.example"),
        ("shop.example:80", "shop.example"),
        ("shop.example.:80", "shop.example"),
        ("[::1]:80", "[::1]"),
        ("[::1]", "[::1]"),
    ] {
        assert_eq!(host_of(authority), host);
    }
}

#[test]
fn a_target_gives_its_path_and_query_back() {
    let target = Target::new("/a", Some("b=1"));
    assert_eq!((target.path(), target.query(), target.as_str()), ("/a", Some("b=1"), "/a?b=1"));
    assert_eq!(Target::new("/a", None).query(), None);
    assert_eq!(Target::new("/a", Some("")).as_str(), "/a?");
}
