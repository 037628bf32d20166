#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::os::unix::fs::PermissionsExt;

use super::*;

const ADDRESSES: [&str; 3] = ["127.0.0.1:8080", "127.0.0.1:3000", "127.0.0.1:3001"];

fn write(directory: &Directory, weights: [u32; 2]) {
    let [gateway, v1, v2] = ADDRESSES.map(|address| address.parse().unwrap());
    directory.write(gateway, [v1, v2], Weights(weights)).unwrap();
}

#[test]
fn an_edit_changes_two_numbers_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let directory = Directory::make(Some(home.path()), Path::new("/")).unwrap();
    write(&directory, [100, 0]);
    let read = || fs::read_to_string(home.path().join(ROUTE)).unwrap();
    let before = read();
    directory.edit(Weights([7, 93])).unwrap();
    let expected = before.replace("weight: 100\n", "weight: 7\n").replace(": 0\n", ": 93\n");
    assert_ne!(before, expected);
    assert_eq!(read(), expected);
    write(&directory, [7, 93]);
    assert_eq!(read(), expected, "the same as if it had been written so");
}

#[test]
fn a_persons_own_comments_and_spaces_stay() {
    let text = "a: 1\n- weight:   90  # mostly\r\n  kind: weight: 3\n  weight: 10";
    let edited = with_weights(text, Weights([1, 2])).unwrap();
    assert_eq!(edited, "a: 1\n- weight:   1  # mostly\r\n  kind: weight: 3\n  weight: 2");
    for text in ["weight: 1\n", "weight: 1\nweight: 2\nweight: 3\n", "weight: x\nweight: 2\n", ""] {
        assert_eq!(with_weights(text, Weights([1, 2])), None, "{text:?}");
    }
}

#[test]
fn a_temporary_directory_is_its_owners_and_goes_with_the_demo() {
    let home = tempfile::tempdir().unwrap();
    let directory = Directory::make(None, home.path()).unwrap();
    let path = directory.path().to_owned();
    write(&directory, [50, 50]);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    assert!(path.file_name().unwrap().to_str().unwrap().starts_with("meshctl-demo-"));
    drop(directory);
    assert!(!path.exists());
}

#[test]
fn a_directory_of_somebodys_stays_and_must_be_empty() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a/b");
    let directory = Directory::make(Some(&path), Path::new("/")).unwrap();
    write(&directory, [50, 50]);
    drop(directory);
    assert!(path.join(ROUTE).exists());
    let again = Directory::make(Some(&path), Path::new("/"));
    assert!(again.is_err_and(|failure| format!("{failure:?}").contains("is not empty")));
}
