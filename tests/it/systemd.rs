//! The unit of `meshctl generate systemd`, as systemd reads it.

use std::fs;
use std::path::Path;

use super::{present, shell};

fn analyze(unit: &Path, arguments: &str) -> (bool, String) {
    let line = format!("systemd-analyze {arguments} '{}' 2>&1", unit.display());
    let output = shell(Path::new("/"), &line).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn generate(directory: &Path, arguments: &str) -> std::path::PathBuf {
    let line = format!("meshctl generate systemd {arguments} > meshctl.service");
    let output = shell(directory, &line).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    directory.join("meshctl.service")
}

#[test]
fn systemd_finds_nothing_wrong() {
    if !present("systemd-analyze") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for arguments in [
        "",
        "-f /etc/meshctl -f '/srv/a b/100% \"$HOME\"; rm \\ x' --drain-timeout 2m",
        "--user www-data -f /home/ann/shop",
    ] {
        let unit = generate(directory.path(), arguments);
        let (good, words) = analyze(&unit, "verify");
        let ours: Vec<&str> = words.lines().filter(|l| l.contains("meshctl.service")).collect();
        assert!(good && ours.is_empty(), "{arguments}: {words}");
    }
}

/// A broken unit must be noticed, or the test above proves nothing.
#[test]
fn systemd_notices_a_broken_unit() {
    if !present("systemd-analyze") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let unit = generate(directory.path(), "");
    let text = fs::read_to_string(&unit).unwrap();
    fs::write(&unit, text.replace("ProtectSystem=strict", "ProtectSystem=stirct")).unwrap();
    let (_, words) = analyze(&unit, "verify");
    assert!(words.contains("meshctl.service"), "{words}");
}

#[test]
fn the_service_is_exposed_to_little() {
    if !present("systemd-analyze") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let unit = generate(directory.path(), "");
    let (_, words) = analyze(&unit, "security --no-pager --offline=true");
    let level = words.lines().find(|line| line.contains("Overall exposure level"));
    let level =
        level.and_then(|line| line.split(": ").nth(1)?.split(' ').next()?.parse::<f32>().ok());
    assert!(level.is_some_and(|level| level <= 2.0), "{words}");
}
