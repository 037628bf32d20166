//! A choice by weight.

use fastrand::Rng;

/// Positions with weights, in lowest terms; their sum may exceed 32 bits. For endpoints of a
/// backend and for backends of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    /// `ends[i]` is the sum of the weights up to and with `i`.
    ends: Box<[u64]>,
}

impl Weights {
    pub fn new(weights: impl IntoIterator<Item = u32>) -> Self {
        let mut ends: Box<[u64]> = weights.into_iter().map(u64::from).collect();
        let divisor = ends.iter().copied().fold(0, gcd).max(1);
        let mut sum = 0;
        for end in &mut ends {
            sum += *end / divisor;
            *end = sum;
        }
        Self { ends }
    }

    /// `None` when nothing has a weight.
    pub fn pick(&self, rng: &mut Rng) -> Option<usize> {
        (self.sum() > 0).then(|| self.position(rng.u64(..self.sum())))
    }

    pub(super) fn sum(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    pub(super) fn get(&self, position: usize) -> u64 {
        let start = position.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.ends[position] - start
    }

    pub(super) fn are_even(&self) -> bool {
        self.sum() == self.ends.len() as u64 && (0..self.ends.len()).all(|at| self.get(at) == 1)
    }

    /// The position that owns `point`, which is below the sum.
    pub(super) fn position(&self, point: u64) -> usize {
        self.ends.partition_point(|&end| end <= point)
    }
}

pub(super) fn gcd(left: u64, right: u64) -> u64 {
    if right == 0 { left } else { gcd(right, left % right) }
}
