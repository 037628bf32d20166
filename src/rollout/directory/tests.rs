use super::*;
use crate::model::{self, Kind};
use crate::store::FileChange;

fn change(before: &str, after: &str) -> FileChange {
    let text = |text: &str| Some(text.to_owned());
    FileChange { path: "/shop.yaml".into(), before: text(before), after: text(after) }
}

/// The undo of each of several writes, in their order.
fn back(undos: &[FileChange]) -> FileChange {
    let mut record = Record::default();
    undos.iter().for_each(|undo| record.wrote(std::slice::from_ref(undo)));
    let [only] = record.back.as_slice() else { panic!("{record:?}") };
    only.clone()
}

#[test]
fn several_writes_have_one_way_back() {
    assert_eq!(back(&[change("5", "0")]), change("5", "0"));
    assert_eq!(back(&[change("5", "0"), change("25", "5"), change("50", "25")]), change("50", "0"));
    // It was put back meanwhile, and begun again.
    assert_eq!(back(&[change("5", "0"), change("10", "0")]), change("10", "0"));
    // Somebody else's text is not what was found: it stays.
    assert_eq!(back(&[change("5", "0"), change("25", "5 # edited")]), change("25", "5 # edited"));
}

#[test]
fn what_is_kept_is_found_again_and_nobody_elses_to_read() {
    use std::os::unix::fs::PermissionsExt;
    let root = tempfile::tempdir().unwrap();
    let mark = root.path().join(".meshctl");
    let home = Home::new(&[root.path().to_owned()], &mark).unwrap();
    let key = ObjectKey::new(model::Store::Files, Kind::TrafficRollout, "shop", "web");
    assert_eq!(home.record(&key).unwrap(), Record::default());
    let mut record = Record::default();
    record.state.weight = 25;
    record.wrote(&[change("5", "0")]);
    home.keep(&key, &record).unwrap();
    assert_eq!(home.record(&key).unwrap(), record);
    let file = mark.join("state/rollouts/shop.web.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(&file, "{").unwrap();
    let error = home.record(&key).unwrap_err().to_string();
    assert!(error.starts_with("can't understand "), "{error}");
    home.forget(&key).unwrap();
    assert_eq!(home.record(&key).unwrap(), Record::default());
}

#[test]
fn the_names_of_two_rollouts_are_two_files() {
    let root = tempfile::tempdir().unwrap();
    let home = Home::new(&[root.path().to_owned()], &root.path().join(".meshctl")).unwrap();
    let key = |name| ObjectKey::new(model::Store::Files, Kind::TrafficRollout, "shop", name);
    let record = Record::default();
    for name in ["web", "web.view", "web.json"] {
        home.keep(&key(name), &record).unwrap();
        home.show(&key(name), &View { proxies: 7, ..View::default() }).unwrap();
    }
    for name in ["web", "web.view", "web.json"] {
        assert_eq!(home.record(&key(name)).unwrap(), record, "{name}");
        assert_eq!(home.view(&key(name)).unwrap().proxies, 7, "{name}");
    }
}

#[test]
fn who_looks_at_who_drives_is_in_nobodys_way() {
    let root = tempfile::tempdir().unwrap();
    let mark = root.path().join(".meshctl");
    let home = Home::new(&[root.path().to_owned()], &mark).unwrap();
    let state = home.state().unwrap();
    drop(lock::Lock::take(&state).unwrap().unwrap());
    // The moment of a look, made longer.
    let looks = fs::File::open(state.join("runner")).unwrap();
    rustix::fs::flock(&looks, rustix::fs::FlockOperation::NonBlockingLockShared).unwrap();
    let taken = std::thread::scope(|scope| {
        let taking = scope.spawn(|| lock::Lock::take(&state).unwrap().map(drop));
        std::thread::sleep(crate::limits::STORE_LOCK_LOOK);
        drop(looks);
        taking.join().unwrap()
    });
    assert_eq!(taken, Ok(()));
}

#[test]
fn one_process_drives() {
    let root = tempfile::tempdir().unwrap();
    let mark = root.path().join(".meshctl");
    let home = Home::new(&[root.path().to_owned()], &mark).unwrap();
    assert_eq!(home.driver(), None);
    let runner = |home: &Home| {
        Runner::new(home.clone(), Proxies::new(&[], &[]), "me".to_owned()).unwrap().map(drop)
    };
    let held = Runner::new(home.clone(), Proxies::new(&[], &[]), "me".to_owned()).unwrap().ok();
    let me = Locked { process: Some(std::process::id()) };
    assert_eq!((runner(&home), home.driver()), (Err(me.clone()), Some(me)));
    drop(held);
    assert_eq!((home.driver(), runner(&home)), (None, Ok(())));
}

#[test]
fn the_audit_is_read_by_rollout() {
    let root = tempfile::tempdir().unwrap();
    let home = Home::new(&[root.path().to_owned()], &root.path().join(".meshctl")).unwrap();
    let key = |name| ObjectKey::new(model::Store::Files, Kind::TrafficRollout, "shop", name);
    for name in ["web", "cart", "web"] {
        let line = Audit {
            at: Timestamp::UNIX_EPOCH,
            who: "me",
            rollout: key(name).to_string(),
            what: "asked",
            from: "0%".to_owned(),
            to: "5%\n".to_owned(),
        };
        home.audit(&line).unwrap();
    }
    assert_eq!(home.audited(&key("web")).len(), 2);
    assert_eq!(home.audited(&key("cart"))[0]["to"], "5%\n");
}
