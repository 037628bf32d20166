//! Which cluster a command acts on, and the runtime in which it asks.

use meshctl::cluster::{Access, Cluster, ClusterError};

use crate::args::Context;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};

/// The context that is named, the kubeconfig's current one, or the cluster around this pod.
pub fn access(context: &Context, environment: &Environment) -> Access {
    let context = context.context.clone();
    let kubeconfig = has_kubeconfig(environment);
    if context.is_none() && !kubeconfig && environment.in_cluster {
        return Access::InCluster;
    }
    let files = environment.kubeconfig.iter().map(|file| environment.absolute(file));
    Access::Kubeconfig { files: files.collect(), context }
}

pub fn has_kubeconfig(environment: &Environment) -> bool {
    environment.kubeconfig.iter().any(|file| environment.absolute(file).is_file())
}

/// Runs what asks a cluster; Ctrl-C ends it.
pub fn run<T>(question: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    meshctl::identity::install_provider();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Failure::new(Exit::CouldNotAsk, format!("can't start the runtime: {error}"))
    })?;
    runtime.block_on(async {
        tokio::select! {
            answer = question => answer,
            _ = tokio::signal::ctrl_c() => {
                Err(Failure::new(Exit::Interrupted, "interrupted; what was done stays done"))
            }
        }
    })
}

pub async fn connect(context: &Context, environment: &Environment) -> Result<Cluster, Failure> {
    Ok(Cluster::connect(&access(context, environment)).await?)
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Self {
        let exit = match error {
            ClusterError::Refused { .. }
            | ClusterError::Conflict { .. }
            | ClusterError::UnknownKind { .. } => Exit::No,
            _ => Exit::CouldNotAsk,
        };
        let failure = Self::new(exit, error.to_string());
        match error.advice() {
            Some(advice) => failure.tip(advice),
            None => failure,
        }
    }
}
