use super::*;
use crate::model::{Name, ObjectKey, PartKind, Store};
use crate::rollout::route::tests::service;
use crate::rollout::state::Ask;
use crate::rollout::{Canary, DarkLaunch, RolloutKind};

fn rollout(rule: Option<&str>, kind: RolloutKind) -> Rollout {
    let key = |kind, name| ObjectKey::new(Store::Files, kind, "shop", name);
    Rollout {
        key: key(Kind::TrafficRollout, "cart"),
        route: key(Kind::HttpRoute, "cart"),
        rule: rule.map(Name::from),
        ask: Ask::default(),
        kind,
    }
}

fn canary(rule: Option<&str>) -> Rollout {
    let (stable, canary) = (service("v1"), service("v2"));
    let (steps, interval) = (vec![1], std::time::Duration::from_secs(1));
    let gates = crate::config::raw::Gates::default();
    rollout(rule, RolloutKind::Canary(Canary { stable, canary, steps, interval, gates }))
}

fn arm(route: &str, rule: &str, backend: &str, section: &str, dark: bool) -> ArmKey {
    let object = |kind, name| ObjectKey::new(Store::Files, kind, "shop", name);
    ArmKey {
        rule: PartKey::new(PartKind::Rule, object(Kind::HttpRoute, route), rule),
        backend: PartKey::new(PartKind::Backend, object(Kind::Service, backend), section),
        dark,
    }
}

fn pair(rollout: &Rollout, arms: &[ArmKey]) -> (u64, u64) {
    // Each arm has a count of its own, so that a sum tells whose it is.
    let counts = |at: usize| Counts { requests: 1 << at, ..Counts::default() };
    let arms = arms.iter().enumerate().map(|(at, key)| (key, counts(at)));
    let pair = Pair::of(rollout, arms);
    (pair.stable.requests, pair.canary.requests)
}

#[test]
fn arms_of_the_route_count_for_their_version() {
    let arms = [
        arm("cart", "0", "v1", "80", false),
        arm("cart", "0", "v2", "80", false),
        arm("cart", "1", "v1", "80/grpc", false),
        arm("cart", "web~infra/edge", "v2", "80~shop/cert", false),
        arm("cart", "0", "v2", "8080", false),
        arm("cart", "0", "v2", "80", true),
        arm("other", "0", "v1", "80", false),
        arm("cart", "0", "v3", "80", false),
    ];
    assert_eq!(pair(&canary(None), &arms), (0b101, 0b1010));
    assert_eq!(pair(&canary(Some("web")), &arms), (0, 0b1000));
    assert_eq!(pair(&canary(Some("we")), &arms), (0, 0));
    let dark = RolloutKind::DarkLaunch(DarkLaunch { to: service("v2"), percent: 5 });
    assert_eq!(pair(&rollout(None, dark), &arms), (0, 0b10_0000));
}

#[test]
fn the_measured_share_is_of_both() {
    let counts = |requests| Counts { requests, ..Counts::default() };
    let pair = |stable, canary| Pair { stable: counts(stable), canary: counts(canary) };
    assert_eq!(pair(0, 0).measured(), None);
    assert_eq!(pair(3, 1).measured(), Some(25.0));
    assert_eq!(pair(3, 1).since(&pair(2, 1)).measured(), Some(0.0));
}
