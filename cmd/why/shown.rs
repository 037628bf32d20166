//! Failures on a screen: as rows, as lines, one as a story.

use std::fmt::Write;

use meshctl::model::Cause;
use meshctl::telemetry::failures::{FailedTry, Failure};

use super::Remembered;
use crate::units::{ago, seconds, time_of_day};

pub fn headings(wide: bool) -> Vec<&'static str> {
    let mut headings =
        vec!["ID", "AGE", "STATUS", "CAUSE", "REQUEST", "ROUTE", "BACKEND", "TRIES", "TOOK"];
    if wide {
        headings.extend(["ENDPOINT", "LISTENER", "RULE", "CLIENT", "PROXY"]);
    }
    headings
}

pub fn row(one: &Remembered, wide: bool, now: u64) -> Vec<String> {
    let Failure { request_id, began, status, attempts, .. } = &one.failure;
    let failure = &one.failure;
    let mut row = vec![
        or_dash(request_id),
        ago(*began, now),
        status.to_string(),
        cause(failure).to_owned(),
        request(failure),
        or_dash(&failure.route),
        or_dash(&failure.backend),
        attempts.to_string(),
        seconds(failure.seconds),
    ];
    if wide {
        row.extend([
            or_dash(failure.endpoint.as_deref().unwrap_or_default()),
            listener(failure),
            or_dash(&failure.rule),
            or_dash(failure.client.as_deref().unwrap_or_default()),
            one.proxy.clone(),
        ]);
    }
    row
}

/// For `-w`, where nobody knows how wide what comes next will be.
pub fn line(one: &Remembered) -> String {
    let failure = &one.failure;
    let mut words = vec![
        time_of_day(failure.began),
        failure.status.to_string(),
        cause(failure).to_owned(),
        request(failure),
    ];
    let ways = [&failure.route, &failure.backend];
    words.extend(ways.into_iter().filter(|way| !way.is_empty()).map(ToString::to_string));
    words.extend([seconds(failure.seconds), or_dash(&failure.request_id)]);
    words.join("  ")
}

/// `-` where nothing is known.
fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}

/// Of what a backend answered, that it did.
fn cause(failure: &Failure) -> &str {
    failure.cause.as_deref().unwrap_or("backend's answer")
}

/// What clients send must not steer a terminal.
fn request(failure: &Failure) -> String {
    let Failure { method, host, path, .. } = failure;
    let text = if method.is_empty() { "-".to_owned() } else { format!("{method} {host}{path}") };
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn listener(failure: &Failure) -> String {
    match &*failure.listener {
        "" => "-".to_owned(),
        name => format!("{}#{name}", failure.gateway),
    }
}

/// All that is known of one.
pub fn story(one: &Remembered, now: u64) -> String {
    let failure = &one.failure;
    let mut text = format!("{} {}: {}\n\n", failure.status, cause(failure), summary(failure));
    let mut row = |label: &str, words: &str| {
        let _ = writeln!(text, "{label:<10}{words}");
    };
    let scheme = if failure.tls { "https" } else { "http" };
    row("request", &format!("{} ({scheme}), id {}", request(failure), failure.request_id));
    let client = failure.client.as_deref().unwrap_or("a Unix socket");
    let age = ago(failure.began, now);
    row("when", &format!("{}, {age} ago, from {client}", time_of_day(failure.began)));
    row("took", &took(failure));
    row("proxy", &format!("{}, configuration {}", one.proxy, failure.generation));
    row("listener", &listener(failure));
    if !failure.route.is_empty() {
        row("route", &format!("{}, rule {}", failure.route, failure.rule));
    }
    if !failure.backend.is_empty() {
        row("backend", &failure.backend);
    }
    for (position, tried) in failure.tries.iter().enumerate() {
        row(&format!("try {}", position + 1), &one_try(tried));
    }
    if let Some(last) = answered(failure) {
        row(&format!("try {}", failure.attempts), &last);
    }
    if let Some(cause) = failure.cause.as_deref().and_then(Cause::from_word) {
        let _ = write!(text, "\n{}\n", cause.help());
    }
    text
}

fn summary(failure: &Failure) -> String {
    let known = failure.cause.as_deref().and_then(Cause::from_word).map(Cause::summary);
    match (&failure.reason, known) {
        (Some(reason), _) => reason.clone(),
        (None, Some(summary)) => summary.to_owned(),
        (None, None) => "the backend answered so".to_owned(),
    }
}

fn took(failure: &Failure) -> String {
    let mut words = seconds(failure.seconds);
    for (what, time) in
        [("connecting", failure.connect_seconds), ("first byte after", failure.first_byte_seconds)]
    {
        if let Some(time) = time {
            let _ = write!(words, ", {what} {}", seconds(time));
        }
    }
    words
}

fn one_try(FailedTry { endpoint, cause, sentence, seconds: time }: &FailedTry) -> String {
    let time = seconds(*time);
    let sentence = sentence.strip_prefix(&format!("{endpoint}: ")).unwrap_or(sentence);
    match cause {
        Some(cause) => format!("{endpoint}: {cause} after {time}: {sentence}"),
        None => format!("{endpoint}: {sentence} after {time}"),
    }
}

/// The try that brought what the client got.
fn answered(failure: &Failure) -> Option<String> {
    let endpoint = failure.endpoint.as_ref()?;
    let brought = failure.first_byte_seconds.is_some()
        && usize::from(failure.attempts) == failure.tries.len() + 1;
    brought.then(|| format!("{endpoint}: answered with {}", failure.status))
}
