use jiff::Timestamp;

use super::*;
use crate::rollout::state::{Intent, Phase};

fn ask(intent: Intent, weight: Option<u32>) -> Ask {
    Ask { intent, weight, until: None, at: Some("now".to_owned()) }
}

fn asked(rollout: &Value, ask: &Ask) -> Value {
    let mut asked = rollout.clone();
    let patch = patch(rollout, ask);
    json_patch::patch(&mut asked, &patch).unwrap();
    asked
}

#[test]
fn a_word_takes_the_place_of_the_one_before() {
    let plain = json!({"metadata": {"name": "shop"}, "spec": {"canary": {}}});
    let shifted = asked(&plain, &ask(Intent::Running, Some(10)));
    assert_eq!(shifted["spec"], json!({"canary": {}, "state": "Running", "weight": 10}));
    assert_eq!(shifted["metadata"]["annotations"], json!({"meshctl.dev/asked-at": "now"}));
    let until = Some(Timestamp::UNIX_EPOCH);
    let timed = asked(&shifted, &Ask { until, ..ask(Intent::Paused, Some(20)) });
    let spec =
        json!({"canary": {}, "state": "Paused", "weight": 20, "until": "1970-01-01T00:00:00Z"});
    assert_eq!(timed["spec"], spec);
    assert_eq!(asked(&timed, &ask(Intent::Running, Some(10))), shifted);
    let again = asked(&shifted, &ask(Intent::Aborted, None));
    assert_eq!(again["spec"], json!({"canary": {}, "state": "Aborted"}));
}

#[test]
fn somebody_elses_word_in_between_is_not_lost() {
    let seen = json!({"metadata": {"annotations": {}}, "spec": {"state": "Running", "weight": 5}});
    let patch = patch(&seen, &ask(Intent::Running, Some(10)));
    for (field, value) in [("state", json!("Aborted")), ("weight", json!(1))] {
        let mut now = seen.clone();
        now["spec"][field] = value;
        assert!(json_patch::patch(&mut now, &patch).is_err(), "{field}");
    }
}

#[test]
fn the_last_change_of_weight_is_what_is_taken_back() {
    let mut state = State::default();
    assert_eq!(back(&state), Back::Nothing);
    let mut change = |phase, to| {
        let from = std::mem::replace(&mut state.weight, to);
        state.phase = phase;
        state.record(Timestamp::UNIX_EPOCH, from, "");
        back(&state)
    };
    assert_eq!(change(Phase::Paused, 0), Back::Nothing);
    assert_eq!(change(Phase::Progressing, 5), Back::Start);
    assert_eq!(change(Phase::Promoted, 100), Back::To(5));
    assert_eq!(change(Phase::Paused, 100), Back::To(5));
    assert_eq!(change(Phase::RolledBack, 0), Back::To(100));
    assert_eq!(change(Phase::Paused, 20), Back::Start);
    state.blame_somebody_else();
    assert_eq!(back(&state), Back::NotOurs);
}
