//! `meshctl proxy drain`

use std::time::Instant;

use http::Method;
use meshctl::proxy::control;

use super::{Proxy, ask, chosen, name, one, proxy};
use crate::args::{Serving, Wait, examples};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Let a proxy finish what it has, take nothing new, and end
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl proxy drain --wait", "meshctl proxy drain --all"]))]
pub struct Args {
    /// The proxy, by its process id or its control socket; needed where several run
    #[arg(value_name = "PROXY", value_parser = proxy, conflicts_with = "all")]
    pub proxy: Option<Proxy>,
    /// Every proxy of this machine; with -f, every one that serves that
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub serving: Serving,
    #[command(flatten)]
    pub wait: Wait,
}

pub fn run(args: &Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let proxies = if args.all {
        chosen(None, &args.serving, environment)?
    } else {
        vec![one(args.proxy.as_ref(), &args.serving, environment)?]
    };
    for proxy in &proxies {
        ask(proxy, Method::POST, "/drain")?;
        output.note(format_args!("{} drains", name(proxy)));
    }
    if args.wait.wait && !all_ended(&proxies, args.wait.timeout) {
        output.note(format_args!("still draining after {:?}", args.wait.timeout));
        return Ok(Exit::NotYet);
    }
    Ok(Exit::Yes)
}

/// A proxy that has ended takes its socket with it.
fn all_ended(proxies: &[control::Proxy], timeout: std::time::Duration) -> bool {
    #[expect(clippy::disallowed_methods, reason = "a command waits for the world")]
    let start = Instant::now();
    loop {
        if proxies.iter().all(|proxy| !proxy.socket.exists()) {
            return true;
        }
        if start.elapsed() >= timeout {
            return false;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}
