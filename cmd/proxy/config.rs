//! `meshctl proxy config`

use crate::args::examples;

use super::{Proxy, proxy};

/// Show the configuration as a proxy believes it, secrets masked
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl proxy config", "meshctl proxy config -o yaml"]))]
pub struct Args {
    /// The proxy, by its process id or its control socket; needed where several run
    #[arg(value_name = "PROXY", value_parser = proxy)]
    pub proxy: Option<Proxy>,
    /// How to write it
    #[arg(short, long, value_name = "FORMAT", default_value = "json")]
    pub output: Form,
}

/// A configuration is no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    Json,
    Yaml,
}
