#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::os::unix::fs::PermissionsExt;

use super::*;

const ADDRESSES: [&str; 3] = ["127.0.0.1:8080", "127.0.0.1:3000", "127.0.0.1:3001"];

fn write(directory: &Directory, weights: [u32; 2]) {
    let [gateway, v1, v2] = ADDRESSES.map(|address| address.parse().unwrap());
    directory.write(gateway, [v1, v2], Weights(weights)).unwrap();
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
