//! `meshctl proxy config`

use http::Method;

use super::{Proxy, ask, one, proxy};
use crate::args::{Format, Serving, examples};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Show the configuration as a proxy believes it, secrets masked
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl proxy config", "meshctl proxy config -f shop -o yaml"]))]
pub struct Args {
    /// The proxy, by its process id or its control socket; needed where several run
    #[arg(value_name = "PROXY", value_parser = proxy)]
    pub proxy: Option<Proxy>,
    #[command(flatten)]
    pub serving: Serving,
    /// How to write it
    #[arg(short, long, value_name = "FORMAT", default_value = "json")]
    pub output: Form,
}

/// A configuration is no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    Json,
    Yaml,
}

pub fn run(args: &Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let proxy = one(args.proxy.as_ref(), &args.serving, environment)?;
    let config = ask(&proxy, Method::GET, "/config")?;
    let format = match args.output {
        Form::Json => Format::Json,
        Form::Yaml => Format::Yaml,
    };
    output.object(format, &config)?;
    Ok(Exit::Yes)
}
