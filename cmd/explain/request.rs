//! `meshctl explain request METHOD URL`

mod by;
mod story;

use std::collections::BTreeSet;

use meshctl::model::{Part, Scope};
use meshctl::proxy::explain::{Asked, NotAsked, Outcome, Question, Told, explain};
use meshctl::snapshot::{Changes, Snapshot};
use serde::Serialize;

use crate::args::{Format, OutputFormat, examples};
use crate::completions::live::{self, GATEWAYS};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::lowered::{Lowered, Target};
use crate::output::Output;
use crate::proxy::{Proxy, proxy};
use crate::units::count;
use by::Story;

/// Tell which listener, route, rule and backend a request meets, and why not the others
///
/// Nothing is sent. A proxy that serves the directory answers by what it serves now, and so does the
/// one that is named; else the configuration is read and decides as a proxy does. Exit code 1 where
/// no backend and no redirect would answer.
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl explain request GET http://localhost:8080/cart -f shop",
    "meshctl explain request GET http://localhost:8080/ -H x-user:1 -f shop -o json",
]))]
pub struct Args {
    /// GET, POST or another
    #[arg(value_name = "METHOD")]
    method: String,
    /// http://HOST[:PORT]/PATH or https:// alike; the port is the listener's
    #[arg(value_name = "URL")]
    url: String,
    /// A header of the request; may be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// The server name of the TLS handshake [default: the URL's host]
    #[arg(long, value_name = "NAME")]
    sni: Option<String>,
    /// The Gateway that the request comes to, where several have the port
    #[arg(long, value_name = "[NAMESPACE/]NAME", add = live::names(GATEWAYS))]
    gateway: Option<String>,
    /// The running proxy that answers: [NAMESPACE/]POD, a process id or a control socket
    #[arg(long, value_name = "PROXY", value_parser = proxy)]
    #[arg(conflicts_with_all = ["gateway", "endpoints", "ports", "classes"])]
    proxy: Option<Proxy>,
    /// Read the configuration, whether or not a proxy serves it
    #[arg(long, conflicts_with = "proxy")]
    no_proxy: bool,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    output: OutputFormat,
}

/// What JSON and YAML carry.
#[derive(Serialize)]
struct Shown<'a> {
    by: &'a str,
    #[serde(flatten)]
    told: &'a Told,
}

/// How many other matches the table tells, and what else is told at most.
const NEAREST: usize = 5;
const MOST: usize = 100;

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let Args { method, url, headers, sni: server_name, gateway, proxy, no_proxy, target, .. } =
        args;
    let format = args.output.format;
    let most = if format == Format::Table { NEAREST } else { MOST };
    let question = Question { method, url, headers, server_name, most };
    let asked = is_asked(question.asked())?;
    let running = match (&proxy, no_proxy || gateway.is_some()) {
        (Some(wanted), _) => Some(by::named(wanted, target.clone(), &question, environment)?),
        (None, false) => by::serving(&target, &question, environment),
        (None, true) => None,
    };
    let Story { by, told } = match running {
        Some(story) => story,
        None => {
            let lowered = target.lower(environment)?;
            let told = at_its_gateway(&lowered, &asked, gateway.as_deref(), most)?;
            if lowered.errors() > 0 {
                let errors = count(lowered.errors(), "error");
                output.note(format_args!("{}: `meshctl check` tells of {errors}", lowered.target));
            }
            Story { by: format!("the configuration of {}", lowered.target), told }
        }
    };
    match format {
        Format::Json | Format::Yaml => output.object(format, &Shown { by: &by, told: &told })?,
        Format::Name => {
            told.route.iter().try_for_each(|route| output.line(&route.route))?;
        }
        Format::Table | Format::Wide => {
            output.text(story::render(&told, &by, output.colours()))?;
        }
    }
    Ok(match told.outcome {
        Outcome::Unheard { .. } | Outcome::Refused { .. } => Exit::No,
        Outcome::Forwarded | Outcome::Redirected { .. } => Exit::Yes,
    })
}

fn is_asked<T>(asked: Result<T, NotAsked>) -> Result<T, Failure> {
    asked.map_err(|NotAsked(why)| Failure::new(Exit::WrongCommandLine, why))
}

/// The story at the proxies of the Gateway that is named, else of the only ones that take the
/// request: listeners of two fleets never meet, and which of them a name leads to is for DNS.
fn at_its_gateway(
    lowered: &Lowered,
    asked: &Asked,
    gateway: Option<&str>,
    most: usize,
) -> Result<Told, Failure> {
    let scopes = scopes(lowered, gateway)?;
    let mut stories: Vec<(Scope, Told)> = scopes
        .into_iter()
        .map(|scope| {
            let snapshot = of_fleet(lowered, &scope);
            let told = explain(&snapshot, asked).tell(asked, &snapshot, most);
            (scope, told)
        })
        .collect();
    let taking = stories.iter().filter(|(_, told)| told.route.is_some()).count();
    if taking > 1 {
        let names: Vec<String> = stories
            .iter()
            .filter(|(_, told)| told.route.is_some())
            .map(|(scope, _)| scope.to_string())
            .collect();
        let message = format!("several Gateways take the request: {}", names.join(", "));
        return Err(Failure::new(Exit::CouldNotAsk, message).tip("name one with --gateway"));
    }
    // One that takes it, else one of whose listeners it came to, else any.
    stories.sort_by_key(|(_, told)| {
        (told.route.is_none(), told.listeners.iter().all(|listener| listener.why_not.is_some()))
    });
    let first = stories.into_iter().next();
    let empty = Snapshot::empty();
    Ok(first.map_or_else(|| explain(&empty, asked).tell(asked, &empty, most), |(_, told)| told))
}

/// The fleets that are asked.
fn scopes(lowered: &Lowered, gateway: Option<&str>) -> Result<BTreeSet<Scope>, Failure> {
    let named = |full: &str, name: &str| match gateway {
        None => true,
        Some(given) if given.contains('/') => given == full,
        Some(given) => given == name,
    };
    let listeners = lowered.parts.iter().filter_map(|part| match part {
        Part::Listener(listener) => Some(listener),
        _ => None,
    });
    let (mut scopes, mut gateways) = (BTreeSet::new(), BTreeSet::new());
    for listener in listeners {
        let full = format!("{}/{}", listener.gateway.namespace, listener.gateway.name);
        if named(&full, &listener.gateway.name) {
            scopes.insert(listener.scope.clone());
        }
        gateways.insert(full);
    }
    match gateway {
        Some(given) if scopes.is_empty() => {
            let message = format!("no Gateway `{given}` has a listener in {}", lowered.target);
            let all: Vec<String> = gateways.into_iter().collect();
            let tip = format!("there are: {}", all.join(", "));
            Err(Failure::new(Exit::CouldNotAsk, message).tip(tip))
        }
        _ => Ok(scopes),
    }
}

/// What the proxies of a fleet serve by.
fn of_fleet(lowered: &Lowered, scope: &Scope) -> Snapshot {
    let theirs = |part: &&Part| match part {
        Part::Listener(listener) => listener.scope == *scope,
        _ => true,
    };
    let upserted = lowered.parts.iter().filter(theirs).cloned().collect();
    Snapshot::empty().apply(&Changes { upserted, removed: Vec::new() })
}
