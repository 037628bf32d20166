//! Whether a route is served as it was published last, by whichever replica its proxies talk to.
//!
//! Each replica publishes by itself, so that a proxy has the last word of its own says nothing of
//! another's. What they agree on is what the parcels hold: the versions of a route's rules.

use std::collections::BTreeSet;
use std::ops::Bound;

use super::{Distribution, Members};
use crate::controller::proxies::{Fleet, Proxy};
use crate::model::{Name, ObjectKey, PartHash, PartKey, PartKind, Scope};
use crate::wire;

impl Distribution {
    /// The routes of which other replicas are told what this one's proxies have.
    pub(in crate::controller) fn follow(&self, routes: BTreeSet<ObjectKey>) {
        self.state().followed = routes;
    }

    /// Whether so many proxies of a fleet, and all that are known, serve a route's rules as this
    /// replica published them last. Others' proxies do where that replica has published the same.
    pub(in crate::controller) fn is_served(
        &self,
        scope: &Scope,
        route: &ObjectKey,
        pods: u64,
    ) -> bool {
        let mut state = self.state();
        let Fleet { proxies, .. } = state.fleet(scope);
        let version = state.fleets.get(scope).and_then(|members| members.version(route));
        let course = (scope.clone(), route.clone());
        let serves = |proxy: &Proxy| {
            let told = match &proxy.replica {
                None => true,
                Some(replica) => state.replicas.told(replica, &course) == version.as_ref(),
            };
            told && proxy.heard && !proxy.behind && !proxy.may_refuse(&rules_of(route))
        };
        proxies.len() as u64 >= pods && proxies.iter().all(serves)
    }
}

impl Members {
    /// Of a route's rules together: replicas agree on it where they have lowered the same. `None`
    /// where the fleet has none of them.
    pub(super) fn version(&self, route: &ObjectKey) -> Option<Name> {
        let prefix = rules_of(route);
        let from = self.parcels.range::<str, _>((Bound::Included(&*prefix), Bound::Unbounded));
        let rules = from.take_while(|(name, _)| name.starts_with(&*prefix));
        let versions: Vec<_> = rules.map(|(name, parcel)| (name, &parcel.version)).collect();
        (!versions.is_empty()).then(|| format!("{:?}", PartHash::of(&versions)).into())
    }
}

/// How the names of all parcels of a route's rules begin.
fn rules_of(route: &ObjectKey) -> String {
    wire::name(&PartKey::new(PartKind::Rule, route.clone(), ""))
}
