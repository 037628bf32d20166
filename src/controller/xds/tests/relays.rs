//! Two replicas over real sockets: what the one that leads knows of the other's proxies.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::running::{Controller, served, within};
use super::shop;
use crate::controller::fixture::{key, rule, scope};
use crate::controller::proxies::Proxy;
use crate::controller::relay::{self, Credentials};
use crate::limits;
use crate::model::{Arm, ArmKey, Counts, ObjectKey, PartKind, Report, Totals};

struct Relaying {
    leader: watch::Sender<Option<SocketAddr>>,
    task: JoinHandle<()>,
}

/// A controller's, as others know it.
fn authority(of: &Controller) -> watch::Receiver<String> {
    watch::channel(std::fs::read_to_string(of.files.path().join("ca")).unwrap()).1
}

/// `from` tells `to`, as the replica of this name.
fn relaying(from: &Controller, to: &Controller, name: &str) -> Relaying {
    let (leader, at) = watch::channel(Some(SocketAddr::from(([127, 0, 0, 1], to.port))));
    let credentials = Credentials {
        server_name: "localhost".to_owned(),
        authority: authority(to),
        token: from.options(&format!("replica:{name}")).token,
    };
    let task = tokio::spawn(relay::run(at, credentials, Arc::clone(&from.distribution)));
    Relaying { leader, task }
}

fn arm() -> ArmKey {
    let (rule, backend) = (key(PartKind::Rule, "shop"), key(PartKind::Backend, "shop"));
    ArmKey { rule, backend, dark: false }
}

fn report(process: u64, requests: u64) -> Report {
    let counts = Counts { requests, in_flight: 1, ..Counts::default() };
    let arms: Vec<_> =
        (requests > 0).then(|| Arm { key: arm(), born: 1, counts }).into_iter().collect();
    let totals = Totals { requests, ..Totals::default() };
    Report { process, born: arms.len() as u64, totals, arms }
}

async fn requests(of: &Controller, expected: u64) {
    within("the count", async {
        while of.distribution.arm(&arm()).requests != expected {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

async fn until_served(by: &Controller, route: &ObjectKey) {
    within("the route", async {
        while !by.distribution.is_served(&scope("one"), route, 2) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

fn by_name<'a>(proxies: &'a [Proxy], name: &str) -> Option<&'a Proxy> {
    proxies.iter().find(|proxy| &*proxy.name == name)
}

#[tokio::test]
async fn the_leader_knows_the_proxies_of_all_replicas() {
    let (mut leader, mut follower) = (Controller::start().await, Controller::start().await);
    leader.publish(shop(1), vec![]);
    // Each counts its own generations.
    (0..5).for_each(|_| follower.publish(shop(1), vec![]));
    let relaying = relaying(&follower, &leader, "two");
    let mut here = leader.proxy("one:here");
    served(&mut here).await;
    let mut there = follower.proxy("one:there");
    let update = super::running::next(&mut there).await;
    let known = |proxies: &[Proxy]| by_name(proxies, "edge/there").is_some_and(|one| one.behind);
    let proxies = leader.until("the other's proxy", known).await;
    let there_row = by_name(&proxies, "edge/there").unwrap();
    assert_eq!(there_row.scope, scope("one"));
    assert_eq!((there_row.replica.as_deref(), there_row.heard), (Some("two"), true));
    assert_eq!((&*there_row.version, there_row.answered), ("1.2.3", None));
    let names = |of: &Controller| -> Vec<_> {
        of.distribution.elsewhere().into_iter().map(|proxy| proxy.name).collect()
    };
    assert_eq!((names(&leader), names(&follower)), (vec!["edge/there".into()], vec![]));
    let fleet = leader.distribution.fleet(&scope("one"));
    assert_eq!((fleet.proxies.len(), fleet.troubles().count()), (2, 0));
    // Its trouble stands in the leader's fleet, and goes when it is mended.
    there.acknowledge(update.transaction, Err("port 80 is taken".to_owned()));
    let troubled = |proxies: &[Proxy]| {
        by_name(proxies, "edge/there").is_some_and(|one| one.trouble.is_some() && !one.behind)
    };
    leader.until("the trouble", troubled).await;
    let fleet = leader.distribution.fleet(&scope("one"));
    let (name, why) = fleet.troubles().next().unwrap();
    assert_eq!((&**name, &**why), ("edge/there", "port 80 is taken"));
    there.acknowledge(update.transaction, Ok(()));
    let mended = |proxies: &[Proxy]| proxies.iter().all(|one| one.trouble.is_none() && !one.behind);
    leader.until("the mending", mended).await;
    // What its arms did is in the leader's sum, each of both once.
    here.report(report(1, 0));
    there.report(report(2, 0));
    let told = |proxies: &[Proxy]| proxies.iter().all(|one| one.totals.is_some());
    within("both to have told", async {
        while !told(&leader.distribution.proxies()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    here.report(report(1, 3));
    there.report(report(2, 4));
    requests(&leader, 7).await;
    requests(&follower, 4).await;
    assert_eq!(leader.distribution.arm(&arm()).in_flight, 2);
    // It moves to the leader: one proxy still, and counted on from where it was.
    drop(there);
    let gone = |proxies: &[Proxy]| by_name(proxies, "edge/there").is_none();
    leader.until("it to be gone", gone).await;
    let mut there = leader.proxy("one:there");
    served(&mut there).await;
    there.report(report(2, 6));
    requests(&leader, 9).await;
    let proxies = leader.distribution.proxies();
    assert_eq!(by_name(&proxies, "edge/there").unwrap().replica, None);
    drop(relaying.leader);
    relaying.task.abort();
}

/// A replica that lags behind tells of proxies that have its own last word.
#[tokio::test]
async fn a_route_is_served_where_every_replica_has_published_the_same() {
    let (mut leader, mut follower) = (Controller::start().await, Controller::start().await);
    let route = key(PartKind::Rule, "shop").object;
    follower.distribution.follow([route.clone()].into());
    let changed = || rule("shop", &["web"], &["shop"], Some("shop"));
    [&mut leader, &mut follower].into_iter().for_each(|one| one.publish(shop(1), vec![]));
    let relaying = relaying(&follower, &leader, "two");
    let (mut here, mut there) = (leader.proxy("one:here"), follower.proxy("one:there"));
    served(&mut here).await;
    served(&mut there).await;
    until_served(&leader, &route).await;
    assert!(!leader.distribution.is_served(&scope("one"), &route, 3), "a pod is missing");
    leader.publish(vec![changed()], vec![]);
    served(&mut here).await;
    let settled = |proxies: &[Proxy]| proxies.iter().all(|one| one.heard && !one.behind);
    leader.until("all to have their last word", settled).await;
    // As many words as there would be.
    tokio::time::sleep(2 * limits::CONTROLLER_TICK).await;
    let is_served = leader.distribution.is_served(&scope("one"), &route, 2);
    assert!(!is_served, "the other replica hasn't published it");
    follower.publish(vec![changed()], vec![]);
    served(&mut there).await;
    until_served(&leader, &route).await;
    relaying.task.abort();
}

#[tokio::test]
async fn while_the_relay_is_down_proxies_are_unknown_and_not_gone() {
    let (mut leader, mut follower) = (Controller::start().await, Controller::start().await);
    leader.publish(shop(1), vec![]);
    follower.publish(shop(1), vec![]);
    let relay = relaying(&follower, &leader, "two");
    let (mut stays, mut leaves) = (follower.proxy("one:stays"), follower.proxy("one:leaves"));
    served(&mut stays).await;
    served(&mut leaves).await;
    stays.acknowledge(1, Err("port 80 is taken".to_owned()));
    let both =
        |proxies: &[Proxy]| proxies.len() == 2 && proxies.iter().any(|one| one.trouble.is_some());
    leader.until("both", both).await;
    // Nobody leads that it knows of.
    relay.leader.send_replace(None);
    let unknown =
        |proxies: &[Proxy]| proxies.len() == 2 && proxies.iter().all(|proxy| !proxy.heard);
    leader.until("both to be unknown", unknown).await;
    let fleet = leader.distribution.fleet(&scope("one"));
    assert_eq!(fleet.troubles().count(), 1, "what was said last stands");
    drop(leaves);
    follower.until("one to leave", |proxies| proxies.len() == 1).await;
    relay.leader.send_replace(Some(SocketAddr::from(([127, 0, 0, 1], leader.port))));
    let one = |proxies: &[Proxy]| proxies.len() == 1 && proxies[0].heard;
    let proxies = leader.until("the one that stays", one).await;
    assert_eq!(&*proxies[0].name, "edge/stays");
    // Another leads: the relay follows.
    let mut third = Controller::start().await;
    third.publish(shop(1), vec![]);
    relay.task.abort();
    let relay = relaying(&follower, &third, "two");
    third.until("the proxy", one).await;
    leader.until("it to be unknown", |proxies| proxies.iter().all(|proxy| !proxy.heard)).await;
    relay.task.abort();
    third.until("it to be unknown", |proxies| proxies.iter().all(|proxy| !proxy.heard)).await;
    tokio::time::pause();
    tokio::time::advance(limits::RELAY_REST).await;
    assert_eq!(third.distribution.proxies(), [], "too long");
}

/// Only who is believed to be a replica may speak of others' proxies.
#[tokio::test]
async fn a_proxy_is_no_replica() {
    let (mut leader, mut follower) = (Controller::start().await, Controller::start().await);
    leader.publish(shop(1), vec![]);
    follower.publish(shop(1), vec![]);
    let mut proxy = follower.proxy("one:pod");
    served(&mut proxy).await;
    for token in ["stranger", "one:liar"] {
        let (_leading, at) = watch::channel(Some(SocketAddr::from(([127, 0, 0, 1], leader.port))));
        let credentials = Credentials {
            server_name: "localhost".to_owned(),
            authority: authority(&leader),
            token: follower.options(token).token,
        };
        let relay = relay::run(at, credentials, Arc::clone(&follower.distribution));
        let _ = tokio::time::timeout(limits::RELAY_RETRY * 2, relay).await;
        assert_eq!(leader.distribution.proxies(), [], "{token}");
    }
}
