//! `meshctl canary start`

use meshctl::config::duration;
use meshctl::manifest::generate::{self, Subject, percent, steps};
use meshctl::model::{Kind as ObjectKind, ObjectKey};
use meshctl::names::ANNOTATION_ASKED;
use meshctl::rollout::route::Destination;
use meshctl::rollout::state::{self, Intent, State};
use meshctl::rollout::{Rollout, ask};
use meshctl::store::Stored;
use meshctl::{limits, yaml};
use serde_json::{Value, json};

use crate::args::{DryRun, Quiet, examples};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::rollouts::asking::{coloured, diff_of, now, report, settle};
use crate::rollouts::drive::{Driven, drive};
use crate::rollouts::subject::{self, NewBackend};
use crate::rollouts::{self, Kind, Place, Target};

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
    #[arg(long, value_name = "NAME")]
    route: String,
    /// What has them now [default: the route's only backend]
    #[arg(long, value_name = "BACKEND")]
    stable: Option<String>,
    /// What gets more and more of them: SERVICE[:PORT], a Backend, or an address, which gets one
    #[arg(long, value_name = "BACKEND")]
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

/// What is to be written.
struct Planned {
    object: Value,
    rollout: Rollout,
    backend: Option<NewBackend>,
    route: Stored,
}

pub fn run(args: &Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    output.quiet(args.quiet.quiet);
    rollouts::block_on(async {
        let place = args.target.place(environment, output).await?;
        let planned = plan(args, &place).await?;
        let former = former(&place, &args.target, &planned).await?;
        if args.dry_run.dry_run {
            return preview(&place, &planned, output).await;
        }
        let place = made(place)?;
        write(&place, &planned, former, output).await?;
        begin(args, &place, &planned, output).await
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
    let key = ObjectKey::new(
        place.origin(),
        ObjectKind::TrafficRollout,
        subject::namespace(&route),
        object["metadata"]["name"].as_str().unwrap_or_default(),
    );
    let stored =
        Stored { key, value: object.clone(), version: String::new(), place: "the plan".to_owned() };
    let rollout = ask::read(&stored).map_err(|why| Failure::new(Exit::WrongCommandLine, why))?;
    Ok(Planned { object, rollout, backend, route })
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

/// A rollout of the same name that is over makes room; what goes on is in the way.
async fn former(
    place: &Place,
    target: &Target,
    planned: &Planned,
) -> Result<Option<ObjectKey>, Failure> {
    let Rollout { key, route, .. } = &planned.rollout;
    let mut former = None;
    for known in place.all(target).await? {
        let (phase, name) = (known.state.phase, known.name());
        let same =
            (&known.rollout.key.namespace, &known.rollout.key.name) == (&key.namespace, &key.name);
        let of_route = known.rollout.route == *route && known.kind() == Kind::Canary;
        if phase.is_over() {
            former = former.or(same.then(|| known.rollout.key.clone()));
        } else if same || of_route {
            let weight = known.state.weight;
            let message = format!("the rollout {name} goes on ({}, {weight}%)", phase.as_str());
            let command = known.kind().command();
            return Err(Failure::new(Exit::No, message)
                .tip(format!("end it with `meshctl {command} promote {name}` or `abort {name}`")));
        }
    }
    Ok(former)
}

async fn preview(place: &Place, planned: &Planned, output: &mut Output) -> Result<Exit, Failure> {
    let mut diff = String::new();
    let name = planned.rollout.key.name.to_string();
    let file = match place {
        Place::Directory(directory) => directory.home.plan_file(&name).display().to_string(),
        Place::Cluster(_) => planned.rollout.key.to_string(),
    };
    let backend = planned.backend.iter().map(|new| (new.file.display().to_string(), &new.object));
    for (file, object) in backend.chain([(file, &planned.object)]) {
        diff.push_str(&format!("--- /dev/null\n+++ b/{}\n", file.trim_start_matches('/')));
        for line in yaml::write(object).lines() {
            diff.push_str(&format!("+{line}\n"));
        }
    }
    diff.push_str(&diff_of(place, &planned.rollout, &State::default(), &planned.route).await?);
    output.text(coloured(&diff))?;
    Ok(Exit::Yes)
}

fn made(place: Place) -> Result<Place, Failure> {
    Ok(match place {
        Place::Directory(mut directory) => {
            directory.home = directory.home.made()?;
            Place::Directory(directory)
        }
        cluster @ Place::Cluster(_) => cluster,
    })
}

async fn write(
    place: &Place,
    planned: &Planned,
    former: Option<ObjectKey>,
    output: &mut Output,
) -> Result<(), Failure> {
    let key = &planned.rollout.key;
    if let Some(former) = former {
        place.plans().delete(&former).await?;
    }
    let file = match place {
        Place::Directory(directory) => {
            directory.home.forget(key)?;
            directory.home.plan_file(&key.name)
        }
        Place::Cluster(_) => std::path::PathBuf::new(),
    };
    if let Some(NewBackend { object, file }) = &planned.backend {
        place.routes().create(object, file).await?;
        output.note(format_args!("{} is the new version's Backend", file.display()));
    }
    place.plans().create(&planned.object, &file).await?;
    place.audit(&planned.rollout, "started", "nothing".to_owned(), "0%".to_owned())
}

async fn begin(
    args: &Args,
    place: &Place,
    planned: &Planned,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let Rollout { key, route, ask, .. } = &planned.rollout;
    let name = &key.name;
    let first = args.steps.as_ref().and_then(|steps| steps.first());
    let to = first.map_or("0%".to_owned(), |first| format!("{first}%"));
    output.note(format_args!(
        "{}, {route}: {name} 0% → {to}; back: meshctl canary abort {name}",
        place.words(),
    ));
    let stored = place.plans().get(key).await?;
    let stored = stored.ok_or_else(|| Failure::new(Exit::No, format!("{key} is gone")))?;
    let known = place.known(stored)?;
    if args.steps.is_some() && !args.detach && matches!(place, Place::Directory(_)) {
        return drive(place, &Driven::One(key.clone()), output).await;
    }
    let asked: &state::Ask = ask;
    let settled = settle(place, &known, asked).await?;
    let exit = report(place, &settled, output)?;
    if args.steps.is_none() {
        output.note("by hand: meshctl canary shift 10%; step by step: meshctl canary resume");
    }
    Ok(exit)
}
