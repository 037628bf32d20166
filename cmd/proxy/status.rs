//! `meshctl proxy status`

use crate::args::{OutputFormat, Watch, examples};

use super::{Proxy, proxy};

/// Show the proxies of this machine, and what they believe
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl proxy status", "meshctl proxy status -o json"]))]
pub struct Args {
    /// One proxy, by its process id or its control socket [default: all]
    #[arg(value_name = "PROXY", value_parser = proxy)]
    pub proxy: Option<Proxy>,
    #[command(flatten)]
    pub output: OutputFormat,
    #[command(flatten)]
    pub watch: Watch,
}
