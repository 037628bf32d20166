//! What the Gateway API says, case by case.

use super::*;

#[test]
fn paths_match_whole_segments_byte_for_byte() {
    let check = |m: Match, takes: &[&str], refuses: &[&str]| {
        let snapshot = web([rule("r", vec![m.clone()])]);
        for path in takes {
            assert!(found(&snapshot, &get("a", path)).is_some(), "{:?} takes {path}", m.path);
        }
        for path in refuses {
            assert!(found(&snapshot, &get("a", path)).is_none(), "{:?} refuses {path}", m.path);
        }
    };
    check(prefix("/"), &["/", "/foo", "//", "/foo/", "*", ""], &[]);
    check(
        prefix("/foo"),
        &["/foo", "/foo/", "/foo/bar", "/foo//", "/foo//bar"],
        &["/foobar", "/", "/fo", "//foo", "/bar/foo", "foo", "/Foo", "/foo%2Fbar", ""],
    );
    check(prefix("/foo/bar"), &["/foo/bar", "/foo/bar/"], &["/foo", "/foo//bar", "/foo/barn"]);
    check(prefix("/foo//"), &["/foo/", "/foo//", "/foo//x"], &["/foo", "/foo/x"]);
    check(prefix("//"), &["/", "//", "//x"], &["/x", ""]);
    check(exact("/foo"), &["/foo"], &["/foo/", "/foo/bar", "/foobar", "//foo", "/"]);
    check(exact("/foo/"), &["/foo/"], &["/foo", "/foo//"]);
    check(exact("/"), &["/"], &["", "//", "/a"]);
    check(exact("/a//b"), &["/a//b"], &["/a/b", "/a///b"]);
    check(exact("*"), &["*"], &["/*", "/"]);
    check(regex("/foo/[0-9]+"), &["/foo/1", "/foo/23"], &["/foo/", "/foo/1/", "/x/foo/1"]);
    check(regex("/foo/?"), &["/foo", "/foo/"], &["/foo/x"]);
    check(regex("/foo.*"), &["/foo", "/foobar", "/foo/bar"], &["/fo"]);
    check(regex("/a|/b/c"), &["/a", "/b/c"], &["/a/c"]);
}

#[test]
fn what_goes_first() {
    // From first to last: each takes the request once those before it are gone.
    let check = |order: &[Rule], request: Asked| {
        for first in 0..order.len() {
            let mut rules = order[first..].to_vec();
            rules.reverse();
            let expected = &order[first].key.object.name;
            assert_eq!(found(&web(rules), &request).as_deref(), Some(&**expected));
        }
    };
    let on = |host: &str, rule: Rule| Rule { attachments: attachments(&[host]), ..rule };
    let one = |name: &str, m: Match| rule(name, vec![m]);
    check(
        &[
            on("a.b.c", one("host", prefix("/"))),
            on("*.b.c", one("wildcard", prefix("/x/y"))),
            on("*.c", one("shorter-wildcard", exact("/x/y"))),
            on("", one("any", exact("/x/y").method("GET").header("h", "1"))),
        ],
        get("a.b.c", "/x/y").with("h", "1"),
    );
    check(
        &[
            one("exact", exact("/x/y")),
            one("regex", regex("/x/.").method("GET")),
            one("regex-in-the-root", regex(".*").header("h", "1")),
            one("a-regex", regex("/x/[yz]")),
            one("regex-deep", regex("/x/y")),
            one("longest", prefix("/x/y")),
            one("long", prefix("/x").method("GET").header("h", "1").query("q", "1")),
            one("short", prefix("/")),
        ],
        get("a", "/x/y?q=1").with("h", "1"),
    );
    let old =
        |created, rule: Rule| Rule { order: RuleOrder { created, ..rule.order.clone() }, ..rule };
    check(
        &[
            one("z-method", prefix("/").method("GET")),
            one("y-headers", prefix("/").header("h", "1").header("i", "2")),
            one("x-header-and-query", prefix("/").header("h", "1").query("q", "1")),
            one("w-header", prefix("/").header_regex("h", ".*")),
            one("v-queries", prefix("/").query("q", "1").query("r", "2")),
            one("u-query", prefix("/").query_regex("q", "[0-9]")),
            old(-1, one("t-old", prefix("/"))),
            one("a", prefix("/")),
            one("b", prefix("/")),
        ],
        get("a", "/?q=1&r=2").with("h", "1").with("i", "2"),
    );
}

#[test]
fn the_first_match_of_a_rule_counts() {
    let matches = vec![
        prefix("/a"),
        exact("/a/b").method("POST"),
        exact("/a/b"),
        exact("/a/b"),
        prefix("/a").header("h", "1"),
    ];
    let snapshot = web([rule("r", matches)]);
    assert_eq!(found(&snapshot, &get("x", "/a/b")).as_deref(), Some("r/2"));
    assert_eq!(found(&snapshot, &get("x", "/a/b").by("POST")).as_deref(), Some("r/1"));
    assert_eq!(found(&snapshot, &get("x", "/a/c").with("h", "1")).as_deref(), Some("r/4"));
    assert_eq!(found(&snapshot, &get("x", "/a/c")).as_deref(), Some("r"));
}

#[test]
fn values_are_compared_as_they_arrive() {
    let snapshot = web([
        rule("joined", vec![prefix("/").header("h", "1, 2")]),
        rule("plain", vec![prefix("/").header("h", "1")]),
        rule("regex", vec![prefix("/").header_regex("h", "1|22")]),
        rule("method", vec![exact("/m").method("GET")]),
        rule("query", vec![prefix("/q").query("a b", "ü+")]),
    ]);
    let check = |request: Asked, expected: Option<&str>| {
        assert_eq!(found(&snapshot, &request).as_deref(), expected, "{request:?}");
    };
    check(get("a", "/").with("h", "1").with("h", "2"), Some("joined"));
    check(get("a", "/").with("h", "1, 2"), Some("joined"));
    check(get("a", "/").with("h", "2").with("h", "1"), None);
    check(get("a", "/").with("h", "1"), Some("plain"));
    check(get("a", "/").with("h", "22"), Some("regex"));
    check(get("a", "/").with("h", "122"), None);
    check(get("a", "/").with("h", ""), None);
    check(get("a", "/m").by("get"), None);
    check(get("a", "/m"), Some("method"));
    check(get("a", "/q?a+b=%C3%BC%2B"), Some("query"));
    check(get("a", "/q?a+b=x&a+b=%C3%BC%2B"), None);
    check(get("a", "/q?A+b=%C3%BC%2B"), None);
    check(get("a", "/q"), None);
}

#[test]
fn a_listener_is_found_by_its_hostname() {
    let parts = [("exact", "a.b.c"), ("longer", "*.b.c"), ("shorter", "*.c"), ("none", "")]
        .map(|(name, host)| Part::Listener(listener(name, 80, host).into()));
    let other = Part::Listener(listener("other", 81, "x.y").into());
    let snapshot = Snapshot::empty().apply(&upserts(parts.into_iter().chain([other])));
    let check = |port, host: &str, expected: Option<&str>| {
        let port = snapshot.port(BindAddress { ip: None, port }).expect("there are listeners");
        let name = port.listener_for(host).map(|table| &*table.listener.key.object.name);
        assert_eq!(name, expected, "{host}");
    };
    check(80, "a.b.c", Some("exact"));
    check(80, "x.b.c", Some("longer"));
    check(80, "b.c", Some("shorter"));
    check(80, "c", Some("none"));
    check(80, "", Some("none"));
    check(81, "x.y", Some("other"));
    check(81, "a.x.y", None);
    check(81, "", None);
    let ports: Vec<_> = snapshot.ports().map(|p| (p.bind.port, p.listeners().count())).collect();
    assert_eq!(ports, [(80, 4), (81, 1)]);
}

#[test]
fn of_two_listeners_with_one_hostname_the_first_key_serves_whatever_came_first() {
    let [a, b] = ["a", "b"].map(|name| Part::Listener(listener(name, 80, "x").into()));
    for parts in [[a.clone(), b.clone()], [b, a]] {
        let both = Snapshot::empty().apply(&upserts(parts));
        let serving = |snapshot: &Snapshot| {
            let port = snapshot.port(BindAddress { ip: None, port: 80 });
            port.and_then(|port| port.listener_for("x")).map(|t| t.listener.key.object.name.clone())
        };
        assert_eq!(serving(&both).as_deref(), Some("a"));
        let one = both.apply(&Changes { removed: vec![listener_key("a")], ..Changes::default() });
        assert_eq!(serving(&one).as_deref(), Some("b"));
    }
}

#[test]
fn long_paths_of_nothing_but_slashes_are_flat_work() {
    let snapshot = web([rule("r", vec![prefix("/"), prefix("//"), exact(&"/".repeat(1_024))])]);
    let mut visited = 0;
    let request = get("a", &"/".repeat(8 * 1_024));
    let found = table(&snapshot).find(&request, &mut visited).expect("`//` takes it");
    assert_eq!(found.matched, 1);
    assert!(visited < 1_100, "{visited}");
}
