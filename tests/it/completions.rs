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

/// What `line` prints, where there is a mesh with two routes; `$SCRIPT` is the file with the
/// script of the shell.
fn in_shell(shell_name: &str, line: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let rollouts = directory.path().join(".meshctl/rollouts");
    fs::create_dir_all(&rollouts).unwrap();
    fs::write(rollouts.join("cart.yaml"), ROLLOUT).unwrap();
    fs::write(directory.path().join("routes.yaml"), ROUTES).unwrap();
    // Passed over by what is served there, as it is by whoever isn't told of it.
    fs::create_dir(directory.path().join(".more")).unwrap();
    fs::write(directory.path().join(".more/more.yaml"), MORE).unwrap();
    // As shells find it in their directories of completions.
    let file = directory.path().join("_meshctl");
    fs::write(&file, script(shell_name)).unwrap();
    let line = line.replace("$SCRIPT", &file.display().to_string());
    let quoted = line.replace('\'', r"'\''");
    let output = shell(directory.path(), &format!("{shell_name} -c '{quoted}'")).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && error.is_empty(), "{shell_name}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

const ROUTES: &str = "\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: cart}
spec: {}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: stock, namespace: shop}
spec: {}
";

const MORE: &str = "\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: other}
spec: {}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge}
spec: {gatewayClassName: meshctl, listeners: [{name: http, port: 80, protocol: HTTP}]}
";

const ROLLOUT: &str = "\
apiVersion: meshctl.dev/v1alpha1
kind: TrafficRollout
metadata: {name: cart-2}
spec:
  targetRef: {group: gateway.networking.k8s.io, kind: HTTPRoute, name: cart}
  canary: {stable: {name: cart-1, port: 80}, canary: {name: cart-2, port: 80}}
";

#[test]
fn bash_completes_commands_flags_values_and_live_names() {
    if !present("bash") {
        return;
    }
    let complete = |words: &str| {
        let index = words.split_whitespace().count() - 1;
        let line = format!(
            "source $SCRIPT; complete -p meshctl >/dev/null || exit 1; COMP_WORDS=({words}); \
             COMP_CWORD={index}; _clap_complete_meshctl meshctl \"${{COMP_WORDS[{index}]}}\" \
             \"${{COMP_WORDS[{index}-1]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        in_shell("bash", &line)
    };
    assert_eq!(complete("meshctl comp"), "completions\n");
    assert_eq!(complete("meshctl completions z"), "zsh\n");
    assert_eq!(complete("meshctl init --exa"), "--example\n");
    assert_eq!(complete("meshctl init --example \"\""), "canary hosts mirror\n");
    assert_eq!(complete("meshctl explain no_e"), "no_endpoint\n");
    assert_eq!(complete("meshctl help exi"), "exit-codes\n");
    assert_eq!(complete("meshctl generate canary --route \"\""), "cart stock\n");
    assert_eq!(complete("meshctl generate canary --route s"), "stock\n");
    assert_eq!(complete("meshctl canary shift 10% c"), "cart-2\n");
    assert_eq!(complete("meshctl why --route \"\""), "cart stock\n");
    assert_eq!(complete("meshctl why --cause no_e"), "no_endpoint\n");
    assert_eq!(complete("meshctl top routes c"), "cart\n");
    assert_eq!(complete("meshctl get rollouts c"), "cart-2\n");
    assert_eq!(complete("meshctl get routes s"), "stock\n");
    assert_eq!(complete("meshctl get policies c"), "\n");
    assert_eq!(complete("meshctl status -n \"\""), "default shop\n");
    assert_eq!(complete("meshctl canary status -n s"), "shop\n");
    assert_eq!(complete("meshctl get routes -f .more/more.yaml o"), "other\n");
    assert_eq!(
        complete("meshctl explain request GET http://a/ -f .more/more.yaml --gateway \"\""),
        "edge\n"
    );
    let commands = complete("meshctl \"\"");
    assert!(!commands.split_whitespace().any(|word| word == "man"), "hidden: {commands}");
}

#[test]
fn fish_completes_commands_values_and_live_names() {
    if !present("fish") {
        return;
    }
    let complete =
        |line: &str| in_shell("fish", &format!("source $SCRIPT; complete -C \"{line}\""));
    let found = complete("meshctl comp");
    assert!(found.starts_with("completions\t"), "{found}");
    let found = complete("meshctl init --example m");
    assert!(found.starts_with("mirror\t"), "{found}");
    assert_eq!(complete("meshctl generate dark-launch --route "), "cart\nstock\n");
}

/// A terminal of zsh's own, in which Tab is pressed: it finds the script by itself.
#[test]
fn zsh_completes_commands_and_live_names() {
    if !present("zsh") {
        return;
    }
    let complete = |line: &str| {
        let script = format!(
            r#"
            zmodload zsh/zpty
            zpty shell zsh -f -i
            zpty -w shell "PS1=; fpath=(${{SCRIPT:h}} \$fpath); autoload -Uz compinit; compinit -D -u"
            zpty -w shell "zstyle ':completion:*' list-colors ''; bindkey '^I' complete-word"
            zpty -w shell "complete-and-print() {{ zle complete-word; print -r -- \"<\$BUFFER>\"; zle -I; }}"
            zpty -w shell "zle -N complete-and-print; bindkey '^T' complete-and-print; print ready"
            zpty -r shell found '*ready*ready*'
            zpty -w -n shell "{line}"$'\x14'
            zpty -r shell found '*<*>*'
            print -r -- "$found"
            "#
        );
        in_shell("zsh", &script.replace("${SCRIPT:h}", "$(dirname $SCRIPT)"))
    };
    let found = complete("meshctl comp");
    assert!(found.contains("<meshctl completions >"), "{found}");
    let found = complete("meshctl generate canary --route s");
    assert!(found.contains("<meshctl generate canary --route stock >"), "{found}");
}
