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

/// PEM of a certificate and of its key.
fn pair() -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["shop.example".to_owned()]).unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

#[tokio::test]
async fn a_pair_that_is_replaced_in_two_steps_is_served_until_it_is_whole() {
    let shop = Shop::new();
    let gateway =
        shop.gateway(&[]).replace("HTTP\n", "HTTPS\n    tls: {certificateRefs: [{name: tls}]}\n");
    shop.write("conf/gateway.yaml", &gateway);
    shop.write("conf/tls.yaml", &secret("tls.crt=../cert.pem,tls.key=../key.pem"));
    let (pairs, entries) = ([pair(), pair(), pair()], ["tls.crt", "tls.key"]);
    let write = |name: &str, text: &str| shop.replace(name, text);
    write("cert.pem", &pairs[0].0);
    write("key.pem", &pairs[0].1);
    let mut live = Live::inputs(&[shop.path("conf")]);
    let certificates = |live: &Live| {
        let of_kind = |part: &&Part| matches!(part, Part::Certificate(_));
        live.parts.values().filter(of_kind).cloned().collect::<Vec<_>>()
    };
    let first = certificates(&live);
    assert_eq!((first.len(), live.codes()), (1, vec![]));
    live.watch().await;
    let held = |live: &Live, pair: &(String, String)| {
        let values = entries.map(|entry| value(live, entry).unwrap());
        assert_eq!(values, [pair.0.as_bytes().into(), pair.1.as_bytes().into()]);
    };
    // The certificate first, then a stranger's key, then what is no key, then the right one.
    write("cert.pem", &pairs[1].0);
    for wrong in [None, Some(&*pairs[2].1), Some("-----BEGIN")] {
        if let Some(key) = wrong {
            write("key.pem", key);
        }
        live.next().await;
        assert_eq!(live.codes(), [codes::CERTIFICATE_INVALID], "{:?}", live.last.diagnostics);
        held(&live, &pairs[0]);
        assert_eq!(certificates(&live), first);
    }
    write("key.pem", &pairs[1].1);
    live.next().await;
    assert_eq!(live.codes(), []);
    held(&live, &pairs[1]);
    assert_ne!(certificates(&live), first);
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
