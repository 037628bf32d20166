//! Whole rollouts in virtual time: a world that answers as it is told, and a driver that can be
//! killed between any two steps.

mod endpoints;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{Planned, Seen, plan};
use crate::config::raw::Gates;
use crate::model::Counts;
use crate::rollout::Canary;
use crate::rollout::judge::Verdict;
use crate::rollout::route::Weights;
use crate::rollout::route::tests::{patched, route, service, shown};
use crate::rollout::state::{Ask, Intent, Phase, Return, State};

const SECOND: Duration = Duration::from_secs(1);

struct World {
    canary: Canary,
    ask: Ask,
    route: Value,
    state: State,
    now: Timestamp,
    ready: bool,
    in_force: bool,
    /// Of the canary, per second and percent of its weight.
    rate: u64,
    failing: bool,
    counts: Counts,
    counted_since: Option<Timestamp>,
    /// Every weight that the route had, in order.
    weights: Vec<u32>,
    /// Whether the route says when its weights go back.
    annotated: Option<Return>,
}

impl World {
    fn new(rules: &[&str]) -> Self {
        Self {
            canary: Canary {
                stable: service("v1"),
                canary: service("v2"),
                steps: vec![1, 5, 25, 50],
                interval: Duration::from_secs(60),
                gates: Gates { max_errors_ppm: Some(10_000), max_p99: None, min_requests: 100 },
            },
            ask: Ask::default(),
            route: route(rules),
            state: State::default(),
            now: Timestamp::UNIX_EPOCH,
            ready: true,
            in_force: true,
            rate: 2,
            failing: false,
            counts: Counts::default(),
            counted_since: None,
            weights: vec![],
            annotated: None,
        }
    }

    fn read(&self) -> Weights {
        Weights::read(&self.route, None, &self.canary.stable).expect("the stable one is there")
    }

    fn percent(&self) -> u32 {
        self.read().percent(&self.canary.stable, &self.canary.canary)
    }

    fn plan(&self) -> Planned {
        let weights = self.read();
        let seen = Seen {
            now: self.now,
            weights: &weights,
            in_force: self.in_force,
            ready: self.ready,
            counts: &self.counts,
            annotated: self.annotated == self.state.returns,
        };
        plan(&self.ask, &self.canary, &self.state, &seen).expect("the route can be split")
    }

    fn write(&mut self, weights: &Weights) {
        let patch = weights.patch(&self.route, &self.canary.canary).expect("it fits");
        self.annotated.clone_from(&self.state.returns);
        if !patch.0.is_empty() {
            self.route = patched(&self.route, &patch);
            self.weights.push(self.percent());
        }
    }

    /// A turn and the second after it.
    fn turn(&mut self) -> Option<Verdict> {
        let Planned { state, write, verdict } = self.plan();
        self.state = state;
        if let Some(weights) = write {
            self.write(&weights);
        }
        self.pass();
        verdict
    }

    fn pass(&mut self) {
        self.now = self.now.checked_add(SECOND).expect("time goes on");
        if self.counted_since != self.state.since {
            self.counted_since = self.state.since;
            self.counts = Counts::default();
        }
        let requests = self.rate * u64::from(self.percent());
        self.counts.requests += requests;
        self.counts.errors += if self.failing { requests } else { 0 };
    }

    fn turns(&mut self, count: usize) {
        for _ in 0..count {
            self.turn();
        }
    }

    fn ask(&mut self, intent: Intent, weight: Option<u32>) {
        self.ask = Ask { intent, weight, until: None, at: Some(self.now.to_string()) };
    }

    fn until_over(&mut self) {
        for _ in 0..2_000 {
            if self.state.phase.is_over() && self.state.since.is_some() {
                return;
            }
            self.turn();
        }
        panic!("it never ends: {:?}", self.state);
    }
}

#[test]
fn a_good_version_gets_everything_step_by_step() {
    let mut world = World::new(&["v1"]);
    world.until_over();
    assert_eq!(world.state.phase, Phase::Promoted);
    assert_eq!(world.weights, [1, 5, 25, 50, 100]);
    assert_eq!(shown(&world.route), ["v1=0 v2=100"]);
    // Each step was looked at for its minute, and none much longer.
    let passed = world.now.duration_since(Timestamp::UNIX_EPOCH).as_secs();
    assert!((4 * 60..4 * 60 + 30).contains(&passed), "{passed} s");
    let story: Vec<_> = world.state.history.iter().map(|event| (event.from, event.to)).collect();
    assert_eq!(story, [(0, 0), (0, 1), (1, 5), (5, 25), (25, 50), (50, 100)]);
}

#[test]
fn a_bad_version_is_taken_back_byte_for_byte() {
    let mut world = World::new(&["v1 other=3", "v1=4"]);
    let before = world.route.clone();
    world.turns(80);
    assert_eq!(world.percent(), 5);
    world.failing = true;
    world.until_over();
    assert_eq!(world.state.phase, Phase::RolledBack);
    assert_eq!(world.route, before);
    assert!(
        world.state.message.contains("requests failed, more than 1%"),
        "{}",
        world.state.message
    );
    world.turns(500);
    assert_eq!(world.route, before, "nothing goes forward after that");
}

#[test]
fn too_little_traffic_waits_and_fails_nothing() {
    let mut world = World::new(&["v1"]);
    world.rate = 0;
    world.turns(500);
    assert_eq!((world.state.phase, world.percent()), (Phase::Progressing, 1));
    assert_eq!(world.turn(), Some(Verdict::TooLittle { more: 100 }));
    assert_eq!(world.state.message, "waits: too little traffic: about 100 more requests");
    world.rate = 2;
    world.until_over();
    assert_eq!(world.state.phase, Phase::Promoted);
}

#[test]
fn shift_rests_and_resume_goes_on_above() {
    let mut world = World::new(&["v1"]);
    world.turns(10);
    world.ask(Intent::Paused, Some(10));
    world.turns(500);
    assert_eq!((world.state.phase, world.percent()), (Phase::Paused, 10));
    world.ask(Intent::Running, None);
    world.turns(2);
    assert_eq!((world.state.phase, world.percent()), (Phase::Progressing, 25));
}

#[test]
fn a_weight_for_a_time_goes_back_to_what_was() {
    let mut world = World::new(&["v1"]);
    world.ask(Intent::Paused, Some(5));
    world.turns(10);
    let before = world.route.clone();
    world.ask(Intent::Paused, Some(50));
    world.ask.until = Some(world.now.checked_add(SECOND * 100).unwrap());
    world.turns(20);
    assert_eq!((world.state.phase, world.percent()), (Phase::Paused, 50));
    // Twice: what was before both counts.
    world.ask(Intent::Paused, Some(60));
    world.ask.until = Some(world.now.checked_add(SECOND * 10).unwrap());
    world.turns(10);
    assert_eq!(world.percent(), 60);
    world.turns(3);
    assert_eq!((world.state.phase, &world.route), (Phase::Paused, &before));
    assert_eq!(world.state.message, "its time is over: back to 5%");
    world.turns(300);
    assert_eq!(world.weights, [5, 50, 60, 5]);
    // A word after it ends it.
    world.ask(Intent::Paused, Some(70));
    world.ask.until = Some(world.now.checked_add(SECOND * 10).unwrap());
    world.turns(5);
    world.ask(Intent::Paused, None);
    world.turns(300);
    assert_eq!((world.percent(), &world.state.returns), (70, &None));
}

#[test]
fn pause_keeps_the_weight_and_promote_skips_the_steps() {
    let mut world = World::new(&["v1"]);
    world.turns(70);
    let at = world.percent();
    world.ask(Intent::Paused, None);
    world.turns(500);
    assert_eq!((world.state.phase, world.percent()), (Phase::Paused, at));
    world.ask(Intent::Promoted, None);
    world.until_over();
    assert_eq!((world.state.phase, world.percent()), (Phase::Promoted, 100));
}

#[test]
fn abort_waits_for_nothing() {
    let mut world = World::new(&["v1=1 v2=0"]);
    let before = world.route.clone();
    world.turns(100);
    world.in_force = false;
    world.ready = false;
    world.ask(Intent::Aborted, None);
    world.turn();
    assert_eq!((world.state.phase, &world.route), (Phase::Aborted, &before));
    assert_eq!(world.state.since, None, "the proxies have yet to follow");
    world.in_force = true;
    world.turns(300);
    assert_eq!(world.route, before);
}

#[test]
fn an_abort_of_what_was_begun_by_hand_ends_with_all_for_the_stable_one() {
    let mut world = World::new(&["v1=90 v2=10"]);
    world.turns(3);
    assert_eq!(world.percent(), 25);
    world.ask(Intent::Aborted, None);
    world.turns(2);
    assert_eq!(shown(&world.route), ["v1=100 v2=0"]);
}

#[test]
fn no_step_before_all_proxies_serve_the_last() {
    let mut world = World::new(&["v1"]);
    world.in_force = false;
    world.turns(300);
    assert_eq!(world.weights, [1]);
    assert_eq!(world.state.message, "waits until all proxies serve it");
}

#[test]
fn an_edit_in_between_is_said_and_never_fought() {
    let mut world = World::new(&["v1"]);
    world.turns(10);
    world.route = route(&["v1=70 v2=30"]);
    world.turns(500);
    assert_eq!((world.state.phase, world.percent()), (Phase::Paused, 30));
    assert!(world.state.message.starts_with("somebody else edited the weights, from 1% to 30%"));
    world.ask(Intent::Running, None);
    world.turns(2);
    assert_eq!((world.state.phase, world.percent()), (Phase::Progressing, 50));
    // What was there at first is known still.
    world.ask(Intent::Aborted, None);
    world.turns(1);
    assert_eq!(shown(&world.route), ["v1"]);
}

#[test]
fn a_backend_that_somebody_added_stays() {
    let mut world = World::new(&["v1"]);
    world.turns(10);
    world.route = route(&["v1=99 v2=1 v3=100"]);
    world.turns(3);
    world.ask(Intent::Aborted, None);
    world.turns(2);
    assert_eq!(shown(&world.route), ["v1=100 v2=0 v3=100"]);
}

#[test]
fn an_edit_is_said_though_something_else_is_asked_at_the_same_time() {
    let mut world = World::new(&["v1"]);
    world.ask(Intent::Paused, Some(20));
    world.ask.until = Some(world.now.checked_add(SECOND * 100).unwrap());
    world.turns(3);
    world.route = route(&["v1=70 v2=30"]);
    world.ask(Intent::Paused, None);
    world.turns(200);
    assert_eq!(world.percent(), 30, "it stays");
    assert_eq!((world.state.weight, &world.annotated), (30, &None));
    let by_hand: Vec<_> = world.state.history.iter().map(|event| event.by_hand).collect();
    assert_eq!(by_hand, [false, true, false]);
}

#[test]
fn what_was_not_written_before_a_pause_is_never_written() {
    let mut world = World::new(&["v1"]);
    world.turns(65);
    assert_eq!(world.percent(), 5);
    while world.plan().write.is_none() {
        world.turn();
    }
    // Killed after it was kept.
    world.state = world.plan().state;
    assert_eq!((world.state.weight, world.percent()), (25, 5));
    world.ask(Intent::Paused, None);
    world.turns(10);
    assert_eq!((world.state.weight, world.percent()), (5, 5));
}

#[test]
fn an_end_that_was_not_written_is_written_later() {
    let mut world = World::new(&["v1"]);
    world.ask(Intent::Paused, Some(20));
    world.turns(3);
    world.ask.until = Some(world.now.checked_add(SECOND * 500).unwrap());
    for ask in [world.ask.clone(), Ask { until: None, weight: None, ..world.ask.clone() }] {
        world.ask = ask;
        let planned = world.plan();
        assert!(planned.write.is_some(), "of the route only its annotation changes");
        // Killed after it was kept: once, and once more.
        world.state = planned.state;
        world.state = world.plan().state;
        assert_ne!(world.annotated, world.state.returns);
        world.turns(3);
        assert_eq!(world.annotated, world.state.returns);
        assert_eq!((world.plan().write, world.percent()), (None, 20));
    }
}

#[test]
fn every_rule_counts() {
    // Of the first rule it has nothing, and of the second less than a percent.
    for rules in [["v1=1 v2=0", "v1=1 v2=1"], ["v1=1 v2=0", "v1=999 v2=1"]] {
        let mut world = World::new(&rules);
        world.turns(10);
        world.ask(Intent::Aborted, None);
        world.turns(2);
        assert!(world.read().0.iter().all(|rule| rule.backends[1].weight() == 0));
    }
    let mut world = World::new(&["v1=1 v2=1", "v1=1 v2=0"]);
    world.ready = false;
    world.ask(Intent::Paused, Some(20));
    world.turns(3);
    assert_eq!(shown(&world.route), ["v1=1 v2=1", "v1=1 v2=0"], "the second rule would rise");
}

#[test]
fn an_abort_of_what_has_nothing_is_done() {
    let mut world = World::new(&["v1"]);
    world.turns(10);
    world.route = route(&["v1=0 v2=0 v3=1"]);
    world.ask(Intent::Aborted, None);
    world.turns(2);
    assert_eq!(world.state.phase, Phase::Aborted);
    assert_eq!(shown(&world.route), ["v1=0 v2=0 v3=1"]);
    let mut world = World::new(&["v1=333333 v2=1 v3=1"]);
    world.ask(Intent::Aborted, None);
    world.turns(2);
    assert_eq!(shown(&world.route), ["v1=333334 v2=0 v3=1"], "no share has to be split for it");
}

#[test]
fn a_clock_that_is_set_back_skips_no_step() {
    let mut world = World::new(&["v1"]);
    world.canary.gates = Gates::default();
    world.turns(10);
    world.now = world.now.checked_sub(SECOND * 3_600).unwrap();
    world.turns(50);
    assert_eq!(world.percent(), 1);
    world.turns(20);
    assert_eq!(world.percent(), 5, "nor does it wait until it was that late again");
}

/// What one turn writes: first its state, then the route. Killed before either, the next turn has
/// to come to the same end.
#[test]
fn killed_anywhere_it_goes_on_where_it_was() {
    for seed in 0..300 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut world = World::new(&["v1 other=7", "v1=4 v2=0"]);
        let before = world.route.clone();
        let (mut aborted, mut forward_after) = (false, false);
        for _ in 0..3_000 {
            if world.state.phase.is_over() && world.state.since.is_some() {
                break;
            }
            world.ready = rng.u8(..) > 3;
            world.in_force = rng.u8(..) > 60;
            world.failing = world.failing || rng.u16(..) < 40;
            match rng.u16(..) {
                0..60 => world.ask(Intent::Paused, Some(rng.u32(0..=100))),
                60..120 => world.ask(Intent::Paused, None),
                120..600 => world.ask(Intent::Running, None),
                600..640 if !aborted => {
                    world.ask(Intent::Aborted, None);
                    aborted = true;
                }
                _ => {}
            }
            if aborted {
                world.ask.intent = Intent::Aborted;
            }
            let at = world.percent();
            let planned = world.plan();
            assert_eq!(planned, world.plan(), "the same inputs, the same plan");
            if rng.u8(..) < 40 {
                world.pass();
                continue;
            }
            world.state = planned.state;
            if let Some(weights) = planned.write.filter(|_| rng.u8(..) >= 40) {
                world.write(&weights);
                forward_after |= aborted && world.percent() > at;
            }
            // Paused by hand, it waits for a hand.
            if world.state.phase == Phase::Paused && world.ask.intent == Intent::Paused {
                world.ask(Intent::Running, None);
            }
            world.pass();
        }
        assert!(world.state.phase.is_over(), "seed {seed}: {:?}", world.state);
        assert!(!forward_after, "seed {seed}: forward after an abort");
        match world.state.phase {
            Phase::Promoted => assert_eq!(world.percent(), 100, "seed {seed}"),
            _ => assert_eq!(world.route, before, "seed {seed}"),
        }
    }
}
