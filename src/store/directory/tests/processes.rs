//! Processes of their own: the test binary, started again.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};

use super::*;

/// Names the directory to a child; a run of all tests has none.
const FOLDER: &str = "MESHCTL_TEST_STORE";
const NAME: &str = "store::directory::tests::processes::a_child_counts";

fn child(fixture: &Fixture, shell: &str) -> Child {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new("bash");
    command.arg("-c").arg(format!("{shell} exec \"$0\" --exact {NAME} --nocapture")).arg(program);
    command.env(FOLDER, fixture.path("")).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn weight(stored: &Stored) -> i64 {
    stored.value["spec"]["rules"][0]["backendRefs"][0]["weight"].as_i64().unwrap()
}

/// What the children do: count up fifty times by what they read.
#[test]
#[expect(clippy::disallowed_methods, reason = "a child is told by its environment what it is")]
fn a_child_counts() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let directory =
        Directory::new(std::slice::from_ref(&folder), &folder.join(".meshctl")).unwrap();
    let mut made = 0;
    while made < 50 {
        let now = weight(&directory.get(&route("shop")).unwrap().unwrap());
        match directory.patch(&[shift("shop", [now, 10], [now + 1, 10])], Mode::Apply) {
            Ok(_) => made += 1,
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn two_processes_at_once_lose_nothing() {
    let fixture = Fixture::new();
    let children = [child(&fixture, ""), child(&fixture, "")];
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(fixture.text("shop.yaml"), SHOP.replace("weight: 90", "weight: 190"));
    fixture.assert_tidy();
}

#[test]
fn a_killed_process_leaves_a_whole_file_and_no_lock() {
    let mut rng = fastrand::Rng::with_seed(5);
    let (mut killed, mut last) = (0, 90);
    let fixture = Fixture::new();
    let directory = Directory { patience: Duration::from_secs(10), ..fixture.directory() };
    for _ in 0..12 {
        let mut child = child(&fixture, "");
        std::thread::sleep(Duration::from_millis(rng.u64(5..60)));
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().signal() == Some(9));
        directory.restore(&[]).unwrap();
        fixture.assert_tidy();
        let now = weight(&directory.get(&route("shop")).unwrap().unwrap());
        assert_eq!(
            fixture.text("shop.yaml"),
            SHOP.replace("weight: 90", &format!("weight: {now}"))
        );
        assert!(now >= last, "{now} after {last}");
        last = now;
    }
    assert!(killed > 0 && last > 90, "{killed} {last}");
}

/// No file can grow beyond 1 KiB, as on a full disk.
#[test]
fn a_full_disk_is_told_and_changes_nothing() {
    let fixture = Fixture::new();
    let long = format!("{SHOP}# {}\n", "long ".repeat(400));
    fixture.write("shop.yaml", &long);
    let output = child(&fixture, "ulimit -f 1; trap '' XFSZ;").wait_with_output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("can't write ") && said.contains("file too large"), "{said}");
    assert_eq!(fixture.text("shop.yaml"), long);
    fixture.directory().restore(&[]).unwrap();
    fixture.assert_tidy();
}

#[test]
fn who_holds_the_lock_is_named() {
    let fixture = Fixture::new();
    let directory = fixture.directory();
    let _held = Lock::take(&fixture.path(".meshctl"), Duration::ZERO).unwrap();
    let error = directory.patch(&[shift("shop", BEFORE, AFTER)], Mode::Apply).unwrap_err();
    let holder = format!("another change is on its way (process {} holds ", std::process::id());
    assert!(error.to_string().starts_with(&holder), "{error}");
    assert!(error.may_pass());
}
