//! Secrets and ConfigMaps: the data of those that something names, and of no others.
//!
//! The watch tells that they exist and which version they have. Here it is held against what
//! lowering asks for, and fetched by name.

use std::collections::{BTreeSet, HashMap};

use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api, Client, Error as KubeError};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::limits;
use crate::model::ObjectKey;

pub(super) struct Data {
    client: Client,
    /// The version of each that exists.
    exists: HashMap<ObjectKey, String>,
    /// The version of each that is in the index.
    held: HashMap<ObjectKey, String>,
    fetching: JoinSet<Fetched>,
    busy: BTreeSet<ObjectKey>,
}

#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) key: ObjectKey,
    result: Result<Option<DynamicObject>, KubeError>,
}

/// What a fetch came to.
#[derive(Debug)]
pub(super) enum Got {
    Is(Value),
    Gone,
    /// It is asked for again.
    Nothing,
}

impl Data {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            exists: HashMap::new(),
            held: HashMap::new(),
            fetching: JoinSet::new(),
            busy: BTreeSet::new(),
        }
    }

    pub(super) fn seen(&mut self, key: &ObjectKey, object: &Value) {
        self.exists.insert(key.clone(), version(object));
    }

    pub(super) fn gone(&mut self, key: &ObjectKey) {
        self.exists.remove(key);
        self.held.remove(key);
    }

    /// Starts what is to be fetched of what is asked for. Says what is held and not asked for any
    /// more: nobody should keep it.
    pub(super) fn look(&mut self, asked: &BTreeSet<ObjectKey>) -> Vec<ObjectKey> {
        for key in asked {
            let Some(version) = self.exists.get(key) else { continue };
            let has = self.held.get(key) == Some(version);
            if has || self.busy.contains(key) || self.fetching.len() >= limits::DATA_FETCHES {
                continue;
            }
            self.busy.insert(key.clone());
            self.fetching.spawn(fetch(self.client.clone(), key.clone()));
        }
        let unasked = self.held.keys().filter(|key| !asked.contains(*key)).cloned();
        let unasked: Vec<ObjectKey> = unasked.collect();
        for key in &unasked {
            self.held.remove(key);
        }
        unasked
    }

    /// Whether something that exists is asked for and has never been fetched.
    pub(super) fn is_behind(&self, asked: &BTreeSet<ObjectKey>) -> bool {
        asked.iter().any(|key| self.exists.contains_key(key) && !self.held.contains_key(key))
    }

    /// Waits for a fetch to end; for ever where there is none.
    pub(super) async fn next(&mut self) -> Fetched {
        loop {
            match self.fetching.join_next().await {
                Some(Ok(fetched)) => return fetched,
                Some(Err(error)) => tracing::error!(%error, "an object was not fetched"),
                None => std::future::pending::<()>().await,
            }
        }
    }

    pub(super) fn take(&mut self, Fetched { key, result }: Fetched) -> Got {
        self.busy.remove(&key);
        match result {
            Ok(Some(object)) => {
                let mut object = serde_json::to_value(&object).unwrap_or_default();
                object["apiVersion"] = "v1".into();
                object["kind"] = key.kind.as_str().into();
                self.held.insert(key, version(&object));
                Got::Is(object)
            }
            Ok(None) => {
                self.gone(&key);
                Got::Gone
            }
            Err(error) => {
                tracing::warn!(object = %key, %error, "can't be fetched");
                Got::Nothing
            }
        }
    }
}

pub(super) fn version(object: &Value) -> String {
    object["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned()
}

async fn fetch(client: Client, key: ObjectKey) -> Fetched {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", key.kind.as_str()));
    let api: Api<DynamicObject> = Api::namespaced_with(client, &key.namespace, &resource);
    let result = api.get_opt(&key.name).await;
    if result.is_err() {
        tokio::time::sleep(limits::DATA_RETRY).await;
    }
    Fetched { key, result }
}
