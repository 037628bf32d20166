//! Which Gateways' routes send to an object: the ancestors of its policies.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::ObjectKey;

/// (what is sent to, the Gateway that does)
type Use = (ObjectKey, ObjectKey);

#[derive(Debug, Default)]
pub(in crate::config::lower) struct Users {
    /// By how many routes.
    gateways: HashMap<ObjectKey, BTreeMap<ObjectKey, usize>>,
}

impl Users {
    /// What one route used, and what it uses now. The objects of which the Gateways changed.
    pub(in crate::config::lower) fn change(
        &mut self,
        before: &BTreeSet<Use>,
        after: &BTreeSet<Use>,
    ) -> BTreeSet<ObjectKey> {
        let mut changed = BTreeSet::new();
        for (object, gateway) in after.difference(before) {
            let of = self.gateways.entry(object.clone()).or_default();
            let routes = of.entry(gateway.clone()).or_default();
            *routes += 1;
            if *routes == 1 {
                changed.insert(object.clone());
            }
        }
        for (object, gateway) in before.difference(after) {
            let Some(of) = self.gateways.get_mut(object) else { continue };
            let Some(routes) = of.get_mut(gateway) else { continue };
            *routes -= 1;
            if *routes == 0 {
                of.remove(gateway);
                changed.insert(object.clone());
            }
            if of.is_empty() {
                self.gateways.remove(object);
            }
        }
        changed
    }

    pub(super) fn of(&self, object: &ObjectKey) -> impl Iterator<Item = &ObjectKey> {
        self.gateways.get(object).into_iter().flat_map(BTreeMap::keys)
    }
}
