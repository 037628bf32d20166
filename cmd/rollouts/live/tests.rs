#![allow(clippy::unwrap_used, reason = "a test may panic")]

use meshctl::model::{Kind, ObjectKey, Store};
use meshctl::rollout::ask;
use meshctl::rollout::state::State;
use meshctl::rollout::view::{Arm, View};
use meshctl::store::Stored;
use serde_json::json;

use super::*;
use crate::screen::tests::picture;

fn shown() -> Shown {
    let value = json!({
        "apiVersion": "meshctl.dev/v1alpha1", "kind": "TrafficRollout",
        "metadata": {"name": "shop", "namespace": "shop"},
        "spec": {
            "targetRef": {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "shop"},
            "canary": {
                "stable": {"name": "shop-v1", "port": 80},
                "canary": {"name": "shop-v2", "port": 80},
            },
        },
    });
    let key = ObjectKey::new(Store::Files, Kind::TrafficRollout, "shop", "shop");
    let stored = Stored { key, value, version: String::new(), place: "shop.yaml:1".to_owned() };
    let rollout = ask::read(&stored).unwrap();
    let event = |at: &str, from: u32, to: u32, why: &str| json!({"at": at, "phase": "Progressing", "from": from, "to": to, "why": why});
    let state: State = serde_json::from_value(json!({
        "phase": "Progressing", "weight": 25, "step": 3, "message": "step 3: 140 s to go",
        "history": [
            event("2026-03-01T09:41:07Z", 0, 1, "step 1 of 4"),
            event("2026-03-01T09:46:09Z", 1, 5, "step 2 of 4"),
            event("2026-03-01T09:51:10Z", 5, 25, "step 3 of 4"),
        ],
    }))
    .unwrap();
    let arm = |requests, errors, per_second| Arm {
        requests,
        errors,
        per_second: Some(per_second),
        p50_ms: Some(8.1),
        p99_ms: Some(14.0),
    };
    let view = View {
        proxies: 2,
        measured: Some(24.6),
        stable: Some(arm(4_512, 3, 75.2)),
        canary: arm(1_472, 1, 24.5),
        verdict: Some("pass".to_owned()),
        ..View::default()
    };
    let known = Known { stored, rollout, state, view: None };
    Shown { known, view, driver: None, place: "directory shop".to_owned(), is_cluster: false }
}

fn rates(shown: &Shown) -> Rates {
    let mut rates = Rates::default();
    let mut moment = shown.clone();
    for second in 0..120_u32 {
        moment.view.canary.per_second = Some(f64::from(second) / 4.0);
        moment.view.stable =
            Some(Arm { per_second: Some(100.0 - f64::from(second) / 4.0), ..Arm::default() });
        rates.push(&moment);
    }
    rates
}

fn drawn(width: u16, height: u16, shown: &Shown) -> String {
    picture::drawn(width, height, |frame| draw(frame, shown, &rates(shown), " q leaves"))
}

fn check(name: &str, picture: &str) {
    picture::check(&format!("rollouts/live/tests/{name}"), picture);
}

#[test]
fn a_canary_in_its_third_step() {
    check("80.txt", &drawn(80, 24, &shown()));
    check("200.txt", &drawn(200, 40, &shown()));
}

#[test]
fn steps_that_have_no_room_are_left_out_whole() {
    let mut shown = shown();
    let RolloutKind::Canary(canary) = &mut shown.known.rollout.kind else { panic!("it is one") };
    canary.steps = (1..=20).map(|step| step * 5 - 4).collect();
    for (weight, expected) in [
        (1, " steps    ▶ 1%  · 6%  · 11%  · 16%  · 21%  …"),
        (51, " steps    … ▶ 51%  · 56%  · 61%  · 66%  · 71%  …"),
        (96, " steps    … ✓ 81%  ✓ 86%  ✓ 91%  ▶ 96%  · 100%"),
    ] {
        shown.known.state.weight = weight;
        let picture = drawn(50, 24, &shown);
        let line = picture.lines().find(|line| line.starts_with(" steps"));
        assert_eq!(line, Some(expected));
    }
}

#[test]
fn no_size_of_a_terminal_is_too_small_to_draw_on() {
    let shown = shown();
    for width in [1, 2, 10, 23, 24, 25, 60] {
        for height in (1..30).step_by(3) {
            drawn(width, height, &shown);
        }
    }
}
