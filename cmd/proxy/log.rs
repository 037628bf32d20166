//! What a serving process says on standard error.

use std::io::IsTerminal;

use meshctl::serve::SetLogLevel;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt, reload};

use crate::args::Loudness;
use crate::environment::{Colour, Environment};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// The log of this process.
pub struct Log {
    pub set_level: SetLogLevel,
    pub colour: bool,
}

/// Starts logging by `filter`, which the control door can change later.
pub fn start(filter: &str, environment: &Environment, _: &mut Output) -> Result<Log, Failure> {
    let wrong = |error| {
        let message = format!("`{filter}` is not a log filter: {error}");
        Failure::new(Exit::WrongCommandLine, message).tip("such as info or info,meshctl=debug")
    };
    let filter = EnvFilter::try_new(filter).map_err(wrong)?;
    let colour = match environment.colour {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => std::io::stderr().is_terminal(),
    };
    let (filter, handle) = reload::Layer::new(filter);
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(colour).with_target(false);
    let started = tracing_subscriber::registry().with(filter).with(lines).try_init();
    started.map_err(|error| {
        Failure::new(Exit::CouldNotAsk, format!("can't start logging: {error}"))
    })?;
    let set_level: SetLogLevel = Box::new(move |level: &str| {
        let filter = EnvFilter::try_new(level).map_err(|error| error.to_string())?;
        handle.reload(filter).map_err(|error| error.to_string())
    });
    Ok(Log { set_level, colour })
}

/// The command line, then `MESHCTL_LOG`, then what an operator wants to see.
pub fn filter(loudness: Loudness, environment: &Environment) -> String {
    match (loudness.quiet, loudness.verbose) {
        (true, _) => "error".to_owned(),
        // A peer can make the h2 crate warn as often as it likes.
        (false, 0) => environment.log.clone().unwrap_or_else(|| "info,h2=error".to_owned()),
        (false, 1) => "info,meshctl=debug".to_owned(),
        (false, _) => "info,meshctl=trace".to_owned(),
    }
}
