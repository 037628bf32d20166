//! Links, mounts and directories that come and go.

use std::fs;
use std::os::unix::fs::symlink;

use super::*;

/// What the kubelet does to a mounted ConfigMap.
fn swap(shop: &Shop, version: &str, files: &[(&str, String)]) {
    let old = fs::read_link(shop.path("..data")).ok();
    for (name, text) in files {
        shop.write(&format!("..{version}/{name}"), text);
        if !shop.path(name).is_symlink() {
            symlink(format!("..data/{name}"), shop.path(name)).unwrap();
        }
    }
    symlink(format!("..{version}"), shop.path("..data_tmp")).unwrap();
    fs::rename(shop.path("..data_tmp"), shop.path("..data")).unwrap();
    if let Some(old) = old {
        fs::remove_dir_all(shop.path("").join(old)).unwrap();
    }
}

#[tokio::test]
async fn a_config_map_is_swapped_whole() {
    let shop = Shop::new();
    let files = |name: &str, port| {
        [("gateway.yaml", shop.gateway(&[name])), ("backend.yaml", Shop::backend(name, port))]
    };
    swap(&shop, "1", &files("a", 1));
    let mut live = Live::load(&shop);
    assert_eq!((live.backends(), live.last.read.files_read), (one("a", 1), 2));
    live.watch().await;
    for round in 2..6 {
        let name = if round % 2 == 0 { "b" } else { "a" };
        swap(&shop, &round.to_string(), &files(name, round));
        live.next().await;
        assert_eq!((live.backends(), live.codes()), (one(name, round), vec![]));
        assert_eq!(live.last.read.files_read, 2, "both files, one update");
    }
    live.nothing_but_a_rescan().await;
}

#[tokio::test]
async fn a_release_behind_a_link_is_swapped() {
    let shop = Shop::new();
    for port in [1, 2] {
        shop.write(&format!("{port}/g.yaml"), &shop.gateway(&["a"]));
        shop.write(&format!("{port}/a.yaml"), &Shop::backend("a", port));
    }
    symlink("1", shop.path("current")).unwrap();
    let mut live = Live::inputs(&[shop.path("current")]);
    assert_eq!(live.backends(), one("a", 1));
    live.watch().await;
    symlink("2", shop.path("next")).unwrap();
    fs::rename(shop.path("next"), shop.path("current")).unwrap();
    live.next().await;
    assert_eq!((live.backends(), live.codes()), (one("a", 2), vec![]));
    // The new directory is the one under watch now.
    shop.write("2/a.yaml", &Shop::backend("a", 3));
    live.next().await;
    assert_eq!(live.backends(), one("a", 3));
}

#[tokio::test]
async fn directories_come_and_go_and_come_again() {
    let shop = Shop::new();
    shop.write("gateway.yaml", &shop.gateway(&["a"]));
    let mut live = Live::load(&shop);
    live.watch().await;
    for port in 1..4 {
        shop.write("team/shop/a.yaml", &Shop::backend("a", port));
        live.next().await;
        assert_eq!(live.backends(), one("a", port));
        shop.write("team/shop/a.yaml", &Shop::backend("a", port + 10));
        live.next().await;
        assert_eq!(live.backends(), one("a", port + 10), "the new directory is watched");
        fs::remove_dir_all(shop.path("team")).unwrap();
        live.next().await;
        assert_eq!(live.backends(), []);
    }
}

#[tokio::test]
async fn a_whole_directory_that_vanishes_takes_nothing_away() {
    let shop = Shop::new();
    shop.write("conf/gateway.yaml", &(shop.gateway(&["a"]) + &Shop::backend("a", 1)));
    let mut live = Live::inputs(&[shop.path("conf")]);
    live.watch().await;
    fs::rename(shop.path("conf"), shop.path("away")).unwrap();
    live.next().await;
    assert_eq!((live.backends(), live.codes()), (one("a", 1), vec![codes::FILE_UNREADABLE]));
    fs::rename(shop.path("away"), shop.path("conf")).unwrap();
    live.next().await;
    assert_eq!((live.backends(), live.codes()), (one("a", 1), vec![]));
}
