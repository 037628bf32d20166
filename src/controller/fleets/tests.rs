use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::controller::fixture::{
    backend, certificate, endpoints, key, listener, named as label, rule, scope,
};

fn upsert(parts: impl IntoIterator<Item = Part>) -> Changes {
    Changes { upserted: parts.into_iter().collect(), removed: Vec::new() }
}

fn remove(part: PartKind, name: &str) -> Changes {
    Changes { upserted: Vec::new(), removed: vec![key(part, name)] }
}

fn has(fleets: &Fleets, of: &str) -> Vec<String> {
    let mut names: Vec<String> =
        fleets.parts(&scope(of)).map(|part| label(part).to_string()).collect();
    names.sort();
    names
}

/// Two fleets; the first serves `a` over TLS, the second `b`.
fn two() -> Fleets {
    let mut fleets = Fleets::default();
    fleets.apply(&upsert([
        listener("web", "one", &["crt"]),
        listener("api", "two", &[]),
        rule("a", &["web"], &["a"], Some("copy")),
        rule("b", &["api"], &["b"], None),
        rule("nowhere", &[], &["a", "b"], None),
        backend("a", "a", None),
        backend("b", "b", Some("id")),
        backend("copy", "copy", None),
        backend("unused", "a", None),
        endpoints("a", 1),
        endpoints("b", 2),
        endpoints("copy", 1),
        certificate("crt", "1"),
        certificate("id", "1"),
        certificate("other", "1"),
    ]));
    fleets
}

#[test]
fn a_fleet_has_what_its_listeners_need_and_nothing_else() {
    let fleets = two();
    let one = has(&fleets, "one");
    let expected = [
        "backend a",
        "backend copy",
        "certificate crt",
        "endpoints a",
        "endpoints copy",
        "listener web",
        "rule a",
    ];
    assert_eq!(one, expected);
    let expected = ["backend b", "certificate id", "endpoints b", "listener api", "rule b"];
    assert_eq!(has(&fleets, "two"), expected);
}

#[test]
fn a_change_is_told_to_whom_it_means_something() {
    let mut fleets = two();
    let told = fleets.apply(&upsert([endpoints("b", 3)]));
    assert_eq!(told.keys().collect::<Vec<_>>(), [&scope("two")]);
    assert_eq!(told[&scope("two")].upserted, [endpoints("b", 3)]);
    assert!(fleets.apply(&upsert([endpoints("b", 3)])).is_empty(), "nothing has changed");
    assert!(fleets.apply(&upsert([certificate("other", "2")])).is_empty(), "nobody uses it");
}

#[test]
fn a_rule_of_two_fleets_tells_neither_of_the_other() {
    let mut fleets = two();
    let told = fleets.apply(&upsert([rule("a", &["web", "api"], &["a"], None)]));
    assert_eq!(told[&scope("one")].upserted, [rule("a", &["web"], &["a"], None)]);
    assert_eq!(
        told[&scope("one")].removed,
        [key(PartKind::Backend, "copy"), key(PartKind::EndpointSet, "copy")]
    );
    let two = &told[&scope("two")];
    assert!(two.upserted.contains(&rule("a", &["api"], &["a"], None)), "{two:?}");
    assert!(two.upserted.contains(&endpoints("a", 1)), "{two:?}");
}

#[test]
fn a_listener_that_changes_fleets_takes_its_rules_along() {
    let mut fleets = two();
    let told = fleets.apply(&upsert([listener("web", "two", &["crt"])]));
    assert_eq!(told[&scope("one")].removed.len(), 7, "{told:?}");
    assert_eq!(told[&scope("two")].upserted.len(), 7, "{told:?}");
    assert_eq!(fleets.scopes().collect::<Vec<_>>(), [&scope("two")]);
}

#[test]
fn what_goes_is_taken_from_those_who_had_it() {
    let mut fleets = two();
    let told = fleets.apply(&remove(PartKind::Rule, "b"));
    assert_eq!(told[&scope("two")].removed.len(), 4, "{told:?}");
    let told = fleets.apply(&remove(PartKind::Listener, "web"));
    assert_eq!(told[&scope("one")].removed.len(), 7, "{told:?}");
    assert!(fleets.apply(&remove(PartKind::Listener, "web")).is_empty());
}

/// From the definition, with all parts at hand.
fn from_scratch(parts: &BTreeMap<PartKey, Part>) -> BTreeMap<Scope, BTreeMap<PartKey, Part>> {
    let listeners = parts.values().filter_map(|part| match part {
        Part::Listener(listener) => Some(listener),
        _ => None,
    });
    let scopes: BTreeSet<Scope> = listeners.clone().map(|one| one.scope.clone()).collect();
    let mut views = BTreeMap::new();
    for scope in scopes {
        let mut view = BTreeMap::new();
        let own: BTreeSet<&PartKey> =
            listeners.clone().filter(|one| one.scope == scope).map(|one| &one.key).collect();
        let mut waiting: Vec<Part> = own.iter().map(|key| parts[*key].clone()).collect();
        for part in parts.values() {
            let Part::Rule(rule) = part else { continue };
            let mut cut = Rule::clone(rule);
            cut.attachments.retain(|attachment| own.contains(&attachment.listener));
            if !cut.attachments.is_empty() {
                waiting.push(Part::Rule(cut.into()));
            }
        }
        while let Some(part) = waiting.pop() {
            waiting.extend(named(&part).iter().filter_map(|key| parts.get(key)).cloned());
            view.insert(part.key().clone(), part);
        }
        views.insert(scope, view);
    }
    views
}

const NAMES: [&str; 3] = ["a", "b", "c"];

fn part() -> impl Strategy<Value = Part> {
    let one = || select(&NAMES[..]);
    let some = || subsequence(&NAMES[..], 0..=3);
    let maybe = || prop::option::of(one());
    prop_oneof![
        2 => (one(), one(), some()).prop_map(|(name, of, crts)| listener(name, of, &crts)),
        3 => (one(), some(), some(), maybe())
            .prop_map(|(name, on, to, mirror)| rule(name, &on, &to, mirror)),
        2 => (one(), one(), maybe()).prop_map(|(name, set, id)| backend(name, set, id)),
        1 => (one(), 0..3_u16).prop_map(|(name, count)| endpoints(name, count)),
        1 => (one(), one()).prop_map(|(name, content)| certificate(name, content)),
    ]
}

fn changes() -> impl Strategy<Value = Changes> {
    let kinds = [
        PartKind::Listener,
        PartKind::Rule,
        PartKind::Backend,
        PartKind::EndpointSet,
        PartKind::Certificate,
    ];
    let gone =
        (select(kinds.to_vec()), select(&NAMES[..])).prop_map(|(kind, name)| key(kind, name));
    (vec(part(), 0..5), vec(gone, 0..3))
        .prop_map(|(upserted, removed)| Changes { upserted, removed })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// What fleets are told adds up to what they need, and says nothing twice.
    #[test]
    fn small_steps_lead_where_one_great_one_would(edits in vec(changes(), 1..12)) {
        let mut fleets = Fleets::default();
        let mut all: BTreeMap<PartKey, Part> = BTreeMap::new();
        let mut told: BTreeMap<Scope, BTreeMap<PartKey, Part>> = BTreeMap::new();
        for edit in edits {
            edit.removed.iter().for_each(|key| drop(all.remove(key)));
            all.extend(edit.upserted.iter().map(|part| (part.key().clone(), part.clone())));
            for (scope, changes) in fleets.apply(&edit) {
                let view = told.entry(scope).or_default();
                for key in &changes.removed {
                    prop_assert!(view.remove(key).is_some(), "{key} was not there");
                }
                for part in changes.upserted {
                    let old = view.insert(part.key().clone(), part.clone());
                    prop_assert_ne!(old, Some(part), "told twice");
                }
            }
            told.retain(|_, view| !view.is_empty());
            prop_assert_eq!(&told, &from_scratch(&all));
            let kept: usize = fleets.views.values().map(HashMap::len).sum();
            prop_assert_eq!(kept, told.values().map(BTreeMap::len).sum::<usize>());
        }
        let gone = Changes { upserted: Vec::new(), removed: all.into_keys().collect() };
        fleets.apply(&gone);
        prop_assert!(fleets.uses.is_empty() && fleets.placed.is_empty(), "{fleets:?}");
        prop_assert!(fleets.attached.is_empty() && fleets.views.is_empty(), "{fleets:?}");
    }
}
