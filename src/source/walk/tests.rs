use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

fn at(directory: &TempDir) -> Argument {
    Argument { typed: "shop".into(), path: directory.path().to_owned() }
}

fn write(directory: &TempDir, name: &str) {
    let path = directory.path().join(name);
    fs::create_dir_all(path.parent().expect("a file has a parent")).unwrap();
    fs::write(path, "a: b\n").unwrap();
}

fn names(walk: &Walk) -> Vec<&str> {
    walk.files.keys().map(|name| &**name).collect()
}

fn walked(directory: &TempDir) -> Walk {
    walk(&[at(directory)], Bounds::LIMITS)
}

#[test]
fn a_directory_is_its_configuration_files_at_any_depth() {
    let directory = TempDir::new().unwrap();
    for name in [
        "b.yaml",
        "a.yml",
        "c.json",
        "d/e/f.yaml",
        "README.md",
        "x.yaml~",
        ".hidden.yaml",
        ".git/config.yaml",
        ".meshctl/run/x.yaml",
        "yaml",
    ] {
        write(&directory, name);
    }
    let walk = walked(&directory);
    assert_eq!(names(&walk), ["shop/a.yml", "shop/b.yaml", "shop/c.json", "shop/d/e/f.yaml"]);
    assert_eq!(walk.hidden, 2, "the file and .git; .meshctl is ours");
    assert_eq!(walk.directories.len(), 3);
    assert!(walk.diagnostics.is_empty() && walk.unread.is_empty());
}

#[test]
fn a_mounted_config_map_is_read_once() {
    let directory = TempDir::new().unwrap();
    write(&directory, "..2026_01/a.yaml");
    write(&directory, "..2026_01/b.yaml");
    symlink("..2026_01", directory.path().join("..data")).unwrap();
    for name in ["a.yaml", "b.yaml"] {
        symlink(format!("..data/{name}"), directory.path().join(name)).unwrap();
    }
    let walk = walked(&directory);
    assert_eq!(names(&walk), ["shop/a.yaml", "shop/b.yaml"]);
    assert!(walk.files.values().all(|entry| entry.linked));
    assert_eq!(walk.hidden, 0);
}

#[test]
fn links_that_go_round_end() {
    let directory = TempDir::new().unwrap();
    write(&directory, "d/a.yaml");
    symlink("..", directory.path().join("d/up")).unwrap();
    symlink(directory.path(), directory.path().join("again")).unwrap();
    symlink("self.yaml", directory.path().join("self.yaml")).unwrap();
    symlink("d/a.yaml", directory.path().join("z.yaml")).unwrap();
    let walk = walked(&directory);
    assert_eq!(names(&walk), ["shop/z.yaml"], "one file under two names is one file");
    let said: Vec<_> = walk.diagnostics.iter().map(|d| (d.code, &*d.file)).collect();
    assert_eq!(said, [(codes::FILE_UNREADABLE, "shop/self.yaml")]);
    assert!(walk.may_hold(&directory.path().join("self.yaml")));
    assert!(!walk.may_hold(&directory.path().join("d/b.yaml")));
}

#[test]
fn what_is_no_file_is_not_opened() {
    let directory = TempDir::new().unwrap();
    write(&directory, "a.yaml");
    let socket = directory.path().join("s.yaml");
    let _held = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert_eq!(names(&walked(&directory)), ["shop/a.yaml"]);
}

#[test]
fn a_missing_argument_is_told_and_forgets_nothing() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("gone");
    let walk = walk(&[Argument { typed: "gone".into(), path: path.clone() }], Bounds::LIMITS);
    assert_eq!(walk.diagnostics.len(), 1);
    assert_eq!(walk.diagnostics[0].message, "this can't be read: no such file or directory");
    assert!(walk.may_hold(&path.join("a.yaml")));
}

#[test]
fn both_bounds_hold_and_forget_nothing() {
    let directory = TempDir::new().unwrap();
    for number in 0..20 {
        write(&directory, &format!("{}/{number}.yaml", number % 3));
    }
    for (bounds, files) in [
        (Bounds { files: 5, entries: 1000 }, 5),
        (Bounds { files: 20, entries: 1000 }, 20),
        (Bounds { files: 1000, entries: 10 }, 7),
    ] {
        let walk = walk(&[at(&directory)], bounds);
        assert_eq!(walk.files.len(), files, "{bounds:?}");
        let full = files < 20;
        assert_eq!(walk.may_hold(&directory.path().join("2/x.yaml")), full, "{bounds:?}");
        let said: Vec<_> = walk.diagnostics.iter().map(|d| d.code).collect();
        assert_eq!(said, vec![codes::TOO_MANY_FILES; usize::from(full)]);
    }
}

#[test]
fn names_are_shown_without_the_dot_that_leads_them() {
    let directory = TempDir::new().unwrap();
    for (typed, said) in [(".", "a.yaml"), ("./shop", "shop/a.yaml"), ("..", "../a.yaml")] {
        write(&directory, "a.yaml");
        let argument = Argument { typed: typed.into(), path: directory.path().to_owned() };
        assert_eq!(names(&walk(&[argument], Bounds::LIMITS)), [said]);
    }
    for (name, said) in [("./-", "./-"), (".", "."), (".a/b", ".a/b")] {
        assert_eq!(shown(Path::new(name)), said);
    }
}
