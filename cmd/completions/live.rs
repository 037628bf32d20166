//! Names that the mesh holds now: of the directory that a command there acts on, else of the
//! cluster. Nobody waits for them, and where they can't be had there are none.

use std::time::Duration;

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use meshctl::cluster::Cluster;
use meshctl::limits;
use meshctl::model::Kind;
use meshctl::rollout::directory::Home;
use meshctl::store::Store;

use crate::args::Context;
use crate::environment::Environment;
use crate::{cluster, mesh};

/// What can have a rollout.
pub const ROUTES: &[Kind] = &[Kind::HttpRoute, Kind::GrpcRoute];

/// What requests can be sent to.
pub const BACKENDS: &[Kind] = &[Kind::Service, Kind::Backend];
pub const ROLLOUTS: &[Kind] = &[Kind::TrafficRollout];

/// The names of objects of these kinds.
pub fn names(kinds: &'static [Kind]) -> ArgValueCandidates {
    ArgValueCandidates::new(move || {
        let found = within(limits::COMPLETION_WAIT, of(kinds));
        candidates(found.flatten().unwrap_or_default())
    })
}

/// Contexts of the kubeconfig.
pub fn contexts() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let environment = Environment::read();
        let access = cluster::access(&Context::default(), &environment);
        candidates(access.contexts())
    })
}

async fn of(kinds: &[Kind]) -> Option<Vec<String>> {
    let (objects, plans) = stores(&Environment::read()).await?;
    let mut names = Vec::new();
    for kind in kinds {
        let store = if *kind == Kind::TrafficRollout { &plans } else { &objects };
        let found = store.list(*kind, None).await.ok()?;
        names.extend(found.iter().map(|stored| stored.key.name.to_string()));
    }
    names.sort_unstable();
    names.dedup();
    Some(names)
}

/// Where routes and backends are, and where rollouts.
async fn stores(environment: &Environment) -> Option<(Store, Store)> {
    let here = environment.config.clone().or_else(|| mesh::here(environment));
    let Some(directory) = here else {
        let access = cluster::access(&Context::default(), environment);
        let cluster = Store::Cluster(Cluster::connect(&access).await.ok()?);
        return Some((cluster.clone(), cluster));
    };
    let home = Home::new(std::slice::from_ref(&directory), &directory.join(mesh::MARK)).ok()?;
    Some((home.files().clone(), home.plans().clone()))
}

fn within<T>(time: Duration, question: impl Future<Output = T>) -> Option<T> {
    meshctl::identity::install_provider();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let found = runtime.block_on(async { tokio::time::timeout(time, question).await.ok() });
    // What hangs on a dead network mount is left behind.
    runtime.shutdown_background();
    found
}

fn candidates(names: Vec<String>) -> Vec<CompletionCandidate> {
    names.into_iter().map(CompletionCandidate::new).collect()
}
