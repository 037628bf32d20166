//! `meshctl proxy status`

use http::Method;
use serde_json::{Value, json};

use super::cluster::{self, Target};
use super::{Proxy, ask, chosen, name, proxy};
use crate::args::{Format, OutputFormat, examples};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::units::age;

/// Show the proxies of this machine or of a cluster, and how far each is
///
/// In a cluster the controllers are asked whether each serves what it was told last; that takes
/// the permission `pods/exec` in meshctl-system. Exit code 1 where one isn't ready or behind, 4
/// where one doesn't answer.
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl proxy status",
    "meshctl proxy status -o json",
    "meshctl proxy status -n shop -o wide",
]))]
pub struct Args {
    /// One proxy: [NAMESPACE/]POD, a process id or a control socket [default: all]
    #[arg(value_name = "PROXY", value_parser = proxy)]
    pub proxy: Option<Proxy>,
    #[command(flatten)]
    pub target: Target,
    #[command(flatten)]
    pub output: OutputFormat,
}

pub fn run(args: &Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let wanted = args.proxy.as_ref();
    if args.target.is_cluster(wanted, environment, output)? {
        return cluster::status(&args.target, wanted, args.output.format, environment, output);
    }
    let found = chosen(wanted, &args.target.serving, environment)?;
    let wide = args.output.format == Format::Wide;
    let mut rows = Vec::new();
    let mut objects = Vec::new();
    let (mut ready, mut silent) = (true, None);
    for proxy in &found {
        let mut status = match ask(proxy, Method::GET, "/status") {
            Ok(status) => status,
            // The others' state is wanted all the more.
            Err(Failure::Said { message, .. }) if found.len() > 1 => {
                output.note(&message);
                silent = Some(Exit::CouldNotAsk);
                continue;
            }
            Err(failure) => return Err(failure),
        };
        ready &= status["ready"] == true;
        if let Value::Object(status) = &mut status {
            status.insert("socket".to_owned(), json!(proxy.socket.display().to_string()));
        }
        let mut row = row(&name(proxy), &status);
        if wide {
            row.extend(more(&status));
        }
        rows.push(row);
        objects.push(status);
    }
    let mut headings =
        vec!["PROXY", "STATE", "GENERATION", "ERRORS", "WARNINGS", "UPTIME", "LISTENERS"];
    if wide {
        headings.extend(MORE);
    }
    output.rows(args.output.format, &headings, rows, &objects)?;
    for status in &objects {
        for sentence in status["notListening"].as_array().into_iter().flatten() {
            output.note(sentence.as_str().unwrap_or_default());
        }
        if let (Some(false), Some(why)) =
            (status["controller"]["connected"].as_bool(), status["controller"]["reason"].as_str())
        {
            output.note(format_args!("{why}; what is known is served on"));
        }
    }
    Ok(silent.unwrap_or(if ready { Exit::Yes } else { Exit::No }))
}

fn row(name: &str, status: &Value) -> Vec<String> {
    let listeners: Vec<&str> = status["listeners"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|listener| listener["address"].as_str())
        .collect();
    vec![
        name.to_owned(),
        state(status),
        status["generation"].to_string(),
        status["errors"].to_string(),
        status["warnings"].to_string(),
        age(status["uptimeSeconds"].as_u64().unwrap_or(0)),
        listeners.join(", "),
    ]
}

/// As it says itself.
pub fn state(status: &Value) -> String {
    match (status["ready"] == true, status["draining"] == true) {
        (_, true) => "draining".to_owned(),
        (true, false) => "ready".to_owned(),
        (false, false) => match status["reason"].as_str() {
            Some(reason) => format!("not ready: {reason}"),
            None => "not ready".to_owned(),
        },
    }
}

/// What the wide table has besides.
const MORE: [&str; 7] =
    ["PID", "VERSION", "WORKERS", "CONNECTIONS", "METRICS", "CONFIGURATION", "SOCKET"];

fn more(status: &Value) -> [String; 7] {
    let text = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let sources: Vec<String> =
        status["sources"].as_array().into_iter().flatten().map(text).collect();
    let sources = if sources.is_empty() { "-".to_owned() } else { sources.join(", ") };
    let [pid, version, workers, connections, observe, socket] =
        ["pid", "version", "workers", "connections", "observe", "socket"]
            .map(|name| text(&status[name]));
    [pid, version, workers, connections, observe, sources, socket]
}
