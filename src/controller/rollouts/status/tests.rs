use std::time::Duration;

use super::*;
use crate::model::{Kind, ObjectKey, Store};
use crate::rollout::arms::Pair;
use crate::rollout::route::Destination;
use crate::rollout::state::Ask;
use crate::rollout::{DarkLaunch, RolloutKind};

fn dark_launch() -> Rollout {
    let key = |kind| ObjectKey::new(Store::Cluster, kind, "shop", "shop");
    let to = Destination {
        group: String::new(),
        kind: "Service".into(),
        namespace: "shop".into(),
        name: "v2".into(),
        port: Some(80),
    };
    Rollout {
        key: key(Kind::TrafficRollout),
        route: key(Kind::HttpRoute),
        rule: None,
        ask: Ask::default(),
        kind: RolloutKind::DarkLaunch(DarkLaunch { to, percent: 20 }),
    }
}

fn turn(phase: Phase, requests: u64) -> Turn {
    let counts = Counts { requests, errors: 1, ..Counts::default() };
    Turn {
        state: State { phase, weight: 20, message: "copies".into(), ..State::default() },
        counts: Pair { stable: Counts::default(), canary: counts },
        ..Turn::default()
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Nobody is answered by copies: they are no share of anything.
#[test]
fn a_dark_launch_has_one_arm() {
    let rates = Some(Pair { stable: 0.0, canary: 4.5 });
    let (rollout, remarks) = (dark_launch(), Remarks { rates, ..Remarks::default() });
    let turn = turn(Phase::Progressing, 9);
    let status = status(&rollout, &turn, &remarks, 3, &Value::Null, at(0));
    let arm = json!({
        "name": "dark", "asked": 20, "requests": 9, "errors": 1, "requestsPerSecond": 4.5,
    });
    assert_eq!((&status["arms"], &status["observedGeneration"]), (&json!([arm]), &json!(3)));
    let misfits = crate::manifest::install::tests::misfits_of_status("TrafficRollout", &status);
    assert!(misfits.is_empty(), "{misfits:#?}");
}

#[test]
fn a_condition_that_stays_keeps_its_time() {
    let rollout = dark_launch();
    let since = |status: &Value| {
        let all = status["conditions"].as_array().unwrap().iter();
        let one = |one: &Value| (one["status"].clone(), one["lastTransitionTime"].clone());
        all.map(one).collect::<Vec<_>>()
    };
    let remarks = Remarks::default();
    let first = status(&rollout, &turn(Phase::Progressing, 1), &remarks, 1, &Value::Null, at(0));
    let early = json!("1970-01-01T00:00:00Z");
    let late = json!("1970-01-01T00:01:00Z");
    assert_eq!(since(&first), [(json!("True"), early.clone()), (json!("False"), early.clone())]);
    let stuck = Remarks { obstacle: Some(("NoRoute", "gone".into())), ..Remarks::default() };
    let second = status(&rollout, &turn(Phase::Progressing, 1), &stuck, 1, &first, at(60));
    assert_eq!(since(&second), [(json!("False"), late), (json!("False"), early)]);
    assert_eq!(second["conditions"][1]["reason"], "NoRoute");
}

#[test]
fn what_was_counted_last_stays_when_it_is_over() {
    let rates = Some(Pair { stable: 0.0, canary: 4.5 });
    let (rollout, remarks) = (dark_launch(), Remarks { rates, ..Remarks::default() });
    let first = status(&rollout, &turn(Phase::Aborted, 9), &remarks, 1, &Value::Null, at(0));
    let second = status(&rollout, &turn(Phase::Aborted, 0), &remarks, 1, &first, at(60));
    assert_eq!(first, second);
    assert_eq!(first["arms"][0].get("requestsPerSecond"), None, "nobody would correct it");
    let again = status(&rollout, &turn(Phase::Progressing, 0), &remarks, 1, &second, at(60));
    assert_eq!(again["arms"][0]["requests"], 0);
}

#[test]
fn times_are_as_long_as_they_are_worth() {
    for (micros, text) in [
        (850, "850µs"),
        (1_440, "1.4ms"),
        (12_345, "12ms"),
        (250_000, "250ms"),
        (1_540_000, "1.5s"),
    ] {
        assert_eq!(readable(Duration::from_micros(micros)), text);
    }
}

/// As they come back: else a status that says the same would be written for ever.
#[test]
fn whole_numbers_have_no_fraction() {
    assert_eq!([0.0, 50.0, 4.5].map(|one| number(one).to_string()), ["0", "50", "4.5"]);
}
