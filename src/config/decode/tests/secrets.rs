//! What a Secret holds is never shown, whatever is wrong with it.

use proptest::prelude::*;

use super::random::PIECES;
use super::*;

/// Anything that stands for a secret value below.
const VALUE: &str = "hunter2";

#[test]
fn no_value_and_no_line_of_a_secret_is_shown() {
    let secrets = [
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {key: 'hunter2!'}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {key: !x hunter2}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: A_}\nhunter2 and more: hunter2\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: [hunter2\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: hunter2, a: hunter2}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a, creationTimestamp: hunter2}\ntype: [hunter2]\n",
        "apiVersion: v1\nkind: Secrt\nmetadata: {name: a}\nstringData: {a: hunter2}\n",
        "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: ConfigMap, metadata: {nam: a}}, {apiVersion: v1, kind: Secret, stringData: {a: hunter2}}]}",
        "{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {a: 'hunter2'}, immutable: hunter2}",
        "kind: Secret\nmetadata: {name: a}\ndata: {hunter2 is long and has spaces in it: {}}\n",
        "{apiVersion: v1, 'kind': 'Secret', stringData: {a: hunter2}",
        "apiVersion: v1\nkind: List\nitems:\n- kind: Secret\n  stringData: {a: [hunter2}\n",
        "apiVersion: v1\nkind: 'Secret'  # mine\nstringData: {a: [hunter2}\n",
        "  kind: Secret\n  stringData: {a: [hunter2}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  a: |\n    x\nhunter2 *a: &b\n",
    ];
    for text in secrets {
        let (decoded, diagnostics) = decoded(text);
        assert!(!diagnostics.is_empty(), "{text}");
        for diagnostic in &diagnostics {
            assert_eq!(diagnostic.width, 0, "{text}");
        }
        let shown = render::render(&diagnostics, &|_| Some(text.into()), false)
            + &render::lines(&diagnostics).concat()
            + &serde_json::to_string(&render::rows(&diagnostics)).expect("plain data")
            + &format!("{decoded:?}");
        assert!(!shown.contains(VALUE), "{text}\n{shown}");
    }
}

#[test]
fn a_gateway_that_names_a_secret_hides_nothing() {
    let text = "kind: Gateway\nspec:\n  certificateRefs: [{kind: Secret, name: cert}\n";
    let (_, diagnostics) = decoded(text);
    assert_eq!(diagnostics[0].width, 1);
}

#[test]
fn what_kubectl_remembers_of_a_secret_is_forgotten() {
    let text = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: hunter2\n";
    let (decoded, _) = decoded(text);
    assert!(matches!(&decoded[0], Decoded::Object(object) if object.meta.annotations.is_empty()));
}

const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n  labels: {a: b}\ntype: Opaque\nstringData:\n  key: hunter2\n  other: |\n    hunter2\n    more\n  third: [hunter2]\n";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever is typed into it below its kind, short of beginning another document.
    #[test]
    fn a_damaged_secret_shows_nothing(
        at in 28..SECRET.len(),
        first in prop::sample::select(PIECES),
        second in prop::sample::select(PIECES),
    ) {
        prop_assume!(!first.contains("---") && !second.contains("---"));
        prop_assume!(!first.contains("...") && !second.contains("..."));
        let text = format!("{}{first}{second}{}", &SECRET[..at], &SECRET[at..]);
        let (_, diagnostics) = decoded(&text);
        let shown = render::render(&diagnostics, &|_| Some(text.as_str().into()), false);
        prop_assert!(!shown.contains(VALUE), "{text}\n{shown}");
    }
}
