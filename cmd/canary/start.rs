//! `meshctl canary start`

use meshctl::config::duration;
use meshctl::limits;
use meshctl::manifest::generate::{self, Subject, percent, steps};
use meshctl::model::Kind as ObjectKind;
use meshctl::names::ANNOTATION_ASKED;
use meshctl::rollout::Rollout;
use meshctl::rollout::route::Destination;
use meshctl::rollout::state::Intent;
use meshctl::store::Stored;
use serde_json::{Value, json};

use crate::args::{DryRun, Quiet, examples};
use crate::completions::live::{self, BACKENDS, ROUTES};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::rollouts::asking::{now, report, settle};
use crate::rollouts::begin::Planned;
use crate::rollouts::drive::{Driven, drive};
use crate::rollouts::{self, Known, Place, Target, subject};

/// Begin a canary
///
/// With --steps the weight grows step by step while the gates hold; in a directory the command stays
/// and advances it, as `meshctl canary run` does. Without, it begins at no weight: `meshctl canary
/// shift 10%` sets one by hand, `meshctl canary resume` goes step by step.
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl canary start --route shop --stable shop-v1 --canary shop-v2 --steps 1,5,25,50",
    "meshctl canary start --route shop --canary localhost:3001 --dry-run",
]))]
pub struct Args {
    /// Whose requests
    #[arg(long, value_name = "NAME", add = live::names(ROUTES))]
    route: String,
    /// What has them now [default: the route's only backend]
    #[arg(long, value_name = "BACKEND", add = live::names(BACKENDS))]
    stable: Option<String>,
    /// What gets more and more of them: SERVICE[:PORT], a Backend, or an address, which gets one
    #[arg(long, value_name = "BACKEND", add = live::names(BACKENDS))]
    canary: String,
    /// Only this rule of the route
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// The percentages on the way, as in 1,5,25,50
    #[arg(long, value_name = "LIST", value_parser = steps)]
    steps: Option<Steps>,
    /// How long each step is looked at
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    interval: String,
    /// How many of the new version's requests may fail
    #[arg(long, value_name = "PERCENT", default_value = "1%")]
    max_errors: String,
    /// How long the slowest of a hundred requests may take, as in 500ms
    #[arg(long, value_name = "DURATION")]
    max_p99: Option<String>,
    /// How many requests a verdict needs
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    min_requests: u32,
    /// What the rollout is called [default: as the route]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Don't stay: something else advances it
    #[arg(long)]
    detach: bool,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    dry_run: DryRun,
    #[command(flatten)]
    quiet: Quiet,
}

/// A list in one flag.
type Steps = Vec<u8>;

pub fn run(args: &Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    output.quiet(args.quiet.quiet);
    rollouts::block_on(async {
        let place = args.target.place(environment, output).await?;
        let planned = plan(args, &place).await?;
        if args.dry_run.dry_run {
            return planned.preview(&place, &args.target, output).await;
        }
        let (place, known) = planned.write(place, &args.target, output).await?;
        begin(args, &place, &known, output).await
    })
}

async fn plan(args: &Args, place: &Place) -> Result<Planned, Failure> {
    let route = subject::route(place, &args.target, &args.route).await?;
    let rule = args.rule.as_deref();
    let (canary, backend) = subject::new_version(place, &route, rule, &args.canary).await?;
    let stable = subject::stable(&route, rule, args.stable.as_deref(), &canary)?;
    if stable == canary {
        let message = format!("the stable version and the canary are both {stable}");
        return Err(Failure::new(Exit::WrongCommandLine, message)
            .tip("the canary is the new version's Service"));
    }
    let object = object(args, &route, &stable, &canary)?;
    Planned::new(place, object, backend, route)
}

/// The rollout, with its gates written out: what holds is to be seen.
fn object(
    args: &Args,
    route: &Stored,
    stable: &Destination,
    canary: &Destination,
) -> Result<Value, Failure> {
    let wrong = |flag: &str, why: &dyn std::fmt::Display| {
        Failure::new(Exit::WrongCommandLine, format!("{flag}: {why}"))
    };
    let time = |flag: &str, text: &str| {
        duration::parse(text).map(|_| text.to_owned()).map_err(|why| wrong(flag, &why))
    };
    let errors = args.max_errors.trim_end_matches('%');
    if percent(errors.split('.').next().unwrap_or_default()).is_err() && errors.parse() != Ok(0.0) {
        return Err(wrong("--max-errors", &"write it as in 1% or 0.5%"));
    }
    let default: Vec<u8> =
        limits::ROLLOUT_WEIGHTS.iter().filter_map(|weight| u8::try_from(*weight).ok()).collect();
    let plan = generate::Canary {
        subject: Subject {
            name: args.name.clone().unwrap_or_else(|| route.key.name.to_string()),
            namespace: route.value["metadata"]["namespace"].as_str().map(str::to_owned),
            route: route.key.name.to_string(),
            grpc: route.key.kind == ObjectKind::GrpcRoute,
        },
        stable: subject::written(stable),
        canary: subject::written(canary),
        steps: args.steps.clone().unwrap_or(default),
        interval: time("--interval", &args.interval)?,
        error_rate: Some(format!("{errors}%")),
        p99: args.max_p99.as_deref().map(|text| time("--max-p99", text)).transpose()?,
        min_requests: Some(args.min_requests),
    };
    let objects = plan.plan().objects(None).expect("a test fills our own templates");
    let mut object = objects.into_iter().next().expect("the template has one object");
    if let Some(rule) = &args.rule {
        object["spec"]["targetRef"]["sectionName"] = json!(rule);
    }
    let intent = if args.steps.is_some() { Intent::Running } else { Intent::Paused };
    object["metadata"]["annotations"] = json!({ ANNOTATION_ASKED: now().to_string() });
    object["spec"]["state"] = json!(intent.as_str());
    Ok(object)
}

async fn begin(
    args: &Args,
    place: &Place,
    known: &Known,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let Rollout { key, route, ask, .. } = &known.rollout;
    let name = &key.name;
    let first = args.steps.as_ref().and_then(|steps| steps.first());
    let begins = first.map_or("begins at 0%".to_owned(), |first| format!("0% → {first}%"));
    output.note(format_args!(
        "{}, {route}: {name} {begins}; back: meshctl canary abort {name}",
        place.words(),
    ));
    if args.steps.is_some() && !args.detach && matches!(place, Place::Directory(_)) {
        return drive(place, &Driven::One(key.clone()), output).await;
    }
    let settled = settle(place, known, ask).await?;
    let exit = report(place, &settled, output)?;
    if args.steps.is_none() {
        output.note("by hand: meshctl canary shift 10%; step by step: meshctl canary resume");
    }
    Ok(exit)
}
