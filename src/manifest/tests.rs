#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::systemd::{Unit, UnitError, UserName};
use super::*;

fn documents(text: &str) -> Vec<Value> {
    text.split("---\n").map(|document| serde_yaml::from_str(document).unwrap()).collect()
}

#[test]
fn examples_refer_to_what_they_hold() {
    for example in Example::ALL {
        let documents = documents(example.text);
        let named = |kind: &str, name: &Value| {
            documents.iter().any(|d| d["kind"] == kind && d["metadata"]["name"] == *name)
        };
        let mut references = 0;
        for rule in documents.iter().filter_map(|d| d["spec"]["rules"].as_array()).flatten() {
            for reference in rule["backendRefs"].as_array().into_iter().flatten() {
                assert!(named("Backend", &reference["name"]), "{}: {reference}", example.name);
                references += 1;
            }
        }
        assert!(references > 0, "{} routes nothing", example.name);
        assert_eq!(Example::named(example.name).unwrap().text, example.text);
    }
}

fn unit(program: &str, file: &str) -> Unit {
    Unit { program: program.into(), files: vec![file.into()], user: None, drain_timeout: None }
}

fn line<'a>(text: &'a str, key: &str) -> &'a str {
    text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_else(|| panic!("{key}: {text}"))
}

#[test]
fn a_unit_says_what_it_was_given_and_nothing_is_left_open() {
    let mut unit = unit("/usr/bin/meshctl", "/etc/meshctl");
    let text = unit.render().unwrap();
    assert!(!text.contains("{{"), "{text}");
    assert_eq!(line(&text, "ExecStart="), "/usr/bin/meshctl proxy run -f /etc/meshctl");
    assert_eq!(line(&text, "DynamicUser="), "yes");
    assert_eq!(line(&text, "ProtectHome="), "yes");
    assert_eq!(line(&text, "TimeoutStopSec="), "40");
    unit.files.push("/home/ann/shop".into());
    unit.user = Some(UserName::parse("www-data").unwrap());
    unit.drain_timeout = Some(Duration::from_secs(90));
    let text = unit.render().unwrap();
    assert!(line(&text, "ExecStart=").ends_with("-f /home/ann/shop --drain-timeout 90000ms"));
    assert_eq!(line(&text, "User="), "www-data");
    assert_eq!(line(&text, "ProtectHome="), "read-only");
    assert_eq!(line(&text, "TimeoutStopSec="), "100");
}

#[test]
fn hostile_paths_are_quoted_or_refused() {
    let quoted = |file: &str, expected: &str| {
        let text = unit("/usr/bin/meshctl", file).render().unwrap();
        assert_eq!(line(&text, "ExecStart=/usr/bin/meshctl proxy run -f "), expected);
    };
    quoted("/a b", "\"/a b\"");
    quoted("/100%n", "\"/100%%n\"");
    quoted("/$HOME", "\"/$$HOME\"");
    quoted("/a\"b\\c", "\"/a\\\"b\\\\c\"");
    quoted("/a ; rm", "\"/a ; rm\"");
    quoted("/it's", "\"/it's\"");
    quoted("/ä", "\"/ä\"");
    quoted("/{{user}}", "\"/{{user}}\"");

    let refused = |unit: Unit, expected: fn(PathBuf) -> UnitError, path: &Path| {
        assert_eq!(unit.render(), Err(expected(path.to_owned())));
    };
    let bad = Path::new("/a\nExecStartPre=/bin/rm");
    refused(unit("/bin/x", "/a\nExecStartPre=/bin/rm"), UnitError::ControlCharacter, bad);
    refused(unit("/a\nExecStartPre=/bin/rm", "/etc"), UnitError::ControlCharacter, bad);
    refused(unit("/bin/x", "/tmp/x"), UnitError::Temporary, Path::new("/tmp/x"));
    refused(unit("/bin/x", "etc"), UnitError::NotAbsolute, Path::new("etc"));
    refused(unit("bin/x", "/etc"), UnitError::NotAbsolute, Path::new("bin/x"));
    for program in ["/a$b", "/a%b", "/a\"b", "/a'b", "/a\\b"] {
        refused(unit(program, "/etc"), UnitError::Program, Path::new(program));
    }
    assert_eq!(unit("/bin/x", "/etc/-").render(), Err(UnitError::StandardInput));
    let not_text = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"/\xff");
    let mut unit = unit("/bin/x", "/etc");
    unit.files = vec![not_text.into()];
    assert_eq!(unit.render(), Err(UnitError::NotText(not_text.into())));
}

#[test]
fn user_names() {
    for good in ["www-data", "_x", "a", "a1_-"] {
        assert!(UserName::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "1a", "-a", "A", "a b", "a\n", "a.b", &"a".repeat(32)] {
        assert!(UserName::parse(bad).is_err(), "{bad:?}");
    }
}
