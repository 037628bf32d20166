use std::time::Duration;

use super::build::*;
use super::*;
use crate::config::raw::{
    At, GrpcMatch, GrpcMethodMatch, HttpMatch, HttpRule, Place, Retry, SessionPersistence, Spec,
    Timeouts,
};
use crate::model::{
    HeaderMatch, Match, PathMatch, QueryMatch, RetryPolicy, RouteProtocol, SessionCookie,
};

fn with_rule(edit: impl FnOnce(&mut HttpRule)) -> World {
    let route = shop()[1].clone().route(|route| edit(&mut route.rules[0]));
    World::of(shop_with(route))
}

/// The only match of the only rule, or nothing and a code.
#[track_caller]
fn check_match(written: HttpMatch, expected: Result<Match, Code>) {
    let world = with_rule(|rule| rule.matches = vec![written.clone()]);
    match expected {
        Ok(expected) => {
            assert_eq!(world.rule().matches, [expected]);
            world.codes(&[]);
        }
        Err(code) => {
            assert_eq!(world.rules().len(), 0, "{written:?} matches nothing");
            world.codes(&[code]);
        }
    }
}

fn path(path: PathMatch) -> Match {
    Match { path, method: None, headers: Vec::new(), query: Vec::new() }
}

fn prefix(text: &str) -> Match {
    path(PathMatch::Prefix(text.into()))
}

#[test]
fn no_match_and_an_empty_match_take_everything() {
    let world = with_rule(|_| {});
    assert_eq!(world.rule().matches, [prefix("")]);
    let empty = HttpMatch { path: None, ..matching("Exact", "/") };
    check_match(empty, Ok(prefix("")));
}

#[test]
fn paths_are_exact_prefixes_or_patterns() {
    let check = |kind: &str, text: &str, expected| check_match(matching(kind, text), expected);
    check("PathPrefix", "/", Ok(prefix("")));
    check("PathPrefix", "/a/b/", Ok(prefix("/a/b")));
    check("PathPrefix", "/a%20b", Ok(prefix("/a%20b")));
    check("Exact", "/a/", Ok(path(PathMatch::Exact("/a/".into()))));
    let pattern = crate::model::Pattern::checked("/v[0-9]+");
    check("RegularExpression", "/v[0-9]+", Ok(path(PathMatch::Regex(pattern))));
    let bad = |kind: &str, text: &str| check(kind, text, Err(codes::BAD_MATCH));
    bad("Prefix", "/");
    for text in [
        "", "a", "/a//b", "/a/../b", "/.", "/a%2Fb", "/a%5cb", "/a?b", "/a#b", "/a b", "/ä",
        "/a\\b",
    ] {
        bad("Exact", text);
        bad("PathPrefix", text);
    }
}

#[test]
fn patterns_are_compiled_within_a_bound() {
    let bad = |text: &str| {
        check_match(matching("RegularExpression", text), Err(codes::BAD_REGEX));
    };
    bad("(");
    bad("a)|(b");
    bad("(?<=a)b");
    bad("(a)\\1");
    bad("[a-z]{1000}{1000}");
    bad("(?u:\\w){999}");
    let long = format!("(?x) a # {}", "b".repeat(10));
    bad(&long);
}

#[test]
fn headers_and_parameters_count_once_by_name() {
    let written = HttpMatch {
        method: Some(at("GET")),
        headers: vec![
            value("Exact", "X-Version", "v2"),
            value("RegularExpression", "x-version", "v3"),
            value("RegularExpression", "cookie", ".*beta.*"),
        ],
        query_params: vec![
            value("Exact", "q", "1"),
            value("Exact", "Q", "2"),
            value("Exact", "q", "3"),
        ],
        ..matching("PathPrefix", "/")
    };
    let world = with_rule(|rule| rule.matches = vec![written]);
    let regex = crate::model::Pattern::checked(".*beta.*");
    let exact =
        |name: &str, value: &str| QueryMatch::Exact { name: name.into(), value: value.into() };
    assert_eq!(
        world.rule().matches,
        [Match {
            path: PathMatch::Prefix("".into()),
            method: Some("GET".into()),
            headers: vec![
                HeaderMatch::Exact { name: "x-version".into(), value: "v2".into() },
                HeaderMatch::Regex { name: "cookie".into(), pattern: regex },
            ],
            query: vec![exact("q", "1"), exact("Q", "2")],
        }]
    );
    world.codes(&[codes::BAD_MATCH, codes::BAD_MATCH]);
    assert_eq!(world.errors(), 0, "both are warnings");
}

#[test]
fn one_bad_condition_takes_its_rule_along_and_no_other() {
    let bad = |written: HttpMatch, code| check_match(written, Err(code));
    let of = || matching("PathPrefix", "/");
    bad(HttpMatch { method: Some(at("G ET")), ..of() }, codes::BAD_MATCH);
    bad(HttpMatch { headers: vec![value("Exact", "a b", "1")], ..of() }, codes::BAD_MATCH);
    bad(HttpMatch { headers: vec![value("Prefix", "a", "1")], ..of() }, codes::BAD_MATCH);
    bad(
        HttpMatch { headers: vec![value("RegularExpression", "a", "(")], ..of() },
        codes::BAD_REGEX,
    );
    bad(HttpMatch { query_params: vec![value("Exact", "", "1")], ..of() }, codes::BAD_MATCH);
    let route = shop()[1].clone().route(|route| {
        let good = route.rules[0].clone();
        route.rules[0].matches = vec![of(), matching("Exact", "bad")];
        route.rules.push(good);
    });
    let world = World::of(shop_with(route));
    assert_eq!(world.keys(PartKind::Rule), ["HTTPRoute default/web#1"]);
}

#[test]
fn all_that_is_wrong_in_a_rule_is_told_in_one_pass() {
    let world = with_rule(|rule| {
        rule.matches = vec![matching("Exact", "bad"), matching("RegularExpression", "(")];
        rule.filters = vec![filter(crate::config::raw::FilterKind::Unknown("Magic".into()))];
        rule.backends[0].reference = to_service("nobody", 80);
        rule.retry = Some(Retry { codes: vec![At::nowhere(99)], ..Retry::default() });
    });
    let mut expected = vec![codes::BAD_MATCH, codes::BAD_REGEX, codes::FILTER_UNKNOWN];
    expected.extend([codes::REFERENCE_MISSING, codes::BAD_RETRY]);
    world.codes(&expected);
    assert_eq!(world.parts.len(), 1, "the listener alone");
}

#[test]
fn grpc_methods_are_paths() {
    let check = |kind: &str, service: &str, method: &str, expected: Result<PathMatch, Code>| {
        let some = |text: &str| (!text.is_empty()).then(|| at(text));
        let method =
            GrpcMethodMatch { kind: at(kind), service: some(service), method: some(method) };
        let one = GrpcMatch { place: Place::default(), method: Some(method), headers: Vec::new() };
        let mut route = grpc_route("rpc", "web", vec![to_service("web", 8080)]);
        let Spec::GrpcRoute(spec) = &mut route.spec else { panic!("a GRPCRoute") };
        spec.rules[0].matches = vec![one];
        let world = World::of(shop_with(route));
        match expected {
            Ok(expected) => {
                assert_eq!(world.rule().matches, [path(expected)]);
                assert_eq!(world.rule().protocol, RouteProtocol::Grpc);
            }
            Err(code) => {
                assert_eq!(world.rules().len(), 0);
                world.codes(&[code]);
            }
        }
    };
    let regex = |text: &str| Ok(PathMatch::Regex(crate::model::Pattern::checked(text)));
    check("Exact", "a.B", "C", Ok(PathMatch::Exact("/a.B/C".into())));
    check("Exact", "a.B", "", Ok(PathMatch::Prefix("/a.B".into())));
    check("Exact", "", "C", regex("/[^/]+/C"));
    check("RegularExpression", "a.*", "", regex("/(?:a.*)/[^/]+"));
    check("RegularExpression", "a|b", "c|d", regex("/(?:a|b)/(?:c|d)"));
    check("RegularExpression", "(", "c", Err(codes::BAD_REGEX));
    check("Exact", "", "", Err(codes::BAD_MATCH));
    check("Exact", "a/b", "c", Err(codes::BAD_MATCH));
    check("Like", "a", "c", Err(codes::BAD_MATCH));
}

#[test]
fn rules_are_known_by_their_names_else_by_their_positions() {
    let check = |names: &[Option<&str>], expected: &[&str]| {
        let route = shop()[1].clone().route(|route| {
            let one = route.rules[0].clone();
            let named = |name: &Option<&str>| HttpRule { name: name.map(at), ..one.clone() };
            route.rules = names.iter().map(named).collect();
        });
        let world = World::of(shop_with(route));
        let mut rules = world.rules();
        rules.sort_by_key(|rule| rule.order.rule);
        let sections: Vec<&str> = rules.iter().map(|rule| &*rule.key.section).collect();
        assert_eq!(sections, expected);
        world.codes(&[]);
    };
    check(&[None, None], &["0", "1"]);
    check(&[Some("a"), None], &["a", "1"]);
    check(&[Some("a"), Some("a")], &["a", "1"]);
    check(&[Some("1"), None], &["1", "1'"]);
}

#[test]
fn order_is_age_then_name_then_position() {
    let route = shop()[1].clone().created(77);
    let world = World::of(shop_with(route));
    let order = &world.rule().order;
    assert_eq!(
        (order.created, &*order.namespace, &*order.name, order.rule),
        (77, "default", "web", 0)
    );
}

#[test]
fn zero_is_no_timeout_and_one_attempt_is_within_the_whole() {
    let check =
        |request: Option<u64>, backend: Option<u64>, expected: (Option<u64>, Option<u64>)| {
            let at = |time: Option<u64>| time.and_then(seconds);
            let world = with_rule(|rule| {
                rule.timeouts = Timeouts { request: at(request), backend_request: at(backend) };
            });
            let timeouts = world.rule().timeouts;
            let secs = |time: Option<Duration>| time.map(|time| time.as_secs());
            assert_eq!((secs(timeouts.request), secs(timeouts.backend_request)), expected);
            world.codes(&[]);
        };
    check(None, None, (None, None));
    check(Some(10), Some(3), (Some(10), Some(3)));
    check(Some(0), Some(3), (None, Some(3)));
    check(Some(10), Some(0), (Some(10), None));
    check(Some(3), Some(10), (Some(3), Some(3)));
}

#[test]
fn retries_are_bounded() {
    let check = |retry: Option<Retry>, expected: RetryPolicy, expected_codes: &[Code]| {
        let world = with_rule(|rule| rule.retry = retry);
        assert_eq!(world.rule().retry, expected);
        world.codes(expected_codes);
    };
    let number = |number: u16| At::nowhere(number);
    check(None, RetryPolicy::standard(), &[]);
    let asked = RetryPolicy { on_failure: true, ..RetryPolicy::standard() };
    check(Some(Retry::default()), asked.clone(), &[]);
    let codes_and_more = Retry {
        codes: vec![number(503), number(500), number(503)],
        attempts: Some(At::nowhere(3)),
        backoff: seconds(1),
    };
    let expected = RetryPolicy {
        attempts: 3,
        backoff: Some(Duration::from_secs(1)),
        statuses: vec![500, 503],
        on_failure: true,
    };
    check(Some(codes_and_more), expected, &[]);
    let bad = Retry { codes: vec![number(200)], attempts: Some(At::nowhere(99)), backoff: None };
    let bounded = RetryPolicy { attempts: limits::RETRY_ATTEMPTS, ..asked };
    check(Some(bad), bounded, &[codes::BAD_RETRY, codes::BAD_RETRY]);
}

#[test]
fn sessions_are_kept_by_cookie_or_header() {
    let written = |kind: &str, lifetime: &str, name: Option<&str>| SessionPersistence {
        place: Place::default(),
        session_name: name.map(at),
        absolute_timeout: None,
        idle_timeout: seconds(60),
        kind: at(kind),
        cookie_lifetime: at(lifetime),
    };
    let check = |written: SessionPersistence, expected: Option<(&str, Option<bool>)>| {
        let world = with_rule(|rule| rule.session_persistence = Some(written));
        let found = world.rule().session_persistence.clone();
        let cookie = |cookie: SessionCookie| cookie.permanent;
        let found = found.map(|one| (one.name.to_string(), one.cookie.map(cookie)));
        let expected = expected.map(|(name, cookie)| (name.to_owned(), cookie));
        assert_eq!(found, expected);
        world.codes(if expected.is_some() { &[] } else { &[codes::BAD_SESSION] });
    };
    check(written("Cookie", "Session", None), Some(("meshctl-session-f6474957", Some(false))));
    check(written("Header", "Session", None), Some(("meshctl-session", None)));
    check(written("Header", "Session", Some("X-Session")), Some(("x-session", None)));
    check(written("Cookie", "Session", Some("a;b")), None);
    check(written("Cookie", "Permanent", None), None);
    let permanent = SessionPersistence {
        absolute_timeout: seconds(9),
        ..written("Cookie", "Permanent", Some("s"))
    };
    check(permanent, Some(("s", Some(true))));
    check(written("Query", "Session", None), None);
    check(written("Cookie", "Forever", None), None);
}

#[test]
fn weights_go_back_when_their_time_comes() {
    let backends = vec![to_service("web", 8080), to_service("web", 8080)];
    let mut route = shop()[1].clone().route(|route| route.rules[0] = rule(backends));
    let at = jiff::Timestamp::from_second(NOW + 60).unwrap();
    route
        .meta
        .annotations
        .insert(crate::names::ANNOTATION_RETURN.into(), format!("{at} 0=90,7").into());
    let mut world = World::of(shop_with(route));
    let weights = |world: &World| -> Vec<u32> {
        world.rule().backends.iter().map(|backend| backend.weight).collect()
    };
    assert_eq!(weights(&world), [1, 1]);
    assert_eq!(world.lowering.next_date(), Some(NOW + 60));
    world.now = NOW + 59;
    world.commit();
    assert_eq!(weights(&world), [1, 1]);
    world.now = NOW + 60;
    world.commit();
    assert_eq!(weights(&world), [90, 7], "though nobody touched the route");
    world.codes(&[]);
}
