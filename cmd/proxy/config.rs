//! `meshctl proxy config`

use http::Method;

use super::cluster::{self, Target};
use super::{Proxy, ask, one, proxy};
use crate::args::{Format, examples};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Show the configuration as a proxy believes it, secrets masked
///
/// A proxy of a cluster is named by its pod; that takes the permission `pods/exec`.
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl proxy config",
    "meshctl proxy config -f shop -o yaml",
    "meshctl proxy config shop/front-meshctl-7d4b9c6f5-x2x7k",
]))]
pub struct Args {
    /// The proxy: [NAMESPACE/]POD, a process id or a control socket; needed where several run
    #[arg(value_name = "PROXY", value_parser = proxy)]
    pub proxy: Option<Proxy>,
    #[command(flatten)]
    pub target: Target,
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
    let wanted = args.proxy.as_ref();
    let config = if args.target.is_cluster(wanted, environment, output)? {
        let question = ["proxy", "config", "--output", "json"];
        cluster::of_pod(&args.target, wanted, &question, environment)?.1
    } else {
        ask(&one(wanted, &args.target.serving, environment)?, Method::GET, "/config")?
    };
    let format = match args.output {
        Form::Json => Format::Json,
        Form::Yaml => Format::Yaml,
    };
    output.object(format, &config)?;
    Ok(Exit::Yes)
}
