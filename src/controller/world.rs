//! Everything that the controller knows of the cluster: the same index and the same lowering as
//! for files, fed by watches.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::data::{self, Data, Got};
use super::watch::{Happened, Watched};
use crate::clock;
use crate::config::decode::{self, Decoded};
use crate::config::flags::Options;
use crate::config::index::Index;
use crate::config::lower::{Lowered, Lowering};
use crate::config::raw::Object;
use crate::model::{Kind, Name, ObjectKey, Store};

/// What the index calls where objects of a cluster come from.
const ORIGIN: &str = "";

pub(super) struct World {
    pub(super) index: Index,
    pub(super) lowering: Lowering,
    pub(super) data: Data,
    /// What is there of each kind, by namespace and name.
    there: BTreeMap<Watched, BTreeSet<(Name, Name)>>,
    /// What a list that is going on has held so far.
    listing: BTreeMap<Watched, BTreeSet<(Name, Name)>>,
    listed: BTreeSet<Watched>,
    /// The version of each route that is in the index as it is stored.
    pub(super) versions: HashMap<ObjectKey, String>,
    origin: Arc<str>,
}

/// What an event means for those beside the index.
#[derive(Debug)]
pub(super) enum Noted {
    Is(Watched, (Name, Name), Box<Value>),
    Gone(Watched, (Name, Name)),
}

impl World {
    pub(super) fn new(data: Data, options: Options) -> Self {
        Self {
            index: Index::new(),
            lowering: Lowering::new(options),
            data,
            there: BTreeMap::new(),
            listing: BTreeMap::new(),
            listed: BTreeSet::new(),
            versions: HashMap::new(),
            origin: ORIGIN.into(),
        }
    }

    /// Whether every kind has been listed: before that, what is missing may only be late.
    pub(super) fn is_complete(&self) -> bool {
        Watched::all().all(|watched| self.listed.contains(&watched))
    }

    /// The kinds that are waited for.
    pub(super) fn missing(&self) -> impl Iterator<Item = Watched> {
        Watched::all().filter(|watched| !self.listed.contains(watched))
    }

    pub(super) fn take(&mut self, watched: Watched, happened: Happened) -> Vec<Noted> {
        match happened {
            Happened::Listing => {
                self.listing.insert(watched, BTreeSet::new());
                Vec::new()
            }
            Happened::Listed => {
                self.listed.insert(watched);
                let Some(held) = self.listing.remove(&watched) else { return Vec::new() };
                let before = self.there.get(&watched);
                let gone: Vec<_> = before
                    .into_iter()
                    .flatten()
                    .filter(|it| !held.contains(*it))
                    .cloned()
                    .collect();
                gone.into_iter().map(|name| self.gone(watched, name)).collect()
            }
            Happened::Is(object) => {
                let name = name_of(&object);
                if let Some(held) = self.listing.get_mut(&watched) {
                    held.insert(name.clone());
                }
                self.there.entry(watched).or_default().insert(name.clone());
                if let Watched::Kind(kind) = watched {
                    self.is(&key_of(kind, &name), &object);
                }
                vec![Noted::Is(watched, name, object)]
            }
            Happened::Gone(object) => vec![self.gone(watched, name_of(&object))],
            Happened::Failed(why) => {
                tracing::warn!(kind = %watched, error = %why, "can't be watched");
                Vec::new()
            }
        }
    }

    fn is(&mut self, key: &ObjectKey, object: &Value) {
        match key.kind {
            Kind::Secret | Kind::ConfigMap => self.data.seen(key, object),
            _ => self.put(key, object),
        }
    }

    fn put(&mut self, key: &ObjectKey, value: &Value) {
        let (decoded, diagnostics) = decode::from_json(value, Store::Cluster);
        match decoded {
            Decoded::Object(object) => {
                // Most events are about a status or a field that isn't ours.
                let same = self.index.get(key).is_some_and(|held| says_the_same(held, &object));
                if !same {
                    self.index.apply(*object);
                }
                if matches!(key.kind, Kind::HttpRoute | Kind::GrpcRoute) {
                    self.versions.insert(key.clone(), data::version(value));
                }
            }
            // What was good before stays.
            _ => {
                self.versions.remove(key);
                let why = diagnostics.iter().find(|one| one.is_error()).map(|one| &*one.message);
                tracing::warn!(object = %key, why, "can't be read; what it said before stays");
            }
        }
    }

    fn gone(&mut self, watched: Watched, name: (Name, Name)) -> Noted {
        if let Some(there) = self.there.get_mut(&watched) {
            there.remove(&name);
        }
        if let Watched::Kind(kind) = watched {
            let key = key_of(kind, &name);
            if matches!(kind, Kind::Secret | Kind::ConfigMap) {
                self.data.gone(&key);
            }
            self.versions.remove(&key);
            self.index.delete(&key, &self.origin);
        }
        Noted::Gone(watched, name)
    }

    pub(super) fn fetched(&mut self, key: &ObjectKey, got: Got) {
        match got {
            Got::Is(object) => self.put(key, &object),
            Got::Gone => self.index.delete(key, &self.origin),
            Got::Nothing => {}
        }
    }

    /// Lowers what changed. The second is whether Secrets or ConfigMaps that it names are on
    /// their way.
    pub(super) fn commit(&mut self) -> (Lowered, bool) {
        let now = i64::try_from(clock::since_epoch().as_secs()).unwrap_or(i64::MAX);
        let lowered = self.lowering.commit(&mut self.index, now);
        for unasked in self.data.look(self.lowering.asked_data()) {
            self.index.delete(&unasked, &self.origin);
        }
        let behind = self.data.is_behind(self.lowering.asked_data());
        (lowered, behind)
    }
}

pub(super) fn key_of(kind: Kind, (namespace, name): &(Name, Name)) -> ObjectKey {
    ObjectKey::new(Store::Cluster, kind, namespace, name)
}

fn name_of(object: &Value) -> (Name, Name) {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().into();
    (text("namespace"), text("name"))
}

fn says_the_same(a: &Object, b: &Object) -> bool {
    a.key == b.key && a.meta == b.meta && a.spec == b.spec
}
