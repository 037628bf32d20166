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

#[tokio::test]
async fn the_second_rollout_of_a_route_is_refused_by_the_name_of_the_first() {
    let root = tempfile::tempdir().unwrap();
    let mark = root.path().join(".meshctl");
    fs::create_dir_all(mark.join(DIRECTORY)).unwrap();
    fs::write(
        root.path().join("shop.yaml"),
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: shop}\n\
         spec: {rules: [{backendRefs: [{name: v1, port: 80}]}]}\n",
    )
    .unwrap();
    let plan = |name: &str, release: &str| {
        let text = format!(
            "apiVersion: meshctl.dev/v1alpha1\nkind: TrafficRollout\nmetadata: {{name: {name}}}\n\
             spec:\n  state: Paused\n  targetRef: {{group: gateway.networking.k8s.io, kind: \
             HTTPRoute, name: shop}}\n  {release}\n"
        );
        fs::write(mark.join(DIRECTORY).join(format!("{name}.yaml")), text).unwrap();
    };
    let canary = |to: &str| {
        format!("canary: {{stable: {{name: v1, port: 80}}, canary: {{name: {to}, port: 80}}}}")
    };
    plan("first", &canary("v2"));
    plan("a-second", &canary("v3"));
    plan("copies", "darkLaunch: {to: {name: v2, port: 80}, percent: 10}");
    let home = Home::new(&[root.path().to_owned()], &mark).unwrap();
    let key =
        |name: &str| ObjectKey::new(model::Store::Files, Kind::TrafficRollout, "default", name);
    let mut runner =
        Runner::new(home.clone(), Proxies::new(&[], &[]), "me".to_owned()).unwrap().ok().unwrap();
    let mut turn = async |name: &str| {
        let stored = home.plans().get(&key(name)).await.unwrap().unwrap();
        let rollout = crate::rollout::ask::read(&stored).unwrap();
        let turned = runner.turn(&rollout, Timestamp::UNIX_EPOCH).await;
        turned.map(|turned| turned.state.phase.as_str()).map_err(|error| error.to_string())
    };
    assert_eq!(turn("first").await.as_deref(), Ok("Paused"));
    let why = "HTTPRoute default/shop has a canary already, first: `meshctl canary abort first` \
               ends it";
    assert_eq!(turn("a-second").await, Err(why.to_owned()));
    assert_eq!(home.view(&key("a-second")).unwrap().error.as_deref(), Some(why));
    assert_eq!(home.record(&key("a-second")).unwrap(), Record::default());
    // Copies are no weights.
    assert_eq!(turn("copies").await.as_deref(), Ok("Aborted"));
    assert_eq!(turn("first").await.as_deref(), Ok("Paused"));
    let text = fs::read_to_string(mark.join(DIRECTORY).join("first.yaml")).unwrap();
    fs::write(mark.join(DIRECTORY).join("first.yaml"), text.replace("Paused", "Aborted")).unwrap();
    assert_eq!(turn("first").await.as_deref(), Ok("Aborted"));
    assert_eq!(turn("a-second").await.as_deref(), Ok("Paused"));
    // Another route: what it has of this one is its own until it is back.
    let plan_of = mark.join(DIRECTORY).join("a-second.yaml");
    let text = fs::read_to_string(&plan_of).unwrap();
    fs::write(&plan_of, text.replace("HTTPRoute, name: shop", "HTTPRoute, name: cart")).unwrap();
    plan("third", &canary("v4"));
    let taken = turn("third").await.unwrap_err();
    assert!(taken.contains("has a canary already, a-second"), "{taken}");
    assert_eq!(turn("a-second").await.as_deref(), Ok("Aborted"));
    // What it left may not be served yet, and its command waits for that.
    assert_eq!(turn("first").await.as_deref(), Ok("Aborted"));
}
