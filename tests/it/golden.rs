//! Commands and their answers, as folders: `tests/cases/<command>/<name>/`
//!
//! - `cmd`: the command line, for `sh`
//! - `in/`: the directory that it runs in (a copy is made); may be left out
//! - `out/stdout`, `out/stderr`: what it prints; left out where it prints nothing
//! - `out/status`: its exit code; left out where it is 0
//! - `out/files/`: every file that is in the directory afterwards and was not before, or has
//!   another content; left out where there is none
//!
//! `UPDATE=1 cargo test golden` rewrites `out/`, `CASES=init/` in front of it runs those whose
//! path holds that text. Anything else in a case's folder is an error: a misspelt name would be
//! an expectation that nobody checks.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::{diff, in_repository, shell, update};

/// A command that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a case says, or what a command did: text by its path under `out/`.
type Answer = BTreeMap<String, String>;

#[test]
fn commands_answer_as_their_cases_say() {
    let cases = cases(&in_repository("tests/cases"));
    assert!(!cases.is_empty(), "no case matches");
    let failures = Mutex::new(BTreeMap::new());
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(failure) = check(case) {
                        failures.lock().unwrap().insert(case.clone(), failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    let report: String = failures.values().map(|failure| format!("\n{failure}")).collect();
    assert!(failures.is_empty(), "{} of {} cases:{report}", failures.len(), cases.len());
}

#[expect(clippy::disallowed_methods, reason = "this is where the tests ask")]
fn cases(root: &Path) -> Vec<PathBuf> {
    let wanted = std::env::var("CASES").unwrap_or_default();
    let cases = folders(root).into_iter().flat_map(|command| folders(&command));
    cases.filter(|case| case.to_string_lossy().contains(&wanted)).collect()
}

/// The folders in a folder of folders.
fn folders(parent: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().path()).collect();
    for path in &found {
        assert!(path.is_dir(), "{} is a file where only folders belong", path.display());
    }
    found.sort();
    found
}

fn check(case: &Path) -> Result<(), String> {
    let name = case.strip_prefix(in_repository("tests/cases")).unwrap().display();
    check_shape(case).map_err(|error| format!("{name}: {error}"))?;
    let line = fs::read_to_string(case.join("cmd")).map_err(|e| format!("{name}/cmd: {e}"))?;
    let actual = run(case, &line).map_err(|error| format!("{name}: {error}"))?;
    let out = case.join("out");
    if update() {
        rewrite(&out, &actual);
        return Ok(());
    }
    let expected = texts_under(&out);
    let mut report = String::new();
    for path in expected.keys().chain(actual.keys().filter(|path| !expected.contains_key(*path))) {
        let text = |answer: &Answer| answer.get(path).cloned().unwrap_or_default();
        if expected.get(path) != actual.get(path) {
            let difference = diff::lines(&text(&expected), &text(&actual));
            let _ = write!(report, "out/{path}:\n{difference}");
        }
    }
    if report.is_empty() { Ok(()) } else { Err(format!("{name}: {}\n{report}", line.trim())) }
}

fn check_shape(case: &Path) -> Result<(), String> {
    let allowed = |folder: &Path, names: &[&str]| -> Result<(), String> {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            if !names.contains(&name.as_str()) {
                return Err(format!("`{name}` has no meaning; {names:?} have"));
            }
        }
        Ok(())
    };
    allowed(case, &["cmd", "in", "out"])?;
    allowed(&case.join("out"), &["stdout", "stderr", "status", "files"])
}

/// Runs the line in a copy of `in/` and gathers what it did.
fn run(case: &Path, line: &str) -> Result<Answer, String> {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().canonicalize().unwrap();
    if case.join("in").is_dir() {
        copy(&case.join("in"), &root);
    }
    let before = texts_under(&root);
    let child = shell(&root, line)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let output = wait(child, PATIENCE)?;
    let mask = |bytes: &[u8]| mask(&String::from_utf8_lossy(bytes), &root);
    let mut answer = Answer::new();
    answer.insert("stdout".to_owned(), mask(&output.stdout));
    answer.insert("stderr".to_owned(), mask(&output.stderr));
    answer.retain(|_, text| !text.is_empty());
    match output.status.code() {
        Some(0) => {}
        Some(code) => drop(answer.insert("status".to_owned(), format!("{code}\n"))),
        None => return Err(format!("killed: {}", output.status)),
    }
    for (path, text) in texts_under(&root) {
        if before.get(&path) != Some(&text) {
            answer.insert(format!("files/{path}"), mask(text.as_bytes()));
        }
    }
    Ok(answer)
}

/// Reads both pipes while it waits, so that a full one blocks nobody.
fn wait(child: Child, patience: Duration) -> Result<Output, String> {
    let id = child.id();
    let (done, waiting) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || done.send(child.wait_with_output()));
    waiting.recv_timeout(patience).map(Result::unwrap).map_err(|_| {
        // The shell and what it started are a group of their own.
        let group = Pid::from_raw(id.cast_signed()).unwrap();
        let _ = kill_process_group(group, Signal::KILL);
        format!("still running after {patience:?}")
    })
}

#[test]
fn a_command_that_hangs_is_ended_with_all_that_it_started() {
    let directory = tempfile::tempdir().unwrap();
    let line = "(sleep 0.6; echo alive > alive) & sleep 60";
    let mut command = shell(directory.path(), line);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let answer = wait(command.spawn().unwrap(), Duration::from_millis(100));
    assert!(answer.is_err_and(|error| error.contains("still running")));
    std::thread::sleep(Duration::from_secs(1));
    assert!(!directory.path().join("alive").exists(), "what it started lived on");
}

/// What differs from machine to machine and from build to build. The version is masked only where
/// it is one: `0.1.0` may be a part of an address.
fn mask(text: &str, root: &Path) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let commit = option_env!("MESHCTL_COMMIT").filter(|c| !c.is_empty()).unwrap_or("unknown");
    text.replace(&root.display().to_string(), "[ROOT]")
        .replace(super::MESHCTL, "[MESHCTL]")
        .replace(&format!("meshctl {version}"), "meshctl [VERSION]")
        .replace(&format!("\"version\": \"{version}\""), "\"version\": \"[VERSION]\"")
        .replace(&format!("meshctl.dev/version: {version}"), "meshctl.dev/version: [VERSION]")
        .replace(&format!("meshctl:{version}"), "meshctl:[VERSION]")
        .replace(&format!("commit {commit}"), "commit [COMMIT]")
        .replace(&format!("\"commit\": \"{commit}\""), "\"commit\": \"[COMMIT]\"")
        .replace(&format!("linux-{}", std::env::consts::ARCH), "linux-[ARCH]")
}

/// Every file below, by its path; links are followed as a reader would.
fn texts_under(root: &Path) -> Answer {
    let mut found = Answer::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                let bytes = fs::read(&path).unwrap_or_default();
                found.insert(name, String::from_utf8_lossy(&bytes).into_owned());
            }
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        let kind = path.symlink_metadata().unwrap().file_type();
        if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&path).unwrap(), target).unwrap();
        } else if kind.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, target).unwrap();
        }
    }
}

fn rewrite(out: &Path, answer: &Answer) {
    if out.exists() {
        fs::remove_dir_all(out).unwrap();
    }
    for (path, text) in answer {
        let path = out.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}
