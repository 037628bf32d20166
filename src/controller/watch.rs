//! The API server's objects as a stream of changes, one task per kind.
//!
//! A watch resumes where it was; only what the API server has forgotten is listed again. A kind
//! that isn't installed counts as listed and empty, and is looked for again. Of Secrets and
//! ConfigMaps the metadata alone is watched: a controller that keeps everybody's secrets in memory
//! is worth breaking into.
//!
//! This module must not know what an object means.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use kube::core::PartialObjectMeta;
use kube::core::TypeMeta;
use kube::runtime::watcher;
use kube::{Api, Client, Error as KubeError, discovery};
use serde_json::Value;
use tokio::sync::mpsc;
use watcher::Event;

use crate::config::decode::versions;
use crate::limits;
use crate::model::Kind;
use crate::names;

/// What is watched: the kinds that are lowered, and what the controller has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Watched {
    Kind(Kind),
    /// Deployments that carry our label.
    Deployment,
}

impl Watched {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        Kind::ALL.into_iter().map(Self::Kind).chain([Self::Deployment])
    }

    pub(super) fn group_and_kind(self) -> (&'static str, &'static str) {
        match self {
            Self::Kind(kind) => (kind.group(), kind.as_str()),
            Self::Deployment => ("apps", "Deployment"),
        }
    }

    fn versions(self) -> &'static [&'static str] {
        match self {
            Self::Kind(kind) => versions(kind),
            Self::Deployment => &["v1"],
        }
    }

    /// Kinds of CustomResourceDefinitions: which version is served, if any, has to be asked.
    fn is_custom(self) -> bool {
        matches!(self.group_and_kind().0, names::GROUP_GATEWAY_API | names::GROUP_MESHCTL)
    }

    fn metadata_only(self) -> bool {
        matches!(self, Self::Kind(Kind::Secret | Kind::ConfigMap))
    }
}

impl std::fmt::Display for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.group_and_kind().1)
    }
}

/// What happened to objects of one kind.
#[derive(Debug)]
pub(super) enum Happened {
    /// A list begins: what it doesn't hold by `Listed` is gone.
    Listing,
    Listed,
    /// As the API server has it, with `apiVersion` and `kind`.
    Is(Box<Value>),
    Gone(Box<Value>),
    Failed(String),
}

pub(super) type Change = (Watched, Happened);

/// Watches everything until the receiver is dropped.
pub(super) fn start(client: &Client) -> mpsc::Receiver<Change> {
    let (changes, receiver) = mpsc::channel(limits::WATCH_QUEUE);
    for watched in Watched::all() {
        tokio::spawn(watch(client.clone(), watched, changes.clone()));
    }
    receiver
}

async fn watch(client: Client, watched: Watched, changes: mpsc::Sender<Change>) {
    loop {
        let Some(resource) = resource(&client, watched, &changes).await else { return };
        let config = match watched {
            Watched::Deployment => watcher::Config::default().labels(&format!(
                "{}={}",
                names::LABEL_MANAGED_BY,
                names::FIELD_MANAGER
            )),
            Watched::Kind(_) => watcher::Config::default(),
        };
        let client = client.clone();
        let types =
            TypeMeta { api_version: resource.api_version.clone(), kind: resource.kind.clone() };
        let followed = if watched.metadata_only() {
            let api = Api::<PartialObjectMeta<DynamicObject>>::all_with(client, &resource);
            follow(watched, types, watcher(api, config), &changes).await
        } else {
            let api = Api::<DynamicObject>::all_with(client, &resource);
            follow(watched, types, watcher(api, config), &changes).await
        };
        if followed == Followed::NobodyListens {
            return;
        }
    }
}

#[derive(PartialEq)]
enum Followed {
    NobodyListens,
    /// The kind isn't there any more.
    NotInstalled,
}

async fn follow<K: serde::Serialize>(
    watched: Watched,
    types: TypeMeta,
    objects: impl Stream<Item = Result<Event<K>, watcher::Error>>,
    changes: &mpsc::Sender<Change>,
) -> Followed {
    let mut objects = std::pin::pin!(objects);
    let mut failures = 0_u32;
    while let Some(event) = objects.next().await {
        let happened = match event {
            Ok(event) => {
                failures = 0;
                happened(event, &types)
            }
            Err(error) => {
                if is_not_found(&error) {
                    return Followed::NotInstalled;
                }
                let said = changes.send((watched, Happened::Failed(error.to_string()))).await;
                if said.is_err() {
                    return Followed::NobodyListens;
                }
                tokio::time::sleep(rest_after(failures)).await;
                failures = failures.saturating_add(1);
                continue;
            }
        };
        if changes.send((watched, happened)).await.is_err() {
            return Followed::NobodyListens;
        }
    }
    Followed::NobodyListens
}

fn happened<K: serde::Serialize>(event: Event<K>, types: &TypeMeta) -> Happened {
    match event {
        Event::Init => Happened::Listing,
        Event::InitDone => Happened::Listed,
        Event::Apply(object) | Event::InitApply(object) => Happened::Is(value(&object, types)),
        Event::Delete(object) => Happened::Gone(value(&object, types)),
    }
}

/// Items of a list don't say what they are.
fn value<K: serde::Serialize>(object: &K, types: &TypeMeta) -> Box<Value> {
    let mut value = serde_json::to_value(object).unwrap_or_default();
    value["apiVersion"] = types.api_version.as_str().into();
    value["kind"] = types.kind.as_str().into();
    Box::new(value)
}

/// Soon at first, so that a restarted API server is followed at once; then seldom, and not all
/// kinds at the same time.
fn rest_after(failures: u32) -> Duration {
    let longest = limits::WATCH_BACKOFF_MIN * 2_u32.saturating_pow(failures.min(16));
    let longest = longest.min(limits::WATCH_BACKOFF_MAX);
    longest.div_f64(2.0) + longest.mul_f64(fastrand::f64() / 2.0)
}

fn is_not_found(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(KubeError::Api(status))
        | watcher::Error::WatchStartFailed(KubeError::Api(status)) => status.code == 404,
        _ => false,
    }
}

/// How the kind is served here, once it is. `None` when nobody listens any more.
async fn resource(
    client: &Client,
    watched: Watched,
    changes: &mpsc::Sender<Change>,
) -> Option<ApiResource> {
    let (group, kind) = watched.group_and_kind();
    if !watched.is_custom() {
        let version = watched.versions()[0];
        return Some(ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind)));
    }
    let mut failures = 0_u32;
    loop {
        match discovery::group(client, group).await {
            Ok(served) => {
                let served = watched.versions().iter().find_map(|version| {
                    let kinds = served.versioned_resources(version);
                    kinds.into_iter().find(|(resource, _)| resource.kind == kind)
                });
                if let Some((resource, _)) = served {
                    return Some(resource);
                }
                empty(watched, changes).await?;
                tokio::time::sleep(limits::KIND_LOOK).await;
            }
            Err(KubeError::Discovery(_)) => {
                empty(watched, changes).await?;
                tokio::time::sleep(limits::KIND_LOOK).await;
            }
            Err(error) => {
                changes.send((watched, Happened::Failed(error.to_string()))).await.ok()?;
                tokio::time::sleep(rest_after(failures)).await;
                failures = failures.saturating_add(1);
            }
        }
    }
}

async fn empty(watched: Watched, changes: &mpsc::Sender<Change>) -> Option<()> {
    changes.send((watched, Happened::Listing)).await.ok()?;
    changes.send((watched, Happened::Listed)).await.ok()
}
