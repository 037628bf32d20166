//! However a Snapshot came about, it finds what the oracle finds, and looks as if it had been
//! built at once.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::random::{LISTENERS, numbered_rule, request, rules};
use super::*;

/// What a Snapshot should hold.
type Parts = BTreeMap<PartKey, Part>;

fn built(parts: &Parts) -> Snapshot {
    Snapshot::empty().apply(&upserts(parts.values().rev().cloned()))
}

fn all_rules(parts: &Parts) -> impl Iterator<Item = &Rule> {
    parts.values().filter_map(|part| match part {
        Part::Rule(rule) => Some(&**rule),
        _ => None,
    })
}

fn check_lookups(snapshot: &Snapshot, parts: &Parts, requests: &[Asked]) {
    for name in LISTENERS {
        let key = listener_key(name);
        let Some(table) = snapshot.listeners.get(&key) else { continue };
        for request in requests {
            let found = table.find(request, &mut 0);
            let expected = oracle::find(all_rules(parts), &key, request);
            let names = found.map(|found| (found.rule.rule.key.clone(), found.matched));
            assert_eq!(names, expected, "{request:?}");
            if let Some(found) = found {
                let now = parts.get(&found.rule.rule.key);
                assert_eq!(Some(&Part::Rule(found.rule.rule.clone())), now, "an old rule");
            }
        }
    }
}

/// Everything but the numbers of slots, which tell in what order parts came.
fn shape(snapshot: &Snapshot) -> String {
    let Snapshot { ports, listeners, tables, patterns, endpoints, users, certificates, .. } =
        snapshot;
    format!(
        "{ports:?} {listeners:?} {tables:?} {patterns:?} {endpoints:?} {users:?} {certificates:?}"
    )
}

fn check_slots(snapshot: &Snapshot, parts: &Parts) {
    let listed: Parts = snapshot.parts().map(|part| (part.key().clone(), part)).collect();
    assert_eq!(&listed, parts);
    assert_eq!(snapshot.parts().count(), parts.len());
    for (key, part) in parts {
        assert_eq!(snapshot.part(key).as_ref(), Some(part));
        match part {
            Part::Rule(rule) => {
                let slot = snapshot.rule_slot(key).expect("each rule has one");
                let compiled = snapshot.rule(slot).expect("the slot is taken");
                assert_eq!((compiled.slot, &compiled.rule), (slot, rule));
            }
            Part::Backend(backend) => {
                let slot = snapshot.backend_slot(key).expect("each backend has one");
                let entry = snapshot.backend(slot).expect("the slot is taken");
                assert_eq!((entry.slot, &entry.backend), (slot, backend));
                let endpoints = entry.endpoints.clone().map(Part::EndpointSet);
                assert_eq!(endpoints.as_ref(), parts.get(&backend.endpoints));
            }
            Part::Listener(_) | Part::EndpointSet(_) | Part::Certificate(_) => {}
        }
    }
}

fn any_part() -> impl Strategy<Value = Part> {
    let name = || prop::sample::select(&["one", "two", "three"][..]);
    prop_oneof![
        12 => (0..40_usize).prop_flat_map(numbered_rule).prop_map(|rule| Part::Rule(rule.into())),
        2 => (prop::sample::select(&LISTENERS[..]), 80..82_u16, prop::sample::select(&["", "*.x"][..]))
            .prop_map(|(name, port, host)| Part::Listener(listener(name, port, host).into())),
        1 => (name(), name()).prop_map(|(name, set)| Part::Backend(backend(name, set).into())),
        1 => (name(), 1..3_u16).prop_map(|(name, p)| Part::EndpointSet(endpoints(name, p).into())),
        1 => (name(), 1..3_u8).prop_map(|(name, b)| Part::Certificate(certificate(name, b).into())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_compiled_table_finds_what_the_text_says(
        rules in rules(60),
        requests in vec(request(), 40),
    ) {
        let mut parts: Parts =
            rules.into_iter().map(|rule| (rule.key.clone(), Part::Rule(rule.into()))).collect();
        for name in LISTENERS {
            parts.insert(listener_key(name), Part::Listener(listener(name, 80, "").into()));
        }
        check_lookups(&built(&parts), &parts, &requests);
    }

    #[test]
    fn changes_lead_to_what_would_have_been_built_at_once(
        steps in vec((vec(any_part(), 0..25), vec(any::<prop::sample::Index>(), 0..12)), 1..6),
        requests in vec(request(), 10),
    ) {
        let mut parts = Parts::new();
        let mut snapshot = Snapshot::empty();
        let mut history = vec![(snapshot.clone(), parts.clone())];
        for (upserted, removals) in steps {
            let there: Vec<PartKey> = parts.keys().cloned().collect();
            let removed: Vec<PartKey> = match there.is_empty() {
                true => vec![rule_key("r1")],
                false => removals.iter().map(|index| index.get(&there).clone()).collect(),
            };
            for key in &removed {
                parts.remove(key);
            }
            parts.extend(upserted.iter().map(|part| (part.key().clone(), part.clone())));
            snapshot = snapshot.apply(&Changes { upserted, removed });
            history.push((snapshot.clone(), parts.clone()));
        }
        // The older ones too: a change of their successors isn't one of theirs.
        for (generation, (snapshot, parts)) in history.iter().enumerate() {
            prop_assert_eq!(snapshot.generation, generation as u64);
            check_lookups(snapshot, parts, &requests);
            check_slots(snapshot, parts);
            let (mine, fresh) = (shape(snapshot), shape(&built(parts)));
            prop_assert!(mine == fresh, "{mine}\n\nis not\n\n{fresh}");
        }
    }
}

#[test]
fn nothing_is_left_when_everything_is_removed() {
    let rules = (0..20).map(|number| {
        let matches = vec![exact("/a/b").header("h", &number.to_string()), regex("/x/.*")];
        rule(&number.to_string(), matches)
    });
    // Lowering makes no rule without matches; one would match nothing.
    let full = web(rules.chain([rule("without", Vec::new())]));
    assert_eq!(found(&full, &get("a", "/x/1")).as_deref(), Some("0/1"));
    let mut part_of = full.clone();
    for key in full.parts().map(|part| part.key().clone()) {
        part_of = part_of.apply(&Changes { removed: vec![key], ..Changes::default() });
    }
    assert_eq!(shape(&part_of), shape(&Snapshot::empty()));
    let removed = full.parts().map(|part| part.key().clone()).collect();
    let empty = full.apply(&Changes { removed, ..Changes::default() });
    assert_eq!(shape(&empty), shape(&Snapshot::empty()));
    assert_eq!(empty.parts().count(), 0);
}

#[test]
fn a_slot_stays_while_its_part_lives_and_is_used_again() {
    let named = |name: &str, path: &str| Part::Rule(rule(name, vec![prefix(path)]).into());
    let first = Snapshot::empty().apply(&upserts([named("a", "/"), named("b", "/")]));
    let slots = |snapshot: &Snapshot| {
        ["a", "b", "c", "d"].map(|name| snapshot.rule_slot(&rule_key(name)).map(|slot| slot.0))
    };
    assert_eq!(slots(&first), [Some(0), Some(1), None, None]);
    let removed = vec![rule_key("a"), rule_key("b")];
    // In both lists: changed, not removed.
    let second = first.apply(&Changes { upserted: vec![named("b", "/b")], removed });
    assert_eq!(slots(&second), [None, Some(1), None, None]);
    assert!(second.rule(RuleSlot(0)).is_none());
    let third = second.apply(&upserts([named("c", "/"), named("d", "/")]));
    assert_eq!(slots(&third), [None, Some(1), Some(0), Some(2)]);
    assert_eq!(slots(&first), [Some(0), Some(1), None, None]);
}

#[test]
fn what_says_the_same_is_not_made_again() {
    let rules = || [rule("a", vec![regex("/a/.*")]), rule("b", vec![prefix("/b")])];
    let first = web(rules());
    let again = upserts(rules().map(|rule| Part::Rule(rule.into())));
    let second = first.apply(&again);
    assert_eq!(second.generation, first.generation + 1);
    assert!(Arc::ptr_eq(table(&first), table(&second)));
    for slot in [0, 1].map(RuleSlot) {
        let both = (first.rule(slot).expect("taken"), second.rule(slot).expect("taken"));
        assert!(Arc::ptr_eq(both.0, both.1));
    }
}

#[test]
fn endpoints_change_without_touching_routes_or_other_backends() {
    let parts = [
        Part::Backend(backend("a", "set").into()),
        Part::Backend(backend("b", "other").into()),
        Part::EndpointSet(endpoints("other", 1).into()),
    ];
    let first = web([rule("r", vec![prefix("/")])]).apply(&upserts(parts));
    let second = first.apply(&upserts([Part::EndpointSet(endpoints("set", 2).into())]));
    let at = |snapshot: &Snapshot, name| {
        let slot = snapshot.backend_slot(&key(PartKind::Backend, Kind::Service, name));
        slot.and_then(|slot| snapshot.backends.at(slot.0)).cloned().expect("it is there")
    };
    assert!(at(&first, "a").endpoints.is_none());
    assert_eq!(at(&second, "a").endpoints.as_deref(), Some(&endpoints("set", 2)));
    assert!(Arc::ptr_eq(&at(&first, "b"), &at(&second, "b")));
    assert!(Arc::ptr_eq(table(&first), table(&second)));
}

#[test]
fn regular_expressions_are_carried_over() {
    let compiled = |snapshot: &Snapshot, name: &str| {
        let slot = snapshot.rule_slot(&rule_key(name)).expect("it is there");
        match &snapshot.rule(slot).expect("it is there").matches[0].conditions[0].test {
            rule::Test::Regex(compiled) => compiled.clone(),
            rule::Test::Exact(_) => panic!("the condition is a pattern"),
        }
    };
    let first = web([rule("a", vec![regex("/a/.*")]), rule("b", vec![regex("/a/.*")])]);
    let changed = Rule {
        timeouts: Timeouts { request: Some(Duration::ZERO), ..Timeouts::default() },
        ..rule("a", vec![regex("/a/.*"), prefix("/")])
    };
    let second = first.apply(&upserts([Part::Rule(changed.into())]));
    assert!(Arc::ptr_eq(&compiled(&first, "a"), &compiled(&first, "b")));
    assert!(Arc::ptr_eq(&compiled(&first, "a"), &compiled(&second, "a")));
}

#[test]
fn a_snapshot_is_made_on_one_thread_and_served_by_others() {
    fn check<T: Send + Sync>(_: &T) {}
    check(&web([]));
}
