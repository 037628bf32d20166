//! Weights that hold until a time, and what they go back to: an annotation of a route.
//!
//! ```yaml
//! metadata:
//!   annotations:
//!     meshctl.dev/weights-return: "2026-11-24T12:00:00Z 0=100,0 2=1,0"
//! ```
//!
//! From that time on the rule at place 0 has the weights 100 and 0, whatever its backendRefs say:
//! whoever lowers the route goes back by itself, though nobody may be there to edit it.
//!
//! This module is pure, and must not know who writes it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::raw::Meta;
use crate::limits;
use crate::names::ANNOTATION_RETURN;

/// What a route goes back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returning {
    pub at: Timestamp,
    /// The weights of a rule's backends in their order, by the rule's place in the route.
    pub rules: BTreeMap<usize, Vec<u32>>,
}

/// It isn't such a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotReturning;

impl Returning {
    /// What a route says of it; what can't be read was reported when the route was decoded.
    pub fn of(meta: &Meta) -> Option<Self> {
        meta.annotations.get(ANNOTATION_RETURN)?.parse().ok()
    }

    /// What these backends' weights are at `now`, in seconds since the epoch, where that isn't what
    /// is written. A rule that has other backends now is left alone.
    pub fn weights(&self, rule: usize, backends: usize, now: i64) -> Option<&[u32]> {
        let weights = self.rules.get(&rule)?;
        (now >= self.at.as_second() && weights.len() == backends).then_some(weights)
    }
}

impl FromStr for Returning {
    type Err = NotReturning;

    fn from_str(text: &str) -> Result<Self, NotReturning> {
        let mut words = text.split_ascii_whitespace();
        let at = words.next().and_then(|at| at.parse().ok()).ok_or(NotReturning)?;
        let mut rules = BTreeMap::new();
        for word in words {
            let (rule, weights) = word.split_once('=').ok_or(NotReturning)?;
            let rule = rule.parse().map_err(|_| NotReturning)?;
            let weight = |text: &str| text.parse().ok().filter(|weight| *weight <= limits::WEIGHT);
            let weights: Option<Vec<u32>> = weights.split(',').map(weight).collect();
            if rules.insert(rule, weights.ok_or(NotReturning)?).is_some() {
                return Err(NotReturning);
            }
        }
        if rules.is_empty() { Err(NotReturning) } else { Ok(Self { at, rules }) }
    }
}

impl fmt::Display for Returning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.at)?;
        for (rule, weights) in &self.rules {
            let weights: Vec<String> = weights.iter().map(ToString::to_string).collect();
            write!(f, " {rule}={}", weights.join(","))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
