//! `meshctl proxy run`

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use meshctl::config::{address, duration};
use meshctl::limits;
use meshctl::model::AccessLogFormat;
use meshctl::names::PORT_OBSERVE;

use crate::args::{Files, Loudness, Overrides, Quick, examples};
use crate::environment::Environment;
use crate::exit::Failure;
use crate::mesh::{self, Source};

/// Serve traffic as Gateway API files say
///
/// SIGTERM drains, SIGHUP reads all files again; an edited file needs neither.
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl proxy run -f shop",
    "meshctl proxy run --listen :8080 --to localhost:3000=90 --to localhost:3001=10",
]))]
pub struct Args {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    quick: Quick,
    #[command(flatten)]
    overrides: Overrides,
    /// What kind of proxy
    #[arg(long, value_name = "MODE", default_value = "gateway")]
    mode: Mode,
    /// Threads that serve [default: the CPUs that this process may use]
    #[arg(long, value_name = "N", value_parser = workers)]
    workers: Option<NonZeroUsize>,
    /// Where /live, /ready and /metrics are answered, or off [default: 127.0.0.1:15020]
    #[arg(long, value_name = "ADDRESS", value_parser = observe)]
    observe: Option<Observe>,
    /// The control socket [default: in .meshctl/run, $XDG_RUNTIME_DIR/meshctl or /run/meshctl]
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::FilePath)]
    control: Option<PathBuf>,
    /// How each request is logged [default: as the MeshConfig says]
    #[arg(long, value_name = "FORMAT")]
    access_log: Option<AccessLog>,
    /// How long open requests may take to end after SIGTERM [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    drain_timeout: Option<Duration>,
    /// Take the listening sockets of the proxy that runs here, which then drains
    #[arg(long)]
    takeover: bool,
    #[command(flatten)]
    loudness: Loudness,
}

/// Sidecar and ambassador differ from it only in where connections come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    Gateway,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum AccessLog {
    Json,
    Text,
    Off,
}

/// Where the observation door is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observe {
    At(SocketAddr),
    Off,
}

/// Where the control door is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// Exactly here.
    Socket(PathBuf),
    /// Under a name of its own in this directory.
    In(PathBuf),
}

/// What will be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub source: Source,
    pub overrides: Overrides,
    pub mode: Mode,
    /// `None`: the cgroup's CPU quota, rounded up.
    pub workers: Option<NonZeroUsize>,
    pub observe: Observe,
    pub control: Control,
    /// `None`: as the MeshConfig says. `Some(None)`: off.
    pub access_log: Option<Option<AccessLogFormat>>,
    /// `None`: as the MeshConfig says.
    pub drain_timeout: Option<Duration>,
    pub takeover: bool,
    /// For tracing's filter.
    pub log: String,
}

impl Options {
    pub fn new(args: Args, environment: &Environment) -> Result<Self, Failure> {
        let Args {
            files,
            quick,
            overrides,
            mode,
            workers,
            observe,
            control,
            access_log,
            drain_timeout,
            takeover,
            loudness,
        } = args;
        let source = Source::choose(files, quick, environment)?;
        let control = match control {
            Some(path) => Control::Socket(environment.absolute(&path)),
            None => Control::In(environment.absolute(&mesh::run_dir(&source, environment))),
        };
        Ok(Self {
            source,
            overrides,
            mode,
            workers,
            observe: observe.unwrap_or(Observe::At(([127, 0, 0, 1], PORT_OBSERVE).into())),
            control,
            access_log: access_log.map(AccessLog::format),
            drain_timeout,
            takeover,
            log: log_filter(loudness, environment),
        })
    }
}

impl AccessLog {
    fn format(self) -> Option<AccessLogFormat> {
        match self {
            Self::Json => Some(AccessLogFormat::Json),
            Self::Text => Some(AccessLogFormat::Text),
            Self::Off => None,
        }
    }
}

/// The command line, then `MESHCTL_LOG`, then what an operator wants to see.
fn log_filter(loudness: Loudness, environment: &Environment) -> String {
    match (loudness.quiet, loudness.verbose) {
        (true, _) => "error".to_owned(),
        (false, 0) => environment.log.clone().unwrap_or_else(|| "info".to_owned()),
        (false, 1) => "info,meshctl=debug".to_owned(),
        (false, _) => "info,meshctl=trace".to_owned(),
    }
}

fn workers(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse().ok().filter(|n: &NonZeroUsize| n.get() <= limits::WORKERS);
    number.ok_or_else(|| format!("a number from 1 to {}", limits::WORKERS))
}

fn observe(text: &str) -> Result<Observe, String> {
    if text == "off" {
        return Ok(Observe::Off);
    }
    let bind = address::bind(text).map_err(|error| error.to_string())?;
    // Every address of the machine, as `--listen :8080` means it: IPv6's any takes IPv4 too.
    let any = std::net::IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED);
    Ok(Observe::At(SocketAddr::new(bind.ip.unwrap_or(any), bind.port)))
}
