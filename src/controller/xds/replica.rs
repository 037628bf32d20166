//! Another replica, telling of its proxies from its first word to its end. It is told nothing.

use std::sync::Arc;
use std::time::Duration;

use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse,
};
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::time::timeout;
use tonic::{Status, Streaming};

use super::distribution::{Distribution, Ear};
use crate::model::Name;
use crate::wire::relay;

/// It ends with the replica, with an error where that says something else, or after `age` so that
/// it comes back with a new token.
pub(super) fn open(
    mut requests: Streaming<DeltaDiscoveryRequest>,
    replica: Name,
    distribution: &Arc<Distribution>,
    age: Duration,
) -> BoxStream<'static, Result<DeltaDiscoveryResponse, Status>> {
    tracing::info!(%replica, "a replica tells of its proxies");
    let ear = distribution.hear(replica);
    let hearing = async move {
        match timeout(age, hear(&mut requests, &ear)).await {
            Ok(Err(status)) => Some(Err(status)),
            Ok(Ok(())) | Err(_) => None,
        }
    };
    stream::once(hearing).filter_map(std::future::ready).boxed()
}

async fn hear(requests: &mut Streaming<DeltaDiscoveryRequest>, ear: &Ear) -> Result<(), Status> {
    while let Some(message) = requests.message().await? {
        let words = relay::read(&message);
        ear.take(words.ok_or_else(|| Status::invalid_argument("these are no replica's words"))?);
    }
    Ok(())
}
