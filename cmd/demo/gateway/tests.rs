use serde_json::json;

use super::*;

#[test]
fn weights_are_read_by_name_and_a_version_that_is_not_named_gets_nothing() {
    let config = |backends: Value| json!({ "generation": 3, "parts": [{ "part": "backend" }, { "part": "rule", "spec": { "backends": backends } }] });
    let v1 = json!({ "backend": "Backend default/app-v1", "weight": 90 });
    let v2 = json!({ "backend": "Backend default/app-v2", "weight": 10 });
    assert_eq!(served(&config(json!([v1, v2]))), Some(Weights([90, 10])));
    assert_eq!(served(&config(json!([v2, v1]))), Some(Weights([90, 10])));
    assert_eq!(served(&config(json!([v2]))), Some(Weights([0, 10])));
    assert_eq!(served(&json!({ "parts": [] })), None);
    assert_eq!(served(&Value::Null), None);
}
