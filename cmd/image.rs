//! `meshctl image VERB`

mod save;

use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// This program as a container image
#[derive(clap::Subcommand)]
pub enum Command {
    Save(save::Args),
}

pub fn run(
    command: Command,
    environment: &Environment,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match command {
        Command::Save(args) => save::run(args, environment, output),
    }
}
