//! Secrets whose data stands in files.

use std::fs;
use std::sync::Arc;

use super::*;
use crate::config::raw::Spec;
use crate::model::{Kind, ObjectKey, Store};

fn secret(annotation: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: tls\n  annotations:\n    \
         meshctl.dev/from-files: {annotation}\nstringData:\n  note: written\n"
    )
}

fn value(live: &Live, key: &str) -> Option<Arc<[u8]>> {
    let object = ObjectKey::new(Store::Files, Kind::Secret, "default", "tls");
    let Spec::Secret(secret) = &live.feed.index().get(&object)?.spec else { return None };
    secret.data.get(key).map(|at| at.value.clone())
}

#[tokio::test]
async fn a_rotated_pair_is_one_change_and_parses_nothing() {
    let shop = Shop::new();
    let key = shop.path("private/key.pem");
    shop.write("conf/tls.yaml", &secret(&format!("tls.crt=../cert.pem,tls.key={}", key.display())));
    shop.write("cert.pem", "cert 1");
    shop.write("private/key.pem", "key 1");
    let mut live = Live::inputs(&[shop.path("conf")]);
    assert_eq!(live.codes(), []);
    assert_eq!(value(&live, "note").as_deref(), Some(&b"written"[..]));
    live.watch().await;
    for round in 2..5 {
        shop.replace("cert.pem", &format!("cert {round}"));
        shop.write("private/key.pem", &format!("key {round}"));
        live.next().await;
        assert_eq!(value(&live, "tls.crt").as_deref(), Some(format!("cert {round}").as_bytes()));
        assert_eq!(value(&live, "tls.key").as_deref(), Some(format!("key {round}").as_bytes()));
        assert_eq!(live.last.read.documents_parsed, 0);
    }
    live.nothing_but_a_rescan().await;
}

#[tokio::test]
async fn a_file_that_is_gone_or_too_large_keeps_the_last_good_state() {
    let shop = Shop::new();
    shop.write("tls.yaml", &secret("tls.crt=cert.pem"));
    let mut live = Live::load(&shop);
    assert_eq!(live.codes(), [codes::FROM_FILES]);
    assert_eq!(live.last.diagnostics[0].place.line, 4, "the object's name");
    assert_eq!(value(&live, "note"), None, "it was never whole");
    live.watch().await;
    shop.write("cert.pem", "cert 1");
    live.next().await;
    assert_eq!(live.codes(), []);
    assert_eq!(value(&live, "tls.crt").as_deref(), Some(&b"cert 1"[..]));
    for wrong in
        [None, Some(vec![b'x'; limits::DATA_BYTES + 1]), Some(vec![b'x'; limits::DATA_BYTES])]
    {
        match wrong {
            None => fs::remove_file(shop.path("cert.pem")).unwrap(),
            Some(bytes) => fs::write(shop.path("cert.pem"), bytes).unwrap(),
        }
        live.next().await;
        assert_eq!(live.codes(), [codes::FROM_FILES]);
        assert_eq!(value(&live, "tls.crt").as_deref(), Some(&b"cert 1"[..]));
    }
    shop.write("cert.pem", "cert 2");
    live.next().await;
    assert_eq!(live.codes(), []);
    assert_eq!(value(&live, "tls.crt").as_deref(), Some(&b"cert 2"[..]));
}

#[tokio::test]
async fn an_annotation_that_is_gone_is_watched_no_more() {
    let shop = Shop::new();
    shop.write("conf/tls.yaml", &secret("tls.crt=../cert.pem"));
    shop.write("cert.pem", "cert 1");
    let mut live = Live::inputs(&[shop.path("conf")]);
    live.watch().await;
    shop.write("conf/tls.yaml", "# nothing\n");
    live.next().await;
    assert_eq!(value(&live, "tls.crt"), None);
    shop.write("cert.pem", "cert 2");
    live.nothing_but_a_rescan().await;
}
