//! `meshctl upgrade`

use meshctl::install::{self, Change, Controller};
use meshctl::manifest::install::Settings;

use crate::args::{Context, Quiet, Wait, examples};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::install::{Chosen, finish, perform, refused};
use crate::output::Output;
use crate::{cluster, version};

/// Bring the controller of a cluster to this version
///
/// Its settings stay. Proxies follow one by one, without a failed request.
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl upgrade --plan", "meshctl upgrade --wait"]))]
pub struct Args {
    #[command(flatten)]
    context: Context,
    /// Print what would change and what restarts, and do nothing
    #[arg(long)]
    plan: bool,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    settings: Chosen,
    #[command(flatten)]
    quiet: Quiet,
}

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let Args { context, plan: only_plan, wait, settings: chosen, quiet } = args;
    output.quiet(quiet.quiet);
    let definitions = chosen.definitions(environment)?;
    cluster::run(async {
        let cluster = cluster::connect(&context, environment).await?;
        let found = install::look(&cluster).await?;
        let before = found.controller.clone().unwrap_or_default();
        let settings = settings(chosen, &before);
        let plan = install::upgrade(&found, &settings, &definitions).map_err(refused)?;
        if !only_plan {
            perform(&cluster, &plan, output).await?;
            output.note(format_args!(
                "cluster {}: {} → {}",
                cluster.name, before.version, settings.version
            ));
            return finish(&cluster, &wait, &settings.image, output).await;
        }
        let changes = install::changes(&cluster, &plan.objects).await?;
        output.note(format_args!(
            "cluster {}: {} → {}",
            cluster.name, before.version, settings.version
        ));
        plan.notes.iter().for_each(|note| output.note(note));
        let rows = changes.iter().map(|change| {
            let Change { object, fields, restarts } = change;
            let what = match fields {
                None => "new".to_owned(),
                Some(fields) if fields.is_empty() => "unchanged".to_owned(),
                Some(fields) => fields.join(", "),
            };
            let restarts = if *restarts { "restarts" } else { "" };
            vec![object.clone(), what, restarts.to_owned()]
        });
        output.table(&["OBJECT", "CHANGES", ""], rows.collect())?;
        if settings.image != before.image {
            let proxies = install::proxies(&cluster).await?;
            output.note(format_args!(
                "the image changes: the proxies of {} fleets restart one by one",
                proxies.len()
            ));
        }
        Ok(Exit::Yes)
    })
}

/// What is there stays, unless it was told otherwise or is an older version's own name.
fn settings(chosen: Chosen, before: &Controller) -> Settings {
    let of_old = format!(":{}", before.version);
    let image = match chosen.image {
        Some(image) => image.to_string(),
        None => match before.image.strip_suffix(&of_old) {
            Some(name) if !before.version.is_empty() => format!("{name}:{}", version::TEXT),
            _ if before.image.is_empty() => version::image_name().to_string(),
            _ => before.image.clone(),
        },
    };
    Settings {
        version: version::TEXT.to_owned(),
        image,
        image_pull_secret: chosen.image_pull_secret.or_else(|| before.image_pull_secret.clone()),
        replicas: before.replicas.max(1),
        arguments: before.more_arguments(),
        service_type: None,
    }
}

#[cfg(test)]
mod tests;
