//! Every diagnostic has its case folder `tests/cases/check/mc0012-unknown-field`, whose answer (the
//! golden test holds it to what the program says) reports that code.

use std::collections::BTreeMap;
use std::fs;

use meshctl::config::codes;

use super::in_repository;

/// Codes that `meshctl check` of one directory can't be brought to say: why not, and the test that
/// shows them instead, by its file and the code's name there.
const ELSEWHERE: &[(&str, &str, &str, &str)] = &[
    ("MC0203", "20,000 files", "src/source/walk/tests.rs", "TOO_MANY_FILES"),
    ("MC0204", "a file that was read before", "src/source/feed/tests/saving.rs", "FILE_EMPTY"),
    ("MC0206", "a machine without watches", "src/source/watch/tests.rs", "NOT_WATCHED"),
    ("MC0250", "only a proxy asks for names", "src/source/dns/tests.rs", "NAME_FAILED"),
    ("MC0251", "only a proxy asks for names", "src/source/dns/tests.rs", "NO_NAME_SERVER"),
    ("MC0252", "only a proxy asks for names", "src/source/dns/tests.rs", "NAME_REFUSED"),
    ("MC0300", "not of `check`", "src/convert/tests.rs", "NOT_CARRIED"),
    ("MC0301", "not of `check`", "src/convert/tests.rs", "CARRIED_DIFFERENTLY"),
    ("MC0302", "not of `check`", "src/convert/tests.rs", "NOT_CONVERTED"),
    ("MC0303", "not of `check`", "src/convert/tests.rs", "ORDER_MATTERS"),
    ("MC0304", "not of `check`", "src/convert/tests.rs", "PROTECTION_LOST"),
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
        let elsewhere = ELSEWHERE.iter().find(|(listed, ..)| *listed == code);
        let folder = folders.remove(&code);
        assert_ne!(folder.is_some(), elsewhere.is_some(), "{code}, {}: {folder:?}", row.title);
        if let Some((.., file, name)) = elsewhere {
            let tests = fs::read_to_string(in_repository(file)).unwrap();
            assert!(tests.contains(&format!("codes::{name}")), "{file} shows no {name}");
        }
    }
    assert!(folders.is_empty(), "no such code: {folders:?}");
}

#[test]
fn every_diagnostic_says_what_to_do() {
    for entry in fs::read_dir(in_repository("tests/cases/check")).unwrap() {
        let path = entry.unwrap().path();
        let said = fs::read_to_string(path.join("out/stdout")).unwrap_or_default();
        let of = |starts: &[&str]| {
            said.lines()
                .filter(|line| starts.iter().any(|start| line.trim_start().starts_with(start)))
                .count()
        };
        assert_eq!(
            of(&["error[MC", "warning[MC"]),
            of(&["= help: "]),
            "{}:\n{said}",
            path.display()
        );
    }
}
