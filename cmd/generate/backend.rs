//! `meshctl generate backend`

use meshctl::manifest::generate::Backend;

use super::printing::Printing;
use crate::args::examples;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Print a Backend: a service that Kubernetes doesn't know
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl generate backend legacy --endpoint legacy.example.com:8080",
    "meshctl generate backend search --endpoint 10.0.0.1:9200 --endpoint 10.0.0.2:9200 --tls",
]))]
pub struct Args {
    /// What the Backend is to be called
    #[arg(value_name = "NAME")]
    name: String,
    /// HOST:PORT, [::1]:PORT or unix:/path; may be given several times
    #[arg(long = "endpoint", value_name = "ADDRESS", required = true)]
    endpoints: Vec<String>,
    /// Speak TLS, and trust what the system trusts
    #[arg(long)]
    tls: bool,
    #[command(flatten)]
    printing: Printing,
}

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let Args { name, endpoints, tls, printing } = args;
    output.quiet(printing.quiet.quiet);
    let plan = Backend { name, namespace: printing.namespace.clone(), endpoints, tls }.plan();
    printing.print(&printing.objects(&plan, environment)?, output)
}
