//! Random rules and requests from small alphabets, so that most of them meet.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

pub(super) const LISTENERS: [&str; 2] = ["web", "other"];
const HOSTS: &[&str] = &["", "", "x", "a.x", "b.a.x", "*.x", "*.a.x", "*.b.a.x"];
const PATTERNS: &[&str] = &[
    ".*",
    "/a/.*",
    "/a|/b",
    "/(a|b)/[ab]+",
    "/a/b",
    "(?i)/A/?b*",
    "/a(/b)*",
    "/+",
    r"\*",
    "/a//.*",
];

fn path() -> impl Strategy<Value = String> {
    let segment = || select(&["a", "a", "b", "ab", ""][..]);
    prop_oneof![
        6 => vec(segment(), 0..4).prop_map(|segments| format!("/{}", segments.join("/"))),
        3 => select(&["/a", "/a/b"][..]).prop_map(str::to_owned),
        1 => select(&["", "*", "a"][..]).prop_map(str::to_owned),
    ]
}

fn path_match() -> impl Strategy<Value = PathMatch> {
    prop_oneof![
        3 => path().prop_map(|path| PathMatch::Exact(path.as_str().into())),
        4 => path().prop_map(|path| prefix(&path).path),
        2 => select(PATTERNS).prop_map(|text| PathMatch::Regex(Pattern::checked(text))),
    ]
}

fn header_match() -> impl Strategy<Value = HeaderMatch> {
    let name = || select(&["h", "i", "j"][..]);
    prop_oneof![
        3 => (name(), select(&["1", "2", "1, 2"][..])).prop_map(|(name, value)| {
            HeaderMatch::Exact { name: name.into(), value: value.into() }
        }),
        1 => (name(), select(&["1.*", "[12]"][..])).prop_map(|(name, text)| {
            HeaderMatch::Regex { name: name.into(), pattern: Pattern::checked(text) }
        }),
    ]
}

fn query_match() -> impl Strategy<Value = QueryMatch> {
    let name = || select(&["q", "q q"][..]);
    prop_oneof![
        3 => (name(), select(&["1", "1 1", ""][..])).prop_map(|(name, value)| {
            QueryMatch::Exact { name: name.into(), value: value.into() }
        }),
        1 => (name(), select(&["1.*", " *1"][..])).prop_map(|(name, text)| {
            QueryMatch::Regex { name: name.into(), pattern: Pattern::checked(text) }
        }),
    ]
}

fn one_match(path: impl Strategy<Value = PathMatch>) -> impl Strategy<Value = Match> {
    let method = prop::option::of(select(&["GET", "POST"][..]));
    let few = prop_oneof![2 => Just(0..=0_usize), 3 => Just(0..=3)];
    let headers = few.clone().prop_flat_map(|size| vec(header_match(), size));
    let query = few.prop_flat_map(|size| vec(query_match(), size));
    (path, method, headers, query).prop_map(|(path, method, headers, query)| Match {
        path,
        method: method.map(Into::into),
        headers,
        query,
    })
}

fn spread_out() -> impl Strategy<Value = (Vec<Attachment>, Vec<Match>)> {
    let on = (select(&LISTENERS[..]), select(HOSTS)).prop_map(|(listener, host)| Attachment {
        listener: listener_key(listener),
        hostname: hostname(host),
    });
    (vec(on, 0..4), vec(one_match(path_match()), 1..4))
}

/// On the same few places, so that their matches are indexed.
fn crowded() -> impl Strategy<Value = (Vec<Attachment>, Vec<Match>)> {
    let path =
        select(vec![exact("/a").path, exact("/a").path, prefix("/").path, regex("/a.*").path]);
    (Just(attachments(&[""])), vec(one_match(path), 1..4))
}

/// The rule with this number; its order says something else than its key.
pub(super) fn numbered_rule(number: usize) -> impl Strategy<Value = Rule> {
    let order = (0..2_i64, select(&["m", "n"][..]), 0..2_u32);
    let parts = (prop_oneof![spread_out(), crowded()], order);
    parts.prop_map(move |((attachments, matches), (created, name, position))| {
        let mut rule = rule(&format!("r{number}"), matches);
        rule.attachments = attachments;
        rule.order = RuleOrder { created, name: name.into(), rule: position, ..rule.order };
        rule
    })
}

pub(super) fn rules(most: usize) -> impl Strategy<Value = Vec<Rule>> {
    (0..=most).prop_flat_map(|count| (0..count).map(numbered_rule).collect::<Vec<_>>())
}

pub(super) fn request() -> impl Strategy<Value = Asked> {
    let host = select(&["x", "a.x", "b.a.x", "c.a.x", "c.b.a.x", "c.x", "y", ""][..]);
    let header = (select(&["h", "i", "j"][..]), select(&["1", "2", "1, 2"][..]));
    let query = select(
        &["", "q=1", "q+q=1+1", "%71=%31&q=2", "q%20q=1&q=1", "q=+1", "q", "&&q+q", "q=2&q=1"][..],
    );
    let method = select(&["GET", "POST", "PUT"][..]);
    (host, path(), prop::option::of(query), method, vec(header, 0..4)).prop_map(
        |(host, path, query, method, headers)| Asked {
            method: method.to_owned(),
            host: host.to_owned(),
            path,
            query: query.map(str::to_owned),
            headers: headers.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
        },
    )
}
