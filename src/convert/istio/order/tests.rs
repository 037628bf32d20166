use super::*;

fn prefix(value: &str) -> Match {
    Match { path: Some(("PathPrefix", value.to_owned())), ..Match::default() }
}

fn with_header(mut one: Match, value: &str) -> Match {
    one.headers.push(("Exact", "x-user".to_owned(), value.to_owned()));
    one
}

fn kept(rules: &[&[Match]]) -> (Vec<Vec<Match>>, Outcome) {
    let rule = |matches: &&[Match]| Ranked { matches: matches.to_vec(), may_grow: true };
    let mut rules: Vec<Ranked> = rules.iter().map(rule).collect();
    let outcome = keep(&mut rules);
    (rules.into_iter().map(|rule| rule.matches).collect(), outcome)
}

#[test]
fn an_earlier_rule_wins_by_what_both_match() {
    let everything = Match::default();
    let (rules, outcome) = kept(&[&[with_header(everything, "ann")], &[prefix("/api")]]);
    assert_eq!(rules[0][1], with_header(prefix("/api"), "ann"));
    assert_eq!(outcome, Outcome { grown: vec![0], ..Outcome::default() });
    // The usual order needs nothing, and neither does what never meets.
    for rules in [
        [vec![prefix("/api/v1")], vec![prefix("/api")]],
        [vec![prefix("/api")], vec![prefix("/apis/long")]],
        [vec![with_header(prefix("/"), "ann")], vec![with_header(prefix("/a"), "bob")]],
    ] {
        let (_, outcome) = kept(&[&rules[0], &rules[1]]);
        assert_eq!(outcome, Outcome::default(), "{rules:?}");
    }
}

#[test]
fn what_was_never_reached_is_not_reached_now() {
    let (rules, outcome) = kept(&[&[prefix("/")], &[prefix("/api")], &[prefix("/api/v1")]]);
    assert_eq!(rules[0], [prefix("/"), prefix("/api"), prefix("/api/v1")]);
    assert_eq!(outcome.wrong, []);
}

#[test]
fn what_can_not_be_said_is_told() {
    let regex = |text: &str| Match {
        path: Some(("RegularExpression", text.to_owned())),
        ..Match::default()
    };
    let (_, outcome) = kept(&[&[prefix("/a")], &[regex("/.*x")]]);
    assert_eq!(outcome.wrong, [(0, 1)]);
    let mut rules = [
        Ranked { matches: vec![prefix("/a")], may_grow: false },
        Ranked { matches: vec![prefix("/a/b")], may_grow: true },
    ];
    assert_eq!(keep(&mut rules).wrong, [(0, 1)]);
}

/// Against the two definitions themselves: the rule that Istio takes for a request is the one
/// that the Gateway API takes after the repair, unless it was told that it isn't.
#[test]
fn the_first_rule_of_istio_is_the_first_of_the_gateway_api() {
    let mut random = fastrand::Rng::with_seed(303);
    let paths = ["/", "/a", "/a/b", "/a/b/c", "/b"];
    for _ in 0..3_000 {
        let mut rules: Vec<Ranked> = (0..random.usize(2..5))
            .map(|_| {
                let some = |random: &mut fastrand::Rng| {
                    let path = paths[random.usize(..paths.len())].to_owned();
                    let kind = if random.bool() || path == "/" { "PathPrefix" } else { "Exact" };
                    let mut one = Match { path: Some((kind, path)), ..Match::default() };
                    if random.u8(..3) == 0 {
                        one.method = Some(["GET", "POST"][random.usize(..2)].to_owned());
                    }
                    if random.u8(..3) == 0 {
                        one = with_header(one, ["ann", "bob"][random.usize(..2)]);
                    }
                    one
                };
                let count = random.usize(1..3);
                Ranked { matches: (0..count).map(|_| some(&mut random)).collect(), may_grow: true }
            })
            .collect();
        let before: Vec<Vec<Match>> = rules.iter().map(|rule| rule.matches.clone()).collect();
        let outcome = keep(&mut rules);
        assert!(outcome.wrong.is_empty() && !outcome.unknown);
        for path in paths {
            for method in ["GET", "POST"] {
                for user in ["ann", "bob", "eve"] {
                    let takes = |one: &Match| {
                        let (kind, value) = one.path();
                        (if kind == "Exact" { value == path } else { holds(value, path) })
                            && one.method.as_deref().is_none_or(|asked| asked == method)
                            && one.headers.iter().all(|(_, _, value)| value == user)
                    };
                    let first = before.iter().position(|matches| matches.iter().any(takes));
                    let all = rules.iter().enumerate().flat_map(|(at, rule)| {
                        rule.matches
                            .iter()
                            .filter(|one| takes(one))
                            .map(move |one| (one.specificity(), Reverse(at)))
                    });
                    let best = all.max().map(|(_, Reverse(at))| at);
                    assert_eq!(best, first, "{method} {path} {user}: {before:?}");
                }
            }
        }
    }
}
