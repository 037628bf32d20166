use proptest::prelude::*;

use super::*;

#[test]
fn classes_are_those_of_re2() {
    let check = |text: &str, takes: &[&str], refuses: &[&str]| {
        let regex = compile(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        for value in takes {
            assert!(regex.is_match(value.as_bytes()), "{text} takes {value}");
        }
        for value in refuses {
            assert!(!regex.is_match(value.as_bytes()), "{text} does not take {value}");
        }
    };
    check(r"^/item/\w+$", &["/item/a_9"], &["/item/", "/item/é", "/item/a/b"]);
    check(r"\d+", &["019"], &["٣"]);
    check(r"a\sb", &["a b", "a\tb"], &["a\u{a0}b"]);
    check("(?i)k", &["k", "K"], &["\u{212a}"]);
    check("[^/]+", &["a", "é"], &["a/b"]);
    check("ü.", &["üx", "üé"], &["ü"]);
    check("[äö]+", &["äö"], &["a"]);
    check(r"\p{L}+", &["aé"], &["9"]);
    check(r"(?u:\w)+", &["é"], &["-"]);
    check(r"é\w", &["éé"], &["é"]);
}

#[test]
fn what_people_write_fits_and_what_would_cost_too_much_does_not() {
    for text in [
        r"/users/\w+/orders/\w+/items/\w+\.(?:json|xml)",
        r"/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,3}",
        r"/[a-z0-9-]{1,255}/.*",
        r"\p{L}+",
    ] {
        assert!(compile(text).is_ok(), "{text}: {:?}", compile(text));
    }
    for text in [r"(?u:\w){10}", "(a{100}){100}", "((a{100}){100}){100}"] {
        let why = compile(text).expect_err(text);
        assert_eq!(why, "it is larger than 102400 bytes when it is compiled", "{text}");
    }
}

#[test]
fn a_reason_is_one_line() {
    for (text, expected) in [
        ("(", "unclosed group"),
        ("a)|(b", "unopened group"),
        ("[äö", "unclosed character class"),
        (r"\p{Nobody}", "Unicode property not found"),
        ("(?=a)", "look-around, including look-ahead and look-behind, is not supported"),
    ] {
        assert_eq!(compile(text).expect_err(text), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Lowering only reads; the Snapshot has to be able to compile what was read.
    #[test]
    fn what_can_be_read_compiles(text in expression()) {
        if let Ok(read) = read(&text) {
            prop_assert!(compile(&text).is_ok(), "{text} {}: {:?}", size(&read.hir), compile(&text));
        }
    }
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-z/]{1,9}",
        Just(".".to_owned()),
        Just("[^a-c]".to_owned()),
        Just(r"\w".to_owned()),
        Just(r"(?u:\w)".to_owned()),
        Just(r"\p{Greek}".to_owned()),
        Just("(?i)straße".to_owned()),
        Just("é".to_owned()),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|ways| format!("({})", ways.join("|"))),
            (inner.clone(), 0..200_u32, 0..200_u32)
                .prop_map(|(part, least, more)| format!("(?:{part}){{{least},{}}}", least + more)),
            inner.prop_map(|part| format!("(?:{part})*")),
        ]
    })
}
