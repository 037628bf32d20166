//! Completions and manual pages: current, and taken by the real shells.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{assert_current, in_repository, present, shell, update};

fn script(shell_name: &str) -> String {
    let output = shell(Path::new("/"), &format!("meshctl completions {shell_name}")).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn scripts_are_current() {
    for (shell, file) in [("bash", "meshctl.bash"), ("zsh", "_meshctl"), ("fish", "meshctl.fish")] {
        assert_current(&in_repository("completions").join(file), &script(shell));
    }
}

#[test]
fn manual_pages_are_current() {
    let directory = tempfile::tempdir().unwrap();
    let output = shell(directory.path(), "meshctl man .").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let kept = in_repository("completions/man");
    if update() && kept.exists() {
        fs::remove_dir_all(&kept).unwrap();
    }
    let names = |directory: &Path| -> BTreeSet<String> {
        let entries = fs::read_dir(directory).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    for name in names(directory.path()) {
        let page = fs::read_to_string(directory.path().join(&name)).unwrap();
        assert_current(&kept.join(name), &page);
    }
    assert_eq!(names(&kept), names(directory.path()), "a page without a command");
}

/// groff, with every warning on, finds nothing to say.
#[test]
fn manual_pages_are_good_troff() {
    if !present("groff") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let line = "meshctl man . 2>/dev/null; \
                for page in *.1; do groff -man -Tutf8 -ww \"$page\" > /dev/null; done";
    let output = shell(directory.path(), line).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let line = "groff -man -Tutf8 meshctl-init.1 | grep -c 'meshctl init --example hosts'";
    let output = shell(directory.path(), line).output().unwrap();
    assert_eq!(output.stdout, b"1\n", "an example is a line of its own");
}

/// What `line` prints, with the script of `shell_name` in the file that `$1` names.
fn in_shell(shell_name: &str, line: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(format!("completions.{shell_name}"));
    fs::write(&file, script(shell_name)).unwrap();
    let line = line.replace("$SCRIPT", &file.display().to_string());
    let quoted = line.replace('\'', r"'\''");
    let output = shell(directory.path(), &format!("{shell_name} -c '{quoted}'")).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && error.is_empty(), "{shell_name}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn bash_completes_commands_flags_and_values() {
    if !present("bash") {
        return;
    }
    let complete = |words: &str, index: usize| {
        in_shell(
            "bash",
            &format!(
                "source $SCRIPT; complete -p meshctl >/dev/null || exit 1; COMP_WORDS=({words}); \
                 COMP_CWORD={index}; _meshctl meshctl \"${{COMP_WORDS[{index}]}}\" \
                 \"${{COMP_WORDS[{index}-1]}}\"; echo \"${{COMPREPLY[@]}}\""
            ),
        )
    };
    assert_eq!(complete("meshctl comp", 1), "completions\n");
    assert_eq!(complete("meshctl completions z", 2), "zsh\n");
    assert_eq!(complete("meshctl init --exa", 2), "--example\n");
    assert_eq!(complete("meshctl init --example \"\"", 3), "canary hosts mirror\n");
    assert_eq!(complete("meshctl explain no_e", 2), "no_endpoint\n");
    assert_eq!(complete("meshctl help exi", 2), "exit-codes\n");
    let commands = complete("meshctl \"\"", 1);
    assert!(!commands.split_whitespace().any(|word| word == "man"), "hidden: {commands}");
}

#[test]
fn fish_completes_commands_and_values() {
    if !present("fish") {
        return;
    }
    let found = in_shell("fish", "source $SCRIPT; complete -C \"meshctl comp\"");
    assert!(found.starts_with("completions\t"), "{found}");
    let found = in_shell("fish", "source $SCRIPT; complete -C \"meshctl init --example m\"");
    assert!(found.starts_with("mirror\t"), "{found}");
}

#[test]
fn zsh_takes_the_script() {
    if !present("zsh") {
        return;
    }
    let found = in_shell(
        "zsh",
        "autoload -Uz compinit; compinit -D -u; source $SCRIPT; echo $_comps[meshctl]",
    );
    assert_eq!(found, "_meshctl\n");
}
