//! `meshctl demo`

mod binomial;
mod directory;
mod gateway;
mod latencies;
mod load;
mod meter;
mod plan;
mod report;
mod sample;
mod stage;
mod story;
mod view;

use std::io::IsTerminal;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use crate::args::examples;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Show a dark launch, a bad canary that goes back and a good one, on this machine alone
///
/// Two versions of a service, a gateway and a load. Exit code 0 if each version got its share and no
/// request was lost.
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl demo", "meshctl demo --headless --seconds 5"]))]
pub struct Args {
    /// No live view: run, print a table, and end
    #[arg(long)]
    headless: bool,
    /// How long traffic is shifted [default: 60, headless 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: Option<u32>,
    /// The gateway's port [default: a free one]
    #[arg(long, value_name = "PORT")]
    port: Option<NonZeroU16>,
    /// Where its files are written [default: a directory that is removed at the end]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

/// What will be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub headless: bool,
    pub duration: Duration,
    /// `None`: a free one.
    pub port: Option<NonZeroU16>,
    /// `None`: a temporary one.
    pub directory: Option<PathBuf>,
}

impl Options {
    /// Without a terminal there is nobody to see a view.
    fn new(args: Args, is_terminal: bool) -> Self {
        let Args { headless, seconds, port, dir } = args;
        let headless = headless || !is_terminal;
        let seconds = seconds.unwrap_or(if headless { 20 } else { 60 });
        Self { headless, duration: Duration::from_secs(seconds.into()), port, directory: dir }
    }
}

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let is_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let options = Options::new(args, is_terminal);
    meshctl::identity::install_provider();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Failure::new(Exit::CouldNotAsk, format!("could not start the demo: {error}"))
    })?;
    runtime.block_on(Box::pin(stage::play(&options, environment, output)))
}

#[cfg(test)]
mod tests;
