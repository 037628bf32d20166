//! `meshctl generate gateway`

use meshctl::manifest::generate::{Gateway, Listen};
use meshctl::names;

use super::printing::Printing;
use crate::args::examples;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Print a Gateway
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl generate gateway front",
    "meshctl generate gateway front --listen HTTPS:443 --hostname shop.example --cert shop",
]))]
pub struct Args {
    /// What the Gateway is to be called
    #[arg(value_name = "NAME")]
    name: String,
    /// A port, or HTTPS:PORT; may be given several times
    #[arg(long, value_name = "[HTTPS:]PORT", value_parser = Listen::parse, default_value = "80")]
    listen: Vec<Listen>,
    /// Answer for this name, *.example.com for all below it; may be given several times
    #[arg(long = "hostname", value_name = "NAME")]
    hostnames: Vec<String>,
    /// The Secret with the certificate of HTTPS; may be given several times
    #[arg(long = "cert", value_name = "SECRET")]
    certificates: Vec<String>,
    /// The GatewayClass
    #[arg(long, value_name = "NAME", default_value = names::GATEWAY_CLASS)]
    class: String,
    #[command(flatten)]
    printing: Printing,
}

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let Args { name, listen, hostnames, certificates, class, printing } = args;
    output.quiet(printing.quiet.quiet);
    let wrong = |message: &str| Failure::new(Exit::WrongCommandLine, message);
    let tls = listen.iter().any(|listen| listen.tls);
    if tls && certificates.is_empty() {
        return Err(wrong("HTTPS needs a certificate").tip("name its Secret: --cert shop"));
    }
    if !tls && !certificates.is_empty() {
        return Err(wrong("--cert is for HTTPS").tip("add --listen HTTPS:443"));
    }
    let namespace = printing.namespace.clone();
    let plan = Gateway { name, namespace, class, listen, hostnames, certificates }.plan();
    printing.print(&printing.objects(&plan, environment)?, output)
}
