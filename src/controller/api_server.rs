//! Where the API server is, so that no Backend leads there: what reaches it from inside the
//! cluster, as a proxy does, may be trusted for that alone.

use std::collections::BTreeSet;
use std::net::IpAddr;

use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::Api;
use kube::api::ListParams;

use crate::cluster::Cluster;
use crate::names;

/// The address that pods know, and those behind it.
pub(super) async fn addresses(cluster: &Cluster) -> Result<BTreeSet<IpAddr>, kube::Error> {
    let slices: Api<EndpointSlice> = Api::namespaced(cluster.client(), "default");
    let ours = format!("{}=kubernetes", names::LABEL_SERVICE_NAME);
    let slices = slices.list(&ListParams::default().labels(&ours)).await?;
    let texts = slices
        .items
        .iter()
        .flat_map(|slice| &slice.endpoints)
        .flat_map(|endpoint| &endpoint.addresses);
    let mut addresses: BTreeSet<IpAddr> = texts.filter_map(|text| text.parse().ok()).collect();
    let uri: Result<http::Uri, _> = cluster.server.parse();
    let host = uri.ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
    addresses.extend(host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
    Ok(addresses)
}
