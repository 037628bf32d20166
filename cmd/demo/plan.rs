//! What traffic does in the demo: two versions, and the weights that they get one after the other.

use std::fmt;
use std::time::Duration;

use meshctl::limits;

/// A version of the sample service. Where two things belong to the two versions they stand in an
/// array in this order, as the backends do in the route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    V1,
    V2,
}

impl Version {
    pub const ALL: [Self; 2] = [Self::V1, Self::V2];

    pub fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }

    pub fn named(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.name().as_bytes() == name)
    }

    pub fn index(self) -> usize {
        self as usize
    }
}

/// The weights of both versions, as they stand in the route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights(pub [u32; 2]);

impl Weights {
    /// The share of all requests that a version is to get, from 0 to 1; `None` where nobody gets
    /// any.
    pub fn share(self, version: Version) -> Option<f64> {
        let sum: u64 = self.0.iter().copied().map(u64::from).sum();
        (sum > 0).then(|| f64::from(self.0[version.index()]) / sum as f64)
    }
}

impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0[0], self.0[1])
    }
}

/// What happens to the second version, and the weights that go with it.
pub const STEPS: [Weights; 5] =
    [Weights([100, 0]), Weights([90, 10]), Weights([100, 0]), Weights([50, 50]), Weights([0, 100])];

pub const STORY: [&str; 5] = [
    "dark launch: half is copied to v2",
    "canary of a bad v2",
    "taken back by itself",
    "canary of a good v2",
    "promoted by itself",
];

/// The step in which the second version is a bad one.
pub const BAD: usize = 1;

/// How long each step is, so that all take `total`; a gate looks for a second at least.
pub fn step_duration(total: Duration) -> Duration {
    (total / STEPS.len() as u32).max(limits::ROLLOUT_INTERVAL_MIN)
}
