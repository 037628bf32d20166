use super::*;

#[test]
fn a_slip_is_mended_and_another_word_is_not() {
    let known = ["hostnames", "rules", "parentRefs", "name", "port"];
    let cases = [
        ("hostnmes", Some("hostnames")),
        ("Hostnames", Some("hostnames")),
        ("hostanmes", Some("hostnames")),
        ("parentRef", Some("parentRefs")),
        ("prot", Some("port")),
        ("nam", Some("name")),
        ("xyz", None),
        ("", None),
        ("backendRefs", None),
    ];
    for (word, expected) in cases {
        assert_eq!(nearest(word, known), expected, "{word}");
    }
    assert_eq!(nearest(&"a".repeat(1 << 20), known), None);
}

#[test]
fn the_nearest_of_several_wins() {
    let words = ["no_endpoint", "no_backend", "bad_path", "files"];
    let check = |word, expected| assert_eq!(nearest(word, words), expected, "{word}");
    check("no_endpiont", Some("no_endpoint"));
    check("noendpoint", Some("no_endpoint"));
    check("file", Some("files"));
    check("bad_pa", Some("bad_path"));
    check("weather", None);
    check("x", None);
    assert_eq!(nearest("mode", ["node", "modes", "mode"]), Some("mode"));
}

#[test]
fn words_are_listed_as_in_a_sentence() {
    assert_eq!(all_of(&["a", "b", "c"]), "`a`, `b` and `c`");
    assert_eq!(one_of(&["a", "b"]), "`a` or `b`");
    assert_eq!(one_of(&["a"]), "`a`");
    assert_eq!(all_of(&[]), "nothing");
}
