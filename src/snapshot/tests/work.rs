//! The work of a lookup, counted: it must not follow the number of routes.

use super::*;

/// Of ten routes: four prefixes, two exact paths, one wildcard host, two header values of one
/// path; the tenth is a prefix too, but one in a hundred is a regular expression.
fn mixed(number: usize) -> Rule {
    let name = format!("r{number}");
    let path = |kind: &str| format!("/{kind}/{number}");
    match number % 10 {
        4 | 5 => rule(&name, vec![exact(&path("exact"))]),
        6 => Rule {
            attachments: attachments(&[&format!("*.w{number}.example")]),
            ..rule(&name, vec![prefix("/")])
        },
        7 | 8 => rule(&name, vec![exact("/headers").header("x-user", &name)]),
        9 if number % 100 == 9 => rule(&name, vec![regex(&format!("/regex/{number}/[a-z]+"))]),
        _ => rule(&name, vec![prefix(&path("prefix"))]),
    }
}

fn request_for(number: usize) -> Asked {
    let get = |kind: &str, rest: &str| get("shop.example", &format!("/{kind}/{number}{rest}"));
    match number % 10 {
        4 | 5 => get("exact", ""),
        6 => super::get(&format!("a.b.w{number}.example"), "/some/where"),
        7 | 8 => super::get("shop.example", "/headers").with("x-user", &format!("r{number}")),
        9 if number % 100 == 9 => get("regex", "/abc"),
        _ => get("prefix", "/further/down"),
    }
}

fn misses() -> impl Iterator<Item = Asked> {
    let paths = ["/", "/prefix/x/y", "/exact/4/", "/regex/9/0", "/regex", "/headers", "/a/b/c/d/e"];
    let hosts = ["shop.example", "w6.example", "a.b.c.d.example"];
    paths
        .into_iter()
        .flat_map(move |path| hosts.map(|host| get(host, path).with("x-user", "nobody")))
}

fn most_work(routes: usize) -> u32 {
    let snapshot = web((0..routes).map(mixed));
    let mut most = 0;
    for number in 0..routes {
        let mut visited = 0;
        let found = table(&snapshot).find(&request_for(number), &mut visited);
        let found = found.map(|found| found.rule.rule.key.clone());
        assert_eq!(found, Some(rule_key(&format!("r{number}"))));
        most = most.max(visited);
    }
    for request in misses() {
        let mut visited = 0;
        assert!(table(&snapshot).find(&request, &mut visited).is_none(), "{request:?}");
        most = most.max(visited);
    }
    most
}

#[test]
fn the_work_of_a_lookup_is_the_same_among_10_and_among_10_000_routes() {
    let (few, many) = (most_work(10), most_work(10_000));
    assert!(few >= 5, "nothing was counted: {few}");
    assert!(many <= few + 4, "{few} at 10 routes, {many} at 10,000");
}

/// Asks for the last of a thousand matches on one path.
fn work_among(make: impl Fn(usize) -> Match, request: Asked) -> u32 {
    let snapshot = web((0..1_000).map(|n| rule(&format!("r{n}"), vec![make(n)])));
    let mut visited = 0;
    let found = table(&snapshot).find(&request, &mut visited).expect("one takes it");
    assert_eq!(found.rule.rule.key, rule_key("r999"));
    visited
}

#[test]
fn a_thousand_matches_on_one_path_are_not_compared_one_by_one() {
    let check = |make: &dyn Fn(usize) -> Match, request: Asked| {
        let visited = work_among(make, request.clone());
        assert!(visited <= 16, "{visited} for {request:?}");
    };
    let text = |n: usize| n.to_string();
    let at = || get("a", "/one?user=999&env=prod").with("user", "999").with("env", "prod");
    check(&|n| exact("/one").header("user", &text(n)), at());
    check(&|n| prefix("/").header("user", &text(n)).header("env", "prod"), at());
    check(&|n| exact("/one").method("GET").header("user", &text(n)), at());
    check(&|n| exact("/one").query("user", &text(n)), at());
    check(&|n| exact("/one").query("user", &text(n)).header_regex("env", "p.*"), at());
    check(&|n| regex("/one|/two").header("env", "prod").query("user", &text(n)), at());
    check(&|n| exact("/one").method(&text(n)), get("a", "/one").by("999"));
}
