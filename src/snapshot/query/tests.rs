use super::*;

#[test]
fn names_and_values_are_decoded_and_the_first_counts() {
    let check = |query: &str, name: &str, expected: Option<&str>| {
        assert_eq!(first(query, name).as_deref(), expected, "{name} in {query}");
    };
    check("a=1&b=2&a=3", "a", Some("1"));
    check("a=1&b=2", "b", Some("2"));
    check("a=1", "A", None);
    check("", "", None);
    check("&&", "", None);
    check("=x", "", Some("x"));
    check("a", "a", Some(""));
    check("a=", "a", Some(""));
    check("a&a=1", "a", Some(""));
    check("a=b=c", "a", Some("b=c"));
    check("ab=1", "a", None);
    check("a=1", "ab", None);
    check("%61=%62", "a", Some("b"));
    check("a+b=c+d", "a b", Some("c d"));
    check("a%2Bb=c%2bd", "a+b", Some("c+d"));
    check("a%3D=%26", "a=", Some("&"));
    check("a=%", "a", Some("%"));
    check("a=%4", "a", Some("%4"));
    check("a=%zz%41", "a", Some("%zzA"));
    check("a=%%41", "a", Some("%A"));
    check("%=1", "%", Some("1"));
    check("a=%C3%BC", "a", Some("ü"));
    check("a;b=1", "a", None);
}

#[test]
fn a_value_that_is_not_utf_8_is_no_value_and_hides_later_ones() {
    assert_eq!(first("a=%ff&a=1", "a"), None);
    assert_eq!(first("%ff=1&a=2", "a"), Some(Cow::Borrowed("2")));
}

#[test]
fn plain_values_are_not_copied() {
    assert!(matches!(first("x=%41&a=plain", "a"), Some(Cow::Borrowed("plain"))));
}
