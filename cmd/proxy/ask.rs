//! `meshctl proxy ask PATH`, hidden: what stands at a proxy's control door, as it is. In a pod, it
//! is how commands outside ask.

use http::Method;

use super::{Proxy, ask, one, proxy};
use crate::args::{Format, Serving, examples};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Print what a proxy's control door shows
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl proxy ask /report", "meshctl proxy ask /failures?after=7"]))]
pub struct Args {
    /// /status, /config, /report, /route?, /endpoints, /failures or /explain?
    #[arg(value_name = "PATH")]
    path: String,
    /// The proxy, by its process id or its control socket; needed where several run
    #[arg(value_name = "PROXY", value_parser = proxy)]
    proxy: Option<Proxy>,
    #[command(flatten)]
    serving: Serving,
}

pub fn run(args: &Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let proxy = one(args.proxy.as_ref(), &args.serving, environment)?;
    let answer = ask(&proxy, Method::GET, &args.path)?;
    output.object(Format::Json, &answer)?;
    Ok(Exit::Yes)
}
