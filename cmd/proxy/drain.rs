//! `meshctl proxy drain`

use crate::args::{Wait, examples};

use super::{Proxy, proxy};

/// Let a proxy finish what it has, take nothing new, and end
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl proxy drain --wait", "meshctl proxy drain --all"]))]
pub struct Args {
    /// The proxy, by its process id or its control socket; needed where several run
    #[arg(value_name = "PROXY", value_parser = proxy, conflicts_with = "all")]
    pub proxy: Option<Proxy>,
    /// Every proxy of this machine
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub wait: Wait,
}
