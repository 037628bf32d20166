//! Whoever else has a say in a route.

use super::*;

#[tokio::test]
async fn a_route_that_is_driven_by_others_is_left_to_them() {
    let mut shop = Shop::open().await;
    shop.others.rival = Some(Rival::Flagger("shop".to_owned()));
    assert_eq!(shop.turn().await, Ended::Waits);
    let why = "Flagger (Canary shop) drives the weights of HTTPRoute shop/shop: it is left to that";
    let status = shop.status();
    assert_eq!((&status["phase"], &status["message"]), (&json!("Pending"), &json!(why)));
    assert_eq!(shop.condition("Ready")["reason"], "DrivenByAnother");
    let versions = shop.api.state().seen.len();
    shop.minute(0).await;
    assert_eq!(shop.api.state().seen.len(), versions, "said once");
    // It is gone, and nothing has to be asked again.
    shop.others.rival = None;
    shop.turn().await;
    assert_eq!(shop.weights(), [90, 10]);
    assert_eq!(shop.condition("Ready")["reason"], "Progressing");
    // One that comes later doesn't keep anybody from an abort.
    shop.others.rival = Some(Rival::ArgoRollouts(None));
    shop.ask("state", json!("Aborted"));
    shop.turn().await;
    assert_eq!(shop.weights(), [1]);
}

#[tokio::test]
async fn a_route_that_another_rollout_has_is_left_to_it() {
    let mut shop = Shop::open().await;
    shop.first = key(Kind::TrafficRollout, "first");
    assert_eq!(shop.turn().await, Ended::Waits);
    let why =
        "HTTPRoute shop/shop has a canary already, first: `meshctl canary abort first` ends it";
    let status = shop.status();
    assert_eq!((&status["phase"], &status["message"]), (&json!("Pending"), &json!(why)));
    assert_eq!(shop.condition("Progressing")["reason"], "RouteTaken");
    // Nothing is asked of it that could be taken back: not even an abort writes the route.
    shop.ask("state", json!("Aborted"));
    shop.minute(0).await;
    assert_eq!(walked(&shop), [vec![1]]);
    // The first one is over.
    shop.ask("state", json!("Running"));
    shop.first = key(Kind::TrafficRollout, "shop");
    shop.minute(0).await;
    assert_eq!(shop.weights(), [0, 100]);
    // Over, it wants nothing: what the next one writes is its own business.
    shop.first = key(Kind::TrafficRollout, "next");
    let status = shop.status();
    shop.api.state().edit(ROUTE, |route| {
        route["spec"]["rules"][0]["backendRefs"][0]["weight"] = json!(70);
    });
    assert_eq!(shop.turn().await, Ended::Over);
    assert_eq!(shop.status(), status);
}

/// Its command waits for that, though the next one may have the route already.
#[tokio::test]
async fn what_was_left_is_looked_at_until_it_is_served() {
    let mut shop = Shop::open().await;
    shop.minute(0).await;
    shop.ask("state", json!("Aborted"));
    assert_eq!(shop.turn().await, Ended::Wrote);
    let rule = fixture::rule("shop", &["front"], &["v1"], None);
    let changes = Changes { upserted: vec![rule], removed: Vec::new() };
    shop.distribution.publish(2, &[(fixture::scope("front"), changes)].into());
    shop.turn().await;
    assert_eq!(shop.status().get("before"), None, "what ended it is written");
    shop.first = key(Kind::TrafficRollout, "next");
    shop.api.state().edit(ROUTE, |route| {
        route["spec"]["rules"][0]["backendRefs"][0]["weight"] = json!(70);
    });
    assert_eq!(shop.turn().await, Ended::Rests { changed: false });
    shop.proxy.answered(2, Ok(()));
    assert_eq!(shop.turn().await, Ended::Over);
    let status = shop.status();
    assert_eq!((&status["phase"], &status["message"]), (&json!("Aborted"), &json!("aborted")));
    let state: State = serde_json::from_value(status).unwrap();
    assert_eq!((state.since, shop.weights()), (Some(shop.now), vec![70]));
}

#[tokio::test]
async fn who_writes_from_a_repository_is_warned_of() {
    let mut shop = Shop::open().await;
    shop.others.keeper = Some(Keeper::ArgoCd(Some("shop".to_owned())));
    shop.turn().await;
    let contended = shop.condition("Contended");
    assert_eq!(contended["status"], "True");
    assert!(contended["message"].as_str().unwrap().contains("\n  ignoreDifferences:\n"));
    assert_eq!(shop.weights(), [90, 10]);
    let status = shop.status();
    let misfits = crate::manifest::install::tests::misfits_of_status("TrafficRollout", &status);
    assert!(misfits.is_empty(), "{misfits:#?}");
}
