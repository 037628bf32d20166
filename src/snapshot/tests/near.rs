//! What is said of matches that didn't take a request, beside what the lookup does.

use proptest::prelude::*;

use crate::model::{HeaderName, Name};

use super::super::{Miss, Near, Precedence, Wanted};
use super::random::{request, rules};
use super::*;

fn near<'a>(snapshot: &'a Snapshot, request: &Asked) -> Vec<Near<'a>> {
    let winner = table(snapshot).find(request, &mut 0);
    snapshot.near(&listener_key("web"), request, winner)
}

/// The rule with this match alone.
fn alone(near: &Near<'_>) -> Rule {
    let rule = &near.rule.rule;
    Rule { matches: vec![rule.matches[near.matched].clone()], ..Rule::clone(rule) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn what_is_said_is_what_the_lookup_does(rules in rules(8), requests in prop::collection::vec(request(), 8)) {
        let matches: usize = rules.iter().map(|rule| rule.matches.len()).sum();
        let snapshot = web(rules);
        for request in &requests {
            let winner = table(&snapshot).find(request, &mut 0);
            let near = near(&snapshot, request);
            prop_assert_eq!(near.len() + usize::from(winner.is_some()), matches);
            for near in near {
                prop_assert!(!near.misses.is_empty());
                let later = near.misses.iter().any(|miss| matches!(miss, Miss::Later(_)));
                let takes = found(&web([alone(&near)]), request).is_some();
                prop_assert_eq!(takes, later, "{:?} and {:?}", &near, request);
                if later {
                    let winner = winner.expect("only a winner is before others");
                    let two = winner.rule.rule.key != near.rule.rule.key;
                    let first = Near { rule: winner.rule, matched: winner.matched, misses: Vec::new() };
                    let duel = [alone(&first), alone(&near)];
                    let key = table(&web(duel)).find(request, &mut 0).map(|f| f.rule.rule.key.clone());
                    prop_assert!(!two || key.as_ref() == Some(&winner.rule.rule.key));
                }
            }
        }
    }
}

#[test]
fn each_miss_says_what_was_wanted() {
    let check = |m: Match, request: Asked, expected: &[Miss<'_>]| {
        let snapshot = web([rule("r", vec![m])]);
        assert_eq!(near(&snapshot, &request)[0].misses, expected);
    };
    check(prefix("/cart"), get("a", "/card"), &[Miss::Path]);
    check(exact("/cart"), get("a", "/cart/"), &[Miss::Path]);
    check(regex("/[0-9]+"), get("a", "/x"), &[Miss::Path]);
    check(prefix("/").method("POST"), get("a", "/"), &[Miss::Method { wanted: "POST" }]);
    let header: HeaderName = "x-user".into();
    let wanted = Wanted::Exact("1");
    let miss = |has: Option<&str>| Miss::Header { name: &header, wanted, has: has.map(Into::into) };
    check(prefix("/").header("x-user", "1"), get("a", "/"), &[miss(None)]);
    let two = get("a", "/").with("x-user", "2");
    check(prefix("/").header("x-user", "1"), two, &[miss(Some("2"))]);
    let name: Name = "q".into();
    let wanted = Wanted::Regex("[0-9]");
    let miss = Miss::Query { name: &name, wanted, has: Some("x".to_owned()) };
    check(exact("/a").query_regex("q", "[0-9]"), get("a", "/b?q=x"), &[Miss::Path, miss]);
}

#[test]
fn a_rule_elsewhere_says_so() {
    let check = |attachments: Vec<Attachment>, expected: &[Miss<'_>]| {
        let snapshot = web([Rule { attachments, ..rule("r", vec![prefix("/")]) }]);
        assert_eq!(near(&snapshot, &get("a.x", "/"))[0].misses, expected);
    };
    check(Vec::new(), &[Miss::Unattached]);
    check(vec![Attachment { listener: listener_key("other"), hostname: None }], &[Miss::Listener]);
    check(attachments(&["b.x", "*.y"]), &[Miss::Hostname]);
}

#[test]
fn the_winner_says_why_it_goes_first() {
    let check = |first: Rule, then: Rule, expected: Precedence| {
        let request = get("a.x", "/a/b?q=1").with("h", "1").with("i", "1");
        let snapshot = web([then, first]);
        let winner = table(&snapshot).find(&request, &mut 0).expect("both match");
        assert_eq!(&*winner.rule.rule.key.object.name, "first");
        assert_eq!(near(&snapshot, &request)[0].misses, [Miss::Later(expected)]);
    };
    let first = |m: Match| rule("first", vec![m]);
    let then = |m: Match| rule("then", vec![m]);
    let on = |hosts: &[&str], rule: Rule| Rule { attachments: attachments(hosts), ..rule };
    let old = |rule: Rule| Rule { order: RuleOrder { created: -1, ..rule.order.clone() }, ..rule };
    let named = |name: &str, rule: Rule| Rule {
        order: RuleOrder { name: name.into(), ..rule.order.clone() },
        ..rule
    };
    let exactly = then(exact("/a/b"));
    check(on(&["a.x"], first(prefix("/"))), on(&["*.x"], exactly.clone()), Precedence::Hostname);
    check(on(&["", "*.x"], first(prefix("/"))), exactly, Precedence::Hostname);
    check(first(prefix("/a/b")), then(prefix("/a").method("GET")), Precedence::Path);
    let get = prefix("/").method("GET");
    check(first(get), then(prefix("/").header("h", "1")), Precedence::Method);
    let two = prefix("/").header("h", "1").header("i", "1");
    check(first(two), then(prefix("/").header("h", "1").query("q", "1")), Precedence::Headers);
    check(first(prefix("/").query("q", "1")), then(prefix("/")), Precedence::Query);
    check(old(first(prefix("/"))), then(prefix("/")), Precedence::Age);
    check(named("a", first(prefix("/"))), named("b", then(prefix("/"))), Precedence::Name);
}

#[test]
fn the_nearest_come_first() {
    let snapshot = web([
        rule("path", vec![exact("/b")]),
        rule("header", vec![prefix("/").header("h", "1")]),
        rule("both", vec![exact("/b").header("h", "1")]),
        rule("later", vec![prefix("/")]),
        rule("winner", vec![prefix("/a")]),
    ]);
    let near = near(&snapshot, &get("a", "/a"));
    let names: Vec<&str> = near.iter().map(|near| &*near.rule.rule.key.object.name).collect();
    assert_eq!(names, ["later", "header", "path", "both"]);
}
