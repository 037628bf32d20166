//! What the controller knows of the route of a rollout at one moment: what a turn stands on, beside
//! what it reads itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::index::Index;
use crate::config::raw::Spec;
use crate::controller::deploy::Deployer;
use crate::controller::world::World;
use crate::controller::xds::Distribution;
use crate::model::{Kind, Name, ObjectKey, Scope, Store};
use crate::names::GROUP_MESHCTL;
use crate::rollout::Rollout;
use crate::rollout::others::{Keeper, Rival, SERVICE_OF_ROLLOUT};
use crate::rollout::route::Destination;

/// Of the rollout as it was then: one that was edited since has another route or version, and
/// finds nothing of it true.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Basis {
    route: Option<ObjectKey>,
    new: Option<Destination>,
    /// Which version of the route proxies were told; `None` where it can't be told.
    told: Option<String>,
    /// The fleets that serve it, each with the number of its pods that are ready.
    scopes: BTreeMap<Scope, u64>,
    ready: bool,
    pub(super) rival: Option<Rival>,
    pub(super) keeper: Option<Keeper>,
}

/// Whoever else has a say in a route, as the watch showed it last.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Others {
    pub(super) rival: Option<Rival>,
    pub(super) keeper: Option<Keeper>,
}

/// What it takes to know.
pub(in crate::controller) struct Lookout<'a> {
    pub(in crate::controller) world: &'a mut World,
    pub(in crate::controller) deployer: &'a Deployer,
    /// Routes of which something is too large to be sent.
    pub(in crate::controller) unsent: &'a BTreeSet<ObjectKey>,
    /// Whether all that was taken in was published.
    pub(in crate::controller) published: bool,
}

impl Lookout<'_> {
    /// `None` for a rollout that can't be read.
    pub(super) fn basis(&mut self, rollout: &Rollout, others: Others) -> Basis {
        let (stable, new, _) = rollout.versions();
        let World { index, lowering, versions, .. } = &mut *self.world;
        let route = &rollout.route;
        let told = versions.get(route).filter(|_| self.published && !self.unsent.contains(route));
        let ready =
            target(new).is_some_and(|(to, port)| lowering.is_ready(index, route, &to, port));
        let with_pods = |scope: Scope| {
            let pods = self.deployer.ready_pods(&scope);
            (scope, pods)
        };
        let of_service = || {
            let services = stable.into_iter().chain([new]).filter_map(target);
            services.filter_map(|(to, _)| annotated(index, &to)).next()
        };
        Basis {
            route: Some(route.clone()),
            new: Some(new.clone()),
            told: told.cloned(),
            scopes: lowering.scopes_of(route).into_iter().map(with_pods).collect(),
            ready,
            rival: others.rival.or_else(of_service),
            keeper: others.keeper,
        }
    }

    pub(super) fn rollout(&self, key: &ObjectKey) -> Option<Rollout> {
        let object = self.world.index.get(key)?;
        match &object.spec {
            Spec::TrafficRollout(spec) => Some(Rollout::new(key, &object.meta, spec)),
            _ => None,
        }
    }
}

fn annotated(index: &Index, service: &ObjectKey) -> Option<Rival> {
    let annotations = &index.get(service)?.meta.annotations;
    annotations.get(SERVICE_OF_ROLLOUT).map(|rollout: &Name| Rival::of_service(rollout))
}

/// The object of a backendRef, where it is of a kind that can be one.
fn target(to: &Destination) -> Option<(ObjectKey, Option<u16>)> {
    let kind = match (&*to.group, &*to.kind) {
        ("", "Service") => Kind::Service,
        (GROUP_MESHCTL, "Backend") => Kind::Backend,
        _ => return None,
    };
    let port = to.port.filter(|_| kind == Kind::Service);
    Some((ObjectKey::new(Store::Cluster, kind, &to.namespace, &to.name), port))
}

impl Basis {
    /// Whether every proxy of every fleet that serves the route serves this version of it. A pod
    /// that is ready and talks to no replica may serve what it has saved.
    pub(super) fn in_force(
        &self,
        rollout: &Rollout,
        version: &str,
        distribution: &Distribution,
    ) -> bool {
        let up_to_date =
            |(scope, pods): (&Scope, &u64)| distribution.is_served(scope, &rollout.route, *pods);
        self.route.as_ref() == Some(&rollout.route)
            && self.told.as_deref() == Some(version)
            && !self.scopes.is_empty()
            && self.scopes.iter().all(up_to_date)
    }

    /// Whether the rollout could be read.
    pub(super) fn is_known(&self) -> bool {
        self.route.is_some()
    }

    pub(super) fn is_ready(&self, rollout: &Rollout) -> bool {
        self.ready && self.new.as_ref() == Some(rollout.versions().1)
    }
}

#[cfg(test)]
impl Basis {
    /// A route that one fleet of so many pods serves, in this version.
    pub(super) fn seen(rollout: &Rollout, told: Option<&str>, scope: &Scope, pods: u64) -> Self {
        Self {
            route: Some(rollout.route.clone()),
            new: Some(rollout.versions().1.clone()),
            told: told.map(str::to_owned),
            scopes: [(scope.clone(), pods)].into(),
            ready: true,
            rival: None,
            keeper: None,
        }
    }

    pub(super) fn set_ready(&mut self, ready: bool) {
        self.ready = ready;
    }
}
