//! No text panics, and every code has a case.

use proptest::prelude::*;

use super::*;
use crate::config::codes;

const FULL: &str = include_str!("full.yaml");

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn random_text_never_panics(text in "\\PC{0,200}", raw in proptest::collection::vec(any::<u8>(), 0..200)) {
        all(&text);
        all(&String::from_utf8_lossy(&raw));
    }

    #[test]
    fn yaml_like_text_never_panics(parts in proptest::collection::vec(0..PIECES.len(), 0..80)) {
        all(&parts.iter().map(|at| PIECES[*at]).collect::<String>());
    }

    #[test]
    fn damaged_manifests_never_panic(
        document in 0usize..19,
        at in any::<prop::sample::Index>(),
        cut in 0usize..40,
        insert in prop::sample::select(PIECES),
    ) {
        let documents: Vec<_> = yaml::documents(FULL).collect();
        let mut text: Vec<char> = documents[document % documents.len()].text.chars().collect();
        let at = at.index(text.len());
        let end = text.len().min(at + cut);
        text.splice(at..end, insert.chars());
        all(&text.into_iter().collect::<String>());
    }
}

pub(super) const PIECES: &[&str] = &[
    "\n",
    " ",
    "  ",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "&a ",
    "*a",
    "<<: ",
    "? ",
    "| \n",
    "> \n",
    "'",
    "\"",
    "\\",
    "#",
    "%YAML 1.2\n",
    "---",
    "---\n",
    "...\n",
    "!",
    "!!str ",
    "!!binary ",
    "apiVersion: v1\n",
    "kind: Service\n",
    "metadata: {name: a}\n",
    "spec:\n",
    "a",
    "0x",
    "1_0",
    "~",
    "\t",
    "\r",
    "\u{feff}",
    "\u{2028}",
    "\0",
    "é",
    "🦀",
    "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n",
    "items: ",
    "null",
    "yes",
];

fn all(text: &str) {
    let (_, diagnostics) = decoded(text);
    let rendered = render::render(&diagnostics, &|_| Some(text.into()), false);
    assert!(rendered.chars().all(|c| c == '\n' || !c.is_control()), "{rendered:?}");
    // A text that changed since is no reason to panic either.
    render::render(&diagnostics, &|_| Some("x".into()), true);
}

#[test]
fn every_code_has_a_case() {
    let cases = [
        include_str!("documents.rs"),
        include_str!("routes.rs"),
        include_str!("filters.rs"),
        include_str!("gateways.rs"),
        include_str!("policies.rs"),
        include_str!("kubernetes.rs"),
        include_str!("own.rs"),
    ];
    for row in codes::all().filter(|row| row.code.0 < 100) {
        let shown = format!("[{}]", row.code);
        assert!(cases.iter().any(|text| text.contains(&shown)), "{} has no case", row.code);
    }
}
