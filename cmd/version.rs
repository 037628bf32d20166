//! `meshctl version`

use std::collections::{BTreeMap, BTreeSet};

use meshctl::cluster::{Cluster, ClusterError};
use meshctl::manifest::image::ImageName;
use meshctl::{install, limits, names};
use serde::Serialize;

use crate::args::{Context, Format, OutputFormat, examples};
use crate::cluster;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Set by install.sh: a build script would build everything anew at each commit.
const COMMIT: Option<&str> = option_env!("MESHCTL_COMMIT");

/// What `--version` says.
pub const TEXT: &str = VERSION;

/// What `image save` calls the image and `install` asks for, unless they are told.
pub fn image_name() -> ImageName {
    ImageName::parse(concat!("meshctl:", env!("CARGO_PKG_VERSION"))).expect("a version is a tag")
}

/// Print the version, the commit it was built from, and what it speaks
///
/// And the versions of the controller and the proxies, where a cluster answers at once.
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl version", "meshctl version -o json"]))]
pub struct Args {
    #[command(flatten)]
    context: Context,
    #[command(flatten)]
    output: OutputFormat,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    version: &'static str,
    commit: &'static str,
    platform: String,
    gateway_api: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<InCluster>,
}

/// What a cluster runs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InCluster {
    name: String,
    kubernetes: String,
    /// `None`: not installed.
    controller: Option<String>,
    /// How many fleets run which version.
    proxies: BTreeMap<String, usize>,
    /// The definitions of the Gateway API: `v1.6.0 (standard)`.
    gateway_api: BTreeSet<String>,
    /// What is not of one version, and what to do.
    skew: Vec<String>,
}

pub fn run(args: &Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let version = Version {
        version: TEXT,
        commit: COMMIT.filter(|commit| !commit.is_empty()).unwrap_or("unknown"),
        platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        gateway_api: names::GATEWAY_API_VERSION,
        cluster: glance(&args.context, environment, output),
    };
    match args.output.format {
        Format::Json | Format::Yaml => output.object(args.output.format, &version)?,
        Format::Name => output.line(version.version)?,
        Format::Table | Format::Wide => {
            output.line(format_args!(
                "meshctl {} (commit {}, {}, Gateway API {})",
                version.version, version.commit, version.platform, version.gateway_api
            ))?;
            if let Some(cluster) = &version.cluster {
                output.line(cluster)?;
            }
        }
    }
    Ok(Exit::Yes)
}

/// Whatever goes wrong there is a note: our own version is told in any case.
fn glance(context: &Context, environment: &Environment, output: &mut Output) -> Option<InCluster> {
    let named = context.context.is_some();
    if !named && !cluster::has_kubeconfig(environment) && !environment.in_cluster {
        return None;
    }
    let asked = cluster::run(async {
        let cluster = cluster::connect(context, environment).await?;
        let cluster = cluster.with_patience(limits::CLUSTER_GLANCE);
        InCluster::ask(&cluster).await.map_err(Failure::from)
    });
    match asked {
        Ok(found) => Some(found),
        Err(failure) => {
            output.note(format_args!("no word from a cluster: {failure}"));
            None
        }
    }
}

impl InCluster {
    async fn ask(cluster: &Cluster) -> Result<Self, ClusterError> {
        let found = install::look(cluster).await?;
        let proxies = install::proxy_versions(&install::proxies(cluster).await?);
        let gateway_api = found.bundles();
        let controller = found.controller.map(|controller| controller.version);
        Ok(Self {
            name: cluster.name.clone(),
            kubernetes: found.server,
            skew: skew(controller.as_deref(), &proxies),
            controller,
            proxies,
            gateway_api,
        })
    }
}

/// Client and controller, then controller and proxies.
fn skew(controller: Option<&str>, proxies: &BTreeMap<String, usize>) -> Vec<String> {
    let Some(controller) = controller else { return Vec::new() };
    let mut said = Vec::new();
    if let Some(skew) = install::skew(controller, TEXT) {
        said.push(format!("{skew}: {}", skew.advice()));
    }
    let others = proxies.iter().filter(|(version, _)| *version != controller);
    said.extend(others.map(|(version, fleets)| {
        format!(
            "{fleets} deployments of proxies are of {version}, and the controller is {controller}: it \
             rolls them by itself, and `meshctl check` looks whether it can"
        )
    }));
    said
}

impl std::fmt::Display for InCluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, kubernetes, controller, proxies, gateway_api, skew } = self;
        write!(f, "cluster {name} (Kubernetes {kubernetes}")?;
        gateway_api.iter().try_for_each(|bundle| write!(f, ", Gateway API {bundle}"))?;
        f.write_str("): ")?;
        match controller.as_deref() {
            None => f.write_str("meshctl is not installed")?,
            Some("") => f.write_str("controller of an unknown version")?,
            Some(version) => write!(f, "controller {version}")?,
        }
        for (version, fleets) in proxies {
            let what = if *fleets == 1 { "Gateway" } else { "Gateways" };
            write!(f, ", proxies of {fleets} {what} {version}")?;
        }
        skew.iter().try_for_each(|said| write!(f, "\n{said}"))
    }
}

#[cfg(test)]
mod tests;
