#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::model::Store;

fn route() -> ObjectKey {
    ObjectKey::new(Store::Cluster, Kind::HttpRoute, "shop", "cart")
}

fn object(version: &str, generation: u64) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {
            "namespace": "shop", "name": "cart",
            "resourceVersion": version, "generation": generation,
        },
        "status": {"parents": []},
    })
}

/// A write is under way, and nobody is behind the client: its answer is the test's.
fn statuses() -> Statuses {
    let nowhere = kube::Config::new("http://127.0.0.1:1".parse().unwrap());
    let mut statuses = Statuses::new(Client::try_from(nowhere).unwrap());
    statuses.lead(true);
    statuses.want(route(), Some(json!({"parents": [{"controllerName": names::CONTROLLER}]})));
    statuses.seen(&route(), &object("1", 1));
    statuses.write();
    assert!(statuses.queue.is_empty(), "the write is under way");
    statuses
}

fn answer(version: &str) -> Written {
    let object = serde_json::from_value(object(version, 1)).unwrap();
    Written { key: route(), result: Ok(object) }
}

/// The watch is another connection: what somebody changed after our write may come before the
/// write's own answer. Were that taken for the newest, the next write would test a version that
/// is gone, and no event would follow that tells so.
#[tokio::test]
async fn an_answer_that_comes_after_a_later_event_is_not_the_newest() {
    let mut statuses = statuses();
    statuses.seen(&route(), &object("3", 2));
    statuses.take(answer("2"));
    assert_eq!(statuses.shown[&route()].version, "3");
    assert!(statuses.queue.contains(&route()), "it is looked at again");
}

#[tokio::test]
async fn an_answer_is_what_the_next_write_tests() {
    let mut statuses = statuses();
    statuses.take(answer("2"));
    assert_eq!(statuses.shown[&route()].version, "2");
    assert!(statuses.busy.is_empty());
}
