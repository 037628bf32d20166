//! What of a request consistent hashing looks at.
//!
//! XXH64 with a fixed seed: the same on every build and every proxy. A client that wants to can
//! aim at one endpoint; it could as well by sending one header value, which is the feature.

use std::net::IpAddr;

use xxhash_rust::xxh64::{Xxh64, xxh64};

use super::cookie;
use super::message::RequestHead;
use crate::model::HashSource;

/// `None` when the request has nothing of the kind: it is balanced at random then, where a common
/// hash would send all such requests to one endpoint.
pub fn of_request(source: &HashSource, head: &RequestHead, client: Option<IpAddr>) -> Option<u64> {
    match source {
        HashSource::ClientAddress => client.map(of_address),
        HashSource::Header(name) => of_all(head.fields.get_all(name)),
        HashSource::Cookie(name) => cookie::values(&head.fields, name).next().map(of_bytes),
        HashSource::Path => Some(of_bytes(head.target.path().as_bytes())),
    }
}

/// Without the port, which changes with every connection. An IPv4 client of an IPv6 socket is the
/// same client.
fn of_address(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(address) => of_bytes(&address.octets()),
        IpAddr::V6(address) => of_bytes(&address.octets()),
    }
}

/// Fields that stand apart or joined by a comma mean the same (RFC 9110 §5.3), so they hash alike.
fn of_all<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> Option<u64> {
    let mut hasher = Xxh64::new(0);
    hasher.update(values.next()?);
    for value in values {
        hasher.update(b", ");
        hasher.update(value);
    }
    Some(hasher.digest())
}

fn of_bytes(bytes: &[u8]) -> u64 {
    xxh64(bytes, 0)
}

#[cfg(test)]
mod tests;
