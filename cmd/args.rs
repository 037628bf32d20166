//! One vocabulary of flags: a word means the same wherever a command takes it. A command flattens
//! the sets that it needs, so its help shows no flag that it ignores.

use std::path::PathBuf;
use std::time::Duration;

use meshctl::config::flags::{
    self, EndpointOverride, PortMove, Target, endpoint_override, port_move, target,
};
use meshctl::config::{address, duration, quick};
use meshctl::model::{AccessLogFormat, BindAddress};

use crate::exit::{Exit, Failure};

/// How an answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    #[default]
    Table,
    /// The table with every column
    Wide,
    Json,
    Yaml,
    /// Names alone, one per line
    Name,
}

#[derive(Clone, Copy, Debug, clap::Args)]
pub struct OutputFormat {
    /// How to write the answer
    #[arg(short = 'o', long = "output", value_name = "FORMAT", default_value = "table")]
    #[arg(hide_possible_values = false)]
    pub format: Format,
}

#[derive(Clone, Debug, Default, clap::Args)]
pub struct Files {
    /// A file or directory of YAML, or - for standard input; may be given several times
    #[arg(short = 'f', long = "file", value_name = "PATH")]
    pub files: Vec<PathBuf>,
}

/// Which of the proxies that run are meant.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Serving {
    /// Only proxies that serve this file or directory
    #[arg(short = 'f', long = "file", value_name = "PATH")]
    pub file: Option<PathBuf>,
}

/// What makes a cluster's YAML run on one machine, unedited.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Overrides {
    /// Give a Service this endpoint here, instead of those of its EndpointSlices; may be given
    /// several times
    #[arg(long = "endpoint", value_name = "[NS/]SERVICE=HOST:PORT", value_parser = endpoint_override)]
    pub endpoints: Vec<EndpointOverride>,
    /// Open this port where a listener says another: 80=8080; may be given several times
    #[arg(long = "port", value_name = "LISTENER=HERE", value_parser = port_move)]
    pub ports: Vec<PortMove>,
    /// Serve Gateways of this GatewayClass too; may be given several times
    #[arg(long = "class", value_name = "NAME")]
    pub classes: Vec<String>,
}

impl Overrides {
    /// As lowering knows them.
    pub fn options(&self, access_log: Option<Option<AccessLogFormat>>) -> flags::Options {
        let classes = self.classes.iter().map(|class| class.as_str().into()).collect();
        let mut options = flags::Options { classes, access_log, ..flags::Options::default() };
        self.endpoints.iter().cloned().for_each(|given| options.add_endpoint(given));
        self.ports.iter().for_each(|moved| options.add_port_move(*moved));
        options
    }
}

/// What runs without a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Quick {
    /// Where to listen: :8080, 127.0.0.1:8080 or [::1]:8080; may be given several times [default
    /// with --to: :8080]
    #[arg(long, value_name = "ADDRESS", value_parser = address::bind)]
    pub listen: Vec<BindAddress>,
    /// Where requests go, HOST:PORT or unix:/path, with a weight if there are several; may be
    /// given several times
    #[arg(long = "to", value_name = "TARGET[=WEIGHT]", value_parser = target, id = "targets")]
    pub targets: Vec<Target>,
}

impl Quick {
    pub fn read(&self) -> Result<quick::Quick, Failure> {
        if self.targets.is_empty() && !self.listen.is_empty() {
            let failure =
                Failure::new(Exit::WrongCommandLine, "--listen says nothing of where requests go");
            return Err(failure.tip("give --to HOST:PORT as well"));
        }
        quick::Quick::new(&self.listen, &self.targets)
            .map_err(|error| Failure::new(Exit::WrongCommandLine, error.to_string()))
    }
}

/// Which cluster.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Context {
    /// The context of the kubeconfig [default: the current one]
    #[arg(long, value_name = "NAME", add = crate::completions::live::contexts())]
    pub context: Option<String>,
}

/// Which namespaces of it.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Namespaces {
    /// Only this namespace
    #[arg(short, long, value_name = "NAME", add = crate::completions::live::namespaces())]
    pub namespace: Option<String>,
    /// Every namespace of the cluster
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub all_namespaces: bool,
}

#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Quiet {
    /// Print answers and errors, no notes
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct DryRun {
    /// Print what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// How much a process that serves logs.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Loudness {
    /// Log errors alone
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Log more: -v for what is decided, -vv for what is seen
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Watch {
    /// Stay, and show each change
    #[arg(short, long)]
    pub watch: bool,
}

#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Yes {
    /// Don't ask
    #[arg(long)]
    pub yes: bool,
}

#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Wait {
    /// Return once it is done
    #[arg(long)]
    pub wait: bool,
    /// How long to wait; exit code 3 when it is over
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "5m")]
    pub timeout: Duration,
}

/// The end of a command's help. A test runs each line (`tests/it/examples.rs`).
pub fn examples(lines: &[&str]) -> String {
    let heading = clap::builder::Styles::styled();
    let heading = heading.get_header();
    let mut text = format!("{heading}Examples:{heading:#}");
    for line in lines {
        text.push_str("\n  ");
        text.push_str(line);
    }
    text
}
