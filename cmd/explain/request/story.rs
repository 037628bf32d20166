//! A request's story on a screen.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use meshctl::proxy::explain::{Backend, Entrance, Other, Outcome, Route, Told};

const BOLD: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// How wide the words on the left are.
const LABEL: usize = 10;

/// `by`: who says so.
pub fn render(told: &Told, by: &str, colour: bool) -> String {
    let mut text = String::new();
    let paint = |style: Style, words: &str| match colour {
        true => format!("{style}{words}{style:#}"),
        false => words.to_owned(),
    };
    let Told { request, outcome, listeners, route, others } = told;
    let _ = writeln!(text, "{}\n", paint(BOLD, request));
    let (style, words) = match outcome {
        Outcome::Unheard { port } => (BAD, format!("none: no listener is on port {port}")),
        Outcome::Forwarded => (GOOD, "goes to a backend".to_owned()),
        Outcome::Redirected { status } => (GOOD, format!("is redirected with {status}")),
        Outcome::Refused { cause, status, reason } => {
            (BAD, format!("is answered {status} {cause}: {reason}"))
        }
    };
    row(&mut text, "answer", &paint(style, &words));
    row(&mut text, "by", by);
    for listener in listeners.iter().filter(|listener| listener.why_not.is_none()) {
        row(&mut text, "listener", &entrance(listener));
    }
    if let Some(route) = route {
        rows_of(route, &mut text);
    }
    let aside: Vec<&Entrance> = listeners.iter().filter(|one| one.why_not.is_some()).collect();
    if !aside.is_empty() {
        let _ = writeln!(text, "\n{}", paint(BOLD, "other listeners"));
    }
    for listener in aside {
        let why = listener.why_not.as_deref().unwrap_or_default();
        let _ = writeln!(text, "  {}: {why}", entrance(listener));
    }
    if !others.is_empty() {
        let _ = writeln!(text, "\n{}", paint(BOLD, "other matches, the nearest first"));
    }
    others.iter().for_each(|one| other(one, &mut text));
    text
}

fn row(text: &mut String, label: &str, words: &str) {
    let _ = writeln!(text, "{label:<LABEL$}{words}");
}

/// One line each, the word on the left once.
fn list(text: &mut String, label: &str, lines: impl IntoIterator<Item = String>) {
    for (position, line) in lines.into_iter().enumerate() {
        row(text, if position == 0 { label } else { "" }, &line);
    }
}

fn entrance(Entrance { listener, port, hostname, tls, why_not: _ }: &Entrance) -> String {
    let host = hostname.as_deref().unwrap_or("any host");
    let tls = if *tls { ", TLS" } else { "" };
    format!("{listener} (port {port}, {host}{tls})")
}

fn rows_of(route: &Route, text: &mut String) {
    let Route { route, rule, position, matched, filters, policy, backends, part: _ } = route;
    row(text, "route", &format!("{route}, {}", place(rule, *position)));
    row(text, "match", matched);
    list(text, "filters", filters.iter().cloned());
    list(text, "backends", backends.iter().flat_map(lines));
    if !backends.is_empty() {
        row(text, "policy", &policy.join(", "));
    }
}

/// A rule has a name only where somebody gave it one.
fn place(rule: &str, position: usize) -> String {
    format!("rule {rule}, match {position}")
}

fn lines(backend: &Backend) -> Vec<String> {
    let Backend { backend, weight: _, percent, endpoints, cause, filters, policy } = backend;
    let name = backend.as_deref().unwrap_or("a backend that can't be used");
    let state = match (cause, endpoints.len()) {
        (Some(cause), _) => format!("answered with {cause}"),
        (None, 1) => endpoints[0].clone(),
        (None, n) => format!("{n} endpoints"),
    };
    let mut lines = vec![format!("{percent:>6} %  {name}  {state}")];
    lines.extend(filters.iter().chain(policy).map(|words| format!("          {words}")));
    lines
}

fn other(Other { route, rule, position, matched: _, why_not }: &Other, text: &mut String) {
    let _ = writeln!(text, "  {route}, {}: {}", place(rule, *position), why_not.join("; "));
}
