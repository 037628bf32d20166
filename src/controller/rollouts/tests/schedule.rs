//! Whose turn it is.

use super::*;
use crate::clock;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_is_looked_at_each_second_and_what_rests_ever_less() {
    let now = clock::now();
    let mut held = Held { began: Some(now), ..Held::default() };
    let mut next = |ended: Ended| {
        held.due = None;
        held.plan(ended, now);
        held.due.map(|due| due - now)
    };
    assert_eq!(next(Ended::Wrote), Some(Duration::from_millis(250)));
    assert_eq!(next(Ended::Goes), Some(seconds(1)));
    assert_eq!(next(Ended::Again), Some(seconds(1)));
    assert_eq!(next(Ended::Waits), Some(seconds(5)));
    let rests: Vec<_> = (0..7).map(|_| next(Ended::Rests { changed: false })).collect();
    assert_eq!(rests, [2, 4, 8, 16, 30, 30, 30].map(|rest| Some(seconds(rest))));
    assert_eq!(next(Ended::Rests { changed: true }), Some(seconds(1)));
    assert_eq!((next(Ended::Over), next(Ended::Gone)), (None, None));
}

#[tokio::test(start_paused = true)]
async fn a_new_ask_is_due_at_once_and_our_own_writes_are_not() {
    let (_, cluster) = ApiServer::start().await;
    let mut rollouts = Rollouts::new(cluster, "one", Arc::new(Distribution::new()));
    let key = key(Kind::TrafficRollout, "shop");
    let now = clock::now();
    let mut object = rollout();
    let due = |rollouts: &mut Rollouts, object: &Value| {
        rollouts.seen(&key, Some(object), now);
        rollouts.held.get_mut(&key).unwrap().due.take()
    };
    assert_eq!(due(&mut rollouts, &object), Some(now));
    object["status"] = json!({"phase": "Progressing"});
    object["metadata"]["resourceVersion"] = json!("9");
    assert_eq!(due(&mut rollouts, &object), None);
    object["metadata"]["annotations"][names::ANNOTATION_ASKED] = json!("2026-01-01T00:00:00Z");
    assert_eq!(due(&mut rollouts, &object), Some(now), "the same word again");
    object["metadata"]["generation"] = json!(2);
    assert_eq!(due(&mut rollouts, &object), Some(now));

    // Somebody edits the route of one that rests: it looks, a second after its last look.
    let held = rollouts.held.get_mut(&key).unwrap();
    held.began = Some(now);
    rollouts.seen(&super::key(Kind::HttpRoute, "shop"), Some(&route()), now);
    assert_eq!(rollouts.held[&key].due, Some(now + seconds(1)));

    // Or its endpoints are others: one that is over wants none.
    let endpoints = super::key(Kind::EndpointSlice, "v2-1");
    for (over, due) in [(false, Some(now + seconds(1))), (true, None)] {
        let held = rollouts.held.get_mut(&key).unwrap();
        (held.due, held.over) = (None, over);
        rollouts.seen(&endpoints, None, now);
        assert_eq!(rollouts.held[&key].due, due);
    }

    rollouts.lead(true, now);
    assert_eq!(rollouts.held[&key].due, Some(now));
    assert!(rollouts.held[&key].began.is_none());
    rollouts.seen(&key, None, now);
    assert!(rollouts.held.is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_route_goes_on_when_the_first_is_gone() {
    let (_, cluster) = ApiServer::start().await;
    let mut rollouts = Rollouts::new(cluster, "one", Arc::new(Distribution::new()));
    let now = clock::now();
    for (name, refused) in [("first", false), ("second", true), ("other", false)] {
        let held = Held { refused, began: Some(now), ..Held::default() };
        rollouts.held.insert(key(Kind::TrafficRollout, name), held);
    }
    rollouts.seen(&key(Kind::TrafficRollout, "first"), None, now);
    let due: Vec<_> = rollouts.held.iter().map(|(key, held)| (&*key.name, held.due)).collect();
    assert_eq!(due, [("other", None), ("second", Some(now + seconds(1)))]);
}

/// By the statuses that another replica wrote, and then by what one's own turns have seen.
#[tokio::test(start_paused = true)]
async fn who_has_a_route_is_known_before_the_first_turn_and_after_the_last() {
    let (_, cluster) = ApiServer::start().await;
    let mut rollouts = Rollouts::new(cluster, "one", Arc::new(Distribution::new()));
    let now = clock::now();
    let key = key(Kind::TrafficRollout, "shop");
    let mut object = rollout();
    let mut hold = |rollouts: &mut Rollouts, status: Value| {
        object["status"] = status;
        rollouts.seen(&key, Some(&object), now);
        rollouts.held[&key].hold.clone()
    };
    let route = super::key(Kind::HttpRoute, "shop");
    let held = Some(Hold { route, dark: false });
    let asked = json!({"intent": "Running"});
    assert_eq!(hold(&mut rollouts, Value::Null), None);
    let going = json!({"phase": "Progressing", "weight": 10, "asked": asked});
    assert_eq!(hold(&mut rollouts, going.clone()), held);
    rollouts.lead(true, now);
    assert_eq!(rollouts.held[&key].hold, held, "the lead is another's matter");
    let over = json!({"phase": "Promoted", "weight": 100, "asked": asked});
    assert_eq!(hold(&mut rollouts, over.clone()), None);
    // What the watch brings is older than what a turn has seen.
    rollouts.held.get_mut(&key).unwrap().had_turns = true;
    assert_eq!(hold(&mut rollouts, going), None);
    rollouts.lead(false, now);
    assert_eq!(hold(&mut rollouts, over), None);
}

#[tokio::test(start_paused = true)]
async fn who_has_waited_longest_comes_first() {
    let (_, cluster) = ApiServer::start().await;
    let mut rollouts = Rollouts::new(cluster, "one", Arc::new(Distribution::new()));
    let now = clock::now() + seconds(60);
    let due = [("a", 3), ("b", 1), ("c", 2), ("later", 90)];
    for (name, at) in due {
        let due = Some(now + seconds(at) - seconds(60));
        rollouts.held.insert(key(Kind::TrafficRollout, name), Held { due, ..Held::default() });
    }
    let rests = key(Kind::TrafficRollout, "rests");
    rollouts.held.insert(rests, Held::default());
    let names =
        |all: Vec<ObjectKey>| all.iter().map(|key| key.name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(rollouts.due(now)), ["b", "c", "a"]);
}

#[tokio::test]
async fn other_replicas_tell_of_the_routes_of_rollouts() {
    let (_, cluster) = ApiServer::start().await;
    let distribution = Arc::new(Distribution::new());
    let mut rollouts = Rollouts::new(cluster, "one", Arc::clone(&distribution));
    let parts = vec![
        fixture::listener("front", "front", &[]),
        fixture::rule("shop", &["front"], &["v1"], None),
        fixture::backend("v1", "v1", None),
    ];
    let scope = fixture::scope("front");
    let changes = Changes { upserted: parts, removed: Vec::new() };
    distribution.publish(1, &[(scope.clone(), changes)].into());
    let proxy = distribution.subscribe(scope, "edge/front-1".into(), "1".into(), true);
    let routes = || distribution.relay().1.into_keys().map(|(_, route)| route).collect::<Vec<_>>();
    assert_eq!(routes(), []);
    let (key, now) = (key(Kind::TrafficRollout, "shop"), clock::now());
    rollouts.seen(&key, Some(&rollout()), now);
    assert_eq!(routes(), [super::key(Kind::HttpRoute, "shop")]);
    rollouts.seen(&key, None, now);
    assert_eq!(routes(), []);
    drop(proxy);
}
