//! `meshctl proxy VERB`: serve, and ask those who serve.

pub mod ask;
pub mod cluster;
pub mod config;
mod controller;
pub mod drain;
pub mod every;
pub mod log;
pub mod run;
pub mod status;

use std::path::{Path, PathBuf};
use std::time::Duration;

use meshctl::names;
use meshctl::proxy::control::{self, AskError};
use serde_json::Value;

use crate::args::{Serving, examples};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::mesh;
use crate::output::Output;

/// How long a proxy may take for an answer.
const WAIT: Duration = Duration::from_secs(10);

/// Serve traffic, and ask the proxies of this machine or of a cluster
#[derive(clap::Subcommand)]
#[command(after_help = examples(&["meshctl proxy run -f shop", "meshctl proxy status"]))]
pub enum Command {
    Run(Box<run::Args>),
    Status(status::Args),
    Config(config::Args),
    Drain(drain::Args),
    #[command(hide = true)]
    Ask(ask::Args),
}

pub fn run(
    command: Command,
    environment: &Environment,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match command {
        Command::Run(args) => run::run(*args, environment, output),
        Command::Status(args) => status::run(&args, environment, output),
        Command::Config(args) => config::run(&args, environment, output),
        Command::Drain(args) => drain::run(&args, environment, output),
        Command::Ask(args) => ask::run(&args, environment, output),
    }
}

/// One proxy: of this machine by its process or its control socket, of a cluster by its pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proxy {
    Process(u32),
    Socket(PathBuf),
    Pod { namespace: Option<String>, name: String },
}

/// A number is a process and `NAME` or `NAMESPACE/NAME` a pod; anything else with a slash, or
/// with a socket's ending, is a path.
pub fn proxy(text: &str) -> Result<Proxy, String> {
    let is_path = text.starts_with(['/', '.']) || text.ends_with(names::CONTROL_SOCKET_SUFFIX);
    let (namespace, name) = match text.split_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, text),
    };
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_path && !is_number && is_name(name) && namespace.is_none_or(is_name) {
        let (namespace, name) = (namespace.map(str::to_owned), name.to_owned());
        return Ok(Proxy::Pod { namespace, name });
    }
    if text.contains('/') {
        return Ok(Proxy::Socket(text.into()));
    }
    let process = text.parse().ok().filter(|process| *process > 0).map(Proxy::Process);
    process.ok_or_else(|| {
        format!(
            "`{text}` is neither a process id, nor a pod, nor the path of a control socket, \
             ./{text} say"
        )
    })
}

/// As Kubernetes names pods and namespaces (RFC 1123).
fn is_name(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut bytes = text.bytes();
    bytes.all(|byte| inside(byte) || byte == b'-' || byte == b'.')
        && text.bytes().next().is_some_and(inside)
        && text.bytes().last().is_some_and(inside)
}

/// The proxies that are meant: the one that was named, else those that serve what was named, else
/// all that are found. There is at least one.
pub fn chosen(
    wanted: Option<&Proxy>,
    serving: &Serving,
    environment: &Environment,
) -> Result<Vec<control::Proxy>, Failure> {
    let found = found(wanted, environment)?;
    if found.is_empty() {
        return Err(none(environment));
    }
    let Some(file) = &serving.file else { return Ok(found) };
    let of_file = those_serving(file, &found)?;
    if of_file.is_empty() {
        let names: Vec<String> = found.iter().map(name).collect();
        let message = format!("no proxy that runs here serves {}", file.display());
        let tip = format!(
            "here are {}; `meshctl proxy status -o wide` shows what each serves",
            names.join(", ")
        );
        return Err(Failure::new(Exit::CouldNotAsk, message).tip(tip));
    }
    Ok(of_file)
}

fn found(
    wanted: Option<&Proxy>,
    environment: &Environment,
) -> Result<Vec<control::Proxy>, Failure> {
    if let Some(Proxy::Pod { name, .. }) = wanted {
        let message = format!("`{name}` is a pod's name, and what runs on this machine is meant");
        return Err(Failure::new(Exit::WrongCommandLine, message)
            .tip("name a process or a control socket; what ends a pod is `kubectl delete pod`"));
    }
    if let Some(Proxy::Socket(path)) = wanted {
        return Ok(vec![control::Proxy { socket: environment.absolute(path), pid: None }]);
    }
    let directories = mesh::run_dirs(environment);
    let found = control::find(&directories);
    let Some(Proxy::Process(pid)) = wanted else { return Ok(found) };
    let of_process: Vec<_> = found.into_iter().filter(|proxy| proxy.pid == Some(*pid)).collect();
    if of_process.is_empty() {
        let message = format!("no proxy of process {pid} was found");
        return Err(Failure::new(Exit::CouldNotAsk, message).tip(looked_in(&directories)));
    }
    Ok(of_process)
}

/// Those of `proxies` that serve `file`, as they say themselves.
fn those_serving(file: &Path, proxies: &[control::Proxy]) -> Result<Vec<control::Proxy>, Failure> {
    let file = file.canonicalize().map_err(|error| Failure::file("find", file, &error))?;
    let file = file.display().to_string();
    let serves = |proxy: &&control::Proxy| {
        let status = ask(proxy, http::Method::GET, "/status").unwrap_or_default();
        let mut sources = status["sources"].as_array().into_iter().flatten();
        sources.any(|source| source.as_str() == Some(&file))
    };
    Ok(proxies.iter().filter(serves).cloned().collect())
}

/// The one proxy that is meant. Of several, the one of the mesh that the command is given in.
pub fn one(
    wanted: Option<&Proxy>,
    serving: &Serving,
    environment: &Environment,
) -> Result<control::Proxy, Failure> {
    let mut found = chosen(wanted, serving, environment)?;
    if let (true, Some(here)) = (found.len() > 1, mesh::here(environment)) {
        let near = those_serving(&here, &found)?;
        if !near.is_empty() {
            found = near;
        }
    }
    match (found.pop(), found.len()) {
        (Some(proxy), 0) => Ok(proxy),
        (Some(last), _) => {
            let names: Vec<String> = found.iter().chain([&last]).map(name).collect();
            let message = format!("several proxies run here: {}", names.join(", "));
            Err(Failure::new(Exit::CouldNotAsk, message)
                .tip("name one of them, or what it serves with -f"))
        }
        (None, _) => Err(none(environment)),
    }
}

fn none(environment: &Environment) -> Failure {
    Failure::new(Exit::CouldNotAsk, "no proxy runs here")
        .tip(looked_in(&mesh::run_dirs(environment)))
}

fn looked_in(directories: &[PathBuf]) -> String {
    let names: Vec<String> = directories.iter().map(|path| path.display().to_string()).collect();
    format!("looked in {}; a control socket elsewhere can be named by its path", names.join(", "))
}

pub fn name(proxy: &control::Proxy) -> String {
    match proxy.pid {
        Some(pid) => pid.to_string(),
        None => proxy.socket.display().to_string(),
    }
}

/// What stands at a control door, as it is.
pub fn get(socket: &Path, target: &str) -> Result<bytes::Bytes, AskError> {
    let (status, body) = exchange(socket, http::Method::GET, target)?;
    if status.is_success() {
        return Ok(body);
    }
    Err(AskError::Broken(String::from_utf8_lossy(&body).trim().to_owned()))
}

fn exchange(
    socket: &Path,
    method: http::Method,
    target: &str,
) -> Result<(http::StatusCode, bytes::Bytes), AskError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| AskError::Broken(error.to_string()))?;
    runtime.block_on(control::ask(socket, method, target, WAIT))
}

/// One question to one proxy, and its answer.
pub fn ask(proxy: &control::Proxy, method: http::Method, target: &str) -> Result<Value, Failure> {
    let answer = exchange(&proxy.socket, method, target);
    let (status, body) = answer.map_err(|error| unanswered(proxy, &error))?;
    if !status.is_success() {
        let reason = String::from_utf8_lossy(&body);
        let message = format!("the proxy {} refused: {}", name(proxy), reason.trim());
        return Err(Failure::new(Exit::CouldNotAsk, message));
    }
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&body)
        .map_err(|error| unanswered(proxy, &AskError::Broken(error.to_string())))
}

fn unanswered(proxy: &control::Proxy, error: &AskError) -> Failure {
    let path = proxy.socket.display();
    Failure::new(Exit::CouldNotAsk, format!("the proxy at {path} gave no answer: {error}"))
}

#[cfg(test)]
mod tests;
