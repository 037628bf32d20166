use std::time::Duration;

use super::*;
use crate::model::{
    Arm, ArmKey, Counts, Kind, ObjectKey, PartKey, PartKind, Report, Scope, Store, Totals,
};

fn place(name: &str) -> Place {
    (Scope { namespace: "shop".into(), name: "front".into(), shared: false }, name.into())
}

fn relayed(name: &str, trouble: Option<String>) -> Relayed {
    Relayed {
        place: place(name),
        version: "1.2.3".into(),
        connected_since: Duration::from_secs(9),
        behind: false,
        trouble: trouble.map(Into::into),
    }
}

fn report(requests: u64) -> Report {
    let part = |part, kind| PartKey::new(part, ObjectKey::new(Store::Cluster, kind, "s", "w"), "0");
    let (rule, backend) =
        (part(PartKind::Rule, Kind::HttpRoute), part(PartKind::Backend, Kind::Service));
    let arm = Arm {
        key: ArmKey { rule, backend, dark: false },
        born: 1,
        counts: Counts { requests, ..Counts::default() },
    };
    Report { process: 1, born: 1, totals: Totals::default(), arms: vec![arm] }
}

fn now(proxies: Vec<(Relayed, Option<Report>)>) -> Proxies {
    proxies
        .into_iter()
        .map(|(relayed, report)| (relayed.place.clone(), (relayed, report)))
        .collect()
}

#[test]
fn everything_is_told_and_then_what_is_new() {
    let mut told = Told::default();
    assert_eq!(
        told.news(Proxies::new(), Versions::new()),
        [Words { opened: true, ..Words::default() }]
    );
    assert_eq!(told.news(Proxies::new(), Versions::new()), []);
    let (a, b) = (relayed("a", None), relayed("b", None));
    let state = now(vec![(a.clone(), None), (b.clone(), Some(report(1)))]);
    let reports = vec![(place("b"), report(1))];
    let all = Words { here: vec![a.clone(), b.clone()], reports, ..Words::default() };
    assert_eq!(told.news(state.clone(), Versions::new()), std::slice::from_ref(&all));
    assert_eq!(told.news(state.clone(), Versions::new()), []);
    let opening = Words { opened: true, ..all };
    assert_eq!(
        Told::default().news(state, Versions::new()),
        [opening],
        "another conversation begins anew"
    );
    let troubled = relayed("a", Some("port 80 is taken".to_owned()));
    let state = now(vec![(troubled.clone(), None), (b.clone(), Some(report(2)))]);
    let reports = vec![(place("b"), report(2))];
    assert_eq!(
        told.news(state, Versions::new()),
        [Words { here: vec![troubled], reports, ..Words::default() }]
    );
    let state = now(vec![(b, Some(report(2)))]);
    assert_eq!(
        told.news(state, Versions::new()),
        [Words { gone: vec![place("a")], ..Words::default() }]
    );
}

#[test]
fn routes_are_told_after_the_proxies() {
    let course = |name: &str| {
        let route = ObjectKey::new(Store::Cluster, Kind::HttpRoute, "s", name);
        (place("").0, route)
    };
    let mut told = Told::default();
    let routes = |version: &str| Versions::from([(course("w"), version.into())]);
    let state = now(vec![(relayed("a", None), None)]);
    let words = told.news(state.clone(), routes("1"));
    assert_eq!(words[0].routes, [(course("w"), Some("1".into()))]);
    assert_eq!(told.news(state.clone(), routes("1")), []);
    let next = vec![(course("w"), Some("2".into()))];
    let words = told.news(state.clone(), routes("2"));
    assert_eq!(words, [Words { routes: next, ..Words::default() }]);
    let gone = vec![(course("w"), None)];
    assert_eq!(told.news(state, Versions::new()), [Words { routes: gone, ..Words::default() }]);
    // Where both don't fit into one message, who is behind is known first.
    let trouble = Some("x".repeat(limits::WIRE_TROUBLE_CHARS));
    let proxies = (0..2_000).map(|at| (relayed(&at.to_string(), trouble.clone()), None));
    let pieces = Told::default().news(now(proxies.collect()), routes("1"));
    let first = pieces.iter().position(|words| !words.routes.is_empty()).unwrap();
    assert!(first == pieces.len() - 1 && first > 0);
}

/// Thousands of proxies, each with as much to say as it may have.
#[test]
fn pieces_fit_into_messages() {
    let trouble = || Some("x".repeat(limits::WIRE_TROUBLE_CHARS));
    let name = |at: usize| format!("{at}{}", "n".repeat(limits::WIRE_NAME_CHARS - 5));
    let proxies = (0..2_000).map(|at| (relayed(&name(at), trouble()), Some(report(1))));
    let pieces = Told::default().news(now(proxies.collect()), Versions::new());
    assert!(pieces.len() > 3);
    let bytes = |words: &Words| prost::Message::encoded_len(&relay::write(words));
    assert!(pieces.iter().all(|words| bytes(words) <= limits::WIRE_MESSAGE_BYTES));
    assert_eq!(pieces.iter().map(|words| words.here.len()).sum::<usize>(), 2_000);
    assert_eq!(pieces.iter().map(|words| words.reports.len()).sum::<usize>(), 2_000);
    let opened = pieces.iter().map(|words| words.opened).collect::<Vec<_>>();
    assert!(opened.iter().rposition(|opened| *opened) == Some(opened.len() - 1));
    assert_eq!(opened.iter().filter(|opened| **opened).count(), 1);
}
