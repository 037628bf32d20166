//! `meshctl controller run`

use std::net::{Ipv6Addr, SocketAddr};
use std::path::Path;

use meshctl::cluster::{Access, Cluster};
use meshctl::config::flags;
use meshctl::controller;
use meshctl::names;

use crate::args::{Loudness, examples};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::proxy::log;

/// The controller, inside a cluster
///
/// `meshctl install` runs it.
#[derive(clap::Subcommand)]
#[command(after_help = examples(&[
    "meshctl controller run --image meshctl:0.1.0",
    "meshctl controller run --image meshctl:0.1.0 -v",
]))]
pub enum Command {
    Run(Args),
}

/// Watch the API server, configure proxies and answer in statuses
///
/// SIGTERM ends it. Proxies serve on without it.
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl controller run --image meshctl:0.1.0",
    "meshctl controller run --image meshctl:0.1.0 --allow-local-backends",
]))]
pub struct Args {
    /// What the proxies run
    #[arg(long, value_name = "IMAGE")]
    image: String,
    /// With what the proxies' image is pulled: a Secret in the namespace of each Gateway
    #[arg(long, value_name = "SECRET")]
    image_pull_secret: Option<String>,
    /// Where proxies come for their configuration
    #[arg(long, value_name = "ADDRESS", default_value_t = everywhere(names::PORT_CONTROLLER))]
    listen: SocketAddr,
    /// Where /live, /ready and /metrics are answered
    #[arg(long, value_name = "ADDRESS", default_value_t = everywhere(names::PORT_OBSERVE))]
    observe: SocketAddr,
    /// Allow Backends on loopback and link-local addresses, Unix sockets and the API server
    #[arg(long)]
    allow_local_backends: bool,
    /// Allow ExternalName Services as backends: they name any host, other namespaces' too
    #[arg(long)]
    allow_external_names: bool,
    #[command(flatten)]
    loudness: Loudness,
}

fn everywhere(port: u16) -> SocketAddr {
    (Ipv6Addr::UNSPECIFIED, port).into()
}

pub fn run(
    command: Command,
    environment: &Environment,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let Command::Run(args) = command;
    let _log = log::start(&log::filter(args.loudness, environment), environment, output)?;
    meshctl::identity::install_provider();
    let failed = |error: &dyn std::fmt::Display| Failure::new(Exit::CouldNotAsk, error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed(&error))?;
    runtime.block_on(async {
        let cluster = Cluster::connect(&Access::InCluster).await.map_err(|error| failed(&error))?;
        let options = controller::Options {
            identity: environment.pod_name.clone().unwrap_or_else(|| "meshctl".to_owned()),
            namespace: cluster.namespace.clone(),
            cluster,
            image: args.image,
            image_pull_secret: args.image_pull_secret,
            listen: args.listen,
            pod_ip: environment.pod_ip,
            token: Path::new(names::TOKEN_DIRECTORY).join(names::TOKEN_FILE),
            observe: args.observe,
            version: crate::version::TEXT,
            objects: flags::Options {
                cluster: true,
                allow_local_backends: args.allow_local_backends,
                allow_external_names: args.allow_external_names,
                ..flags::Options::default()
            },
        };
        controller::run(options).await.map_err(|error| failed(&error))
    })?;
    Ok(Exit::Yes)
}
