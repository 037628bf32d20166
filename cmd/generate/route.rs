//! `meshctl generate route`

use meshctl::manifest::generate::{Parent, Route, Target};

use super::printing::Printing;
use crate::args::examples;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Print a route from a Gateway to Services and Backends
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl generate route shop --gateway front --to shop-v1:80=90 --to shop-v2:80=10",
    "meshctl generate route cart --kind grpc --gateway infra/front --to Backend/cart",
]))]
pub struct Args {
    /// What the route is to be called
    #[arg(value_name = "NAME")]
    name: String,
    /// Whose requests; may be given several times
    #[arg(long = "gateway", value_name = "[NS/]NAME[/LISTENER]", value_parser = Parent::parse)]
    #[arg(required = true)]
    gateways: Vec<Parent>,
    /// Requests to this name [default: to any]; may be given several times
    #[arg(long = "hostname", value_name = "NAME")]
    hostnames: Vec<String>,
    /// Requests to this path and below it [default: all]; may be given several times
    #[arg(long = "path", value_name = "PATH")]
    paths: Vec<String>,
    /// Where they go, SERVICE:PORT or Backend/NAME, with a weight if there are several; may be
    /// given several times
    #[arg(long = "to", value_name = "TARGET[=WEIGHT]", value_parser = Target::parse_with_port)]
    #[arg(required = true)]
    to: Vec<Target>,
    /// What the requests are
    #[arg(long, value_name = "KIND", default_value = "http")]
    kind: Requests,
    #[command(flatten)]
    printing: Printing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Requests {
    Http,
    Grpc,
}

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let Args { name, gateways, hostnames, paths, to, kind, printing } = args;
    output.quiet(printing.quiet.quiet);
    let grpc = kind == Requests::Grpc;
    if grpc && !paths.is_empty() {
        let failure = Failure::new(Exit::WrongCommandLine, "a GRPCRoute has no paths");
        return Err(failure.tip("leave out --path: gRPC is routed by service and method"));
    }
    let namespace = printing.namespace.clone();
    let plan = Route { name, namespace, grpc, gateways, hostnames, paths, to }.plan();
    printing.print(&printing.objects(&plan, environment)?, output)
}
