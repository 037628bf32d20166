#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use super::*;
use crate::controller::fixture::scope;
use crate::proxy::control;

const WAIT: Duration = Duration::from_secs(5);

async fn asked(path: &Path, method: Method, target: &str) -> (StatusCode, String) {
    let (status, body) = control::ask(path, method, target, WAIT).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_replica_tells_of_itself_and_its_proxies() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run/controller");
    let board = Arc::new(Board::new("1.2.3"));
    let distribution = Arc::new(Distribution::new());
    let sight = Sight {
        name: "controller-1".into(),
        version: "1.2.3",
        board: Arc::clone(&board),
        distribution: Arc::clone(&distribution),
    };
    open(&path, sight).unwrap();
    let told = async || {
        let (status, text) = asked(&path, Method::GET, "/status").await;
        assert_eq!(status, StatusCode::OK);
        serde_json::from_str::<Picture>(&text).unwrap()
    };
    let before = told().await;
    assert_eq!((before.name.as_str(), before.version.as_str()), ("controller-1", "1.2.3"));
    assert_eq!(before.reason.as_deref(), Some("nothing has been listed yet"));
    assert!(!before.ready && !before.leading && before.proxies.is_empty());
    board.set_ready(Ok(()));
    board.set_leading(true);
    let empty = std::collections::BTreeMap::new();
    distribution.publish(7, &empty);
    let seats = ["edge/b", "edge/a"]
        .map(|name| distribution.subscribe(scope("one"), name.into(), "1.2.2".into(), true));
    seats[0].answered(7, Err("port 80 is taken".to_owned()));
    seats[1].answered(7, Ok(()));
    let after = told().await;
    assert!(after.ready && after.leading);
    let [a, b] = after.proxies.as_slice() else { panic!("{after:?}") };
    assert_eq!((a.name.as_str(), a.gateway.as_str()), ("edge/a", "edge/one"));
    assert!(a.is_synced() && a.trouble.is_none(), "{a:?}");
    assert!(!b.is_synced(), "{b:?}");
    assert_eq!((b.answered, b.trouble.as_deref()), (Some(7), Some("port 80 is taken")));
    drop(seats);
    assert!(told().await.proxies.is_empty());
}

#[tokio::test]
async fn nothing_else_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run/controller");
    let sight = Sight {
        name: "c".into(),
        version: "1",
        board: Arc::new(Board::new("1")),
        distribution: Arc::new(Distribution::new()),
    };
    open(&path, sight.clone()).unwrap();
    assert_eq!(asked(&path, Method::POST, "/status").await.0, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(asked(&path, Method::GET, "/config").await.0, StatusCode::NOT_FOUND);
    // A former life's socket is in nobody's way.
    open(&path, sight).unwrap();
    assert_eq!(asked(&path, Method::GET, "/status").await.0, StatusCode::OK);
}

/// Of a controller of another version.
#[test]
fn what_is_not_said_has_a_default() {
    let picture: Picture =
        serde_json::from_str(r#"{"name": "c", "new": 1, "proxies": [{"name": "a/b"}]}"#).unwrap();
    assert_eq!(picture.proxies[0].name, "a/b");
    assert!(!picture.proxies[0].is_synced());
}
