//! `meshctl canary shift|pause|resume|promote|abort|undo`

use std::time::Duration;

use meshctl::config::duration;
use meshctl::rollout::ask::{Back, back};
use meshctl::rollout::state::Intent;
use meshctl::rollout::{Canary, RolloutKind};

use crate::args::{DryRun, Quiet, Yes, examples};
use crate::completions::live::{self, ROLLOUTS};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::rollouts::{self, Ask, Asking, Kind, Known, Target};

/// What every verb takes.
#[derive(Clone, Debug, clap::Args)]
pub struct Which {
    /// The rollout
    #[arg(value_name = "NAME", add = live::names(ROLLOUTS))]
    name: Option<String>,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    dry_run: DryRun,
    #[command(flatten)]
    quiet: Quiet,
}

/// Give the new version this share of the requests, and pause the steps
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl canary shift 10%", "meshctl canary shift 50% --for 1h"]))]
pub struct ShiftArgs {
    /// How much, as in 10%
    #[arg(value_name = "PERCENT", value_parser = rollouts::percent)]
    percent: u32,
    /// Go back to the weights of now after this time
    ///
    /// The end stands in the route, and proxies go back by themselves: nobody has to run for it.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration::parse)]
    span: Option<Duration>,
    #[command(flatten)]
    which: Which,
}

/// Stay at this weight
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl canary pause", "meshctl canary pause shop"]))]
pub struct PauseArgs {
    #[command(flatten)]
    which: Which,
}

/// Go on at the next higher step
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl canary resume --dry-run", "meshctl canary resume"]))]
pub struct ResumeArgs {
    #[command(flatten)]
    which: Which,
}

/// Give the new version everything, now
///
/// Steps that are left are skipped with their gates: that is asked about, and takes --yes where
/// nobody sits at a terminal.
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl canary promote --yes", "meshctl canary promote --dry-run"]))]
pub struct PromoteArgs {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    yes: Yes,
}

/// Give everything back to the stable version
///
/// In a directory the files are again as they were, byte for byte.
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl canary abort", "meshctl canary abort --dry-run"]))]
pub struct AbortArgs {
    #[command(flatten)]
    which: Which,
}

/// Take back the last change of weight, a finished promotion too
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl canary undo", "meshctl canary undo --dry-run"]))]
pub struct UndoArgs {
    #[command(flatten)]
    which: Which,
}

const UNDO: &str = "meshctl canary undo";

pub fn shift(args: &ShiftArgs, at: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let percent = args.percent;
    args.which.ask(at, output, false, |_, _| {
        let to = match args.span {
            Some(span) => format!("{percent}% for {span:?}"),
            None => format!("{percent}%"),
        };
        Ok(Ask { span: args.span, ..wanted(Intent::Paused, Some(percent), to, UNDO) })
    })
}

pub fn pause(args: &PauseArgs, at: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    args.which.ask(at, output, false, |_, _| {
        Ok(wanted(Intent::Paused, None, "paused".to_owned(), "meshctl canary resume"))
    })
}

pub fn resume(args: &ResumeArgs, at: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    args.which.ask(at, output, false, |_, _| {
        Ok(wanted(Intent::Running, None, "the next step".to_owned(), UNDO))
    })
}

pub fn promote(args: &PromoteArgs, at: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let sure = args.yes.yes || args.which.dry_run.dry_run;
    args.which.ask(at, output, false, |known, output| {
        let skipped = skipped(known);
        if !sure && !skipped.is_empty() {
            let question = format!("{} skips {skipped}; promote it now?", known.name());
            match output.ask(&question) {
                Some(true) => {}
                Some(false) => {
                    return Err(Failure::new(Exit::No, "nothing was changed"));
                }
                None => {
                    let message = format!("a promotion now would skip {skipped}");
                    return Err(Failure::new(Exit::WrongCommandLine, message)
                        .tip("give --yes where nobody can be asked"));
                }
            }
        }
        Ok(wanted(Intent::Promoted, None, "100%".to_owned(), UNDO))
    })
}

pub fn abort(args: &AbortArgs, at: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    args.which
        .ask(at, output, true, |_, _| Ok(wanted(Intent::Aborted, None, "0%".to_owned(), UNDO)))
}

pub fn undo(args: &UndoArgs, at: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    args.which.ask(at, output, true, |known, _| match back(&known.state) {
        Back::Start => Ok(wanted(Intent::Aborted, None, "0%, as it was found".to_owned(), UNDO)),
        Back::To(weight) => Ok(wanted(Intent::Paused, Some(weight), format!("{weight}%"), UNDO)),
        Back::Nothing => {
            let message = format!("{} has changed no weight yet", known.name());
            Err(Failure::new(Exit::No, message))
        }
        Back::NotOurs => {
            let message = format!("the last change of {} was somebody else's", known.name());
            Err(Failure::new(Exit::No, message)
                .tip("`meshctl canary shift 10%` sets a weight, `abort` takes everything back"))
        }
    })
}

fn wanted(intent: Intent, weight: Option<u32>, to: String, back: &str) -> Ask {
    Ask { intent, weight, span: None, to, back: back.to_owned() }
}

/// The steps that are left, with what each would have had to hold; empty where none is.
fn skipped(known: &Known) -> String {
    let RolloutKind::Canary(Canary { steps, .. }) = &known.rollout.kind else {
        return String::new();
    };
    let left: Vec<String> = steps
        .iter()
        .filter(|step| **step > known.state.weight)
        .map(|step| format!("{step}%"))
        .collect();
    match left.len() {
        0 => String::new(),
        1 => format!("the step {} and its gates", left[0]),
        _ => format!("the steps {} and their gates", left.join(", ")),
    }
}

impl Which {
    fn ask(
        &self,
        environment: &Environment,
        output: &mut Output,
        over: bool,
        ask: impl FnOnce(&Known, &mut Output) -> Result<Ask, Failure>,
    ) -> Result<Exit, Failure> {
        output.quiet(self.quiet.quiet);
        rollouts::block_on(async {
            let place = self.target.place(environment, output).await?;
            let name = self.name.as_deref();
            let known = place.one(&self.target, Kind::Canary, name, over).await?;
            let ask = ask(&known, output)?;
            let asking = Asking { dry_run: self.dry_run.dry_run };
            asking.ask(&place, &known, &ask, output).await
        })
    }
}
