//! A worker's own view of rules and backends: stages, counters, groups and pools, made at first
//! use and kept as long as the part stays the same.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::balance::{EndpointGroup, Weights};
use super::mirror::Mirror;
use super::registry::EndpointId;
use super::session::BackendId;
use super::stage::Stage;
use super::upstream::{Dialer, Pool, Transport};
use super::worker::Worker;
use super::world::World;
use crate::clock;
use crate::model::{ArmKey, Backend, Cause, EndpointSet, Filter, Listener, PartKey, Rule};
use crate::snapshot::CompiledRule;
use crate::telemetry::{
    BackendSeries, EndpointSeries, MirrorSeries, RouteNames, RouteSeries, WorkerMetrics,
};

/// A rule as one worker runs it. An exchange holds it to its end, so a stream of days pins a rule
/// and not a Snapshot.
pub struct RuleView {
    pub compiled: Arc<CompiledRule>,
    /// On which listener: counters are per listener, and a rule may be attached to several.
    pub listener: Arc<Listener>,
    pub stages: Vec<Stage>,
    pub ways: Vec<Way>,
    pub weights: Weights,
    /// For requests that reach no backend.
    pub series: Rc<RouteSeries>,
}

/// One backendRef of a rule.
pub struct Way {
    pub backend: Result<Rc<BackendView>, Cause>,
    pub session: Option<BackendId>,
    pub stages: Vec<Stage>,
    pub series: Rc<RouteSeries>,
}

impl RuleView {
    pub fn rule(&self) -> &Rule {
        &self.compiled.rule
    }

    pub fn new(worker: &Worker, listener: &Arc<Listener>, compiled: &Arc<CompiledRule>) -> Self {
        let rule = &compiled.rule;
        let series = |backend: Option<&PartKey>| {
            let names = RouteNames::new(listener, Some(&rule.key), backend);
            let series = RouteSeries::new(&worker.metrics, names);
            Rc::new(match backend {
                Some(backend) => series.of_arm(&ArmKey {
                    rule: rule.key.clone(),
                    backend: backend.clone(),
                    dark: false,
                }),
                None => series,
            })
        };
        let ways = rule.backends.iter().map(|weighted| Way {
            backend: match &weighted.backend {
                Ok(key) => Ok(worker.backend(key)),
                Err(cause) => Err(*cause),
            },
            session: match &weighted.backend {
                Ok(key) => Some(BackendId::new(&rule.key, key)),
                Err(_) => None,
            },
            stages: stages(worker, rule, &weighted.filters),
            series: series(weighted.backend.as_ref().ok()),
        });
        Self {
            ways: ways.collect(),
            weights: Weights::new(rule.backends.iter().map(|weighted| weighted.weight)),
            stages: stages(worker, rule, &rule.filters),
            series: series(None),
            listener: Arc::clone(listener),
            compiled: Arc::clone(compiled),
        }
    }
}

fn stages(worker: &Worker, rule: &Rule, filters: &[Filter]) -> Vec<Stage> {
    let mirror = |mirror: &crate::model::Mirror| {
        let named = mirror.backend.as_ref().ok();
        Rc::new(Mirror {
            fraction: mirror.fraction,
            backend: match &mirror.backend {
                Ok(key) => Ok(worker.backend(key)),
                Err(cause) => Err(*cause),
            },
            series: MirrorSeries::new(&worker.metrics, &rule.key, named),
        })
    };
    filters.iter().map(|filter| Stage::compile(filter, mirror)).collect()
}

/// A backend as one worker uses it. The rules that point at it never change when it does.
pub struct BackendView {
    pub key: PartKey,
    pub series: BackendSeries,
    now: RefCell<Result<Rc<BackendNow>, Cause>>,
    pools: RefCell<HashMap<EndpointId, Rc<Pool>>>,
}

/// A backend between two changes of it.
pub struct BackendNow {
    pub backend: Arc<Backend>,
    endpoints: Arc<EndpointSet>,
    tls: Option<Arc<crate::identity::ClientTls>>,
    pub group: EndpointGroup,
    /// In the order of the group's members.
    pub pools: Vec<Rc<Pool>>,
}

impl std::ops::Deref for BackendNow {
    type Target = EndpointGroup;
    fn deref(&self) -> &EndpointGroup {
        &self.group
    }
}

impl BackendView {
    pub fn new(worker: &WorkerMetrics, key: PartKey) -> Self {
        Self {
            series: BackendSeries::new(worker, &key),
            key,
            now: RefCell::new(Err(Cause::BackendNotFound)),
            pools: RefCell::default(),
        }
    }

    pub fn now(&self) -> Result<Rc<BackendNow>, Cause> {
        self.now.borrow().clone()
    }

    /// Takes over what changed. Pools stay with their endpoints.
    pub fn refresh(&self, worker: &Worker, world: &World) {
        let entry =
            world.snapshot.backend_slot(&self.key).and_then(|slot| world.snapshot.backend(slot));
        let Some(entry) = entry else {
            self.set(Err(Cause::BackendNotFound));
            return;
        };
        let Some(endpoints) = &entry.endpoints else {
            self.set(Err(Cause::NoEndpoint));
            return;
        };
        let tls = match world.client_tls(&entry.backend) {
            Ok(tls) => tls,
            Err(cause) => {
                self.set(Err(cause));
                return;
            }
        };
        if self.is_current(&entry.backend, endpoints, tls.as_ref()) {
            return;
        }
        let shared = worker.registry.backend(&self.key);
        let group = EndpointGroup::new(&entry.backend, endpoints, shared, clock::now());
        let pools = self.pools(worker, &entry.backend, tls.as_ref(), &group);
        self.set(Ok(Rc::new(BackendNow {
            backend: Arc::clone(&entry.backend),
            endpoints: Arc::clone(endpoints),
            tls,
            group,
            pools,
        })));
    }

    /// Closes what has been idle for too long.
    pub fn sweep(&self) {
        let now = clock::now();
        for pool in self.pools.borrow().values() {
            pool.sweep(now);
        }
    }

    fn set(&self, now: Result<Rc<BackendNow>, Cause>) {
        if now.is_err() {
            self.pools.borrow_mut().clear();
        }
        *self.now.borrow_mut() = now;
    }

    fn is_current(
        &self,
        backend: &Arc<Backend>,
        endpoints: &Arc<EndpointSet>,
        tls: Option<&Arc<crate::identity::ClientTls>>,
    ) -> bool {
        self.now.borrow().as_ref().is_ok_and(|now| {
            Arc::ptr_eq(&now.backend, backend)
                && Arc::ptr_eq(&now.endpoints, endpoints)
                && now.tls.as_ref().map(Arc::as_ptr) == tls.map(Arc::as_ptr)
        })
    }

    /// A pool outlives everything but a changed transport, which its endpoint's id and its TLS
    /// configuration stand for.
    fn pools(
        &self,
        worker: &Worker,
        backend: &Backend,
        tls: Option<&Arc<crate::identity::ClientTls>>,
        group: &EndpointGroup,
    ) -> Vec<Rc<Pool>> {
        let policy = &backend.policy;
        let transport = Transport {
            protocol: backend.protocol,
            tls: tls.cloned(),
            connect_timeout: policy.connect_timeout,
            max_idle: policy.max_idle_per_endpoint,
            one_client: policy.proxy_protocol.is_some(),
        };
        let mut known = self.pools.borrow_mut();
        let mut kept = HashMap::new();
        let pools = group
            .members()
            .iter()
            .map(|member| {
                let pool = match known.remove(&member.shared.id) {
                    Some(pool) if pool.uses_tls(tls) => {
                        pool.set_transport(transport.clone());
                        pool.dialer().set_alternate(member.alternate);
                        pool
                    }
                    _ => {
                        let series =
                            EndpointSeries::new(&worker.metrics, &self.key, &member.address);
                        let dialer = Dialer::new(member.address.clone(), member.alternate);
                        Pool::new(dialer, transport.clone(), Rc::new(series))
                    }
                };
                kept.insert(member.shared.id, Rc::clone(&pool));
                pool
            })
            .collect();
        *known = kept;
        pools
    }
}
