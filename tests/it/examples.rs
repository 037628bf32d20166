//! Every example of every help text is run as it stands.

use std::fs;
use std::path::Path;

use super::{in_repository, shell};

/// Examples that can't be run by this test, by how they begin, with the reason.
const NOT_HERE: &[(&str, &str)] = &[
    ("meshctl demo", "it takes its time; tests/it/demo.rs runs it and looks at what it leaves"),
    ("meshctl proxy", "it serves until it is stopped, or needs one that does: tests/it/serve.rs"),
    ("meshctl canary", "it needs two versions: tests/it/rollouts.rs runs each"),
    ("meshctl dark-launch", "it needs two versions: tests/it/rollouts.rs runs each"),
    ("meshctl controller", "it needs the cluster around it: tests/drills"),
    ("meshctl why", "it asks a proxy that runs: tests/it/views.rs"),
    ("meshctl top", "likewise"),
    ("meshctl status", "likewise"),
    ("meshctl install --wait", "it needs a cluster: tests/drills"),
    ("meshctl upgrade", "it needs a cluster"),
    ("meshctl uninstall", "it needs a cluster"),
];

/// What examples take for granted beside `shop`.
const THEIRS: &[(&str, &str)] = &[
    ("ingress.yaml", "tests/cases/convert/ingress-annotations/in/in.yaml"),
    ("deployment.yaml", "tests/it/examples/deployment.yaml"),
];

fn examples() -> Vec<String> {
    let output = shell(Path::new("/"), "meshctl help examples").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.strip_prefix("    ")).map(str::to_owned).collect()
}

#[test]
fn examples_do_what_they_show() {
    let examples = examples();
    assert!(examples.len() >= 10, "{examples:?}");
    for (start, reason) in NOT_HERE {
        let used = examples.iter().any(|example| example.starts_with(start));
        assert!(used, "no example begins with {start:?} ({reason}): remove it from the table");
    }
    let runnable = examples
        .iter()
        .filter(|example| !NOT_HERE.iter().any(|(start, _)| example.starts_with(start)));
    for example in runnable {
        let directory = tempfile::tempdir().unwrap();
        // What `meshctl init shop` writes, for all that name it, but not for the one that does.
        if !example.contains("init shop") {
            let made = shell(directory.path(), "meshctl init -q shop").output().unwrap();
            assert!(made.status.success(), "{made:?}");
        }
        for (name, file) in THEIRS {
            fs::copy(in_repository(file), directory.path().join(name)).unwrap();
        }
        let output = shell(directory.path(), example).output().unwrap();
        assert!(output.status.success(), "{example}\n{output:?}");
    }
}

/// The templates that `init --example` writes are files of the repository.
#[test]
fn examples_of_init_are_the_templates() {
    let mut names: Vec<String> = fs::read_dir(in_repository("templates/examples"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    for name in &names {
        let line = format!("meshctl init --example {name} --dry-run");
        let output = shell(Path::new("/"), &line).output().unwrap();
        let template = in_repository(&format!("templates/examples/{name}.yaml"));
        assert_eq!(String::from_utf8_lossy(&output.stdout), fs::read_to_string(template).unwrap());
    }
    assert_eq!(names.len(), meshctl::manifest::Example::ALL.len());
}
