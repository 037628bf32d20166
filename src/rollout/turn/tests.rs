//! Turns over real files, with proxies that see what a test says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::config::raw::Gates;
use crate::model::{Kind, Store as Origin};
use crate::rollout::route::tests::service;
use crate::rollout::state::Ask;
use crate::store::{Directory, FileChange};

const ROUTE: &str = "\
# by hand
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: shop}
spec:
  rules:
  - backendRefs:
    - name: v1   # the stable one
      port: 80
";

#[derive(Clone, Default)]
struct Proxies(Arc<Mutex<Told>>);

#[derive(Default)]
struct Told {
    sight: Sight,
    kept: Vec<State>,
    refuses: bool,
    original: Vec<FileChange>,
}

impl World for Proxies {
    async fn see(&self, _: &Rollout, _: &Stored) -> Sight {
        self.0.lock().unwrap().sight.clone()
    }

    async fn keep(&self, _: &Rollout, turn: &Turn) -> Result<(), String> {
        let mut told = self.0.lock().unwrap();
        told.kept.push(turn.state.clone());
        if told.refuses { Err("the disk is full".to_owned()) } else { Ok(()) }
    }

    async fn wrote(&self, _: &Rollout, undo: &Undo) -> Result<(), String> {
        let Undo::Files(files) = undo else { panic!("{undo:?}") };
        self.0.lock().unwrap().original.extend(files.iter().cloned());
        Ok(())
    }

    async fn original(&self, _: &Rollout) -> Option<Undo> {
        // Of one step alone: that is enough to see that it is used.
        let original = self.0.lock().unwrap().original.clone();
        (original.len() == 1).then_some(Undo::Files(original))
    }
}

struct Shop {
    files: tempfile::TempDir,
    driver: Driver<Proxies>,
    rollout: Rollout,
    state: State,
    now: Timestamp,
}

impl Shop {
    fn new(kind: RolloutKind) -> Self {
        let files = tempfile::tempdir().unwrap();
        std::fs::write(files.path().join("shop.yaml"), ROUTE).unwrap();
        let directory = [files.path().to_owned()];
        let directory = Directory::new(&directory, &files.path().join(".meshctl")).unwrap();
        let proxies = Proxies::default();
        proxies.0.lock().unwrap().sight =
            Sight { in_force: true, ready: true, totals: Pair::default() };
        let key = |kind, name| ObjectKey::new(Origin::Files, kind, "shop", name);
        Self {
            files,
            driver: Driver::new(Store::Directory(Arc::new(directory)), proxies),
            rollout: Rollout {
                key: key(Kind::TrafficRollout, "shop"),
                route: key(Kind::HttpRoute, "shop"),
                rule: None,
                ask: Ask::default(),
                kind,
            },
            state: State::default(),
            now: Timestamp::UNIX_EPOCH,
        }
    }

    fn canary() -> Self {
        Self::new(RolloutKind::Canary(Canary {
            stable: service("v1"),
            canary: service("v2"),
            steps: vec![10],
            interval: Duration::from_secs(60),
            gates: Gates { max_errors_ppm: Some(10_000), max_p99: None, min_requests: 100 },
        }))
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.files.path().join("shop.yaml")).unwrap()
    }

    async fn turn(&mut self) -> Result<Turn, TurnError> {
        self.now += Duration::from_secs(30);
        let turn = self.driver.turn(&self.rollout, &self.state, self.now).await;
        if let Ok(turn) = &turn {
            self.state = turn.state.clone();
        }
        turn
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.driver.world.0.lock().unwrap()
    }

    fn requests(&self, requests: u64, errors: u64) {
        let counts = Counts { requests, errors, ..Counts::default() };
        self.told().sight.totals.canary.add(&counts);
    }
}

#[tokio::test]
async fn a_step_is_looked_at_from_when_it_is_in_force() {
    let mut shop = Shop::canary();
    shop.requests(1_000, 1_000);
    let turn = shop.turn().await.unwrap();
    assert!(turn.diff.contains("+      weight: 90"), "{}", turn.diff);
    assert!(
        shop.text().contains("- name: v1   # the stable one\n      port: 80\n      weight: 90")
    );
    shop.turn().await.unwrap();
    shop.requests(60, 0);
    assert_eq!(shop.turn().await.unwrap().counts.canary.requests, 60, "none of before");
    shop.requests(60, 0);
    let turn = shop.turn().await.unwrap();
    assert_eq!((turn.state.phase, turn.state.weight), (Phase::Promoted, 100));
    assert_eq!(turn.verdict, Some(Verdict::Pass));
}

#[tokio::test]
async fn errors_give_the_file_back_byte_for_byte() {
    let mut shop = Shop::canary();
    shop.turn().await.unwrap();
    shop.turn().await.unwrap();
    shop.requests(50, 2);
    let turn = shop.turn().await.unwrap();
    assert_eq!(turn.state.phase, Phase::RolledBack);
    assert_eq!(turn.state.message, "2 of 50 requests failed, more than 1%");
    assert_eq!(shop.text(), ROUTE);
}

#[tokio::test]
async fn a_weight_for_a_time_says_so_in_the_route() {
    let mut shop = Shop::canary();
    let until = shop.now + Duration::from_secs(90);
    shop.rollout.ask =
        Ask { intent: Intent::Paused, weight: Some(50), until: Some(until), at: None };
    shop.turn().await.unwrap();
    let said = "meshctl.dev/weights-return: \"1970-01-01T00:01:30Z 0=1,0\"";
    assert!(shop.text().contains(said), "{}", shop.text());
    // A word alone, without a weight, takes the end back.
    let timed = shop.rollout.ask.clone();
    shop.rollout.ask = Ask { intent: Intent::Paused, ..Ask::default() };
    shop.turn().await.unwrap();
    assert!(!shop.text().contains("annotations"), "{}", shop.text());
    assert!(shop.text().contains("weight: 50"));
    shop.rollout.ask = timed;
    shop.turn().await.unwrap();
    let turn = shop.turn().await.unwrap();
    assert_eq!(turn.state.message, "its time is over: back to 50%");
    assert!(!shop.text().contains("annotations"), "{}", shop.text());
}

#[tokio::test]
async fn the_weights_of_the_beginning_may_hold_for_a_time_too() {
    let mut shop = Shop::canary();
    let begun = ROUTE.replace(
        "port: 80\n",
        "port: 80\n      weight: 100\n    - {name: v2, port: 80, weight: 0}\n",
    );
    std::fs::write(shop.files.path().join("shop.yaml"), &begun).unwrap();
    shop.rollout.ask = Ask { intent: Intent::Paused, weight: Some(10), ..Ask::default() };
    shop.turn().await.unwrap();
    let until = Some(shop.now + Duration::from_secs(300));
    shop.rollout.ask = Ask { weight: Some(0), until, ..shop.rollout.ask.clone() };
    shop.turn().await.unwrap();
    assert!(shop.text().contains("0=90,10"), "{}", shop.text());
    assert!(shop.text().contains("weight: 100"));
}

#[tokio::test]
async fn nothing_is_written_that_can_not_be_kept() {
    let mut shop = Shop::canary();
    shop.told().refuses = true;
    let error = shop.turn().await.unwrap_err();
    let why = "how far the rollout is can't be kept: the disk is full";
    assert_eq!(error.to_string(), why);
    assert_eq!(shop.text(), ROUTE);
    // What was decided and not written is written by whoever comes next.
    shop.told().refuses = false;
    let kept = shop.told().kept[0].clone();
    shop.state = kept;
    shop.turn().await.unwrap();
    assert!(shop.text().contains("weight: 90"));
    assert_eq!(shop.state.weight, 10);
}

#[tokio::test]
async fn another_process_looks_anew() {
    let mut shop = Shop::canary();
    shop.turn().await.unwrap();
    shop.turn().await.unwrap();
    shop.requests(200, 0);
    let proxies = shop.driver.world.clone();
    shop.driver = Driver::new(shop.driver.store.clone(), proxies);
    let turn = shop.turn().await.unwrap();
    assert_eq!((turn.counts.canary.requests, turn.state.since), (0, Some(shop.now)));
}

#[tokio::test]
async fn without_its_route_a_rollout_says_so() {
    let mut shop = Shop::canary();
    std::fs::write(shop.files.path().join("shop.yaml"), "").unwrap();
    let error = shop.turn().await.unwrap_err();
    assert_eq!(error.to_string(), "there is no HTTPRoute shop/shop");
    assert_eq!(shop.told().kept, []);
}

#[tokio::test]
async fn copies_begin_and_end() {
    let mut shop =
        Shop::new(RolloutKind::DarkLaunch(DarkLaunch { to: service("v2"), percent: 20 }));
    let turn = shop.turn().await.unwrap();
    assert!(shop.text().contains("percent: 20"), "{}", shop.text());
    assert_eq!((turn.state.phase, turn.state.weight), (Phase::Progressing, 20));
    assert_eq!(shop.turn().await.unwrap().state.since, Some(shop.now));
    assert_eq!(shop.turn().await.unwrap().diff, "");
    // By hand: it stays.
    let edited = shop.text().replace("percent: 20", "percent: 7");
    std::fs::write(shop.files.path().join("shop.yaml"), &edited).unwrap();
    let turn = shop.turn().await.unwrap();
    assert_eq!((turn.state.phase, turn.state.weight), (Phase::Paused, 7));
    let history = turn.state.history.len();
    assert_eq!(shop.turn().await.unwrap().state.history.len(), history, "said once");
    assert_eq!(shop.text(), edited);
    shop.rollout.ask.intent = Intent::Aborted;
    let turn = shop.turn().await.unwrap();
    assert_eq!((turn.state.phase, turn.state.weight), (Phase::Aborted, 0));
    assert_eq!(shop.text(), ROUTE);
    assert_eq!(shop.turn().await.unwrap().diff, "");
}

#[tokio::test]
async fn copies_follow_the_plan() {
    let of = |percent| RolloutKind::DarkLaunch(DarkLaunch { to: service("v2"), percent });
    let mut shop = Shop::new(of(20));
    shop.turn().await.unwrap();
    shop.rollout.kind = of(50);
    let turn = shop.turn().await.unwrap();
    assert!(shop.text().contains("percent: 50"), "{}", shop.text());
    assert_eq!(turn.state.weight, 50);
    assert_eq!(shop.turn().await.unwrap().diff, "");
    // Nor do they go on to what was copied to before.
    shop.rollout.kind = RolloutKind::DarkLaunch(DarkLaunch { to: service("v3"), percent: 50 });
    assert_eq!(shop.turn().await.unwrap().state.phase, Phase::Aborted);
    assert_eq!(shop.text(), ROUTE);
    shop.turn().await.unwrap();
    assert!(shop.text().contains("name: v3"), "{}", shop.text());
}

impl Shop {
    fn exchange(&mut self, canary: &str) {
        let RolloutKind::Canary(of) = &mut self.rollout.kind else { panic!() };
        of.canary = service(canary);
    }
}

#[tokio::test]
async fn another_version_begins_where_the_former_has_left() {
    let mut shop = Shop::canary();
    shop.turn().await.unwrap();
    assert!(shop.text().contains("name: v2"), "{}", shop.text());
    shop.exchange("v3");
    assert_eq!(shop.turn().await.unwrap().state.phase, Phase::Aborted);
    assert_eq!(shop.text(), ROUTE, "v2 keeps nothing");
    shop.turn().await.unwrap();
    let turn = shop.turn().await.unwrap();
    assert_eq!((turn.state.phase, turn.state.weight), (Phase::Progressing, 10));
    assert!(shop.text().contains("name: v3"), "{}", shop.text());
    assert!(!shop.text().contains("name: v2"), "{}", shop.text());
    let from_to: Vec<_> = turn.state.history.iter().map(|one| (one.from, one.to)).collect();
    assert_eq!(from_to, [(0, 0), (0, 10), (10, 0), (0, 0), (0, 10)]);
    assert!(turn.state.answers(&shop.rollout));
}

#[tokio::test]
async fn a_former_route_gets_back_what_it_had() {
    let mut shop = Shop::canary();
    let both = format!("{ROUTE}---\n{}", ROUTE.replace("name: shop,", "name: cart,"));
    std::fs::write(shop.files.path().join("shop.yaml"), &both).unwrap();
    shop.turn().await.unwrap();
    shop.rollout.route = ObjectKey { name: "cart".into(), ..shop.rollout.route.clone() };
    shop.turn().await.unwrap();
    assert_eq!(shop.text(), both);
    shop.turn().await.unwrap();
    shop.turn().await.unwrap();
    let cart = both.rfind("by hand").unwrap();
    assert_eq!(shop.text().find("weight: 90").map(|at| at > cart), Some(true), "{}", shop.text());
    // A route that is gone has nothing to get back.
    std::fs::write(shop.files.path().join("shop.yaml"), ROUTE).unwrap();
    shop.rollout.route = ObjectKey { name: "shop".into(), ..shop.rollout.route.clone() };
    shop.turn().await.unwrap();
    shop.turn().await.unwrap();
    assert!(shop.text().contains("weight: 90"), "{}", shop.text());
}

#[tokio::test]
async fn one_that_is_over_begins_anew_with_other_versions() {
    let mut shop = Shop::canary();
    shop.rollout.ask.intent = Intent::Promoted;
    shop.turn().await.unwrap();
    shop.turn().await.unwrap();
    let promoted = shop.text();
    shop.rollout.ask.intent = Intent::Running;
    let RolloutKind::Canary(of) = &mut shop.rollout.kind else { panic!() };
    (of.stable, of.canary) = (service("v2"), service("v3"));
    let turn = shop.turn().await.unwrap();
    assert_eq!((turn.state.phase, turn.state.weight), (Phase::Progressing, 10));
    assert!(shop.text().contains("name: v3"), "{}", shop.text());
    shop.rollout.ask.intent = Intent::Aborted;
    shop.told().original.clear();
    shop.turn().await.unwrap();
    let objects = |text: &str| crate::yaml::objects(text).unwrap();
    assert_eq!(objects(&shop.text()), objects(&promoted));
}
