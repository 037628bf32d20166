//! Manifests as the tools of the trade write them, and as people do.

use std::path::Path;

use super::*;
use crate::yaml::documents;

/// Every document of every file that has weights, with what stands before and after it.
fn manifests() -> Vec<(String, String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/manifests");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for document in documents(&text) {
            let value = read(document.text).unwrap();
            if value["kind"] != "Service" {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                found.push((name, document.text.to_owned(), value));
            }
        }
    }
    assert_eq!(found.len(), 7, "{found:?}");
    found
}

/// The rule whose weights are split, by its number.
fn split(value: &Value) -> usize {
    let rules = value["spec"]["rules"].as_array().unwrap();
    rules.iter().position(|rule| rule["backendRefs"].as_array().unwrap().len() == 2).unwrap()
}

/// The lines that differ.
fn changed<'a>(before: &'a str, after: &'a str) -> Vec<(&'a str, &'a str)> {
    assert_eq!(before.split('\n').count(), after.split('\n').count());
    before.split('\n').zip(after.split('\n')).filter(|(before, after)| before != after).collect()
}

#[test]
fn a_shift_changes_two_numbers_and_back() {
    for (name, text, value) in manifests() {
        let rule = split(&value);
        let weight = |backend: usize| format!("/spec/rules/{rule}/backendRefs/{backend}/weight");
        let shift = |from: [i32; 2], to: [i32; 2]| {
            patch_of(json!([
                {"op": "test", "path": weight(0), "value": from[0]},
                {"op": "test", "path": weight(1), "value": from[1]},
                {"op": "replace", "path": weight(0), "value": to[0]},
                {"op": "replace", "path": weight(1), "value": to[1]},
            ]))
        };
        let there = edit(&text, &shift([90, 10], [75, 25])).unwrap();
        let lines = changed(&text, &there);
        assert_eq!(lines.len(), 2, "{name}: {lines:?}");
        let (stable, canary) = (lines[0], lines[1]);
        let weight = |line: &str, from: &str, to: &str| {
            let at = line.rfind(from).unwrap();
            line[..at].to_owned() + to + &line[at + from.len()..]
        };
        assert_eq!(weight(stable.0, "90", "75"), stable.1, "{name}");
        assert_eq!(weight(canary.0, "10", "25"), canary.1, "{name}");
        assert_eq!(edit(&there, &shift([75, 25], [90, 10])).unwrap(), text, "{name}");
        let late = edit(&there, &shift([90, 10], [50, 50])).unwrap_err();
        assert!(matches!(&late, EditError::Differs(one) if one.found.is_some()), "{name}: {late}");
    }
}

#[test]
fn a_backend_comes_and_goes() {
    for (name, text, value) in manifests() {
        let backends = format!("/spec/rules/{}/backendRefs", split(&value));
        let new = json!({"name": "shop-v3", "port": 8080, "weight": 0});
        let there = edit(&text, &patch_of(add(&format!("{backends}/-"), new))).unwrap();
        let kept: Vec<&str> = there.split_inclusive('\n').collect();
        // No line went away but that which got a comma, or the end that the file lacked.
        let lost = text.split_inclusive('\n').filter(|line| !kept.contains(line)).count();
        assert!(lost <= 1, "{name}\n{there}");
        let back = edit(&there, &patch_of(gone(&format!("{backends}/2")))).unwrap();
        assert_eq!(back, text, "{name}");
        let promoted = edit(&text, &patch_of(gone(&format!("{backends}/0"))));
        match promoted {
            Ok(promoted) => assert!(!promoted.contains("weight: 90"), "{name}\n{promoted}"),
            // Another rule is made of it.
            Err(error) => {
                assert!(name == "anchors.yaml" && error.advice().is_some(), "{name}: {error}")
            }
        }
    }
}

/// Where rules share a text, a change of one of them is a change of that one.
#[test]
fn a_rule_that_merges_another_gets_its_own() {
    let (_, text, _) = manifests().into_iter().find(|(name, ..)| name == "anchors.yaml").unwrap();
    let port = patch_of(put("/spec/rules/1/backendRefs/0/port", 9090));
    let expected = text.replace("weight: 100\n", "weight: 100\n      port: 9090\n");
    assert_eq!(edit(&text, &port).unwrap(), expected);
    let port = patch_of(put("/spec/rules/0/backendRefs/1/port", 9090));
    assert_eq!(edit(&text, &port).unwrap(), text.replace("port: *port", "port: 9090"));
    let error = edit(&text, &patch_of(put("/spec/rules/0/backendRefs/0/port", 9090))).unwrap_err();
    let said =
        "line 9, column 7: what `&stable` names is used in line 18 too, and would change there";
    assert_eq!(error.to_string(), said);
}
