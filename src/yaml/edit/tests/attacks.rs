//! Texts that are made to cost: each ends in a text or in a reason, soon.

use super::*;
use crate::clock;
use crate::limits;

#[test]
fn large_texts_end_soon() {
    let many = |n: usize, one: &str| one.repeat(n);
    let keys = |n: usize| (0..n).map(|n| format!("k{n}: {n} # c\n")).collect::<String>();
    let cases: [(&str, String, bool); 9] = [
        ("a line", format!("w: 1\na: {}\n", many(1 << 20, "x")), true),
        ("many keys", format!("w: 1\n{}", keys(60_000)), true),
        ("many items", format!("w: 1\na:\n{}", many(200_000, "- 1\n")), true),
        ("many items in brackets", format!("w: 1\na: [{}]\n", many(200_000, "1, ")), true),
        ("many comments", format!("w: 1\n{}", many(100_000, "# long\n")), true),
        ("many aliases", format!("w: &w 1\na: [{}]\nb: 1\n", many(100_000, "*w,")), false),
        ("many anchors", format!("w: 1\na: [{}]\n", many(100_000, "&w 1,")), true),
        ("brackets", format!("w: 1\na: {}\n", many(1 << 19, "[")), false),
        ("blank lines", format!("w: 1\na: |+\n  x\n{}b: 1\n", many(1 << 19, "\n")), true),
    ];
    for (name, text, taken) in cases {
        let began = clock::now();
        let edited = edit(&text, &patch_of(put("/w", 2)));
        assert_eq!(edited.is_ok(), taken, "{name}: {:?}", edited.err());
        // Unoptimised, on a busy machine: a tenth of it is what it takes.
        assert!(began.elapsed().as_secs() < 20, "{name}: {:?}", began.elapsed());
    }
}

#[test]
fn depth_is_bounded() {
    let deep = |n: usize| format!("{}w: 1\n", "- ".repeat(n));
    let depth = limits::YAML_DEPTH - 2;
    let path = format!("{}/w", "/0".repeat(depth));
    assert!(edit(&deep(depth), &patch_of(put(&path, 2))).is_ok());
    let nested = (0..limits::YAML_DEPTH).fold(json!(1), |value, _| json!([value]));
    let error = refused("w: 1\n", put("/w", nested));
    assert!(error.to_string().ends_with("this is nested too deeply"), "{error}");
    assert!(matches!(refused(&deep(100_000), put("/0", 1)), EditError::Yaml(_)));
}

/// A patch is no way around the price of a document.
#[test]
fn many_operations_are_paid_for() {
    let text = format!("w: 1\na: {}\n", "x".repeat(1 << 20));
    let one = |n: i32| json!({"op": "replace", "path": "/w", "value": n});
    let error = refused(&text, (2..100).map(one).collect());
    assert_eq!(error, EditError::TooMuch);
    let small = edit("w: 1\n", &patch_of((2..1_000).map(one).collect()));
    assert_eq!(small.unwrap(), "w: 999\n");
}
