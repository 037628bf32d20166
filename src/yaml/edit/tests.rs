#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::json;

use super::*;

mod attacks;
mod manifests;
mod random;

fn patch_of(operations: Value) -> Patch {
    serde_json::from_value(operations).unwrap()
}

type Case<'a> = (&'a str, Value, &'a str);

/// Each text after its operations is what is expected, byte for byte.
fn check(cases: &[Case<'_>]) {
    let mut wrong = Vec::new();
    for (text, operations, expected) in cases {
        match edit(text, &patch_of(operations.clone())) {
            Ok(edited) if edited == *expected => {}
            Ok(edited) => wrong
                .push(format!("{operations} on {text:?}\n     is {edited:?}\n not {expected:?}")),
            Err(error) => wrong.push(format!("{operations} on {text:?}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn refused(text: &str, operations: Value) -> EditError {
    let Err(error) = edit(text, &patch_of(operations.clone())) else {
        panic!("{operations} on\n{text}\nwas taken")
    };
    error
}

fn put(path: &str, value: impl Into<Value>) -> Value {
    json!([{"op": "replace", "path": path, "value": value.into()}])
}

fn add(path: &str, value: impl Into<Value>) -> Value {
    json!([{"op": "add", "path": path, "value": value.into()}])
}

fn gone(path: &str) -> Value {
    json!([{"op": "remove", "path": path}])
}

#[test]
fn a_scalar_changes_and_nothing_else() {
    let cases: &[Case<'_>] = &[
        ("a: 90\n", json!(10), "a: 10\n"),
        ("a:   90   # ninety\n", json!(10), "a:   10   # ninety\n"),
        ("a: \"90\" # x", json!("10"), "a: \"10\" # x"),
        ("a: '90'\r\nb: é\r\n", json!("10"), "a: '10'\r\nb: é\r\n"),
        ("a: '90'\n", json!(10), "a: 10\n"),
        ("a: 90\n", json!("10"), "a: \"10\"\n"),
        ("a: x\n", json!("yes"), "a: \"yes\"\n"),
        ("a: 'x'\n", json!("it's"), "a: 'it''s'\n"),
        ("a: 'x'\n", json!("a\nb"), "a: \"a\\nb\"\n"),
        ("a: \"x\"\n", json!("a\tb"), "a: \"a\\tb\"\n"),
        ("a: one\n  two\n  three # c\n", json!("four"), "a: four # c\n"),
        ("a:\n", json!(1), "a: 1\n"),
        ("a: # c\nb: 2\n", json!(1), "a: 1 # c\nb: 2\n"),
        ("a: ~\n", json!(true), "a: true\n"),
        ("a: !!str 90 # c\n", json!("10"), "a: \"10\" # c\n"),
        ("a: !!int \"90\"\n", json!(10), "a: 10\n"),
        ("a: !!null\n", json!(10), "a: 10\n"),
        ("a: &x 90\n", json!(10), "a: &x 10\n"),
        ("a: &x !!str 90\n", json!(10), "a: &x 10\n"),
        ("a: &x\n", json!(10), "a: &x 10\n"),
        ("{a: 90}", json!(10), "{a: 10}"),
        ("{\"a\":90}", json!("x"), "{\"a\":\"x\"}"),
        ("{a}", json!(10), "{a: 10}"),
        ("{a: }", json!(10), "{a: 10 }"),
        ("? a\n: 90\n", json!(10), "? a\n: 10\n"),
        ("a: |\n  x\n  y\n\nb: 1\n", json!("z\nw\n"), "a: |\n  z\n  w\n\nb: 1\n"),
        ("a: |\n    x\n", json!("z"), "a: z\n"),
        ("a: >- # c\n  x\n  y\nb: 1\n", json!("z"), "a: z\nb: 1\n"),
        ("a: |+\n  x\n\n\nb: 1\n", json!("z"), "a: z\nb: 1\n"),
        ("\u{feff}a: 90\n", json!(10), "\u{feff}a: 10\n"),
        ("# c\n\n---  # c\na: 90\n...\n", json!(10), "# c\n\n---  # c\na: 10\n...\n"),
        ("%YAML 1.2\n---\na: 90", json!(10), "%YAML 1.2\n---\na: 10"),
        ("a: 90\t# tab\n", json!(10), "a: 10\t# tab\n"),
    ];
    let cases: Vec<_> =
        cases.iter().map(|(text, value, to)| (*text, put("/a", value.clone()), *to)).collect();
    check(&cases);
}

#[test]
fn new_members_stand_as_their_siblings_do() {
    let refs = json!({"name": "c", "weight": 0});
    let cases: &[Case<'_>] = &[
        ("a: 1\n", add("/b", 2), "a: 1\nb: 2\n"),
        ("a: 1", add("/b", 2), "a: 1\nb: 2"),
        ("a: 1\r\n", add("/b", 2), "a: 1\r\nb: 2\r\n"),
        ("a: 1 # one\n# end\n", add("/b", 2), "a: 1 # one\nb: 2\n# end\n"),
        ("a: 1\n...\n", add("/b", 2), "a: 1\nb: 2\n...\n"),
        ("x:\n   a: 1\nz: 2\n", add("/x/b", 2), "x:\n   a: 1\n   b: 2\nz: 2\n"),
        ("x:\n   a: 1\n", add("/z", json!({"b": 1})), "x:\n   a: 1\nz:\n   b: 1\n"),
        ("x:\n- a\n", add("/x/-", "b"), "x:\n- a\n- b\n"),
        ("x:\n  - a\n", add("/x/-", "b"), "x:\n  - a\n  - b\n"),
        ("x:\n  - a\n", add("/z", json!(["b"])), "x:\n  - a\nz:\n  - b\n"),
        ("x:\n  # a's\n  - a\n", add("/x/0", "b"), "x:\n  - b\n  # a's\n  - a\n"),
        (
            "x: # c\n  - a\n  # b's\n  - b\n",
            add("/x/1", "c"),
            "x: # c\n  - a\n  - c\n  # b's\n  - b\n",
        ),
        ("- a\n", add("/0", "b"), "- b\n- a\n"),
        ("- - a\n  - b\n", add("/0/0", "c"), "- - c\n  - a\n  - b\n"),
        ("- - a\n  - b\n", add("/0/-", "c"), "- - a\n  - b\n  - c\n"),
        ("- a: 1\n  b: 2\n- c\n", add("/0/d", 3), "- a: 1\n  b: 2\n  d: 3\n- c\n"),
        (
            "x:\n  - name: a\n    weight: 1\n",
            add("/x/-", refs.clone()),
            "x:\n  - name: a\n    weight: 1\n  - name: c\n    weight: 0\n",
        ),
        (
            "x:\n-   name: a\n",
            add("/x/-", refs.clone()),
            "x:\n-   name: a\n-   name: c\n    weight: 0\n",
        ),
        ("x: [a, b]\n", add("/x/-", "c"), "x: [a, b, c]\n"),
        ("x: [a, b]\n", add("/x/0", "c"), "x: [c, a, b]\n"),
        ("x: [ a, b ] # c\n", add("/x/1", "c"), "x: [ a, c, b ] # c\n"),
        ("x: [a,]\n", add("/x/-", "b"), "x: [a, b,]\n"),
        ("x: [\"a\"]\n", add("/x/-", "b"), "x: [\"a\", \"b\"]\n"),
        ("x: []\n", add("/x/-", refs.clone()), "x: [{name: c, weight: 0}]\n"),
        ("x: {}\n", add("/x/b", 1), "x: {b: 1}\n"),
        ("x: { a: 1 }\n", add("/x/b", 1), "x: { a: 1, b: 1 }\n"),
        ("x: [\n  a,\n  b # b's\n]\n", add("/x/-", "c"), "x: [\n  a,\n  b, # b's\n  c\n]\n"),
        ("x: [\n  a,\n  b, # b's\n]\n", add("/x/-", "c"), "x: [\n  a,\n  b, # b's\n  c,\n]\n"),
        ("x: [\n  a,\n  b ]\n", add("/x/-", "c"), "x: [\n  a,\n  b,\n  c ]\n"),
        ("x: [\n  a,\n  b\n]\n", add("/x/0", "c"), "x: [\n  c,\n  a,\n  b\n]\n"),
        (
            "{\n  \"a\": 1\n}\n",
            add("/b", json!({"c": ["d"]})),
            "{\n  \"a\": 1,\n  \"b\": {\"c\": [\"d\"]}\n}\n",
        ),
        ("a: |\n  x\n\n\n# c\n", add("/b", 1), "a: |\n  x\nb: 1\n\n\n# c\n"),
        ("a: |+\n  x\n\n", add("/b", 1), "a: |+\n  x\n\nb: 1\n"),
        ("a:\n", add("/b", 1), "a:\nb: 1\n"),
        ("a: &x # c\n", add("/b", 1), "a: &x # c\nb: 1\n"),
        ("a: one\n  two\n", add("/b", 1), "a: one\n  two\nb: 1\n"),
        ("a: 1\n", add("/b", "x\ny\n"), "a: 1\nb: |\n  x\n  y\n"),
        (
            "a: 1\n",
            add("/b", json!([[], {}, [1, [2]], [{"a": null}]])),
            "a: 1\nb:\n- []\n- {}\n- - 1\n  - - 2\n- - a: null\n",
        ),
        ("a: 1\n", add("/true", "on"), "a: 1\n\"true\": \"on\"\n"),
        ("a: 1\n", add("/a~1b", 2), "a: 1\na/b: 2\n"),
        ("a: 1\n", add("/a", 2), "a: 2\n"),
        ("? a\n: 1\n", add("/b", 2), "? a\n: 1\nb: 2\n"),
    ];
    check(cases);
}

#[test]
fn what_is_removed_takes_its_lines_along() {
    let cases: &[Case<'_>] = &[
        ("a: 1\nb: 2 # c\nc: 3\n", gone("/b"), "a: 1\nc: 3\n"),
        ("a: 1\nb: 2", gone("/b"), "a: 1"),
        ("a: 1\r\nb: 2", gone("/b"), "a: 1"),
        ("a: 1\r\nb: 2\r\n", gone("/a"), "b: 2\r\n"),
        ("# top\na: 1\n# mine\nb: 2\n", gone("/a"), "# top\n# mine\nb: 2\n"),
        ("a: 1\n", gone("/a"), "{}\n"),
        ("a: 1 # c", gone("/a"), "{}"),
        ("---\na: 1\n", gone("/a"), "---\n{}\n"),
        ("x: # keep\n  a: 1 # c\nz: 2\n", gone("/x/a"), "x: {} # keep\nz: 2\n"),
        ("x:\n- a\nz: 2\n", gone("/x/0"), "x: []\nz: 2\n"),
        ("x:\n- a", gone("/x/0"), "x: []"),
        ("x: &a\n  - a\n", gone("/x/0"), "x: &a []\n"),
        ("x:\n  - a\n  # b's\n  - b\n", gone("/x/1"), "x:\n  - a\n  # b's\n"),
        ("x:\n  - name: a\n    # in it\n    weight: 1\n  - b\n", gone("/x/0"), "x:\n  - b\n"),
        ("- name: a\n  weight: 1\n", gone("/0/name"), "- weight: 1\n"),
        (
            "- name: a\n  # about it\n  weight: 1\n",
            gone("/0/name"),
            "-\n  # about it\n  weight: 1\n",
        ),
        ("- a: 1\n", gone("/0/a"), "- {}\n"),
        ("-\n  a: 1\n", gone("/0/a"), "- {}\n"),
        ("- - a\n  - b\n", gone("/0/0"), "- - b\n"),
        ("- - a\n- b\n", gone("/0/0"), "- []\n- b\n"),
        ("x: [a, b, c]\n", gone("/x/0"), "x: [b, c]\n"),
        ("x: [a, b, c]\n", gone("/x/1"), "x: [a, c]\n"),
        ("x: [a, b, c]\n", gone("/x/2"), "x: [a, b]\n"),
        ("x: [ a ]\n", gone("/x/0"), "x: [  ]\n"),
        ("x: [a, b,]\n", gone("/x/1"), "x: [a,]\n"),
        ("x: {a: 1, b: 2}\n", gone("/x/b"), "x: {a: 1}\n"),
        ("x: [\n  a, # a's\n  b # b's\n]\n", gone("/x/1"), "x: [\n  a # a's\n]\n"),
        ("x: [\n  a, # a's\n  b # b's\n]\n", gone("/x/0"), "x: [\n  b # b's\n]\n"),
        ("{\n  \"a\": 1,\n  \"b\": 2\n}\n", gone("/a"), "{\n  \"b\": 2\n}\n"),
        ("{\n  \"a\": 1,\n  \"b\": 2\n}\n", gone("/b"), "{\n  \"a\": 1\n}\n"),
        ("a: |\n  x\n\nb: 1\n", gone("/a"), "\nb: 1\n"),
        ("? a\n: 1\nb: 1\n", gone("/a"), "b: 1\n"),
    ];
    check(cases);
}

#[test]
fn collections_change_where_they_differ() {
    let cases: &[Case<'_>] = &[
        (
            "x:\n- {name: a, weight: 90} # a\n- name: b # b\n  weight: 10\n",
            put("/x", json!([{"name": "a", "weight": 5}, {"name": "b", "weight": 95}])),
            "x:\n- {name: a, weight: 5} # a\n- name: b # b\n  weight: 95\n",
        ),
        ("x:\n  a: 1\n  b: 2\n", put("/x", json!({"c": 3})), "x:\n  c: 3\n"),
        ("x: [1, 2, 3]\n", put("/x", json!([4])), "x: [4]\n"),
        ("x: 1 # c\nz: 2\n", put("/x", json!({"a": 1})), "x: # c\n  a: 1\nz: 2\n"),
        ("x: 1\n", put("/x", json!(["a"])), "x:\n- a\n"),
        ("x:\n", put("/x", json!({"a": 1})), "x:\n  a: 1\n"),
        ("x: &q 1\n", put("/x", json!({"a": 1})), "x: &q\n  a: 1\n"),
        ("x: {}\n", put("/x", json!({"a": 1})), "x: {a: 1}\n"),
        ("x: []\n", put("/x", json!({"a": 1})), "x: {a: 1}\n"),
        (
            "x:\n  a: 1\nz: 2\n",
            put("/x", json!(["b", {"c": 1, "d": 2}])),
            "x:\n- b\n- c: 1\n  d: 2\nz: 2\n",
        ),
        ("x:\n  a: 1 # c\nz: 2\n", put("/x", 5), "x: 5\nz: 2\n"),
        (
            "- 1\n- 2 # c\n- 3\n",
            put("/0", json!({"a": 1, "b": [2]})),
            "- a: 1\n  b:\n  - 2\n- 2 # c\n- 3\n",
        ),
        ("- 1 # c\n", put("/0", json!({"a": 1, "b": 2})), "- # c\n  a: 1\n  b: 2\n"),
        ("- a: 1\n- 2\n", put("/0", "x"), "- x\n- 2\n"),
        ("a: 1\n", put("", json!([1])), "- 1\n"),
        ("x: |\n  a\n  b\nz: 1\n", put("/x", json!({"a": 1})), "x:\n  a: 1\nz: 1\n"),
    ];
    check(cases);
}

/// What stands elsewhere is never changed for somebody else: the place gets a text of its own.
#[test]
fn what_is_shared_stays_as_it_is_for_others() {
    let both = |path: &str| {
        json!([{"op": "replace", "path": format!("/a{path}"), "value": 5},
            {"op": "replace", "path": format!("/b{path}"), "value": 5}])
    };
    let cases: &[Case<'_>] = &[
        ("a: &w 1\nb: *w # c\n", put("/b", 5), "a: &w 1\nb: 5 # c\n"),
        ("a: &w 1\nb: *w\n", both(""), "a: &w 5\nb: *w\n"),
        ("a: &w 1\nb: *w\nc: 2\n", gone("/b"), "a: &w 1\nc: 2\n"),
        ("a: &w 1\nb: [*w, 2]\n", put("/b/0", 5), "a: &w 1\nb: [5, 2]\n"),
        (
            "a: &l [1, 2]\nb: *l # c\nc: 1\n",
            put("/b/0", 5),
            "a: &l [1, 2]\nb: # c\n- 5\n- 2\nc: 1\n",
        ),
        ("a: &l [1, 2]\nb: *l\n", add("/b/-", 5), "a: &l [1, 2]\nb:\n- 1\n- 2\n- 5\n"),
        ("a: &l [1, 2]\nb: {c: *l}\n", gone("/b/c/0"), "a: &l [1, 2]\nb: {c: [2]}\n"),
        ("a: &l [1, 2]\nb: *l\n", both("/0"), "a: &l [5, 2]\nb: *l\n"),
        (
            "a: &m {x: 1, z: 2}\nb:\n  <<: *m\n",
            put("/b/x", 5),
            "a: &m {x: 1, z: 2}\nb:\n  <<: *m\n  x: 5\n",
        ),
        (
            "a: &m {x: [1]}\nb: {<<: *m}\n",
            put("/b/x/0", 5),
            "a: &m {x: [1]}\nb: {<<: *m, x: [5]}\n",
        ),
        (
            "a: &m {x: 1}\nb:\n  <<: *m\n  x: 2\n",
            put("/b/x", 5),
            "a: &m {x: 1}\nb:\n  <<: *m\n  x: 5\n",
        ),
        ("a: &m {x: 1}\nb:\n  <<: *m\n  d: 2\n", gone("/b/d"), "a: &m {x: 1}\nb:\n  <<: *m\n"),
        ("a: &m {x: 1}\nb:\n  <<: *m\n", add("/b/c", 2), "a: &m {x: 1}\nb:\n  <<: *m\n  c: 2\n"),
        // An anchor that nobody uses is nobody's business.
        ("a: &w {x: 1}\n", put("/a/x", 5), "a: &w {x: 5}\n"),
    ];
    check(cases);
}

#[test]
fn what_has_no_exact_form_is_refused_with_its_place() {
    let cases = [
        (
            "a: &w 1\nb: *w\n",
            put("/a", 5),
            "line 1, column 4: what `&w` names is used in line 2 too, and would change there",
            "write the value out in the place of `*w` in line 2, column 4",
        ),
        (
            "# c\na: &m\n  x: {w: 1}\nb: {<<: *m, z: 1}\n",
            put("/a/x/w", 5),
            "line 2, column 4: what `&m` names is used in line 4 too, and would change there",
            "write the value out in the place of `*m` in line 4, column 9",
        ),
        (
            "a:\n- &w 1\n- 2\nb: *w\n",
            gone("/a/0"),
            "line 2, column 3: what `&w` names is used in line 4 too, and would change there",
            "write the value out in the place of `*w` in line 4, column 4",
        ),
        (
            "a: &m {x: 1}\nb:\n  <<: *m\n",
            gone("/b/x"),
            "line 3, column 3: a merged map (`<<`) can't be changed like this",
            "write this place in a plainer way, or change it by hand",
        ),
        (
            "a: &m {x: 1}\nb:\n  <<: *m\n  x: 2\n",
            gone("/b/x"),
            "line 3, column 3: a map that merges others (`<<`) can't be changed like this",
            "write this place in a plainer way, or change it by hand",
        ),
        (
            "x: 1\n? a\nb: 1\n",
            put("/a", 5),
            "line 2, column 4: a key (`?`) without a value can't be changed like this",
            "write this place in a plainer way, or change it by hand",
        ),
        (
            "a: 1\nb: {{ .Values.b }}\n",
            put("/a", 5),
            "line 2, column 5: `{{ … }}` belongs to a template and is no YAML",
            "change the template or its values; what it renders to can be changed here",
        ),
        (
            "a: 1\n{{- if .Values.b }}\nb: 1\n{{- end }}\n",
            put("/a", 5),
            "line 2, column 3: `{{ … }}` belongs to a template and is no YAML",
            "change the template or its values; what it renders to can be changed here",
        ),
        ("a: 1\na: 2\n", put("/a", 5), "line 2, column 1: the key `a` is there twice", ""),
        ("a: 1\n", put("/b", 5), "/b is not there", ""),
        ("a: [1]\n", gone("/a/-"), "/a/- is not there", ""),
        ("a: [1]\n", add("/a/2", 5), "/a/2 is not there", ""),
        (
            "a: 1\n",
            json!([{"op": "move", "from": "/a", "path": "/b"}]),
            "a change of a file can't move or copy",
            "",
        ),
        (
            "a: 90\n",
            json!([{"op": "test", "path": "/a", "value": 80}, {"op": "replace", "path": "/a", "value": 1}]),
            "/a is 90, not 80 as expected",
            "somebody else has changed it: look, and try again",
        ),
        (
            "a: 90\n",
            json!([{"op": "test", "path": "/b/c", "value": "x"}]),
            "/b/c is not there, and was expected to be \"x\"",
            "somebody else has changed it: look, and try again",
        ),
    ];
    for (text, operations, message, advice) in cases {
        let error = refused(text, operations);
        assert_eq!(
            (&*error.to_string(), &*error.advice().unwrap_or_default()),
            (message, advice),
            "{text}"
        );
    }
}

/// Braces in a text are text.
#[test]
fn a_template_that_is_data_is_data() {
    let text = "a: \"{{ $labels.pod }}\"\n# {{ c }}\nb: |\n  {{- with secret }}\nw: 1\n";
    check(&[(text, put("/w", 2), &text.replace("w: 1", "w: 2"))]);
}

#[test]
fn a_test_alone_changes_nothing() {
    let text = "a:   [ 1,2 ]\n";
    check(&[(text, json!([{"op": "test", "path": "/a", "value": [1, 2]}]), text)]);
    check(&[(text, put("/a", json!([1, 2])), text), (text, json!([]), text)]);
}
