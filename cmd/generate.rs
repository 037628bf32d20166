//! `meshctl generate KIND`

mod systemd;

use crate::args::examples;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Print a file for something else to read
#[derive(clap::Subcommand)]
#[command(after_help = examples(&[
    "meshctl generate systemd > meshctl.service",
    "meshctl generate systemd -f /srv/shop --user www-data",
]))]
pub enum Command {
    Systemd(systemd::Args),
}

pub fn run(
    command: Command,
    environment: &Environment,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match command {
        Command::Systemd(args) => systemd::run(args, environment, output),
    }
}
