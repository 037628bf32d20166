//! `meshctl canary run`

use crate::args::{Quiet, examples};
use crate::completions::live::{self, ROLLOUTS};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::rollouts::drive::{Driven, drive};
use crate::rollouts::{self, Kind, Target};

/// Advance a rollout of a directory until it is over
///
/// It may be stopped and started at any moment: it goes on where it was. Exit code 0 when the new
/// version was promoted, 1 when it was taken back. --all is for a service: it advances every rollout
/// that is there or will be.
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl canary run", "meshctl canary run --all"]))]
pub struct Args {
    /// The rollout
    #[arg(value_name = "NAME", conflicts_with = "all", add = live::names(ROLLOUTS))]
    name: Option<String>,
    /// All of them, until it is told to stop
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    quiet: Quiet,
}

pub fn run(args: &Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    output.quiet(args.quiet.quiet);
    rollouts::block_on(async {
        let place = args.target.place(environment, output).await?;
        let driven = if args.all {
            Driven::All
        } else {
            let known = place.one(&args.target, Kind::Canary, args.name.as_deref(), false).await?;
            Driven::One(known.rollout.key)
        };
        drive(&place, &driven, output).await
    })
}
