//! `meshctl top routes|backends|endpoints`

mod arms;
mod endpoints;

use std::time::Duration;

use meshctl::clock::{self, Instant};
use meshctl::config::duration;
use serde::Serialize;

use crate::args::{Format, OutputFormat, examples};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::proxy::cluster::Target;
use crate::proxy::every::{Answers, Every, pause};

/// Show what routes, backends or endpoints do right now
///
/// Two looks at the counters of every proxy that is meant make a rate. On a terminal it goes on
/// until Ctrl-C; in a pipe, or with --once, it is shown once.
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl top routes",
    "meshctl top backends --once --interval 10s -o json",
    "meshctl top endpoints -n shop",
]))]
pub struct Args {
    /// What to show
    #[arg(value_name = "KIND")]
    kind: Kind,
    /// How long to count before it is shown
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "2s")]
    interval: Duration,
    /// Show it once
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    output: OutputFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    #[value(alias = "route")]
    Routes,
    #[value(alias = "backend")]
    Backends,
    #[value(alias = "endpoint")]
    Endpoints,
}

/// What makes rates of looks.
trait Rates {
    /// Takes in another look, after `seconds` since the one before.
    fn look(&mut self, every: &Every<'_>, output: &mut Output) -> Result<Answers<()>, Failure>;
    fn show(&mut self, shown: &Shown<'_>, output: &mut Output) -> Result<(), Failure>;
}

/// How it is shown.
struct Shown<'a> {
    target: &'a str,
    proxies: usize,
    seconds: f64,
    format: Format,
}

/// What JSON and YAML carry.
#[derive(Serialize)]
struct Table<'a, T> {
    target: &'a str,
    proxies: usize,
    seconds: f64,
    rows: &'a [T],
}

impl<'a> Shown<'a> {
    fn table<T: Serialize>(
        &self,
        headings: &[&str],
        cells: Vec<Vec<String>>,
        rows: &'a [T],
        output: &mut Output,
    ) -> Result<(), Failure> {
        let Self { target, proxies, seconds, format } = *self;
        let seconds = (seconds * 1e3).round() / 1e3;
        output.rows(format, headings, cells, &Table { target, proxies, seconds, rows })
    }
}

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let Args { kind, interval, once, target, output: form } = args;
    let every = Every::new(&target, environment, output)?;
    let mut rates: Box<dyn Rates> = match kind {
        Kind::Routes => Box::new(arms::Arms::by_route()),
        Kind::Backends => Box::new(arms::Arms::by_backend()),
        Kind::Endpoints => Box::new(endpoints::Endpoints::default()),
    };
    let goes_on = !once && output.is_watched() && form.format == Format::Table;
    rates.look(&every, output)?;
    let mut since = clock::now();
    loop {
        if !pause(interval)? {
            return Ok(Exit::Interrupted);
        }
        let answers = rates.look(&every, output)?;
        if goes_on {
            output.clear()?;
            let proxies = answers.answers.len();
            let proxies =
                if proxies == 1 { "1 proxy".to_owned() } else { format!("{proxies} proxies") };
            output.line(format_args!("{}, {proxies}, every {interval:?}\n", answers.target))?;
        }
        let shown = Shown {
            target: &answers.target,
            proxies: answers.answers.len(),
            seconds: elapsed(&mut since),
            format: form.format,
        };
        rates.show(&shown, output)?;
        if !goes_on {
            return Ok(answers.exit(Exit::Yes));
        }
    }
}

/// Seconds since the look before, which this one takes the place of.
fn elapsed(since: &mut Instant) -> f64 {
    let now = clock::now();
    let seconds = (now - *since).as_secs_f64();
    *since = now;
    seconds.max(f64::EPSILON)
}

/// `0`, `0.5`, `12.3`, `1234`.
fn rate(count: u64, seconds: f64) -> f64 {
    let rate = count as f64 / seconds;
    if rate < 100.0 { (rate * 10.0).round() / 10.0 } else { rate.round() }
}

#[cfg(test)]
mod tests;
