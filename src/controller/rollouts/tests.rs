//! Turns against an API server over HTTP, with a real distribution that real reports are told to.

mod others;
mod schedule;
mod server;

use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;

use super::basis::Basis;
use super::telling::Notice;
use super::*;
use crate::controller::fixture;
use crate::controller::xds::Seat;
use crate::model::{Arm, ArmKey, Counts, PartKind, Report, Store as Origin, Totals};
use crate::rollout::state::State;
use crate::snapshot::Changes;
use server::ApiServer;

const ROUTE: &str = "/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/shop";
const ROLLOUT: &str = "/apis/meshctl.dev/v1alpha1/namespaces/shop/trafficrollouts/shop";

fn route() -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "shop", "namespace": "shop", "generation": 1},
        "spec": {
            "parentRefs": [{"name": "front"}],
            "rules": [{"backendRefs": [{"name": "v1", "weight": 1}]}],
        },
    })
}

fn rollout() -> Value {
    json!({
        "apiVersion": "meshctl.dev/v1alpha1",
        "kind": "TrafficRollout",
        "metadata": {"name": "shop", "namespace": "shop", "generation": 1, "uid": "7",
            "annotations": {}},
        "spec": {
            "targetRef": {
                "group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "shop"},
            "canary": {
                "stable": {"name": "v1"},
                "canary": {"name": "v2"},
                "steps": [{"weight": 10}, {"weight": 50}],
                "interval": "10s",
                "gates": {"errorRate": {"max": "1%"}, "minRequests": 100},
            },
        },
    })
}

fn key(kind: Kind, name: &str) -> ObjectKey {
    ObjectKey::new(Origin::Cluster, kind, "shop", name)
}

/// One replica that leads, whose proxies have what is stored as soon as it is.
struct Shop {
    api: ApiServer,
    cluster: Cluster,
    distribution: Arc<Distribution>,
    proxy: Seat,
    said: [u64; 4],
    driver: Option<Driver<ClusterWorld>>,
    others: Others,
    first: ObjectKey,
    ready: bool,
    now: Timestamp,
    notices: (mpsc::Sender<Notice>, mpsc::Receiver<Notice>),
}

impl Shop {
    async fn open() -> Self {
        let (api, cluster) = ApiServer::start().await;
        api.state().put(ROUTE, route());
        api.state().put(ROLLOUT, rollout());
        let distribution = Arc::new(Distribution::new());
        let parts = vec![
            fixture::listener("front", "front", &[]),
            fixture::rule("shop", &["front"], &["v1", "v2"], None),
            fixture::backend("v1", "v1", None),
            fixture::backend("v2", "v2", None),
        ];
        let changes = Changes { upserted: parts, removed: Vec::new() };
        let scope = fixture::scope("front");
        distribution.publish(1, &[(scope.clone(), changes)].into());
        let proxy = distribution.subscribe(scope, "edge/front-1".into(), "1".into(), true);
        proxy.answered(1, Ok(()));
        let mut shop = Self {
            api,
            cluster,
            distribution,
            proxy,
            said: [0; 4],
            driver: None,
            others: Others::default(),
            first: key(Kind::TrafficRollout, "shop"),
            ready: true,
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
            notices: mpsc::channel(16),
        };
        shop.requests([0; 4]);
        shop
    }

    /// Requests and errors of v1, then of v2, since the last.
    fn requests(&mut self, more: [u64; 4]) {
        self.said.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        let arm = |name: &str, [requests, errors]: [u64; 2]| {
            let mut counts = Counts { requests, errors, ..Counts::default() };
            (0..requests).for_each(|_| counts.latencies.observe(Duration::from_millis(12)));
            let (rule, backend) =
                (fixture::key(PartKind::Rule, "shop"), fixture::key(PartKind::Backend, name));
            Arm { key: ArmKey { rule, backend, dark: false }, born: 1, counts }
        };
        let [a, b, c, d] = self.said;
        let arms = vec![arm("v1", [a, b]), arm("v2", [c, d])];
        self.proxy.reported(Report { process: 1, born: 1, totals: Totals::default(), arms });
    }

    fn turner(&mut self) -> Turner {
        let world = || ClusterWorld::new(self.cluster.clone(), Arc::clone(&self.distribution));
        let store = Store::Cluster(self.cluster.clone());
        let driver = self.driver.take().unwrap_or_else(|| Driver::new(store, world()));
        let version = self.api.state().objects[ROUTE]["metadata"]["resourceVersion"].clone();
        let known = |decoded: &Value| {
            let (object, _) =
                crate::config::decode::from_json(decoded, crate::model::Store::Cluster);
            let crate::config::decode::Decoded::Object(object) = object else { panic!() };
            let crate::config::raw::Spec::TrafficRollout(spec) = &object.spec else { panic!() };
            crate::rollout::Rollout::new(&object.key, &object.meta, spec)
        };
        let rollout = known(&self.api.state().objects[ROLLOUT]);
        let mut basis = Basis::seen(&rollout, version.as_str(), &fixture::scope("front"), 1);
        basis.set_ready(self.ready);
        (basis.rival, basis.keeper) = (self.others.rival.clone(), self.others.keeper.clone());
        Turner {
            cluster: self.cluster.clone(),
            teller: Teller {
                cluster: self.cluster.clone(),
                instance: "controller-1".into(),
                webhook: self.notices.0.clone(),
            },
            key: key(Kind::TrafficRollout, "shop"),
            basis,
            first: self.first.clone(),
            driver,
            now: self.now,
        }
    }

    async fn turn(&mut self) -> Ended {
        let Turned { driver, ended, .. } = self.turner().turn().await;
        self.driver = Some(driver);
        ended
    }

    /// A turn each ten seconds, with traffic in between that goes where the weights say.
    async fn minute(&mut self, errors: u64) {
        for _ in 0..6 {
            self.turn().await;
            self.now += Duration::from_secs(10);
            let share = self.weights().get(1).copied().unwrap_or(0) * 10;
            self.requests([1_000 - share, 0, share, errors.min(share)]);
        }
    }

    fn weights(&self) -> Vec<u64> {
        weights(&self.api.state().objects[ROUTE])
    }

    fn status(&self) -> Value {
        self.api.state().objects[ROLLOUT]["status"].clone()
    }

    fn condition(&self, kind: &str) -> Value {
        let status = self.status();
        let all = status["conditions"].as_array().unwrap();
        all.iter().find(|one| one["type"] == kind).cloned().unwrap_or_default()
    }

    fn ask(&self, field: &str, value: Value) {
        self.api.state().edit(ROLLOUT, |rollout| rollout["spec"][field] = value);
    }
}

fn weights(route: &Value) -> Vec<u64> {
    let backends = route["spec"]["rules"][0]["backendRefs"].as_array().unwrap();
    backends.iter().map(|one| one["weight"].as_u64().unwrap()).collect()
}

/// What the route was, in its order.
fn walked(shop: &Shop) -> Vec<Vec<u64>> {
    let state = shop.api.state();
    state.seen.iter().filter(|(path, _)| path == ROUTE).map(|(_, route)| weights(route)).collect()
}

#[tokio::test]
async fn a_good_canary_goes_up_its_steps_and_says_what_it_saw() {
    let mut shop = Shop::open().await;
    shop.minute(0).await;
    assert_eq!(walked(&shop), [vec![1], vec![90, 10], vec![50, 50], vec![0, 100]]);
    let status = shop.status();
    assert_eq!((&status["phase"], &status["weight"]), (&json!("Promoted"), &json!(100)));
    assert_eq!(status["verdict"], "pass");
    assert_eq!(status["observedGeneration"], 1);
    // What the last step counted stays, though traffic goes on.
    assert_eq!(
        status["arms"],
        json!([
            {"name": "stable", "asked": 0, "requests": 500, "errors": 0, "measured": 50,
                "p50": "12ms", "p99": "12ms"},
            {"name": "canary", "asked": 100, "requests": 500, "errors": 0, "measured": 50,
                "p50": "12ms", "p99": "12ms"},
        ])
    );
    assert_eq!(shop.condition("Ready")["status"], "True");
    assert_eq!(shop.condition("Progressing")["reason"], "Promoted");
    assert_eq!(shop.turn().await, Ended::Over);
    let versions = shop.api.state().seen.len();
    shop.minute(0).await;
    assert_eq!(shop.api.state().seen.len(), versions, "one that is over writes nothing");
    let misfits = crate::manifest::install::tests::misfits_of_status("TrafficRollout", &status);
    assert!(misfits.is_empty(), "{misfits:#?}");
}

#[tokio::test]
async fn who_listens_is_told_of_each_change() {
    let mut shop = Shop::open().await;
    shop.minute(0).await;
    let told = |event: &Value| {
        (event["reason"].as_str().unwrap().to_owned(), event["note"].as_str().unwrap().to_owned())
    };
    let events: Vec<_> = shop.api.state().events.iter().map(told).collect();
    let said: Vec<_> = events.iter().map(|(a, b)| (&**a, &**b)).collect();
    assert_eq!(
        said,
        [
            ("Progressing", "0%: started"),
            ("Progressing", "0% → 10%: step 1 of 2"),
            ("Progressing", "10% → 50%: step 2 of 2"),
            ("Promoted", "50% → 100%: every step has passed"),
        ]
    );
    let mut phases = Vec::new();
    while let Ok(notice) = shop.notices.1.try_recv() {
        phases.push((notice.was.as_str(), notice.event.phase.as_str()));
    }
    assert_eq!(phases, [("Pending", "Progressing"), ("Progressing", "Promoted")]);
}

#[tokio::test]
async fn a_bad_canary_goes_back_to_what_was_there() {
    let mut shop = Shop::open().await;
    shop.minute(50).await;
    assert_eq!(walked(&shop), [vec![1], vec![90, 10], vec![1]]);
    let status = shop.status();
    assert_eq!(status["phase"], "RolledBack");
    assert_eq!(status["message"], "50 of 100 requests failed, more than 1%");
    assert_eq!(status["verdict"], "50 of 100 requests failed, more than 1%");
    assert_eq!(shop.condition("Ready")["status"], "False");
    let events = shop.api.state().events.clone();
    assert_eq!(events.last().unwrap()["type"], "Warning");
}

/// Killed after each write, the next process goes on: the same steps, each once, the whole always
/// shared out.
#[tokio::test]
async fn whoever_dies_after_any_write_is_followed_by_one_who_goes_on() {
    for errors in [0, 50] {
        let mut undisturbed = Shop::open().await;
        undisturbed.minute(errors).await;
        undisturbed.minute(errors).await;
        let expected = walked(&undisturbed);
        for writes in 0.. {
            let mut shop = Shop::open().await;
            shop.api.state().writes_left = Some(writes);
            shop.minute(errors).await;
            let died = shop.api.state().writes_left.take() == Some(0);
            shop.driver = None;
            shop.minute(errors).await;
            shop.minute(errors).await;
            assert_eq!(walked(&shop), expected, "after {writes} writes");
            assert_eq!(shop.status()["phase"], undisturbed.status()["phase"]);
            if !died {
                assert!(writes > 8, "{writes} writes alone were looked at");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_the_route_keeps_it_from_being_in_force() {
    let mut shop = Shop::open().await;
    let rule = crate::wire::name(&fixture::key(PartKind::Rule, "shop"));
    shop.proxy.answered(1, Err(format!("{rule}: it has a field that is not known")));
    shop.minute(0).await;
    assert_eq!(walked(&shop), [vec![1], vec![90, 10]]);
    assert_eq!(shop.status()["message"], "waits until all proxies serve it");
    // What is wrong with others is not its matter, unless nobody knows what all of it is.
    shop.proxy.answered(1, Err("port 80 is taken; and 3 more".to_owned()));
    shop.minute(0).await;
    assert_eq!(shop.weights(), [90, 10]);
    shop.proxy.answered(1, Err("port 80 is taken".to_owned()));
    shop.minute(0).await;
    shop.minute(0).await;
    assert_eq!(shop.status()["phase"], "Promoted");
}

#[tokio::test]
async fn what_somebody_else_edits_stays_and_is_said() {
    let mut shop = Shop::open().await;
    shop.turn().await;
    shop.turn().await;
    shop.api.state().edit(ROUTE, |route| {
        route["spec"]["rules"][0]["backendRefs"][0]["weight"] = json!(30);
        route["spec"]["rules"][0]["backendRefs"][1]["weight"] = json!(70);
    });
    shop.minute(0).await;
    assert_eq!(shop.weights(), [30, 70]);
    let status = shop.status();
    assert_eq!((&status["phase"], &status["weight"]), (&json!("Paused"), &json!(70)));
    let message = status["message"].as_str().unwrap();
    assert!(message.starts_with("somebody else edited the weights, from 10% to 70%"), "{message}");
    // An abort is an abort, whoever was there last.
    shop.ask("state", json!("Aborted"));
    shop.turn().await;
    assert_eq!((shop.weights(), &shop.status()["phase"]), (vec![1], &json!("Aborted")));
}

#[tokio::test]
async fn an_ask_that_comes_within_a_turn_is_answered_before_anything_is_written() {
    let mut shop = Shop::open().await;
    shop.api.state().before_status = Some(Box::new(|api| {
        api.edit(ROLLOUT, |rollout| rollout["spec"]["state"] = json!("Aborted"))
    }));
    assert_eq!(shop.turn().await, Ended::Again);
    assert_eq!((walked(&shop).len(), shop.status()), (1, Value::Null));
    shop.turn().await;
    assert_eq!((shop.weights(), &shop.status()["phase"]), (vec![1], &json!("Aborted")));
}

#[tokio::test]
async fn nobody_is_sent_where_nobody_answers() {
    let mut shop = Shop::open().await;
    shop.ready = false;
    shop.minute(0).await;
    assert_eq!(walked(&shop), [vec![1], vec![100, 0]], "it is there for proxies to look at");
    let message = shop.status()["message"].clone();
    assert_eq!(message, "waits before 10%: Service v2 has no endpoint that is ready");
    shop.ready = true;
    shop.minute(0).await;
    assert_eq!(shop.weights(), [0, 100]);
}

#[tokio::test]
async fn what_stands_in_the_way_is_said_and_passes() {
    let mut shop = Shop::open().await;
    let removed = shop.api.state().objects.remove(ROUTE).unwrap();
    shop.api.state().put("/elsewhere", removed.clone());
    let mut turner = {
        shop.api.state().put(ROUTE, removed.clone());
        let turner = shop.turner();
        shop.api.state().objects.remove(ROUTE);
        turner
    };
    turner.now = shop.now;
    let Turned { driver, ended, .. } = turner.turn().await;
    shop.driver = Some(driver);
    assert_eq!(ended, Ended::Waits);
    assert_eq!(shop.condition("Ready")["reason"], "NoRoute");
    assert_eq!(shop.status()["message"], "there is no HTTPRoute shop/shop");
    shop.api.state().put(ROUTE, removed);
    shop.turn().await;
    assert_eq!(shop.weights(), [90, 10]);
    assert_eq!(shop.condition("Ready")["reason"], "Progressing");
}

/// A proxy that never says that it serves it holds the rollout where it is.
#[tokio::test]
async fn a_step_waits_for_every_proxy() {
    let mut shop = Shop::open().await;
    shop.turn().await;
    // The weights are published, and this proxy doesn't answer.
    let rule = fixture::rule("shop", &["front"], &["v1"], None);
    let changes = Changes { upserted: vec![rule], removed: Vec::new() };
    shop.distribution.publish(2, &[(fixture::scope("front"), changes)].into());
    shop.minute(0).await;
    let status = shop.status();
    assert_eq!((shop.weights(), status.get("since")), (vec![90, 10], None));
    assert_eq!(status["message"], "waits until all proxies serve it");
    shop.proxy.answered(2, Ok(()));
    shop.turn().await;
    let since: State = serde_json::from_value(shop.status()).unwrap();
    assert_eq!(since.since, Some(shop.now));
}

/// A command waits for that: the next look comes soon, though nothing else follows.
#[tokio::test]
async fn a_weight_by_hand_is_looked_at_until_it_is_served() {
    let mut shop = Shop::open().await;
    shop.api.state().edit(ROLLOUT, |rollout| {
        rollout["spec"]["weight"] = json!(25);
        rollout["spec"]["state"] = json!("Paused");
    });
    assert_eq!(shop.turn().await, Ended::Wrote);
    let rule = fixture::rule("shop", &["front"], &["v1"], None);
    let changes = Changes { upserted: vec![rule], removed: Vec::new() };
    shop.distribution.publish(2, &[(fixture::scope("front"), changes)].into());
    for _ in 0..3 {
        assert_eq!(shop.turn().await, Ended::Goes);
    }
    shop.proxy.answered(2, Ok(()));
    assert_eq!(shop.turn().await, Ended::Waits);
    assert_eq!((shop.weights(), &shop.status()["phase"]), (vec![75, 25], &json!("Paused")));
}

/// However soon proxies have what the former one left.
#[tokio::test]
async fn one_with_another_version_begins_anew() {
    let mut shop = Shop::open().await;
    shop.turn().await;
    shop.turn().await;
    shop.api.state().edit(ROLLOUT, |rollout| {
        rollout["spec"]["canary"]["canary"]["name"] = json!("v3");
    });
    assert_eq!(shop.turn().await, Ended::Wrote);
    assert_eq!(shop.turn().await, Ended::Goes, "it is over for the former alone");
    shop.turn().await;
    assert_eq!(walked(&shop), [vec![1], vec![90, 10], vec![1], vec![90, 10]]);
    assert_eq!(shop.status()["subject"]["to"]["name"], "v3");
    // One that is over and asked again waits for endpoints as any.
    shop.ask("state", json!("Aborted"));
    shop.turn().await;
    assert_eq!(shop.turn().await, Ended::Over);
    shop.ready = false;
    shop.ask("state", json!("Promoted"));
    shop.turn().await;
    shop.turn().await;
    assert_eq!(shop.turn().await, Ended::Waits);
    shop.ready = true;
    shop.turn().await;
    assert_eq!((shop.weights(), &shop.status()["phase"]), (vec![0, 100], &json!("Promoted")));
}

/// As a newer definition may take it, and this controller doesn't.
#[tokio::test]
async fn one_that_can_not_be_read_says_so() {
    let mut shop = Shop::open().await;
    shop.turn().await;
    let (state, target) = (shop.status(), shop.api.state().objects[ROLLOUT]["spec"].clone());
    let turner = shop.turner();
    shop.ask("canary", json!({"stable": {"name": "v1"}}));
    assert_eq!(turner.turn().await.ended, Ended::Rests { changed: false });
    let (status, why) = (shop.status(), shop.condition("Progressing")["message"].clone());
    assert_eq!(shop.condition("Progressing")["reason"], "Invalid");
    assert!(why.as_str().unwrap().contains("`canary`"), "{why}");
    assert_eq!((&status["message"], &status["observedGeneration"]), (&why, &json!(2)));
    assert_eq!((&status["phase"], &status["written"]), (&state["phase"], &state["written"]));
    // It is good again, and goes on.
    shop.api.state().edit(ROLLOUT, |rollout| rollout["spec"] = target.clone());
    shop.minute(0).await;
    assert_eq!((&shop.status()["phase"], shop.weights()), (&json!("Promoted"), vec![0, 100]));
}

#[tokio::test]
async fn one_that_is_deleted_has_no_turns() {
    let mut shop = Shop::open().await;
    let turner = shop.turner();
    shop.api.state().objects.remove(ROLLOUT);
    let Turned { ended, .. } = turner.turn().await;
    assert_eq!((ended, walked(&shop).len()), (Ended::Gone, 1));
}
