//! `meshctl version`

use std::collections::BTreeMap;

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
        let mut proxies = BTreeMap::new();
        for deployment in install::proxies(cluster).await? {
            let version = deployment["metadata"]["annotations"][names::ANNOTATION_VERSION].as_str();
            *proxies.entry(version.unwrap_or("unknown").to_owned()).or_default() += 1;
        }
        Ok(Self {
            name: cluster.name.clone(),
            kubernetes: found.server,
            controller: found.controller.map(|controller| controller.version),
            proxies,
        })
    }
}

impl std::fmt::Display for InCluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cluster {} (Kubernetes {}): ", self.name, self.kubernetes)?;
        match self.controller.as_deref() {
            None => f.write_str("meshctl is not installed")?,
            Some("") => f.write_str("controller of an unknown version")?,
            Some(version) => write!(f, "controller {version}")?,
        }
        for (version, fleets) in &self.proxies {
            write!(f, ", {fleets} with proxies {version}")?;
        }
        let skew = self.controller.as_deref().and_then(|there| install::skew(there, TEXT));
        match skew {
            Some(skew) => write!(f, "; {}", skew.advice()),
            None => Ok(()),
        }
    }
}
