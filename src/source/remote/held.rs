//! The parts that a proxy has, by their names on the wire.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::limits;
use crate::model::Part;
use crate::snapshot::Changes;
use crate::wire;
use crate::wire::transaction::{Parcel, Transaction};

#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) version: Arc<str>,
    pub(super) part: Part,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    parts: BTreeMap<Arc<str>, Kept>,
    /// Why what the controller has under a name can't be read: here is its former state, or none.
    refused: BTreeMap<Arc<str>, String>,
}

impl Held {
    pub(super) fn insert(&mut self, name: Arc<str>, version: Arc<str>, part: Part) {
        self.parts.insert(name, Kept { version, part });
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Kept)> {
        self.parts.iter()
    }

    /// Names and versions, for the controller.
    pub(super) fn versions(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.parts.iter().map(|(name, kept)| (name, &kept.version))
    }

    /// Everything as one change, where there is anything.
    pub(super) fn all(&self) -> Option<Changes> {
        let upserted: Vec<Part> = self.parts.values().map(|kept| kept.part.clone()).collect();
        (!upserted.is_empty()).then(|| Changes { upserted, removed: Vec::new() })
    }

    /// What can't be read is news to the controller that comes next.
    pub(super) fn forget_refused(&mut self) {
        self.refused.clear();
    }

    /// Why parts are not what the controller has.
    pub(super) fn refused(&self) -> Vec<String> {
        self.refused.values().cloned().collect()
    }

    /// Takes over a whole transaction, but for what can't be read.
    pub(super) fn apply(&mut self, transaction: Transaction) -> Changes {
        let mut changes = Changes::default();
        for name in &transaction.removed {
            self.refused.remove(&**name);
            if let Some(kept) = self.parts.remove(&**name) {
                changes.removed.push(kept.part.key().clone());
            }
        }
        for parcel in transaction.parcels {
            match unpack(&parcel) {
                Ok(part) => {
                    self.refused.remove(&parcel.name);
                    let kept = Kept { version: parcel.version, part: part.clone() };
                    let old = self.parts.insert(parcel.name, kept);
                    if old.is_none_or(|old| old.part != part) {
                        changes.upserted.push(part);
                    }
                }
                Err(why) => drop(self.refused.insert(parcel.name, why)),
            }
        }
        changes
    }
}

fn unpack(parcel: &Parcel) -> Result<Part, String> {
    let name = &parcel.name;
    let part = wire::decode(&parcel.bytes).map_err(|error| format!("{name}: {error}"))?;
    let own = wire::name(part.key());
    if *own != **name {
        return Err(format!("{name}: it calls itself {own}"));
    }
    Ok(part)
}

/// What the controller is told of parts that could not be read.
pub(super) fn tell(refused: &[String]) -> Option<String> {
    let (named, rest) = refused.split_at(refused.len().min(limits::WIRE_TROUBLES));
    let more = match rest.len() {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    (!refused.is_empty()).then(|| format!("{}{more}", named.join("; ")))
}
