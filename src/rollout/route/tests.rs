use json_patch::Patch;
use serde_json::{Value, json};

use super::{Destination, RouteError, Weights};

pub(in crate::rollout) fn service(name: &str) -> Destination {
    Destination {
        group: String::new(),
        kind: "Service".to_owned(),
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        port: Some(80),
    }
}

/// A route with one rule per list of backends: `v1`, or `v1=90`.
pub(in crate::rollout) fn route(rules: &[&str]) -> Value {
    let backend = |text: &str| match text.split_once('=') {
        Some((name, weight)) => {
            json!({"name": name, "port": 80, "weight": weight.parse::<u32>().expect("a number")})
        }
        None => json!({"name": text, "port": 80}),
    };
    let rule =
        |text: &&str| json!({"backendRefs": text.split(' ').map(backend).collect::<Vec<_>>()});
    json!({
        "metadata": {"name": "shop", "namespace": "shop"},
        "spec": {"rules": rules.iter().map(rule).collect::<Vec<_>>()},
    })
}

/// The rules in the same words.
pub(in crate::rollout) fn shown(route: &Value) -> Vec<String> {
    let backend = |one: &Value| match one["weight"].as_u64() {
        Some(weight) => format!("{}={weight}", one["name"].as_str().expect("a name")),
        None => one["name"].as_str().expect("a name").to_owned(),
    };
    let rules = route["spec"]["rules"].as_array().expect("rules");
    let refs = |rule: &Value| rule["backendRefs"].as_array().expect("backends").clone();
    rules.iter().map(|rule| refs(rule).iter().map(backend).collect::<Vec<_>>().join(" ")).collect()
}

pub(in crate::rollout) fn patched(route: &Value, patch: &Patch) -> Value {
    let mut route = route.clone();
    json_patch::patch(&mut route, patch).expect("the patch fits");
    route
}

fn shift(rules: &[&str], percent: u32) -> Result<Vec<String>, RouteError> {
    let (route, stable, canary) = (route(rules), service("v1"), service("v2"));
    let weights = Weights::read(&route, None, &stable)?.shifted(&stable, &canary, percent)?;
    Ok(shown(&patched(&route, &weights.patch(&route, &canary)?)))
}

#[test]
fn a_canary_is_added_where_the_stable_one_is() {
    assert_eq!(shift(&["v1", "other"], 0), Ok(vec!["v1=100 v2=0".into(), "other".into()]));
    assert_eq!(shift(&["v1=1"], 10), Ok(vec!["v1=90 v2=10".into()]));
    assert_eq!(
        shift(&["v2=5 v1=1", "v1"], 100),
        Ok(vec!["v2=100 v1=0".into(), "v1=0 v2=100".into()])
    );
}

#[test]
fn others_keep_their_shares_exactly() {
    assert_eq!(shift(&["v1=1 other=1"], 10), Ok(vec!["v1=90 other=100 v2=10".into()]));
    assert_eq!(shift(&["v1=50 other=50 v2=0"], 5), Ok(vec!["v1=95 other=100 v2=5".into()]));
    assert_eq!(shift(&["v1=200 other"], 1), Ok(vec!["v1=198 other v2=2".into()]));
    // Nothing is split, so nothing has to grow.
    assert_eq!(shift(&["v1=7 other=999999"], 0), Ok(vec!["v1=7 other=999999 v2=0".into()]));
    assert_eq!(shift(&["v1=7 other=999999"], 100), Ok(vec!["v1=0 other=999999 v2=7".into()]));
}

#[test]
fn what_cannot_be_done_is_said() {
    assert_eq!(shift(&["other"], 1), Err(RouteError::NoStable(service("v1"))));
    assert_eq!(shift(&["v1=0 v2=0"], 1), Err(RouteError::NoTraffic { rule: 0 }));
    assert_eq!(shift(&["v1=999999 other=1"], 1), Err(RouteError::TooFine { rule: 0 }));
    let full = ["v1"].into_iter().chain(std::iter::repeat_n("v3", 15)).collect::<Vec<_>>();
    assert_eq!(shift(&["v1", &full.join(" ")], 1), Err(RouteError::Full { rule: 1 }));
    assert!(shift(&[&full[..15].join(" ")], 1).is_ok());
    let error = Weights::read(&route(&["v1"]), Some("cart"), &service("v1"));
    assert_eq!(error, Err(RouteError::NoSuchRule("cart".to_owned())));
}

#[test]
fn a_port_that_is_not_named_is_any() {
    let stable = Destination { port: None, ..service("v1") };
    assert!(Weights::read(&route(&["v1"]), None, &stable).is_ok());
    let other = Destination { port: Some(81), ..service("v1") };
    assert_eq!(Weights::read(&route(&["v1"]), None, &other), Err(RouteError::NoStable(other)));
}

#[test]
fn two_versions_are_two_backends() {
    let (any, second) = (
        Destination { port: None, ..service("v1") },
        Destination { port: Some(81), ..service("v1") },
    );
    let weights = Weights::read(&route(&["v1"]), None, &any).expect("it is there");
    assert_eq!(weights.shifted(&any, &second, 5), Err(RouteError::SameVersion(any.clone())));
    assert_eq!(weights.shifted(&second, &any, 5), Err(RouteError::SameVersion(second.clone())));
    let weights = weights.shifted(&service("v1"), &second, 5).expect("their ports differ");
    assert_eq!(weights.0[0].backends.iter().map(|one| one.weight()).sum::<u32>(), 100);
}

/// One leader stalls between its two writes, the next one writes and takes it back.
#[test]
fn what_was_meant_for_a_route_of_long_ago_is_not_written() {
    let (stable, canary) = (service("v1"), service("v2"));
    let at = |generation: u32| {
        let mut route = route(&["v1=100 v2=0"]);
        route["metadata"]["generation"] = json!(generation);
        route
    };
    let weights = Weights::read(&at(1), None, &stable).expect("it is there");
    let patch = weights.shifted(&stable, &canary, 20).and_then(|to| to.patch(&at(1), &canary));
    let patch = patch.expect("it fits");
    assert_eq!(shown(&patched(&at(1), &patch)), ["v1=80 v2=20"]);
    assert!(json_patch::patch(&mut at(3), &patch).is_err());
    assert!(weights.patch(&at(1), &canary).expect("it fits").0.is_empty());
}

#[test]
fn one_rule_alone() {
    let mut route = route(&["v1", "v1"]);
    route["spec"]["rules"][1]["name"] = json!("cart");
    let (stable, canary) = (service("v1"), service("v2"));
    let weights = Weights::read(&route, Some("cart"), &stable).expect("it is there");
    let weights = weights.shifted(&stable, &canary, 20).expect("it can be split");
    let patch = weights.patch(&route, &canary).expect("nothing changed");
    assert_eq!(shown(&patched(&route, &patch)), ["v1", "v1=80 v2=20"]);
}

#[test]
fn the_way_back_leaves_nothing() {
    let (stable, canary) = (service("v1"), service("v2"));
    for rules in [&["v1", "v1=3 other=4"][..], &["v2=0 v1=7"], &["v1=1"]] {
        let before = route(rules);
        let original = Weights::read(&before, None, &stable).expect("it is there");
        for percent in [0, 1, 50, 100] {
            let to = original.shifted(&stable, &canary, percent).expect("it can be split");
            let there = patched(&before, &to.patch(&before, &canary).expect("nothing changed"));
            assert_eq!(Weights::read(&there, None, &stable).expect("it is there"), to);
            assert!(original.patchable_from(&to, &canary));
            let back = original.patch(&there, &canary).expect("nothing changed");
            assert_eq!(patched(&there, &back), before, "{rules:?} {percent}%");
            assert!(to.patch(&there, &canary).expect("nothing changed").0.is_empty());
        }
    }
}

#[test]
fn a_patch_never_overwrites_what_somebody_else_wrote() {
    let (stable, canary) = (service("v1"), service("v2"));
    let before = route(&["v1=90 v2=10"]);
    let weights = Weights::read(&before, None, &stable).expect("it is there");
    let patch = weights.shifted(&stable, &canary, 20).and_then(|to| to.patch(&before, &canary));
    let mut edited = route(&["v1=50 v2=50"]);
    assert!(json_patch::patch(&mut edited, &patch.expect("it fits")).is_err());
    assert_eq!(edited, route(&["v1=50 v2=50"]));
    // A backend that somebody else has added isn't ours to remove.
    let original = Weights::read(&route(&["v1"]), None, &stable).expect("it is there");
    let others = route(&["v1=1 v3=1"]);
    assert_eq!(original.patch(&others, &canary), Err(RouteError::Changed));
}

#[test]
fn what_an_api_server_fills_in_is_no_edit() {
    let stable = service("v1");
    let written = Weights::read(&route(&["v1 v2"]), None, &stable).expect("it is there");
    let served = Weights::read(&route(&["v1=1 v2=1"]), None, &stable).expect("it is there");
    assert!(written.same(&served));
    assert!(
        !written.same(&Weights::read(&route(&["v1 v2=2"]), None, &stable).expect("it is there"))
    );
}
