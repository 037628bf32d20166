#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::json;

use super::inverse::inverse;
use super::*;
use crate::cluster::Access;
use crate::model;

fn patch_of(operations: Value) -> Patch {
    serde_json::from_value(operations).unwrap()
}

#[test]
fn an_inverse_brings_everything_back_and_tests_what_was_left() {
    let before = json!({"a": [{"w": 90}, {"w": 10}], "m": {"x": 1}, "s": "old"});
    let cases = [
        json!([{"op": "replace", "path": "/a/0/w", "value": 5}, {"op": "replace", "path": "/a/1/w", "value": 95}]),
        json!([{"op": "test", "path": "/s", "value": "old"}, {"op": "add", "path": "/s", "value": "new"}]),
        json!([{"op": "add", "path": "/a/-", "value": {"w": 0}}, {"op": "replace", "path": "/a/2/w", "value": 1}]),
        json!([{"op": "add", "path": "/a/0", "value": 7}, {"op": "remove", "path": "/a/1"}, {"op": "remove", "path": "/a/0"}]),
        json!([{"op": "remove", "path": "/m/x"}, {"op": "add", "path": "/m/x", "value": 2}]),
        json!([{"op": "replace", "path": "/s", "value": 1}, {"op": "replace", "path": "/s", "value": 2}]),
        json!([{"op": "add", "path": "/n", "value": {"d": 1}}, {"op": "remove", "path": "/m"}]),
    ];
    for operations in cases {
        let patch = patch_of(operations);
        let mut value = before.clone();
        json_patch::patch(&mut value, &patch).unwrap();
        let undo = inverse(&before, &value, &patch).unwrap();
        let mut back = value.clone();
        json_patch::patch(&mut back, &undo).unwrap();
        assert_eq!(back, before, "{patch}\n{undo}");
        // Somebody has changed what the patch had left.
        for operation in &undo.0 {
            let json_patch::PatchOperation::Test(test) = operation else { continue };
            let mut other = value.clone();
            *other.pointer_mut(test.path.as_str()).unwrap() = json!("other");
            assert!(json_patch::patch(&mut other, &undo).is_err(), "{patch}\n{undo}");
        }
    }
}

/// An API server that answers each request with what `answers` has for its method, by turns.
fn server(answers: Vec<(&'static str, u16, Value)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (method, status, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 8192];
            let length = stream.read(&mut head).unwrap();
            let asked = String::from_utf8_lossy(&head[..length]).into_owned();
            let (status, body) = if asked.starts_with(method) {
                (status, body.to_string())
            } else {
                (500, json!({"kind": "Status", "code": 500, "message": asked}).to_string())
            };
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\nconnection: close\r\n\
                 content-length: {length}\r\n\r\n{body}"
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    format!("http://{address}")
}

async fn cluster(server: String) -> Store {
    crate::identity::install_provider();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\nclusters:\n- name: c\n  cluster: {{server: \
         '{server}'}}\nusers:\n- name: u\n  user: {{token: t}}\ncontexts:\n- name: here\n  \
         context: {{cluster: c, user: u}}\n"
    );
    std::fs::write(&file, text).unwrap();
    let access = Access::Kubeconfig { files: vec![file], context: None };
    Store::Cluster(Cluster::connect(&access).await.unwrap())
}

fn route(weight: u32, version: &str) -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "shop", "namespace": "web", "resourceVersion": version},
        "spec": {"weight": weight}})
}

fn refusal(code: u16, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message})
}

fn change(from: u32, to: u32) -> Change {
    let patch = json!([{"op": "test", "path": "/spec/weight", "value": from},
        {"op": "replace", "path": "/spec/weight", "value": to}]);
    let key = ObjectKey::new(model::Store::Cluster, Kind::HttpRoute, "web", "shop");
    Change { key, patch: patch_of(patch) }
}

/// As Kubernetes 1.34 answers a failed test: 422, without a word about the test.
#[tokio::test]
async fn a_test_that_fails_on_the_server_is_a_conflict_with_both_values() {
    let message = "the server rejected our request due to an error in our request";
    let store = cluster(server(vec![
        ("GET", 200, route(90, "7")),
        ("PATCH", 422, refusal(422, message)),
        ("GET", 200, route(33, "8")),
    ]));
    let error = store.await.patch(&[change(90, 10)], Mode::Apply).await.unwrap_err();
    let said = "HTTPRoute web/shop was changed meanwhile: /spec/weight is 33, not 90 as expected";
    assert_eq!(error.to_string(), said);

    // The same answer, and no test fails: the server refuses the value.
    let store = cluster(server(vec![
        ("GET", 200, route(90, "7")),
        ("PATCH", 422, refusal(422, "spec.weight: Invalid value")),
        ("GET", 200, route(90, "7")),
    ]));
    let error = store.await.patch(&[change(90, 10)], Mode::Apply).await.unwrap_err();
    assert!(matches!(error, StoreError::Cluster(_)), "{error}");
    assert!(error.to_string().ends_with("spec.weight: Invalid value"), "{error}");

    let store = cluster(server(vec![
        ("GET", 200, route(90, "7")),
        ("PATCH", 409, refusal(409, "the object has been modified")),
    ]));
    let error = store.await.patch(&[change(90, 10)], Mode::Apply).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
}

#[tokio::test]
async fn what_was_done_before_a_refusal_is_taken_back() {
    let store = cluster(server(vec![
        // Both are tried.
        ("GET", 200, route(90, "7")),
        (
            "PATCH /apis/gateway.networking.k8s.io/v1/namespaces/web/httproutes/shop?&dryRun=All",
            200,
            route(10, "7"),
        ),
        ("GET", 200, route(90, "7")),
        (
            "PATCH /apis/gateway.networking.k8s.io/v1/namespaces/web/httproutes/shop?&dryRun=All",
            200,
            route(10, "7"),
        ),
        // The first is made, the second isn't.
        ("GET", 200, route(90, "7")),
        ("PATCH", 200, route(10, "8")),
        ("GET", 200, route(90, "7")),
        ("PATCH", 403, refusal(403, "no")),
        // And back.
        ("GET", 200, route(10, "8")),
        ("PATCH", 200, route(90, "9")),
    ]));
    let error =
        store.await.patch(&[change(90, 10), change(90, 10)], Mode::Apply).await.unwrap_err();
    assert!(
        error.to_string().starts_with("cluster here doesn't allow to patch httproutes"),
        "{error}"
    );
}

#[tokio::test]
async fn a_change_says_what_it_was_and_how_to_take_it_back() {
    let store = cluster(server(vec![("GET", 200, route(90, "7")), ("PATCH", 200, route(10, "8"))]));
    let applied = store.await.patch(&[change(90, 10)], Mode::Apply).await.unwrap();
    assert_eq!(applied.objects[0].before.version, "7");
    assert_eq!(applied.objects[0].after.value, route(10, "8"));
    assert!(applied.diff.ends_with(" spec:\n-  weight: 90\n+  weight: 10\n"), "{}", applied.diff);
    assert_eq!(applied.undo, Undo::Objects(vec![change(10, 90)]));
}
