//! Everything that needs no privileges, in one binary. `UPDATE=1 cargo test` rewrites what is
//! generated: the answers of the case folders, completions, manual pages.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "a test binary has no outside")]
mod completions;
mod demo;
mod diagnostics;
mod diff;
mod examples;
mod golden;
mod install;
mod oracle;
mod output;
mod proxies;
mod proxy;
mod readme;
mod remote;
mod report;
mod rollouts;
mod screens;
mod smuggling;
mod splitting;
mod systemd;
mod tidy;
mod views;

#[path = "../support/lib.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

const MESHCTL: &str = env!("CARGO_BIN_EXE_meshctl");

/// A file of the repository.
fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Whether what is generated is to be rewritten instead of compared.
#[expect(clippy::disallowed_methods, reason = "this is where the tests ask")]
fn update() -> bool {
    std::env::var_os("UPDATE").is_some_and(|value| value == "1")
}

/// A shell command line in `directory`, with our binary first on the PATH and nothing else of
/// this environment.
fn shell(directory: &Path, line: &str) -> Command {
    let mut command = Command::new("sh");
    let bin = Path::new(MESHCTL).parent().unwrap().display();
    command
        .args(["-c", line])
        .current_dir(directory)
        .env_clear()
        .env("PATH", format!("{bin}:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"))
        .env("HOME", directory)
        // Where a proxy makes itself known: not among those of the machine.
        .env("XDG_RUNTIME_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/run"))
        .env("LC_ALL", "C.UTF-8");
    command
}

/// Whether a program of that name is on this machine. Where it isn't, the test says what it
/// leaves out: `tests/run` installs all of them, and CI says that none may be left out.
#[expect(clippy::disallowed_methods, reason = "this is where the tests ask")]
fn present(program: &str) -> bool {
    let found = shell(Path::new("/"), &format!("command -v {program}")).output().unwrap();
    if !found.status.success() {
        assert!(std::env::var_os("TOOLS_REQUIRED").is_none(), "{program} is not installed");
        tell(&format!("{program} is not installed: what needs it is left out"));
    }
    found.status.success()
}

#[expect(clippy::print_stderr, reason = "a test that leaves something out says so")]
fn tell(message: &str) {
    eprintln!("{message}");
}

/// Compares a generated text with the file that holds it, or rewrites the file.
fn assert_current(path: &Path, generated: &str) {
    if update() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        return std::fs::write(path, generated).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == generated,
        "{} is not current; UPDATE=1 cargo test rewrites it\n{}",
        path.display(),
        diff::lines(&kept, generated)
    );
}
