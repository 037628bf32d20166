//! `meshctl dark-launch VERB`: copies of requests go to a new version, its answers to nobody.

mod start;
mod stop;

use crate::args::examples;
use crate::canary::status;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::rollouts::Kind;

/// Send copies of requests to a new version, and its answers to nobody
///
/// The new version does whatever a request asks of it: copy to one whose writes go nowhere.
#[derive(clap::Subcommand)]
#[command(after_help = examples(&[
    "meshctl dark-launch start --route shop --to shop-v2 --percent 20%",
    "meshctl dark-launch stop",
]))]
pub enum Command {
    Start(start::Args),
    /// Show what the copies bring: requests, errors, how long they take
    #[command(after_help = examples(&[
        "meshctl dark-launch status",
        "meshctl dark-launch status -o json",
    ]))]
    Status(status::Args),
    Stop(stop::Args),
}

pub fn run(
    command: Command,
    environment: &Environment,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match command {
        Command::Start(args) => start::run(&args, environment, output),
        Command::Status(args) => status::show(Kind::DarkLaunch, &args, environment, output),
        Command::Stop(args) => stop::run(&args, environment, output),
    }
}
