//! Which endpoint of a backend takes a request.
//!
//! A group is a worker's immutable view: the endpoint list, its weights and settings, and handles
//! to what all workers share. `pick` is a function of the group, the random numbers, the hash, the
//! endpoints that were tried already and the time.
//!
//! This module must not know connections, requests or retries.

mod least_request;
mod maglev;
mod round_robin;
mod weights;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use smallvec::SmallVec;

use super::ejection::{EjectionEvent, Failure};
use super::registry::{BackendShared, Channel, EndpointShared};
use super::session;
use crate::clock::Instant;
use crate::limits;
use crate::model::{Address, Backend, BackendPolicy, Balance, Cause, EndpointSet};

pub(in crate::proxy) use maglev::Maglev;
pub use weights::Weights;

/// The endpoints of one backend as one worker sees them.
#[derive(Debug)]
pub struct EndpointGroup {
    shared: Arc<BackendShared>,
    policy: Arc<BackendPolicy>,
    members: Box<[Member]>,
    weights: Weights,
    weights_are_even: bool,
    /// (session id, position), sorted.
    by_session: Box<[(u64, u32)]>,
    maglev: Option<Arc<Maglev>>,
    /// Why there is no member.
    empty: Cause,
}

/// One endpoint of a group.
#[derive(Debug)]
pub struct Member {
    pub address: Address,
    pub alternate: Option<SocketAddr>,
    pub weight: u32,
    pub shared: Arc<EndpointShared>,
}

impl EndpointGroup {
    /// An address that is listed twice counts once, with its first weight.
    pub fn new(
        backend: &Backend,
        endpoints: &EndpointSet,
        shared: Arc<BackendShared>,
        now: Instant,
    ) -> Self {
        let channel = Channel::of(backend);
        let mut seen = HashSet::new();
        let members: Box<[Member]> = endpoints
            .endpoints
            .iter()
            .filter(|endpoint| seen.insert(&endpoint.address))
            .map(|endpoint| Member {
                address: endpoint.address.clone(),
                alternate: endpoint.alternate,
                weight: endpoint.weight,
                shared: shared.endpoint(channel, &endpoint.address, now),
            })
            .collect();
        let mut by_session: Box<[(u64, u32)]> =
            members.iter().map(|member| session::endpoint_id(&member.address)).zip(0..).collect();
        by_session.sort_unstable();
        let maglev = matches!(backend.policy.balance, Balance::ConsistentHash(_))
            .then(|| Maglev::shared(&shared, &members));
        let weights = Weights::new(members.iter().map(|member| member.weight));
        Self {
            weights_are_even: weights.are_even(),
            weights,
            policy: Arc::clone(&backend.policy),
            empty: endpoints.empty.unwrap_or(Cause::NoEndpoint),
            shared,
            members,
            by_session,
            maglev,
        }
    }

    pub fn backend(&self) -> &Arc<BackendShared> {
        &self.shared
    }

    pub fn policy(&self) -> &BackendPolicy {
        &self.policy
    }

    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The position of the endpoint that takes the request. `excluded` are positions that have
    /// been tried already and are never chosen. `hash` is for [`Balance::ConsistentHash`].
    ///
    /// [`Cause::NoEndpoint`] (or what lowering knows better): there are none.
    /// [`Cause::NoHealthyEndpoint`]: all are ejected, excluded or of weight 0.
    ///
    /// Ejected endpoints are passed over. But when the whole list is out, as when the healthy half
    /// of it was removed, all are in: a wrong guess costs a failed request, refusing costs every
    /// request, and a backend whose endpoints all fail often sits behind a broken network, which
    /// mends without telling.
    pub fn pick(
        &self,
        rng: &mut Rng,
        hash: Option<u64>,
        excluded: &[usize],
        now: Instant,
    ) -> Result<usize, Cause> {
        if self.members.is_empty() {
            return Err(self.empty);
        }
        let mut field = Field { group: self, excluded, at: self.shared.micros(now), panic: false };
        if let Some(picked) = field.pick(rng, hash) {
            return Ok(picked);
        }
        field.panic = self.is_all_out(field.at);
        if field.panic { field.pick(rng, hash) } else { None }.ok_or(Cause::NoHealthyEndpoint)
    }

    /// Whether the endpoint is ejected at the moment.
    pub fn is_out(&self, index: usize, now: Instant) -> bool {
        self.is_out_at(index, self.shared.micros(now))
    }

    /// How many endpoints are ejected at the moment.
    pub fn out_count(&self, now: Instant) -> usize {
        self.out_count_at(self.shared.micros(now))
    }

    /// The position of the endpoint that a session token names, ejected or not.
    pub fn position_of_session(&self, endpoint_id: u64) -> Option<usize> {
        let found = self.by_session.binary_search_by_key(&endpoint_id, |entry| entry.0).ok()?;
        Some(self.by_session[found].1 as usize)
    }

    /// To be told of every attempt whose cause is a [`Failure`].
    pub fn on_failure(
        &self,
        index: usize,
        failure: Failure,
        now: Instant,
    ) -> Option<EjectionEvent> {
        let at = self.shared.micros(now);
        let settings = self.policy.ejection;
        let health = self.members[index].shared.health();
        // Asked before the lock too: a backend whose only endpoint is down fails all the time.
        if health.fail(settings, at) && self.may_lose_one(at) {
            let _one_at_a_time = self.shared.ejecting();
            if !health.is_out(at) && self.may_lose_one(at) {
                let lasts = health.eject(settings, at);
                return Some(EjectionEvent::Ejected { failure, lasts });
            }
        }
        health.take_return(at).then_some(EjectionEvent::Returned)
    }

    /// To be told of every answer, whatever its status.
    pub fn on_success(&self, index: usize, now: Instant) -> Option<EjectionEvent> {
        let health = self.members[index].shared.health();
        health.succeed();
        health.take_return(self.shared.micros(now)).then_some(EjectionEvent::Returned)
    }

    /// Never the last, and never more than `max_percent`.
    fn may_lose_one(&self, at: u64) -> bool {
        let serving = self.members.iter().filter(|member| member.weight > 0).count();
        let out = self.out_count_at(at) + 1;
        out < serving && out * 100 <= serving * self.policy.ejection.max_percent as usize
    }

    fn is_out_at(&self, index: usize, at: u64) -> bool {
        // Switching ejection off brings everyone back.
        self.policy.ejection.consecutive_failures > 0
            && self.members[index].shared.health().is_out(at)
    }

    fn out_count_at(&self, at: u64) -> usize {
        let serving = (0..self.members.len()).filter(|&index| self.members[index].weight > 0);
        serving.filter(|&index| self.is_out_at(index, at)).count()
    }

    fn is_all_out(&self, at: u64) -> bool {
        (0..self.members.len())
            .all(|index| self.members[index].weight == 0 || self.is_out_at(index, at))
    }

    /// A tenth for an endpoint that has just come, growing linearly over the window.
    fn slow_start(&self, index: usize, at: u64) -> f64 {
        let Some(slow_start) = self.policy.slow_start else { return 1.0 };
        let since = self.members[index].shared.health().in_service_since(at);
        let age = Duration::from_micros(at.saturating_sub(since)).as_secs_f64();
        let window = slow_start.window.as_secs_f64();
        if age < window { 0.1 + 0.9 * age / window } else { 1.0 }
    }
}

/// The endpoints that one pick may choose from.
struct Field<'a> {
    group: &'a EndpointGroup,
    excluded: &'a [usize],
    at: u64,
    /// Everyone is out, so nobody is.
    panic: bool,
}

impl Field<'_> {
    fn pick(&self, rng: &mut Rng, hash: Option<u64>) -> Option<usize> {
        match (&self.group.policy.balance, &self.group.maglev, hash) {
            (Balance::LeastRequest, ..) => least_request::pick(self, rng),
            (Balance::RoundRobin, ..) => round_robin::pick(self, rng),
            (Balance::ConsistentHash(_), Some(table), Some(hash)) => table
                .find(hash, |index| self.is_eligible(index))
                // Slow start holds nobody back here: a key belongs to one endpoint or another.
                // Nearly all are out: the hash still decides, with a look at each.
                .or_else(|| self.draw_from_all(&mut Rng::with_seed(hash), None)),
            (Balance::Random | Balance::ConsistentHash(_), ..) => self.draw(rng, None),
        }
    }

    fn is_eligible(&self, index: usize) -> bool {
        self.group.members[index].weight > 0
            && !self.excluded.contains(&index)
            && (self.panic || !self.group.is_out_at(index, self.at))
    }

    /// The share of its weight that the endpoint gets now, 0 to 1.
    fn share(&self, index: usize) -> f64 {
        // In panic every endpoint is as doubtful as the next.
        match self.is_eligible(index) {
            false => 0.0,
            true if self.panic => 1.0,
            true => self.group.slow_start(index, self.at),
        }
    }

    fn weight(&self, index: usize) -> f64 {
        self.group.weights.get(index) as f64 * self.share(index)
    }

    /// The sum of the weights as they are now; `None` where all are the same, which needs no
    /// look at any. Above [`limits::ENDPOINTS_LOOKED_AT`] the sum of all stands for it: there one
    /// endpoint more or less moves shares by little.
    fn uneven_sum(&self) -> Option<f64> {
        if self.group.weights_are_even && self.group.policy.slow_start.is_none() {
            return None;
        }
        let count = self.group.members.len();
        Some(if count > limits::ENDPOINTS_LOOKED_AT {
            self.group.weights.sum() as f64
        } else {
            (0..count).map(|index| self.weight(index)).sum()
        })
    }

    /// A random endpoint by weight, other than `not`.
    fn draw(&self, rng: &mut Rng, not: Option<usize>) -> Option<usize> {
        const TRIES: usize = 8;
        if self.group.members.len() > limits::ENDPOINTS_LOOKED_AT {
            // Drawing again until one is eligible gives each its share of the eligible weights,
            // and looks at a few cache lines instead of all.
            for _ in 0..TRIES {
                let index = self.group.weights.pick(rng)?;
                if Some(index) != not && rng.f64() < self.share(index) {
                    return Some(index);
                }
            }
        }
        self.draw_from_all(rng, not)
    }

    fn draw_from_all(&self, rng: &mut Rng, not: Option<usize>) -> Option<usize> {
        let weights: SmallVec<[f64; limits::ENDPOINTS_LOOKED_AT]> = (0..self.group.members.len())
            .map(|index| if Some(index) == not { 0.0 } else { self.weight(index) })
            .collect();
        let mut left = rng.f64() * weights.iter().sum::<f64>();
        let mut last = None;
        for (index, weight) in weights.into_iter().enumerate().filter(|(_, weight)| *weight > 0.0) {
            last = Some(index);
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        // Rounding may leave a rest: it is the last one's.
        last
    }
}

#[cfg(test)]
mod tests;
