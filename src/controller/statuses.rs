//! Writes statuses: what lowering says about an object, whenever the API server shows another.
//!
//! A write carries the version that it was worked out from, and is refused where the object has
//! changed since; the change that did it is on its way here and is what the next write is worked
//! out from. One write per object at a time, a bounded number in all.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use k8s_openapi::jiff::Timestamp;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams};
use kube::{Api, Client, Error as KubeError};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::merge;
use crate::limits;
use crate::model::{Kind, ObjectKey};
use crate::names;

#[cfg(test)]
mod tests;

/// An object as the API server showed it last.
#[derive(Clone, Debug)]
struct Shown {
    api_version: String,
    version: String,
    status: Value,
}

pub(super) struct Statuses {
    client: Client,
    leading: bool,
    shown: HashMap<ObjectKey, Shown>,
    desired: BTreeMap<ObjectKey, Value>,
    queue: BTreeSet<ObjectKey>,
    writing: JoinSet<Written>,
    /// What is being written, with the version that each was worked out from.
    busy: BTreeMap<ObjectKey, String>,
}

#[derive(Debug)]
pub(super) struct Written {
    key: ObjectKey,
    result: Result<DynamicObject, KubeError>,
}

impl Statuses {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            leading: false,
            shown: HashMap::new(),
            desired: BTreeMap::new(),
            queue: BTreeSet::new(),
            writing: JoinSet::new(),
            busy: BTreeMap::new(),
        }
    }

    /// Kinds whose status is ours to write.
    pub(super) fn has(kind: Kind) -> bool {
        matches!(
            kind,
            Kind::GatewayClass
                | Kind::Gateway
                | Kind::ListenerSet
                | Kind::HttpRoute
                | Kind::GrpcRoute
                | Kind::BackendTlsPolicy
                | Kind::TrafficPolicy
        )
    }

    /// Only the replica that leads writes; the others know what there would be to write.
    pub(super) fn lead(&mut self, leading: bool) {
        self.leading = leading;
        self.queue = self.shown.keys().cloned().collect();
    }

    pub(super) fn seen(&mut self, key: &ObjectKey, object: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let shown = Shown {
            api_version: text(&object["apiVersion"]),
            version: text(&object["metadata"]["resourceVersion"]),
            status: object["status"].clone(),
        };
        self.shown.insert(key.clone(), shown);
        self.queue.insert(key.clone());
    }

    pub(super) fn gone(&mut self, key: &ObjectKey) {
        self.shown.remove(key);
        self.queue.remove(key);
    }

    /// What the object's status has to say from now on; `None` where nothing is ours to say.
    pub(super) fn want(&mut self, key: ObjectKey, status: Option<Value>) {
        self.queue.insert(key.clone());
        match status {
            Some(status) => self.desired.insert(key, status),
            None => self.desired.remove(&key),
        };
    }

    /// Starts the writes that are due.
    pub(super) fn write(&mut self) {
        if !self.leading {
            return;
        }
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let due: Vec<ObjectKey> =
            self.queue.iter().filter(|key| !self.busy.contains_key(*key)).cloned().collect();
        for key in due {
            if self.writing.len() >= limits::STATUS_WRITES {
                return;
            }
            self.queue.remove(&key);
            let Some(shown) = self.shown.get(&key) else { continue };
            let desired = self.desired.get(&key);
            let Some(status) = merge::merge(key.kind, &shown.status, desired, &now) else {
                continue;
            };
            self.busy.insert(key.clone(), shown.version.clone());
            self.writing.spawn(write(self.client.clone(), key, shown.clone(), status));
        }
    }

    /// Waits for a write to end; for ever where there is none.
    pub(super) async fn next(&mut self) -> Written {
        loop {
            match self.writing.join_next().await {
                Some(Ok(written)) => return written,
                // A task that panicked is a bug; its object is written when it changes.
                Some(Err(error)) => tracing::error!(%error, "a status was not written"),
                None => std::future::pending::<()>().await,
            }
        }
    }

    pub(super) fn take(&mut self, Written { key, result }: Written) {
        let from = self.busy.remove(&key);
        match result {
            Ok(object) => {
                let object = serde_json::to_value(&object).unwrap_or_default();
                // The watch may have shown this version meanwhile, or a later one, which no event
                // would show again. Then it is due already.
                let newest = |shown: &&mut Shown| from.as_ref() == Some(&shown.version);
                if let Some(shown) = self.shown.get_mut(&key).filter(newest) {
                    shown.version = object["metadata"]["resourceVersion"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned();
                    shown.status = object["status"].clone();
                }
            }
            Err(error) if is_outdated(&error) => {
                tracing::debug!(object = %key, %error, "changed meanwhile");
            }
            Err(error) => {
                tracing::warn!(object = %key, %error, "the status can't be written");
                self.queue.insert(key);
            }
        }
    }
}

async fn write(client: Client, key: ObjectKey, shown: Shown, status: Value) -> Written {
    let result = patch(client, &key, &shown, status).await;
    if result.as_ref().is_err_and(|error| !is_outdated(error)) {
        tokio::time::sleep(limits::STATUS_RETRY).await;
    }
    Written { key, result }
}

/// What was written from isn't there any more: there will be an event about it.
fn is_outdated(error: &KubeError) -> bool {
    matches!(error, KubeError::Api(status) if matches!(status.code, 404 | 409 | 422))
}

async fn patch(
    client: Client,
    key: &ObjectKey,
    shown: &Shown,
    status: Value,
) -> Result<DynamicObject, KubeError> {
    let version = shown.api_version.rsplit('/').next().unwrap_or_default();
    let kind = GroupVersionKind::gvk(key.kind.group(), version, key.kind.as_str());
    let resource = ApiResource::from_gvk(&kind);
    let api: Api<DynamicObject> = if key.namespace.is_empty() {
        Api::all_with(client, &resource)
    } else {
        Api::namespaced_with(client, &key.namespace, &resource)
    };
    let operations = json!([
        { "op": "test", "path": "/metadata/resourceVersion", "value": shown.version },
        { "op": "add", "path": "/status", "value": status },
    ]);
    let operations = serde_json::from_value(operations).map_err(KubeError::SerdeError)?;
    let parameters =
        PatchParams { field_manager: Some(names::FIELD_MANAGER.to_owned()), ..Default::default() };
    api.patch_status(&key.name, &parameters, &Patch::Json::<()>(operations)).await
}
