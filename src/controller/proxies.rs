//! The proxies that are connected, and how far each is: for the status of Gateways and for
//! `meshctl proxy status`.

use std::time::Duration;

use crate::limits;
use crate::model::{Name, Scope, Totals};

/// One connected proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// `NAMESPACE/POD`.
    pub name: Name,
    pub scope: Scope,
    /// Of its binary.
    pub version: Name,
    /// Since the epoch.
    pub connected_since: Duration,
    /// The last generation that it was sent; of this replica, as all generations here.
    pub sent: Option<u64>,
    /// The last generation of which it said that it serves it, with or without trouble.
    pub answered: Option<u64>,
    /// The last generation that it serves as it was asked to.
    pub acknowledged: Option<u64>,
    /// It doesn't serve yet what it was told last, as far as it can.
    pub behind: bool,
    /// What it could not do, of the generation that it answered last.
    pub trouble: Option<Name>,
    /// How much it has done so far, as it said last.
    pub totals: Option<Totals>,
    /// The replica of the controller that it talks to; `None`: this one.
    pub replica: Option<Name>,
    /// Whether that replica is heard: else everything here is of before.
    pub heard: bool,
}

impl Proxy {
    /// One that has just come.
    pub(super) fn new(scope: Scope, name: Name, version: Name, connected_since: Duration) -> Self {
        Self {
            name,
            scope,
            version,
            connected_since,
            sent: None,
            answered: None,
            acknowledged: None,
            behind: false,
            trouble: None,
            totals: None,
            replica: None,
            heard: true,
        }
    }

    /// Whether what it could not do may be a part whose name begins so: it names the first ones
    /// alone, and a long text is cut off.
    pub(super) fn may_refuse(&self, name: &str) -> bool {
        self.trouble.as_ref().is_some_and(|why| {
            let more = why.contains("; and ") && why.contains(" more");
            more || why.contains(name) || why.chars().count() >= limits::WIRE_TROUBLE_CHARS
        })
    }
}

/// One fleet at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fleet {
    /// The last generation that changed something for it; none before the first.
    pub generation: Option<u64>,
    pub proxies: Vec<Proxy>,
}

impl Fleet {
    /// The proxies that don't serve what was told last, as far as they can.
    pub fn behind(&self) -> impl Iterator<Item = &Proxy> {
        self.proxies.iter().filter(|proxy| proxy.behind)
    }

    /// What proxies could not do, each with its name.
    pub fn troubles(&self) -> impl Iterator<Item = (&Name, &Name)> {
        self.proxies.iter().filter_map(|proxy| Some((&proxy.name, proxy.trouble.as_ref()?)))
    }
}
