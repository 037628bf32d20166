use serde_json::json;

use super::{patch, percents};
use crate::rollout::route::RouteError;
use crate::rollout::route::tests::{patched, route, service};

#[test]
fn there_and_back() {
    let to = service("v2");
    let mut with_filters = route(&["v1", "v1"]);
    with_filters["spec"]["rules"][1]["filters"] =
        json!([{"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["x"]}}]);
    for before in [route(&["v1"]), with_filters] {
        let there = patched(&before, &patch(&before, None, &to, 20).expect("it fits"));
        let all = percents(&there, None, &to).unwrap();
        assert!(all.iter().all(|percent| *percent == Some(20)), "{there}");
        let more = patched(&there, &patch(&there, None, &to, 35).expect("it fits"));
        let all = percents(&more, None, &to).unwrap();
        assert!(all.iter().all(|percent| *percent == Some(35)), "{more}");
        assert!(patch(&more, None, &to, 35).expect("it fits").0.is_empty());
        let back = patched(&more, &patch(&more, None, &to, 0).expect("it fits"));
        assert_eq!(back, before);
    }
}

#[test]
fn a_fraction_becomes_a_percentage() {
    let to = service("v2");
    let mut before = route(&["v1"]);
    before["spec"]["rules"][0]["filters"] = json!([{
        "type": "RequestMirror",
        "requestMirror": {
            "backendRef": {"name": "v2", "port": 80},
            "fraction": {"numerator": 1, "denominator": 3},
        },
    }]);
    let after = patched(&before, &patch(&before, None, &to, 5).expect("it fits"));
    let mirror = &after["spec"]["rules"][0]["filters"][0]["requestMirror"];
    assert_eq!(*mirror, json!({"backendRef": {"name": "v2", "port": 80}, "percent": 5}));
}

#[test]
fn somebody_elses_copy_stays() {
    let mut before = route(&["v1"]);
    before["spec"]["rules"][0]["filters"] = json!([
        {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "v3", "port": 80}}},
    ]);
    assert!(patch(&before, None, &service("v2"), 0).expect("it fits").0.is_empty());
    let after = patched(&before, &patch(&before, None, &service("v2"), 10).expect("it fits"));
    assert_eq!(percents(&after, None, &service("v3")).unwrap(), [Some(100)]);
    assert_eq!(percents(&after, None, &service("v2")).unwrap(), [Some(10)]);
}

#[test]
fn a_rule_that_is_not_there() {
    let error = patch(&route(&["v1"]), Some("cart"), &service("v2"), 10);
    assert_eq!(error.expect_err("no such rule"), RouteError::NoSuchRule("cart".to_owned()));
}

#[test]
fn a_filter_that_came_meanwhile_is_not_overwritten() {
    let before = route(&["v1"]);
    let patch = patch(&before, None, &service("v2"), 10).expect("it fits");
    let mut edited = before.clone();
    edited["spec"]["rules"][0]["filters"] = json!([{"type": "RequestRedirect"}]);
    let kept = edited.clone();
    assert!(json_patch::patch(&mut edited, &patch).is_err());
    assert_eq!(edited, kept);
}
