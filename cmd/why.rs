//! `meshctl why [REQUEST-ID]`

pub mod shown;
mod wanted;

use std::collections::HashMap;
use std::time::Duration;

use meshctl::clock;
use meshctl::config::duration;
use meshctl::telemetry::failures::{Failure as Failed, Failures};
use serde::Serialize;

use crate::args::{Format, OutputFormat, Watch, examples};
use crate::completions::live::{self, ROUTES};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::proxy::cluster::Target;
use crate::proxy::every::{Answers, Every, pause};
use wanted::{Statuses, Wanted, cause, causes, statuses};

/// Show the requests that failed lately, or tell one's story
///
/// Each proxy remembers its last failures: what it refused, gave up, or passed on with a status
/// from 500. With -n, only those of routes there count, and of what came to a Gateway there and met
/// no route. Its own answers carry the id of the request in the header x-request-id, and backends
/// are sent it. Exit code 1 where no failure with that id is remembered.
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl why --since 5m --status 5xx",
    "meshctl why --route shop --cause no_endpoint -w",
    "meshctl why de58d9d7-19b6-45af-b09a-3ff910389fcb",
]))]
pub struct Args {
    /// One request, by its id
    #[arg(value_name = "REQUEST-ID")]
    id: Option<String>,
    /// Only requests of this route
    #[arg(long, value_name = "[NAMESPACE/]NAME", add = live::names(ROUTES))]
    route: Option<String>,
    /// Only this status, or all of a hundred: 503, 5xx
    #[arg(long, value_name = "STATUS", value_parser = statuses)]
    status: Option<Statuses>,
    /// Only this cause, such as no_endpoint
    #[arg(long, value_name = "CAUSE", value_parser = cause, add = causes())]
    cause: Option<String>,
    /// Only what began within this time, such as 5m
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    since: Option<Duration>,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    watch: Watch,
    #[command(flatten)]
    output: OutputFormat,
}

/// A failure, and who remembers it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Remembered {
    pub proxy: String,
    #[serde(flatten)]
    pub failure: Failed,
}

/// What JSON and YAML carry.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    target: &'a str,
    left_out: u64,
    failures: &'a [Remembered],
}

/// How often `-w` asks.
const LOOK: Duration = Duration::from_secs(1);

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let Args { id, route, status, cause, since, target, watch, output: form } = args;
    let every = Every::new(&target, environment, output)?;
    let route = wanted::of_route(route, every.namespace());
    let wanted = Wanted { id, route, status, cause, since };
    let mut known = Known::default();
    if watch.watch {
        return follow(&every, &wanted, form.format, &mut known, output);
    }
    let answers: Answers<Failures> = every.ask("/failures")?.noted(output);
    let (exit, name) = (answers.exit(Exit::Yes), answers.target.clone());
    let left_out = answers.answers.iter().map(|(_, told)| told.left_out).sum();
    let failures = known.news(answers, &wanted);
    match (&wanted.id, form.format) {
        (_, Format::Json | Format::Yaml) => {
            let shown = Shown { target: &name, left_out, failures: &failures };
            output.object(form.format, &shown)?;
        }
        (Some(_), Format::Table | Format::Wide) => {
            for one in &failures {
                output.text(shown::story(one, now()))?;
            }
        }
        _ => {
            let wide = form.format == Format::Wide;
            let rows = failures.iter().map(|one| shown::row(one, wide, now())).collect();
            output.rows(form.format, &shown::headings(wide), rows, &())?;
        }
    }
    if left_out > 0 {
        output.note(format_args!("{left_out} more came too fast to be kept"));
    }
    Ok(if failures.is_empty() { nothing(&wanted, &name, exit, output) } else { exit })
}

fn nothing(wanted: &Wanted, target: &str, exit: Exit, output: &mut Output) -> Exit {
    match (&wanted.id, exit) {
        (Some(id), Exit::Yes) => {
            output.note(format_args!(
                "{target}: no failure with the id {id} is remembered: it went well, is too long \
                 ago, or was another proxy's"
            ));
            Exit::No
        }
        (_, exit) => {
            output.note(format_args!("{target}: no such failure is remembered"));
            exit
        }
    }
}

/// Shows what there is, then each new one as it comes, until Ctrl-C.
fn follow(
    every: &Every,
    wanted: &Wanted,
    format: Format,
    known: &mut Known,
    output: &mut Output,
) -> Result<Exit, Failure> {
    loop {
        let answers = every.ask("/failures")?.noted(output);
        for one in known.news(answers, wanted) {
            match format {
                Format::Json | Format::Yaml => {
                    let line = serde_json::to_string(&one).expect("it has string keys");
                    output.line(line)?;
                }
                Format::Name => output.line(&one.failure.request_id)?,
                Format::Table | Format::Wide => output.line(shown::line(&one))?,
            }
        }
        if !pause(LOOK)? {
            return Ok(Exit::Interrupted);
        }
    }
}

/// How far each proxy was heard.
#[derive(Default)]
struct Known {
    last: HashMap<String, u64>,
}

impl Known {
    /// Those that are wanted and weren't seen before, the oldest first.
    fn news(&mut self, answers: Answers<Failures>, wanted: &Wanted) -> Vec<Remembered> {
        let mut news = Vec::new();
        for (proxy, told) in answers.answers {
            let last = self.last.entry(proxy.clone()).or_default();
            // Another process under the same name begins again.
            let seen = if told.last < *last { 0 } else { *last };
            *last = told.last;
            let new = told.failures.into_iter().filter(|one| one.number > seen);
            let new = new.filter(|one| wanted.takes(one, now()));
            news.extend(new.map(|failure| Remembered { proxy: proxy.clone(), failure }));
        }
        news.sort_by_key(|one| one.failure.began);
        news
    }
}

/// The last ones of all, the oldest first.
pub fn last(answers: Answers<Failures>, namespace: Option<&str>, most: usize) -> Vec<Remembered> {
    let route = wanted::of_route(None, namespace);
    let all = Wanted { id: None, route, status: None, cause: None, since: None };
    let mut failures = Known::default().news(answers, &all);
    failures.split_off(failures.len().saturating_sub(most))
}

/// Milliseconds since the epoch.
pub fn now() -> u64 {
    u64::try_from(clock::since_epoch().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
