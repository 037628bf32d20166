use super::scalar::{Scalar, core, kubectl};
use super::*;
use crate::limits;

fn texts(stream: &str) -> Vec<(&str, u32)> {
    documents(stream).map(|d| (d.text, d.line_offset)).collect()
}

#[test]
fn streams_split_where_yaml_splits_them() {
    type Case = (&'static str, &'static [(&'static str, u32)]);
    let cases: [Case; 18] = [
        ("", &[]),
        ("a: 1\n", &[("a: 1\n", 0)]),
        ("a\n---\nb\n", &[("a\n", 0), ("---\nb\n", 1)]),
        ("---\na\n---\nb", &[("---\na\n", 0), ("---\nb", 2)]),
        ("--- a\n--- b\n", &[("--- a\n", 0), ("--- b\n", 1)]),
        ("---a\n---\nb", &[("---a\n", 0), ("---\nb", 1)]),
        ("# one\n---\n# two\n\n---\na\n", &[("---\na\n", 4)]),
        ("---\n---\n--- # x\n", &[]),
        ("a\n...\n# between\n---\nb\n...\n", &[("a\n...\n", 0), ("---\nb\n...\n", 3)]),
        ("a\n...\nb\n", &[("a\n...\n", 0), ("b\n", 2)]),
        ("a\r\n---\r\nb\r\n", &[("a\r\n", 0), ("---\r\nb\r\n", 1)]),
        ("a\r---\rb", &[("a\r", 0), ("---\rb", 1)]),
        ("\u{feff}a\n---\nb\n", &[("a\n", 0), ("---\nb\n", 1)]),
        ("%YAML 1.2\n---\na\n", &[("%YAML 1.2\n---\na\n", 0)]),
        ("a\n...\n%YAML 1.2\n---\nb\n", &[("a\n...\n", 0), ("%YAML 1.2\n---\nb\n", 2)]),
        ("%YAML 1.2\n", &[("%YAML 1.2\n", 0)]),
        ("a: |\n  ---\n  b\n---\tc\n", &[("a: |\n  ---\n  b\n", 0), ("---\tc\n", 3)]),
        ("\n\n  # x\na\n", &[("\n\n  # x\na\n", 0)]),
    ];
    for (stream, expected) in cases {
        assert_eq!(texts(stream), expected, "{stream:?}");
    }
}

#[test]
fn lines_are_counted_as_the_parser_counts() {
    let text = "\u{feff}a\r\nb\rc\n\nd";
    let lines: Vec<_> = (0..=7).map(|number| line(text, number)).collect();
    assert_eq!(lines, [None, Some("a"), Some("b"), Some("c"), Some(""), Some("d"), None, None]);
    let entry = |node: &Node, at: usize| match &node.value {
        Value::Map(entries) => entries[at].clone(),
        other => panic!("{other:?}"),
    };
    let c = entry(&read("a: 1\r\nb: 2\rc:\n  d: 3"), 2);
    assert_eq!(c.key_place, Place { line: 3, column: 1 });
    assert_eq!(c.value.get("d").map(|d| d.place), Some(Place { line: 4, column: 6 }));
}

fn read(text: &str) -> Node {
    let mut mistakes = Vec::new();
    let node = parse(text, &mut mistakes).unwrap_or_else(|error| panic!("{text:?}: {error:?}"));
    assert!(mistakes.is_empty(), "{mistakes:?}");
    node
}

fn refused(text: &str) -> YamlError {
    parse(text, &mut Vec::new()).expect_err("it can't be read")
}

#[test]
fn scalars_are_what_kubectl_reads() {
    // (text, kubectl, whether YAML 1.2 disagrees)
    let cases = [
        ("yes", Scalar::Bool(true), true),
        ("y", Scalar::Bool(true), true),
        ("Off", Scalar::Bool(false), true),
        ("true", Scalar::Bool(true), false),
        ("tRue", Scalar::Text, false),
        ("~", Scalar::Null, false),
        ("null", Scalar::Null, false),
        ("Nul", Scalar::Text, false),
        ("0", Scalar::Int(0), false),
        ("-0", Scalar::Int(0), false),
        ("+12", Scalar::Int(12), false),
        ("012", Scalar::Int(10), true),
        ("-012", Scalar::Int(-10), true),
        ("08", Scalar::Int(8), false),
        ("1_000", Scalar::Int(1000), true),
        ("0x10", Scalar::Int(16), false),
        ("0X10", Scalar::Int(16), true),
        ("-0x10", Scalar::Int(-16), true),
        ("0o17", Scalar::Int(15), false),
        ("0b11", Scalar::Int(3), true),
        ("0b12", Scalar::Text, false),
        ("1.5", Scalar::Float(1.5), false),
        ("1e3", Scalar::Int(1000), false),
        (".5", Scalar::Float(0.5), false),
        ("5.", Scalar::Int(5), false),
        (".inf", Scalar::Float(f64::INFINITY), false),
        ("12:30:45", Scalar::Text, false),
        ("2026-01-31", Scalar::Text, false),
        ("1.2.3", Scalar::Text, false),
        ("10.0.0.1", Scalar::Text, false),
        ("5m", Scalar::Text, false),
        ("-", Scalar::Text, false),
        (".", Scalar::Text, false),
        ("+", Scalar::Text, false),
        ("0x", Scalar::Text, false),
        ("0xg", Scalar::Text, false),
        ("1e", Scalar::Text, false),
        ("9223372036854775807", Scalar::Int(i64::MAX), false),
        ("9223372036854775808", Scalar::Float(9_223_372_036_854_775_808.0), false),
        ("=", Scalar::Text, false),
        ("é", Scalar::Text, false),
    ];
    for (text, expected, differs) in cases {
        assert_eq!(kubectl(text), expected, "{text}");
        assert_eq!(core(text) != expected, differs, "{text} in YAML 1.2 is {:?}", core(text));
    }
}

#[test]
fn quotes_tags_and_blocks_decide() {
    let text = |text: &str| Value::String(text.into());
    let cases = [
        ("'yes'", text("yes"), false),
        ("\"1\"", text("1"), false),
        ("!!str 12", text("12"), false),
        ("!!int \"12\"", Value::Int(12), false),
        ("! 12", text("12"), true),
        ("!!binary aGk=", text("aGk="), true),
        ("|\n  12\n", text("12\n"), false),
        (">-\n  a\n  b\n", text("a b"), false),
        ("yes", Value::Bool(true), true),
        ("[]", Value::List([].into()), false),
        ("!x []", Value::List([].into()), true),
        ("!!map {}", Value::Map([].into()), false),
    ];
    for (yaml, value, odd) in cases {
        let node = read(&format!("a: {yaml}"));
        let a = node.get("a").expect("it is there");
        assert_eq!((&a.value, a.spelling.is_some()), (&value, odd), "{yaml}");
    }
}

#[test]
fn merges_keep_what_is_written() {
    let node = read(
        "base: &b {a: 1, b: 2}\nx: {<<: *b, b: 3}\nw: {<<: [*b, {c: 4, a: 9}]}\nz: {'<<': 1}\n",
    );
    let json = |key: &str| plain(node.get(key).expect("it is there"));
    assert_eq!(json("x"), "{b:3,a:1,}");
    assert_eq!(json("w"), "{a:1,b:2,c:4,}");
    assert_eq!(json("z"), "{<<:1,}");
}

fn plain(node: &Node) -> String {
    match &node.value {
        Value::Map(entries) => {
            let entry = |e: &Entry| format!("{}:{},", e.key, plain(&e.value));
            format!("{{{}}}", entries.iter().map(entry).collect::<String>())
        }
        Value::Int(value) => value.to_string(),
        other => format!("{other:?}"),
    }
}

#[test]
fn aliases_share_what_they_name() {
    let node = read("a: &a {k: [long text]}\nb: *a\n");
    let (Value::Map(a), Value::Map(b)) =
        (&node.get("a").expect("it is there").value, &node.get("b").expect("it is there").value)
    else {
        panic!("maps")
    };
    assert!(Arc::ptr_eq(a, b));
    assert_eq!(refused("a: &a [*a]").message, "this alias stands inside of what it names");
}

#[test]
fn bounds_hold_whatever_aliases_and_nesting_say() {
    let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
    assert!(parse(&deep(limits::YAML_DEPTH), &mut Vec::new()).is_ok());
    let mut bombs = vec![
        deep(limits::YAML_DEPTH + 1),
        deep(100_000),
        "[".repeat(1 << 20),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
        "? ".repeat(100_000),
        format!("[{}]", "a,".repeat(limits::YAML_NODES)),
        bomb(10, 9),
        big_scalar(5_000),
        // Each anchor is one level deeper than the last, without any deep nesting in the text.
        (1..200).fold("a0: &a0 []\n".to_owned(), |text, n| {
            text + &format!("a{n}: &a{n} [*a{}]\n", n - 1)
        }),
        (0..40_000).map(|n| format!("key{n}: 1234\n")).collect::<String>() + &bomb(10, 9),
        // Entries are copied by a merge: nine times nine times …
        "a0: &a0 {k0: 1, l0: 1, m0: 1, n0: 1}\n".to_owned()
            + &(1..40)
                .map(|n| format!("a{n}: &a{n} {{<<: [*a{0}, *a{0}, *a{0}, *a{0}]}}\n", n - 1))
                .collect::<String>(),
    ];
    for bomb in bombs.drain(..) {
        let start = &bomb[..bomb.len().min(40)];
        let error = refused(&bomb);
        assert_eq!(error.kind, YamlErrorKind::TooLarge, "{start}: {}", error.message);
    }
}

/// `levels` of lists, each naming the one before `width` times.
fn bomb(width: usize, levels: usize) -> String {
    let mut text = String::from("b0: &b0 [x]\n");
    for level in 1..=levels {
        let names = vec![format!("*b{}", level - 1); width].join(",");
        text += &format!("b{level}: &b{level} [{names}]\n");
    }
    text
}

fn big_scalar(aliases: usize) -> String {
    format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; aliases].join(","))
}

/// Below the bounds: a big text named 150 times is one text, and its bytes are held once.
#[test]
fn what_is_allowed_is_held_once() {
    let node = read(&big_scalar(150));
    let Value::List(items) = &node.get("b").expect("it is there").value else { panic!("a list") };
    let mut held: Vec<*const u8> = items.iter().filter_map(Node::as_str).map(str::as_ptr).collect();
    assert_eq!(held.len(), 150);
    held.dedup();
    assert_eq!(held.len(), 1);
}

#[test]
fn mistakes_are_bounded_too() {
    let mut mistakes = Vec::new();
    let text = format!("{{{}}}", "a: 1,".repeat(100_000));
    parse(&text, &mut mistakes).expect("it can be read");
    assert_eq!(mistakes.len(), limits::DIAGNOSTICS);
}

#[test]
fn a_second_document_is_refused() {
    let error = refused("--- a\n--- b\n");
    assert_eq!((error.kind, error.place), (YamlErrorKind::Syntax, Place { line: 2, column: 1 }));
}

/// Values and keys alike: nothing that is written reads as two things.
#[test]
fn what_is_written_reads_back_for_everybody() {
    let long = "word ".repeat(60);
    let texts = [
        "yes",
        "NO",
        "on",
        "Off",
        "y",
        "n",
        "true",
        "012",
        "08",
        "1_000",
        "0x10",
        "0o7",
        "0b11",
        "-1",
        "+1",
        "1e3",
        "1.",
        ".5",
        ".inf",
        ".NaN",
        "12:30:45",
        "2026-11-23",
        "null",
        "~",
        "",
        " a",
        "a ",
        "a: b",
        "a:",
        "#",
        "a #b",
        "- a",
        "-",
        "? a",
        "!x",
        "&a",
        "*a",
        "[",
        "{a}",
        "%a",
        "@a",
        "`a`",
        "|",
        ">",
        "it's \"so\"",
        "\t",
        "é",
        "a\nb",
        "a\n\n b\n",
        "a\r\nb",
        "\u{2028}",
        "\u{feff}a",
        "\0",
        "\u{7f}",
        "<<",
        "=",
        "---",
        "...",
        &long,
    ];
    let map: serde_json::Map<String, serde_json::Value> =
        texts.iter().map(|text| ((*text).to_owned(), (*text).into())).collect();
    let text = write(&map);
    assert_eq!(text.lines().filter(|line| line.contains("word")).count(), 1, "nothing is folded");
    let mut mistakes = Vec::new();
    let node = parse(&text, &mut mistakes).expect("what is written can be read");
    assert_eq!(mistakes, []);
    let Value::Map(entries) = &node.value else { panic!("a map") };
    for (entry, text) in entries.iter().zip(texts) {
        let read = (&*entry.key, entry.value.as_str(), &entry.value.spelling);
        assert_eq!(read, (text, Some(text), &None));
    }
    assert_eq!(entries.len(), texts.len());
}

#[test]
fn shapes_read_back_too() {
    let value = serde_json::json!({
        "list": [[], {}, [1, [2]], [{ "a": null, "b": [true] }]],
        "numbers": [0, -1, 1.5, i64::MIN, 9_007_199_254_740_993_i64],
    });
    let text = write(&value);
    assert_eq!(serde_yaml::from_str::<serde_json::Value>(&text).expect(&text), value);
    assert_eq!(write(&"a"), "a\n");
    assert_eq!(write(&serde_json::json!({ "a": [{ "b": "1" }] })), "a:\n- b: \"1\"\n");
}
