#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;

use super::*;
use meshctl::config::flags::target;
use meshctl::model::BindAddress;

fn environment(current_dir: &Path) -> Environment {
    Environment { current_dir: current_dir.to_owned(), ..Environment::from_variables(|_| None) }
}

fn quick(targets: &[&str]) -> Quick {
    Quick { listen: Vec::new(), targets: targets.iter().map(|t| target(t).unwrap()).collect() }
}

fn files(paths: &[&str]) -> Files {
    Files { files: paths.iter().map(PathBuf::from).collect() }
}

fn refused(answer: Result<Source, Failure>) -> String {
    match answer {
        Err(Failure::Said { exit: Exit::WrongCommandLine, message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_command_line_comes_before_the_environment_and_that_before_a_mark() {
    let root = tempfile::tempdir().unwrap();
    let below = root.path().join("a/b");
    fs::create_dir_all(&below).unwrap();
    fs::create_dir(root.path().join(MARK)).unwrap();
    let mut here = environment(&below);

    let found = Source::choose(files(&[]), quick(&[]), &here).unwrap();
    assert_eq!(found, Source::Files(vec![root.path().to_owned()]));
    here.config = Some("/etc/meshctl".into());
    let found = Source::choose(files(&[]), quick(&[]), &here).unwrap();
    assert_eq!(found, Source::Files(vec!["/etc/meshctl".into()]));
    let found = Source::choose(files(&["x", "-"]), quick(&[]), &here).unwrap();
    assert_eq!(found, Source::Files(vec!["x".into(), "-".into()]));
    let found = Source::choose(files(&[]), quick(&["localhost:1"]), &here).unwrap();
    assert_eq!(found, Source::Quick(quick(&["localhost:1"]).read().unwrap()));
}

#[test]
fn contradictions_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let here = environment(root.path());
    let check = |paths: &[&str], targets: &[&str], part: &str| {
        let message = refused(Source::choose(files(paths), quick(targets), &here));
        assert!(message.contains(part), "{message}");
    };
    check(&["x"], &["localhost:1"], "-f and --to");
    check(&["-", "x", "-"], &[], "given twice");
    let listen = Quick { listen: vec![BindAddress { ip: None, port: 8080 }], ..Quick::default() };
    let message = refused(Source::choose(files(&["x"]), listen.clone(), &here));
    assert!(message.contains("-f and --listen"), "{message}");
    let message = refused(Source::choose(files(&[]), listen, &here));
    assert!(message.contains("--listen says nothing"), "{message}");
    check(&[], &["localhost:1=0", "localhost:2=0"], "weight 0");
    check(&[], &[], "no configuration");
}

#[test]
fn a_mark_above_the_home_directory_is_not_ours() {
    let root = tempfile::tempdir().unwrap();
    let home = root.path().join("home");
    let below = home.join("project/deep");
    fs::create_dir_all(&below).unwrap();
    fs::create_dir(root.path().join(MARK)).unwrap();
    assert_eq!(nearest(&below, Some(&home)), None);
    assert_eq!(nearest(&below, None), Some(root.path().to_owned()));
    fs::create_dir(home.join(MARK)).unwrap();
    assert_eq!(nearest(&below, Some(&home)), Some(home.clone()), "home itself counts");
    fs::write(below.join(MARK), "a file").unwrap();
    assert_eq!(nearest(&below, Some(&home)), Some(home), "a file is no mark");
    assert_eq!(nearest(Path::new("/nowhere/at/all"), None), None);
}

#[test]
fn sockets_are_put_where_they_are_looked_for() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join(MARK)).unwrap();
    let marked = Source::Files(vec![root.path().to_owned()]);
    let quick = Source::Quick(Quick::default().read().unwrap());
    let mut here = environment(root.path());
    let check = |source: &Source, here: &Environment, expected: &Path| {
        assert_eq!(run_dir(source, here), expected);
        assert!(run_dirs(here).contains(&expected.to_owned()), "{expected:?} is not searched");
        let elsewhere = Environment { current_dir: "/".into(), ..here.clone() };
        let known = register_dir(here);
        assert!(run_dirs(&elsewhere).contains(&known), "{known:?} is not searched from elsewhere");
    };
    check(&quick, &here, Path::new("/run/meshctl"));
    check(&marked, &here, &root.path().join(".meshctl/run"));
    here.user = Some(0);
    check(&quick, &here, Path::new("/run/meshctl"));
    here.user = Some(7);
    check(&quick, &here, Path::new("/tmp/meshctl-7"));
    here.runtime_dir = Some("/run/user/1".into());
    check(&quick, &here, Path::new("/run/user/1/meshctl"));
    check(&marked, &here, &root.path().join(".meshctl/run"));
    here.run_dir = Some("/elsewhere".into());
    check(&marked, &here, Path::new("/elsewhere"));
}
