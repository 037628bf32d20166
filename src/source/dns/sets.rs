//! EndpointSets with names in them, and what was last made of each.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::Addresses;
use crate::model::{Address, Cause, Endpoint, EndpointSet, Name, Part, PartKey, Reach};
use crate::source::weights::shared_out;

#[derive(Debug, Default)]
pub(super) struct Sets {
    sets: BTreeMap<PartKey, Entry>,
    users: BTreeMap<Name, BTreeSet<PartKey>>,
    touched: BTreeSet<PartKey>,
}

/// An address and its alternate.
type Pair = (IpAddr, Option<IpAddr>);
/// The same with the endpoint's port.
type Found = (Address, Option<SocketAddr>);

#[derive(Debug)]
struct Entry {
    written: Arc<EndpointSet>,
    handed_out: Option<Arc<EndpointSet>>,
}

pub(super) fn has_names(set: &EndpointSet) -> bool {
    names(set).next().is_some()
}

fn names(set: &EndpointSet) -> impl Iterator<Item = &Name> {
    set.endpoints.iter().filter_map(|endpoint| match &endpoint.address {
        Address::Dns { host, .. } => Some(host),
        Address::Socket(_) | Address::Unix(_) => None,
    })
}

impl Sets {
    pub(super) fn insert(&mut self, set: Arc<EndpointSet>) {
        let key = set.key.clone();
        self.remove(&key);
        for name in names(&set) {
            self.users.entry(name.clone()).or_default().insert(key.clone());
        }
        self.touched.insert(key.clone());
        // The Snapshot may hold addresses of an older set, or none: this one is told in any case.
        self.sets.insert(key, Entry { written: set, handed_out: None });
    }

    pub(super) fn remove(&mut self, key: &PartKey) {
        self.touched.remove(key);
        let Some(entry) = self.sets.remove(key) else { return };
        for name in names(&entry.written) {
            if let Some(users) = self.users.get_mut(name) {
                users.remove(key);
                if users.is_empty() {
                    self.users.remove(name);
                }
            }
        }
    }

    pub(super) fn names(&self) -> BTreeSet<Name> {
        self.users.keys().cloned().collect()
    }

    /// Something was learned of the name.
    pub(super) fn touch(&mut self, name: &Name) {
        self.touched.extend(self.users.get(name).into_iter().flatten().cloned());
    }

    /// An address of the name that a set may not lead to, and what it is.
    pub(super) fn refused(&self, name: &Name, addresses: &Addresses) -> Option<String> {
        let users = self.users.get(name).into_iter().flatten();
        let reaches = users.filter_map(|key| self.sets.get(key)?.written.reach.as_deref());
        let refused = |reach: &Reach| {
            let refused = |ip: IpAddr| Some(format!("{ip}, {}", reach.refuses(ip)?));
            addresses.all().find_map(refused)
        };
        reaches.filter_map(refused).min()
    }

    pub(super) fn changed<'a>(
        &mut self,
        addresses: &dyn Fn(&Name) -> Option<&'a Addresses>,
    ) -> Vec<Part> {
        let mut changed = Vec::new();
        for key in std::mem::take(&mut self.touched) {
            let Some(entry) = self.sets.get_mut(&key) else { continue };
            let now = resolved(&entry.written, addresses);
            if entry.handed_out.as_deref() != Some(&now) {
                let now = Arc::new(now);
                entry.handed_out = Some(Arc::clone(&now));
                changed.push(Part::EndpointSet(now));
            }
        }
        changed
    }
}

/// The set with addresses alone, sorted; two names for one address are one endpoint.
fn resolved<'a>(
    set: &EndpointSet,
    addresses: &dyn Fn(&Name) -> Option<&'a Addresses>,
) -> EndpointSet {
    let (mut failed, mut refused) = (false, false);
    let mut rows: Vec<(u32, Vec<Found>)> = Vec::new();
    for endpoint in &set.endpoints {
        let found = match &endpoint.address {
            Address::Dns { host, port } => {
                let socket = |ip| SocketAddr::new(ip, *port);
                let pair = |(ip, other): Pair| (Address::Socket(socket(ip)), other.map(socket));
                let known = addresses(host);
                let pairs = known.map_or_else(Vec::new, |known| known.pairs(set.reach.as_deref()));
                refused |= pairs.is_empty() && known.is_some_and(|known| !known.is_empty());
                pairs.into_iter().map(pair).collect()
            }
            other => vec![(other.clone(), None)],
        };
        failed |= found.is_empty();
        if !found.is_empty() {
            rows.push((endpoint.weight, found));
        }
    }
    let counts: Vec<(u32, usize)> = rows.iter().map(|(w, found)| (*w, found.len())).collect();
    let mut endpoints: BTreeMap<Address, (Option<SocketAddr>, u32)> = BTreeMap::new();
    for ((_, found), weight) in rows.into_iter().zip(shared_out(&counts)) {
        for (address, other) in found {
            let (alternate, sum) = endpoints.entry(address).or_default();
            *alternate = alternate.or(other);
            *sum = sum.saturating_add(weight);
        }
    }
    let empty = match (endpoints.is_empty(), refused) {
        (true, true) => Some(Cause::BackendAddressRefused),
        (true, false) if failed => Some(Cause::DnsFailed),
        _ => None,
    };
    let one = |(address, (alternate, weight))| Endpoint { address, alternate, weight };
    let endpoints = endpoints.into_iter().map(one).collect();
    EndpointSet { key: set.key.clone(), endpoints, empty, reach: None }
}
