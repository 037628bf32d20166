//! `meshctl generate KIND`

mod ambassador;
mod backend;
mod canary;
mod dark_launch;
mod gateway;
mod printing;
mod route;
mod systemd;

pub use printing::{ObjectFormat, print};

use crate::args::examples;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Print objects to begin with, or a file for something else to read
#[derive(clap::Subcommand)]
#[command(after_help = examples(&[
    "meshctl generate route shop --gateway front --hostname shop.example --to shop:80",
    "meshctl generate canary --from deployment.yaml --image shop:2 --gateway front",
    "meshctl generate systemd > meshctl.service",
]))]
pub enum Command {
    Gateway(gateway::Args),
    Route(route::Args),
    Backend(backend::Args),
    Ambassador(ambassador::Args),
    Canary(Box<canary::Args>),
    DarkLaunch(dark_launch::Args),
    Systemd(systemd::Args),
}

pub fn run(
    command: Command,
    environment: &Environment,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match command {
        Command::Gateway(args) => gateway::run(args, environment, output),
        Command::Route(args) => route::run(args, environment, output),
        Command::Backend(args) => backend::run(args, environment, output),
        Command::Ambassador(args) => ambassador::run(args, environment, output),
        Command::Canary(args) => canary::run(*args, environment, output),
        Command::DarkLaunch(args) => dark_launch::run(args, environment, output),
        Command::Systemd(args) => systemd::run(args, environment, output),
    }
}
