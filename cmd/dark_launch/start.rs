//! `meshctl dark-launch start`

use meshctl::manifest::generate::{DarkLaunch, Subject, percent};
use meshctl::model::Kind as ObjectKind;
use meshctl::names::ANNOTATION_ASKED;
use meshctl::rollout::Rollout;
use meshctl::rollout::state::Intent;
use serde_json::{Value, json};

use crate::args::{DryRun, Quiet, examples};
use crate::completions::live::{self, BACKENDS, ROUTES};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::rollouts::asking::{now, report, settle};
use crate::rollouts::begin::Planned;
use crate::rollouts::{self, Place, Target, subject};

/// Begin to copy requests
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl dark-launch start --route shop --to shop-v2 --percent 20%",
    "meshctl dark-launch start --route shop --to localhost:3001 --percent 1% --dry-run",
]))]
pub struct Args {
    /// Whose requests
    #[arg(long, value_name = "NAME", add = live::names(ROUTES))]
    route: String,
    /// Where the copies go: SERVICE[:PORT], a Backend, or an address, which gets one
    #[arg(long, value_name = "BACKEND", add = live::names(BACKENDS))]
    to: String,
    /// How many requests are copied
    #[arg(long, value_name = "PERCENT", value_parser = percent, default_value = "100%")]
    percent: u8,
    /// Only this rule of the route
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// What it is called [default: as the route, with -dark]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    dry_run: DryRun,
    #[command(flatten)]
    quiet: Quiet,
}

pub fn run(args: &Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    output.quiet(args.quiet.quiet);
    rollouts::block_on(async {
        let place = args.target.place(environment, output).await?;
        let planned = plan(args, &place).await?;
        if args.dry_run.dry_run {
            return planned.preview(&place, &args.target, output).await;
        }
        let (place, known) = planned.write(place, &args.target, output).await?;
        let Rollout { key, route, ask, .. } = &known.rollout;
        output.note(format_args!(
            "{}, {route}: {} 0% → {}% of the requests; back: meshctl dark-launch stop {}",
            place.words(),
            key.name,
            args.percent,
            key.name,
        ));
        let settled = settle(&place, &known, ask).await?;
        report(&place, &settled, output)
    })
}

async fn plan(args: &Args, place: &Place) -> Result<Planned, Failure> {
    let route = subject::route(place, &args.target, &args.route).await?;
    let rule = args.rule.as_deref();
    let (to, backend) = subject::new_version(place, &route, rule, &args.to).await?;
    let plan = DarkLaunch {
        subject: Subject {
            name: args.name.clone().unwrap_or_else(|| format!("{}-dark", route.key.name)),
            namespace: route.value["metadata"]["namespace"].as_str().map(str::to_owned),
            route: route.key.name.to_string(),
            grpc: route.key.kind == ObjectKind::GrpcRoute,
        },
        to: subject::written(&to),
        percent: args.percent,
    };
    let objects = plan.plan().objects(None).expect("a test fills our own templates");
    let mut object: Value = objects.into_iter().next().expect("the template has one object");
    if let Some(rule) = rule {
        object["spec"]["targetRef"]["sectionName"] = json!(rule);
    }
    object["metadata"]["annotations"] = json!({ ANNOTATION_ASKED: now().to_string() });
    object["spec"]["state"] = json!(Intent::Running.as_str());
    Planned::new(place, object, backend, route)
}
