//! `meshctl proxy run`

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use meshctl::config::{address, duration, render};
use meshctl::limits;
use meshctl::model::AccessLogFormat;
use meshctl::names::{self, PORT_OBSERVE};
use meshctl::proxy::control;
use meshctl::serve;
use meshctl::source::remote;

use super::controller::Controller;
use super::log;
use crate::args::{Files, Loudness, Overrides, Quick, examples};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::mesh::{self, Source};
use crate::output::Output;

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
    #[command(flatten)]
    controller: Controller,
    /// What kind of proxy
    #[arg(long, value_name = "MODE", default_value = "gateway")]
    mode: Mode,
    /// Threads that serve [default: the CPUs that this process may use]
    #[arg(long, value_name = "N", value_parser = workers)]
    workers: Option<NonZeroUsize>,
    /// Where /live, /ready and /metrics are answered, or off [default: 127.0.0.1:15020]
    #[arg(long, value_name = "ADDRESS", value_parser = observe)]
    observe: Option<Observe>,
    /// The control socket [default: in .meshctl/run, $XDG_RUNTIME_DIR/meshctl, /tmp/meshctl-UID or,
    /// for root, /run/meshctl]
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

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let options = Options::new(args, environment)?;
    let log = log::start(&options.log, environment, output)?;
    meshctl::identity::install_provider();
    if let Err(error) = meshctl::telemetry::process::raise_open_files() {
        output.note(format_args!("the limit of open files can't be raised: {error}"));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Failure::new(Exit::CouldNotAsk, format!("can't start the runtime: {error}"))
    })?;
    let options = options.serve(environment, log)?;
    runtime
        .block_on(serve::run(options))
        .map_err(|error| Failure::new(Exit::CouldNotAsk, error.to_string()))?;
    Ok(Exit::Yes)
}

/// Whose word is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// What stands on this machine.
    Here(Source),
    Controller(remote::Options),
}

/// What will be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub origin: Origin,
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
            controller,
            mode,
            workers,
            observe,
            control,
            access_log,
            drain_timeout,
            takeover,
            loudness,
        } = args;
        let origin = match controller.options(environment) {
            Some(options) => Origin::Controller(options),
            None => Origin::Here(Source::choose(files, quick, environment)?),
        };
        let run_dir = match &origin {
            Origin::Here(source) => mesh::run_dir(source, environment),
            Origin::Controller(_) => mesh::register_dir(environment),
        };
        let control = match control {
            Some(path) => Control::Socket(environment.absolute(&path)),
            None => Control::In(environment.absolute(&run_dir)),
        };
        Ok(Self {
            origin,
            overrides,
            mode,
            workers,
            observe: observe.unwrap_or(Observe::At(([127, 0, 0, 1], PORT_OBSERVE).into())),
            control,
            access_log: access_log.map(AccessLog::format),
            drain_timeout,
            takeover,
            log: log::filter(loudness, environment),
        })
    }
}

impl Options {
    /// What the library is asked for.
    fn serve(self, environment: &Environment, log: log::Log) -> Result<serve::Options, Failure> {
        let (control, takeover) = self.sockets()?;
        let passed = environment.listen_sockets()?;
        let colour = log.colour;
        let mut shown = String::new();
        let input = match self.origin {
            Origin::Here(source) => {
                serve::Input::Files(source.inputs(&self.overrides, self.access_log))
            }
            Origin::Controller(options) => serve::Input::Controller(options),
        };
        Ok(serve::Options {
            input,
            workers: self.workers.unwrap_or_else(cpus),
            observe: match self.observe {
                Observe::At(address) => Some(address),
                Observe::Off => None,
            },
            control,
            register: Some(environment.absolute(&mesh::register_dir(environment))),
            takeover,
            passed,
            notify: environment.notify_socket.clone(),
            drain_timeout: self.drain_timeout,
            version: env!("CARGO_PKG_VERSION"),
            set_log_level: log.set_level,
            started: Box::new(started),
            diagnosed: Box::new(move |diagnostics, texts| {
                let text = render::render(diagnostics, texts, colour);
                // What has not changed was said already.
                if text != shown && !text.is_empty() {
                    Output::complain(&text);
                }
                shown = text;
            }),
        })
    }

    /// The control socket, and the takeover socket of whom to take over from.
    fn sockets(&self) -> Result<(PathBuf, Option<PathBuf>), Failure> {
        let (own, running) = match &self.control {
            Control::Socket(path) => (path.clone(), vec![path.clone()]),
            Control::In(directory) => {
                let name = format!("proxy-{}{}", std::process::id(), names::CONTROL_SOCKET_SUFFIX);
                let found = control::find(std::slice::from_ref(directory));
                let found = found.into_iter().map(|proxy| proxy.socket);
                // Those that are only known here serve another mesh.
                let own = directory.canonicalize().ok();
                let found = found.filter(|socket| socket.parent() == own.as_deref());
                (directory.join(name), found.collect())
            }
        };
        if !self.takeover {
            return Ok((own, None));
        }
        match running.as_slice() {
            [one] => Ok((own, Some(serve::takeover_path(one)))),
            [] => {
                Err(Failure::new(Exit::CouldNotAsk, "no proxy runs here that could be taken over")
                    .tip("leave --takeover out, or name its socket with --control PATH"))
            }
            several => {
                let names: Vec<_> = several.iter().map(|path| path.display().to_string()).collect();
                let message = format!("several proxies run here: {}", names.join(", "));
                Err(Failure::new(Exit::CouldNotAsk, message).tip("name one with --control PATH"))
            }
        }
    }
}

/// One line that says where to knock.
fn started(started: &serve::Started) {
    let addresses: Vec<String> = started.addresses.iter().map(ToString::to_string).collect();
    let addresses =
        if addresses.is_empty() { "nothing yet".to_owned() } else { addresses.join(", ") };
    let observe = started.observe.map_or_else(|| "off".to_owned(), |address| address.to_string());
    tracing::info!(
        listening = addresses,
        observe,
        control = %started.control.display(),
        "serving"
    );
}

/// The cgroup's CPU quota, rounded up; else the CPUs of the machine.
fn cpus() -> NonZeroUsize {
    let quota = std::fs::read_to_string("/sys/fs/cgroup/cpu.max").ok();
    let quota = quota.as_deref().and_then(meshctl::proxy::process::cpu_quota);
    let all = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    quota.map_or(all, |quota| quota.min(all))
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
