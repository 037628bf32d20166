//! `meshctl generate canary`

use std::path::{Path, PathBuf};

use meshctl::config::duration;
use meshctl::manifest::generate::{
    Canary, Copied, Parent, Route, SecondVersion, Subject, Target, percent, steps,
};
use meshctl::yaml;
use serde_json::Value;

use super::printing::{Printing, read};
use super::route::Requests;
use crate::args::examples;
use crate::completions::live::{self, ROUTES};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Print the plan of a canary, and with --from all that it needs
///
/// --from reads a Deployment, and better its Service and route too, and prints a second Deployment
/// and Service that the stable Service doesn't select, the route with all requests on the stable
/// version, and the plan.
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl generate canary --route shop --stable shop-v1:80 --canary shop-v2:80 --steps 5,50",
    "meshctl generate canary --from deployment.yaml --image shop:2 --gateway front",
]))]
pub struct Args {
    /// The name of the rollout [default: the route's]
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Whose requests [default with --from: what stands there, or the stable Service's name]
    #[arg(long, value_name = "NAME", required_unless_present = "from", add = live::names(ROUTES))]
    route: Option<String>,
    /// What the route is
    #[arg(long, value_name = "KIND", default_value = "http")]
    kind: Requests,
    /// What has all requests now, SERVICE:PORT or Backend/NAME
    #[arg(long, value_name = "TARGET", value_parser = Target::parse)]
    #[arg(required_unless_present = "from")]
    stable: Option<Target>,
    /// What gets more and more of them
    #[arg(long, value_name = "TARGET", value_parser = Target::parse)]
    #[arg(required_unless_present = "from", conflicts_with = "from")]
    canary: Option<Target>,
    /// The percentages on the way
    #[arg(long, value_name = "LIST", default_value = "1,5,25,50")]
    steps: String,
    /// The time between two steps
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    interval: String,
    /// How many requests may fail, as a percentage
    #[arg(long, value_name = "PERCENT", default_value = "1%")]
    error_rate: String,
    /// How long the slowest of a hundred requests may take, as in 500ms
    #[arg(long, value_name = "DURATION")]
    p99: Option<String>,
    /// How many requests a verdict needs
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    min_requests: u32,
    /// The manifests of what runs, or - for standard input
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, requires = "image")]
    from: Option<PathBuf>,
    /// What the second version runs
    #[arg(long, value_name = "IMAGE", requires = "from")]
    image: Option<String>,
    /// The container whose image it is, where there are several
    #[arg(long, value_name = "NAME", requires = "from")]
    container: Option<String>,
    /// The Gateway of the route, where --from has no route; may be given several times
    #[arg(long = "gateway", value_name = "[NS/]NAME[/LISTENER]", value_parser = Parent::parse)]
    #[arg(requires = "from")]
    gateways: Vec<Parent>,
    /// The hostname of that route; may be given several times
    #[arg(long = "hostname", value_name = "NAME", requires = "from")]
    hostnames: Vec<String>,
    #[command(flatten)]
    printing: Printing,
}

pub fn run(
    mut args: Args,
    environment: &Environment,
    output: &mut Output,
) -> Result<Exit, Failure> {
    output.quiet(args.printing.quiet.quiet);
    for (flag, target) in [("--stable", &args.stable), ("--canary", &args.canary)] {
        if target.as_ref().is_some_and(|target| target.weight.is_some()) {
            return Err(wrong(format!("{flag} has no weight: --steps says the weights")));
        }
    }
    let mut objects = Vec::new();
    let (stable, canary) = match (args.from.take(), &args.stable, &args.canary) {
        (Some(path), ..) => {
            let copied = second_version(&args, &path, environment)?;
            copied.notes.iter().for_each(|note| output.note(format_args!("note: {note}")));
            args.printing.namespace = args.printing.namespace.take().or(copied.namespace.clone());
            let route = route(&mut args, &copied, environment)?;
            objects.extend([copied.deployment, copied.service]);
            objects.extend(route);
            (copied.stable, copied.canary)
        }
        (None, Some(stable), Some(canary)) => (stable.clone(), canary.clone()),
        (None, ..) => return Err(wrong("--stable and --canary are needed".to_owned())),
    };
    let plan = rollout(&args, stable, canary)?.plan();
    objects.extend(args.printing.objects(&plan, environment)?);
    args.printing.print(&objects, output)
}

fn wrong(message: String) -> Failure {
    Failure::new(Exit::WrongCommandLine, message)
}

fn second_version(args: &Args, path: &Path, environment: &Environment) -> Result<Copied, Failure> {
    let refused = |why: &dyn std::fmt::Display| {
        Failure::new(Exit::No, format!("no second version of {}: {why}", path.display()))
    };
    let text = read(path, environment)?;
    let objects = yaml::objects(&text).map_err(|error| {
        refused(&format_args!("{}:{}: {}", error.place.line, error.place.column, error.message))
    })?;
    let objects: Vec<Value> = objects.into_iter().flat_map(items).collect();
    let version = SecondVersion {
        objects: &objects,
        image: args.image.as_deref().unwrap_or_default(),
        container: args.container.as_deref(),
        stable: args.stable.as_ref(),
        route: args.route.as_deref(),
    };
    version.copy().map_err(|error| refused(&error))
}

/// What kubectl prints of several objects is a list of them.
fn items(mut object: Value) -> Vec<Value> {
    if object["kind"] != "List" {
        return vec![object];
    }
    match object["items"].take() {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}

/// The file's own route, or a new one. What it is called is what the plan names.
fn route(
    args: &mut Args,
    copied: &Copied,
    environment: &Environment,
) -> Result<Vec<Value>, Failure> {
    if let Some(route) = &copied.route {
        let name = route["metadata"]["name"].as_str().unwrap_or_default();
        args.route = Some(name.to_owned());
        args.kind = if route["kind"] == "GRPCRoute" { Requests::Grpc } else { Requests::Http };
        return Ok(vec![route.clone()]);
    }
    if args.gateways.is_empty() {
        let message = format!("no route to Service {} stands there", copied.stable.name);
        return Err(wrong(message).tip("name the Gateway of a new one: --gateway front"));
    }
    let name = args.route.get_or_insert_with(|| copied.stable.name.clone()).clone();
    let weighted = |target: &Target, weight| Target { weight: Some(weight), ..target.clone() };
    let plan = Route {
        name,
        namespace: args.printing.namespace.clone(),
        grpc: args.kind == Requests::Grpc,
        gateways: args.gateways.clone(),
        hostnames: args.hostnames.clone(),
        paths: Vec::new(),
        to: vec![weighted(&copied.stable, 100), weighted(&copied.canary, 0)],
    };
    args.printing.objects(&plan.plan(), environment)
}

fn rollout(args: &Args, stable: Target, canary: Target) -> Result<Canary, Failure> {
    let of = |flag: &str, why: String| wrong(format!("{flag}: {why}"));
    let duration = |flag: &str, text: &str| {
        duration::parse(text).map(|_| text.to_owned()).map_err(|why| of(flag, why.to_owned()))
    };
    let route = args.route.clone().unwrap_or_default();
    percent(&args.error_rate).map_err(|why| of("--error-rate", why))?;
    Ok(Canary {
        subject: Subject {
            name: args.name.clone().unwrap_or_else(|| route.clone()),
            namespace: args.printing.namespace.clone(),
            route,
            grpc: args.kind == Requests::Grpc,
        },
        stable,
        canary,
        steps: steps(&args.steps).map_err(|why| of("--steps", why))?,
        interval: duration("--interval", &args.interval)?,
        error_rate: Some(format!("{}%", args.error_rate.trim_end_matches('%'))),
        p99: args.p99.as_deref().map(|text| duration("--p99", text)).transpose()?,
        min_requests: Some(args.min_requests),
    })
}
