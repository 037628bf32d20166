//! `meshctl generate ambassador`

use meshctl::config::address;
use meshctl::manifest::generate::{Ambassador, Backend};
use meshctl::model::Address;

use super::printing::Printing;
use crate::args::examples;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Print a service outside as a port of this machine
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl generate ambassador legacy --to legacy.example.com:8080 --local-port 9000",
    "meshctl generate ambassador pay --to pay.example.com:443 --tls --local-port 9001 -o json",
]))]
pub struct Args {
    /// What the service is to be called
    #[arg(value_name = "NAME")]
    name: String,
    /// Where the service is; several addresses are endpoints of one service
    #[arg(long = "to", value_name = "HOST:PORT", value_parser = address::endpoint, required = true)]
    to: Vec<Address>,
    /// The port of 127.0.0.1 that the application calls
    #[arg(long, value_name = "PORT", value_parser = address::port)]
    local_port: u16,
    /// Speak TLS, and trust what the system trusts
    #[arg(long)]
    tls: bool,
    #[command(flatten)]
    printing: Printing,
}

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let Args { name, to, local_port, tls, printing } = args;
    output.quiet(printing.quiet.quiet);
    let hostname = to.iter().find_map(|address| match address {
        Address::Dns { host, .. } => Some(host.to_string()),
        Address::Socket(_) | Address::Unix(_) => None,
    });
    let endpoints = to.iter().map(ToString::to_string).collect();
    let backend = Backend { name, namespace: printing.namespace.clone(), endpoints, tls };
    let plan = Ambassador { backend, local_port, hostname }.plan();
    printing.print(&printing.objects(&plan, environment)?, output)
}
