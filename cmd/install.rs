//! `meshctl install`

use std::path::PathBuf;
use std::time::Duration;

use meshctl::clock;
use meshctl::cluster::{Cluster, shown};
use meshctl::install::{self, Definitions, Plan, Refusal};
use meshctl::limits;
use meshctl::manifest::gateway_api::{Channel, definitions};
use meshctl::manifest::image::ImageName;
use meshctl::manifest::install::{ServiceType, Settings, objects, render};
use meshctl::names;
use meshctl::yaml;
use serde_json::Value;

use crate::args::{Context, DryRun, Quiet, Wait, examples};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::progress::Progress;
use crate::{cluster, version};

/// Install the controller into a cluster
///
/// Safe to repeat. What it changes is what `--dry-run` prints; `meshctl check` says first what is
/// missing. Definitions of the Gateway API that are there in the same or a newer version are left
/// alone.
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl install --dry-run",
    "meshctl install --dry-run --image registry.example.com/meshctl:1 --replicas 3",
    "meshctl install --wait --service-type ClusterIP",
]))]
pub struct Args {
    #[command(flatten)]
    context: Context,
    #[command(flatten)]
    dry_run: DryRun,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    settings: Chosen,
    /// Copies of the controller
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = replicas())]
    replicas: u32,
    /// Allow Backends on loopback and link-local addresses, Unix sockets and the API server
    #[arg(long)]
    allow_local_backends: bool,
    /// Allow ExternalName Services as backends: they name any host, other namespaces' too
    #[arg(long)]
    allow_external_names: bool,
    /// How Gateways are reached that don't say it themselves
    #[arg(long, value_name = "TYPE")]
    service_type: Option<Reached>,
    #[command(flatten)]
    quiet: Quiet,
}

/// What `install` and `upgrade` are both told.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Chosen {
    /// What the controller and the proxies run [default: meshctl:VERSION, as `image save` calls it]
    #[arg(long, value_name = "IMAGE", value_parser = ImageName::parse)]
    pub image: Option<ImageName>,
    /// The Secret that the image is pulled with, in each namespace that needs it
    #[arg(long, value_name = "SECRET")]
    pub image_pull_secret: Option<String>,
    /// Definitions of the Gateway API to bring where they are missing or older: standard,
    /// experimental, none, or a file or directory [default: standard ones for what is missing]
    #[arg(long, value_name = "CHANNEL|PATH")]
    pub crds: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Reached {
    #[value(name = "LoadBalancer")]
    LoadBalancer,
    #[value(name = "ClusterIP")]
    ClusterIp,
    #[value(name = "NodePort")]
    NodePort,
}

fn replicas() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=9)
}

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let Args {
        context,
        dry_run,
        wait,
        settings: chosen,
        replicas,
        service_type,
        quiet,
        allow_local_backends,
        allow_external_names,
    } = args;
    output.quiet(quiet.quiet);
    let definitions = chosen.definitions(environment)?;
    let settings = Settings {
        version: version::TEXT.to_owned(),
        image: chosen.image.unwrap_or_else(version::image_name).to_string(),
        image_pull_secret: chosen.image_pull_secret,
        replicas,
        arguments: allowed(allow_local_backends, allow_external_names),
        service_type: service_type.map(Reached::service_type),
    };
    if dry_run.dry_run {
        if let Definitions::Missing(_) = definitions {
            output.note("definitions of the Gateway API come too where they are missing: --crds standard prints them");
        }
        let asked = matches!(definitions, Definitions::These(_));
        let mut all = if asked { definitions.objects().to_vec() } else { Vec::new() };
        all.extend(objects(&settings));
        output.text(render(&all))?;
        return Ok(Exit::Yes);
    }
    cluster::run(async {
        let cluster = cluster::connect(&context, environment).await?;
        let found = install::look(&cluster).await?;
        let plan = install::plan(&found, &settings, &definitions).map_err(refused)?;
        perform(&cluster, &plan, output).await?;
        output.note(format_args!("meshctl {} is installed in {}", settings.version, cluster.name));
        finish(&cluster, &wait, &settings.image, output).await
    })
}

fn allowed(local_backends: bool, external_names: bool) -> Vec<String> {
    let flags = [
        (local_backends, names::FLAG_ALLOW_LOCAL_BACKENDS),
        (external_names, names::FLAG_ALLOW_EXTERNAL_NAMES),
    ];
    flags.into_iter().filter(|(given, _)| *given).map(|(_, flag)| flag.to_owned()).collect()
}

/// Applies a plan, and says where.
pub async fn perform(cluster: &Cluster, plan: &Plan, output: &mut Output) -> Result<(), Failure> {
    output.note(format_args!("cluster {} ({})", cluster.name, cluster.server));
    plan.notes.iter().for_each(|note| output.note(note));
    let mut progress = Progress::new(output, plan.objects.len());
    install::apply(cluster, &plan.objects, |object| {
        progress.step(format_args!("applied {}", shown(object)));
    })
    .await?;
    Ok(())
}

/// Waits for the controller, if that was asked for.
pub async fn finish(
    cluster: &Cluster,
    wait: &Wait,
    image: &str,
    output: &mut Output,
) -> Result<Exit, Failure> {
    if !wait.wait {
        output.note("`meshctl check` says how it does");
        return Ok(Exit::Yes);
    }
    let until = clock::now() + wait.timeout;
    let mut progress = Progress::new(output, 0);
    loop {
        let rollout = match install::rollout(cluster).await {
            Err(error) if error.may_pass() && clock::now() < until => {
                progress.state(&error);
                tokio::time::sleep(limits::ROLLOUT_LOOK).await;
                continue;
            }
            rollout => rollout?,
        };
        if rollout.complete {
            break;
        }
        if let Some(trouble) = &rollout.trouble {
            let failure = |exit| {
                let message =
                    format!("pod {}: {}: {}", trouble.pod, trouble.reason, trouble.message);
                Failure::new(exit, message).tip(trouble.advice(image))
            };
            if trouble.is_image() {
                return Err(failure(Exit::No));
            }
            if clock::now() >= until {
                return Err(failure(Exit::NotYet));
            }
            progress.state(format_args!("pod {}: {}", trouble.pod, trouble.reason));
        } else {
            progress.state(format_args!(
                "{} of {} controllers are available",
                rollout.available, rollout.wanted
            ));
        }
        if clock::now() >= until {
            let seconds = wait.timeout.as_secs();
            let message = format!("the controller is not available after {seconds} s");
            return Err(Failure::new(Exit::NotYet, message).tip("`meshctl check` looks again"));
        }
        tokio::time::sleep(pause(until)).await;
    }
    drop(progress);
    output.note("the controller is available");
    Ok(Exit::Yes)
}

fn pause(until: clock::Instant) -> Duration {
    limits::ROLLOUT_LOOK.min(until.saturating_duration_since(clock::now()))
}

pub fn refused(refusal: Refusal) -> Failure {
    Failure::new(Exit::No, refusal.to_string()).tip(refusal.advice())
}

impl Reached {
    fn service_type(self) -> ServiceType {
        match self {
            Self::LoadBalancer => ServiceType::LoadBalancer,
            Self::ClusterIp => ServiceType::ClusterIp,
            Self::NodePort => ServiceType::NodePort,
        }
    }
}

impl Chosen {
    pub fn definitions(&self, environment: &Environment) -> Result<Definitions, Failure> {
        let Some(path) = &self.crds else {
            return Ok(Definitions::Missing(definitions(Channel::Standard)));
        };
        Ok(match path.to_str() {
            Some("none") => Definitions::None,
            Some("standard") => Definitions::These(definitions(Channel::Standard)),
            Some("experimental") => Definitions::These(definitions(Channel::Experimental)),
            _ => Definitions::These(Self::read(environment.absolute(path))?),
        })
    }

    /// Every YAML file of a directory, or the one that was named.
    fn read(path: PathBuf) -> Result<Vec<Value>, Failure> {
        let mut files = vec![path.clone()];
        if path.is_dir() {
            let entries =
                std::fs::read_dir(&path).map_err(|error| Failure::file("read", &path, &error))?;
            files = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
            let is_yaml = |file: &PathBuf| {
                file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
            };
            files.retain(is_yaml);
            files.sort();
        }
        let mut objects = Vec::new();
        for file in files {
            let text = std::fs::read_to_string(&file)
                .map_err(|error| Failure::file("read", &file, &error))?;
            let read = yaml::objects(&text).map_err(|error| {
                let place = format!("{}:{}", file.display(), error.place.line);
                Failure::new(Exit::CouldNotAsk, format!("{place}: {}", error.message))
            })?;
            objects.extend(read.into_iter().filter(|object| object["kind"].is_string()));
        }
        Ok(objects)
    }
}
