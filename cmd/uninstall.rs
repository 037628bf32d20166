//! `meshctl uninstall`

use meshctl::clock;
use meshctl::cluster::{Cluster, Resource, shown};
use meshctl::install::{self, Removal};
use meshctl::{limits, names};

use crate::args::{Context, DryRun, Quiet, Yes, examples};
use crate::cluster;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::progress::Progress;

/// Remove the controller, its proxies and our own kinds from a cluster
///
/// Gateways and routes stay as objects, and nobody serves them any more. Definitions of the
/// Gateway API stay: others may need them.
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl uninstall --dry-run", "meshctl uninstall --yes"]))]
pub struct Args {
    #[command(flatten)]
    context: Context,
    #[command(flatten)]
    dry_run: DryRun,
    #[command(flatten)]
    yes: Yes,
    #[command(flatten)]
    quiet: Quiet,
}

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let Args { context, dry_run, yes, quiet } = args;
    output.quiet(quiet.quiet);
    cluster::run(async {
        let cluster = cluster::connect(&context, environment).await?;
        let removal = install::removal(&cluster).await?;
        if removal.objects.is_empty() {
            output.note(format_args!("nothing of ours is in cluster {}", cluster.name));
            return Ok(Exit::Yes);
        }
        if dry_run.dry_run {
            removal.objects.iter().try_for_each(|object| output.line(shown(object)))?;
            return Ok(Exit::Yes);
        }
        if !yes.yes && !agreed(&cluster, &removal, output)? {
            output.note("nothing was removed");
            return Ok(Exit::No);
        }
        let mut progress = Progress::new(output, removal.objects.len());
        install::remove(&cluster, &removal, |object| {
            progress.step(format_args!("deleted {}", shown(object)));
        })
        .await?;
        gone(&cluster, &mut progress).await?;
        drop(progress);
        output.note(format_args!("meshctl is removed from {}", cluster.name));
        output.note("definitions of the Gateway API stay: others may need them");
        Ok(Exit::Yes)
    })
}

/// Everything in it is gone when the namespace is.
async fn gone(cluster: &Cluster, progress: &mut Progress<'_>) -> Result<(), Failure> {
    let until = clock::now() + limits::REMOVAL_WAIT;
    while cluster.get(&Resource::NAMESPACE, None, names::NAMESPACE_SYSTEM).await?.is_some() {
        if clock::now() >= until {
            let message = format!("namespace {} is still being removed", names::NAMESPACE_SYSTEM);
            return Err(Failure::new(Exit::NotYet, message));
        }
        progress.state(format_args!("waiting for namespace {} to end", names::NAMESPACE_SYSTEM));
        tokio::time::sleep(limits::ROLLOUT_LOOK).await;
    }
    Ok(())
}

fn agreed(cluster: &Cluster, removal: &Removal, output: &mut Output) -> Result<bool, Failure> {
    output.note(format_args!("cluster {} ({})", cluster.name, cluster.server));
    let say = |output: &mut Output, what: &str, objects: &[serde_json::Value]| {
        if !objects.is_empty() {
            let mut names: Vec<String> = objects.iter().take(limits::HINTS).map(shown).collect();
            if objects.len() > names.len() {
                names.push(format!("and {} more", objects.len() - names.len()));
            }
            output.note(format_args!("{what}: {}", names.join(", ")));
        }
    };
    say(output, "nobody will serve", &removal.gateways);
    say(output, "deleted with their definitions", &removal.ours);
    let question = format!("remove {} objects of meshctl from it?", removal.objects.len());
    output.ask(question).ok_or_else(|| {
        Failure::new(Exit::WrongCommandLine, "nobody is here to be asked")
            .tip("give --yes; --dry-run lists what would go")
    })
}
