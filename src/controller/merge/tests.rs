use super::*;

const EARLIER: &str = "2026-01-01T00:00:00Z";
const NOW: &str = "2026-02-02T00:00:00Z";

fn condition(name: &str, status: &str) -> Value {
    json!({ "type": name, "status": status, "reason": name, "message": "", "observedGeneration": 1 })
}

fn at(mut condition: Value, time: &str) -> Value {
    condition["lastTransitionTime"] = time.into();
    condition
}

fn parent(controller: &str, name: &str, condition: &Value) -> Value {
    json!({
        "parentRef": { "name": name }, "controllerName": controller, "conditions": [condition],
    })
}

#[test]
fn a_condition_that_says_the_same_keeps_its_time() {
    let current = json!({ "conditions": [
        at(condition("Accepted", "True"), EARLIER), at(condition("Programmed", "False"), EARLIER),
    ]});
    let desired = json!({ "conditions": [
        condition("Accepted", "True"), condition("Programmed", "True"),
    ]});
    let merged = merge(Kind::Gateway, &current, Some(&desired), NOW);
    assert_eq!(
        merged,
        Some(json!({ "conditions": [
            at(condition("Accepted", "True"), EARLIER), at(condition("Programmed", "True"), NOW),
        ]}))
    );
    assert_eq!(merge(Kind::Gateway, &merged.unwrap(), Some(&desired), "later"), None);
}

#[test]
fn listeners_are_compared_by_their_names() {
    let accepted = condition("Accepted", "True");
    let listener =
        |name: &str, condition: Value| json!({ "name": name, "conditions": [condition] });
    let current = json!({ "listeners": [listener("b", at(accepted.clone(), EARLIER))] });
    let desired =
        json!({ "listeners": [listener("a", accepted.clone()), listener("b", accepted.clone())] });
    let merged = merge(Kind::Gateway, &current, Some(&desired), NOW);
    let times = [listener("a", at(accepted.clone(), NOW)), listener("b", at(accepted, EARLIER))];
    assert_eq!(merged, Some(json!({ "listeners": times })));
}

#[test]
fn the_entries_of_other_controllers_stay() {
    let accepted = condition("Accepted", "True");
    let theirs = parent("example.com/other", "front", &at(accepted.clone(), EARLIER));
    let ours = parent(names::CONTROLLER, "front", &at(accepted.clone(), EARLIER));
    let current = json!({ "parents": [ours, theirs] });
    let refused = parent(names::CONTROLLER, "front", &condition("Accepted", "False"));
    let desired = json!({ "parents": [refused] });
    let merged = merge(Kind::HttpRoute, &current, Some(&desired), NOW).expect("it changed");
    let now = parent(names::CONTROLLER, "front", &at(condition("Accepted", "False"), NOW));
    assert_eq!(merged, json!({ "parents": [theirs, now] }));
    assert_eq!(
        merge(Kind::HttpRoute, &merged, None, NOW),
        Some(json!({ "parents": [theirs] })),
        "a route that is ours no more"
    );
}

#[test]
fn nothing_is_written_where_there_is_nothing_to_say() {
    assert_eq!(merge(Kind::HttpRoute, &Value::Null, None, NOW), None);
    assert_eq!(merge(Kind::GrpcRoute, &json!({ "parents": [] }), None, NOW), None);
    assert_eq!(merge(Kind::Gateway, &json!({ "conditions": [] }), None, NOW), None);
}

#[test]
fn the_list_never_grows_over_what_the_api_takes() {
    let accepted = condition("Accepted", "True");
    let many: Vec<Value> =
        (0..40).map(|n| parent(names::CONTROLLER, &format!("p{n}"), &accepted)).collect();
    let theirs = parent("example.com/other", "front", &at(accepted.clone(), EARLIER));
    let current = json!({ "parents": [theirs] });
    let merged = merge(Kind::HttpRoute, &current, Some(&json!({ "parents": many })), NOW);
    let merged = merged.expect("it changed");
    assert_eq!(merged["parents"].as_array().map(Vec::len), Some(32));
    assert_eq!(merged["parents"][0], theirs);
}
