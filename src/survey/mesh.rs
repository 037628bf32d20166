//! The cluster's objects, lowered once as its controller does it all the time: what is wrong with
//! them is found by the same code that finds it in files.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::clock;
use crate::cluster::{Cluster, ClusterError, Resource};
use crate::config::decode::{self, Decoded};
use crate::config::flags::Options;
use crate::config::index::Index;
use crate::config::lower::Lowering;
use crate::config::{Diagnostic, codes};
use crate::model::{Kind, ObjectKey, Part, Store};

/// What the objects come to.
#[derive(Debug)]
pub struct Mesh {
    /// Each with its object in the place of a file: `HTTPRoute shop/cart`.
    pub diagnostics: Vec<Diagnostic>,
    /// Of our kinds, those that were looked at.
    pub objects: usize,
    pub index: Index,
    /// All that the objects were lowered to, whichever proxies are told of it.
    pub parts: Vec<Part>,
    /// How far each TrafficRollout is: its status, as the controller writes it.
    pub rollouts: BTreeMap<ObjectKey, Value>,
    /// The Gateways that are ours, as the API server has them.
    pub(super) gateways: Vec<Value>,
    /// The Secrets with certificates that are used, and their `tls.crt`.
    pub(super) certificates: BTreeMap<ObjectKey, Vec<u8>>,
    /// Secrets and ConfigMaps that we may not read.
    pub(super) unread: Vec<ObjectKey>,
}

/// What is listed. Secrets and ConfigMaps are read one by one, and only those that are named.
const LISTED: [Resource; 15] = [
    Resource::GATEWAY_CLASS,
    Resource::GATEWAY,
    Resource::LISTENER_SET,
    Resource::HTTP_ROUTE,
    Resource::GRPC_ROUTE,
    Resource::REFERENCE_GRANT,
    // Before v1.4 of the Gateway API there was no other.
    Resource { api_version: "gateway.networking.k8s.io/v1alpha3", ..Resource::BACKEND_TLS_POLICY },
    Resource::BACKEND_TLS_POLICY,
    Resource::SERVICE,
    Resource::ENDPOINT_SLICE,
    Resource::NAMESPACE,
    Resource::BACKEND,
    Resource::TRAFFIC_POLICY,
    Resource::MESH_CONFIG,
    Resource::TRAFFIC_ROLLOUT,
];

/// Lists everything once and lowers it with the options of the cluster's controller.
pub(super) async fn mesh(cluster: &Cluster, options: Options) -> Result<Mesh, ClusterError> {
    let mut reading = Reading { index: Index::new(), diagnostics: Vec::new(), objects: 0 };
    let (mut gateways, mut rollouts) = (Vec::new(), BTreeMap::new());
    for resource in LISTED {
        let listed = cluster.list(&resource, None, None).await?;
        listed.iter().for_each(|object| reading.put(object));
        match resource {
            Resource::GATEWAY => gateways = listed,
            Resource::TRAFFIC_ROLLOUT => {
                let status = |object: &Value| Some((key_of(object)?, object["status"].clone()));
                rollouts = listed.iter().filter_map(status).collect();
            }
            _ => {}
        }
    }
    let now = clock::since_epoch().as_secs().cast_signed();
    let mut lowering = Lowering::new(options);
    let mut lowered = lowering.commit(&mut reading.index, now);
    let mut asked = BTreeSet::new();
    let (mut certificates, mut unread) = (BTreeMap::new(), Vec::new());
    loop {
        // What is found may name more.
        let new: Vec<ObjectKey> = lowering.asked_data().difference(&asked).cloned().collect();
        if new.is_empty() {
            break;
        }
        for key in new {
            match data(cluster, &key).await {
                Ok(Some(object)) => {
                    certificates.extend(chain(&object).map(|chain| (key.clone(), chain)));
                    reading.put(&object);
                }
                Ok(None) => {}
                Err(ClusterError::Forbidden { .. }) => unread.push(key.clone()),
                Err(error) => return Err(error),
            }
            asked.insert(key);
        }
        lowered = lowering.commit(&mut reading.index, now);
    }
    let ours = lowering.gateways();
    gateways.retain(|gateway| key_of(gateway).is_some_and(|key| ours.contains_key(&key)));
    let mut diagnostics = std::mem::take(&mut reading.diagnostics);
    diagnostics.extend(lowered.diagnostics);
    diagnostics.retain(|one| !is_said_elsewhere(one, &unread));
    let parts = lowering.parts().cloned().collect();
    let Reading { index, objects, .. } = reading;
    Ok(Mesh { diagnostics, objects, index, parts, rollouts, gateways, certificates, unread })
}

struct Reading {
    index: Index,
    diagnostics: Vec<Diagnostic>,
    objects: usize,
}

impl Reading {
    fn put(&mut self, object: &Value) {
        let Some(key) = key_of(object) else { return };
        let shown: std::sync::Arc<str> = key.to_string().into();
        let (decoded, found) = decode::from_json(object, Store::Cluster);
        // Kubernetes' own kinds have fields that we have no use for.
        let own = !key.kind.group().is_empty() && key.kind != Kind::EndpointSlice;
        let told = found.into_iter().filter(|one| own || one.is_error());
        self.diagnostics
            .extend(told.map(|one| Diagnostic { file: std::sync::Arc::clone(&shown), ..one }));
        if let Decoded::Object(mut object) = decoded {
            self.objects += usize::from(own);
            object.origin.file = shown;
            self.index.apply(*object);
        }
    }
}

async fn data(cluster: &Cluster, key: &ObjectKey) -> Result<Option<Value>, ClusterError> {
    let resource = match key.kind {
        Kind::Secret => Resource::SECRET,
        _ => Resource::CONFIG_MAP,
    };
    cluster.get(&resource, Some(&key.namespace), &key.name).await
}

fn key_of(object: &Value) -> Option<ObjectKey> {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    let kind = object["kind"].as_str()?;
    let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind)?;
    Some(ObjectKey::new(Store::Cluster, kind, text("namespace"), text("name")))
}

fn chain(secret: &Value) -> Option<Vec<u8>> {
    entry(secret, "tls.crt")
}

/// What a Secret holds under a name.
pub(super) fn entry(secret: &Value, name: &str) -> Option<Vec<u8>> {
    k8s_openapi::ByteString::deserialize(&secret["data"][name]).ok().map(|bytes| bytes.0)
}

/// The dates of certificates have a row of their own, and what may not be read isn't missing.
fn is_said_elsewhere(diagnostic: &Diagnostic, unread: &[ObjectKey]) -> bool {
    let names = |key: &ObjectKey| diagnostic.message.contains(&key.to_string());
    diagnostic.code == codes::CERTIFICATE_EXPIRED
        || diagnostic.code == codes::REFERENCE_MISSING && unread.iter().any(names)
}
