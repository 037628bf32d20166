//! `meshctl top routes|backends|endpoints`

mod arms;
mod endpoints;

use std::time::Duration;

use meshctl::clock::{self, Instant};
use meshctl::config::duration;
use serde::Serialize;
use serde_json::Value;

use crate::args::{Format, OutputFormat, examples};
use crate::completions::live;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::page::{self, Page};
use crate::proxy::cluster::Target;
use crate::proxy::every::{Answers, Every, pause};
use crate::screen::Screen;
use crate::wanted::Wanted;

/// Show what routes, backends or endpoints do right now
///
/// Two looks at the counters of every proxy that is meant make a rate. On a terminal it goes on
/// until q or Ctrl-C; in a pipe, or with --once, it is shown once.
///
/// P50 and P99 are those of the requests in between. No proxy keeps such counts of single endpoints,
/// which would cost memory for each in each worker: their LATENCY is the average by which requests
/// are balanced, the time to the head of an answer, which follows a rise at once and a fall slowly.
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl top routes",
    "meshctl top backends --once --interval 10s -o json",
    "meshctl top endpoints shop-v2 -n shop",
]))]
pub struct Args {
    /// What to show
    #[arg(value_name = "KIND")]
    kind: Kind,
    /// Only this one; of endpoints, those of this backend
    #[arg(value_name = "[NAMESPACE/]NAME", add = live::listed())]
    name: Option<String>,
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
trait Rates: Send {
    /// Takes in another look.
    fn look(&mut self, every: &Every) -> Result<Answers<()>, Failure>;
    /// What came within these seconds, between the last two looks.
    fn rows(&self, wanted: &Wanted, seconds: f64) -> Rows;
}

/// What is shown, and the same for programs.
struct Rows {
    headings: &'static [&'static str],
    cells: Vec<Vec<String>>,
    values: Value,
}

/// What JSON and YAML carry.
#[derive(Serialize)]
struct Table<'a> {
    target: &'a str,
    proxies: usize,
    seconds: f64,
    rows: &'a Value,
}

struct Top {
    rates: Box<dyn Rates>,
    every: Every,
    wanted: Wanted,
    since: Instant,
}

/// What the last two looks brought.
struct Moment {
    answers: Answers<()>,
    seconds: f64,
    rows: Rows,
}

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let Args { kind, name, interval, once, target, output: OutputFormat { format } } = args;
    let every = Every::new(&target, environment, output)?;
    let wanted = Wanted { name, namespace: every.namespace().map(str::to_owned) };
    let rates: Box<dyn Rates> = match kind {
        Kind::Routes => Box::new(arms::Arms::by_route()),
        Kind::Backends => Box::new(arms::Arms::by_backend()),
        Kind::Endpoints => Box::new(endpoints::Endpoints::default()),
    };
    let mut top = Top { rates, every, wanted, since: clock::now() };
    top.look()?;
    if !pause(interval)? {
        return Ok(Exit::Interrupted);
    }
    if !once && Screen::is_there() && matches!(format, Format::Table | Format::Wide) {
        return page::watch(interval, move || Ok(top.look()?.page(interval)));
    }
    let Moment { answers, seconds, rows: Rows { headings, cells, values } } = top.look()?;
    let answers = answers.noted(output);
    let seconds = (seconds * 1e3).round() / 1e3;
    let proxies = answers.answers.len();
    let table = Table { target: &answers.target, proxies, seconds, rows: &values };
    output.rows(format, headings, cells, &table)?;
    Ok(answers.exit(Exit::Yes))
}

impl Top {
    fn look(&mut self) -> Result<Moment, Failure> {
        let answers = self.rates.look(&self.every)?;
        let seconds = elapsed(&mut self.since);
        Ok(Moment { answers, seconds, rows: self.rates.rows(&self.wanted, seconds) })
    }
}

impl Moment {
    fn page(self, interval: Duration) -> Page {
        let Self { answers: Answers { target, answers, silent }, rows, .. } = self;
        let mut page = Page::default();
        let proxies = match answers.len() {
            1 => "1 proxy".to_owned(),
            several => format!("{several} proxies"),
        };
        page.line(format_args!("{target}, {proxies}, every {interval:?}\n"));
        page.table(rows.headings, rows.cells);
        silent.iter().for_each(|why| page.line(why));
        page
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
