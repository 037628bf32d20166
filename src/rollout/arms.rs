//! What the two versions of a rollout have done: the arms of its route's rules added up.
//!
//! This module is pure, and must not know who counts.

use super::Rollout;
use super::route::Destination;
use crate::model::{ArmKey, Counts, Kind, PartKey};

/// One thing for each of the two versions. A dark launch has no first one's counts to judge: its
/// `canary` is what gets the copies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pair<T> {
    pub stable: T,
    pub canary: T,
}

impl Pair<Counts> {
    /// Of whatever `arms` has; those of other routes, rules and backends are passed over.
    pub fn of<'a>(rollout: &Rollout, arms: impl Iterator<Item = (&'a ArmKey, Counts)>) -> Self {
        let (stable, canary, dark) = rollout.versions();
        let mut pair = Self::default();
        for (key, counts) in arms.filter(|(key, _)| is_of(rollout, &key.rule)) {
            if is_to(canary, &key.backend) && key.dark == dark {
                pair.canary.add(&counts);
            } else if stable.is_some_and(|stable| is_to(stable, &key.backend)) && !key.dark {
                pair.stable.add(&counts);
            }
        }
        pair
    }

    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            stable: self.stable.since(&earlier.stable),
            canary: self.canary.since(&earlier.canary),
        }
    }

    /// Of what both answered, what the canary did, in percent; none where nobody came.
    pub fn measured(&self) -> Option<f64> {
        let all = self.stable.requests + self.canary.requests;
        (all > 0).then(|| self.canary.requests as f64 * 100.0 / all as f64)
    }
}

fn is_of(rollout: &Rollout, rule: &PartKey) -> bool {
    let (route, object) = (&rollout.route, &rule.object);
    let named = |name: &str| {
        // One rule is several parts where Gateways see it differently: `NAME~GATEWAY`.
        rule.section.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('~'))
    };
    (route.kind, &route.namespace, &route.name) == (object.kind, &object.namespace, &object.name)
        && rollout.rule.as_deref().is_none_or(named)
}

/// A Backend part is called after the port and how it is spoken to: `8080/grpc~ns/secret`.
fn is_to(to: &Destination, backend: &PartKey) -> bool {
    let object = &backend.object;
    let digits = backend.section.bytes().take_while(u8::is_ascii_digit).count();
    let port = backend.section[..digits].parse::<u16>().ok();
    let group = match object.kind {
        Kind::Service => "",
        kind => kind.group(),
    };
    (&*to.group, &*to.kind, &*to.namespace, &*to.name)
        == (group, object.kind.as_str(), &*object.namespace, &*object.name)
        && (to.port.is_none() || object.kind != Kind::Service || to.port == port)
}

#[cfg(test)]
mod tests;
