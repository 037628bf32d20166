//! One vocabulary of flags: a word means the same wherever a command takes it. A command flattens
//! the sets that it needs, so its help shows no flag that it ignores.

mod address;
mod duration;
mod overrides;

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use meshctl::config::flags;
use meshctl::model::AccessLogFormat;

pub use address::{Target, bind_address, target};
pub use duration::duration;
pub use overrides::{EndpointOverride, PortMove, endpoint_override, port_move};

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
        let mut options = flags::Options { access_log, ..flags::Options::default() };
        for EndpointOverride { namespace, service, address } in &self.endpoints {
            let key = (namespace.as_str().into(), service.as_str().into());
            options.endpoints.entry(key).or_default().push(address.clone());
        }
        options.port_moves = self.ports.iter().map(|moved| (moved.listener, moved.here)).collect();
        options.classes = self.classes.iter().map(|class| class.as_str().into()).collect();
        options
    }
}

/// What runs without a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Quick {
    /// Where to listen: :8080, 127.0.0.1:8080 or [::1]:8080; may be given several times [default
    /// with --to: :8080]
    #[arg(long, value_name = "ADDRESS", value_parser = bind_address, requires = "targets")]
    pub listen: Vec<meshctl::model::BindAddress>,
    /// Where requests go, HOST:PORT or unix:/path, with a weight if there are several; may be
    /// given several times
    #[arg(long = "to", value_name = "TARGET[=WEIGHT]", value_parser = target, id = "targets")]
    pub targets: Vec<Target>,
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
#[cfg_attr(not(test), allow(dead_code, reason = "spoken by `proxy run` and `demo`"))]
pub struct Loudness {
    /// Log errors alone
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Log more: -v for what is decided, -vv for what is seen
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

#[derive(Clone, Copy, Debug, Default, clap::Args)]
#[cfg_attr(not(test), allow(dead_code, reason = "spoken by `proxy status`"))]
pub struct Watch {
    /// Stay, and show each change
    #[arg(short, long)]
    pub watch: bool,
}

#[derive(Clone, Copy, Debug, clap::Args)]
#[cfg_attr(not(test), allow(dead_code, reason = "spoken by `proxy drain`"))]
pub struct Wait {
    /// Return once it is done
    #[arg(long)]
    pub wait: bool,
    /// How long to wait; exit code 3 when it is over
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5m")]
    pub timeout: Duration,
}

/// Which objects of a cluster or of a directory.
#[derive(Clone, Debug, Default, clap::Args)]
#[cfg_attr(not(test), allow(dead_code, reason = "spoken by the commands of a cluster"))]
pub struct Scope {
    /// The namespace
    #[arg(short, long, value_name = "NAMESPACE", conflicts_with = "all_namespaces")]
    pub namespace: Option<String>,
    /// All namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// The context of the kubeconfig
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Objects with these labels: app=shop,tier!=test
    #[arg(short = 'l', long, value_name = "LABELS")]
    pub selector: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, clap::Args)]
#[cfg_attr(not(test), allow(dead_code, reason = "spoken by the commands that ask first"))]
pub struct Yes {
    /// Don't ask
    #[arg(long)]
    pub yes: bool,
}

/// A share in percent, `10%` or `10`, in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(not(test), allow(dead_code, reason = "spoken by `canary`"))]
pub struct Percent {
    pub basis_points: u16,
}

/// Reads `10%`, `10` or `0.5%`.
#[cfg_attr(not(test), allow(dead_code, reason = "spoken by `canary`"))]
pub fn percent(text: &str) -> Result<Percent, String> {
    let number = text.strip_suffix('%').unwrap_or(text);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || whole.len() > 3 {
        return Err("a percentage is a number from 0 to 100, such as 10% or 0.5%".to_owned());
    }
    if fraction.len() > 2 {
        return Err("a percentage has at most two digits after the point".to_owned());
    }
    let hundredths: u32 = format!("{fraction:0<2}").parse().expect("two digits");
    let basis_points = whole.parse::<u32>().expect("three digits") * 100 + hundredths;
    match u16::try_from(basis_points) {
        Ok(basis_points @ ..=10_000) => Ok(Percent { basis_points }),
        _ => Err("a percentage is at most 100%".to_owned()),
    }
}

/// A port that can be named: 1 to 65535.
fn port(text: &str) -> Result<NonZeroU16, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| format!("`{text}` is not a port: a number from 1 to 65535"))
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

#[cfg(test)]
mod tests;
