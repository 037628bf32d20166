//! Every diagnostic has its case folder `tests/cases/check/mc0012-unknown-field`, whose answer (the
//! golden test holds it to what the program says) reports that code.

use std::collections::BTreeMap;
use std::fs;

use meshctl::config::codes;

use super::in_repository;

/// Codes that `meshctl check` of one directory can't be brought to say, with the reason and the
/// tests that show them.
const ELSEWHERE: &[(&str, &str)] = &[
    ("MC0106", "the decoder says MC0023 first; lowering's own tests"),
    ("MC0137", "the decoder says MC0026 first; lowering's own tests"),
    ("MC0140", "the decoder says MC0023 first; lowering's own tests"),
    ("MC0202", "a file of 16 MiB; the tests of source"),
    ("MC0203", "20,000 files; the tests of source"),
    ("MC0204", "a file that becomes empty while it is watched; the tests of source"),
    ("MC0206", "a machine without watches; the tests of source"),
    ("MC0250", "names are resolved by a proxy that runs; the tests of source"),
    ("MC0251", "names are resolved by a proxy that runs; the tests of source"),
];

#[test]
fn every_code_has_a_folder_that_reports_it() {
    let mut folders: BTreeMap<String, String> = BTreeMap::new();
    for entry in fs::read_dir(in_repository("tests/cases/check")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some((code, _)) = name.split_once('-').filter(|(code, _)| code.starts_with("mc"))
        else {
            continue;
        };
        let said = fs::read_to_string(path.join("out/stdout")).unwrap_or_default();
        let code = code.to_uppercase();
        assert!(said.contains(&format!("[{code}]")), "{name} says\n{said}");
        folders.insert(code, name);
    }
    for row in codes::all() {
        let code = row.code.to_string();
        let elsewhere = ELSEWHERE.iter().any(|(listed, _)| *listed == code);
        let folder = folders.remove(&code);
        assert_ne!(folder.is_some(), elsewhere, "{code}, {}: {folder:?}", row.title);
    }
    assert!(folders.is_empty(), "no such code: {folders:?}");
}
