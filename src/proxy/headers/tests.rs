use super::*;

fn edit(set: &[(&str, &str)], add: &[(&str, &str)], remove: &[&str]) -> HeaderEdit {
    let pairs = |list: &[(&str, &str)]| {
        list.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    };
    HeaderEdit {
        set: pairs(set),
        add: pairs(add),
        remove: remove.iter().map(|name| (*name).into()).collect(),
    }
}

fn head() -> RequestHead {
    let mut head = RequestHead { authority: "shop.example".into(), ..RequestHead::default() };
    for (name, value) in [("a", "1"), ("b", "2"), ("A", "3"), ("te", "trailers")] {
        head.fields.push(name.as_bytes(), value.as_bytes());
    }
    head
}

fn check(edit: &HeaderEdit, authority: &str, expected: &[(&str, &str)]) {
    let mut head = head();
    edit_request(edit, &mut head);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let fields: Vec<_> = head.fields.iter().map(|(n, v)| (text(n), text(v))).collect();
    let expected: Vec<_> = expected.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
    assert_eq!((head.authority.as_str(), &fields), (authority, &expected), "{edit:?}");
    // A response knows no authority; all else is the same.
    let mut response = self::head().fields;
    edit_response(edit, &mut response);
    let fields: Vec<_> = response.iter().map(|(n, v)| (text(n), text(v))).collect();
    assert_eq!(fields, expected, "{edit:?}");
}

#[test]
fn edits_are_set_add_remove() {
    let (a1, b, a3, te) = (("a", "1"), ("b", "2"), ("a", "3"), ("te", "trailers"));
    let host = "shop.example";
    check(&edit(&[], &[], &[]), host, &[a1, b, a3, te]);
    check(&edit(&[("a", "x")], &[], &[]), host, &[b, te, ("a", "x")]);
    check(&edit(&[("c", "x y")], &[], &[]), host, &[a1, b, a3, te, ("c", "x y")]);
    check(&edit(&[], &[("b", "x,y")], &[]), host, &[a1, b, a3, te, ("b", "x,y")]);
    check(&edit(&[], &[], &["a", "nowhere"]), host, &[b, te]);
    check(&edit(&[("a", "x")], &[("a", "y")], &[]), host, &[b, te, ("a", "x"), ("a", "y")]);
    check(&edit(&[("a", "x")], &[("a", "y")], &["a"]), host, &[b, te]);
}

#[test]
fn framing_is_not_to_be_edited() {
    let all = [("a", "1"), ("b", "2"), ("a", "3"), ("te", "trailers")];
    for name in FRAMING {
        check(&edit(&[(name, "x")], &[(name, "x")], &[name]), "shop.example", &all);
    }
    for value in ["x\r\ny: z", "x\ny", "\0", "x\u{7f}"] {
        check(&edit(&[("c", value)], &[("c", value)], &[]), "shop.example", &all);
    }
}

#[test]
fn host_is_the_authority() {
    let all = [("a", "1"), ("b", "2"), ("a", "3"), ("te", "trailers")];
    check(&edit(&[("host", "Other.example:81")], &[], &[]), "other.example:81", &all);
    check(&edit(&[], &[("host", "other.example")], &["host"]), "shop.example", &all);
    for bad in ["", "a b", "a@b", "a/b", "a\r\nb"] {
        check(&edit(&[("host", bad)], &[], &[]), "shop.example", &all);
    }
}
