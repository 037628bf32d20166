//! What a terminal, a pipe and a closed pipe see.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::Stdio;

use super::{present, shell};

fn run(line: &str, variables: &[(&str, &str)]) -> std::process::Output {
    shell(Path::new("/"), line).envs(variables.iter().copied()).output().unwrap()
}

fn stdout(line: &str, variables: &[(&str, &str)]) -> String {
    String::from_utf8(run(line, variables).stdout).unwrap()
}

#[test]
fn a_pipe_gets_no_colour_unless_it_is_forced() {
    let coloured = |variables: &[(&str, &str)]| {
        let all = stdout("meshctl help files; meshctl --help; meshctl nonsense 2>&1", variables);
        all.contains('\u{1b}')
    };
    assert!(!coloured(&[]));
    assert!(!coloured(&[("CLICOLOR_FORCE", "")]), "empty counts as unset");
    assert!(!coloured(&[("CLICOLOR_FORCE", "0")]));
    assert!(coloured(&[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]), "NO_COLOR wins");
}

#[test]
fn a_terminal_gets_colour_unless_it_is_refused() {
    // util-linux' script(1) gives the command a terminal.
    if !present("script") {
        return;
    }
    let line = "script -qec 'meshctl help files' /dev/null";
    assert!(stdout(line, &[("TERM", "xterm")]).contains("\u{1b}[1m"));
    assert!(!stdout(line, &[("TERM", "dumb")]).contains('\u{1b}'));
    assert!(!stdout(line, &[("TERM", "xterm"), ("NO_COLOR", "1")]).contains('\u{1b}'));
}

#[test]
fn what_others_wrote_steers_no_terminal() {
    if !present("script") {
        return;
    }
    let line = r#"meshctl explain "$(printf 'a\033]0;title\007b')" "#;
    let on_terminal = format!("script -qec '{}' /dev/null", line.replace('\'', r"'\''"));
    let shown = stdout(&on_terminal, &[("TERM", "xterm")]);
    assert!(!shown.contains("\u{1b}]0;") && shown.contains("]0;title"), "{shown:?}");
}

#[test]
fn prose_is_as_wide_as_it_is_asked_to_be() {
    for (columns, most) in [("60", 60), ("5", 40), ("1000", 100), ("x", 100)] {
        let text = stdout("meshctl help resources; meshctl init --help", &[("COLUMNS", columns)]);
        // Examples and indented blocks stay whole.
        let longest = text.lines().filter(|line| !line.starts_with("  meshctl"));
        let longest = longest.map(|line| line.chars().count()).max();
        assert!(longest <= Some(most), "COLUMNS={columns}: {longest:?}");
        assert!(longest > Some(most * 3 / 4), "COLUMNS={columns}: {longest:?}");
    }
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    // The reader is gone before the first byte: a pipe whose other end is closed.
    for line in ["help examples", "explain", "completions zsh", "--help", "version -o json"] {
        let output = run(&format!("{{ meshctl {line}; echo $? >&2; }} | true"), &[]);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "0\n", "{line}");
    }
}

#[test]
fn an_answer_that_could_not_be_written_is_not_a_yes() {
    for line in ["meshctl version", "meshctl --help", "meshctl explain", "meshctl completions bash"]
    {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = shell(Path::new("/"), line);
        let child = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{line}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains("could not write to standard output"), "{line}: {error}");
    }
}
