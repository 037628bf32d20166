//! Where the API server is, so that no Backend leads there: what reaches it from inside the
//! cluster, as a proxy does, may be trusted for that alone.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::cluster::{Cluster, ClusterError, Resource};
use crate::names;

/// The address that is asked here, which in a pod is the one that pods know, and those behind it.
pub async fn addresses(cluster: &Cluster) -> Result<BTreeSet<IpAddr>, ClusterError> {
    let ours = format!("{}=kubernetes", names::LABEL_SERVICE_NAME);
    let namespace = Some(names::NAMESPACE_DEFAULT);
    let slices = cluster.list(&Resource::ENDPOINT_SLICE, namespace, Some(&ours)).await?;
    let texts = slices
        .iter()
        .flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten())
        .flat_map(|endpoint| endpoint["addresses"].as_array().into_iter().flatten())
        .filter_map(|address| address.as_str());
    let mut addresses: BTreeSet<IpAddr> = texts.filter_map(|text| text.parse().ok()).collect();
    let uri: Result<http::Uri, _> = cluster.server.parse();
    let host = uri.ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
    addresses.extend(host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
    Ok(addresses)
}
