//! Whether what a canary has answered is good enough: thresholds, and how many requests it takes
//! before they say anything.
//!
//! A threshold on its own has no stated rate of false alarms: the verdict carries its numbers, so
//! that whoever reads it can judge the judge.
//!
//! This module is pure, and must not know what follows from a verdict.

use std::fmt;
use std::time::Duration;

use crate::config::raw::Gates;
use crate::model::Counts;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Fail(Failure),
    /// About so many more requests are needed.
    TooLittle {
        more: u64,
    },
}

/// Why a gate is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    Errors { errors: u64, requests: u64, max_ppm: u32 },
    P99 { p99: Duration, max: Duration, requests: u64 },
}

/// Of the counts since the step began. What a client gave up says nothing: a version that answers
/// nobody has too little traffic. Errors fail a step as soon as they are more than its whole
/// minimum of requests may have, since no later success can mend that; a p99 waits for the minimum.
pub fn judge(gates: &Gates, counts: &Counts) -> Verdict {
    let &Gates { max_errors_ppm, max_p99, min_requests } = gates;
    let Counts { requests, errors, cancelled, .. } = *counts;
    let requests = requests.saturating_sub(cancelled);
    if let Some(max_ppm) = max_errors_ppm {
        let most = u128::from(max_ppm) * u128::from(requests.max(min_requests));
        if u128::from(errors) * 1_000_000 > most {
            return Verdict::Fail(Failure::Errors { errors, requests, max_ppm });
        }
    }
    if max_errors_ppm.is_none() && max_p99.is_none() {
        return Verdict::Pass;
    }
    if requests < min_requests {
        return Verdict::TooLittle { more: min_requests - requests };
    }
    match (max_p99, counts.latencies.quantile(0.99)) {
        (Some(max), Some(p99)) if p99 > max => Verdict::Fail(Failure::P99 { p99, max, requests }),
        _ => Verdict::Pass,
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("pass"),
            Self::Fail(failure) => failure.fmt(f),
            Self::TooLittle { more: 1 } => f.write_str("too little traffic: 1 more request"),
            Self::TooLittle { more } => {
                write!(f, "too little traffic: about {more} more requests")
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Errors { errors, requests, max_ppm } => {
                let max = Percent(max_ppm);
                write!(f, "{errors} of {requests} requests failed, more than {max}")
            }
            Self::P99 { p99, max, requests } => {
                write!(f, "p99 of {requests} requests is {p99:.1?}, more than {max:?}")
            }
        }
    }
}

/// Parts per million, as people write them.
pub struct Percent(pub u32);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 10_000, self.0 % 10_000);
        match part {
            0 => write!(f, "{whole}%"),
            _ => write!(f, "{whole}.{}%", format!("{part:04}").trim_end_matches('0')),
        }
    }
}

#[cfg(test)]
mod tests;
