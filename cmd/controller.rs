//! `meshctl controller run`, and what a replica says of itself

use std::net::{Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use meshctl::cluster::{Access, Cluster};
use meshctl::config::flags;
use meshctl::controller;
use meshctl::controller::picture::Picture;
use meshctl::names;
use meshctl::proxy::control;

use crate::args::{Format, Loudness, OutputFormat, examples};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::mesh;
use crate::output::Output;
use crate::proxy::log;
use crate::stop::Stop;

/// The controller, inside a cluster
///
/// `meshctl install` runs it.
#[derive(clap::Subcommand)]
#[command(after_help = examples(&[
    "meshctl controller run --image meshctl:0.1.0",
    "meshctl controller status",
]))]
pub enum Command {
    Run(Args),
    Status(StatusArgs),
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

/// Show what the controller of this pod knows of itself and its proxies
///
/// `meshctl proxy status` asks all replicas for it, by `pods/exec`. Exit code 1 where it isn't
/// ready.
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl controller status",
    "meshctl controller status -o json",
]))]
pub struct StatusArgs {
    #[command(flatten)]
    output: OutputFormat,
}

fn everywhere(port: u16) -> SocketAddr {
    (Ipv6Addr::UNSPECIFIED, port).into()
}

pub fn run(
    command: Command,
    environment: &Environment,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match command {
        Command::Run(args) => serve(args, environment, output),
        Command::Status(args) => status(&args, environment, output),
    }
}

fn status(
    args: &StatusArgs,
    environment: &Environment,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let socket = control_socket(environment);
    let at = socket.display();
    let answer = crate::proxy::get(&socket, "/status").map_err(|error| {
        let message = format!("the controller at {at} gave no answer: {error}");
        Failure::new(Exit::CouldNotAsk, message)
            .tip("it is asked in its own pod; `meshctl proxy status` asks from outside")
    })?;
    let picture: Picture = serde_json::from_slice(&answer).map_err(|error| {
        let why = control::AskError::Broken(error.to_string());
        Failure::new(Exit::CouldNotAsk, format!("the controller at {at}: {why}"))
    })?;
    let Picture { name, version, ready, reason, leading, proxies, others } = &picture;
    let state = match (ready, leading) {
        (false, _) => format!("not ready: {}", reason.as_deref().unwrap_or("it doesn't say why")),
        (true, true) => "ready, leads".to_owned(),
        (true, false) => "ready".to_owned(),
    };
    let counts = [proxies.len(), others.len()].map(|count| count.to_string());
    let row = [vec![name.clone(), state, version.clone()], counts.to_vec()].concat();
    let headings = ["CONTROLLER", "STATE", "VERSION", "PROXIES", "OF OTHERS"];
    match args.output.format {
        Format::Json | Format::Yaml => output.object(args.output.format, &picture)?,
        format => output.rows(format, &headings, vec![row], &picture)?,
    }
    Ok(if picture.ready { Exit::Yes } else { Exit::No })
}

fn control_socket(environment: &Environment) -> PathBuf {
    mesh::register_dir(environment).join(names::CONTROLLER_SOCKET)
}

fn serve(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let _log = log::start(&log::filter(args.loudness, environment), environment, output)?;
    meshctl::identity::install_provider();
    let failed = |error: &dyn std::fmt::Display| Failure::new(Exit::CouldNotAsk, error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed(&error))?;
    runtime.block_on(async {
        let mut stop = Stop::new().map_err(|error| failed(&error))?;
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
            control: control_socket(environment),
            version: crate::version::TEXT,
            objects: flags::Options {
                cluster: true,
                allow_local_backends: args.allow_local_backends,
                allow_external_names: args.allow_external_names,
                ..flags::Options::default()
            },
        };
        controller::run(options, stop.wait()).await.map_err(|error| failed(&error))
    })?;
    Ok(Exit::Yes)
}
