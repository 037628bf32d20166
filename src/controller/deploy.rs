//! Has the cluster run the fleets that are planned, and tells how they are.
//!
//! Only the replica that leads applies anything. Applying is server-side apply, so doing it twice
//! changes nothing, and what others added to our objects stays.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::infrastructure::{self, NotReady, Release};
use super::plan::Planned;
use super::proxies;
use crate::cluster::{Cluster, ClusterError};
use crate::config::status::{Facts, Refusal};
use crate::limits;
use crate::model::{Name, ObjectKey, Scope};
use crate::names;

#[cfg(test)]
mod tests;

type Place = (Name, Name);

pub(super) struct Deployer {
    cluster: Cluster,
    release: Release,
    leading: bool,
    /// `None` until everything has been read: what isn't known yet is not unwanted.
    planned: Option<BTreeMap<Scope, Planned>>,
    /// Our Services and Deployments as the API server showed them last.
    services: HashMap<Place, Value>,
    deployments: HashMap<Place, Value>,
    due: BTreeSet<Scope>,
    later: BTreeMap<Scope, Instant>,
    busy: BTreeSet<Scope>,
    failed: BTreeMap<Scope, String>,
    removing: BTreeSet<Place>,
    work: JoinSet<Done>,
}

#[derive(Debug)]
pub(super) enum Done {
    Applied(Scope, Result<(), ClusterError>),
    Removed(Place, Result<(), ClusterError>),
}

impl Deployer {
    pub(super) fn new(cluster: Cluster, release: Release) -> Self {
        Self {
            cluster,
            release,
            leading: false,
            planned: None,
            services: HashMap::new(),
            deployments: HashMap::new(),
            due: BTreeSet::new(),
            later: BTreeMap::new(),
            busy: BTreeSet::new(),
            failed: BTreeMap::new(),
            removing: BTreeSet::new(),
            work: JoinSet::new(),
        }
    }

    pub(super) fn lead(&mut self, leading: bool) {
        self.leading = leading;
        self.due = self.planned().map(|(scope, _)| scope.clone()).collect();
    }

    /// What proxies check the controller with, from now on.
    pub(super) fn set_authority(&mut self, authority: String) {
        self.release.authority = authority;
        self.due = self.planned().map(|(scope, _)| scope.clone()).collect();
    }

    /// What there is to be from now on. The Gateways whose facts that may change.
    pub(super) fn plan(&mut self, planned: BTreeMap<Scope, Planned>) -> BTreeSet<ObjectKey> {
        let mut touched = BTreeSet::new();
        let before = self.planned.take().unwrap_or_default();
        for (scope, new) in &planned {
            let old = before.get(scope);
            let same = old.is_some_and(|old| old.fleet == new.fleet);
            if !same {
                self.due.insert(scope.clone());
            }
            let known =
                |gateway: &&ObjectKey| old.is_some_and(|old| old.gateways.contains(*gateway));
            touched.extend(new.gateways.iter().filter(|one| !same || !known(one)).cloned());
        }
        for (scope, old) in &before {
            if !planned.contains_key(scope) {
                self.failed.remove(scope);
                self.later.remove(scope);
                touched.extend(old.gateways.iter().cloned());
            }
        }
        self.due.retain(|scope| planned.contains_key(scope));
        self.planned = Some(planned);
        touched
    }

    /// A Service or Deployment with our label was seen, or is gone. The Gateways whose facts that
    /// may change.
    pub(super) fn seen(
        &mut self,
        kind: Seen,
        place: &Place,
        object: Option<&Value>,
    ) -> BTreeSet<ObjectKey> {
        let objects = match kind {
            Seen::Service => &mut self.services,
            Seen::Deployment => &mut self.deployments,
        };
        match object {
            Some(object) if object["metadata"]["labels"][names::LABEL_FLEET].is_string() => {
                objects.insert(place.clone(), slim(object));
            }
            _ => {
                if objects.remove(place).is_none() {
                    return BTreeSet::new();
                }
                // Somebody deleted it; it comes back.
                let scopes = self.scopes_at(place);
                self.due.extend(scopes);
            }
        }
        let scopes = self.scopes_at(place);
        scopes.iter().flat_map(|scope| self.gateways(scope)).collect()
    }

    fn scopes_at(&self, (namespace, name): &Place) -> Vec<Scope> {
        let here = self.planned().filter(|(scope, planned)| {
            scope.namespace == *namespace && infrastructure::name(&planned.fleet) == **name
        });
        here.map(|(scope, _)| scope.clone()).collect()
    }

    pub(super) fn gateways(&self, scope: &Scope) -> BTreeSet<ObjectKey> {
        self.get(scope).map(|planned| planned.gateways.clone()).unwrap_or_default()
    }

    pub(super) fn all_gateways(&self) -> BTreeSet<ObjectKey> {
        self.planned().flat_map(|(_, planned)| planned.gateways.iter().cloned()).collect()
    }

    /// The ServiceAccount of each fleet.
    pub(super) fn accounts(&self) -> BTreeMap<Place, Scope> {
        let account = |(scope, planned): (&Scope, &Planned)| {
            let name = infrastructure::name(&planned.fleet).into();
            ((scope.namespace.clone(), name), scope.clone())
        };
        self.planned().map(account).collect()
    }

    /// How the proxies of a Gateway are; `None` for one that has none to have.
    pub(super) fn facts(
        &self,
        gateway: &ObjectKey,
        told: impl Fn(&Scope) -> proxies::Fleet,
    ) -> Option<Facts> {
        let (scope, planned) =
            self.planned().find(|(_, planned)| planned.gateways.contains(gateway))?;
        let place = (scope.namespace.clone(), infrastructure::name(&planned.fleet).into());
        let (service, deployment) = (self.services.get(&place), self.deployments.get(&place));
        let addresses = service.map(infrastructure::addresses).unwrap_or_default();
        let ready = infrastructure::readiness(&planned.fleet, service, deployment);
        let ready = ready.map_err(|NotReady { reason, message }| match self.failed.get(scope) {
            Some(why) => Refusal::new("NoResources", why.clone()),
            None => Refusal::new(reason.as_str(), message),
        });
        let told = told(scope);
        let nacked = told.troubles().next().map(|(proxy, why)| format!("{proxy}: {why}"));
        Some(Facts {
            addresses: addresses
                .into_iter()
                .map(|(kind, value)| (kind.into(), value.into()))
                .collect(),
            ready,
            nacked,
        })
    }

    /// How many of its pods take requests.
    pub(super) fn ready_pods(&self, scope: &Scope) -> u64 {
        let Some(planned) = self.get(scope) else { return 0 };
        let place = (scope.namespace.clone(), infrastructure::name(&planned.fleet).into());
        let deployment = self.deployments.get(&place);
        deployment.and_then(|one| one["status"]["readyReplicas"].as_u64()).unwrap_or(0)
    }

    /// Starts what is due.
    pub(super) fn work(&mut self, now: Instant) {
        if !self.leading {
            return;
        }
        let ripe: Vec<Scope> = self
            .later
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(scope, _)| scope.clone())
            .collect();
        for scope in ripe {
            self.later.remove(&scope);
            self.due.insert(scope);
        }
        let due: Vec<Scope> = self.due.difference(&self.busy).cloned().collect();
        for scope in due {
            if self.work.len() >= limits::DEPLOYMENTS {
                return;
            }
            self.due.remove(&scope);
            let Some(planned) = self.get(&scope) else { continue };
            let objects = infrastructure::desired(&planned.fleet, &self.release);
            let fleet = infrastructure::name(&planned.fleet);
            let cluster = self.cluster.clone();
            self.busy.insert(scope.clone());
            self.work.spawn(async move {
                let applied = async {
                    infrastructure::apply(&cluster, &objects).await?;
                    infrastructure::prune(&cluster, &scope.namespace, &fleet, &objects).await
                };
                let applied = applied.await;
                Done::Applied(scope, applied)
            });
        }
        self.remove_unplanned();
    }

    /// What an owner that is gone doesn't take with it: a Gateway that changed its class is there
    /// still.
    fn remove_unplanned(&mut self) {
        for place in self.unplanned() {
            if self.work.len() >= limits::DEPLOYMENTS {
                return;
            }
            let cluster = self.cluster.clone();
            self.removing.insert(place.clone());
            self.work.spawn(async move {
                let removed = infrastructure::remove(&cluster, &place.0, &place.1).await;
                Done::Removed(place, removed)
            });
        }
    }

    fn unplanned(&self) -> Vec<Place> {
        if self.planned.is_none() {
            return Vec::new();
        }
        let planned = self.accounts();
        let left = self.deployments.iter().filter(|(place, deployment)| {
            !planned.contains_key(*place)
                && !self.removing.contains(*place)
                && deployment["metadata"]["deletionTimestamp"].is_null()
        });
        left.map(|(place, _)| place.clone()).collect()
    }

    fn planned(&self) -> impl Iterator<Item = (&Scope, &Planned)> {
        self.planned.iter().flatten()
    }

    fn get(&self, scope: &Scope) -> Option<&Planned> {
        self.planned.as_ref()?.get(scope)
    }

    /// Waits for some work to end; for ever where there is none.
    pub(super) async fn next(&mut self) -> Done {
        loop {
            match self.work.join_next().await {
                Some(Ok(done)) => return done,
                Some(Err(error)) => tracing::error!(%error, "a fleet was not deployed"),
                None => std::future::pending::<()>().await,
            }
        }
    }

    /// The Gateways whose facts that may change.
    pub(super) fn take(&mut self, done: Done, now: Instant) -> BTreeSet<ObjectKey> {
        match done {
            Done::Applied(scope, result) => {
                self.busy.remove(&scope);
                match result {
                    Ok(()) => {
                        self.failed.remove(&scope);
                    }
                    Err(error) => {
                        tracing::warn!(fleet = %scope, %error, "the proxies can't be deployed");
                        self.failed.insert(scope.clone(), error.to_string());
                        self.later.insert(scope.clone(), now + limits::DEPLOY_RETRY);
                    }
                }
                self.gateways(&scope)
            }
            Done::Removed(place, result) => {
                self.removing.remove(&place);
                // It may have been planned anew meanwhile.
                let scopes = self.scopes_at(&place);
                self.due.extend(scopes);
                match result {
                    Ok(()) => {
                        self.deployments.remove(&place);
                    }
                    Err(error) => tracing::warn!(
                        namespace = %place.0, fleet = %place.1, %error, "proxies that nobody needs can't be removed"
                    ),
                }
                BTreeSet::new()
            }
        }
    }
}

/// What was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Service,
    Deployment,
}

/// Of an object, what facts are made of.
fn slim(object: &Value) -> Value {
    let metadata = &object["metadata"];
    serde_json::json!({
        "metadata": { "deletionTimestamp": metadata["deletionTimestamp"] },
        "spec": {
            "type": object["spec"]["type"],
            "clusterIPs": object["spec"]["clusterIPs"],
        },
        "status": object["status"],
    })
}
