//! What one replica says of itself and of the proxies that talk to it, as JSON: what
//! `meshctl controller status` prints and `meshctl proxy status` reads, perhaps of another version,
//! so that whatever isn't said has a default.

use serde::{Deserialize, Serialize};

use super::proxies::{Fleet, Proxy};
use crate::model::Totals;

/// One replica.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Picture {
    /// Its pod.
    pub name: String,
    pub version: String,
    pub ready: bool,
    /// Why it isn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether it holds the Lease, and so writes.
    pub leading: bool,
    pub proxies: Vec<Connected>,
    /// The proxies of other replicas, of which these tell the one that leads.
    pub others: Vec<Elsewhere>,
}

/// One proxy, as the replica knows it that it talks to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Connected {
    /// `NAMESPACE/POD`
    pub name: String,
    /// `NAMESPACE/NAME` of the Gateway, or of the fleet that Gateways share.
    pub gateway: String,
    pub version: String,
    /// Seconds since the epoch.
    pub connected_since: u64,
    /// The last generation that changed something for it. Replicas count each for themselves.
    pub generation: Option<u64>,
    /// The last of which it said that it serves it, with or without trouble.
    pub answered: Option<u64>,
    /// The last that it serves as it was asked to.
    pub acknowledged: Option<u64>,
    /// What it could not do.
    pub trouble: Option<String>,
    pub report: Option<Counts>,
}

/// A proxy that talks to another replica.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Elsewhere {
    /// `NAMESPACE/POD`
    pub name: String,
    pub gateway: String,
    pub controller: String,
    /// Whether that replica is heard: else this is of before.
    pub heard: bool,
    /// Whether it serves what was told last.
    pub synced: bool,
}

/// Totals since the proxy started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Counts {
    pub requests: u64,
    /// Of these, with a status from 500.
    pub errors: u64,
    pub connections: u64,
}

impl Elsewhere {
    pub(super) fn new(proxy: Proxy) -> Self {
        Self {
            name: proxy.name.to_string(),
            gateway: proxy.scope.to_string(),
            controller: proxy.replica.map(|replica| replica.to_string()).unwrap_or_default(),
            heard: proxy.heard,
            synced: !proxy.behind,
        }
    }
}

impl Connected {
    /// Whether it serves what was told last.
    pub fn is_synced(&self) -> bool {
        self.generation.is_some() && self.acknowledged == self.generation
    }

    pub(super) fn all(fleets: Vec<Fleet>) -> Vec<Self> {
        let of = |fleet: Fleet| {
            let generation = fleet.generation;
            fleet.proxies.into_iter().map(move |proxy| Self::new(proxy, generation))
        };
        fleets.into_iter().flat_map(of).collect()
    }

    fn new(proxy: Proxy, generation: Option<u64>) -> Self {
        let Proxy {
            name,
            scope,
            version,
            connected_since,
            sent: _,
            answered,
            acknowledged,
            trouble,
            totals,
            behind: _,
            replica: _,
            heard: _,
        } = proxy;
        Self {
            name: name.to_string(),
            gateway: scope.to_string(),
            version: version.to_string(),
            connected_since: connected_since.as_secs(),
            generation,
            answered,
            acknowledged,
            trouble: trouble.map(|trouble| trouble.to_string()),
            report: totals.map(|totals| {
                let Totals { requests, errors, connections, left_out: _ } = totals;
                Counts { requests, errors, connections }
            }),
        }
    }
}
