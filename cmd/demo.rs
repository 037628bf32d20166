//! `meshctl demo`

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use crate::args::examples;

/// Show two versions of a service, a gateway and a canary, on this machine alone
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

impl From<Args> for Options {
    fn from(args: Args) -> Self {
        let Args { headless, seconds, port, dir } = args;
        let seconds = seconds.unwrap_or(if headless { 20 } else { 60 });
        Self { headless, duration: Duration::from_secs(seconds.into()), port, directory: dir }
    }
}

#[cfg(test)]
mod tests;
