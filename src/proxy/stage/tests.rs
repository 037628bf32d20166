//! Redirects, rewrites and CORS by the message alone: the Gateway API's tables.

use std::time::Duration;

use http::Method;

use super::*;
use crate::model::{CorsOrigin, Hostname, PathRewrite};
use crate::proxy::message::Target;

fn head(method: Method, authority: &str, path: &str, query: Option<&str>) -> RequestHead {
    RequestHead {
        method,
        authority: authority.to_owned(),
        target: Target::new(path, query),
        ..RequestHead::default()
    }
}

/// Runs one stage's request half.
fn run(
    stage: &Stage,
    head: &mut RequestHead,
    matched: &PathMatch,
    (https, port): (bool, u16),
    origin: &mut Vec<u8>,
) -> Result<(), Answer> {
    let rng = RefCell::new(fastrand::Rng::with_seed(1));
    let mut mirrors = SmallVec::new();
    let mut request =
        StageRequest { head, matched, https, port, origin, mirrors: &mut mirrors, rng: &rng };
    let mut work = std::pin::pin!(stage.request(&mut request));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match work.as_mut().poll(&mut cx) {
        std::task::Poll::Ready(done) => done,
        std::task::Poll::Pending => panic!("every stage of today decides at once"),
    }
}

fn answer(result: Result<(), Answer>) -> ResponseHead {
    match result {
        Err(Answer::Respond(head)) => *head,
        other => panic!("{other:?}"),
    }
}

fn field<'a>(head: &'a ResponseHead, name: &str) -> Option<&'a str> {
    head.fields.get(name).map(|value| std::str::from_utf8(value).unwrap())
}

/// HTTPPathModifier's own table, and what lies beside it.
#[test]
fn a_prefix_is_replaced_as_the_table_says() {
    for (path, prefix, replacement, expected) in [
        ("/foo/bar", "/foo", "/xyz", "/xyz/bar"),
        ("/foo/bar", "/foo", "/xyz/", "/xyz/bar"),
        ("/foo", "/foo", "/xyz", "/xyz"),
        ("/foo/", "/foo", "/xyz", "/xyz/"),
        ("/foo/bar", "/foo", "", "/bar"),
        ("/foo/", "/foo", "", "/"),
        ("/foo", "/foo", "", "/"),
        ("/foo/", "/foo", "/", "/"),
        ("/foo", "/foo", "/", "/"),
        ("/foo/bar/baz", "/foo/bar", "/a/b/c", "/a/b/c/baz"),
        ("/foo%2Fbar/x", "/foo%2Fbar", "/y", "/y/x"),
        ("/any/thing", "", "/xyz", "/xyz/any/thing"),
        ("/", "", "/xyz", "/xyz/"),
    ] {
        let stage = Stage::Rewrite(Rewrite {
            hostname: None,
            path: Some(PathRewrite::Prefix(replacement.into())),
        });
        let mut head = head(Method::GET, "h", path, Some("q=1"));
        let matched = PathMatch::Prefix(prefix.into());
        run(&stage, &mut head, &matched, (false, 80), &mut Vec::new()).unwrap();
        assert_eq!(head.target.path(), expected, "{path} {prefix} {replacement}");
        assert_eq!(head.target.query(), Some("q=1"));
    }
}

#[test]
fn a_whole_path_and_a_host_are_replaced() {
    let stage = Stage::Rewrite(Rewrite {
        hostname: Some(Hostname::parse("inner.example").unwrap()),
        path: Some(PathRewrite::Full("/whole".into())),
    });
    let mut head = head(Method::GET, "shop.example:8080", "/a/b", None);
    run(&stage, &mut head, &PathMatch::Exact("/a/b".into()), (false, 80), &mut Vec::new()).unwrap();
    assert_eq!((&*head.authority, head.target.as_str()), ("inner.example", "/whole"));
}

#[test]
fn a_redirect_names_only_a_port_that_its_scheme_does_not_imply() {
    let redirect = |scheme: Option<&str>, port| Redirect {
        scheme: scheme.map(Into::into),
        hostname: None,
        path: None,
        port,
        status: 302,
    };
    for (scheme, port, listener, expected) in [
        (None, None, (false, 80), "http://h.example/a?b"),
        (None, None, (false, 8080), "http://h.example:8080/a?b"),
        (None, None, (true, 443), "https://h.example/a?b"),
        (None, None, (true, 8443), "https://h.example:8443/a?b"),
        (None, None, (true, 80), "https://h.example:80/a?b"),
        (None, Some(80), (false, 8080), "http://h.example/a?b"),
        (None, Some(443), (false, 80), "http://h.example:443/a?b"),
        (Some("https"), None, (false, 8080), "https://h.example/a?b"),
        (Some("http"), None, (true, 443), "http://h.example/a?b"),
        (Some("https"), Some(443), (false, 80), "https://h.example/a?b"),
        (Some("https"), Some(8443), (false, 80), "https://h.example:8443/a?b"),
        (Some("http"), Some(443), (false, 80), "http://h.example:443/a?b"),
    ] {
        let stage = Stage::Redirect(redirect(scheme, port));
        let mut head = head(Method::GET, "h.example:1234", "/a", Some("b"));
        let matched = PathMatch::Prefix("".into());
        let answer = answer(run(&stage, &mut head, &matched, listener, &mut Vec::new()));
        assert_eq!(field(&answer, "location"), Some(expected));
        assert_eq!(answer.status.as_u16(), 302);
    }
}

#[test]
fn a_redirect_may_change_the_path() {
    for (path, rewrite, expected) in [
        ("/old", PathRewrite::Prefix("/new".into()), "http://[::1]/new"),
        ("/old/x", PathRewrite::Prefix("".into()), "http://[::1]/x"),
        ("/old/x", PathRewrite::Full("/one".into()), "http://[::1]/one"),
        ("/old/x", PathRewrite::Full("".into()), "http://[::1]/"),
    ] {
        let stage = Stage::Redirect(Redirect {
            scheme: None,
            hostname: None,
            path: Some(rewrite),
            port: None,
            status: 301,
        });
        let mut head = head(Method::GET, "[::1]:80", path, None);
        let matched = PathMatch::Prefix("/old".into());
        let answer = answer(run(&stage, &mut head, &matched, (false, 80), &mut Vec::new()));
        assert_eq!(field(&answer, "location"), Some(expected));
    }
}

fn cors(origins: Vec<CorsOrigin>, credentials: bool) -> Stage {
    Stage::Cors(Cors {
        allow_origins: origins,
        allow_credentials: credentials,
        allow_methods: vec!["PUT".into()],
        allow_headers: Vec::new(),
        expose_headers: vec!["x-seen".into()],
        max_age: Duration::from_secs(5),
    })
}

#[test]
fn an_origin_is_allowed_whole_or_not_at_all() {
    let wildcard =
        || CorsOrigin::Wildcard { scheme: "https://".into(), suffix: ".bar.example".into() };
    let exact = || CorsOrigin::Exact("https://foo.example".into());
    for (origin, allowed) in [
        ("https://foo.example", true),
        ("HTTPS://FOO.example", true),
        ("https://foo.example:444", false),
        ("http://foo.example", false),
        ("https://foo.example.evil", false),
        ("https://a.bar.example", true),
        ("https://a.b.bar.example", true),
        ("https://.bar.example", false),
        ("https://bar.example", false),
        ("https://abar.example", false),
        ("https://a.bar.example:1", false),
        ("null", false),
        ("\u{fffd}", false),
    ] {
        let stage = cors(vec![exact(), wildcard()], false);
        let mut response = ResponseHead::default();
        stage.response(origin.as_bytes(), &mut response);
        let expected = allowed.then_some(origin);
        assert_eq!(field(&response, "access-control-allow-origin"), expected, "{origin}");
        assert_eq!(field(&response, "vary"), Some("origin"));
    }
}

#[test]
fn only_a_preflight_is_answered() {
    let stage = cors(vec![CorsOrigin::Any], false);
    let asks = |method: Method, fields: &[(&str, &str)]| {
        let mut head = head(method, "h", "/", None);
        for (name, value) in fields {
            head.fields.push(name.as_bytes(), value.as_bytes());
        }
        let mut origin = Vec::new();
        let result =
            run(&stage, &mut head, &PathMatch::Prefix("".into()), (false, 80), &mut origin);
        (result, origin)
    };
    let (origin, method) =
        (("origin", "https://a.example"), ("access-control-request-method", "PUT"));
    assert!(asks(Method::OPTIONS, &[origin]).0.is_ok());
    assert!(asks(Method::OPTIONS, &[method]).0.is_ok());
    let (passed, kept) = asks(Method::GET, &[origin, method]);
    assert!(passed.is_ok());
    assert_eq!(kept, b"https://a.example");
    let (answered, kept) = asks(Method::OPTIONS, &[origin, method]);
    let mut preflight = answer(answered);
    stage.response(&kept, &mut preflight);
    assert_eq!(preflight.status.as_u16(), 204);
    assert_eq!(field(&preflight, "access-control-allow-methods"), Some("PUT"));
    assert_eq!(field(&preflight, "access-control-allow-origin"), Some("*"));
    assert_eq!(field(&preflight, "access-control-expose-headers"), Some("x-seen"));
    assert_eq!(field(&preflight, "access-control-max-age"), Some("5"));
}

#[test]
fn a_refusal_is_never_passed_over() {
    let stage = Stage::Refuse(Cause::FilterUnknown);
    let mut head = head(Method::GET, "h", "/", None);
    let result =
        run(&stage, &mut head, &PathMatch::Prefix("".into()), (false, 80), &mut Vec::new());
    assert!(matches!(result, Err(Answer::Fail(Cause::FilterUnknown))));
}
