//! Which version of the Gateway API the cluster has, looked at from time to time.

use std::collections::BTreeSet;

use kube::Client;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api, ResourceExt};
use tokio::sync::watch;

use crate::limits;
use crate::model::Name;
use crate::names;

/// Where the Gateway API's definitions say which release they are of.
const BUNDLE_VERSION: &str = "gateway.networking.k8s.io/bundle-version";

/// What the definition of GatewayClass says; `None` until it could be read.
pub(super) fn start(client: Client) -> watch::Receiver<Option<BTreeSet<Name>>> {
    let (versions, receiver) = watch::channel(None);
    tokio::spawn(async move {
        let kind = GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
        let api: Api<DynamicObject> = Api::all_with(client, &ApiResource::from_gvk(&kind));
        let definition = format!("gatewayclasses.{}", names::GROUP_GATEWAY_API);
        while !versions.is_closed() {
            match api.get_metadata_opt(&definition).await {
                Ok(found) => {
                    let version = |annotations: &std::collections::BTreeMap<String, String>| {
                        annotations.get(BUNDLE_VERSION).map(|version| version.as_str().into())
                    };
                    let found = found.map(|found| version(found.annotations()).unwrap_or_default());
                    let found: BTreeSet<Name> = found.into_iter().collect();
                    versions.send_if_modified(|held| {
                        let changed = held.as_ref() != Some(&found);
                        *held = Some(found);
                        changed
                    });
                }
                Err(error) => tracing::debug!(%error, "the Gateway API's version can't be read"),
            }
            tokio::time::sleep(limits::VERSION_LOOK).await;
        }
    });
    receiver
}
