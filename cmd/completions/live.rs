//! Names that the mesh holds now: of the directory that a command there acts on, else of the
//! cluster. Nobody waits for them, and where they can't be had there are none.

use std::time::Duration;

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use meshctl::cluster::Cluster;
use meshctl::limits;
use meshctl::model::Kind;
use meshctl::store::{Directory, Store};

use crate::args::Context;
use crate::environment::Environment;
use crate::{cluster, mesh};

/// What can have a rollout.
pub const ROUTES: &[Kind] = &[Kind::HttpRoute, Kind::GrpcRoute];

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
    let store = store(&Environment::read()).await?;
    let mut names = Vec::new();
    for kind in kinds {
        let found = store.list(*kind, None).await.ok()?;
        names.extend(found.iter().map(|stored| stored.key.name.to_string()));
    }
    names.sort_unstable();
    names.dedup();
    Some(names)
}

async fn store(environment: &Environment) -> Option<Store> {
    let here = environment.config.clone().or_else(|| mesh::here(environment));
    let Some(directory) = here else {
        let access = cluster::access(&Context::default(), environment);
        return Cluster::connect(&access).await.ok().map(Store::Cluster);
    };
    let mark = directory.join(mesh::MARK);
    let files = [directory, mark.join(mesh::ROLLOUTS)];
    let files: Vec<_> = files.into_iter().filter(|path| path.exists()).collect();
    Directory::new(&files, &mark).ok().map(|directory| Store::Directory(directory.into()))
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
