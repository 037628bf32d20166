//! Many files, many documents: the work follows the change.

use super::*;

#[tokio::test]
async fn an_edit_among_ten_thousand_documents_parses_one() {
    let shop = Shop::new();
    shop.write("gateway.yaml", &shop.gateway(&["b7"]));
    let text = |port: u16| -> String {
        (0..10_000)
            .map(|n| Shop::backend(&format!("b{n}"), if n == 7 { port } else { 1 }))
            .collect()
    };
    shop.write("all.yaml", &text(1));
    let mut live = Live::load(&shop);
    assert_eq!(live.last.read.documents_parsed, 10_002);
    assert_eq!(live.backends(), one("b7", 1));
    live.watch().await;
    shop.replace("all.yaml", &text(2));
    live.next().await;
    assert_eq!(live.last.read, Counters { files_read: 1, documents_parsed: 1 });
    assert!(live.last.lowered.parts_lowered < 10, "{:?}", live.last.lowered);
    assert_eq!(live.last.changes.upserted.len(), 1);
    assert_eq!(live.backends(), one("b7", 2));
}

#[tokio::test]
async fn two_thousand_files_and_one_edit() {
    let shop = Shop::new();
    shop.write("gateway.yaml", &shop.gateway(&["b77"]));
    for n in 0..2_000 {
        shop.write(&format!("{}/b{n}.yaml", n % 40), &Shop::backend(&format!("b{n}"), 1));
    }
    let mut live = Live::load(&shop);
    assert_eq!(live.last.read, Counters { files_read: 2_001, documents_parsed: 2_002 });
    live.watch().await;
    shop.write("37/b77.yaml", &Shop::backend("b77", 2));
    live.next().await;
    assert_eq!(live.last.read, Counters { files_read: 1, documents_parsed: 1 });
    assert_eq!(live.backends(), one("b77", 2));
    // All of them at once, as a checkout of another branch does.
    for n in 0..2_000 {
        shop.write(&format!("{}/b{n}.yaml", n % 40), &Shop::backend(&format!("b{n}"), 3));
    }
    let mut read = 0;
    while read < 2_000 {
        live.next().await;
        read += live.last.read.files_read;
    }
    assert_eq!(live.backends(), one("b77", 3));
}
