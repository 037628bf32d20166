//! Each way of saving, and each way of getting it wrong.

use std::fs;
use std::io::Write;

use super::*;

/// A shop with one backend on port 1, being watched.
async fn watched() -> (Shop, Live) {
    let shop = Shop::new();
    shop.write("gateway.yaml", &shop.gateway(&["a"]));
    shop.write("a.yaml", &Shop::backend("a", 1));
    let mut live = Live::load(&shop);
    assert_eq!(live.backends(), one("a", 1));
    live.watch().await;
    (shop, live)
}

#[tokio::test]
async fn written_in_place() {
    let (shop, mut live) = watched().await;
    let began = clock::now();
    shop.write("a.yaml", &Shop::backend("a", 2));
    live.next().await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(live.backends(), one("a", 2));
    assert_eq!(live.last.changes.upserted.len(), 1, "its endpoints and nothing else");
    assert_eq!(live.last.read, Counters { files_read: 1, documents_parsed: 1 });
    live.nothing_but_a_rescan().await;
}

#[tokio::test]
async fn renamed_over() {
    let (shop, mut live) = watched().await;
    shop.replace("a.yaml", &Shop::backend("a", 2));
    live.next().await;
    assert_eq!(live.backends(), one("a", 2));
    live.nothing_but_a_rescan().await;
}

#[tokio::test]
async fn moved_away_and_written_anew() {
    let (shop, mut live) = watched().await;
    fs::rename(shop.path("a.yaml"), shop.path("a.yaml~")).unwrap();
    shop.write("4913", "");
    fs::remove_file(shop.path("4913")).unwrap();
    shop.write("a.yaml", &Shop::backend("a", 2));
    live.next().await;
    assert_eq!(live.backends(), one("a", 2));
    assert_eq!(live.last.changes.removed.len(), 0, "it was never seen as gone");
    live.nothing_but_a_rescan().await;
}

#[tokio::test]
async fn truncated_and_written_slowly_in_two_halves() {
    let (shop, mut live) = watched().await;
    // The first half is a whole configuration of its own, and a wrong one.
    let text = shop.gateway(&["b"]);
    let (half, rest) = text.split_at(text.rfind("---").expect("two documents"));
    let mut file = fs::File::create(shop.path("gateway.yaml")).unwrap();
    file.write_all(half.as_bytes()).unwrap();
    // Longer than a file has to rest: that it is open is what holds it back.
    let pause = tokio::time::sleep(3 * limits::FILE_REST);
    tokio::select! {
        update = live.feed.next() => panic!("half a file: {update:?}"),
        () = pause => {}
    }
    file.write_all(rest.as_bytes()).unwrap();
    drop(file);
    shop.write("b.yaml", &Shop::backend("b", 3));
    live.next().await;
    assert_eq!(live.backends(), one("b", 3));
    assert_eq!(live.last.read.files_read, 2, "one update for both files");
    live.nothing_but_a_rescan().await;
}

#[tokio::test]
async fn a_file_that_is_never_closed_is_read_all_the_same() {
    let (shop, mut live) = watched().await;
    let mut file = fs::File::create(shop.path("a.yaml")).unwrap();
    file.write_all(Shop::backend("a", 2).as_bytes()).unwrap();
    live.next().await;
    assert_eq!(live.backends(), one("a", 2));
    drop(file);
}

#[tokio::test]
async fn removed_and_back() {
    let (shop, mut live) = watched().await;
    fs::remove_file(shop.path("a.yaml")).unwrap();
    live.next().await;
    assert_eq!(live.backends(), []);
    assert_eq!(live.codes(), [codes::REFERENCE_MISSING]);
    shop.write("a.yaml", &Shop::backend("a", 1));
    live.next().await;
    assert_eq!((live.backends(), live.codes()), (one("a", 1), vec![]));
}

#[tokio::test]
async fn renamed_files_are_one_change() {
    let (shop, mut live) = watched().await;
    fs::rename(shop.path("a.yaml"), shop.path("z.yaml")).unwrap();
    live.next().await;
    assert_eq!(live.backends(), one("a", 1));
    assert!(live.last.changes.removed.is_empty(), "{:?}", live.last.changes);
    assert_eq!(live.codes(), []);
    live.nothing_but_a_rescan().await;
}

#[tokio::test]
async fn what_breaks_keeps_its_last_good_state_until_it_is_mended() {
    let (shop, mut live) = watched().await;
    let latin = "# \u{e9}\n".chars().map(|c| c as u8).collect::<Vec<u8>>();
    let breakages: [(&[u8], Code); 5] = [
        (b"apiVersion: [", crate::config::codes::NOT_YAML),
        (b"", codes::FILE_EMPTY),
        (&latin, codes::NOT_UTF8),
        (b"kind: Backend\nmetadata: {name: a}\n", crate::config::codes::NOT_AN_OBJECT),
        (
            b"apiVersion: meshctl.dev/v1alpha1\nkind: Backend\nmetadata: {name: a}\nspec: {endpint: 1}\n",
            crate::config::codes::UNKNOWN_FIELD,
        ),
    ];
    for (round, (bytes, code)) in breakages.into_iter().enumerate() {
        fs::write(shop.path("a.yaml"), bytes).unwrap();
        live.next().await;
        let port = u16::try_from(round).unwrap() + 1;
        assert_eq!(live.backends(), one("a", port), "{code}");
        assert!(live.codes().contains(&code), "{code}: {:?}", live.last.diagnostics);
        assert!(live.last.changes.upserted.is_empty(), "{code}");
        shop.write("a.yaml", &Shop::backend("a", port + 1));
        live.next().await;
        assert_eq!((live.backends(), live.codes()), (one("a", port + 1), vec![]));
    }
}

#[tokio::test]
async fn a_broken_document_holds_nothing_else_back() {
    let (shop, mut live) = watched().await;
    shop.write("a.yaml", &(Shop::backend("a", 1) + "---\nx: [\n"));
    live.next().await;
    assert_eq!(live.backends(), one("a", 1));
    shop.write("a.yaml", &(Shop::backend("a", 2) + "---\nx: [\n"));
    live.next().await;
    assert_eq!(live.backends(), one("a", 2));
    assert_eq!(live.codes(), [crate::config::codes::NOT_YAML]);
    assert_eq!(live.last.read.documents_parsed, 1, "the broken one is known by its text too");
}

#[tokio::test]
async fn a_comment_in_place_of_a_document_removes_it() {
    let (shop, mut live) = watched().await;
    shop.write("a.yaml", "# nothing here\n");
    live.next().await;
    assert_eq!(live.backends(), []);
}

#[tokio::test]
async fn lines_above_move_what_is_said_and_parse_nothing() {
    let shop = Shop::new();
    let text = Shop::backend("a", 1).replace("spec:", "spec:\n  endpint: 1");
    shop.write("a.yaml", &text);
    let mut live = Live::load(&shop);
    let line = live.last.diagnostics[0].place.line;
    live.watch().await;
    shop.write("a.yaml", &format!("# one\n# two\n{text}"));
    live.next().await;
    assert_eq!(live.last.diagnostics[0].place.line, line + 2);
    assert_eq!(live.last.read, Counters { files_read: 1, documents_parsed: 0 });
}

#[tokio::test]
async fn what_changed_before_the_watch_is_seen() {
    let shop = Shop::new();
    shop.write("gateway.yaml", &shop.gateway(&["a"]));
    shop.write("a.yaml", &Shop::backend("a", 1));
    let mut live = Live::load(&shop);
    shop.write("a.yaml", &Shop::backend("a", 2));
    live.next().await;
    assert_eq!(live.backends(), one("a", 2));
}

#[tokio::test]
async fn one_file_named_by_itself_is_watched_through_its_directory() {
    let shop = Shop::new();
    let text = |port| shop.gateway(&["a"]) + &Shop::backend("a", port);
    shop.write("only.txt", &text(1));
    let mut live = Live::inputs(&[shop.path("only.txt")]);
    live.watch().await;
    shop.write("other.yaml", "x: [");
    shop.replace("only.txt", &text(2));
    live.next().await;
    assert_eq!((live.backends(), live.codes()), (one("a", 2), vec![]));
    fs::remove_file(shop.path("only.txt")).unwrap();
    live.next().await;
    assert_eq!(live.backends(), one("a", 2), "what was named is expected to be there");
    assert_eq!(live.codes(), [codes::FILE_UNREADABLE]);
    shop.write("only.txt", &text(3));
    live.next().await;
    assert_eq!((live.backends(), live.codes()), (one("a", 3), vec![]));
}
