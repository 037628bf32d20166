//! `meshctl generate systemd`

use std::path::PathBuf;
use std::time::Duration;

use meshctl::config::duration;
use meshctl::manifest::systemd::{Unit, UserName};

use crate::args::examples;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Print a hardened systemd unit for a proxy
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl generate systemd > meshctl.service",
    "meshctl generate systemd -f /srv/shop --user www-data",
]))]
pub struct Args {
    /// What the proxy serves; may be given several times
    #[arg(short = 'f', long = "file", value_name = "PATH", default_value = "/etc/meshctl")]
    #[arg(value_hint = clap::ValueHint::AnyPath)]
    files: Vec<PathBuf>,
    /// The binary [default: this one]
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::ExecutablePath)]
    program: Option<PathBuf>,
    /// Run as this user [default: one that exists only while the service runs]
    #[arg(long, value_name = "NAME", value_parser = UserName::parse)]
    user: Option<UserName>,
    /// How long open requests may take to end when the service stops [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    drain_timeout: Option<Duration>,
}

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let Args { files, program, user, drain_timeout } = args;
    let program = program.or_else(|| environment.program.clone()).ok_or_else(|| {
        Failure::new(Exit::WrongCommandLine, "the system doesn't tell where this binary is")
            .tip("give --program PATH")
    })?;
    let unit = Unit {
        program: environment.absolute(&program),
        files: files.iter().map(|file| environment.absolute(file)).collect(),
        user,
        drain_timeout,
    };
    let text =
        unit.render().map_err(|error| Failure::new(Exit::WrongCommandLine, error.to_string()))?;
    output.text(text)?;
    Ok(Exit::Yes)
}
