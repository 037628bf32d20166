use proptest::prelude::*;

use super::*;
use crate::config::Diagnostic;
use crate::config::address::{bind, endpoint};
use crate::config::flags::{Options, target};
use crate::config::index::{Content, Index};
use crate::config::lower::Lowering;
use crate::model::{Part, PartKey, PartKind};

fn quick(listen: &[&str], to: &[&str]) -> Result<Quick, QuickError> {
    let listen: Vec<_> = listen.iter().map(|text| bind(text).expect(text)).collect();
    let to: Vec<_> = to.iter().map(|text| target(text).expect(text)).collect();
    Quick::new(&listen, &to)
}

fn documents(quick: &Quick) -> Vec<Value> {
    let text = quick.yaml();
    text.split("---\n").map(|document| serde_yaml::from_str(document).expect(document)).collect()
}

/// Parts and diagnostics of `objects`.
fn lower(objects: Vec<Object>, file: &str) -> (BTreeMap<PartKey, Part>, Vec<Diagnostic>) {
    let mut index = Index::new();
    let contents = objects.into_iter().map(|object| Content::Good(object.into())).collect();
    index.replace(&file.into(), contents, Vec::new());
    let mut lowering = Lowering::new(Options::default());
    let lowered = lowering.commit(&mut index, 0);
    let parts = lowering.parts().map(|part| (part.key().clone(), part.clone())).collect();
    (parts, lowered.diagnostics)
}

#[test]
fn targets_become_backends_with_their_weights() {
    let quick = quick(&["[::1]:81"], &["a:1=90", "unix:/b: c=10"]).expect("served");
    let [gateway, route, first, second] = documents(&quick).try_into().expect("four documents");
    assert_eq!(gateway["spec"]["addresses"][0]["value"], "::1");
    assert_eq!(gateway["spec"]["listeners"][0]["port"], 81);
    assert_eq!(route["spec"]["rules"][0]["backendRefs"][0]["weight"], 90);
    assert_eq!(route["spec"]["rules"][0]["backendRefs"][1]["name"], second["metadata"]["name"]);
    assert_eq!(first["spec"]["endpoints"], json!(["a:1"]));
    assert_eq!(second["spec"]["endpoints"], json!(["unix:/b: c"]));
}

#[test]
fn what_nobody_says_has_its_default() {
    let quick = quick(&[], &[]).expect("served");
    let [gateway, route, only] = documents(&quick).try_into().expect("three documents");
    assert_eq!(gateway["spec"].get("addresses"), None);
    assert_eq!(gateway["spec"]["listeners"][0]["port"], 8080);
    assert_eq!(route["spec"]["rules"][0]["backendRefs"][0].get("weight"), None);
    assert_eq!(only["spec"]["endpoints"], json!(["localhost:3000"]));
}

#[test]
fn every_address_has_its_gateway_and_every_gateway_its_route() {
    let quick = quick(&["[::1]:81", ":80", ":443", "*:80"], &[]).expect("served");
    let [any, one, route, _] = documents(&quick).try_into().expect("four documents");
    let ports = |gateway: &Value| -> Vec<u64> {
        let listeners = gateway["spec"]["listeners"].as_array().expect("listeners");
        listeners.iter().filter_map(|listener| listener["port"].as_u64()).collect()
    };
    assert_eq!((ports(&any), ports(&one)), (vec![80, 443], vec![81]));
    assert_eq!(any["spec"]["listeners"][1]["name"], "http-443");
    assert_eq!(one["spec"]["addresses"][0]["value"], "::1");
    assert_eq!(route["spec"]["parentRefs"], json!([any["metadata"], one["metadata"]]));
}

#[test]
fn the_flags_are_a_whole_mesh() {
    let quick =
        quick(&[":8080", "[::1]:9090", "[::]:7070"], &["localhost:3000=90", "10.0.0.1:1=10"]);
    let (parts, diagnostics) = lower(quick.expect("served").objects(), "");
    assert_eq!(diagnostics, []);
    let mut binds = Vec::new();
    for part in parts.values() {
        match part {
            Part::Listener(listener) => binds.push(listener.bind.to_string()),
            Part::Rule(rule) => {
                let weights: Vec<u32> = rule.backends.iter().map(|one| one.weight).collect();
                assert_eq!(weights, [90, 10]);
                assert_eq!(rule.attachments.len(), 3);
            }
            _ => {}
        }
    }
    binds.sort();
    assert_eq!(binds, ["*:7070", "*:8080", "[::1]:9090"]);
    let count = |kind| parts.keys().filter(|key| key.part == kind).count();
    assert_eq!((count(PartKind::Backend), count(PartKind::EndpointSet)), (2, 2));
}

/// What `meshctl init` writes and what the flags serve differ in the store that is in their keys,
/// and in nothing else.
#[test]
fn a_file_that_init_wrote_is_what_the_flags_serve() {
    let quick = quick(&[":8080", "127.0.0.1:81"], &["a:1=90", "unix:/b: c=10"]).expect("served");
    let (text, file, mut diagnostics) = (quick.yaml(), Arc::from("gateway.yaml"), Vec::new());
    let written: Vec<Object> = yaml::documents(&text)
        .flat_map(|one| decode::read(&one, &file, Store::Files, &mut diagnostics).flatten())
        .map(|decoded| match decoded {
            Decoded::Object(object) => *object,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(diagnostics, []);
    let (from_file, wrong) = lower(written, "gateway.yaml");
    assert_eq!(wrong, []);
    let (from_flags, wrong) = lower(quick.objects(), "");
    assert_eq!(wrong, []);
    let shown = |parts: &BTreeMap<PartKey, Part>| -> Vec<String> {
        let in_files = |part| format!("{part:?}").replace("Flags", "Files");
        parts.values().map(in_files).collect()
    };
    assert_eq!(shown(&from_file), shown(&from_flags));
    assert_eq!(from_file.len(), 2 + 1 + 2 + 2);
}

#[test]
fn what_the_api_has_no_room_for_is_refused() {
    let ports = |count: u16| (1..=count).map(|port| format!(":{port}")).collect::<Vec<_>>();
    let ips = |count: u16| (1..=count).map(|ip| format!("127.0.0.{ip}:80")).collect::<Vec<_>>();
    let targets = |count: u16| (1..=count).map(|port| format!("a:{port}")).collect::<Vec<_>>();
    let check = |listen: &[String], to: &[String], expected: Option<QuickError>| {
        let listen: Vec<&str> = listen.iter().map(String::as_str).collect();
        let to: Vec<&str> = to.iter().map(String::as_str).collect();
        match quick(&listen, &to) {
            Ok(quick) => {
                assert_eq!(expected, None);
                assert_eq!(lower(quick.objects(), "").1, []);
            }
            Err(error) => {
                assert_eq!(Some(error), expected);
                assert!(!error.to_string().ends_with('.'));
            }
        }
    };
    check(&ports(64), &targets(16), None);
    check(&ips(32), &targets(16), None);
    check(&ports(65), &[], Some(QuickError::TooManyPorts));
    check(&ips(33), &[], Some(QuickError::TooManyAddresses));
    check(&[], &targets(17), Some(QuickError::TooManyTargets));
    check(&[], &["a:1=0".to_owned(), "b:1=0".to_owned()], Some(QuickError::NoWeight));
}

proptest! {
    /// Whatever is an address is written so that it is read again.
    #[test]
    fn every_target_survives_its_file(text in prop_oneof!["unix:/\\PC{0,40}", "unix:@.{1,20}", "[a-zA-Z0-9_.-]{1,12}:[0-9]{1,5}"]) {
        if let Ok(address) = endpoint(&text) {
            let quick = Quick::new(&[], &[Target { address: address.clone(), weight: 1 }]).expect("served");
            let (parts, diagnostics) = lower(quick.objects(), "");
            prop_assert_eq!(diagnostics, []);
            let read: Vec<Address> = parts
                .values()
                .filter_map(|part| match part {
                    Part::EndpointSet(set) => Some(set.endpoints[0].address.clone()),
                    _ => None,
                })
                .collect();
            prop_assert_eq!(read, [address]);
        }
    }
}
