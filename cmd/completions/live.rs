//! Names that the mesh holds now: of the directory that a command there acts on, else of the
//! cluster; `-f` and `--context` of the line so far are heard. Nobody waits for them, and where they
//! can't be had there are none.

mod line;

use std::time::Duration;

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use meshctl::cluster::Cluster;
use meshctl::limits;
use meshctl::model::{Kind, Name, ObjectKey};
use meshctl::rollout::directory::Home;
use meshctl::store::Store;

use crate::args::Context;
use crate::environment::Environment;
use crate::{cluster, mesh};
use line::Line;

/// What can have a rollout.
pub const ROUTES: &[Kind] = &[Kind::HttpRoute, Kind::GrpcRoute];

/// What requests can be sent to.
pub const BACKENDS: &[Kind] = &[Kind::Service, Kind::Backend];
pub const ROLLOUTS: &[Kind] = &[Kind::TrafficRollout];
pub const GATEWAYS: &[Kind] = &[Kind::Gateway];
pub const POLICIES: &[Kind] = &[Kind::TrafficPolicy, Kind::BackendTlsPolicy];

/// Of which kinds the objects of a directory tell its namespaces.
const NAMESPACED: [&[Kind]; 5] = [ROUTES, BACKENDS, GATEWAYS, POLICIES, ROLLOUTS];

/// The names of objects of these kinds.
pub fn names(kinds: &'static [Kind]) -> ArgValueCandidates {
    candidates(async move |line| named(kinds, &line).await)
}

/// The names of what the word before says: `get routes`, `top backends`.
pub fn listed() -> ArgValueCandidates {
    candidates(async |line: Line| named(line.kinds()?, &line).await)
}

/// Namespaces of the cluster, or those that objects of the directory are in.
pub fn namespaces() -> ArgValueCandidates {
    candidates(async |line: Line| {
        let stores = stores(&line).await?;
        if let Store::Cluster(_) = &stores.objects {
            return stores.list(&[Kind::Namespace], |key| &key.name).await;
        }
        let mut found = Vec::new();
        for kinds in NAMESPACED {
            found.extend(stores.list(kinds, |key| &key.namespace).await?);
        }
        Some(found)
    })
}

/// Contexts of the kubeconfig.
pub fn contexts() -> ArgValueCandidates {
    candidates(async |line: Line| {
        Some(cluster::access(&Context::default(), &line.environment).contexts())
    })
}

async fn named(kinds: &[Kind], line: &Line) -> Option<Vec<String>> {
    stores(line).await?.list(kinds, |key| &key.name).await
}

struct Stores {
    /// Where routes and backends are.
    objects: Store,
    rollouts: Store,
}

impl Stores {
    async fn list(
        &self,
        kinds: &[Kind],
        word: impl Fn(&ObjectKey) -> &Name,
    ) -> Option<Vec<String>> {
        let mut words = Vec::new();
        for kind in kinds {
            let is_rollout = *kind == Kind::TrafficRollout;
            let store = if is_rollout { &self.rollouts } else { &self.objects };
            let found = store.list(*kind, None).await.ok()?;
            words.extend(found.iter().map(|stored| word(&stored.key).to_string()));
        }
        Some(words)
    }
}

async fn stores(line: &Line) -> Option<Stores> {
    let Line { environment, file, context, .. } = line;
    let here = || environment.config.clone().or_else(|| mesh::here(environment));
    let directory = file.clone().or_else(|| if context.is_some() { None } else { here() });
    let Some(directory) = directory else {
        let access = cluster::access(&Context { context: context.clone() }, environment);
        let cluster = Store::Cluster(Cluster::connect(&access).await.ok()?);
        return Some(Stores { objects: cluster.clone(), rollouts: cluster });
    };
    let root = if directory.is_dir() { Some(directory.as_path()) } else { directory.parent() };
    let home = Home::new(std::slice::from_ref(&directory), &root?.join(mesh::MARK)).ok()?;
    Some(Stores { objects: home.files().clone(), rollouts: home.plans().clone() })
}

/// What the question finds in time.
fn candidates<Q>(question: impl Fn(Line) -> Q + Send + Sync + 'static) -> ArgValueCandidates
where
    Q: Future<Output = Option<Vec<String>>>,
{
    ArgValueCandidates::new(move || {
        let asked = question(Line::read(Environment::read()));
        let mut words = within(limits::COMPLETION_WAIT, asked).flatten().unwrap_or_default();
        words.sort_unstable();
        words.dedup();
        words.into_iter().map(CompletionCandidate::new).collect()
    })
}

fn within<T>(time: Duration, question: impl Future<Output = T>) -> Option<T> {
    meshctl::identity::install_provider();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let found = runtime.block_on(async { tokio::time::timeout(time, question).await.ok() });
    // What hangs on a dead network mount is left behind.
    runtime.shutdown_background();
    found
}
