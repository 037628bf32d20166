//! Nobody is sent where nobody answers.

use super::*;

#[test]
fn nothing_is_sent_where_nobody_answers() {
    let mut world = World::new(&["v1"]);
    world.ready = false;
    world.turns(100);
    assert_eq!(world.weights, [0], "it is added, so that its endpoints are looked for");
    assert_eq!(world.state.message, "waits before 1%: Service v2:80 has no endpoint that is ready");
    assert_eq!(world.state.history.len(), 1);
    world.ready = true;
    world.turns(3);
    assert_eq!(world.percent(), 1);
    world.ready = false;
    world.turns(2);
    assert_eq!((world.state.phase, world.percent()), (Phase::RolledBack, 0));
}

#[test]
fn a_weight_by_hand_waits_for_an_endpoint_too() {
    let mut world = World::new(&["v1"]);
    world.ready = false;
    world.ask(Intent::Paused, Some(10));
    world.turns(3);
    assert_eq!(world.weights, [0]);
    world.ready = true;
    world.turns(2);
    assert_eq!((world.state.phase, world.percent()), (Phase::Paused, 10));
    assert_eq!(world.state.history.len(), 1);
}

#[test]
fn a_weight_that_rests_needs_endpoints_too() {
    let mut world = World::new(&["v1"]);
    world.ask(Intent::Paused, Some(10));
    world.turns(3);
    world.ready = false;
    world.turns(2);
    assert_eq!((world.state.phase, shown(&world.route)), (Phase::RolledBack, vec!["v1".into()]));
    assert_eq!(world.state.message, "the canary has no endpoint that is ready");
    // What somebody else has set stays.
    let mut world = World::new(&["v1"]);
    world.ask(Intent::Paused, Some(10));
    world.turns(3);
    world.route = route(&["v1=30 v2=70"]);
    world.turns(1);
    world.ready = false;
    world.turns(5);
    assert_eq!((world.state.phase, world.percent()), (Phase::Paused, 70));
}

#[test]
fn a_weight_goes_back_to_nobody_who_is_gone() {
    let mut world = World::new(&["v1"]);
    world.ask(Intent::Paused, Some(40));
    world.turns(3);
    world.ask(Intent::Paused, Some(0));
    world.ask.until = Some(world.now + SECOND * 5);
    world.turns(3);
    world.ready = false;
    world.turns(10);
    assert_eq!((world.state.phase, world.percent()), (Phase::RolledBack, 0));
    assert_eq!((world.weights.as_slice(), &world.annotated), (&[40, 0, 0][..], &None));
}

#[test]
fn a_promotion_by_hand_waits_for_an_endpoint_too() {
    let mut world = World::new(&["v1"]);
    world.turns(10);
    world.ask(Intent::Promoted, None);
    world.ready = false;
    world.turns(10);
    assert_eq!(world.percent(), 0, "meanwhile nobody is sent there");
    let last = world.state.history.back().unwrap();
    assert_eq!((last.from, last.to, world.state.history.len()), (1, 0, 3));
    let why = "waits before 100%: Service v2:80 has no endpoint that is ready";
    assert_eq!(world.state.message, why);
    world.ready = true;
    world.turns(2);
    assert_eq!((world.state.phase, world.percent()), (Phase::Promoted, 100));
}

#[test]
fn what_is_given_back_returns_to_nothing() {
    let mut world = World::new(&["v1"]);
    world.ask(Intent::Paused, Some(40));
    world.turns(3);
    world.ask(Intent::Paused, Some(60));
    world.ask.until = Some(world.now + SECOND * 20);
    world.turns(3);
    assert!(world.annotated.is_some());
    world.ready = false;
    world.turns(3);
    assert_eq!((world.state.phase, &world.annotated), (Phase::RolledBack, &None));
    world.ready = true;
    world.turns(30);
    assert_eq!((world.state.phase, world.percent()), (Phase::RolledBack, 0));
    // Nor does one that waits.
    let mut world = World::new(&["v1"]);
    world.ask(Intent::Paused, Some(40));
    world.turns(3);
    world.ask(Intent::Paused, Some(0));
    world.ask.until = Some(world.now + SECOND * 20);
    world.turns(3);
    world.ready = false;
    world.ask(Intent::Paused, Some(10));
    world.turns(3);
    assert_eq!((&world.annotated, &world.state.returns), (&None, &None));
}

#[test]
fn what_somebody_sets_meanwhile_stays() {
    let mut world = World::new(&["v1"]);
    world.ready = false;
    world.ask(Intent::Paused, Some(25));
    world.turns(3);
    world.route = route(&["v1=90 v2=10"]);
    world.turns(10);
    assert_eq!(world.percent(), 10);
    assert_eq!(world.state.history.len(), 1, "said once");
    // A pause keeps it so.
    world.ask(Intent::Paused, None);
    world.turns(5);
    assert_eq!((world.state.phase, world.percent()), (Phase::Paused, 10));
}

#[test]
fn what_was_there_before_is_not_taken_away() {
    let mut world = World::new(&["v1=90 v2=10"]);
    world.ready = false;
    world.ask(Intent::Paused, None);
    world.turns(5);
    assert_eq!((world.state.phase, world.percent()), (Phase::Paused, 10));
}

/// Kept and not written, as often as it may be.
#[test]
fn what_is_taken_back_is_told_once() {
    let mut world = World::new(&["v1"]);
    world.turns(10);
    world.ready = false;
    world.ask(Intent::Promoted, None);
    for _ in 0..5 {
        world.state = world.plan().state;
    }
    assert_eq!((world.percent(), world.state.history.len()), (1, 3));
    world.turns(2);
    assert_eq!((world.percent(), world.state.history.len()), (0, 3));
}
