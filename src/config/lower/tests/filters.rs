use super::build::*;
use super::*;
use crate::config::raw::{
    At, Cors, FilterKind, HeaderEdit, Mirror, PathModifier, Redirect, Rewrite, Spec,
};
use crate::model::{self, Cause, CorsOrigin, Filter, Fraction, PathRewrite};

fn with_filters(filters: Vec<FilterKind>) -> World {
    let route = shop()[1].clone().route(|route| {
        route.rules[0].filters = filters.into_iter().map(filter).collect();
    });
    World::of(shop_with(route))
}

#[track_caller]
fn check(kind: FilterKind, expected: Filter) {
    let world = with_filters(vec![kind]);
    let refused = matches!(expected, Filter::Refuse(_));
    assert_eq!(world.rule().filters, [expected]);
    assert_eq!(world.errors() > 0, refused, "{:#?}", world.last.diagnostics);
}

const INVALID: Filter = Filter::Refuse(Cause::FilterInvalid);

fn pairs(pairs: &[(&str, &str)]) -> Vec<(At<Name>, At<Name>)> {
    pairs.iter().map(|(name, value)| (at(name), at(value))).collect()
}

#[test]
fn headers_are_folded_and_the_first_of_a_name_counts() {
    let edit = HeaderEdit {
        set: pairs(&[("X-A", " 1 "), ("x-a", "2")]),
        add: pairs(&[("X-A", "3")]),
        remove: hosts(&["X-B", "x-b"]),
    };
    let expected = model::HeaderEdit {
        set: vec![("x-a".into(), "1".into())],
        add: vec![("x-a".into(), "3".into())],
        remove: vec!["x-b".into()],
    };
    check(
        FilterKind::RequestHeaderModifier(edit.clone()),
        Filter::RequestHeaders(expected.clone()),
    );
    check(FilterKind::ResponseHeaderModifier(edit), Filter::ResponseHeaders(expected));
}

#[test]
fn headers_that_frame_messages_are_never_touched() {
    let request = |set: &[(&str, &str)], remove: &[&str]| {
        FilterKind::RequestHeaderModifier(HeaderEdit {
            set: pairs(set),
            add: Vec::new(),
            remove: hosts(remove),
        })
    };
    check(request(&[("Transfer-Encoding", "chunked")], &[]), INVALID);
    check(request(&[], &["Content-Length"]), INVALID);
    check(request(&[], &["connection"]), INVALID);
    check(request(&[("Host", "b.example")], &[]), INVALID);
    check(request(&[("a b", "1")], &[]), INVALID);
    check(request(&[("", "1")], &[]), INVALID);
    check(request(&[("x", "1\r\ny: 2")], &[]), INVALID);
    check(request(&[("x", "1\0")], &[]), INVALID);
}

#[test]
fn redirects_have_a_scheme_a_status_and_a_host_of_their_own() {
    let redirect =
        || Redirect { scheme: None, hostname: None, path: None, port: None, status: None };
    let is = |one: Redirect| FilterKind::RequestRedirect(one);
    let plain =
        || model::Redirect { scheme: None, hostname: None, path: None, port: None, status: 302 };
    let good = |written: Redirect, expected: model::Redirect| {
        check(is(written), Filter::Redirect(expected));
    };
    good(redirect(), plain());
    good(
        Redirect {
            scheme: Some(at("https")),
            hostname: Some(at("B.example")),
            port: Some(At::nowhere(8443)),
            status: Some(At::nowhere(308)),
            path: Some(PathModifier::ReplaceFullPath(at("/new"))),
        },
        model::Redirect {
            scheme: Some("https".into()),
            hostname: Some(model::Hostname::parse("b.example").expect("a literal")),
            port: Some(8443),
            status: 308,
            path: Some(PathRewrite::Full("/new".into())),
        },
    );
    check(is(Redirect { scheme: Some(at("ftp")), ..redirect() }), INVALID);
    check(is(Redirect { status: Some(At::nowhere(200)), ..redirect() }), INVALID);
    check(is(Redirect { hostname: Some(at("*.example")), ..redirect() }), INVALID);
    check(is(Redirect { hostname: Some(at("10.0.0.1")), ..redirect() }), INVALID);
}

#[test]
fn a_prefix_is_replaced_only_where_one_was_matched() {
    let with = |matches: &[(&str, &str)], path: PathModifier| {
        let route = shop()[1].clone().route(|route| {
            let rule = &mut route.rules[0];
            rule.matches = matches.iter().map(|(kind, path)| matching(kind, path)).collect();
            rule.filters =
                vec![filter(FilterKind::UrlRewrite(Rewrite { hostname: None, path: Some(path) }))];
        });
        World::of(shop_with(route)).rule().filters[0].clone()
    };
    let prefix = |text: &str| PathModifier::ReplacePrefixMatch(at(text));
    let replaced = |text: &str| {
        let path = Some(PathRewrite::Prefix(text.into()));
        Filter::Rewrite(model::Rewrite { hostname: None, path })
    };
    assert_eq!(with(&[("PathPrefix", "/a")], prefix("/b/")), replaced("/b/"));
    assert_eq!(with(&[("PathPrefix", "/a")], prefix("")), replaced(""));
    assert_eq!(with(&[], prefix("/b")), replaced("/b"));
    assert_eq!(with(&[("PathPrefix", "/a"), ("Exact", "/c")], prefix("/b")), INVALID);
    assert_eq!(with(&[("RegularExpression", "/a")], prefix("/b")), INVALID);
    assert_eq!(with(&[], prefix("b")), INVALID);
    assert_eq!(with(&[], PathModifier::ReplaceFullPath(at(""))), INVALID);
    assert_eq!(with(&[], PathModifier::ReplaceFullPath(at("/a b"))), INVALID);
    assert_eq!(with(&[], PathModifier::ReplaceFullPath(at("/a?b"))), INVALID);
    assert_eq!(with(&[], PathModifier::Unknown(at("ReplaceSuffix"))), INVALID);
}

#[test]
fn mirrors_have_a_share_and_a_backend_or_a_cause() {
    let mirror =
        |name: &str| Mirror { backend: to_service(name, 8080), percent: None, fraction: None };
    let share = |written: Mirror| match with_filters(vec![FilterKind::RequestMirror(written)])
        .rule()
        .filters[0]
        .clone()
    {
        Filter::Mirror(mirror) => {
            Some((mirror.backend.err(), mirror.fraction.numerator, mirror.fraction.denominator))
        }
        INVALID => None,
        other => panic!("{other:?}"),
    };
    let percent = |percent| Mirror { percent: Some(At::nowhere(percent)), ..mirror("web") };
    let fraction = |fraction| Mirror { fraction: Some(At::nowhere(fraction)), ..mirror("web") };
    assert_eq!(share(mirror("web")), Some((None, 100, 100)));
    assert_eq!(share(percent(0)), Some((None, 0, 100)));
    assert_eq!(share(percent(101)), None);
    assert_eq!(share(fraction((1, 1000))), Some((None, 1, 1000)));
    assert_eq!(share(fraction((2, 1))), None);
    assert_eq!(share(fraction((0, 0))), None);
    assert_eq!(share(Mirror { percent: Some(At::nowhere(1)), ..fraction((1, 2)) }), None);
    assert_eq!(share(mirror("nobody")), Some((Some(Cause::BackendNotFound), 100, 100)));
}

#[test]
fn several_mirrors_stand_side_by_side_and_bring_their_backends() {
    let mirror = |name: &str| {
        FilterKind::RequestMirror(Mirror {
            backend: to_backend(name),
            percent: None,
            fraction: None,
        })
    };
    let route = shop()[1].clone().route(|route| {
        route.rules[0].filters = vec![filter(mirror("one")), filter(mirror("two"))];
    });
    let mut objects = shop_with(route);
    objects.extend([
        backend("one", &["one:80"]),
        backend("two", &["two:80"]),
        backend("x", &["x:80"]),
    ]);
    let world = World::of(objects);
    assert_eq!(
        world.keys(PartKind::Backend),
        ["Service default/web#8080", "Backend default/one", "Backend default/two"]
    );
    let whole = Fraction { numerator: 100, denominator: 100 };
    let key = |name: &str| {
        let object = ObjectKey::new(model::Store::Files, Kind::Backend, "default", name);
        PartKey::new(PartKind::Backend, object, "")
    };
    let mirrors = ["one", "two"]
        .map(|name| Filter::Mirror(model::Mirror { backend: Ok(key(name)), fraction: whole }));
    assert_eq!(world.rule().filters, mirrors);
    world.codes(&[]);
}

#[test]
fn cors_origins_are_whole_or_wild() {
    let origin = |text: &str| {
        let cors = Cors { allow_origins: hosts(&[text]), ..Cors::default() };
        match with_filters(vec![FilterKind::Cors(cors)]).rule().filters[0].clone() {
            Filter::Cors(cors) => Some(cors.allow_origins[0].clone()),
            INVALID => None,
            other => panic!("{other:?}"),
        }
    };
    let wild = |scheme: &str, suffix: &str| {
        Some(CorsOrigin::Wildcard { scheme: scheme.into(), suffix: suffix.into() })
    };
    let exact = |text: &str| Some(CorsOrigin::Exact(text.into()));
    assert_eq!(origin("*"), Some(CorsOrigin::Any));
    assert_eq!(origin("https://Shop.Example"), exact("https://shop.example"));
    assert_eq!(origin("http://[::1]:8080"), exact("http://[::1]:8080"));
    assert_eq!(origin("http://10.0.0.1:8080"), exact("http://10.0.0.1:8080"));
    // A default port is none.
    assert_eq!(origin("http://10.0.0.1:80"), exact("http://10.0.0.1"));
    assert_eq!(origin("HTTPS://[::1]:443"), exact("https://[::1]"));
    assert_eq!(origin("https://*.shop.example:443"), wild("https://", ".shop.example"));
    assert_eq!(origin("http://*:443"), wild("http://", ":443"));
    assert_eq!(origin("https://*.shop.example:8443"), wild("https://", ".shop.example:8443"));
    assert_eq!(origin("http://*"), wild("http://", ""));
    for text in [
        "shop.example",
        "ftp://a",
        "https://",
        "https://a/",
        "https://a:0",
        "https://a:0443",
        "https://a:65536",
        "https://:443",
        "https://a:80:443",
        "https://a:x",
        "https://a*b",
        "https://*b",
        "https://a.*.b",
        "null",
        "https://a@b",
        "",
    ] {
        assert_eq!(origin(text), None, "{text}");
    }
    let cors = Cors {
        allow_methods: hosts(&["GET", "*"]),
        allow_headers: hosts(&["X-A"]),
        expose_headers: hosts(&["X-B"]),
        allow_credentials: true,
        ..Cors::default()
    };
    let expected = model::Cors {
        allow_origins: Vec::new(),
        allow_credentials: true,
        allow_methods: vec!["GET".into(), "*".into()],
        allow_headers: vec!["x-a".into()],
        expose_headers: vec!["x-b".into()],
        max_age: std::time::Duration::from_secs(5),
    };
    check(FilterKind::Cors(cors), Filter::Cors(expected));
    check(FilterKind::Cors(Cors { allow_methods: hosts(&["G T"]), ..Cors::default() }), INVALID);
}

#[test]
fn a_filter_that_is_not_known_refuses_instead_of_being_passed_over() {
    let unknown = Filter::Refuse(Cause::FilterUnknown);
    check(FilterKind::Unknown("ExternalAuth".into()), unknown.clone());
    check(FilterKind::Incomplete("CORS".into()), INVALID);
    let mut route = grpc_route("rpc", "web", vec![to_service("web", 8080)]);
    let Spec::GrpcRoute(spec) = &mut route.spec else { panic!("a GRPCRoute") };
    spec.rules[0].filters = vec![filter(FilterKind::Cors(Cors::default()))];
    let world = World::of(shop_with(route));
    assert_eq!(world.rule().filters, [unknown]);
    world.codes(&[codes::FILTER_UNKNOWN]);
}

#[test]
fn filters_that_exclude_each_other_refuse() {
    let redirect = || {
        FilterKind::RequestRedirect(Redirect {
            scheme: None,
            hostname: None,
            path: None,
            port: None,
            status: None,
        })
    };
    let rewrite = FilterKind::UrlRewrite(Rewrite { hostname: Some(at("b.example")), path: None });
    let first = |filters| with_filters(filters).rule().filters[0].clone();
    assert_eq!(first(vec![redirect(), rewrite.clone()]), INVALID);
    let twice = with_filters(vec![rewrite.clone(), rewrite]);
    assert_eq!(twice.rule().filters[1], INVALID);
    twice.codes(&[codes::FILTER_INVALID]);
}
