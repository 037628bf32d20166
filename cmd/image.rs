//! `meshctl image VERB`

mod save;

use crate::args::examples;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// This program as a container image
#[derive(clap::Subcommand)]
#[command(after_help = examples(&[
    "meshctl image save --allow-dynamic > meshctl.tar",
    "meshctl image save --allow-dynamic --tag shop/meshctl:1 -o image.tar",
]))]
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
