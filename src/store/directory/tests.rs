#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::cell::RefCell;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::model;

mod killed;
mod processes;

/// Two routes in two files, a List, and what isn't ours.
struct Fixture {
    folder: TempDir,
}

const SHOP: &str = "# The shop.\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: shop}  \
                    # main\nspec:\n  rules:\n  - backendRefs:\n    - {name: shop-v1, port: 80, weight: 90}\n    - \
                    {name: shop-v2, port: 80, weight: 10} # new\n";

fn cart() -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: x}}\n--- # second\n{}",
        SHOP.replace("shop", "cart")
    )
}

fn listed() -> String {
    let item = SHOP.replace("# The shop.\n", "").replace("shop", "listed").replace('\n', "\n  ");
    format!("apiVersion: v1\nkind: List\nitems:\n- {}\n", item.trim_end())
}

impl Fixture {
    fn new() -> Self {
        let fixture = Self { folder: tempfile::tempdir().unwrap() };
        fixture.write("shop.yaml", SHOP);
        fs::create_dir(fixture.path("sub")).unwrap();
        fixture.write("sub/cart.yml", &cart());
        fixture.write("sub/list.yaml", &listed());
        fixture.write("values.yaml", "shop: 1\n");
        fixture
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn directory(&self) -> Directory {
        let directory = Directory::new(&[self.path("")], &self.path(".meshctl")).unwrap();
        Directory { watcher: hook, patience: Duration::from_millis(50), ..directory }
    }

    /// Nothing is left beside the files, and no journal.
    fn assert_tidy(&self) {
        for folder in ["", "sub"] {
            for entry in fs::read_dir(self.path(folder)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                assert!(!name.starts_with('.') || name == ".meshctl", "{name}");
            }
        }
        let state = fs::read_dir(self.path(".meshctl")).unwrap();
        let names: Vec<_> = state.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["lock"]);
    }
}

type Hook = Box<dyn FnMut(&str)>;

thread_local! {
    static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
}

fn hook(step: &str) {
    let taken = HOOK.take();
    if let Some(mut taken) = taken {
        taken(step);
        HOOK.with_borrow_mut(|hook| {
            hook.get_or_insert(taken);
        });
    }
}

fn on_steps(step: impl FnMut(&str) + 'static) {
    HOOK.set(Some(Box::new(step)));
}

fn route(name: &str) -> ObjectKey {
    ObjectKey::new(model::Store::Files, Kind::HttpRoute, "default", name)
}

fn shift(name: &str, from: [i64; 2], to: [i64; 2]) -> Change {
    let path = |backend: usize| format!("/spec/rules/0/backendRefs/{backend}/weight");
    let patch = json!([
        {"op": "test", "path": path(0), "value": from[0]},
        {"op": "test", "path": path(1), "value": from[1]},
        {"op": "replace", "path": path(0), "value": to[0]},
        {"op": "replace", "path": path(1), "value": to[1]},
    ]);
    Change { key: route(name), patch: serde_json::from_value(patch).unwrap() }
}

const BEFORE: [i64; 2] = [90, 10];
const AFTER: [i64; 2] = [50, 51];

fn shifted(text: &str) -> String {
    text.replace("weight: 90", "weight: 50").replace("weight: 10", "weight: 51")
}

#[test]
fn all_of_a_change_is_made_and_taken_back_byte_for_byte() {
    let fixture = Fixture::new();
    let directory = fixture.directory();
    let changes = ["shop", "cart", "listed"].map(|name| shift(name, BEFORE, AFTER));
    let applied = directory.patch(&changes, Mode::Apply).unwrap();
    assert_eq!(fixture.text("shop.yaml"), shifted(SHOP));
    assert_eq!(fixture.text("sub/cart.yml"), shifted(&cart()));
    assert_eq!(fixture.text("sub/list.yaml"), shifted(&listed()));
    fixture.assert_tidy();
    let weights = |stored: &Stored| {
        let backends = &stored.value["spec"]["rules"][0]["backendRefs"];
        [backends[0]["weight"].as_i64().unwrap(), backends[1]["weight"].as_i64().unwrap()]
    };
    for patched in &applied.objects {
        assert_eq!((weights(&patched.before), weights(&patched.after)), (BEFORE, AFTER));
        assert_ne!(patched.before.version, patched.after.version);
        assert_eq!(directory.get(&patched.after.key).unwrap().as_ref(), Some(&patched.after));
    }
    let place = |at: usize| applied.objects[at].before.place.rsplit('/').next().unwrap().to_owned();
    assert_eq!([place(0), place(1), place(2)], ["shop.yaml:4", "cart.yml:8", "list.yaml:6"]);
    let Undo::Files(files) = &applied.undo else { panic!("files") };
    directory.restore(files).unwrap();
    assert_eq!(fixture.text("shop.yaml"), SHOP);
    assert_eq!(fixture.text("sub/cart.yml"), cart());
    let twice = directory.restore(files).unwrap_err();
    assert!(matches!(twice, StoreError::Conflict { .. }), "{twice}");
    fixture.assert_tidy();
}

#[test]
fn a_dry_run_shows_and_leaves() {
    let fixture = Fixture::new();
    let applied = fixture.directory().patch(&[shift("shop", BEFORE, AFTER)], Mode::DryRun).unwrap();
    let lines: Vec<&str> =
        applied.diff.lines().filter(|line| line.starts_with(['+', '-'])).collect();
    let file = fixture.path("shop.yaml").display().to_string();
    assert_eq!(lines[..2], [format!("--- a{file}"), format!("+++ b{file}")]);
    let expected = [
        "-    - {name: shop-v1, port: 80, weight: 90}",
        "-    - {name: shop-v2, port: 80, weight: 10} # new",
        "+    - {name: shop-v1, port: 80, weight: 50}",
        "+    - {name: shop-v2, port: 80, weight: 51} # new",
    ];
    assert_eq!(lines[2..], expected);
    assert_eq!(fixture.text("shop.yaml"), SHOP);
    assert!(!fixture.path(".meshctl").exists());
}

#[test]
fn one_that_fails_leaves_all_as_they_were() {
    let fixture = Fixture::new();
    let directory = fixture.directory();
    let changes = [shift("shop", BEFORE, AFTER), shift("cart", [80, 20], AFTER)];
    let error = directory.patch(&changes, Mode::Apply).unwrap_err();
    let said = error.to_string();
    assert!(said.starts_with("HTTPRoute default/cart in "), "{said}");
    let end = "cart.yml:8 was changed meanwhile: /spec/rules/0/backendRefs/0/weight is 90, not 80 as expected";
    assert!(said.ends_with(end), "{said}");
    // The second file can't be written: what was made of the first is taken back.
    let blocked = fixture.path("sub/.cart.yml.meshctl-part");
    on_steps(move |step| {
        if step == "exchange" && !blocked.exists() {
            fs::create_dir(&blocked).unwrap();
        }
    });
    let changes = [shift("shop", BEFORE, AFTER), shift("cart", BEFORE, AFTER)];
    let error = directory.patch(&changes, Mode::Apply).unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
    assert_eq!((fixture.text("shop.yaml"), fixture.text("sub/cart.yml")), (SHOP.into(), cart()));
    fs::remove_dir(fixture.path("sub/.cart.yml.meshctl-part")).unwrap();
    fixture.assert_tidy();
}

#[test]
fn links_modes_and_owners_stay() {
    let fixture = Fixture::new();
    fixture.write("real.txt", &SHOP.replace("shop", "linked"));
    symlink("../real.txt", fixture.path("sub/linked.yaml")).unwrap();
    let real = fixture.path("real.txt");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    let before = real.metadata().unwrap();
    fixture.directory().patch(&[shift("linked", BEFORE, AFTER)], Mode::Apply).unwrap();
    let after = real.metadata().unwrap();
    let shown = |there: &fs::Metadata| (there.mode(), there.uid(), there.gid());
    assert_eq!(shown(&before), shown(&after));
    assert!(fixture.path("sub/linked.yaml").is_symlink());
    assert_eq!(fixture.text("real.txt"), shifted(&SHOP.replace("shop", "linked")));
}

#[test]
fn what_would_be_lost_or_guessed_is_refused() {
    let fixture = Fixture::new();
    let directory = fixture.directory();
    let refused = |name: &str| {
        let error = directory.patch(&[shift(name, BEFORE, AFTER)], Mode::Apply).unwrap_err();
        (error.to_string(), error.advice().unwrap_or_default())
    };
    assert_eq!(refused("other").0, "there is no HTTPRoute default/other");

    fixture.write("copy.yaml", &SHOP.replace("shop", "twice"));
    fixture.write("sub/copy.yaml", &SHOP.replace("shop", "twice"));
    let (said, advice) = refused("twice");
    assert!(said.starts_with("HTTPRoute default/twice is there more than once: "), "{said}");
    assert_eq!(advice, "keep one of them");

    fixture
        .write("broken.yaml", &SHOP.replace("shop", "broken").replace("weight: 90", "weigth: 90"));
    assert!(refused("broken").0.ends_with("broken.yaml:1 has errors"), "{:?}", refused("broken"));

    fixture.write("hard.yaml", &SHOP.replace("shop", "hard"));
    fs::hard_link(fixture.path("hard.yaml"), fixture.path("hard.bak")).unwrap();
    assert!(refused("hard").0.contains("it has other names (hard links)"));

    fixture.write("fixed.yaml", &SHOP.replace("shop", "fixed"));
    let fixed = fs::Permissions::from_mode(0o444);
    fs::set_permissions(fixture.path("fixed.yaml"), fixed).unwrap();
    assert!(refused("fixed").0.ends_with("fixed.yaml stays: it is read-only"));

    fixture.write(
        "anchor.yaml",
        &SHOP
            .replace("shop", "anchor")
            .replace("weight: 90", "weight: &w 90")
            .replace("weight: 10", "weight: *w"),
    );
    let (said, advice) = {
        let mut change = shift("anchor", [90, 90], [5, 5]);
        change.patch.0.truncate(3);
        let error = directory.patch(&[change], Mode::Apply).unwrap_err();
        (error.to_string(), error.advice().unwrap())
    };
    assert!(said.ends_with("anchor.yaml, line 8, column 43: what `&w` names is used in line 9 too, and would change there"), "{said}");
    assert_eq!(advice, "write the value out in the place of `*w` in line 9, column 43");

    fixture.write("latin.yaml", "");
    fs::write(fixture.path("latin.yaml"), b"name: \xe9\n").unwrap();
    assert!(refused("other").1.contains("latin.yaml: this is not UTF-8 text"));
    let stdin = Directory::new(&[PathBuf::from("-")], &fixture.path(".meshctl")).unwrap_err();
    assert_eq!(stdin.to_string(), "what came from standard input can't be changed");
    fixture.assert_tidy();
}

#[test]
fn objects_come_and_go() {
    let fixture = Fixture::new();
    let directory = fixture.directory();
    let names = || -> Vec<String> {
        let routes = directory.list(Kind::HttpRoute, Some("default")).unwrap();
        routes.iter().map(|route| route.key.name.to_string()).collect()
    };
    assert_eq!(names(), ["cart", "listed", "shop"]);
    assert!(directory.list(Kind::HttpRoute, Some("other")).unwrap().is_empty());

    let mut value = directory.get(&route("shop")).unwrap().unwrap().value;
    value["metadata"]["name"] = "new".into();
    let undo = directory.create(&value, &fixture.path("new.yaml")).unwrap();
    assert_eq!(directory.get(&route("new")).unwrap().unwrap().value, value);
    let again = directory.create(&value, &fixture.path("new.yaml")).unwrap_err();
    assert!(matches!(again, StoreError::Exists(_)), "{again}");
    let Undo::Files(files) = undo else { panic!("files") };
    directory.restore(&files).unwrap();
    assert!(!fixture.path("new.yaml").exists());

    assert!(directory.delete(&route("shop")).unwrap());
    assert!(!fixture.path("shop.yaml").exists());
    assert!(directory.delete(&route("cart")).unwrap());
    assert_eq!(fixture.text("sub/cart.yml"), cart().split("---").next().unwrap());
    assert!(directory.delete(&route("listed")).unwrap());
    assert_eq!(fixture.text("sub/list.yaml"), "apiVersion: v1\nkind: List\nitems: []\n");
    assert!(!directory.delete(&route("shop")).unwrap());
    assert_eq!(names(), Vec::<String>::new());
    fixture.assert_tidy();
}

/// An editor saves in the moment before the files change places: by renaming, and in place.
#[test]
fn an_editor_is_never_overwritten() {
    for renames in [true, false] {
        let fixture = Fixture::new();
        let saved = SHOP.replace("# main", "# edited by hand");
        let (path, text) = (fixture.path("shop.yaml"), saved.clone());
        let mut once = true;
        on_steps(move |step| {
            if step == "exchange" && std::mem::take(&mut once) {
                if renames {
                    fs::write(path.with_extension("swp"), &text).unwrap();
                    fs::rename(path.with_extension("swp"), &path).unwrap();
                } else {
                    fs::write(&path, &text).unwrap();
                }
            }
        });
        fixture.directory().patch(&[shift("shop", BEFORE, AFTER)], Mode::Apply).unwrap();
        assert_eq!(fixture.text("shop.yaml"), shifted(&saved));
        fixture.assert_tidy();
    }
}

#[test]
fn an_editor_that_changed_the_same_has_the_last_word() {
    let fixture = Fixture::new();
    let (path, text) = (fixture.path("sub/cart.yml"), cart().replace("weight: 90", "weight: 33"));
    on_steps(move |step| {
        if step == "exchange" && fs::read_to_string(&path).unwrap() != text {
            fs::write(&path, &text).unwrap();
        }
    });
    let changes = [shift("shop", BEFORE, AFTER), shift("cart", BEFORE, AFTER)];
    let error = fixture.directory().patch(&changes, Mode::Apply).unwrap_err();
    let StoreError::Conflict { difference: Some(difference), .. } = &error else {
        panic!("{error}")
    };
    assert_eq!((&difference.expected, &difference.found), (&json!(90), &Some(json!(33))));
    assert_eq!(fixture.text("shop.yaml"), SHOP);
    fixture.assert_tidy();
}

/// Who writes all the time is told of, not waited for.
#[test]
fn a_file_that_never_rests_is_left() {
    let fixture = Fixture::new();
    let path = fixture.path("shop.yaml");
    let mut count = 0;
    on_steps(move |step| {
        if step == "exchange" {
            count += 1;
            fs::write(&path, format!("{SHOP}# {count}\n")).unwrap();
        }
    });
    let error =
        fixture.directory().patch(&[shift("shop", BEFORE, AFTER)], Mode::Apply).unwrap_err();
    assert!(error.to_string().ends_with("stays: somebody writes it all the time"), "{error}");
    assert_eq!(fixture.text("shop.yaml"), format!("{SHOP}# {}\n", limits::STORE_TRIES));
    fixture.assert_tidy();
}
