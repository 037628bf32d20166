//! `install.sh`: what it installs, that it can be run twice, cut off and undone.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use super::{MESHCTL, in_repository, present, shell};

fn install(directory: &Path, script: &Path, arguments: &str) -> Output {
    shell(directory, &format!("sh '{}' {arguments}", script.display())).output().unwrap()
}

/// Installs our binary under `directory/prefix`.
fn install_here(directory: &Path) -> Output {
    install(directory, &in_repository("install.sh"), &format!("--from {MESHCTL} --prefix prefix"))
}

fn uninstall_here(directory: &Path) -> Output {
    install(directory, &in_repository("install.sh"), "--uninstall --prefix prefix")
}

fn assert_success(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

/// Every path below, directories too.
fn tree(root: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path.clone());
            }
            found.insert(path.strip_prefix(root).unwrap().to_owned());
        }
    }
    found
}

#[test]
fn shellcheck_finds_nothing() {
    if !present("shellcheck") {
        return;
    }
    let scripts = "install.sh tests/run .ci/run tests/conformance/run tests/cluster/lib/*.sh \
                   tests/cluster/up tests/cluster/down tests/cluster/load tests/cluster/check \
                   tests/cluster/run tests/cluster/apiserver tests/cluster/kill-container \
                   tests/cluster/leftovers tests/cluster/silence";
    assert_success(&shell(&in_repository("."), &format!("shellcheck {scripts}")).output().unwrap());
}

#[test]
fn it_installs_twice_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let prefix = directory.path().join("prefix");
    let first = install_here(directory.path());
    assert_success(&first);
    let words = String::from_utf8(first.stdout).unwrap();
    assert!(words.contains("export PATH="), "not on the PATH: {words}");
    let installed = tree(&prefix);
    for path in [
        "bin/meshctl",
        "share/man/man1/meshctl.1",
        "share/man/man1/meshctl-init.1",
        "share/bash-completion/completions/meshctl",
        "share/zsh/site-functions/_meshctl",
        "share/fish/vendor_completions.d/meshctl.fish",
    ] {
        assert!(installed.contains(Path::new(path)), "{path} is not among {installed:?}");
    }
    let version = shell(directory.path(), "prefix/bin/meshctl version").output().unwrap();
    assert_success(&version);

    fs::write(prefix.join("share/man/man1/meshctl-gone.1"), "of an older version").unwrap();
    let record = prefix.join("share/meshctl/installed");
    let older = fs::read_to_string(&record).unwrap() + "f share/man/man1/meshctl-gone.1\n";
    fs::write(&record, older).unwrap();
    assert_success(&install_here(directory.path()));
    assert_eq!(
        tree(&prefix),
        installed,
        "the second time changes nothing, and clears what is gone"
    );

    assert_success(&uninstall_here(directory.path()));
    assert_eq!(tree(&prefix), BTreeSet::new());
    assert_success(&uninstall_here(directory.path()));
}

#[test]
fn what_others_put_there_stays() {
    let directory = tempfile::tempdir().unwrap();
    let prefix = directory.path().join("prefix");
    for path in ["bin/other", "share/zsh/site-functions/_other"] {
        fs::create_dir_all(prefix.join(path).parent().unwrap()).unwrap();
        fs::write(prefix.join(path), "").unwrap();
    }
    let before = tree(&prefix);
    assert_success(&install_here(directory.path()));
    fs::write(prefix.join("share/fish/vendor_completions.d/later.fish"), "").unwrap();
    assert_success(&uninstall_here(directory.path()));
    fs::remove_file(prefix.join("share/fish/vendor_completions.d/later.fish")).unwrap();
    fs::remove_dir(prefix.join("share/fish/vendor_completions.d")).unwrap();
    fs::remove_dir(prefix.join("share/fish")).unwrap();
    assert_eq!(tree(&prefix), before);
}

#[test]
fn a_dry_run_does_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let script = in_repository("install.sh");
    let dry = |arguments: &str| {
        let output = install(directory.path(), &script, &format!("--dry-run {arguments}"));
        assert_success(&output);
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(dry("--prefix prefix").contains("minutes"), "it says how long building takes");
    assert!(dry(&format!("--from {MESHCTL} --prefix prefix")).contains("would install"));
    assert_eq!(tree(directory.path()), BTreeSet::new());
    assert_success(&install_here(directory.path()));
    let installed = tree(directory.path());
    assert!(dry("--uninstall --prefix prefix").contains("would remove"));
    assert_eq!(tree(directory.path()), installed);
}

#[test]
fn it_refuses_in_words() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("text"), "no program\n").unwrap();
    let script = in_repository("install.sh");
    let refused = |arguments: &str, code: i32, part: &str| {
        let output = install(directory.path(), &script, arguments);
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments}: {words}");
        assert!(words.contains(part), "{arguments}: {words}");
    };
    refused("--frm x", 2, "--frm is not an option");
    refused("--from", 2, "--from needs a value");
    refused("--prefix ''", 2, "--prefix needs a value");
    refused("--from nothing --prefix prefix", 1, "there is no file nothing");
    refused("--from text --prefix prefix", 1, "does not run here");
    refused(&format!("--from {MESHCTL} --prefix text/x"), 1, "can't be written");
    // Programs that run, and are not what they should be.
    refused("--from /bin/true --prefix prefix", 1, "/bin/true is not meshctl");
    let half = directory.path().join("half");
    program(&half, "case $1 in version) echo 'meshctl 9.9.9' ;; man) exit 1 ;; esac");
    refused("--from half --prefix prefix", 1, "half makes no manual pages");
    program(
        &half,
        "case $1 in version) echo 'meshctl 9.9.9' ;; man) mkdir $2; > $2/meshctl.1 ;; esac",
    );
    refused("--from half --prefix prefix", 1, "half makes no completions for bash");
    assert!(!directory.path().join("prefix").exists(), "nothing was begun");
    let help = install(directory.path(), &script, "--help");
    assert!(String::from_utf8_lossy(&help.stdout).contains("--uninstall"));

    // A record that somebody else wrote must not lead out of the prefix.
    let record = directory.path().join("prefix/share/meshctl/installed");
    fs::create_dir_all(record.parent().unwrap()).unwrap();
    for path in ["../text", "/etc/passwd"] {
        fs::write(&record, format!("f {path}\n")).unwrap();
        refused("--uninstall --prefix prefix", 1, "not ours");
    }
    assert!(directory.path().join("text").exists());
}

/// A machine without cargo, or without a C compiler, hears so before anything happens.
#[test]
fn it_names_the_tool_that_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let bin = directory.path().join("bin");
    fs::create_dir(&bin).unwrap();
    for tool in ["sh", "dirname", "mktemp", "rm", "id", "sed", "cat"] {
        let found = shell(Path::new("/"), &format!("command -v {tool}")).output().unwrap();
        let path = String::from_utf8(found.stdout).unwrap();
        std::os::unix::fs::symlink(path.trim(), bin.join(tool)).unwrap();
    }
    let script = in_repository("install.sh");
    let refused = |part: &str| {
        let line = format!("PATH={} sh '{}' --prefix prefix", bin.display(), script.display());
        let output = shell(directory.path(), &line).output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && words.contains(part), "{part}: {words}");
    };
    refused("cargo is missing");
    program(&bin.join("cargo"), "echo 'cargo 1.70.0 (x 2023-01-01)'");
    refused("Rust 1.70 is too old");
    program(&bin.join("cargo"), "echo 'cargo 1.95.0 (x 2026-01-01)'");
    refused("a C compiler is missing");
    program(&bin.join("cc"), "exit 1");
    refused("static form");
    assert!(!directory.path().join("prefix").exists());
}

/// What cargo is asked for; the real thing is built by `.ci/run`.
#[test]
fn it_builds_a_static_release_and_finds_it() {
    let directory = tempfile::tempdir().unwrap();
    let bin = directory.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let built = directory.path().join("a target/host-triple/release");
    let asked = directory.path().join("asked");
    program(
        &bin.join("cargo"),
        &format!(
            "case $1 in
             --version) echo 'cargo 1.95.0 (x 2026-01-01)' ;;
             build) echo \"$RUSTFLAGS|$*\" > '{}'; mkdir -p '{}' && cp {MESHCTL} '{}' ;;
             metadata) echo '{{\"packages\":[],\"target_directory\":\"{}/a target\",\"version\":1}}' ;;
             esac",
            asked.display(),
            built.display(),
            built.display(),
            directory.path().display()
        ),
    );
    program(&bin.join("rustc"), "echo 'rustc 1.95.0'; echo 'host: host-triple'");
    program(&bin.join("cc"), ":");
    let line = format!(
        "RUSTFLAGS=-Cmine PATH={}:$PATH sh '{}' --prefix prefix",
        bin.display(),
        in_repository("install.sh").display()
    );
    let output = shell(directory.path(), &line).output().unwrap();
    assert_success(&output);
    let words = String::from_utf8(output.stdout).unwrap();
    assert!(words.find("minutes") < words.find("Building for host-triple"), "{words}");
    let asked = fs::read_to_string(asked).unwrap();
    for part in [
        "-Cmine -C target-feature=+crt-static --cfg getrandom_backend=\"linux_getrandom\"|build",
        " --release ",
        " --locked ",
        " --target host-triple ",
    ] {
        assert!(asked.contains(part), "{part} is not in {asked}");
    }
    assert!(directory.path().join("prefix/bin/meshctl").exists());
}

fn program(path: &Path, line: &str) {
    fs::write(path, format!("#!/bin/sh\n{line}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// `curl … | sh` may end anywhere.
#[test]
fn a_script_that_was_cut_off_does_nothing() {
    let script = fs::read_to_string(in_repository("install.sh")).unwrap();
    let whole = script.trim_end().len();
    let directory = tempfile::tempdir().unwrap();
    let cut = directory.path().join("cut.sh");
    let near_the_end = whole - 150..whole;
    for length in (0..whole).step_by(41).chain(near_the_end) {
        fs::write(&cut, &script.as_bytes()[..length]).unwrap();
        let output = install(directory.path(), &cut, &format!("--from {MESHCTL} --prefix prefix"));
        assert!(output.stdout.is_empty(), "cut at {length}: {output:?}");
        assert!(!directory.path().join("prefix").exists(), "cut at {length}: {output:?}");
    }
    fs::write(&cut, &script.as_bytes()[..whole]).unwrap();
    let output = install(directory.path(), &cut, &format!("--from {MESHCTL} --prefix prefix"));
    assert_success(&output);
    assert!(directory.path().join("prefix/bin/meshctl").exists(), "whole, it installs");
}

/// Stopped between any two renames, it leaves a whole program or none, and can be undone.
#[test]
fn an_installation_that_was_stopped_can_be_removed() {
    let directory = tempfile::tempdir().unwrap();
    let bin = directory.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let left = directory.path().join("left");
    program(
        &bin.join("mv"),
        &format!(
            "left=$(cat {0}); [ \"$left\" -gt 0 ] || exit 1; echo $((left - 1)) > {0}; \
             exec /bin/mv \"$@\"",
            left.display()
        ),
    );
    let script = in_repository("install.sh");
    let prefix = directory.path().join("prefix");
    for renames in 0..100 {
        fs::write(&left, renames.to_string()).unwrap();
        let line = format!(
            "PATH={}:$PATH sh '{}' --from {MESHCTL} --prefix prefix",
            bin.display(),
            script.display()
        );
        let output = shell(directory.path(), &line).output().unwrap();
        let program = prefix.join("bin/meshctl");
        if program.exists() {
            assert_success(
                &shell(directory.path(), "prefix/bin/meshctl version").output().unwrap(),
            );
        }
        let temporary = tree(&prefix).into_iter().find(|p| p.to_string_lossy().contains(".new."));
        assert_eq!(temporary, None, "after {renames} renames");
        let complete = output.status.success();
        assert_success(&uninstall_here(directory.path()));
        assert_eq!(tree(&prefix), BTreeSet::new(), "after {renames} renames");
        if complete {
            assert!(renames > 8, "{renames} renames place everything?");
            return;
        }
    }
    panic!("it never came to its end");
}
