//! `meshctl proxy VERB`: serve, and ask those who serve.

pub mod config;
pub mod drain;
pub mod run;
pub mod status;

use std::path::PathBuf;

use crate::args::examples;

/// Serve traffic, and ask the proxies of this machine
#[derive(clap::Subcommand)]
#[command(after_help = examples(&["meshctl proxy run -f shop", "meshctl proxy status"]))]
pub enum Command {
    Run(run::Args),
    Status(status::Args),
    Config(config::Args),
    Drain(drain::Args),
}

/// One proxy, by its process or by its control socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proxy {
    Process(u32),
    Socket(PathBuf),
}

/// Reads a process id, or a path that is told from one by its slash.
fn proxy(text: &str) -> Result<Proxy, String> {
    if text.contains('/') {
        return Ok(Proxy::Socket(text.into()));
    }
    let process = text.parse().ok().filter(|process| *process > 0).map(Proxy::Process);
    process.ok_or_else(|| {
        format!("`{text}` is neither a process id nor the path of a control socket, ./{text} say")
    })
}

#[cfg(test)]
mod tests;
