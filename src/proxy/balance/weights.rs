//! A choice by weight.

use fastrand::Rng;

/// Positions with weights; their sum may exceed 32 bits. For endpoints of a backend and for
/// backends of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    /// `ends[i]` is the sum of the weights up to and with `i`.
    ends: Box<[u64]>,
}

impl Weights {
    pub fn new(weights: impl IntoIterator<Item = u32>) -> Self {
        let mut sum = 0;
        let add = |weight| {
            sum += u64::from(weight);
            sum
        };
        Self { ends: weights.into_iter().map(add).collect() }
    }

    pub fn sum(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// All weights are the same.
    pub fn are_even(&self) -> bool {
        let first = self.ends.first().copied().unwrap_or(0);
        self.ends.windows(2).all(|pair| pair[1] - pair[0] == first)
    }

    /// `None` when nothing has a weight.
    pub fn pick(&self, rng: &mut Rng) -> Option<usize> {
        (self.sum() > 0).then(|| self.position(rng.u64(..self.sum())))
    }

    /// The position that owns `point`, which is below the sum.
    pub(super) fn position(&self, point: u64) -> usize {
        self.ends.partition_point(|&end| end <= point)
    }
}
