//! `meshctl canary VERB`: move requests to a new version, step by step or by hand.

mod history;
mod run;
mod start;
pub mod status;
mod verbs;

use crate::args::examples;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Move requests to a new version, step by step or by hand
///
/// On a directory the rollout is .meshctl/rollouts/NAME.yaml, and `meshctl canary run` advances it;
/// on a cluster it is a TrafficRollout, and the controller does. A verb is done when the proxies
/// serve it. NAME is the rollout; while only one goes on, it may be left out.
#[derive(clap::Subcommand)]
#[command(after_help = examples(&[
    "meshctl canary start --route shop --stable shop-v1 --canary shop-v2",
    "meshctl canary shift 10%",
    "meshctl canary abort",
]))]
pub enum Command {
    Start(Box<start::Args>),
    Run(run::Args),
    Shift(verbs::ShiftArgs),
    Pause(verbs::PauseArgs),
    Resume(verbs::ResumeArgs),
    Promote(verbs::PromoteArgs),
    Abort(verbs::AbortArgs),
    Undo(verbs::UndoArgs),
    Status(status::Args),
    History(history::Args),
}

pub fn run(
    command: Command,
    environment: &Environment,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match command {
        Command::Start(args) => start::run(&args, environment, output),
        Command::Run(args) => run::run(&args, environment, output),
        Command::Shift(args) => verbs::shift(&args, environment, output),
        Command::Pause(args) => verbs::pause(&args, environment, output),
        Command::Resume(args) => verbs::resume(&args, environment, output),
        Command::Promote(args) => verbs::promote(&args, environment, output),
        Command::Abort(args) => verbs::abort(&args, environment, output),
        Command::Undo(args) => verbs::undo(&args, environment, output),
        Command::Status(args) => status::run(&args, environment, output),
        Command::History(args) => history::run(&args, environment, output),
    }
}
