//! `meshctl dark-launch stop`

use meshctl::rollout::RolloutKind;
use meshctl::rollout::state::Intent;

use crate::args::{DryRun, Quiet, examples};
use crate::completions::live::{self, ROLLOUTS};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::rollouts::{self, Ask, Asking, Kind, Target};

/// Copy no more
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl dark-launch stop",
    "meshctl dark-launch stop --dry-run",
]))]
pub struct Args {
    /// The dark launch
    #[arg(value_name = "NAME", add = live::names(ROLLOUTS))]
    name: Option<String>,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    dry_run: DryRun,
    #[command(flatten)]
    quiet: Quiet,
}

pub fn run(args: &Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    output.quiet(args.quiet.quiet);
    rollouts::block_on(async {
        let place = args.target.place(environment, output).await?;
        let known = place.one(&args.target, Kind::DarkLaunch, args.name.as_deref(), false).await?;
        let RolloutKind::DarkLaunch(dark) = &known.rollout.kind else {
            unreachable!("others were left out");
        };
        let (route, to, percent) = (&known.rollout.route.name, &dark.to.name, dark.percent);
        let ask = Ask {
            intent: Intent::Aborted,
            weight: None,
            span: None,
            to: "0%".to_owned(),
            back: format!(
                "meshctl dark-launch start --route {route} --to {to} --percent {percent}%"
            ),
        };
        Asking { dry_run: args.dry_run.dry_run }.ask(&place, &known, &ask, output).await
    })
}
