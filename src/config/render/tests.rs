use super::*;
use crate::config::raw::Origin as RawOrigin;
use crate::config::{Code, codes};
use crate::yaml::Place;

const TEXT: &str = "kind: HTTPRoute\nspec:\n  hostnmes: [a]\n\ttab: \u{1b}[31mred\u{202e}\u{7}\n";

fn at(line: u32, column: u32, code: Code, message: &str) -> Diagnostic {
    let origin = RawOrigin { file: "shop.yaml".into(), line_offset: 0 };
    Diagnostic::error(code, &origin, Place { line, column }, message).help("")
}

#[track_caller]
fn check(diagnostics: &[Diagnostic], text: &str, expected: &str) {
    let found = render(diagnostics, &|_| Some(text.into()), false);
    assert_eq!(found, expected, "\n{found}");
}

#[test]
fn an_excerpt_with_its_help() {
    let diagnostic = at(3, 3, codes::UNKNOWN_FIELD, "unknown field `hostnmes`")
        .width(8)
        .help("did you mean `hostnames`?");
    check(
        &[diagnostic],
        TEXT,
        "\
error[MC0012]: unknown field `hostnmes`
 --> shop.yaml:3:3
  |
3 |   hostnmes: [a]
  |   ^^^^^^^^
  |
  = help: did you mean `hostnames`?

",
    );
}

#[test]
fn order_is_that_of_files_and_lines() {
    let mut other = at(1, 1, codes::NOT_YAML, "other file");
    other.file = "a.yaml".into();
    let again = at(3, 3, codes::UNKNOWN_FIELD, "same");
    let found = lines(&[again.clone(), at(1, 7, codes::UNKNOWN_KIND, "first"), again, other]);
    assert_eq!(
        found,
        [
            "a.yaml:1:1: error[MC0001]: other file",
            "shop.yaml:1:7: error[MC0010]: first",
            "shop.yaml:3:3: error[MC0012]: same",
        ]
    );
}

#[test]
fn a_terminal_gets_no_control_characters() {
    let diagnostic = at(4, 7, codes::WRONG_TYPE, "bad \u{1b}]0;title\u{7}").help("x\ny");
    let found = render(std::slice::from_ref(&diagnostic), &|_| Some(TEXT.into()), false);
    assert!(found.contains("␛[31mred\u{fffd}␇"), "{found}");
    assert!(found.contains("bad ␛]0;title␇"), "{found}");
    assert!(found.contains("x␊y"), "{found}");
    assert!(!found.chars().any(|c| c.is_control() && c != '\n'));
    assert!(!line(&diagnostic).contains('\n'));
}

#[test]
fn colour_is_only_for_terminals() {
    let diagnostic = at(3, 3, codes::UNKNOWN_FIELD, "x");
    assert!(
        render(std::slice::from_ref(&diagnostic), &|_| Some(TEXT.into()), true).contains('\u{1b}')
    );
    assert!(!render(&[diagnostic], &|_| Some(TEXT.into()), false).contains('\u{1b}'));
}

#[test]
fn nothing_is_shown_of_what_has_no_width_or_place() {
    let expected = "error[MC0025]: the value of `a` is not base64\n--> shop.yaml:3:3\n\n";
    check(
        &[at(3, 3, codes::BAD_BASE64, "the value of `a` is not base64").width(0)],
        TEXT,
        expected,
    );
    check(
        &[at(99, 3, codes::NOT_YAML, "gone")],
        TEXT,
        "error[MC0001]: gone\n--> shop.yaml:99:3\n\n",
    );
    let mut nowhere = at(0, 0, codes::NOT_YAML, "no place");
    check(&[nowhere.clone()], TEXT, "error[MC0001]: no place\n--> shop.yaml\n\n");
    nowhere.file = "".into();
    check(&[nowhere], TEXT, "error[MC0001]: no place\n\n");
}

#[test]
fn long_lines_are_cut_around_the_place() {
    let text = format!("{}HERE{}", "a".repeat(1000), "é".repeat(1000));
    let found = render(
        &[at(1, 1001, codes::WRONG_TYPE, "x").width(4)],
        &|_| Some(text.as_str().into()),
        false,
    );
    assert!(found.contains("shop.yaml:1:1001"), "{found}");
    assert!(!found.contains(":::"), "{found}");
    assert!(found.contains("HERE") && found.contains("^^^^\n"), "{found}");
    assert!(found.lines().all(|line| line.chars().count() < 140), "{found}");
}

#[test]
fn what_nobody_reads_is_counted() {
    let many: Vec<_> = (0..limits::DIAGNOSTICS + 5)
        .map(|n| at(1, 1 + u32::try_from(n).expect("small"), codes::NOT_YAML, "x"))
        .collect();
    assert!(render(&many, &|_| None, false).ends_with("… and 5 more\n"));
}

#[test]
fn data_has_stable_names() {
    let diagnostics = [at(3, 3, codes::UNKNOWN_FIELD, "x").help("y")];
    assert_eq!(
        serde_json::to_string(&rows(&diagnostics)).expect("plain data"),
        r#"[{"code":"MC0012","severity":"error","message":"x","file":"shop.yaml","line":3,"column":3,"help":"y"}]"#
    );
}
