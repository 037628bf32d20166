use super::*;
use crate::model::{Kind, Store};

fn notice(name: &str, why: &str) -> Notice {
    let key = |kind| ObjectKey::new(Store::Cluster, kind, "shop", name);
    Notice {
        rollout: key(Kind::TrafficRollout),
        route: key(Kind::HttpRoute),
        was: Phase::Progressing,
        event: Event {
            at: Timestamp::UNIX_EPOCH,
            phase: Phase::RolledBack,
            from: 10,
            to: 0,
            why: why.to_owned(),
            by_hand: false,
        },
        uid: "7".to_owned(),
    }
}

/// The API server refuses an event that is longer, or whose name isn't one.
#[test]
fn events_fit_their_bounds() {
    let name = format!("{}.{}", "a".repeat(219), "b".repeat(33));
    let event = notice(&name, &"ü".repeat(2_000)).to_json(&"p".repeat(200), Timestamp::UNIX_EPOCH);
    let text = |pointer: &str| event.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    assert!(text("/note").len() <= 1_024);
    assert_eq!(text("/metadata/name"), format!("{}.0", "a".repeat(219)));
    assert_eq!(text("/reportingInstance").len(), 128);
    assert_eq!(text("/eventTime"), "1970-01-01T00:00:00.000000Z");
    assert_eq!(text("/regarding/name"), name);
    assert_eq!((text("/type"), text("/reason")), ("Warning".into(), "RolledBack".into()));
    assert_eq!(text("/action"), "ChangePhase");
    assert!(Resource::of(&event).is_some());
}
