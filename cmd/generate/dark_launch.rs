//! `meshctl generate dark-launch`

use meshctl::manifest::generate::{DarkLaunch, Subject, Target, percent};

use super::printing::Printing;
use super::route::Requests;
use crate::args::examples;
use crate::completions::live::{self, ROUTES};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Print a dark launch: copies of requests go to a new version, its answers to nobody
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl generate dark-launch --route shop --to shop-v2:80 --percent 20%",
    "meshctl generate dark-launch nightly --route shop --to Backend/shadow --percent 1% -n shop",
]))]
pub struct Args {
    /// The name of the rollout [default: the route's]
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Whose requests
    #[arg(long, value_name = "NAME", add = live::names(ROUTES))]
    route: String,
    /// What the route is
    #[arg(long, value_name = "KIND", default_value = "http")]
    kind: Requests,
    /// Where the copies go, SERVICE:PORT or Backend/NAME
    #[arg(long, value_name = "TARGET", value_parser = Target::parse)]
    to: Target,
    /// How many requests are copied
    #[arg(long, value_name = "PERCENT", value_parser = percent, default_value = "100%")]
    percent: u8,
    #[command(flatten)]
    printing: Printing,
}

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let Args { name, route, kind, to, percent, printing } = args;
    output.quiet(printing.quiet.quiet);
    if to.weight.is_some() {
        let failure = Failure::new(Exit::WrongCommandLine, "copies have no weight");
        return Err(failure.tip("--percent says how many requests are copied"));
    }
    let subject = Subject {
        name: name.unwrap_or_else(|| route.clone()),
        namespace: printing.namespace.clone(),
        route,
        grpc: kind == Requests::Grpc,
    };
    let plan = DarkLaunch { subject, to, percent }.plan();
    printing.print(&printing.objects(&plan, environment)?, output)
}
