//! `meshctl`, as a table of contents: a command is a file, and each file holds its arguments and
//! one call into the library.

#![expect(unreachable_pub, reason = "a binary has no outside: `pub` is for the other files")]

mod args;
mod canary;
mod check;
mod cluster;
mod completions;
mod controller;
mod convert;
mod dark_launch;
mod demo;
mod environment;
mod exit;
mod explain;
mod generate;
mod get;
mod help;
mod image;
mod init;
mod install;
mod lowered;
mod man;
mod mesh;
mod output;
mod page;
mod progress;
mod proxy;
mod rollouts;
mod screen;
mod status;
mod stop;
mod suggest;
mod top;
mod uninstall;
mod units;
mod upgrade;
mod version;
mod wanted;
mod why;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use environment::Environment;
use exit::{Exit, Failure};
use output::Output;

/// Requests allocate on every worker at once; in a first measurement of that pattern mimalloc took
/// two thirds of the time of glibc's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// API gateway, service mesh and canary releases in one binary, spoken to in the Kubernetes
/// Gateway API
#[derive(Parser)]
#[command(name = "meshctl", version = version::TEXT, after_help = help::footer())]
#[command(disable_help_subcommand = true, max_term_width = output::WIDTH_MAX)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Args),
    Init(init::Args),
    #[command(alias = "doctor")]
    Check(check::Args),
    #[command(subcommand)]
    Proxy(proxy::Command),
    #[command(subcommand, alias = "rollout")]
    Canary(canary::Command),
    #[command(subcommand)]
    DarkLaunch(dark_launch::Command),
    #[command(subcommand)]
    Controller(controller::Command),
    Status(Box<status::Args>),
    Get(Box<get::Args>),
    Top(Box<top::Args>),
    Explain(Box<explain::Args>),
    Why(Box<why::Args>),
    #[command(subcommand)]
    Generate(generate::Command),
    Convert(convert::Args),
    #[command(subcommand)]
    Image(image::Command),
    Install(install::Args),
    Upgrade(upgrade::Args),
    Uninstall(uninstall::Args),
    #[command(alias = "completion")]
    Completions(completions::Args),
    Version(version::Args),
    Help(help::Args),
    #[command(hide = true)]
    Man(man::Args),
}

fn main() -> std::process::ExitCode {
    let environment = Environment::read();
    let mut output = Output::new(&environment);
    let answer = match completions::answered(&environment) {
        Ok(true) => return std::process::ExitCode::SUCCESS,
        Ok(false) => parse(&environment, output.width())
            .and_then(|command| run(command, &environment, &mut output)),
        Err(failure) => Err(failure),
    };
    output.finish(answer).into()
}

fn run(
    command: Option<Command>,
    environment: &Environment,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match command {
        None => help::welcome(output),
        Some(Command::Demo(args)) => demo::run(args, environment, output),
        Some(Command::Init(args)) => init::run(args, environment, output),
        Some(Command::Check(args)) => check::run(args, environment, output),
        Some(Command::Proxy(command)) => proxy::run(command, environment, output),
        Some(Command::Canary(command)) => canary::run(command, environment, output),
        Some(Command::DarkLaunch(command)) => dark_launch::run(command, environment, output),
        Some(Command::Controller(command)) => controller::run(command, environment, output),
        Some(Command::Explain(args)) => explain::run(*args, environment, output),
        Some(Command::Get(args)) => get::run(*args, environment, output),
        Some(Command::Top(args)) => top::run(*args, environment, output),
        Some(Command::Status(args)) => status::run(*args, environment, output),
        Some(Command::Why(args)) => why::run(*args, environment, output),
        Some(Command::Generate(command)) => generate::run(command, environment, output),
        Some(Command::Convert(args)) => convert::run(args, environment, output),
        Some(Command::Image(command)) => image::run(command, environment, output),
        Some(Command::Install(args)) => install::run(args, environment, output),
        Some(Command::Upgrade(args)) => upgrade::run(args, environment, output),
        Some(Command::Uninstall(args)) => uninstall::run(args, environment, output),
        Some(Command::Completions(args)) => completions::run(&args, output),
        Some(Command::Version(args)) => version::run(&args, environment, output),
        Some(Command::Help(args)) => help::run(&args, output),
        Some(Command::Man(args)) => man::run(&args, output),
    }
}

/// The tree of all commands: help, completions and man pages are made from it.
fn tree() -> clap::Command {
    CommandLine::command()
}

fn parse(environment: &Environment, width: usize) -> Result<Option<Command>, Failure> {
    let mut tree = tree().term_width(width);
    let matches = tree
        .try_get_matches_from_mut(&environment.arguments)
        .map_err(|error| suggest::nested(error, &tree))?;
    let parsed = CommandLine::from_arg_matches(&matches).map_err(|e| e.format(&mut tree))?;
    Ok(parsed.command)
}

#[cfg(test)]
mod tests;
