use serde_json::json;

use super::*;
use crate::manifest::generate;

const SLOTS: &[Slot] = &[
    Slot { name: "name", about: "the name" },
    Slot { name: "tags", about: "the tags" },
    Slot { name: "more", about: "more" },
];

fn filled(text: &str, values: &[(&'static str, Value)]) -> Result<Vec<Value>, String> {
    let values = values.iter().cloned().collect();
    fill(text, SLOTS, &values).map_err(|error| error.to_string())
}

#[test]
fn what_has_no_value_is_left_out_and_so_is_what_becomes_empty() {
    let template = "a: $name\nb:\n  c: [$more]\n  d: {e: $more}\nf: {}\ng: [$tags, $$x, 1.5, ~]\n";
    let values = [("name", json!("n")), ("tags", json!([1, 2]))];
    let expected = json!({"a": "n", "f": {}, "g": [[1, 2], "$x", 1.5, null]});
    assert_eq!(filled(template, &values), Ok(vec![expected]));
}

#[test]
fn a_template_that_would_lose_or_invent_something_is_refused() {
    let name = [("name", json!("n"))];
    let refused = |text: &str, expected: &str| {
        assert_eq!(filled(text, &name), Err(expected.to_owned()), "{text}");
    };
    refused(
        "a: $name\n---\nb: $nme\n",
        "3:4: there is no placeholder `$nme`; there are `$name`, `$tags`, `$more`, and `$$` begins \
         a text with a dollar sign",
    );
    refused("a: 1\n", "it has no placeholder `$name`, so the name would be lost");
    refused("x:\n  $name: 1\n", "2:3: `$name` is a key, and only values are filled in");
    refused("# nothing\n", "it holds no object");
    refused("a: $name\na: 1\n", "2:1: the key `a` is there twice");
    assert!(filled("a: [$name", &name).is_err_and(|error| error.starts_with("1:")));
    // Only a whole scalar is a placeholder.
    assert_eq!(filled("a: $name\nb: x$name\n", &name), Ok(vec![json!({"a": "n", "b": "x$name"})]));
}

/// Pieces that mean something to some reader of YAML, to templates, to shells or to terminals.
const PIECES: &[&str] = &[
    "'",
    "\"",
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\0",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{fffd}",
    "\u{200b}",
    "\u{202e}",
    "\u{e000}",
    "\u{1f600}",
    "é",
    "e\u{301}",
    "{{",
    "}}",
    "{{ .Values.x }}",
    "{%",
    "${HOME}",
    "$name",
    "$$name",
    "$",
    "%s",
    "%",
    "`id`",
    "---",
    "\n---\n",
    "...",
    "\n...\n",
    "- ",
    "? ",
    ": ",
    ":",
    " #",
    "#",
    "&a ",
    "*a",
    "!!binary ",
    "!",
    "|",
    "|-\n",
    ">",
    ">+\n",
    "@",
    "[",
    "]",
    "{",
    "}",
    ",",
    "<<",
    "=",
    "~",
    "null",
    "true",
    "yes",
    "no",
    "on",
    "off",
    "y",
    "0",
    "012",
    "0x1f",
    "0o17",
    "1_000",
    "1e3",
    ".inf",
    "-.inf",
    ".nan",
    "+1",
    "-",
    "12:30:45",
    "2026-11-24",
    "2026-11-24T04:11:56Z",
    " ",
    "  ",
    "\\",
    "\\n",
    "\\x00",
    "a",
    "shop",
    "kind: Secret",
    "\nkind: Secret\n",
    "\u{0}\u{1}\u{2}",
    "\u{1f}",
    "\u{9f}",
    "\u{fffe}",
    "\u{10ffff}",
];

/// Strings of one to eight pieces, and of any characters.
fn hostile(random: &mut fastrand::Rng) -> String {
    if random.u8(..4) == 0 {
        return (0..random.usize(..12)).map(|_| random.char(..)).collect();
    }
    (0..random.usize(..8)).map(|_| PIECES[random.usize(..PIECES.len())]).collect()
}

/// Every string of every template of ours, filled with 5,000 hostile ones: what is read back, by
/// our own reader and by another, is what was put in.
#[test]
fn hostile_strings_are_data() {
    let mut random = fastrand::Rng::with_seed(5);
    for round in 0..5_000 {
        let (kind, template, slots) = generate::TEMPLATES[round % generate::TEMPLATES.len()];
        let values: Values =
            slots.iter().map(|slot| (slot.name, hostile(&mut random).into())).collect();
        let objects = fill(template, slots, &values).unwrap();
        let mut expected = values.values().map(|value| value.as_str().unwrap()).collect::<Vec<_>>();
        for object in &objects {
            let text = yaml::write(object);
            let again = yaml::objects(&text);
            assert_eq!(again.as_deref(), Ok(&[object.clone()][..]), "{kind}: {text:?}");
            let other: Value = serde_yaml::from_str(&text).unwrap();
            assert_eq!(other, *object, "{kind}, as serde reads it: {text:?}");
            strings(object, &mut |text| expected.retain(|expected| *expected != text));
        }
        let stream: String = objects.iter().map(|o| format!("---\n{}", yaml::write(o))).collect();
        assert_eq!(yaml::objects(&stream), Ok(objects), "{kind}: {stream:?}");
        assert!(expected.is_empty(), "{kind} lost {expected:?}");
    }
}

fn strings(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => found(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(map) => map.values().for_each(|value| strings(value, found)),
        _ => {}
    }
}
