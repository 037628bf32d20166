//! The one door to a Kubernetes API server: which one is meant, and every request of a command to
//! it. An error says who refused what, and what to do about it.
//!
//! This module must not know what the objects mean that it carries.

mod error;
mod exec;
mod resource;
mod rights;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::Value;

pub use error::ClusterError;
pub use exec::{Inside, Ran};
pub use resource::{Resource, name_of, namespace_of, shown};
pub use rights::Permission;

use crate::limits;
use crate::names::FIELD_MANAGER;

/// Where the API server and the right to ask it are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// The service account of the pod that this process runs in.
    InCluster,
    Kubeconfig {
        /// Merged as kubectl does: the first that says something wins. Those that aren't there are
        /// passed over as long as one is.
        files: Vec<PathBuf>,
        /// `None`: the current one.
        context: Option<String>,
    },
}

impl Access {
    /// The contexts that may be named; none where nothing can be read.
    pub fn contexts(&self) -> Vec<String> {
        match self {
            Self::InCluster => Vec::new(),
            Self::Kubeconfig { files, .. } => {
                merged(files).map(|merged| contexts(&merged)).unwrap_or_default()
            }
        }
    }
}

/// An API server, and who we are to it.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    /// The context's name, or `in-cluster`: what a command calls its target.
    pub name: String,
    /// The API server's address.
    pub server: String,
    /// The namespace that the context names.
    pub namespace: String,
    patience: Duration,
}

impl Cluster {
    /// Finds the credentials; asks nothing of the server yet.
    pub async fn connect(access: &Access) -> Result<Self, ClusterError> {
        let (name, mut config) = match access {
            Access::InCluster => {
                let config = Config::incluster().map_err(|e| ClusterError::NotInPod(chain(&e)))?;
                ("in-cluster".to_owned(), config)
            }
            Access::Kubeconfig { files, context } => from_kubeconfig(files, context).await?,
        };
        config.connect_timeout = Some(limits::CLUSTER_CONNECT_TIMEOUT);
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let namespace = config.default_namespace.clone();
        let client = Client::try_from(config).map_err(|error| ClusterError::Credentials {
            target: name.clone(),
            why: chain(&error),
        })?;
        Ok(Self { client, name, server, namespace, patience: limits::CLUSTER_REQUEST_TIMEOUT })
    }

    /// An API server that nobody asks.
    #[cfg(test)]
    pub(crate) fn of(client: Client, name: &str) -> Self {
        Self {
            client,
            name: name.to_owned(),
            server: String::new(),
            namespace: String::new(),
            patience: limits::CLUSTER_REQUEST_TIMEOUT,
        }
    }

    /// One that waits no longer than this for each answer.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// For watches, and whatever else isn't a single question.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The server's own version, `v1.34.1`.
    pub async fn version(&self) -> Result<String, ClusterError> {
        let info = self.ask("get", || "the version".into(), self.client.apiserver_version());
        Ok(info.await?.git_version)
    }

    /// `None` where there is no such object, or no such kind.
    pub async fn get(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<Value>, ClusterError> {
        let api = self.api(resource, namespace);
        let what = || resource.describe(namespace, name);
        match self.ask("get", what, api.get(name)).await {
            Err(ClusterError::NotFound { .. }) => Ok(None),
            found => found.map(|object| Some(into_value(&object))),
        }
    }

    /// Those that carry `labels` (a selector), of one namespace or of all; none where the kind is
    /// unknown.
    pub async fn list(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        labels: Option<&str>,
    ) -> Result<Vec<Value>, ClusterError> {
        let api = self.api(resource, namespace);
        let mut params = ListParams::default().limit(limits::CLUSTER_PAGE);
        params.label_selector = labels.map(str::to_owned);
        let mut found = Vec::new();
        loop {
            let what = || resource.describe(namespace, "");
            let page = match self.ask("list", what, api.list(&params)).await {
                Err(ClusterError::NotFound { .. }) => return Ok(Vec::new()),
                page => page?,
            };
            // Items of a list say neither version nor kind.
            found.extend(page.items.iter().map(|object| resource.signed(into_value(object))));
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params.continue_token = Some(token),
                None => return Ok(found),
            }
        }
    }

    /// Server-side apply: the object is as `object` says, and fields that it doesn't name are left
    /// to their owners.
    pub async fn apply(&self, object: &Value, dry_run: bool) -> Result<Value, ClusterError> {
        let resource = Resource::of(object)
            .ok_or_else(|| ClusterError::UnknownKind { what: shown(object) })?;
        let (namespace, name) = (namespace_of(object), name_of(object));
        let api = self.api(&resource, namespace);
        let mut params = PatchParams::apply(FIELD_MANAGER).force();
        params.dry_run = dry_run;
        let what = || resource.describe(namespace, name);
        let patch = Patch::Apply(object);
        let applied = self.ask("apply", what, api.patch(name, &params, &patch)).await?;
        Ok(into_value(&applied))
    }

    /// A JSON patch; a test in it that fails is refused as 422, as is a result that isn't valid.
    pub async fn patch(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
        patch: &json_patch::Patch,
        dry_run: bool,
    ) -> Result<Value, ClusterError> {
        let api = self.api(resource, namespace);
        let what = || resource.describe(namespace, name);
        let params = PatchParams { dry_run, ..ours() };
        let patch = Patch::Json::<()>(patch.clone());
        let patched = self.ask("patch", what, api.patch(name, &params, &patch)).await?;
        Ok(into_value(&patched))
    }

    /// The same of its status, and of nothing else.
    pub async fn patch_status(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
        patch: &json_patch::Patch,
    ) -> Result<Value, ClusterError> {
        let api = self.api(resource, namespace);
        let what = || format!("the status of {}", resource.describe(namespace, name));
        let patch = Patch::Json::<()>(patch.clone());
        let patched = self.ask("patch", what, api.patch_status(name, &ours(), &patch)).await?;
        Ok(into_value(&patched))
    }

    /// A new object; one that is there already is a conflict.
    pub async fn create(&self, object: &Value, dry_run: bool) -> Result<Value, ClusterError> {
        let unknown = || ClusterError::UnknownKind { what: shown(object) };
        let resource = Resource::of(object).ok_or_else(unknown)?;
        let (namespace, name) = (namespace_of(object), name_of(object));
        let data: DynamicObject = serde_json::from_value(object.clone()).map_err(|_| unknown())?;
        let params = PostParams { dry_run, field_manager: Some(FIELD_MANAGER.to_owned()) };
        let what = || resource.describe(namespace, name);
        let api = self.api(&resource, namespace);
        let created = self.ask("create", what, api.create(&params, &data)).await?;
        Ok(into_value(&created))
    }

    /// Whether there was one to delete. What it owns goes after it.
    pub async fn delete(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<bool, ClusterError> {
        let api = self.api(resource, namespace);
        let what = || resource.describe(namespace, name);
        let params = DeleteParams::background();
        match self.ask("delete", what, api.delete(name, &params)).await {
            Err(ClusterError::NotFound { .. }) => Ok(false),
            deleted => deleted.map(|_| true),
        }
    }

    fn api(&self, resource: &Resource, namespace: Option<&str>) -> Api<DynamicObject> {
        let known = resource.to_kube();
        match namespace.filter(|_| resource.namespaced) {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &known),
            None => Api::all_with(self.client.clone(), &known),
        }
    }

    /// One question with its deadline, its error in words.
    async fn ask<T>(
        &self,
        verb: &'static str,
        what: impl FnOnce() -> String,
        question: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, ClusterError> {
        match tokio::time::timeout(self.patience, question).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(ClusterError::of(&error, self, verb, what())),
            Err(_) => Err(ClusterError::Unreachable {
                target: self.name.clone(),
                server: self.server.clone(),
                why: format!("no answer within {} seconds", self.patience.as_secs()),
            }),
        }
    }
}

async fn from_kubeconfig(
    files: &[PathBuf],
    context: &Option<String>,
) -> Result<(String, Config), ClusterError> {
    let merged = merged(files)?;
    let known = contexts(&merged);
    let wanted = context.clone().or_else(|| merged.current_context.clone());
    let Some(name) = wanted.filter(|name| !name.is_empty()) else {
        return Err(ClusterError::NoCurrentContext { known });
    };
    if !known.contains(&name) {
        return Err(ClusterError::NoSuchContext { name, known });
    }
    let options = KubeConfigOptions { context: Some(name.clone()), ..Default::default() };
    let config = Config::from_custom_kubeconfig(merged, &options).await;
    Ok((name, config.map_err(|error| unreadable(files, &error))?))
}

/// One kubeconfig of those files that are there.
fn merged(files: &[PathBuf]) -> Result<Kubeconfig, ClusterError> {
    let mut merged = None;
    for file in files.iter().filter(|file| file.exists()) {
        let one = Kubeconfig::read_from(file).map_err(|error| unreadable(files, &error))?;
        let before: Kubeconfig = merged.unwrap_or_default();
        merged = Some(before.merge(one).map_err(|error| unreadable(files, &error))?);
    }
    merged.ok_or_else(|| ClusterError::NoKubeconfig(files.to_vec()))
}

fn contexts(kubeconfig: &Kubeconfig) -> Vec<String> {
    kubeconfig.contexts.iter().map(|context| context.name.clone()).collect()
}

fn unreadable(files: &[PathBuf], error: &kube::config::KubeconfigError) -> ClusterError {
    let shown: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    ClusterError::Kubeconfig { files: shown.join(", "), why: chain(error) }
}

fn ours() -> PatchParams {
    PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() }
}

fn into_value(object: &DynamicObject) -> Value {
    serde_json::to_value(object).expect("it was JSON a moment ago")
}

/// An error and what caused it, each thing said once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        next = cause.source();
    }
    text
}
