#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::systemd::{Unit, UnitError, UserName};
use super::*;
use crate::model::{Address, BindAddress};

fn documents(text: &str) -> Vec<Value> {
    text.split("---\n").map(|document| serde_yaml::from_str(document).unwrap()).collect()
}

#[test]
fn what_is_written_is_read_back_as_it_was() {
    let hostile = json!({
        "yes": "yes", "octal": "0755", "null": "null", "number": 1, "empty": "", "colon": "a: b",
        "hash": "a #b", "quote": "it's \"so\"", "lines": "a\n\n b\n", "long": "word ".repeat(60),
        "tab": "\t", "list": [[], {}, [1, [2]]], "~": true, "&a": "*a", "unicode": "ä\u{2028}ö",
        "time": "2026-11-23", "base60": "12:30:45", "float": "1e3", "dash": "- x", "bang": "!x",
    });
    let text = to_yaml(&hostile);
    assert_eq!(serde_yaml::from_str::<Value>(&text).unwrap(), hostile, "{text}");
    assert!(text.lines().all(|line| !line.ends_with(">-")), "nothing is folded: {text}");
}

#[test]
fn targets_become_backends_with_their_weights() {
    let listen = BindAddress { ip: Some("::1".parse().unwrap()), port: 81 };
    let target = |host: &str, port| Address::Dns { host: host.into(), port };
    let text = starter(&[listen], &[(target("a", 1), 90), (Address::Unix("/b: c".into()), 10)]);
    let [gateway, route, first, second] = documents(&text).try_into().unwrap();
    assert_eq!(gateway["spec"]["addresses"][0]["value"], "::1");
    assert_eq!(gateway["spec"]["listeners"][0]["port"], 81);
    assert_eq!(route["spec"]["rules"][0]["backendRefs"][0]["weight"], 90);
    assert_eq!(route["spec"]["rules"][0]["backendRefs"][1]["name"], second["metadata"]["name"]);
    assert_eq!(first["spec"]["endpoints"], json!(["a:1"]));
    assert_eq!(second["spec"]["endpoints"], json!(["unix:/b: c"]));

    let [gateway, route, only] = documents(&starter(&[], &[])).try_into().unwrap();
    assert_eq!(gateway["spec"].get("addresses"), None);
    assert_eq!(route["spec"]["rules"][0]["backendRefs"][0].get("weight"), None);
    assert_eq!(only["spec"]["endpoints"], json!(["localhost:3000"]));
}

#[test]
fn every_address_has_its_gateway_and_every_gateway_its_route() {
    let bind = |ip: Option<&str>, port| BindAddress { ip: ip.map(|ip| ip.parse().unwrap()), port };
    let listen = [bind(Some("::1"), 81), bind(None, 80), bind(None, 443), bind(None, 80)];
    let [any, one, route, _] = documents(&starter(&listen, &[])).try_into().unwrap();
    let ports = |gateway: &Value| -> Vec<u64> {
        let listeners = gateway["spec"]["listeners"].as_array().unwrap();
        listeners.iter().map(|listener| listener["port"].as_u64().unwrap()).collect()
    };
    assert_eq!((ports(&any), ports(&one)), (vec![80, 443], vec![81]));
    assert_eq!(any["spec"]["listeners"][1]["name"], "http-443");
    assert_eq!(one["spec"]["addresses"][0]["value"], "::1");
    let parents = json!([any["metadata"], one["metadata"]]);
    assert_eq!(route["spec"]["parentRefs"], parents);
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
