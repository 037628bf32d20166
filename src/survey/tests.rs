#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use serde_json::{Value, json};

use super::proxies::State;
use super::*;
use crate::cluster::Ran;
use crate::controller::picture::{Connected, Counts, Picture};
use crate::install::State as Judged;
use crate::manifest::install::{Settings, objects};

fn pod(name: &str, status: Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": {
            "gateway.networking.k8s.io/gateway-name": "front"}},
        "spec": {"containers": [{"image": "r.example.com/meshctl:1"}]},
        "status": status,
    })
}

fn running(ready: &str) -> Value {
    json!({
        "phase": "Running",
        "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": ready}],
        "containerStatuses": [{"state": {"running": {}}}],
    })
}

fn waiting(reason: &str) -> Value {
    json!({"phase": "Pending", "containerStatuses": [
        {"state": {"waiting": {"reason": reason, "message": "why"}}}]})
}

fn connected(name: &str, since: u64, acknowledged: u64) -> Connected {
    Connected {
        name: format!("shop/{name}"),
        gateway: "shop/front".into(),
        version: "1.2.3".into(),
        connected_since: since,
        generation: Some(7),
        answered: Some(acknowledged),
        acknowledged: Some(acknowledged),
        trouble: None,
        report: Some(Counts { requests: 9, errors: 1, connections: 2 }),
    }
}

fn picture(name: &str, proxies: Vec<Connected>) -> Picture {
    Picture { name: name.into(), proxies, ..Picture::default() }
}

fn asked(pictures: Vec<Picture>, silent: &[&str]) -> Replicas {
    let silent = silent.iter().map(|name| ((*name).to_owned(), "why".to_owned())).collect();
    Replicas { pictures, silent }
}

/// It may talk to the one that was silent.
#[test]
fn nobody_is_called_lonely_before_all_were_asked() {
    let pods = [pod("a", running("True")), pod("b", running("True"))];
    let one = || vec![picture("one", vec![connected("a", 1, 7)])];
    let states = |replicas: &Replicas| -> Vec<State> {
        join(&pods, replicas).iter().map(|proxy| proxy.state).collect()
    };
    assert_eq!(states(&asked(one(), &[])), [State::Synced, State::NotConnected]);
    assert_eq!(states(&asked(one(), &["two"])), [State::Synced, State::Unknown]);
    assert_eq!(states(&asked(vec![], &[])), [State::Unknown, State::Unknown]);
    assert!(!State::Unknown.is_good());
}

#[test]
fn pods_and_what_the_controllers_know_are_one_table() {
    let pods = [
        pod("synced", running("True")),
        pod("behind", running("True")),
        pod("refused", running("True")),
        pod("moved", running("True")),
        pod("image", waiting("ErrImagePull")),
        pod("new", waiting("ContainerCreating")),
        pod("unready", running("False")),
        pod("alone", running("True")),
        pod("evicted", json!({"phase": "Failed"})),
    ];
    let refused =
        Connected { trouble: Some("port 80 is taken".into()), ..connected("refused", 1, 6) };
    // One of the two is a line that broke, which its replica doesn't know yet.
    let one = picture("one", vec![connected("synced", 1, 7), connected("moved", 9, 7), refused]);
    let two = picture("two", vec![connected("behind", 1, 6), connected("moved", 3, 2)]);
    let gone = picture("three", vec![connected("gone", 1, 7)]);
    let seen = join(&pods, &asked(vec![one, two, gone], &[]));
    let states: Vec<_> = seen.iter().map(|proxy| (proxy.name.as_str(), proxy.state)).collect();
    assert_eq!(
        states,
        [
            ("shop/alone", State::NotConnected),
            ("shop/behind", State::Behind),
            ("shop/image", State::Starting),
            ("shop/moved", State::Synced),
            ("shop/new", State::Starting),
            ("shop/refused", State::Refused),
            ("shop/synced", State::Synced),
            ("shop/unready", State::NotReady),
        ]
    );
    assert!(seen.iter().all(|proxy| proxy.gateway == "shop/front"), "{seen:?}");
    let trouble = |at: usize| seen[at].trouble.as_deref();
    assert_eq!((trouble(2), trouble(5)), (Some("ErrImagePull: why"), Some("port 80 is taken")));
    assert!(trouble(7).unwrap().contains("kubectl -n shop logs unready"));
    assert_eq!(seen[3].controller.as_deref(), Some("one"));
    assert_eq!(seen[6].report.unwrap().requests, 9);
}

#[test]
fn one_that_was_told_to_end_is_nobodys_trouble() {
    let mut leaving = pod("leaving", running("False"));
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    let known = picture("one", vec![connected("leaving", 1, 3)]);
    for pictures in [vec![], vec![known]] {
        let seen = join(&[leaving.clone()], &asked(pictures, &[]));
        assert_eq!(seen[0].state, State::Ending);
        assert!(seen[0].state.is_good());
    }
}

#[test]
fn an_answer_is_json_and_the_rest_are_words() {
    let ran = |code: i32, stdout: &str, stderr: &str| {
        let (stdout, stderr) = (stdout.as_bytes().to_vec(), stderr.to_owned());
        replicas::answer(&Ran { code, stdout, stderr })
    };
    // Not ready, and says so.
    assert_eq!(ran(1, "{\"a\": 1}", ""), Asked::Answer(json!({"a": 1})));
    let tip = "error: no proxy runs here\n\n  tip: look elsewhere\n";
    let Asked::Refused(why) = ran(2, "", "error: unrecognized subcommand") else { panic!() };
    assert!(why.contains("another version"), "{why}");
    assert_eq!(ran(4, "", tip), Asked::Refused("no proxy runs here".into()));
    assert_eq!(
        ran(137, "", ""),
        Asked::Refused("it ended with exit code 137 and said nothing".into())
    );
}

#[test]
fn every_right_of_the_roles_is_asked_for() {
    let settings = Settings {
        version: "1".into(),
        image: "meshctl:1".into(),
        image_pull_secret: None,
        replicas: 2,
        arguments: Vec::new(),
        service_type: None,
    };
    let needed: Vec<String> = rights::needed(&objects(&settings))
        .iter()
        .map(|one| format!("{one} {:?} {:?}", one.name.as_deref(), one.namespace.as_deref()))
        .collect();
    for expected in [
        "watch httproutes.gateway.networking.k8s.io None None",
        "patch gateways.gateway.networking.k8s.io/status None None",
        "get secrets None None",
        "update leases.coordination.k8s.io Some(\"meshctl-controller\") Some(\"meshctl-system\")",
        "create tokenreviews.authentication.k8s.io None None",
    ] {
        assert!(needed.iter().any(|one| one == expected), "{expected}: {needed:#?}");
    }
    // What people get by aggregation isn't the controller's.
    let of_people = "delete trafficrollouts.meshctl.dev None None";
    assert!(!needed.iter().any(|one| one == of_people), "{needed:#?}");
}

#[test]
fn certificates_are_told_about_in_time() {
    const DAY: i64 = 86_400;
    let pem = |lasts: i64| {
        let mut parameters = rcgen::CertificateParams::new(vec!["shop.example".into()]).unwrap();
        let from = x509_parser::time::ASN1Time::from_timestamp(1_000 * DAY).unwrap().to_datetime();
        parameters.not_before = from;
        parameters.not_after = from + Duration::from_secs((lasts * DAY).cast_unsigned());
        let key = rcgen::KeyPair::generate().unwrap();
        parameters.self_signed(&key).unwrap().pem()
    };
    let check = |lasts: i64, day: i64, expected: Option<(Judged, &str)>| {
        let need = certificates::judge("shop/tls", pem(lasts).as_bytes(), (1_000 + day) * DAY);
        match (need, expected) {
            (None, None) => {}
            (Some(need), Some((state, part))) => {
                assert_eq!(need.state, state, "{need:?}");
                assert!(need.found.contains(part), "{need:?}");
                assert_eq!(need.what, "certificate shop/tls");
            }
            (need, expected) => panic!("{lasts} {day}: {need:?} and not {expected:?}"),
        }
    };
    check(365, 300, None);
    check(365, 340, Some((Judged::Warning, "in 25 days")));
    check(365, 366, Some((Judged::Wrong, "expired on 1973-09-27")));
    check(365, -1, Some((Judged::Wrong, "not valid before 1972-09-27")));
    // What lasts 90 days is renewed when 30 are left, and not earlier.
    check(90, 59, None);
    check(90, 61, Some((Judged::Warning, "in 29 days")));
    // Of a short one a third is left.
    check(6, 3, None);
    check(6, 5, Some((Judged::Warning, "in 1 days")));
    assert_eq!(certificates::judge("x", b"no PEM", 0), None);
}

#[test]
fn whoever_holds_the_lease_is_alive() {
    let controllers = [pod("a", running("True"))];
    let judged =
        |holder: Value| health::leader(&json!({"spec": {"holderIdentity": holder}}), &controllers);
    assert_eq!(judged("a".into()).state, Judged::Good);
    for (holder, part) in [
        (json!(""), "nobody holds"),
        (Value::Null, "nobody"),
        (json!("b"), "b holds the Lease and is gone"),
    ] {
        let need = judged(holder);
        assert_eq!(need.state, Judged::Wrong);
        assert!(need.found.contains(part), "{need:?}");
    }
    assert_eq!(health::leader(&Value::Null, &controllers).state, Judged::Wrong);
}

#[test]
fn a_pod_without_its_image_says_what_to_do() {
    assert_eq!(health::start(&pod("a", running("True")), "meshctl:1"), None);
    let need = health::start(&pod("a", waiting("ImagePullBackOff")), "meshctl:1").unwrap();
    assert_eq!((need.what.as_str(), need.state), ("Pod shop/a", Judged::Wrong));
    for part in ["meshctl image save --tag r.example.com/meshctl:1", "--image-pull-secret"] {
        assert!(need.advice.contains(part), "{need:?}");
    }
}

#[test]
fn a_gateway_without_an_address_says_what_to_do() {
    let judged = |status: Value| {
        health::gateway(&json!({"kind": "Gateway",
            "metadata": {"name": "front", "namespace": "shop"}, "status": status}))
    };
    let condition = |status: &str, reason: &str, message: &str| {
        json!([{"type": "Accepted", "status": "True"},
            {"type": "Programmed", "status": status, "reason": reason, "message": message}])
    };
    let address = json!([{"value": "10.0.0.1"}]);
    let good = condition("True", "Programmed", "");
    assert_eq!(judged(json!({"conditions": good, "addresses": address})), None);
    let none =
        judged(json!({"conditions": condition("False", "AddressNotAssigned", "nobody gives it")}));
    let none = none.unwrap();
    assert_eq!(none.what, "Gateway shop/front");
    assert!(none.found.contains("no address: nobody gives it"), "{none:?}");
    assert!(none.advice.contains("--service-type ClusterIP"), "{none:?}");
    let broken = condition("False", "NoResources", "no pod");
    let broken = judged(json!({"conditions": broken, "addresses": address})).unwrap();
    assert_eq!(broken.found, "NoResources: no pod");
    let waits = judged(json!({"conditions": condition("Unknown", "Pending", "Waiting")})).unwrap();
    assert_eq!(waits.found, "no controller has looked at it");
    assert_eq!(judged(json!({})).unwrap().found, "no controller has looked at it");
}

#[test]
fn fleets_of_another_version_are_told() {
    let fleet =
        |version: &str| json!({"metadata": {"annotations": {"meshctl.dev/version": version}}});
    let good = health::fleets(&[fleet("1.0.0"), fleet("1.0.0")], "1.0.0");
    assert_eq!((good.state, good.found.as_str()), (Judged::Good, "deployments: 2 of 1.0.0"));
    assert_eq!(health::fleets(&[], "1.0.0").state, Judged::Good);
    let mixed = health::fleets(&[fleet("1.0.0"), fleet("0.9.0")], "1.0.0");
    assert_eq!(mixed.state, Judged::Warning);
    assert!(mixed.found.starts_with("deployments: 1 of 0.9.0, 1 of 1.0.0"), "{mixed:?}");
}
