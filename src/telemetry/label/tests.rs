use super::*;
use crate::model::{Kind, ObjectKey, PartKind, Store};
use proptest::prelude::*;

#[test]
fn things_are_labelled_as_people_name_them() {
    let service = ObjectKey::new(Store::Files, Kind::Service, "shop", "cart");
    assert_eq!(object_label(&service), "shop/cart");
    let class = ObjectKey::new(Store::Files, Kind::GatewayClass, "", "meshctl");
    assert_eq!(object_label(&class), "meshctl");
    let port = PartKey::new(PartKind::Backend, service.clone(), "8080");
    assert_eq!(backend_label(&port), "shop/cart:8080");
    assert_eq!(backend_label(&PartKey::new(PartKind::Backend, service, "")), "shop/cart");
}

#[test]
fn values_are_escaped() {
    for (value, expected) in [
        ("plain", "plain"),
        ("q\"q", "q\\\"q"),
        ("b\\b", "b\\\\b"),
        ("l\nl", "l\\nl"),
        ("r\rr", "r\\\\rr"),
        ("\u{1b}[2J\0", "\\\\u{1b}[2J\\\\u{0}"),
        ("\u{9b}", "\\\\u{9b}"),
        ("größe", "größe"),
    ] {
        let mut text = String::new();
        push_escaped(&mut text, value);
        assert_eq!(text, expected, "{value:?}");
    }
}

/// As a scraper reads a quoted value.
fn unescape(text: &str) -> String {
    let mut value = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some(c @ ('\\' | '"')) => value.push(c),
                other => panic!("an unknown escape: {other:?}"),
            },
            '"' => panic!("a bare quote ends the value early"),
            c => value.push(c),
        }
    }
    value
}

proptest! {
    #[test]
    fn a_scraper_reads_back_what_was_written(value in "\\PC*|[\\n\\\\\"]*") {
        let mut text = String::new();
        push_escaped(&mut text, &value);
        prop_assert!(!text.contains(char::is_control));
        prop_assert_eq!(unescape(&text), value);
    }

    #[test]
    fn no_control_character_gets_through(value in any::<String>()) {
        let mut text = String::new();
        push_escaped(&mut text, &value);
        prop_assert!(!text.contains(char::is_control));
        unescape(&text);
    }
}
