use super::*;

#[test]
fn the_table_of_causes_is_in_the_order_of_the_enum() {
    for (position, cause) in Cause::all().enumerate() {
        assert_eq!(cause as usize, position, "{cause} stands in the wrong row");
        assert_eq!(Cause::from_word(cause.word()), Some(cause));
    }
    assert_eq!(Cause::all().last(), Some(Cause::Panic), "the last cause has its row");
}

#[test]
fn hostnames_are_parsed_or_refused_with_a_reason() {
    let check = |text: &str, expected: Result<&str, HostnameError>| {
        let parsed = Hostname::parse(text);
        assert_eq!(parsed.as_ref().map(Hostname::as_str), expected.as_ref().copied(), "{text}");
    };
    check("Shop.Example", Ok("shop.example"));
    check("*.shop.example", Ok("*.shop.example"));
    check("", Err(HostnameError::Empty));
    check("10.0.0.1", Err(HostnameError::IpAddress));
    check("::1", Err(HostnameError::IpAddress));
    check("a..b", Err(HostnameError::BadLabel));
    check("-a.b", Err(HostnameError::BadLabel));
    check("a.*.b", Err(HostnameError::MisplacedWildcard));
    check("*", Err(HostnameError::MisplacedWildcard));
    check(&"a".repeat(254), Err(HostnameError::TooLong));
}

#[test]
fn a_wildcard_takes_one_or_more_labels_and_never_none() {
    let wildcard = Hostname::parse("*.example.com").expect("a literal");
    assert!(wildcard.matches("a.example.com"));
    assert!(wildcard.matches("a.b.example.com"));
    assert!(!wildcard.matches("example.com"));
    assert!(!wildcard.matches("aexample.com"));
}

#[test]
fn intersections_are_the_hosts_that_both_mean() {
    let check = |left: &str, right: &str, expected: Option<&str>| {
        let left = Hostname::parse(left).expect("a literal");
        let right = Hostname::parse(right).expect("a literal");
        assert_eq!(left.intersect(&right).as_ref().map(Hostname::as_str), expected);
        assert_eq!(right.intersect(&left).as_ref().map(Hostname::as_str), expected);
    };
    check("a.example.com", "a.example.com", Some("a.example.com"));
    check("a.example.com", "*.example.com", Some("a.example.com"));
    check("*.example.com", "*.com", Some("*.example.com"));
    check("*.example.com", "*.example.org", None);
    check("a.example.com", "b.example.com", None);
    check("*.a.example.com", "*.example.com", Some("*.a.example.com"));
}
